/* The list of names that are known to be harmful, or to be parts that harm is built of; deny.c
 * looks things up in it. */
#include "deny.h"

#include <stddef.h>

/* Why something is denied, as the end of "os.system ...". */
static const char PROCESS[] = "reaches the operating system and its processes";
static const char FILES[] = "reaches files";
static const char NETWORK[] = "reaches the network";
static const char IMPORTS[] = "loads or installs other code";
static const char RUNS[] = "runs code that it is given";
static const char PICKLES[] = "loads other pickles, which may run anything";
static const char PARTS[] = "is a building block that harmful calls are made of";
static const char CODE[] = "makes functions of code that lies in the file";
static const char MEMORY[] = "reaches the memory of the program";
static const char SCANNER[] = "belongs to a scanner, which only an attack on it would touch";

const ck_denied ck_deny_names[] = {
	{PROCESS, "os posix nt posixpath ntpath genericpath macpath os2emxpath sys subprocess pty "
	          "_posixsubprocess _winapi commands popen2 multiprocessing _multiprocessing "
	          "concurrent threading _thread thread dummy_threading _dummy_thread signal "
	          "_signal sched asyncio _asyncio asyncore asynchat selectors select resource "
	          "platform pwd grp spwd crypt nis msvcrt winreg _winreg winsound _overlapped "
	          "_wmi syslog termios tty fcntl sysconfig _sysconfig _osx_support _aix_support "
	          "_android_support _apple_support _ios_support _interpreters _interpqueues "
	          "_interpchannels _xxsubinterpreters _xxinterpchannels _xxinterpqueues psutil "
	          "pexpect ptyprocess winpty pathos plumbum fabric invoke delegator envoy sarge sh "
	          "dask.distributed distributed.nanny ray._private"},
	{PROCESS, "/popen /check_output /check_call /getoutput /getstatusoutput /Popen /popen2 "
	          "/popen3 /popen4 /posix_spawn /spawnl /spawnle /spawnv /spawnve /execv /execve "
	          "/execl /execle /execlp /execvp /ThreadPoolExecutor /ProcessPoolExecutor "
	          "/SubprocessHandler"},
	{FILES, "shutil tempfile glob fileinput linecache io _io _pyio codecs gzip bz2 _bz2 lzma "
	        "_lzma _compression compression "
	        "zipfile tarfile zipapp dbm _dbm gdbm _gdbm anydbm dumbdbm "
	        "dbhash whichdb bsddb sqlite3 _sqlite3 mmap mailbox mailcap netrc filecmp dircache "
	        "statvfs aifc wave sunau sndhdr imghdr xdrlib fcntl logging.config "
	        "logging.handlers logging:FileHandler logging:basicConfig logging:fileConfig "
	        "logging:shutdown plistlib StringIO cStringIO json.tool mimetypes:init "
	        "mimetypes:read_mime_types mimetypes:_main zoneinfo._common zoneinfo._tzpath "
	        "h5py/File argparse:FileType pandas/HDFStore pandas/ExcelFile fsspec "
	        "pandas/ExcelWriter pyarrow.fs s3fs gcsfs torch/_GdsFile sqlalchemy/create_engine"},
	{PROCESS, "gi dbus apt apt_pkg aptsources apport softwareproperties ansible execnet "
	          "time:clock_settime time:clock_settime_ns time:sleep tox nox pipenv poetry git "
	          "jaraco.context click:launch click:edit click._termui_impl java org.python clr "
	          "win32api win32process win32com pythoncom win32file"},
	{IMPORTS, "warnings:_getcategory warnings:_setoption warnings:_processoptions "
	          "importlib_metadata importlib_resources past.translation future.standard_library "
	          "numba.pycc Cython triton.runtime.build llvmlite.binding "
	          "torch/CUDAPluggableAllocator torch/AOTIModelContainerRunnerCpu "
	          "torch/AOTIModelContainerRunnerCuda torch/AOTIModelPackageLoader "
	          "kombu.utils.imports traitlets.config.loader pygments.lexers pygments.formatters "
	          "pygments.styles pygments.plugin"},
	{FILES, "xml mimetypes:MimeTypes torch.package torch/ZipFile torch/FileOpener "
	        "torch/FileLoader torch/FileLister torch.utils.data.datapipes.iter.fileopener "
	        "torch.utils.data.datapipes.iter.filelister torch.utils._zip "
	        "torch.utils.tensorboard torch/FileStore torch/PackageExporter "
	        "torch.distributed.checkpoint/FileSystemWriter "
	        "torch.distributed.checkpoint/FileSystemReader"},
	{PROCESS, "torch.multiprocessing torch.backends.xeon torch.utils.data.communication "
	          "torch/_MultiProcessingDataLoaderIter torch/ExecutionGraphObserver "
	          "torch/ExecutionTraceObserver torch.distributed.pipeline"},
	{NETWORK, "torch/TCPStore torch/ProcessGroupGloo torch/HashStore /urlretrieve"},
	{FILES, "/NamedTemporaryFile /TemporaryFile /TemporaryDirectory /FileIO /rmtree /copyfile"},
	{NETWORK, "socket _socket ssl _ssl socketserver SocketServer http httplib urllib urllib2 "
	          "urlparse ftplib poplib imaplib nntplib smtplib smtpd telnetlib xmlrpc xmlrpclib "
	          "SimpleXMLRPCServer DocXMLRPCServer BaseHTTPServer SimpleHTTPServer "
	          "CGIHTTPServer cgi cgitb wsgiref webbrowser antigravity robotparser cookielib "
	          "Cookie uuid requests urllib3 httpx aiohttp websocket websockets tornado twisted "
	          "pycurl paramiko zmq scapy boto3 botocore wget flask gunicorn uvicorn /urlopen"},
	{IMPORTS, "importlib _frozen_importlib _frozen_importlib_external imp _imp pkgutil runpy "
	          "zipimport modulefinder site sitecustomize usercustomize pip setuptools "
	          "pkg_resources distutils _distutils_hack ensurepip venv easy_install wheel "
	          "virtualenv conda cffi pyximport tvm onnxruntime cupy/RawKernel cupy/RawModule "
	          "ihooks rexec Bastion"},
	{IMPORTS, "/import_module /__import__ /run_module /run_path /load_module /exec_module "
	          "/find_module /PackageImporter /resolve_name /CDLL /PyDLL /LibraryLoader "
	          "/load_library /load_extension /load_inline"},
	{RUNS, "__builtins__ code codeop bdb pdb cmd profile cProfile _lsprof hotshot timeit trace "
	       "tracemalloc _tracemalloc faulthandler atexit compileall py_compile symtable "
	       "_symtable parser compiler lib2to3 idlelib pydoc pydoc_data turtledemo turtle "
	       "tkinter _tkinter Tkinter test doctest unittest pytest _pytest nose py.test IPython "
	       "ipykernel jupyter ptpython bpython pudb ipdb rlcompleter readline curses _curses "
	       "this getpass _pyrepl _bootsubprocess pyclbr inspect dis opcode _opcode tabnanny gc "
	       "pstats numexpr jinja2 mako xonsh sympy:sympify sympy.core.sympify:sympify "
	       "sympy.parsing pandas:eval pandas.core.computation"},
	{RUNS, "builtins:eval builtins:exec builtins:execfile builtins:compile "
	       "builtins:__build_class__ builtins:breakpoint builtins:help builtins:copyright "
	       "builtins:credits builtins:license builtins:exit builtins:quit "
	       "__builtin__:execfile /execfile /runcode /runsource"},
	{RUNS, "dataclasses:_create_fn dataclasses:_FuncBuilder dataclasses:_init_fn "
	       "dataclasses:_repr_fn dataclasses:_cmp_fn dataclasses:_hash_fn "
	       "dataclasses:_frozen_get_del_attr dataclasses:_process_class "
	       "dataclasses:_add_slots dataclasses:dataclass typing:get_type_hints "
	       "typing:_eval_type random:_test_generator attr/make_class attrs/make_class "
	       "attr._make:_make_method attr._make:_make_attr_tuple_class attr._make:_make_eq "
	       "attr._make:_make_hash attr._make:_make_repr attr._make:_compile_and_eval "
	       "jaraco.functools:except_ fire /PythonREPL /PythonAstREPLTool /ShellTool "
	       "transformers.agents transformers.tools transformers/get_class_in_module "
	       "transformers.dynamic_module_utils transformers/pipeline "
	       "debugpy ptvsd pydevd pydevd_pycharm nbconvert nbclient werkzeug.debug "
	       "rpyc zerorpc Pyro4 Pyro5 sympy.plotting sympy.utilities.lambdify "
	       "sympy.utilities.autowrap torch/RemoteModule"},
	{IMPORTS, "builtins:__import__ builtins:__loader__ builtins:__spec__ builtins:reload "
	          "__builtin__:reload"},
	{FILES, "builtins:open builtins:input builtins:file builtins:raw_input"},
	{PARTS, "builtins:globals builtins:locals builtins:vars builtins:setattr builtins:delattr "
	        "builtins:map builtins:filter builtins:apply builtins:iter builtins:next "
	        "builtins:super builtins:property builtins:classmethod builtins:staticmethod "
	        "builtins:memoryview builtins:buffer builtins:coerce builtins:dir builtins:intern "
	        "__builtin__:apply __builtin__:coerce __builtin__:intern operator _operator "
	        "functools:reduce functools:partialmethod functools:singledispatch "
	        "functools:singledispatchmethod functools:cached_property functools:cmp_to_key "
	        "functools:lru_cache functools:cache functools:_lru_cache_wrapper "
	        "functools:total_ordering functools:wraps functools:update_wrapper _functools "
	        "itertools:starmap itertools:takewhile itertools:dropwhile itertools:filterfalse "
	        "itertools:ifilterfalse itertools:accumulate itertools:groupby itertools:imap "
	        "itertools:ifilter itertools:tee copyreg copy_reg weakref:finalize "
	        "weakref:WeakMethod contextlib:ExitStack contextlib:AsyncExitStack "
	        "contextlib:contextmanager string:Formatter _string _weakref _abc _ast ast "
	        "gettext types _types dataclasses:make_dataclass copy:_reconstruct "
	        "contextlib:_GeneratorContextManager contextlib:_GeneratorContextManagerBase "
	        "contextlib:_AsyncGeneratorContextManager contextlib:_BaseExitStack abc:ABCMeta "
	        "enum:EnumMeta enum:EnumType enum:_EnumDict typing:NamedTupleMeta "
	        "typing:_ProtocolMeta typing:_TypedDictMeta typing:_AnyMeta typing:ForwardRef "
	        "collections:_starmap collections:_itemgetter random:_accumulate statistics:reduce "
	        "statistics:groupby statistics:itemgetter enum:reduce enum:global_enum "
	        "enum:_old_convert_ contextlib:wraps dataclasses:_set_new_attribute "
	        "dataclasses:_set_qualname json.decoder:JSONArray json.decoder:JSONObject "
	        "email.headerregistry:_reconstruct_header numpy.lib._iotools torch/_ParameterMeta "
	        "torch/_TensorMeta torch/ScriptMeta torch/VariableMeta"},
	{PARTS, "/attrgetter /methodcaller /MethodType /ABCMeta"},
	{MEMORY, "ctypes _ctypes faulthandler mmap _posixshmem numpy.ctypeslib "
	         "numpy.lib.stride_tricks numpy.core._internal:_ctypes numpy:ctypeslib"},
	{CODE, "marshal new dill cloudpickle types:CodeType types:FunctionType types:LambdaType "
	       "/CodeType /FunctionType /LambdaType /ModuleType /_make_function /_fill_function "
	       "/_make_skel_func /_make_skeleton_class /_builtin_type "
	       "pyspark.cloudpickle pyspark.serializers ray.cloudpickle joblib.externals "
	       "sklearn.externals.joblib.externals torch.fx.graph_module:_forward_from_src "
	       "torch/GraphModule torch/LazyGraphModule torch/_LazyGraphModule "
	       "torch/FusedGraphModule torch/ObservedGraphModule torch/QuantizedGraphModule "
	       "torch/ObservedStandaloneGraphModule torch/FoldedGraphModule "
	       "torch.fx.graph_module:_exec_with_source "
	       "torch.fx.graph_module:_deserialize_graph_module torch.jit:CompilationUnit "
	       "torch._C:CompilationUnit torch.jit._script:CompilationUnit"},
	{PICKLES, "/Unpickler /_unpickler /Pickler torch/_DataPipeSerializationWrapper "
	          "torch/_IterDataPipeSerializationWrapper torch/_MapDataPipeSerializationWrapper "
	          "joblib sklearn.externals.joblib"},
	{PICKLES, "pickle cPickle _pickle _compat_pickle pickletools shelve jsonpickle yaml ruamel "
	          "ruamel_yaml hickle klepto pandas/read_pickle pandas.io.pickle pandas.io.common "
	          "joblib/load joblib.memory joblib/Memory sklearn.externals/load numpy/load "
	          "numpy/loads torch:load torch.serialization:load torch.serialization:_load "
	          "torch.serialization:_legacy_load torch.serialization:load_with_tempfile "
	          "torch.jit:load torch.jit._serialization torch.hub "
	          "torch.package.package_importer torch.package.importer torch.export:load "
	          "torch.distributed.checkpoint/load torch.distributed.rpc "
	          "torch.distributed.distributed_c10d:_tensor_to_object "
	          "torch.distributed.distributed_c10d:_object_to_tensor "
	          "torch:_weights_only_unpickler torch._weights_only_unpickler "
	          "/_unpickle_from_file keras.models:load_model tensorflow/load_model "
	          "keras/load_model tensorflow/load_library keras/deserialize_lambda"},
	{RUNS, "torch.utils.bottleneck torch.utils.collect_env torch.utils._config_module "
	       "torch.fx.experimental.symbolic_shapes torch.fx.experimental.unification "
	       "torch._dynamo.guards torch._dynamo.debug_utils torch._dynamo.repro "
	       "torch._inductor torch._functorch.config "
	       "torch.jit.unsupported_tensor_ops torch.utils.data.datapipes.utils.decoder "
	       "torch.utils.cpp_extension torch.utils._cpp_extension_versioner "
	       "torch.utils.benchmark torch.utils.hipify torch.utils.file_baton "
	       "torch.utils.show_pickle torch.utils.model_dump torch.utils._pytree:treespec_loads "
	       "torch.ops torch._ops torch:ops torch.classes torch:classes torch._classes "
	       "torch.testing torch.distributed.launch torch.distributed.run "
	       "torch.distributed.launcher torch.distributed.elastic "
	       "torch.distributed.argparse_util torch.multiprocessing.spawn "
	       "torch.multiprocessing.pool torch.multiprocessing:Process "
	       "torch.multiprocessing:Pool torch.multiprocessing:spawn torch.onnx.verification "
	       "torch.onnx._internal torch:compile torch:hub torch.backends._nnapi "
	       "torch._C:PyTorchFileReader torch._C:PyTorchFileWriter torch:PyTorchFileReader "
	       "torch:PyTorchFileWriter torch._lobpcg torch.library torch._library "
	       "torch._custom_op torch._custom_ops torch.cuda.jiterator "
	       "torch.jit._script:_recursive_compile_class torch.jit:script torch._jit_internal "
	       "torch._sources torch._appdirs torch.__config__ torch.__future__ "
	       "torch._utils_internal"},
	{RUNS, "numpy.f2py numpy.distutils numpy.testing numpy._pytesttester numpy.tests "
	       "numpy:safe_eval numpy.lib.utils:safe_eval numpy.lib._utils_impl:safe_eval "
	       "numpy/vectorize numpy/frompyfunc numpy/piecewise numpy/fromfunction "
	       "numpy/apply_along_axis numpy/apply_over_axes numpy:lookfor numpy:source "
	       "numpy:info numpy.core._internal:_view_is_safe numpy.compat.py3k "
	       "numpy._globals numpy.setup numpy.core.setup numpy.matlib.setup"},
	{FILES, "numpy/fromfile numpy/loadtxt numpy/genfromtxt numpy/fromregex numpy/save "
	        "numpy/savez numpy/savez_compressed numpy/savetxt numpy/recfromcsv "
	        "numpy/recfromtxt numpy/DataSource numpy/open_memmap numpy.lib._datasource "
	        "numpy.lib.npyio numpy.lib._npyio_impl numpy.lib.format numpy:DataSource "
	        "pandas/read_csv pandas/read_json pandas/read_html pandas/read_sql pandas/read_xml "
	        "pandas/read_hdf pandas/read_table pandas/read_excel pandas/read_parquet "
	        "pandas/to_pickle scipy.io scipy/loadmat scipy/weave"},
	{SCANNER, "picklescan fickling modelscan modelaudit pickle_inspector pickleinspector "
	          "safepickle aisbom agent_bom saferpickle pickleball pickle_scanner "
	          "huggingface_hub.utils._safetensors_scan protectai clamav"},
	{NULL, NULL},
};

