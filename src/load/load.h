/* Reading checkpoints: which layout a file has, what torch means by the values of its pickle, and
 * how the tensors among them are named. */
#ifndef CK_LOAD_H
#define CK_LOAD_H

#include "model.h"
#include "pack.h"
#include "pickle.h"

#include <string.h>

/* The article of a word that follows it. */
static inline const char *ck_article(const char *word)
{
	return *word && strchr("aeiou", *word) ? "an" : "a";
}

/* What the caller wants of tensors that an output cannot hold as they are. */
typedef struct ck_wishes {
	bool dequantize;    /* quantized tensors become F32 */
	bool densify;       /* sparse tensors become dense */
	bool split_complex; /* complex tensors become NAME.real and NAME.imag */
	bool everything;    /* no part of a file is more wanted than another */
	bool strict;        /* nothing may be left out */
	const char *member; /* of the archive, as in FILE!MEMBER, or NULL */
	bool traces;        /* note what the file says of the program that wrote it */
	const struct ck_beside *beside; /* files that tensors of an ONNX model may lie in */
	size_t beside_count;
} ck_wishes;

typedef struct ck_beside {
	const char *name;       /* as the model spells it */
	const ck_source *source;
} ck_beside;

/* A tensor that is an attribute of a module. */
typedef struct ck_aside {
	const ck_path *path;
	const ck_tensor *tensor;
} ck_aside;

/* One file, or several that make one model, with all that was found in them and in the files inside
 * them. */
typedef struct ck_loaded {
	ck_job *job;
	ck_model *model;
	ck_wishes wishes;
	struct ck_torch *units;   /* every pickle that was walked, the last one first */
	ck_aside *asides;
	size_t aside_count, aside_cap;
	ck_map halves;            /* address of a complex tensor -> what it was split into */
	ck_map noted;             /* notes that were told */
	ck_map said;              /* keys of metadata -> what was said first */
	uint64_t unlike;          /* keys that have several values */
	uint64_t embedded;        /* bytes that look like checkpoints */
	uint64_t visits;          /* values looked at, for the limit */
	const char *member;       /* what is still to be found of wishes.member */
	const char *file;         /* the name of the one of several files that is read; or NULL */
	unsigned nested;          /* files inside files that are open just now */
	const ck_watch *watch;    /* told what the pickles do; or NULL */
	struct ck_vm *machine;    /* reads pickles, but not just now; NULL: there is none yet */
} ck_loaded;

/* ---- torch: what the values of a pickle mean ---- */

typedef struct ck_made ck_made;

/* One pickle and the place where its storages are. */
typedef struct ck_torch {
	ck_job *job;
	ck_loaded *loaded;
	ck_model *model;          /* of `loaded` */
	struct ck_torch *next;    /* among the units of `loaded` */
	const ck_source *pickle;  /* where the values came from */
	ck_value *root;           /* what the pickle made */
	const ck_path *path;      /* where the root stands in the model; set by ck_walk */
	ck_seen seen;             /* all that the pickle named */
	uint64_t array_inside;    /* where an array of joblib lies in the pickle, the first; or 0 */
	bool unpadded;            /* joblib before 1.2 knows no padding before arrays */
	bool bare_ids;            /* some writers spell persistent ids as plain tuples */
	bool big_endian;          /* as the archive's `byteorder` says */
	ck_map storages;          /* key -> known_storage */
	ck_map inner;             /* address of a bytes value -> ck_torch of the checkpoint in it */
	ck_map decoded;           /* address of a str -> the bytes that its characters stand for */
	const char *title;        /* what --extras calls its values; NULL: by their place */
	const char *file;         /* the one of several files that it lies in; or NULL */
	unsigned level;           /* checkpoints around this one */
	unsigned depth;           /* calls that are being rebuilt for each other */
	uint64_t at;              /* offset of the call that is being rebuilt, for messages */
	uint64_t end;             /* of a legacy file: where its last storage ends */
	/* Finds the bytes of a storage: sets source or stream, offset, held and crc. Given by the
	 * layout; NULL: the layout has no storages. */
	bool (*find)(struct ck_torch *torch, ck_storage *storage);
	/* What a persistent id stands for, in layouts where it names tensors; or NULL. */
	bool (*persistent)(struct ck_torch *torch, const ck_value *id, ck_made *made);
	void *arg;
} ck_torch;

