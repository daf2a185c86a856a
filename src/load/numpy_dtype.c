/* NumPy's dtypes: from their texts, from classes of elements, and from pickled numpy.dtype
 * objects. */
#include <string.h>

#include "numpy.h"
#include "rebuild.h"

typedef struct {
	char kind; /* as in dtype.kind */
	uint8_t size;
	ck_dtype dtype;
} plain_row;

static const plain_row plain[] = {
	{'b', 1, CK_DT_BOOL}, {'i', 1, CK_DT_I8},   {'i', 2, CK_DT_I16}, {'i', 4, CK_DT_I32},
	{'i', 8, CK_DT_I64},  {'u', 1, CK_DT_U8},   {'u', 2, CK_DT_U16}, {'u', 4, CK_DT_U32},
	{'u', 8, CK_DT_U64},  {'f', 2, CK_DT_F16},  {'f', 4, CK_DT_F32}, {'f', 8, CK_DT_F64},
	{'c', 8, CK_DT_C64},  {'c', 16, CK_DT_C128},
};

typedef struct {
	char kind;
	uint8_t unit; /* bytes that its number counts */
	uint64_t least, most;
	ck_numpy_kind is;
	const char *about;
} other_row;

enum { ITEM_MAX = INT32_MAX };

static const other_row others[] = {
	{'O', 1, 0, 8, CK_NUMPY_OBJECTS, "array of objects"},
	{'S', 1, 0, ITEM_MAX, CK_NUMPY_OTHER, "array of byte strings"},
	{'a', 1, 0, ITEM_MAX, CK_NUMPY_OTHER, "array of byte strings"},
	{'U', 4, 0, ITEM_MAX, CK_NUMPY_OTHER, "array of strings"},
	{'V', 1, 0, ITEM_MAX, CK_NUMPY_OTHER, "array of records or raw bytes"},
	{'M', 1, 8, 8, CK_NUMPY_OTHER, "array of dates"},
	{'m', 1, 8, 8, CK_NUMPY_OTHER, "array of time spans"},
	{'f', 1, 10, 16, CK_NUMPY_OTHER, "array of long doubles"},
	{'c', 1, 20, 32, CK_NUMPY_OTHER, "array of complex long doubles"},
};

/* Classes of elements: the name in the module numpy, and what it stands for on the machines that
 * save models (64 bits, little endian). Each is also numpy.dtypes.NameDType, in other capitals. */
static const char *const types[][2] = {
	{"bool", "b1"}, {"bool_", "b1"}, {"bool8", "b1"},
	{"int8", "i1"}, {"int16", "i2"}, {"int32", "i4"}, {"int64", "i8"},
	{"uint8", "u1"}, {"uint16", "u2"}, {"uint32", "u4"}, {"uint64", "u8"},
	{"byte", "i1"}, {"short", "i2"}, {"intc", "i4"}, {"int", "i4"}, {"int_", "i8"},
	{"intp", "i8"}, {"long", "i8"}, {"longlong", "i8"},
	{"ubyte", "u1"}, {"ushort", "u2"}, {"uintc", "u4"}, {"uint", "u4"}, {"uintp", "u8"},
	{"ulong", "u8"}, {"ulonglong", "u8"},
	{"float16", "f2"}, {"float32", "f4"}, {"float64", "f8"}, {"half", "f2"}, {"single", "f4"},
	{"double", "f8"}, {"float_", "f8"}, {"longdouble", "f16"}, {"float96", "f12"},
	{"float128", "f16"},
	{"complex64", "c8"}, {"complex128", "c16"}, {"complex192", "c24"}, {"complex256", "c32"},
	{"clongdouble", "c32"},
	{"object", "O8"}, {"object_", "O8"}, {"str", "U0"}, {"str_", "U0"}, {"unicode_", "U0"},
	{"bytes", "S0"}, {"bytes_", "S0"}, {"string_", "S0"}, {"void", "V0"},
	{"datetime64", "M8"}, {"timedelta64", "m8"},
};

/* ---- texts ---- */

static bool set_kind(char kind, uint64_t size, ck_numpy_dtype *to)
{
	to->code = kind;
	for (size_t i = 0; i < CK_COUNT(plain); i++)
		if (plain[i].kind == kind && plain[i].size == size) {
			to->kind = CK_NUMPY_TENSOR;
			to->dtype = plain[i].dtype;
			to->size = size;
			return true;
		}
	for (size_t i = 0; i < CK_COUNT(others); i++)
		if (others[i].kind == kind && size >= others[i].least && size <= others[i].most) {
			to->kind = others[i].is;
			to->about = others[i].about;
			to->size = size * others[i].unit;
			to->holds_objects = others[i].is == CK_NUMPY_OBJECTS;
			return true;
		}
	return false;
}

/* "f4", "U7", "M8[ns]": a kind, and the bytes or characters of an element. */
static bool read_code(const char *text, size_t len, ck_numpy_dtype *to)
{
	uint64_t size = 0;
	size_t at = 1;
	if (len == 1 && *text == '?')
		return set_kind('b', 1, to);
	if (!len || (len == 1 && *text != 'O'))
		return false;
	for (; at < len && text[at] >= '0' && text[at] <= '9'; at++) {
		size = size * 10 + (uint64_t)(text[at] - '0');
		if (size > ITEM_MAX)
			return false;
	}
	bool unit = at < len && at > 1 && text[at] == '[' && text[len - 1] == ']' &&
	            (*text == 'M' || *text == 'm');
	return (at == len || unit) && set_kind(*text, size, to);
}

