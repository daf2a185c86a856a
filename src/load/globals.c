/* The one table of known globals: what each means, and by which rule its tensors are rebuilt. */
#include "joblib.h"
#include "load.h"
#include "numpy.h"
#include "rebuild.h"

#include <string.h>

static const ck_global_row rows[] = {
	/* torch: tensors */
	{"torch._utils", "_rebuild_tensor", CK_ROLE_TENSOR, ck_rebuild_tensor_v2, NULL},
	{"torch._utils", "_rebuild_tensor_v2", CK_ROLE_TENSOR, ck_rebuild_tensor_v2, NULL},
	{"torch._utils", "_rebuild_tensor_v3", CK_ROLE_TENSOR, ck_rebuild_tensor_v3, NULL},
	{"torch._utils", "_rebuild_parameter", CK_ROLE_SAME, NULL, NULL},
	{"torch._utils", "_rebuild_parameter_with_state", CK_ROLE_SAME, NULL, NULL},
	{"torch._utils", "_rebuild_meta_tensor_no_storage", CK_ROLE_META, NULL, "meta tensor"},
	{"torch._utils", "_rebuild_qtensor", CK_ROLE_TENSOR, ck_rebuild_quantized, NULL},
	{"torch._utils", "_rebuild_sparse_tensor", CK_ROLE_TENSOR, ck_rebuild_sparse, NULL},
	{"torch._utils", "_rebuild_sparse_csr_tensor", CK_ROLE_TENSOR, ck_rebuild_sparse, NULL},
	{"torch._utils", "_rebuild_nested_tensor", CK_ROLE_TENSOR, ck_rebuild_nested_tensor, NULL},
	{"torch.nested._internal.nested_tensor", "_rebuild_njt", CK_ROLE_BUILT, ck_rebuild_jagged,
	 NULL},
	{"torch._utils", "_rebuild_wrapper_subclass", CK_ROLE_BUILT, ck_rebuild_wrapper, NULL},
	{"torch._utils", "_rebuild_device_tensor_from_numpy", CK_ROLE_TENSOR,
	 ck_rebuild_device_tensor, NULL},
	{"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", CK_ROLE_TENSOR,
	 ck_rebuild_device_tensor, NULL},
	{"torch._utils", "_rebuild_xla_tensor", CK_ROLE_TENSOR, ck_rebuild_device_tensor, NULL},
	{"fastai.torch_core", "_fa_rebuild_tensor", CK_ROLE_TENSOR, ck_rebuild_fastai, NULL},
	{"fastai.torch_core", "_fa_rebuild_qtensor", CK_ROLE_TENSOR, ck_rebuild_fastai_quantized,
	 NULL},
	{"torch.distributed._shard.sharded_tensor.api", "ShardedTensor", CK_ROLE_BUILT,
	 ck_rebuild_sharded, "sharded tensor"},
	{"torch.nn.parameter", "UninitializedParameter", CK_ROLE_META, NULL,
	 "parameter without data"},
	{"torch.nn.parameter", "UninitializedBuffer", CK_ROLE_META, NULL, "buffer without data"},
	{"torch._tensor", "_rebuild_from_type_v2", CK_ROLE_TYPED, NULL, "tensor subclass"},
	{"torch._tensor", "_rebuild_from_type", CK_ROLE_TYPED, NULL, "tensor subclass"},
	{"torch.storage", "_load_from_bytes", CK_ROLE_TENSOR, ck_rebuild_nested, NULL},
	{"torch", "Tensor", CK_ROLE_BUILT, ck_rebuild_typed_tensor, "tensor type"},
	{"torch.nn.parameter", "Parameter", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type"},
	{"torch.nn.parameter", "Buffer", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type"},
	{"torch.autograd.variable", "Variable", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type"},
	{"torch.autograd", "Variable", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type"},
	{"torch._utils", "_rebuild_var", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type"},
	/* torch: TorchScript */
	{"torch.jit._pickle", "build_tensor_from_id", CK_ROLE_BUILT, ck_rebuild_numbered, NULL},
	{"__main__", "TensorID", CK_ROLE_BUILT, ck_rebuild_numbered, NULL},
	{"__main__", "IntList", CK_ROLE_LIST, NULL, NULL},
	{"torch.jit._pickle", "build_intlist", CK_ROLE_SAME, NULL, NULL},
	{"torch.jit._pickle", "build_doublelist", CK_ROLE_SAME, NULL, NULL},
	{"torch.jit._pickle", "build_boollist", CK_ROLE_SAME, NULL, NULL},
	{"torch.jit._pickle", "build_tensorlist", CK_ROLE_SAME, NULL, NULL},
	{"torch.jit._pickle", "restore_type_tag", CK_ROLE_SAME, NULL, NULL},
	{"torch.jit._script", "unpackage_script_module", CK_ROLE_VALUE, NULL, "function"},
	/* torch: types, as arguments */
	{"torch.storage", "TypedStorage", CK_ROLE_VALUE, NULL, "storage type"},
	{"torch.storage", "_TypedStorage", CK_ROLE_VALUE, NULL, "storage type"},
	{"torch", "TypedStorage", CK_ROLE_VALUE, NULL, "storage type"},
	{"torch.nested._internal.nested_tensor", "NestedTensor", CK_ROLE_VALUE, NULL,
	 "tensor type"},
	{"torch.distributed.tensor", "DTensor", CK_ROLE_VALUE, NULL, "tensor type"},
	{"torch.distributed.tensor._api", "DTensor", CK_ROLE_VALUE, NULL, "tensor type"},
	{"torch.distributed._tensor", "DTensor", CK_ROLE_VALUE, NULL, "tensor type"},
	{"torch.distributed._tensor.api", "DTensor", CK_ROLE_VALUE, NULL, "tensor type"},
	/* torch: plain values */
	{"torch._dynamo.decorators", "_DimRange", CK_ROLE_VALUE, NULL, "range of a dimension"},
	{"torch", "Size", CK_ROLE_LIST, NULL, NULL},
	{"torch", "device", CK_ROLE_VALUE, NULL, "device"},
	{"torch.serialization", "_get_layout", CK_ROLE_VALUE, NULL, "layout"},
	{"torch", "per_*", CK_ROLE_VALUE, NULL, "quantization scheme"},
	{"torch", "Generator", CK_ROLE_VALUE, NULL, "generator"},
	{"torch", "memory_format", CK_ROLE_VALUE, NULL, "memory format"},
	{"torch.nn.functional", "relu", CK_ROLE_VALUE, NULL, "function"},
	{"torch.nn.functional", "gelu", CK_ROLE_VALUE, NULL, "function"},
	{"torch.nn.functional", "silu", CK_ROLE_VALUE, NULL, "function"},
	{"torch._C._nn", "gelu", CK_ROLE_VALUE, NULL, "function"},
	{"torch", "relu", CK_ROLE_VALUE, NULL, "function"},
	{"torch", "tanh", CK_ROLE_VALUE, NULL, "function"},
	{"torch", "sigmoid", CK_ROLE_VALUE, NULL, "function"},
	/* torch: modules */
	{"torch.fx.graph_module", "reduce_graph_module", CK_ROLE_ATTRIBUTES, NULL, NULL},
	{"torch.fx.graph_module", "reduce_deploy_graph_module", CK_ROLE_ATTRIBUTES, NULL, NULL},
	{"torch.fx.graph_module", "reduce_package_graph_module", CK_ROLE_ATTRIBUTES, NULL, NULL},
	{"torch._dynamo.eval_frame", "OptimizedModule", CK_ROLE_WRAP, NULL, "_orig_mod"},
	{"torch_utils.persistence", "_reconstruct_persistent_obj", CK_ROLE_ATTRIBUTES, NULL,
	 "state"},
	{"torch", "ScriptObject", CK_ROLE_SCRIPT, NULL, NULL},
	{"torch._C", "ScriptObject", CK_ROLE_SCRIPT, NULL, NULL},
	/* objects that are nothing but their attributes */
	{"argparse", "Namespace", CK_ROLE_CLASS, NULL, NULL},
	{"types", "SimpleNamespace", CK_ROLE_CLASS, NULL, NULL},
	{"easydict", "EasyDict", CK_ROLE_CLASS, NULL, NULL},
	{"dnnlib.util", "EasyDict", CK_ROLE_CLASS, NULL, NULL},
	/* NumPy: arrays and numbers */
	{"numpy.core.multiarray", "_reconstruct", CK_ROLE_BUILT, ck_rebuild_ndarray, NULL},
	{"numpy._core.multiarray", "_reconstruct", CK_ROLE_BUILT, ck_rebuild_ndarray, NULL},
	{"numpy.core._multiarray_umath", "_reconstruct", CK_ROLE_BUILT, ck_rebuild_ndarray, NULL},
	{"numpy._core._multiarray_umath", "_reconstruct", CK_ROLE_BUILT, ck_rebuild_ndarray, NULL},
	{"numpy.core.multiarray", "scalar", CK_ROLE_TENSOR, ck_rebuild_scalar, NULL},
	{"numpy._core.multiarray", "scalar", CK_ROLE_TENSOR, ck_rebuild_scalar, NULL},
	{"numpy.core._multiarray_umath", "scalar", CK_ROLE_TENSOR, ck_rebuild_scalar, NULL},
	{"numpy._core._multiarray_umath", "scalar", CK_ROLE_TENSOR, ck_rebuild_scalar, NULL},
	{"numpy.core.numeric", "_frombuffer", CK_ROLE_TENSOR, ck_rebuild_frombuffer, NULL},
	{"numpy._core.numeric", "_frombuffer", CK_ROLE_TENSOR, ck_rebuild_frombuffer, NULL},
	{"numpy.ma.core", "_mareconstruct", CK_ROLE_BUILT, ck_rebuild_masked, NULL},
	{"numpy.ma", "_mareconstruct", CK_ROLE_BUILT, ck_rebuild_masked, NULL},
	{"jax._src.array", "_reconstruct_array", CK_ROLE_TENSOR, ck_rebuild_jax, NULL},
	{"jax._src.device_array", "reconstruct_device_array", CK_ROLE_TENSOR, ck_rebuild_jax, NULL},
	/* NumPy: classes, as arguments */
	{"numpy", "dtype", CK_ROLE_VALUE, NULL, "dtype"},
	{"numpy", "ndarray", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy", "matrix", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy.matrixlib.defmatrix", "matrix", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy.core.defmatrix", "matrix", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy", "memmap", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy.core.memmap", "memmap", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy", "recarray", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy.rec", "recarray", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy.core.records", "recarray", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy", "record", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy", "chararray", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy.core.defchararray", "chararray", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy.ma.core", "MaskedArray", CK_ROLE_VALUE, NULL, "class of arrays"},
	{"numpy.ma", "MaskedArray", CK_ROLE_VALUE, NULL, "class of arrays"},
	/* NumPy: generators of random numbers, which keep their state in arrays */
	{"numpy.random", "__RandomState_ctor", CK_ROLE_CLASS, NULL, NULL},
	{"numpy.random.mtrand", "__RandomState_ctor", CK_ROLE_CLASS, NULL, NULL},
	{"numpy.random._pickle", "__randomstate_ctor", CK_ROLE_CLASS, NULL, NULL},
	{"numpy.random._pickle", "__bit_generator_ctor", CK_ROLE_CLASS, NULL, NULL},
	{"numpy.random._pickle", "__generator_ctor", CK_ROLE_CLASS, NULL, NULL},
	{"numpy.random.bit_generator", "__pyx_unpickle_SeedSequence", CK_ROLE_CLASS, NULL, NULL},
	{"numpy.random.bit_generator", "SeedSequence", CK_ROLE_CLASS, NULL, NULL},
	{"numpy.random._mt19937", "MT19937", CK_ROLE_VALUE, NULL, "bit generator"},
	{"numpy.random._pcg64", "PCG64", CK_ROLE_VALUE, NULL, "bit generator"},
	{"numpy.random._pcg64", "PCG64DXSM", CK_ROLE_VALUE, NULL, "bit generator"},
	{"numpy.random._philox", "Philox", CK_ROLE_VALUE, NULL, "bit generator"},
	{"numpy.random._sfc64", "SFC64", CK_ROLE_VALUE, NULL, "bit generator"},
	/* joblib: arrays whose bytes follow in the file, or lie in another one */
	{"joblib.numpy_pickle", "NumpyArrayWrapper", CK_ROLE_BUILT, ck_rebuild_joblib, NULL},
	{"sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper", CK_ROLE_BUILT,
	 ck_rebuild_joblib, NULL},
	{"joblib.numpy_pickle", "NDArrayWrapper", CK_ROLE_BUILT, ck_rebuild_joblib_file, NULL},
	{"joblib.numpy_pickle", "ZNDArrayWrapper", CK_ROLE_BUILT, ck_rebuild_joblib_file, NULL},
	{"sklearn.externals.joblib.numpy_pickle", "NDArrayWrapper", CK_ROLE_BUILT,
	 ck_rebuild_joblib_file, NULL},
	{"sklearn.externals.joblib.numpy_pickle", "ZNDArrayWrapper", CK_ROLE_BUILT,
	 ck_rebuild_joblib_file, NULL},
	{"joblib.numpy_pickle_compat", "NDArrayWrapper", CK_ROLE_BUILT,
	 ck_rebuild_joblib_file, NULL},
	{"joblib.numpy_pickle_compat", "ZNDArrayWrapper", CK_ROLE_BUILT,
	 ck_rebuild_joblib_file, NULL},
	/* Python */
	{"copyreg", "_reconstructor", CK_ROLE_OBJECT, NULL, NULL},
	{"collections", "OrderedDict", CK_ROLE_DICT, NULL, NULL},
	{"collections", "defaultdict", CK_ROLE_DICT, NULL, NULL},
	{"collections", "Counter", CK_ROLE_DICT, NULL, NULL},
	{"collections", "deque", CK_ROLE_LIST, NULL, NULL},
	{"builtins", "dict", CK_ROLE_DICT, NULL, NULL},
	{"builtins", "list", CK_ROLE_LIST, NULL, NULL},
	{"builtins", "tuple", CK_ROLE_LIST, NULL, NULL},
	{"builtins", "set", CK_ROLE_LIST, NULL, NULL},
	{"builtins", "frozenset", CK_ROLE_LIST, NULL, NULL},
	{"builtins", "complex", CK_ROLE_VALUE, NULL, "complex"},
	{"builtins", "bytearray", CK_ROLE_VALUE, NULL, "bytearray"},
	{"builtins", "bytes", CK_ROLE_VALUE, NULL, "bytes"},
	{"builtins", "slice", CK_ROLE_VALUE, NULL, "slice"},
	{"builtins", "range", CK_ROLE_VALUE, NULL, "range"},
	{"builtins", "xrange", CK_ROLE_VALUE, NULL, "range"},
	{"builtins", "int", CK_ROLE_VALUE, NULL, "int"},
	{"builtins", "long", CK_ROLE_VALUE, NULL, "int"},
	{"builtins", "unicode", CK_ROLE_VALUE, NULL, "str"},
	{"builtins", "float", CK_ROLE_VALUE, NULL, "float"},
	{"builtins", "bool", CK_ROLE_VALUE, NULL, "bool"},
	{"builtins", "str", CK_ROLE_VALUE, NULL, "str"},
	{"builtins", "object", CK_ROLE_VALUE, NULL, "object"},
	{"_codecs", "encode", CK_ROLE_VALUE, NULL, "bytes"},
	{"datetime", "datetime", CK_ROLE_VALUE, NULL, "datetime"},
	{"datetime", "date", CK_ROLE_VALUE, NULL, "date"},
	{"datetime", "timedelta", CK_ROLE_VALUE, NULL, "timedelta"},
	{"datetime", "timezone", CK_ROLE_VALUE, NULL, "timezone"},
	{"decimal", "Decimal", CK_ROLE_VALUE, NULL, "Decimal"},
	{"fractions", "Fraction", CK_ROLE_VALUE, NULL, "Fraction"},
	{"uuid", "UUID", CK_ROLE_VALUE, NULL, "UUID"},
	{"pathlib", "PosixPath", CK_ROLE_VALUE, NULL, "path"},
	{"pathlib", "PurePosixPath", CK_ROLE_VALUE, NULL, "path"},
	{"pathlib", "WindowsPath", CK_ROLE_VALUE, NULL, "path"},
	{"pathlib", "PureWindowsPath", CK_ROLE_VALUE, NULL, "path"},
};

/* Modules that Python 3 knows by another name (_compat_pickle.NAME_MAPPING, the part that data
 * uses). */
static const char *const renamed[][2] = {
	{"__builtin__", "builtins"},
	{"copy_reg", "copyreg"},
	{"UserDict", "collections"},
};

static bool same(const char *text, size_t len, const char *want)
{
	if (!len || *text != *want) /* most rows go here: the table is searched for every call */
		return false;
	size_t n = strlen(want);
	if (n && want[n - 1] == '*')
		return len >= n - 1 && !memcmp(text, want, n - 1);
	return len == n && !memcmp(text, want, n);
}

/* Torch's own classes of modules, optimizers and observers. Functions of these modules are not
 * meant. */
static bool is_torch_class(const char *module, size_t len, const ck_global *g)
{
	static const char *const families[] = {
		"torch.nn.modules.*", "torch.nn.parallel.*", "torch.nn.utils.*", "torch.nn.qat.*",
		"torch.nn.quantized.*", "torch.nn.quantizable.*", "torch.nn.intrinsic.*",
		"torch.ao.nn.*", "torch.ao.quantization.*", "torch.quantization.*", "torch.optim.*",
	};
	if (!g->name_len || g->name[0] < 'A' || g->name[0] > 'Z' ||
	    memchr(g->name, '.', g->name_len))
		return false;
	for (size_t i = 0; i < CK_COUNT(families); i++)
		if (same(module, len, families[i]))
			return true;
	return false;
}

static const ck_global_row class_row = {"torch.nn.modules.*", "*", CK_ROLE_CLASS, NULL, "class"};
static const ck_global_row storage_row = {"torch", "*Storage", CK_ROLE_VALUE, NULL, "storage type"};
/* torch.FloatTensor and its kind, as they were called before there was one torch.Tensor. */
static bool is_typed_tensor(const char *module, size_t len, const ck_global *g)
{
	static const char suffix[] = "Tensor";
	size_t n = sizeof suffix - 1;
	ck_dtype dtype;
	return (same(module, len, "torch") || same(module, len, "torch.cuda")) && g->name_len > n &&
	       !memcmp(g->name + g->name_len - n, suffix, n) &&
	       ck_dtype_of_stem(g->name, g->name_len - n, &dtype);
}

static const ck_global_row typed_row = {"torch", "*Tensor", CK_ROLE_BUILT, ck_rebuild_typed_tensor,
                                        "tensor type"};
static const ck_global_row numpy_row = {"numpy", "*", CK_ROLE_VALUE, NULL, "dtype"};
static const ck_global_row dtype_row = {"torch", "*", CK_ROLE_VALUE, NULL, "dtype"};

const ck_global_row *ck_global_find(const ck_value *value)
{
	const ck_global *g = value->global;
	ck_dtype dtype;
	if (value->flags & (CK_COMPUTED | CK_CHANGED))
		return NULL;
	const char *module = g->module;
	size_t len = g->module_len;
	for (size_t i = 0; i < CK_COUNT(renamed); i++)
		if (same(module, len, renamed[i][0])) {
			module = renamed[i][1];
			len = strlen(module);
		}
	for (size_t i = 0; i < CK_COUNT(rows); i++)
		if (same(g->name, g->name_len, rows[i].name) && same(module, len, rows[i].module))
			return &rows[i];
	if (ck_storage_class(value, &dtype))
		return &storage_row;
	if (is_typed_tensor(module, len, g))
		return &typed_row;
	if (is_torch_class(module, len, g))
		return &class_row;
	if (ck_numpy_is_type(value))
		return &numpy_row;
	if (same(module, len, "torch") && ck_dtype_of_torch(g->name, g->name_len, &dtype))
		return &dtype_row;
	return NULL;
}