/* A new one, which is no unit until it is walked. NULL after a failure. */
ck_torch *ck_torch_new(ck_loaded *loaded, const ck_source *pickle);
/* Reads the pickle at *at of torch->pickle, by a machine that all of `loaded` share. */
ck_value *ck_torch_read(ck_torch *torch, uint64_t *at);

enum { CK_MADE_MAX = 4 };

/* What a call makes, by the rule of its global: a tensor, or several that belong together, or one
 * of the things that are none. */
typedef enum ck_made_kind {
	CK_MADE_TENSOR,      /* `tensor` and what stands beside it */
	CK_MADE_META,        /* a tensor without data */
	CK_MADE_UNSUPPORTED, /* a tensor of a kind that cannot be written; `about` says which */
	CK_MADE_VALUE,       /* no tensor; `about` says what */
	CK_MADE_ARRAY,       /* an array whose elements no tensor can have; `about` says which */
	CK_MADE_ITEMS,       /* a sequence of values, or keys and values in turn */
	CK_MADE_INNER        /* the root of another pickle, which lay inside this one */
} ck_made_kind;

struct ck_made {
	ck_made_kind kind;
	const char *about;
	ck_tensor *tensor; /* NULL if there are only those beside it */
	/* Further tensors, named NAME.key. */
	struct {
		const char *key;
		ck_tensor *tensor;
	} beside[CK_MADE_MAX];
	size_t besides;
	/* Facts that go to the metadata as NAME.key. */
	struct {
		const char *key, *value;
	} fact[CK_MADE_MAX];
	size_t facts;
	const ck_items *items;
	bool pairs;             /* items are keys and values */
	struct ck_torch *inner; /* its root is the value */
	const char *note;       /* told once for each kind of note, or NULL */
};

/* What a global means to us: one row for each that is known; all others are inert objects. */
typedef enum ck_role {
	CK_ROLE_TENSOR,      /* calling it makes a tensor, by `rebuild` */
	CK_ROLE_BUILT,       /* the same, from what is built into the result, too */
	CK_ROLE_SAME,        /* calling it gives its first argument, dressed up */
	CK_ROLE_TYPED,       /* (function, type, arguments, state): a call, dressed up as a type */
	CK_ROLE_DICT,        /* a mapping */
	CK_ROLE_LIST,        /* a sequence */
	CK_ROLE_ATTRIBUTES,  /* an object whose attributes are the first argument that is a dict, or
	                      * what the first argument holds under the key `about` */
	CK_ROLE_WRAP,        /* its first argument, called `about` */
	CK_ROLE_SCRIPT,      /* an object of C++: (its state, the name of its class) is built in */
	CK_ROLE_CLASS,       /* an object of this class, kept as inert data as unknown ones are */
	CK_ROLE_OBJECT,      /* an object of the class that is its first argument */
	CK_ROLE_VALUE,       /* a plain value */
	CK_ROLE_META         /* a tensor without data */
} ck_role;

/* What those who load a file with Python risk by a global. */
typedef enum ck_listing {
	CK_FOREIGN,      /* code of another project: nobody knows */
	CK_LISTED,       /* nothing: it makes data, as long as its arguments are in order */
	CK_LISTED_TORCH, /* the same, and torch.load takes it with weights_only=True */
	CK_RUNS_CODE     /* it runs what lies in the file */
} ck_listing;

typedef bool ck_rebuild(ck_torch *torch, const ck_value *value, ck_made *made);