const char *const ck_deny_spared[] = {
	"types:SimpleNamespace", "types:MappingProxyType", "types:GenericAlias",
	"types:UnionType", "types:NoneType", "types:EllipsisType", "types:NotImplementedType",
	"types:DynamicClassAttribute", "operator:getitem", "_operator:getitem", "operator:add",
	"_operator:add", "operator:mul", "_operator:mul", "operator:sub", "_operator:sub",
	"operator:truediv", "_operator:truediv", "operator:neg", "_operator:neg", "operator:lt",
	"_operator:lt", "operator:gt", "_operator:gt", "operator:le", "_operator:le",
	"operator:ge", "_operator:ge", "operator:eq", "_operator:eq", "operator:ne",
	"_operator:ne", "operator:or_", "_operator:or_", "copyreg:_reconstructor",
	"copyreg:__newobj__", "copyreg:__newobj_ex__",
	"copy_reg:_reconstructor", "copy_reg:__newobj__", "copy_reg:__newobj_ex__",
	"_io:BytesIO", "_io:StringIO", "io:BytesIO", "io:StringIO", "uuid:UUID",
	"uuid:SafeUUID", "_codecs:encode", "StringIO:StringIO", "cStringIO:StringIO",
	"_weakrefset:WeakSet", "http:HTTPStatus", "xml.etree.ElementTree:Element",
	"xml.etree.ElementTree:QName",
	"torch.testing._internal.two_tensor:TwoTensor",
	"torch._dynamo.repro.after_dynamo:WrapBackendDebug",
	NULL,
};
