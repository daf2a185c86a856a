/* The one table of known globals: what each means, and by which rule its tensors are rebuilt. */
#include "joblib.h"
#include "load.h"
#include "numpy.h"
#include "rebuild.h"

#include <string.h>

static const ck_global_row rows[] = {
	/* torch: tensors */
	{"torch._utils", "_rebuild_tensor", CK_ROLE_TENSOR, ck_rebuild_tensor_v2, NULL,
	 CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_tensor_v2", CK_ROLE_TENSOR, ck_rebuild_tensor_v2, NULL,
	 CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_tensor_v3", CK_ROLE_TENSOR, ck_rebuild_tensor_v3, NULL,
	 CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_parameter", CK_ROLE_SAME, NULL, NULL, CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_parameter_with_state", CK_ROLE_SAME, NULL, NULL,
	 CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_meta_tensor_no_storage", CK_ROLE_META, NULL, "meta tensor",
	 CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_qtensor", CK_ROLE_TENSOR, ck_rebuild_quantized, NULL,
	 CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_sparse_tensor", CK_ROLE_TENSOR, ck_rebuild_sparse, NULL,
	 CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_sparse_csr_tensor", CK_ROLE_TENSOR, ck_rebuild_sparse, NULL,
	 CK_LISTED},
	{"torch._utils", "_rebuild_nested_tensor", CK_ROLE_TENSOR, ck_rebuild_nested_tensor, NULL,
	 CK_LISTED_TORCH},
	{"torch.nested._internal.nested_tensor", "_rebuild_njt", CK_ROLE_BUILT, ck_rebuild_jagged,
	 NULL, CK_FOREIGN},
	{"torch._utils", "_rebuild_wrapper_subclass", CK_ROLE_BUILT, ck_rebuild_wrapper, NULL,
	 CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_device_tensor_from_numpy", CK_ROLE_TENSOR,
	 ck_rebuild_device_tensor, NULL, CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", CK_ROLE_TENSOR,
	 ck_rebuild_device_tensor, NULL, CK_LISTED_TORCH},
	{"torch._utils", "_rebuild_xla_tensor", CK_ROLE_TENSOR, ck_rebuild_device_tensor, NULL,
	 CK_LISTED},
	{"fastai.torch_core", "_fa_rebuild_tensor", CK_ROLE_TENSOR, ck_rebuild_fastai, NULL,
	 CK_FOREIGN},
	{"fastai.torch_core", "_fa_rebuild_qtensor", CK_ROLE_TENSOR, ck_rebuild_fastai_quantized,
	 NULL, CK_FOREIGN},
	{"torch.distributed._shard.sharded_tensor.api", "ShardedTensor", CK_ROLE_BUILT,
	 ck_rebuild_sharded, "sharded tensor", CK_FOREIGN},
	{"torch.nn.parameter", "UninitializedParameter", CK_ROLE_META, NULL,
	 "parameter without data", CK_FOREIGN},
	{"torch.nn.parameter", "UninitializedBuffer", CK_ROLE_META, NULL, "buffer without data",
	 CK_FOREIGN},
	{"torch._tensor", "_rebuild_from_type_v2", CK_ROLE_TYPED, NULL, "tensor subclass",
	 CK_LISTED_TORCH},
	{"torch._tensor", "_rebuild_from_type", CK_ROLE_TYPED, NULL, "tensor subclass", CK_LISTED},
	{"torch.storage", "_load_from_bytes", CK_ROLE_TENSOR, ck_rebuild_nested, NULL, CK_LISTED},
	{"torch", "Tensor", CK_ROLE_BUILT, ck_rebuild_typed_tensor, "tensor type",
	 CK_LISTED_TORCH},
	{"torch.nn.parameter", "Parameter", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type",
	 CK_LISTED_TORCH},
	{"torch.nn.parameter", "Buffer", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type",
	 CK_LISTED},
	{"torch.autograd.variable", "Variable", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type",
	 CK_LISTED},
	{"torch.autograd", "Variable", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type",
	 CK_FOREIGN},
	{"torch._utils", "_rebuild_var", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type",
	 CK_LISTED},
	/* torch: TorchScript */
	{"torch.jit._pickle", "build_tensor_from_id", CK_ROLE_BUILT, ck_rebuild_numbered, NULL,
	 CK_LISTED},
	{"__main__", "TensorID", CK_ROLE_BUILT, ck_rebuild_numbered, NULL, CK_FOREIGN},
	{"__main__", "IntList", CK_ROLE_LIST, NULL, NULL, CK_FOREIGN},
	{"torch.jit._pickle", "build_intlist", CK_ROLE_SAME, NULL, NULL, CK_LISTED},
	{"torch.jit._pickle", "build_doublelist", CK_ROLE_SAME, NULL, NULL, CK_LISTED},
	{"torch.jit._pickle", "build_boollist", CK_ROLE_SAME, NULL, NULL, CK_LISTED},
	{"torch.jit._pickle", "build_tensorlist", CK_ROLE_SAME, NULL, NULL, CK_LISTED},
	{"torch.jit._pickle", "restore_type_tag", CK_ROLE_SAME, NULL, NULL, CK_LISTED},
	{"torch.jit._script", "unpackage_script_module", CK_ROLE_VALUE, NULL, "function",
	 CK_FOREIGN},
	/* torch: types, as arguments */
	{"torch.storage", "TypedStorage", CK_ROLE_VALUE, NULL, "storage type", CK_LISTED_TORCH},
	{"torch.storage", "_TypedStorage", CK_ROLE_VALUE, NULL, "storage type", CK_LISTED},
	{"torch", "TypedStorage", CK_ROLE_VALUE, NULL, "storage type", CK_LISTED},
	{"torch.nested._internal.nested_tensor", "NestedTensor", CK_ROLE_VALUE, NULL,
	 "tensor type", CK_FOREIGN},
	{"torch.distributed.tensor", "DTensor", CK_ROLE_VALUE, NULL, "tensor type", CK_FOREIGN},
	{"torch.distributed.tensor._api", "DTensor", CK_ROLE_VALUE, NULL, "tensor type",
	 CK_FOREIGN},
	{"torch.distributed._tensor", "DTensor", CK_ROLE_VALUE, NULL, "tensor type", CK_FOREIGN},
	{"torch.distributed._tensor.api", "DTensor", CK_ROLE_VALUE, NULL, "tensor type",
	 CK_FOREIGN},
	/* torch: plain values */
	{"torch._dynamo.decorators", "_DimRange", CK_ROLE_VALUE, NULL, "range of a dimension",
	 CK_FOREIGN},
	{"torch", "Size", CK_ROLE_LIST, NULL, NULL, CK_LISTED_TORCH},
	{"torch", "device", CK_ROLE_VALUE, NULL, "device", CK_LISTED_TORCH},
	{"torch.serialization", "_get_layout", CK_ROLE_VALUE, NULL, "layout", CK_LISTED_TORCH},
	{"torch", "per_tensor_affine", CK_ROLE_VALUE, NULL, "quantization scheme",
	 CK_LISTED_TORCH},
	{"torch", "per_channel_affine", CK_ROLE_VALUE, NULL, "quantization scheme",
	 CK_LISTED_TORCH},
	{"torch", "per_tensor_symmetric", CK_ROLE_VALUE, NULL, "quantization scheme",
	 CK_LISTED_TORCH},
	{"torch", "per_channel_symmetric", CK_ROLE_VALUE, NULL, "quantization scheme",
	 CK_LISTED_TORCH},
	{"torch", "per_channel_affine_float_qparams", CK_ROLE_VALUE, NULL, "quantization scheme",
	 CK_LISTED_TORCH},
	{"torch", "Generator", CK_ROLE_VALUE, NULL, "generator", CK_FOREIGN},
	{"torch", "memory_format", CK_ROLE_VALUE, NULL, "memory format", CK_FOREIGN},
	{"torch.nn.functional", "relu", CK_ROLE_VALUE, NULL, "function", CK_FOREIGN},
	{"torch.nn.functional", "gelu", CK_ROLE_VALUE, NULL, "function", CK_FOREIGN},
	{"torch.nn.functional", "silu", CK_ROLE_VALUE, NULL, "function", CK_FOREIGN},
	{"torch._C._nn", "gelu", CK_ROLE_VALUE, NULL, "function", CK_FOREIGN},
	{"torch", "relu", CK_ROLE_VALUE, NULL, "function", CK_FOREIGN},
	{"torch", "tanh", CK_ROLE_VALUE, NULL, "function", CK_FOREIGN},
	{"torch", "sigmoid", CK_ROLE_VALUE, NULL, "function", CK_FOREIGN},
	/* torch: modules */
	{"torch.fx.graph_module", "reduce_graph_module", CK_ROLE_ATTRIBUTES, NULL, NULL,
	 CK_RUNS_CODE},
	{"torch.fx.graph_module", "reduce_deploy_graph_module", CK_ROLE_ATTRIBUTES, NULL, NULL,
	 CK_RUNS_CODE},
	{"torch.fx.graph_module", "reduce_package_graph_module", CK_ROLE_ATTRIBUTES, NULL, NULL,
	 CK_RUNS_CODE},
	{"torch._dynamo.eval_frame", "OptimizedModule", CK_ROLE_WRAP, NULL, "_orig_mod",
	 CK_FOREIGN},
	{"torch_utils.persistence", "_reconstruct_persistent_obj", CK_ROLE_ATTRIBUTES, NULL,
	 "state", CK_RUNS_CODE},
	{"torch", "ScriptObject", CK_ROLE_SCRIPT, NULL, NULL, CK_FOREIGN},
	{"torch._C", "ScriptObject", CK_ROLE_SCRIPT, NULL, NULL, CK_FOREIGN},
	/* objects that are nothing but their attributes */
	{"argparse", "Namespace", CK_ROLE_CLASS, NULL, NULL, CK_LISTED},
	{"types", "SimpleNamespace", CK_ROLE_CLASS, NULL, NULL, CK_LISTED},
	{"easydict", "EasyDict", CK_ROLE_CLASS, NULL, NULL, CK_FOREIGN},
	{"dnnlib.util", "EasyDict", CK_ROLE_CLASS, NULL, NULL, CK_FOREIGN},
	/* NumPy: arrays and numbers */
	{"numpy.core.multiarray", "_reconstruct", CK_ROLE_BUILT, ck_rebuild_ndarray, NULL,
	 CK_LISTED},
	{"numpy._core.multiarray", "_reconstruct", CK_ROLE_BUILT, ck_rebuild_ndarray, NULL,
	 CK_LISTED},
	{"numpy.core._multiarray_umath", "_reconstruct", CK_ROLE_BUILT, ck_rebuild_ndarray, NULL,
	 CK_LISTED},
	{"numpy._core._multiarray_umath", "_reconstruct", CK_ROLE_BUILT, ck_rebuild_ndarray, NULL,
	 CK_LISTED},
	{"numpy.core.multiarray", "scalar", CK_ROLE_TENSOR, ck_rebuild_scalar, NULL, CK_LISTED},
	{"numpy._core.multiarray", "scalar", CK_ROLE_TENSOR, ck_rebuild_scalar, NULL, CK_LISTED},
	{"numpy.core._multiarray_umath", "scalar", CK_ROLE_TENSOR, ck_rebuild_scalar, NULL,
	 CK_LISTED},
	{"numpy._core._multiarray_umath", "scalar", CK_ROLE_TENSOR, ck_rebuild_scalar, NULL,
	 CK_LISTED},
	{"numpy.core.numeric", "_frombuffer", CK_ROLE_TENSOR, ck_rebuild_frombuffer, NULL,
	 CK_LISTED},
	{"numpy._core.numeric", "_frombuffer", CK_ROLE_TENSOR, ck_rebuild_frombuffer, NULL,
	 CK_LISTED},
	{"numpy.ma.core", "_mareconstruct", CK_ROLE_BUILT, ck_rebuild_masked, NULL, CK_FOREIGN},
	{"numpy.ma", "_mareconstruct", CK_ROLE_BUILT, ck_rebuild_masked, NULL, CK_FOREIGN},
	{"jax._src.array", "_reconstruct_array", CK_ROLE_TENSOR, ck_rebuild_jax, NULL, CK_FOREIGN},
	{"jax._src.device_array", "reconstruct_device_array", CK_ROLE_TENSOR, ck_rebuild_jax,
	 NULL, CK_FOREIGN},
	/* NumPy: classes, as arguments */
	{"numpy", "dtype", CK_ROLE_VALUE, NULL, "dtype", CK_LISTED},
	{"numpy", "ndarray", CK_ROLE_VALUE, NULL, "class of arrays", CK_LISTED},
	{"numpy", "matrix", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	{"numpy.matrixlib.defmatrix", "matrix", CK_ROLE_VALUE, NULL, "class of arrays",
	 CK_FOREIGN},
	{"numpy.core.defmatrix", "matrix", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	{"numpy", "memmap", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	{"numpy.core.memmap", "memmap", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	{"numpy", "recarray", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	{"numpy.rec", "recarray", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	{"numpy.core.records", "recarray", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	{"numpy", "record", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	{"numpy", "chararray", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	{"numpy.core.defchararray", "chararray", CK_ROLE_VALUE, NULL, "class of arrays",
	 CK_FOREIGN},
	{"numpy.ma.core", "MaskedArray", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	{"numpy.ma", "MaskedArray", CK_ROLE_VALUE, NULL, "class of arrays", CK_FOREIGN},
	/* NumPy: generators of random numbers, which keep their state in arrays */
	{"numpy.random", "__RandomState_ctor", CK_ROLE_CLASS, NULL, NULL, CK_FOREIGN},
	{"numpy.random.mtrand", "__RandomState_ctor", CK_ROLE_CLASS, NULL, NULL, CK_FOREIGN},
	{"numpy.random._pickle", "__randomstate_ctor", CK_ROLE_CLASS, NULL, NULL, CK_FOREIGN},
	{"numpy.random._pickle", "__bit_generator_ctor", CK_ROLE_CLASS, NULL, NULL, CK_FOREIGN},
	{"numpy.random._pickle", "__generator_ctor", CK_ROLE_CLASS, NULL, NULL, CK_FOREIGN},
	{"numpy.random.bit_generator", "__pyx_unpickle_SeedSequence", CK_ROLE_CLASS, NULL, NULL,
	 CK_FOREIGN},
	{"numpy.random.bit_generator", "SeedSequence", CK_ROLE_CLASS, NULL, NULL, CK_FOREIGN},
	{"numpy.random._mt19937", "MT19937", CK_ROLE_VALUE, NULL, "bit generator", CK_FOREIGN},
	{"numpy.random._pcg64", "PCG64", CK_ROLE_VALUE, NULL, "bit generator", CK_FOREIGN},
	{"numpy.random._pcg64", "PCG64DXSM", CK_ROLE_VALUE, NULL, "bit generator", CK_FOREIGN},
	{"numpy.random._philox", "Philox", CK_ROLE_VALUE, NULL, "bit generator", CK_FOREIGN},
	{"numpy.random._sfc64", "SFC64", CK_ROLE_VALUE, NULL, "bit generator", CK_FOREIGN},
	/* joblib: arrays whose bytes follow in the file, or lie in another one */
	{"joblib.numpy_pickle", "NumpyArrayWrapper", CK_ROLE_BUILT, ck_rebuild_joblib, NULL,
	 CK_FOREIGN},
	{"sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper", CK_ROLE_BUILT,
	 ck_rebuild_joblib, NULL, CK_FOREIGN},
	{"joblib.numpy_pickle", "NDArrayWrapper", CK_ROLE_BUILT, ck_rebuild_joblib_file, NULL,
	 CK_FOREIGN},
	{"joblib.numpy_pickle", "ZNDArrayWrapper", CK_ROLE_BUILT, ck_rebuild_joblib_file, NULL,
	 CK_FOREIGN},
	{"sklearn.externals.joblib.numpy_pickle", "NDArrayWrapper", CK_ROLE_BUILT,
	 ck_rebuild_joblib_file, NULL, CK_FOREIGN},
	{"sklearn.externals.joblib.numpy_pickle", "ZNDArrayWrapper", CK_ROLE_BUILT,
	 ck_rebuild_joblib_file, NULL, CK_FOREIGN},
	{"joblib.numpy_pickle_compat", "NDArrayWrapper", CK_ROLE_BUILT, ck_rebuild_joblib_file,
	 NULL, CK_FOREIGN},
	{"joblib.numpy_pickle_compat", "ZNDArrayWrapper", CK_ROLE_BUILT, ck_rebuild_joblib_file,
	 NULL, CK_FOREIGN},
	/* Python */
	{"copyreg", "_reconstructor", CK_ROLE_OBJECT, NULL, NULL, CK_LISTED},
	{"collections", "OrderedDict", CK_ROLE_DICT, NULL, NULL, CK_LISTED_TORCH},
	{"collections", "defaultdict", CK_ROLE_DICT, NULL, NULL, CK_LISTED},
	{"collections", "Counter", CK_ROLE_DICT, NULL, NULL, CK_LISTED_TORCH},
	{"collections", "deque", CK_ROLE_LIST, NULL, NULL, CK_LISTED},
	{"builtins", "dict", CK_ROLE_DICT, NULL, NULL, CK_LISTED},
	{"builtins", "list", CK_ROLE_LIST, NULL, NULL, CK_LISTED},
	{"builtins", "tuple", CK_ROLE_LIST, NULL, NULL, CK_LISTED},
	{"builtins", "set", CK_ROLE_LIST, NULL, NULL, CK_LISTED_TORCH},
	{"builtins", "frozenset", CK_ROLE_LIST, NULL, NULL, CK_LISTED},
	{"builtins", "complex", CK_ROLE_VALUE, NULL, "complex", CK_LISTED_TORCH},
	{"builtins", "bytearray", CK_ROLE_VALUE, NULL, "bytearray", CK_LISTED_TORCH},
	{"builtins", "bytes", CK_ROLE_VALUE, NULL, "bytes", CK_LISTED},
	{"builtins", "slice", CK_ROLE_VALUE, NULL, "slice", CK_LISTED},
	{"builtins", "range", CK_ROLE_VALUE, NULL, "range", CK_LISTED},
	{"builtins", "xrange", CK_ROLE_VALUE, NULL, "range", CK_LISTED},
	{"builtins", "int", CK_ROLE_VALUE, NULL, "int", CK_LISTED},
	{"builtins", "long", CK_ROLE_VALUE, NULL, "int", CK_LISTED},
	{"builtins", "unicode", CK_ROLE_VALUE, NULL, "str", CK_LISTED},
	{"builtins", "float", CK_ROLE_VALUE, NULL, "float", CK_LISTED},
	{"builtins", "bool", CK_ROLE_VALUE, NULL, "bool", CK_LISTED},
	{"builtins", "str", CK_ROLE_VALUE, NULL, "str", CK_LISTED},
	{"builtins", "object", CK_ROLE_VALUE, NULL, "object", CK_LISTED},
	{"_codecs", "encode", CK_ROLE_VALUE, NULL, "bytes", CK_LISTED_TORCH},
	{"datetime", "datetime", CK_ROLE_VALUE, NULL, "datetime", CK_LISTED},
	{"datetime", "date", CK_ROLE_VALUE, NULL, "date", CK_LISTED},
	{"datetime", "timedelta", CK_ROLE_VALUE, NULL, "timedelta", CK_LISTED},
	{"datetime", "timezone", CK_ROLE_VALUE, NULL, "timezone", CK_LISTED},
	{"decimal", "Decimal", CK_ROLE_VALUE, NULL, "Decimal", CK_LISTED},
	{"fractions", "Fraction", CK_ROLE_VALUE, NULL, "Fraction", CK_LISTED},
	{"uuid", "UUID", CK_ROLE_VALUE, NULL, "UUID", CK_LISTED},
	{"pathlib", "PosixPath", CK_ROLE_VALUE, NULL, "path", CK_LISTED},
	{"pathlib", "PurePosixPath", CK_ROLE_VALUE, NULL, "path", CK_LISTED},
	{"pathlib", "WindowsPath", CK_ROLE_VALUE, NULL, "path", CK_LISTED},
	{"pathlib", "PureWindowsPath", CK_ROLE_VALUE, NULL, "path", CK_LISTED},
	/* Python 3.13 */
	{"pathlib._local", "PosixPath", CK_ROLE_VALUE, NULL, "path", CK_LISTED},
	{"pathlib._local", "PurePosixPath", CK_ROLE_VALUE, NULL, "path", CK_LISTED},
	{"pathlib._local", "WindowsPath", CK_ROLE_VALUE, NULL, "path", CK_LISTED},
	{"pathlib._local", "PureWindowsPath", CK_ROLE_VALUE, NULL, "path", CK_LISTED},
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
	return ck_equals(text, len, want);
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

static const ck_global_row class_row = {
	"torch.nn.modules.*", "*", CK_ROLE_CLASS, NULL, "class", CK_FOREIGN,
};
/* ---- families of names, of which torch.load knows some with weights_only=True ---- */

static const ck_global_row storage_row = {
	"torch", "*Storage", CK_ROLE_VALUE, NULL, "storage type", CK_LISTED_TORCH,
};
static const ck_global_row other_storage_row = {
	"torch", "*Storage", CK_ROLE_VALUE, NULL, "storage type", CK_LISTED,
};
static const ck_global_row typed_row = {"torch", "*Tensor", CK_ROLE_BUILT, ck_rebuild_typed_tensor,
                                        "tensor type", CK_LISTED_TORCH};
static const ck_global_row other_typed_row = {
	"torch", "*Tensor", CK_ROLE_BUILT, ck_rebuild_typed_tensor, "tensor type", CK_LISTED,
};
static const ck_global_row sparse_row = {
	"torch.sparse", "*Tensor", CK_ROLE_VALUE, NULL, "tensor type", CK_LISTED_TORCH,
};
static const ck_global_row numpy_row = {"numpy", "*", CK_ROLE_VALUE, NULL, "dtype", CK_LISTED};
static const ck_global_row dtype_row = {
	"torch", "*", CK_ROLE_VALUE, NULL, "dtype", CK_LISTED_TORCH,
};
static const ck_global_row alias_row = {"torch", "*", CK_ROLE_VALUE, NULL, "dtype", CK_LISTED};

/* torch.FloatTensor and its kind, as they were called before there was one torch.Tensor. */
static bool has_tensor_class(ck_dtype dtype)
{
	static const ck_dtype dtypes[] = {CK_DT_F64, CK_DT_F32, CK_DT_F16, CK_DT_BF16, CK_DT_I64,
	                                  CK_DT_I32, CK_DT_I16, CK_DT_I8, CK_DT_U8, CK_DT_BOOL};
	for (size_t i = 0; i < CK_COUNT(dtypes); i++)
		if (dtype == dtypes[i])
			return true;
	return false;
}

static const ck_global_row *find_tensor_class(const char *module, size_t len, const ck_global *g)
{
	static const char suffix[] = "Tensor";
	size_t n = sizeof suffix - 1;
	ck_dtype dtype;
	if (g->name_len <= n || memcmp(g->name + g->name_len - n, suffix, n) != 0 ||
	    !ck_dtype_of_stem(g->name, g->name_len - n, &dtype))
		return NULL;
	if (same(module, len, "torch") || same(module, len, "torch.cuda"))
		return has_tensor_class(dtype) ? &typed_row : &other_typed_row;
	bool sparse = same(module, len, "torch.sparse") || same(module, len, "torch.cuda.sparse");
	return sparse && has_tensor_class(dtype) && dtype != CK_DT_BOOL ? &sparse_row : NULL;
}

static const ck_global_row *find_storage_class(const ck_global *g, ck_dtype dtype)
{
	bool untyped = same(g->name, g->name_len, "UntypedStorage");
	bool quantized = dtype >= CK_DT_QINT8 && dtype <= CK_DT_QUINT2X4;
	bool known = untyped || same(g->name, g->name_len, "_UntypedStorage")
	                     ? false
	                     : has_tensor_class(dtype) || dtype == CK_DT_C128 ||
	                       dtype == CK_DT_C64;
	if (same(g->module, g->module_len, "torch.storage"))
		known = untyped;
	else if (same(g->module, g->module_len, "torch"))
		known = known || quantized;
	return known ? &storage_row : &other_storage_row;
}

/* Types of less than a byte, which newer versions of torch.load know. */
static bool is_short_integer(const ck_global *g)
{
	size_t n = g->name_len && *g->name == 'u' ? 4 : 3;
	return g->name_len == n + 1 && !memcmp(g->name, &"uint"[4 - n], n) && g->name[n] >= '1' &&
	       g->name[n] <= '7';
}

static const ck_global_row *find_dtype(const ck_global *g)
{
	ck_dtype dtype;
	if (is_short_integer(g))
		return &dtype_row;
	if (!ck_dtype_of_torch(g->name, g->name_len, &dtype))
		return NULL;
	return ck_equals(g->name, g->name_len, ck_dtype_table[dtype].torch) ? &dtype_row
	                                                                    : &alias_row;
}

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
		return find_storage_class(g, dtype);
	const ck_global_row *tensor = find_tensor_class(module, len, g);
	if (tensor)
		return tensor;
	if (is_torch_class(module, len, g))
		return &class_row;
	if (ck_numpy_is_type(value))
		return &numpy_row;
	return same(module, len, "torch") ? find_dtype(g) : NULL;
}