typedef struct ck_global_row {
	const char *module, *name; /* a name that ends in '*' covers all that start alike */
	ck_role role;
	ck_rebuild *rebuild;
	const char *about;
	ck_listing listing;
} ck_global_row;

/* The row of a GLOBAL, after Python 2's names were mapped to Python 3's; NULL: unknown. */
const ck_global_row *ck_global_find(const ck_value *global);

/* ---- views: a value as something with parts, whatever it was made of ---- */

typedef enum ck_shape_kind {
	CK_IS_TENSOR,
	CK_IS_META,
	CK_IS_UNSUPPORTED,
	CK_IS_LEAF,
	CK_IS_INNER,
	CK_HAS_PARTS
} ck_shape_kind;

enum { CK_PARTS_MAX = 12 };

/* Some children of a value. */
typedef struct ck_part {
	const ck_items *items;
	bool pairs;             /* keys and values in turn; else named by position */
	size_t base;            /* the position of the first */
	bool skip_none;         /* as nn.Module does with unset parameters */
	const ck_items *except; /* names not to be followed, or NULL */
} ck_part;

typedef struct ck_view {
	ck_shape_kind kind;
	const ck_made *made;    /* of a tensor */
	ck_torch *inner;        /* CK_IS_INNER: look at its root instead */
	const char *about;      /* of what is no tensor and has no parts */
	bool is_dict, is_object;
	bool has_scale;         /* a module whose scale and zero_point are tensors to torch */
	const ck_items *aside;  /* of a module: all its attributes, whose tensors are left out */
	ck_value *state;        /* attributes of a parameter, which no output can hold, or NULL */
	ck_part part[CK_PARTS_MAX];
	size_t parts;
} ck_view;

/* Looks at a value through the table of globals. False after a failure: the value claims to be a
 * tensor and is not a sound one. */
bool ck_view_value(ck_torch *torch, const ck_value *value, const ck_path *path, ck_view *view);

/* ---- walking ---- */

/* Puts every tensor below torch->root into the model, named from `path` on, and every other value
 * on its list. */
bool ck_walk(ck_torch *torch, const ck_path *path);
/* str(key) as Python prints it; keys that Python would print by address get the name of their type.
 * NULL after a failure. */
const char *ck_key_text(ck_job *job, const ck_value *key, size_t *len);
/* The same, for keys that may be NumPy scalars, too. */
const char *ck_key_name(ck_torch *torch, const ck_value *key, size_t *len);
/* All values as JSON, tensors as references to the names they got in the model. */
bool ck_extras_print(ck_loaded *loaded, ck_text *to);

/* The values of one key at the top that are no tensors. */
typedef struct ck_peek {
	const ck_path *key;  /* depth 0: the root itself */
	uint64_t count;
	const char *text;    /* printable, shortened: "{'lr': 0.1, ...}"; NULL: not looked at */
} ck_peek;

/* All such values, by these keys; a model that was not read to its end has no texts. */
bool ck_peek_values(ck_loaded *loaded, bool texts, ck_peek **rows, size_t *count);

/* ---- the index of a model in several files ---- */

typedef struct ck_index {
	const ck_source *source;
	const char **files;          /* their names, sorted: their numbers are their places */
	size_t count;
	const struct cJSON *map;     /* the JSON object "weight_map" */
	ck_map where;                /* name of a tensor -> number of its file, and marks */
} ck_index;

/* The names are as the index has them: whoever opens such files checks them. NULL after a
 * failure. */
ck_index *ck_index_read(ck_job *job, const ck_source *source);
/* Holds what the files had against the index: fails if a tensor is missing, and lets go of those
 * that lie in another file, too. With `strict`, more than the index says is an error. */
bool ck_index_settle(ck_job *job, ck_index *index, ck_model *model, bool strict);

/* ---- layouts ---- */

