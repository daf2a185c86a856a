/* The one table of known globals: what each means, and by which rule its tensors are rebuilt. */
#include "load.h"
#include "rebuild.h"

#include <string.h>

static const ck_global_row rows[] = {
	/* torch: tensors */
	{"torch._utils", "_rebuild_tensor", CK_ROLE_TENSOR, ck_rebuild_tensor_v2, NULL, 0},
	{"torch._utils", "_rebuild_tensor_v2", CK_ROLE_TENSOR, ck_rebuild_tensor_v2, NULL, 0},
	{"torch._utils", "_rebuild_tensor_v3", CK_ROLE_TENSOR, ck_rebuild_tensor_v3, NULL, 0},
	{"torch._utils", "_rebuild_parameter", CK_ROLE_SAME, NULL, NULL, 0},
	{"torch._utils", "_rebuild_parameter_with_state", CK_ROLE_SAME, NULL, NULL, 0},
	{"torch._utils", "_rebuild_meta_tensor_no_storage", CK_ROLE_META, NULL, "meta tensor", 0},
	{"torch._utils", "_rebuild_qtensor", CK_ROLE_UNSUPPORTED, NULL, "quantized tensor", 0},
	{"torch._utils", "_rebuild_sparse_tensor", CK_ROLE_UNSUPPORTED, NULL, "sparse tensor", 0},
	{"torch._utils", "_rebuild_sparse_csr_tensor", CK_ROLE_UNSUPPORTED, NULL, "sparse tensor", 0},
	{"torch._utils", "_rebuild_nested_tensor", CK_ROLE_UNSUPPORTED, NULL, "nested tensor", 0},
	{"torch._utils", "_rebuild_wrapper_subclass", CK_ROLE_UNSUPPORTED, NULL, "tensor subclass", 0},
	{"torch._utils", "_rebuild_device_tensor_from_numpy", CK_ROLE_UNSUPPORTED, NULL,
	 "tensor of another device, kept as a NumPy array", 0},
	{"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", CK_ROLE_UNSUPPORTED, NULL,
	 "tensor of another device", 0},
	{"torch._tensor", "_rebuild_from_type_v2", CK_ROLE_TYPED, NULL, "tensor subclass", 0},
	{"torch._tensor", "_rebuild_from_type", CK_ROLE_TYPED, NULL, "tensor subclass", 0},
	{"torch.storage", "_load_from_bytes", CK_ROLE_TENSOR, ck_rebuild_nested, NULL, 0},
	{"torch", "Tensor", CK_ROLE_BUILT, ck_rebuild_typed_tensor, "tensor type", 0},
	{"torch.nn.parameter", "Parameter", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type", 0},
	{"torch.nn.parameter", "Buffer", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type", 0},
	{"torch.autograd.variable", "Variable", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type", 0},
	{"torch.autograd", "Variable", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type", 0},
	{"torch._utils", "_rebuild_var", CK_ROLE_BUILT, ck_rebuild_variable, "tensor type", 0},
	/* torch: TorchScript */
	{"torch.jit._pickle", "build_tensor_from_id", CK_ROLE_BUILT, ck_rebuild_numbered, NULL, 0},
	{"__main__", "TensorID", CK_ROLE_BUILT, ck_rebuild_numbered, NULL, 0},
	{"__main__", "IntList", CK_ROLE_LIST, NULL, NULL, 0},
	{"torch.jit._pickle", "build_intlist", CK_ROLE_SAME, NULL, NULL, 0},
	{"torch.jit._pickle", "build_doublelist", CK_ROLE_SAME, NULL, NULL, 0},
	{"torch.jit._pickle", "build_boollist", CK_ROLE_SAME, NULL, NULL, 0},
	{"torch.jit._pickle", "build_tensorlist", CK_ROLE_SAME, NULL, NULL, 0},
	{"torch.jit._pickle", "restore_type_tag", CK_ROLE_SAME, NULL, NULL, 0},
	/* torch: types, as arguments */
	{"torch.storage", "TypedStorage", CK_ROLE_VALUE, NULL, "storage type", 0},
	{"torch.storage", "_TypedStorage", CK_ROLE_VALUE, NULL, "storage type", 0},
	{"torch", "TypedStorage", CK_ROLE_VALUE, NULL, "storage type", 0},
	/* torch: plain values */
	{"torch", "Size", CK_ROLE_LIST, NULL, NULL, 0},
	{"torch", "device", CK_ROLE_VALUE, NULL, "device", 0},
	{"torch.serialization", "_get_layout", CK_ROLE_VALUE, NULL, "layout", 0},
	{"torch", "per_*", CK_ROLE_VALUE, NULL, "quantization scheme", 0},
	{"torch", "Generator", CK_ROLE_VALUE, NULL, "generator", 0},
	{"torch", "memory_format", CK_ROLE_VALUE, NULL, "memory format", 0},
	{"torch.nn.functional", "relu", CK_ROLE_VALUE, NULL, "function", 0},
	{"torch.nn.functional", "gelu", CK_ROLE_VALUE, NULL, "function", 0},
	{"torch.nn.functional", "silu", CK_ROLE_VALUE, NULL, "function", 0},
	{"torch._C._nn", "gelu", CK_ROLE_VALUE, NULL, "function", 0},
	{"torch", "relu", CK_ROLE_VALUE, NULL, "function", 0},
	{"torch", "tanh", CK_ROLE_VALUE, NULL, "function", 0},
	{"torch", "sigmoid", CK_ROLE_VALUE, NULL, "function", 0},
	/* torch: modules */
	{"torch.fx.graph_module", "reduce_graph_module", CK_ROLE_ATTRIBUTES, NULL, NULL, 0},
	{"torch.fx.graph_module", "reduce_deploy_graph_module", CK_ROLE_ATTRIBUTES, NULL, NULL, 1},
	{"torch.fx.graph_module", "reduce_package_graph_module", CK_ROLE_ATTRIBUTES, NULL, NULL, 1},
	{"torch._dynamo.eval_frame", "OptimizedModule", CK_ROLE_WRAP, NULL, "_orig_mod", 0},
	{"torch_utils.persistence", "_reconstruct_persistent_obj", CK_ROLE_ATTRIBUTES, NULL,
	 "state", 0},
	{"torch", "ScriptObject", CK_ROLE_SCRIPT, NULL, NULL, 0},
	{"torch._C", "ScriptObject", CK_ROLE_SCRIPT, NULL, NULL, 0},
	/* objects that are nothing but their attributes */
	{"argparse", "Namespace", CK_ROLE_CLASS, NULL, NULL, 0},
	{"types", "SimpleNamespace", CK_ROLE_CLASS, NULL, NULL, 0},
	{"easydict", "EasyDict", CK_ROLE_CLASS, NULL, NULL, 0},
	{"dnnlib.util", "EasyDict", CK_ROLE_CLASS, NULL, NULL, 0},
	/* Python */
	{"copyreg", "_reconstructor", CK_ROLE_OBJECT, NULL, NULL, 0},
	{"collections", "OrderedDict", CK_ROLE_DICT, NULL, NULL, 0},
	{"collections", "defaultdict", CK_ROLE_DICT, NULL, NULL, 0},
	{"collections", "Counter", CK_ROLE_DICT, NULL, NULL, 0},
	{"collections", "deque", CK_ROLE_LIST, NULL, NULL, 0},
	{"builtins", "dict", CK_ROLE_DICT, NULL, NULL, 0},
	{"builtins", "list", CK_ROLE_LIST, NULL, NULL, 0},
	{"builtins", "tuple", CK_ROLE_LIST, NULL, NULL, 0},
	{"builtins", "set", CK_ROLE_LIST, NULL, NULL, 0},
	{"builtins", "frozenset", CK_ROLE_LIST, NULL, NULL, 0},
	{"builtins", "complex", CK_ROLE_VALUE, NULL, "complex", 0},
	{"builtins", "bytearray", CK_ROLE_VALUE, NULL, "bytearray", 0},
	{"builtins", "bytes", CK_ROLE_VALUE, NULL, "bytes", 0},
	{"builtins", "slice", CK_ROLE_VALUE, NULL, "slice", 0},
	{"builtins", "range", CK_ROLE_VALUE, NULL, "range", 0},
	{"builtins", "xrange", CK_ROLE_VALUE, NULL, "range", 0},
	{"builtins", "int", CK_ROLE_VALUE, NULL, "int", 0},
	{"builtins", "long", CK_ROLE_VALUE, NULL, "int", 0},
	{"builtins", "unicode", CK_ROLE_VALUE, NULL, "str", 0},
	{"builtins", "float", CK_ROLE_VALUE, NULL, "float", 0},
	{"builtins", "bool", CK_ROLE_VALUE, NULL, "bool", 0},
	{"builtins", "str", CK_ROLE_VALUE, NULL, "str", 0},
	{"builtins", "object", CK_ROLE_VALUE, NULL, "object", 0},
	{"_codecs", "encode", CK_ROLE_VALUE, NULL, "bytes", 0},
	{"datetime", "datetime", CK_ROLE_VALUE, NULL, "datetime", 0},
	{"datetime", "date", CK_ROLE_VALUE, NULL, "date", 0},
	{"datetime", "timedelta", CK_ROLE_VALUE, NULL, "timedelta", 0},
	{"datetime", "timezone", CK_ROLE_VALUE, NULL, "timezone", 0},
	{"decimal", "Decimal", CK_ROLE_VALUE, NULL, "Decimal", 0},
	{"fractions", "Fraction", CK_ROLE_VALUE, NULL, "Fraction", 0},
	{"uuid", "UUID", CK_ROLE_VALUE, NULL, "UUID", 0},
	{"pathlib", "PosixPath", CK_ROLE_VALUE, NULL, "path", 0},
	{"pathlib", "PurePosixPath", CK_ROLE_VALUE, NULL, "path", 0},
	{"pathlib", "WindowsPath", CK_ROLE_VALUE, NULL, "path", 0},
	{"pathlib", "PureWindowsPath", CK_ROLE_VALUE, NULL, "path", 0},
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
	size_t n = strlen(want);
	if (n && want[n - 1] == '*')
		return len >= n - 1 && !memcmp(text, want, n - 1);
	return len == n && !memcmp(text, want, n);
}

/* Torch's own classes of modules, optimizers and observers. Functions of these modules are not meant. */
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

static const ck_global_row class_row = {"torch.nn.modules.*", "*", CK_ROLE_CLASS, NULL, "class", 0};
static const ck_global_row storage_row = {"torch", "*Storage", CK_ROLE_VALUE, NULL, "storage type", 0};
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
                                        "tensor type", 0};
static const ck_global_row dtype_row = {"torch", "*", CK_ROLE_VALUE, NULL, "dtype", 0};

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
		if (same(module, len, rows[i].module) && same(g->name, g->name_len, rows[i].name))
			return &rows[i];
	if (ck_storage_class(value, &dtype))
		return &storage_row;
	if (is_typed_tensor(module, len, g))
		return &typed_row;
	if (is_torch_class(module, len, g))
		return &class_row;
	if (same(module, len, "torch") && ck_dtype_of_torch(g->name, g->name_len, &dtype))
		return &dtype_row;
	return NULL;
}