static bool same_letters(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i] && (a[i] | 0x20) != b[i])
			return false;
	return true;
}

/* In capitals or not: numpy.float64 is also numpy.dtypes.Float64DType. */
static const char *type_code(const char *name, size_t len)
{
	for (size_t i = 0; i < CK_COUNT(types); i++)
		if (strlen(types[i][0]) == len && same_letters(name, types[i][0], len))
			return types[i][1];
	return NULL;
}

bool ck_numpy_dtype_of_text(const char *text, size_t len, ck_numpy_dtype *to)
{
	*to = (ck_numpy_dtype){0};
	const char *code = type_code(text, len);
	if (code)
		return read_code(code, strlen(code), to);
	if (len && strchr("<>=|", *text)) {
		to->big_endian = *text == '>';
		text++;
		len--;
	}
	return read_code(text, len, to);
}

/* ---- classes ---- */

static bool is_module(const ck_global *g, const char *module)
{
	return ck_equals(g->module, g->module_len, module);
}

/* The types that ml_dtypes adds are called as torch calls them; those torch lacks are unknown. */
static bool ml_type(const ck_global *g, ck_dtype *dtype)
{
	return (is_module(g, "ml_dtypes") || is_module(g, "jaxlib.xla_extension")) &&
	       g->name_len > 6 && (g->name[0] == 'b' || g->name[5] == '8') &&
	       ck_dtype_of_torch(g->name, g->name_len, dtype) &&
	       ck_dtype_table[*dtype].safetensors;
}

static const char *class_code(const ck_global *g)
{
	static const char suffix[] = "DType";
	size_t n = sizeof suffix - 1;
	if (is_module(g, "numpy"))
		return type_code(g->name, g->name_len);
	if (is_module(g, "numpy.dtypes") && g->name_len > n &&
	    !memcmp(g->name + g->name_len - n, suffix, n))
		return type_code(g->name, g->name_len - n);
	return NULL;
}

bool ck_numpy_is_type(const ck_value *value)
{
	ck_dtype dtype;
	return value->kind == CK_GLOBAL && !(value->flags & (CK_COMPUTED | CK_CHANGED)) &&
	       (class_code(value->global) || ml_type(value->global, &dtype));
}

static void read_class(const ck_value *value, ck_numpy_dtype *to)
{
	const char *code = ck_numpy_is_type(value) ? class_code(value->global) : NULL;
	*to = (ck_numpy_dtype){.kind = CK_NUMPY_OTHER, .about = "array of an unknown type"};
	if (code) {
		read_code(code, strlen(code), to);
	} else if (ck_numpy_is_type(value) && ml_type(value->global, &to->dtype)) {
		to->kind = CK_NUMPY_TENSOR;
		to->size = ck_dtype_table[to->dtype].size;
	}
}

/* ---- pickled dtypes ---- */

enum { BYTE_ORDER = 1, NAMES = 3, SIZE = 5, FLAGS = 7, STATE_MIN = 6, HAS_OBJECTS = 1 };

/* (version, byte order, subdtype, names, fields, bytes, alignment, flags...) */
static bool read_state(ck_torch *torch, const ck_value *state, ck_numpy_dtype *to)
{
	const char *order;
	size_t len;
	if (state->kind != CK_TUPLE || state->items->count < STATE_MIN)
		return ck_rebuild_fail(torch, "the state of a NumPy dtype must be a tuple of %d or "
		                       "more", STATE_MIN);
	ck_value *const *field = state->items->item;
	if (!ck_value_text(field[BYTE_ORDER], &order, &len) || len != 1 || !strchr("<>=|", *order))
		return ck_rebuild_bad(torch, field[BYTE_ORDER],
		                      "the byte order of a NumPy dtype must be one of < > = |");
	to->big_endian = *order == '>';
	if (field[NAMES]->kind != CK_NONE)
		to->about = "array of records";
	if (to->kind == CK_NUMPY_OTHER && field[SIZE]->kind == CK_INT && field[SIZE]->i >= 0)
		to->size = (uint64_t)field[SIZE]->i;
	if (state->items->count > FLAGS && field[FLAGS]->kind == CK_INT)
		to->holds_objects = to->holds_objects || (field[FLAGS]->i & HAS_OBJECTS);
	return true;
}

bool ck_numpy_dtype_read(ck_torch *torch, const ck_value *value, ck_numpy_dtype *to)
{
	const char *text;
	size_t len;
	bool is_dtype =
		value->kind == CK_CALL && ck_value_is_global(value->call->callee, "numpy", "dtype");
	const ck_value *what = is_dtype ? ck_argument(value, 0) : value;
	if (!what)
		return ck_rebuild_fail(torch, "numpy.dtype needs a type");
	if (!is_dtype && value->kind == CK_CALL) /* numpy.dtypes.Float64DType() */
		what = value->call->callee;
	if (!ck_value_text(what, &text, &len))
		read_class(what, to);
	else if (!ck_numpy_dtype_of_text(text, len, to))
		return ck_rebuild_fail(torch, "'%s' is no dtype of NumPy", ck_show(text, len).s);
	if (!is_dtype)
		return true;
	const ck_items *states = &ck_call_later(value->call)->states;
	if (states->count > 1)
		return ck_rebuild_fail(torch, "a NumPy dtype is built more than once");
	return !states->count || read_state(torch, states->item[0], to);
}