/* What a probe may look at. */
typedef struct ck_input {
	const ck_source *source;
	const unsigned char *head; /* the first bytes */
	size_t head_len;
	ck_archive *archive;       /* its members, if it is an archive; else NULL */
	const ck_source **zips;    /* several zip archives, one after the other; else NULL */
	size_t zip_count;
} ck_input;

/* `load` puts everything into the model, named from `at` on. */
typedef struct ck_layout {
	const char *name, *about; /* name NULL: it only holds what other layouts know */
	bool is_data;             /* arrays and values of any kind; else it is a model of torch */
	/* May fail, too, where memory ends: the job then has an error. */
	bool (*probe)(ck_job *job, const ck_input *in);
	bool (*load)(ck_loaded *loaded, const ck_input *in, const ck_path *at);
} ck_layout;

extern const ck_layout ck_layout_pt2;
extern const ck_layout ck_layout_package;
extern const ck_layout ck_layout_torchscript;
extern const ck_layout ck_layout_torchscript_json;
extern const ck_layout ck_layout_torch_zip;
extern const ck_layout ck_layout_torch_legacy;
extern const ck_layout ck_layout_torch_tar;
extern const ck_layout ck_layout_packed;
extern const ck_layout ck_layout_zips;
extern const ck_layout ck_layout_bundle;
extern const ck_layout ck_layout_safetensors;
extern const ck_layout ck_layout_onnx;
extern const ck_layout ck_layout_npz;
extern const ck_layout ck_layout_npy;
extern const ck_layout ck_layout_pickle;

/* True for names of arrays in .npz archives. */
bool ck_npz_is_array(const ck_member *member);
/* The one that a zip or legacy file of torch.save has, read but not walked. */
ck_torch *ck_torch_zip_read(ck_loaded *loaded, const ck_input *in);
ck_torch *ck_torch_legacy_read(ck_loaded *loaded, const ck_input *in);
bool ck_torch_legacy_probe(ck_job *job, const ck_input *in);

/* Puts a tensor that was checked into the model; a complex one in two parts, if that is wished. */
bool ck_load_tensor(ck_loaded *loaded, const ck_path *path, ck_tensor *tensor);
/* Finds the layout of a file and loads it. wishes may be NULL. */
ck_loaded *ck_load(ck_job *job, const ck_source *source, const ck_wishes *wishes);
/* The same for a model in several files, which are loaded one after the other, in the order of
 * their numbers; after a failure, what was found before it is there. `source` is what messages
 * call the whole; `bytes`: of all files. */
ck_loaded *ck_load_begin(ck_job *job, const ck_source *source, uint64_t bytes,
                         const ck_wishes *wishes);
/* `file`: the name of the one of several; NULL: there is one alone. */
bool ck_load_file(ck_loaded *loaded, const ck_source *source, const char *file);
bool ck_load_end(ck_loaded *loaded);
/* Adds to the metadata of the model. Of several values of one key, as shards may have them, the
 * first is kept, which is told; both texts must live as long as the job. */
bool ck_load_metadata(ck_loaded *loaded, const char *key, const char *value);
/* Tells of those that were not named. */
void ck_load_metadata_end(const ck_loaded *loaded);
/* The same for a file inside a file: what it holds is named from `at` on. */
bool ck_load_at(ck_loaded *loaded, const ck_source *source, const ck_path *at);
/* The layout of a file, or NULL; the job then has an error if one was met on the way. */
const ck_layout *ck_layout_find(ck_job *job, const ck_input *in);
/* Fills head and archive; `head` has room for CK_HEAD bytes. */
enum { CK_HEAD = 1024 };
bool ck_input_open(ck_job *job, const ck_source *source, unsigned char *head, ck_input *in);
/* If the first bytes are those of something that is no checkpoint, fails and says what it is. */
bool ck_foreign_refuse(ck_job *job, const ck_source *source, const unsigned char *head, size_t len);

#endif
