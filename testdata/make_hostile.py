#!/usr/bin/env python3
"""Writes hostile/bypass/, a file for each published way past a scanner, and
hostile/checkpoint-500/.

usage: make_hostile.py [FOLDER]     (default: the folder of this script)
Also writes hostile.txt, what ckconv scan must say of each, and prints the sentences of README.md.
Plain Python; nothing here is ever unpickled. The payload makes an empty file in the current folder.
"""
import io
import os
import struct
import sys
import tarfile

import craft
from craft import (BUILD, EMPTY_DICT, EMPTY_TUPLE, NEWOBJ, NONE, POP, REDUCE, SETITEM, STOP, Member,
                   call, dict_of, floats, get, integer, list_of, name, named, pickle, proto, put,
                   storage, tensor, text, text_py2, tuple_of, vector)
from hostile_holes import holes
from hostile_tensors import twofold

HERE = os.path.dirname(os.path.abspath(__file__))
MARKER = "ckconv_was_here"
COMMAND = "touch " + MARKER
CODE = "open(%r, 'w').close()" % MARKER
STACK_GLOBAL, MEMOIZE, OBJ, MARK, DUP = b"\x93", b"\x94", b"o", b"(", b"2"
RUN = call(name("os", "system"), text(COMMAND))


def stack_global(module, attribute):
    """A name by STACK_GLOBAL."""
    return text(module) + text(attribute) + STACK_GLOBAL


def zipped(value, storages=None):
    """A torch checkpoint of a value."""
    return craft.archive(craft.checkpoint(pickle(value), storages or {"0": floats(1, 2)}))


def legacy(value, magic=None, keys=None):
    """A checkpoint of torch's old layout without storages: five pickles."""
    number = bytes.fromhex("8a0a6cfc9c46f9206aa850192e")[:-1]
    system = dict_of((text("protocol_version"), integer(1001)), (text("little_endian"), b"\x88"),
                     (text("type_sizes"), named(short=integer(2), int=integer(4), long=integer(4))))
    parts = [magic or number, integer(1001), system, value, keys or b"]"]
    return b"".join(pickle(part) for part in parts)


