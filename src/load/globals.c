/* The one table of known globals: what each means, and by which rule its tensors are rebuilt. */
#include "load.h"
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
	/* torch: types, as arguments */
	{"torch.storage", "TypedStorage", CK_ROLE_VALUE, NULL, "storage type"},
	{"torch.storage", "_TypedStorage", CK_ROLE_VALUE, NULL, "storage type"},
	{"torch", "TypedStorage", CK_ROLE_VALUE, NULL, "storage type"},
	{"torch.nested._internal.nested_tensor", "NestedTensor", CK_ROLE_VALUE, NULL, "tensor type"},
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
	size_t n = strlen(want);
	if (n && want[n - 1] == '*')
		return len >= n - 1 && !memcmp(text, want, n - 1);
	return len == n && !memcmp(text, want, n);
}

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
		if (same(module, len, rows[i].module) && same(g->name, g->name_len, rows[i].name))
			return &rows[i];
	if (ck_storage_class(value, &dtype))
		return &storage_row;
	if (is_typed_tensor(module, len, g))
		return &typed_row;
	if (same(module, len, "torch") && ck_dtype_of_torch(g->name, g->name_len, &dtype))
		return &dtype_row;
	return NULL;
}
