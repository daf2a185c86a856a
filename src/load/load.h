/* Reading checkpoints: which layout a file has, what torch means by the values of its pickle, and
 * how the tensors among them are named. */
#ifndef CK_LOAD_H
#define CK_LOAD_H

#include "model.h"
#include "pack.h"
#include "pickle.h"

/* ---- torch: what the values of a pickle mean ---- */

typedef struct ck_torch {
	ck_job *job;
	ck_model *model;
	const ck_source *pickle;  /* where the values came from */
	ck_value *root;           /* what the pickle made; set by ck_walk */
	ck_seen seen;             /* all that the pickle named */
	bool big_endian;          /* as the archive's `byteorder` says */
	ck_map storages;          /* key -> known_storage */
	uint64_t visits;          /* values looked at, for the limit */
	uint64_t at;              /* offset of the call that is being rebuilt, for messages */
	ck_map unknown;           /* "module.name" of globals that are not in the table */
	ck_text unknown_list;     /* the first of them, with commas between, safe to print */
	/* Finds the bytes of a storage: sets source or stream, offset, held and crc. Given by the
	 * layout. */
	bool (*find)(struct ck_torch *torch, ck_storage *storage);
	void *arg;
} ck_torch;

/* What a global means to us: one row for each that is known; all others are inert objects. */
typedef enum ck_role {
	CK_ROLE_TENSOR,      /* calling it makes a tensor, by `rebuild` */
	CK_ROLE_SAME,        /* calling it gives its first argument, dressed up */
	CK_ROLE_TYPED,       /* (function, type, arguments, state): a call, dressed up as a type */
	CK_ROLE_DICT,        /* a mapping */
	CK_ROLE_LIST,        /* a sequence */
	CK_ROLE_OBJECT,      /* an object of the class that is its first argument */
	CK_ROLE_VALUE,       /* a plain value */
	CK_ROLE_META,        /* a tensor without data */
	CK_ROLE_UNSUPPORTED  /* a tensor of a kind that cannot be written; `about` says which */
} ck_role;

typedef struct ck_global_row {
	const char *module, *name; /* a name that ends in '*' covers all that start alike */
	ck_role role;
	bool (*rebuild)(ck_torch *torch, const ck_call *call, ck_tensor *tensor);
	const char *about;
} ck_global_row;

/* The row of a GLOBAL, after Python 2's names were mapped to Python 3's; NULL: unknown. */
const ck_global_row *ck_global_find(const ck_value *global);

/* ---- views: a value as something with parts, whatever it was made of ---- */

typedef enum ck_shape_kind { CK_IS_TENSOR, CK_IS_META, CK_IS_UNSUPPORTED, CK_IS_LEAF,
                             CK_HAS_PARTS } ck_shape_kind;

enum { CK_PARTS_MAX = 12 };

/* Some children of a value. */
typedef struct ck_part {
	const ck_items *items;
	bool pairs;             /* keys and values in turn; else named by position */
	bool skip_none;         /* as nn.Module does with unset parameters */
	const ck_items *except; /* names not to be followed, or NULL */
} ck_part;

typedef struct ck_view {
	ck_shape_kind kind;
	ck_tensor *tensor;
	const char *about;      /* of what is no tensor and has no parts */
	bool is_dict, is_object;
	const ck_items *aside;  /* of a module: all its attributes, whose tensors are left out */
	ck_value *state;        /* attributes of a parameter, which no output can hold, or NULL */
	ck_part part[CK_PARTS_MAX];
	size_t parts;
} ck_view;

/* Looks at a value through the table of globals. False after a failure: the value claims to be a
 * tensor and is not a sound one. */
bool ck_view_value(ck_torch *torch, const ck_value *value, const ck_path *path, ck_view *view);

/* ---- walking ---- */

/* Puts every tensor below `root` into the model, and every other value on its list. */
bool ck_walk(ck_torch *torch, ck_value *root);
/* str(key) as Python prints it; keys that Python would print by address get the name of their type.
 * NULL after a failure. */
const char *ck_key_text(ck_job *job, const ck_value *key, size_t *len);
/* All values as JSON, tensors as references to the names they got in the model. */
bool ck_extras_print(ck_torch *torch, ck_text *to);

/* ---- layouts ---- */

typedef struct ck_loaded {
	ck_model *model;
	ck_torch *torch;
} ck_loaded;

typedef struct ck_layout {
	const char *name, *about;
	/* By the first bytes of the file. */
	bool (*probe)(const unsigned char *head, size_t len);
	bool (*load)(ck_job *job, const ck_source *source, ck_loaded *loaded);
} ck_layout;

extern const ck_layout ck_layout_torch_zip;
extern const ck_layout ck_layout_torch_legacy;

/* Finds the layout of a file and loads it. */
ck_loaded *ck_load(ck_job *job, const ck_source *source);
/* If the first bytes are those of something that is no checkpoint, fails and says what it is. */
bool ck_foreign_refuse(ck_job *job, const ck_source *source, const unsigned char *head, size_t len);

#endif