def tar(members):
    """An archive of torch before 0.1.10."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in members:
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def gadget(module, attribute, *arguments):
    """A pickle that calls one function."""
    return pickle(call(name(module, attribute), *arguments))


def python_code():
    """The arguments of types.CodeType are not needed: naming it is enough."""
    code = call(name("types", "CodeType"), integer(0), integer(0), integer(0), integer(0))
    return call(call(name("types", "FunctionType"), code, EMPTY_DICT))


def straddling_frame():
    """A frame that ends inside an opcode: from memory CPython reads on, from a file it does not."""
    body = RUN + STOP
    return proto(4) + b"\x95" + struct.pack("<Q", 6) + body


def array_inside(made, data, *padding):
    """What joblib writes for an array of bytes: a wrapper, and its bytes between the opcodes."""
    dtype = (call(name("numpy", "dtype"), text("u1"), integer(0), integer(1)) +
             tuple_of(integer(3), text("|"), NONE, NONE, NONE, integer(-1), integer(-1),
                      integer(0)) + BUILD)
    state = {"subclass": name("numpy", "ndarray"), "shape": tuple_of(integer(len(data))),
             "order": text("C"), "dtype": dtype, "allow_mmap": b"\x89"}
    if padding:
        state["numpy_array_alignment_bytes"] = integer(16)
    return made + named(**state) + BUILD + bytes(padding) + data


def arrays_inside():
    """Arrays of joblib whose bytes are opcodes for other readers, and the other way round."""
    wrapper = name("joblib.numpy_pickle", "NumpyArrayWrapper")
    made = wrapper + EMPTY_TUPLE + NEWOBJ
    quiet = call(name("copyreg", "__newobj__"), wrapper)
    behind = b"T" + struct.pack("<I", 8 + len(RUN) + 1) + bytes(8)
    return [
        ("array_opcodes.joblib", "dangerous", "the bytes of joblib's array are opcodes for "
         "pickle.load", proto(3) + array_inside(made, RUN + STOP) + STOP),
        ("array_padding.joblib", "dangerous", "the last of them are opcodes for joblib before 1.2, "
         "which knows no padding", proto(3) + array_inside(
             made, bytes(16) + RUN + STOP, len(RUN), *bytes(len(RUN))) + STOP),
        ("array_quiet.joblib", "dangerous", "an array of joblib, made by copyreg.__newobj__, hides "
         "that what follows is no text",
         proto(3) + array_inside(quiet, behind) + RUN + STOP + STOP),
    ]


# ---- the files: name, verdict, what it is, bytes ----

def names():
    """Functions that lists of harmful names did not have, names that such lists do not match."""
    one = text(COMMAND)
    return [
        ("pip.pkl", "dangerous", "pip.main installs what it is told (CVE-2025-1716)",
         gadget("pip", "main", list_of(text("install"), text("./nothing")))),
        ("uuid.pkl", "dangerous", "a private function of uuid starts a program (CVE-2026-56315)",
         gadget("uuid", "_get_command_stdout", text("touch"), text(MARKER))),
        ("resolve_name.pkl", "dangerous", "pkgutil.resolve_name finds os.system, which is called "
         "(GHSA-vvpj-8cmc-gx39)",
         pickle(call(call(name("pkgutil", "resolve_name"), text("os:system")), one))),
        ("profile.pkl", "dangerous", "cProfile.run runs code (GHSA-7wx9)",
         gadget("cProfile", "run", text(CODE))),
        ("timeit.pkl", "dangerous", "timeit.timeit runs code",
         gadget("timeit", "timeit", text(CODE))),
        ("operator.pkl", "dangerous", "operator.methodcaller makes a function out of a name "
         "(GHSA-84r2, GHSA-955r)",
         pickle(call(call(name("_operator", "attrgetter"), text("system")), name("os", "path")))),
        ("pty.pkl", "dangerous", "pty.spawn starts a program (GHSA-vqmv)",
         gadget("pty", "spawn", list_of(text("touch"), text(MARKER)))),
        ("ctypes.pkl", "dangerous", "ctypes.CDLL loads a library (GHSA-4675)",
         gadget("ctypes", "CDLL", text("./nothing.so"))),
        ("f2py.pkl", "dangerous", "numpy.f2py.crackfortran.getlincoef evaluates text (GHSA-r8g5)",
         gadget("numpy.f2py.crackfortran", "getlincoef", text(CODE), EMPTY_DICT)),
        ("runstring.pkl", "dangerous", "numpy.testing's runstring runs code",
         gadget("numpy.testing._private.utils", "runstring", text(CODE), EMPTY_DICT)),
        ("fileio.pkl", "dangerous", "_io.FileIO opens a file (GHSA-9726)",
         gadget("_io", "FileIO", text(MARKER), text("w"))),
        ("filehandler.pkl", "dangerous", "logging.FileHandler makes a file (GHSA-m7j5)",
         gadget("logging", "FileHandler", text(MARKER))),
        ("distutils.pkl", "dangerous", "distutils writes a file (GHSA-m273)",
         gadget("distutils.file_util", "write_file", text(MARKER), list_of(text("x")))),
        ("collect_env.pkl", "dangerous", "torch.utils.collect_env.run runs a command",
         gadget("torch.utils.collect_env", "run", one)),
        ("bottleneck.pkl", "dangerous", "torch.utils.bottleneck runs a script",
         gadget("torch.utils.bottleneck.__main__", "run_cprofile", text(CODE), EMPTY_DICT)),
        ("config_module.pkl", "dangerous", "torch's config module unpickles bytes",
         pickle(call(name("torch.utils._config_module", "ConfigModule")))),
        ("guards.pkl", "dangerous", "torch._dynamo.guards evaluates text",
         gadget("torch._dynamo.guards", "GuardBuilder", text(CODE))),
        ("hub.pkl", "dangerous", "torch.hub loads code from the network",
         gadget("torch.hub", "load", text("nobody/nothing"), text("model"))),
        ("datapipes.pkl", "dangerous", "a decoder of torch's data pipes unpickles bytes",
         gadget("torch.utils.data.datapipes.utils.decoder", "basichandlers", text("pickle"),
                text("x"))),
        ("numpy_load.pkl", "dangerous", "numpy.load unpickles a file",
         gadget("numpy", "load", text("nothing.npy"))),
        ("unlisted.pkl", "dangerous", "a function of torch that is on no list of harmful ones",
         gadget("torch.some_module", "evaluate_text", text(CODE))),
        ("foreign_exec.pkl", "dangerous", "a function of another project that says it runs code",
         gadget("some_project.tools", "run_command", one)),
        ("cloudpickle.pkl", "dangerous", "a function made of code in the file (GHSA-9m3x)",
         pickle(python_code())),
        ("submodule.pkl", "dangerous", "a module below one that is listed (CVE-2025-10157)",
         gadget("asyncio.unix_events", "_UnixSubprocessTransport", one)),
        ("python2.pkl", "dangerous", "a module under its name in Python 2, which Python 3 maps",
         gadget("commands", "getoutput", one)),
        ("dotted.pkl", "dangerous", "a path of attributes from a harmless module (GHSA-5j3x)",
         pickle(call(stack_global("shutil", "os.system"), one), 4)),
        ("dotted_torch.pkl", "dangerous", "the same from a module of torch",
         pickle(call(stack_global("torch", "serialization.os.system"), one), 4)),
        ("dotted_late.pkl", "dangerous", "the same where PROTO 4 comes late",
         proto(2) + NONE + POP + b"\x80\x04" +
         call(stack_global("random", "_os.system"), one) + STOP),
        ("computed.pkl", "dangerous", "a name that rot13 spells, by a function that all allow",
         pickle(call(call(name("_codecs", "encode"), text("bf"), text("rot13")) +
                     call(name("_codecs", "encode"), text("flfgrz"), text("rot13")) + STACK_GLOBAL,
                     one), 4)),
        ("nul.pkl", "dangerous", "a name with a NUL, which programs in C cut off there",
         pickle(call(stack_global("collections\0.os", "OrderedDict"), one), 4)),
    ]


def machine():
    """Pickles that do what a reader which only looks at names in turn does not see."""
    one = text(COMMAND)
    plain = named(epoch=integer(3))
    system = name("os", "system")
    return [
        ("memo.pkl", "dangerous", "names from the memo, with decoys between (picklescan#22)",
         proto(4) + text("os") + put(1) + POP + text("system") + put(0) + POP +
         text("collections") + POP + get(1) + get(0) + STACK_GLOBAL + tuple_of(one) +
         REDUCE + STOP),
        ("memoize.pkl", "dangerous", "MEMOIZE behind POP, which numbers what came before",
         proto(4) + text("os") + MEMOIZE + POP + text("system") + MEMOIZE + POP + get(0) + get(1) +
         STACK_GLOBAL + tuple_of(one) + REDUCE + STOP),
        ("strings.pkl", "dangerous", "the operands of STACK_GLOBAL as STRING (GHSA-9gvj)",
         proto(4) + b"S'os'\nS'system'\n" + STACK_GLOBAL + tuple_of(one) + REDUCE + STOP),
        ("obj_pop.pkl", "dangerous", "OBJ, and its result thrown away (GHSA-mxhj-88fx-4pcv)",
         pickle(MARK + system + one + OBJ + POP + plain)),
        ("reduce_build.pkl", "dangerous", "a result hidden by BUILD (GHSA-mhc9-48gj-9gp3)",
         pickle(call(system, one) + EMPTY_DICT + BUILD + POP + plain)),
        ("setstate.pkl", "dangerous", "a __setstate__ planted in an object by BUILD",
         pickle(call(name("types", "SimpleNamespace")) + dict_of((text("__setstate__"), system)) +
                BUILD + one + BUILD)),
        ("slotstate.pkl", "dangerous", "a method planted in a class by the slots of its state",
         pickle(name("argparse", "Namespace") +
                tuple_of(NONE, dict_of((text("__setstate__"), system))) + BUILD + POP +
                call(name("argparse", "Namespace")) + one + BUILD)),
        ("partial.pkl", "dangerous", "a functools.partial made by NEWOBJ and then called",
         pickle(call(name("functools", "partial") + tuple_of(system, one) + NEWOBJ))),
        ("partial_state.pkl", "dangerous", "a functools.partial whose function comes by BUILD",
         pickle(call(name("functools", "partial") + tuple_of(name("builtins", "print")) + NEWOBJ +
                     tuple_of(system, tuple_of(one), EMPTY_DICT, NONE) + BUILD))),
        ("modules.pkl", "dangerous", "sys.modules is changed, then a harmless name is called",
         pickle(name("sys", "modules") + text("json") + name("shutil", "os") + SETITEM + POP +
                call(name("json", "system"), one))),
        ("rebound.pkl", "dangerous", "an attribute of a function is set (modelscan#330)",
         pickle(name("numpy", "size") + dict_of((text("shape"), name("os", "system"))) + BUILD)),
        ("append.pkl", "dangerous", "a method `append` planted in an object, which APPEND calls",
         pickle(call(name("types", "SimpleNamespace")) + dict_of((text("append"), system)) + BUILD +
                one + b"a")),
        ("getattr_walk.pkl", "dangerous", "getattr of getattr, up to a function that is called",
         pickle(call(call(name("builtins", "getattr"), call(name("builtins", "getattr"),
                     name("random", "Random"), text("__init__")), text("__globals__"))))),
        ("map.pkl", "dangerous", "map calls for each item when a list is made of it",
         pickle(call(name("builtins", "list"), call(name("builtins", "map"), system,
                                                    list_of(one))))),
        ("reduce.pkl", "dangerous", "functools.reduce calls",
         gadget("functools", "reduce", system, list_of(one, one))),
        ("defaultdict.pkl", "dangerous", "a defaultdict with a harmful factory",
         gadget("collections", "defaultdict", name("os", "getcwd"))),
        ("from_type.pkl", "dangerous", "_rebuild_from_type_v2 calls the function it is given",
         gadget("torch._tensor", "_rebuild_from_type_v2", system, name("torch", "Tensor"),
                tuple_of(one), EMPTY_DICT)),
        ("with_state.pkl", "dangerous", "a __setstate__ planted by _rebuild_parameter_with_state",
         gadget("torch._utils", "_rebuild_parameter_with_state",
                tensor(storage("FloatStorage", "0", 2), [2], [1]), NONE, NONE,
                dict_of((text("__setstate__"), name("builtins", "print"))))),
        ("namespace.pkl", "dangerous", "the same by the mapping that types.SimpleNamespace takes",
         gadget("types", "SimpleNamespace", dict_of((text("__setstate__"),
                                                     name("builtins", "print"))))),
        ("keywords.pkl", "dangerous", "arguments by name, where only those by place are looked at",
         pickle(name("builtins", "bytes") + EMPTY_TUPLE + named(source=integer(1 << 40)) +
                b"\x92", 4)),
        ("reconstructor.pkl", "dangerous", "copyreg._reconstructor with a harmful base",
         gadget("copyreg", "_reconstructor", name("builtins", "object"),
                name("subprocess", "Popen"), list_of(text("touch"), text(MARKER)))),
        ("newobj_function.pkl", "dangerous", "copyreg.__newobj__ of a harmful class",
         gadget("copyreg", "__newobj__", name("subprocess", "Popen"), one)),
        ("extension.pkl", "unknown", "a code of the copyreg registry (modelaudit#623)",
         pickle(call(b"\x82\x01", one)[:2])),
        ("extension_called.pkl", "dangerous", "the same, called", pickle(call(b"\x82\x01", one))),
        ("broken.pkl", "dangerous", "it runs, then ends in what is no opcode (nullifAI)",
         proto(2) + RUN + b"\xff\xff"),
        ("cut.pkl", "dangerous", "it runs, then ends without STOP", proto(2) + RUN),
        ("hex_int.pkl", "dangerous", "an INT that pickletools cannot read and CPython can",
         b"I0x41\n0" + RUN + STOP),
        ("octal_int.pkl", "dangerous", "an INT that pickletools reads as another one",
         b"I010\n0" + RUN + STOP),
        ("frame.pkl", "dangerous", "a frame that ends inside an opcode (CPython#154848)",
         straddling_frame()),
        ("scanner.pkl", "dangerous", "the list of a scanner is emptied (fickling#249)",
         pickle(call(stack_global("picklescan.scanner", "_unsafe_globals.clear")), 4)),
        ("scanner_set.pkl", "dangerous", "the list of a scanner is changed",
         pickle(name("picklescan.scanner", "_unsafe_globals") + text("os") + NONE + SETITEM)),
        ("indirect.pkl", "dangerous", "a project's own function finds something by name",
         gadget("some_project.auto", "getattribute_from_module", name("some_project", "Config"),
                text("system"))),
    ]


def given():
    """Calls that become harmful by what they are given, and some of them that are not harmful."""
    get_attribute = name("builtins", "getattr")
    path = call(name("pathlib", "PosixPath"), text(MARKER))
    save = name("torch", "save")
    inner = pickle(RUN)
    mode = call(get_attribute, name("some_project", "Config"), text("Mode"))
    return [
        ("context_manager.pkl", "dangerous", "a context manager calls the function it is made of",
         gadget("contextlib", "_GeneratorContextManager", save,
                tuple_of(integer(1), text(MARKER)), EMPTY_DICT)),
        ("config_parser.pkl", "dangerous", "a parser of settings calls what makes its dicts",
         gadget("configparser", "RawConfigParser", NONE, save)),
        ("hmac.pkl", "dangerous", "a checksum calls the function that makes it",
         gadget("hmac", "HMAC", call(name("_codecs", "encode"), text("k"), text("latin1")), NONE,
                call(get_attribute, name("some_project", "Thing"), text("go")))),
        ("nested_function.pkl", "dangerous", "the same with the function in a list",
         gadget("re", "Scanner", list_of(tuple_of(text("a"), save)))),
        ("copy_reconstruct.pkl", "dangerous", "copy._reconstruct calls the function it is given",
         gadget("copy", "_reconstruct", NONE, NONE, name("some_project", "thing"), EMPTY_TUPLE)),
        ("path_touch.pkl", "dangerous", "a method of a path makes a file",
         pickle(call(get_attribute, path, text("touch")))),
        ("array_tofile.pkl", "dangerous", "a method of an array writes a file",
         pickle(call(get_attribute, call(name("numpy", "ndarray"), tuple_of(integer(1))),
                     text("tofile")))),
        ("iterated.pkl", "dangerous", "a list of an object whose items its own code makes",
         gadget("builtins", "list", call(name("some_project", "Items"), integer(1)))),
        ("command.pkl", "dangerous", "a class of another project is given a command",
         gadget("some_project", "Backend", one_command())),
        ("command_list.pkl", "dangerous", "the same, in a list",
         gadget("some_project", "Backend", list_of(text("/bin/sh -c 'touch x'")))),
        ("code.pkl", "dangerous", "a class of another project is given Python code",
         gadget("some_project", "Expression", text("__import__('os').system('x')"))),
        ("library.pkl", "dangerous", "a class of another project is given a library",
         gadget("some_project", "Plugin", text("./nothing.so"))),
        ("datapipe.pkl", "dangerous", "a state that torch's data pipes unpickle",
         pickle(name("torch.utils.data.datapipes.datapipe", "_IterDataPipeSerializationWrapper") +
                EMPTY_TUPLE + NEWOBJ +
                tuple_of(b"B" + struct.pack("<I", len(inner)) + inner, b"\x89") + BUILD)),
        ("exporter.pkl", "dangerous", "torch.package's exporter makes a file",
         gadget("torch.package.package_exporter", "PackageExporter", text(MARKER))),
        ("graph_module.pkl", "dangerous", "torch.fx's GraphModule runs code made of a graph",
         gadget("torch.fx.graph_module", "GraphModule", EMPTY_DICT, NONE)),
        ("joblib_dump.pkl", "dangerous", "joblib.dump writes a file",
         gadget("joblib.numpy_pickle", "dump", integer(1), text(MARKER))),
        ("metaclass.pkl", "dangerous", "a class is made, with methods of the pickle's choice",
         gadget("abc", "ABCMeta", text("X"), EMPTY_TUPLE, EMPTY_DICT)),
        ("sympy.pkl", "dangerous", "a function of a library that comes with torch evaluates text",
         gadget("sympy.simplify.simplify", "simplify", text("x"))),
        ("inner_method.pkl", "dangerous", "a class inside a class of torch is called",
         pickle(call(call(get_attribute, name("torch", "Storage"), text("Inner")), text("x")))),
        ("inner_member.pkl", "unknown", "a member of an enumeration inside a class",
         pickle(call(mode, text("fast")))),
        ("inner_attribute.pkl", "unknown", "the same as Python 3.11 writes it",
         pickle(call(get_attribute, mode, text("FAST")))),
        ("inner_command.pkl", "dangerous", "a class inside a class is given a command",
         pickle(call(mode, one_command()))),
        ("flags.pkl", "unknown", "two flags, joined",
         gadget("_operator", "or_", call(name("some_project", "Flags"), integer(1)),
                call(name("some_project", "Flags"), integer(2)))),
        ("time_zone.pkl", "unknown", "a time zone",
         pickle(call(call(get_attribute, name("zoneinfo", "ZoneInfo"), text("_unpickle")),
                     text("Europe/Berlin"), integer(1)))),
        ("memory_format.pkl", "unknown", "a memory format, which has a dot in its name",
         pickle(stack_global("torch._utils", "torch.channels_last"), 4)),
        ("memory_format_foreign.pkl", "dangerous", "the same name in another project",
         pickle(stack_global("some_project", "torch.channels_last"), 4)),
        ("maximum.pkl", "unknown", "what torch.max returns",
         gadget("torch.return_types", "max", tuple_of(integer(1), integer(2)), EMPTY_DICT)),
        ("exception.pkl", "unknown", "an error with a text that looks like code",
         gadget("builtins", "ValueError", text("open(x) failed"))),
        ("path_of_3_13.pkl", "safe", "a path as Python 3.13 writes it",
         gadget("pathlib._local", "PosixPath", text("plugins"), text("x.so"))),
        ("script_saves.pt", "dangerous", "TorchScript code that writes a file when it is loaded",
         script("def __setstate__(self, state):\n  _0 = torch.save(state, \"x\")\n")),
        ("script_spaced.pt", "dangerous", "the same with a comment in between",
         script("def forward(self):\n  return torch . # from here\n  from_file(\"x\", True, 4)\n")),
        ("script_own_save.pt", "safe", "TorchScript code with a method of its own called save",
         script("def forward(self):\n  _0 = self.save(1)\n  return torch.saved\n")),
    ]


def one_command():
    """What a shell would run."""
    return text(COMMAND)


def script(code):
    """A TorchScript archive with one method."""
    module = name("__torch__", "M") + EMPTY_TUPLE + b"\x81" + EMPTY_DICT + BUILD
    head = "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n"
    body = "".join("  %s\n" % line for line in code.splitlines())
    return craft.archive([Member("archive/data.pkl", pickle(module)),
                          Member("archive/code/__torch__.py", (head + body).encode()),
                          Member("archive/constants.pkl", pickle(EMPTY_TUPLE)),
                          Member("archive/version", b"3\n")])


def places():
    """Pickles where nobody looks: behind the first one, inside others, in other containers."""
    plain = named(w=vector("0", 2))
    run = pickle(RUN)
    member = Member
    return [
        ("second.pkl", "dangerous", "a second pickle behind STOP",
         pickle(named(epoch=integer(3))) + run),
        ("far.pkl", "dangerous", "a pickle behind STOP and a gap",
         pickle(named(epoch=integer(3))) + bytes(64) + run),
        ("bytes.pkl", "dangerous", "a pickle in the bytes that _load_from_bytes is given",
         gadget("torch.storage", "_load_from_bytes", b"B" + struct.pack("<I", len(run)) + run)),
        ("bytes_encoded.pkl", "dangerous", "the same, with the bytes as protocol 2 spells them",
         gadget("torch.storage", "_load_from_bytes",
                call(name("_codecs", "encode"), text(run.decode("latin1")), text("latin1")))),
        ("loads.pkl", "dangerous", "pickle.loads of bytes in the pickle",
         gadget("pickle", "loads", b"B" + struct.pack("<I", len(run)) + run)),
        ("magic.pt", "dangerous", "the first pickle of an old checkpoint is computed (GHSA-97f8)",
         legacy(named(epoch=integer(1)), magic=call(name("builtins", "eval"), text(CODE)))),
        ("keys.pt", "dangerous", "the last pickle of an old checkpoint, with its keys, runs",
         legacy(named(epoch=integer(1)), keys=RUN + POP + b"]")),
        ("legacy.pt", "dangerous", "the fourth pickle of an old checkpoint", legacy(RUN)),
        ("tar.pt", "dangerous", "torch's oldest layout (CVE-2025-32434)",
         tar([("sys_info", pickle(EMPTY_DICT)), ("pickle", run), ("storages", pickle(integer(0))),
              ("tensors", pickle(integer(0)))])),
        ("data_txt.zip", "dangerous", "a member that is called data.txt (CVE-2025-1889)",
         craft.archive([member("archive/data.pkl", pickle(plain)),
                        member("archive/data/0", floats(1, 2)), member("archive/data.txt", run),
                        member("archive/version", b"3\n")])),
        ("model.bin", "dangerous", "a checkpoint that is called model.bin (CVE-2025-10155)",
         zipped(RUN)),
        ("bad_crc.pt", "dangerous", "a wrong CRC, which torch does not look at (CVE-2025-10156)",
         craft.archive([member("archive/data.pkl", run, crc=1),
                        member("archive/version", b"3\n")])),
        ("local_name.pt", "dangerous", "another name in the local header (CVE-2025-1944)",
         craft.archive([member("archive/data.pkl", run, local_path="archive/data.txt"),
                        member("archive/version", b"3\n")])),
        ("flags.pt", "dangerous", "said to be encrypted, and is not (CVE-2025-1945)",
         craft.archive([member("archive/data.pkl", run, flags=1),
                        member("archive/version", b"3\n")])),
        ("packed.7z", "malformed", "an archive of a kind that ckconv does not open (nullifAI)",
         b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24)),
    ]


def floods():
    """Pickles that take the memory or the time of those who load them, or print what was loaded."""
    doubled = b"]" + b"".join(put(n) + POP + list_of(*[get(n)] * 10) for n in range(12))
    return [
        ("laughs.pkl", "malformed", "ten lists of ten lists, twelve times over", pickle(doubled)),
        ("bytearray.pkl", "malformed", "a bytearray of a terabyte",
         gadget("builtins", "bytearray", integer(1 << 40))),
        ("range.pkl", "malformed", "a list of a range of 2^40",
         gadget("builtins", "list", call(name("builtins", "range"), integer(1 << 40)))),
        ("array.pkl", "malformed", "an array of a terabyte without its elements",
         gadget("numpy.core.multiarray", "_reconstruct", name("numpy", "ndarray"),
                tuple_of(integer(1 << 40)), text_py2("b"))),
        ("tensor.pt", "malformed", "a torch.FloatTensor of 2^40 elements that nobody wrote",
         zipped(call(name("torch", "FloatTensor"), integer(1 << 40)))),
        ("set_in_tensor.pt", "malformed", "an item set in a tensor (CVE-2026-24747)",
         zipped(tensor(storage("FloatStorage", "0", 2), [2], [1]) + text("x") + integer(1) +
                SETITEM)),
        ("beyond.pt", "malformed", "a tensor of more than its storage (CVE-2026-24747)",
         zipped(named(w=tensor(storage("FloatStorage", "0", 60), [60], [1])))),
        ("memo_index.pkl", "malformed", "a memo number of 2^31-1, for which Python takes 34 GB "
         "(CPython#115952)", b"]r\xff\xff\xff\x7f."),
        ("fraction.pkl", "malformed", "a fraction of 10^999999999",
         gadget("fractions", "Fraction", text("1e999999999"))),
    ]


def checkpoint_500():
    """CVE-2025-23298: a folder of a trainer whose states run code when they are loaded."""
    state = named(state=EMPTY_DICT, param_groups=list_of(named(lr=integer(1))))
    hidden = named(state=call(name("os", "system"), text(COMMAND)))
    return {
        "optimizer.pt": ("dangerous", zipped(hidden)),
        "scheduler.pt": ("dangerous", legacy(hidden)),
        "rng_state.pth": ("dangerous", pickle(named(python=RUN))),
        "training_args.bin": ("dangerous", zipped(name("posix", "system") +
                                                  tuple_of(text(COMMAND)) + REDUCE)),
        "pytorch_model.bin": ("safe", zipped(named(w=vector("0", 2)))),
        "scaler.pt": ("safe", zipped(state)),
        "trainer_state.json": ("safe", b'{"epoch": 1.0, "global_step": 500}\n'),
    }


def write(path, data):
    """One file."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data)


def main():
    """Writes everything."""
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    lines = ["# What ckconv scan must say of each file, and perhaps by which rule: made by "
             "make_hostile.py."]
    for title, files in (("names", names()), ("machine", machine()), ("given", given()),
                         ("arrays inside", arrays_inside()),
                         ("places", places()), ("holes", holes()),
                         ("twofold", twofold()), ("floods", floods())):
        print("\n%s:\n" % title)
        for file, verdict, about, data in files:
            write(os.path.join(folder, "hostile/bypass", file), data)
            lines.append("hostile/bypass/%s | %s" % (file, verdict))
            print("- `%s`: %s." % (file, about))
    for file, (verdict, data) in checkpoint_500().items():
        write(os.path.join(folder, "hostile/checkpoint-500", file), data)
        lines.append("hostile/checkpoint-500/%s | %s" % (file, verdict))
    write(os.path.join(folder, "hostile.txt"), ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
