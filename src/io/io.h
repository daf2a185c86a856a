/* Bytes in and bytes out: sources, the output that appears whole or not at all, the copy engine,
 * checksums and JSON text. Knows no container and no tensor. */
#ifndef CK_IO_H
#define CK_IO_H

#include "base.h"

/* ---- source: bytes at an offset, safe to read from several threads ---- */

typedef struct ck_source {
	const char *label;  /* path or member, unescaped, for messages */
	uint64_t size;
	int fd;             /* -1: in memory */
	const unsigned char *data;
	uint64_t base;      /* where this source starts in fd */
} ck_source;

/* Opens a regular file for reading. The source and the descriptor live as long as the job. */
const ck_source *ck_source_open(ck_job *job, const char *path);
/* The same for FILE!MEMBER, where there is no file of the whole name: *member is then what stands
 * behind the mark that ends the name of a file; else NULL. */
const ck_source *ck_source_open_member(ck_job *job, const char *path, const char **member);
/* The same for a regular file that is open, which is then the source's own. */
const ck_source *ck_source_of(ck_job *job, const char *label, int fd);
/* A source over memory that outlives the job's use of it. */
const ck_source *ck_source_memory(ck_job *job, const char *label, const void *data, uint64_t size);
/* `size` bytes of `of` from `offset`, as a source of its own, if ck_source_holds them. */
const ck_source *ck_source_window(ck_job *job, const ck_source *of, const char *label,
                                  uint64_t offset, uint64_t size);
/* Fails unless all `size` bytes at `offset`, which messages call `label`, are there. */
bool ck_source_holds(ck_job *job, const ck_source *source, const char *label, uint64_t offset,
                     uint64_t size);
/* Reads exactly len bytes at offset, or fails: the one place where bounds are checked. */
bool ck_read_at(ck_job *job, const ck_source *source, uint64_t offset, void *to, size_t len);
/* True if both are the same file on disk. */
bool ck_source_is_path(const ck_source *source, const char *path);

/* Bytes that must be unpacked, front to back, before they can be read at an offset. run() gives
 * them to `sink` piece by piece and checks what there is to check. Names come from the archive. */
typedef struct ck_sink {
	bool (*take)(ck_job *job, void *arg, const void *data, size_t len);
	void *arg;
} ck_sink;

typedef struct ck_stream {
	bool (*run)(ck_job *job, const struct ck_stream *stream, const ck_sink *sink);
	const char *label;
	uint64_t size;   /* unpacked; CK_SIZE_UNKNOWN: what comes out is what there is */
	void *arg;
} ck_stream;

#define CK_SIZE_UNKNOWN UINT64_MAX

/* A file without a name in job->scratch_dir, gone when the job ends. -1 after a failure. */
int ck_scratch_open(ck_job *job);
/* Opens the scratch files of a job that will later be unable to open any. That one of them could
 * not be opened is told when it is needed. */
bool ck_scratch_prepare(ck_job *job);
/* Their descriptors; returns how many there are. */
size_t ck_scratch_descriptors(const ck_job *job, int *to, size_t max);
/* Runs a stream into a scratch file, and gives what came out as a source with the stream's label.
 * For one thread at a time. */
const ck_source *ck_stream_spill(ck_job *job, const ck_stream *stream);
/* The same with what came out before the stream failed, if it did: then *whole is false. */
const ck_source *ck_stream_spill_part(ck_job *job, const ck_stream *stream, bool *whole);

/* ---- output: all files of one conversion, or none ---- */

typedef struct ck_output ck_output;

typedef struct ck_file {
	struct ck_file *next;
	ck_output *output;
	const char *path; /* as the user gave it, for messages */
	const char *real; /* where it goes: symbolic links are followed, as cp does */
	const char *name; /* last component of real */
	const char *folder; /* of real */
	char *temp;       /* name beside the target, while there is one; else NULL */
	char *aside;      /* what the old file is called while a guide is replaced; or NULL */
	int dir;          /* descriptor of the folder of `real` */
	bool owns_dir;    /* no file before it has the same */
	bool guide;       /* the others are found by it: it goes first, and comes last */
	int fd;
	bool spare;       /* may stay empty, and is then left out */
	bool placed;      /* renamed to its final name */
	bool swapped;     /* the old file of that name is now called `temp` */
} ck_file;

enum { CK_OUTPUT_NO_CLOBBER = 1, CK_OUTPUT_NO_FSYNC = 2 };

/* Whatever is not committed when the job ends is removed. */
ck_output *ck_output_new(ck_job *job, unsigned flags);
/* Makes a folder, if there is none; it goes again if nothing is committed. */
bool ck_output_folder(ck_job *job, ck_output *output, const char *path);
/* Makes a file that will be `path` after the commit. Where the file system allows it has no name
 * until then, so that not even a killed process leaves it behind. */
ck_file *ck_output_add(ck_job *job, ck_output *output, const char *path);
/* The same, for a file that is left out if nothing was written to it. */
ck_file *ck_output_add_spare(ck_job *job, ck_output *output, const char *path);
bool ck_file_write(ck_job *job, ck_file *file, uint64_t offset, const void *data, size_t len);
/* Makes the file `size` bytes long before it is filled. */
bool ck_file_resize(ck_job *job, ck_file *file, uint64_t size);
/* What was written, to be read again. */
const ck_source *ck_file_source(ck_job *job, const ck_file *file);
/* fsync of every file, rename of every file, fsync of every folder. */
bool ck_output_commit(ck_job *job, ck_output *output);

/* ---- temporary names ---- */

/* ".NAME.ckconv-RANDOM", never longer than a file name may be. NULL after a failure. */
char *ck_temp_name(ck_job *job, const char *name);
/* Marks an open file as in use for as long as it is open; false if somebody has just removed it. */
bool ck_temp_lock(int fd);
/* Removes files of such names that no living process uses, with a note for each. */
void ck_temp_clear(ck_job *job, int dir);
/* Nobody clears up in this folder as long as this descriptor is open. */
void ck_temp_keep(int dir);

/* ---- digest ---- */

uint32_t ck_crc32(uint32_t crc, const void *data, size_t len);
/* The CRC-32 of A and B together, from those of A and B and the length of B. */
uint32_t ck_crc32_join(uint32_t a, uint32_t b, uint64_t len_b);

/* ---- work: units that several threads share ---- */

/* At least 1. Whoever is confined cannot ask: the C library reads the number from a file. */
unsigned ck_processors(void);

/* What stands above "its own" is given by the caller; it lives as long as the job. */
typedef struct ck_work {
	const char *what;    /* for progress: "writing" */
	size_t units;
	uint64_t total;      /* bytes of work, as ck_work_did counts them */
	/* Does one unit, in any thread; allocates nothing. `buffer` is the thread's own. */
	bool (*run)(void *arg, size_t unit, unsigned char *buffer);
	void *arg;
	size_t buffer;       /* bytes */
	/* below: its own */
	ck_job *job;
	atomic_size_t next;  /* unit to be taken */
	atomic_bool failed;
	atomic_uint_fast64_t done;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	size_t running;      /* guarded by lock */
} ck_work;

/* With up to `threads` threads (0: as many as there are processors). False if a unit failed, or
 * the job was stopped. */
bool ck_work_run(ck_job *job, ck_work *work, unsigned threads);
/* Whether another unit failed or the job was stopped: asked now and then in long units. */
bool ck_work_is_over(ck_work *work);
void ck_work_did(ck_work *work, uint64_t bytes);

/* ---- copy: a plan made by a writer, carried out by several threads ---- */

/* The bytes of one storage: all of them are read once and checked against the CRC, and the parts
 * that tensors view are written to where they belong. */
typedef struct ck_copy_input {
	const ck_source *source;
	const ck_stream *stream; /* not NULL: unpacked first; source and offset are then set */
	const char *label;
	uint64_t offset, size;   /* in source */
	uint32_t crc;
	bool has_crc;
	/* below: the engine's own */
	size_t first_move, moves;
	size_t first_part, parts;
} ck_copy_input;

/* How elements become those of another type on their way. */
typedef struct ck_copy_cast {
	size_t from, to; /* bytes of an element before and after: at most 8, and a power of two */
	void (*run)(void *to, const void *from, size_t count, const void *arg);
	const void *arg;
} ck_copy_cast;

/* `size` bytes at `from` of an input go to `to` of the output: as they are, or cast; then `from`
 * and `size` are multiples of the element. */
typedef struct ck_copy_move {
	size_t input;
	uint64_t from, size, to;
	const ck_copy_cast *cast; /* NULL: as they are */
} ck_copy_move;

/* How many bytes of the output that many of the input become. */
uint64_t ck_copy_made(const ck_copy_cast *cast, uint64_t size);

enum { CK_DIMS_MAX = 64 };

/* A tensor whose elements must be put in another order, or changed, on their way. Its output is
 * always in C order without gaps. */
typedef struct ck_copy_gather {
	size_t input;
	uint64_t from, to;      /* byte offsets of the first element */
	size_t item;            /* bytes of one element */
	size_t ndim;
	const uint64_t *shape;
	const uint64_t *step;   /* bytes from one element to the next, per dimension */
	/* Changes `count` elements in place; NULL: leave them as they are. */
	void (*change)(void *items, size_t count, const void *arg);
	const void *change_arg;
	const ck_copy_cast *cast; /* after the change, from `item` bytes; NULL: none */
} ck_copy_gather;

typedef struct ck_copy_plan {
	ck_copy_input *inputs;
	size_t input_count, input_cap;
	ck_copy_move *moves;
	size_t move_count, move_cap;
	ck_copy_gather *gathers;
	size_t gather_count, gather_cap;
} ck_copy_plan;

/* Makes room for so many rows at once. */
bool ck_copy_reserve(ck_job *job, ck_copy_plan *plan, size_t inputs, size_t moves);
/* Each adds a row; the input call returns its number, SIZE_MAX after a failure. */
size_t ck_copy_add_input(ck_job *job, ck_copy_plan *plan, const ck_copy_input *input);
bool ck_copy_add_move(ck_job *job, ck_copy_plan *plan, const ck_copy_move *move);
bool ck_copy_add_gather(ck_job *job, ck_copy_plan *plan, const ck_copy_gather *gather);
/* Carries out the plan with up to `threads` threads (0: as many as there are processors). Memory
 * does not depend on the number of bytes. Fails if a CRC is wrong; *unchecked receives the number
 * of inputs that had none recorded. */
bool ck_copy_run(ck_job *job, ck_copy_plan *plan, ck_file *file, unsigned threads,
                 size_t *unchecked);

/* Casts `count` elements through `buffer` (CK_COPY_CAST bytes), and writes them at `to`. */
enum { CK_COPY_CAST = 256 << 10 };
bool ck_copy_write_cast(ck_job *job, ck_file *file, uint64_t to, const void *items, uint64_t count,
                        const ck_copy_cast *cast, unsigned char *buffer);

/* One gather: elements of `source` (which starts at `base`) are brought in order through `buffer`
 * (two halves of CK_GATHER_HALF bytes, and CK_COPY_CAST more) and written to `file`. */
enum { CK_GATHER_HALF = 1 << 20, CK_COPY_BUFFER = 2 * CK_GATHER_HALF + CK_COPY_CAST };
bool ck_gather_run(ck_job *job, const ck_copy_gather *gather, const ck_source *source,
                   uint64_t base, ck_file *file, unsigned char *buffer);
/* Drops dimensions of size 1 and joins those that lie behind each other; returns how many are
 * left. Shape and step have room for CK_DIMS_MAX. */
size_t ck_gather_simplify(size_t ndim, uint64_t *shape, uint64_t *step);

/* ---- json text, made by cJSON ---- */

/* Appends a JSON string, quotes included. The text is UTF-8; NULs and surrogates, which cJSON
 * cannot print, become \u escapes. */
bool ck_json_string(ck_job *job, ck_text *to, const char *text, size_t len);

/* A JSON object in the making; keys keep their order. Any call may fail, and then every later call
 * on the object does nothing: only ck_json_finish has to be asked. */
typedef struct ck_json {
	struct cJSON *object;
	bool failed;
} ck_json;

void ck_json_begin(ck_json *json);
void ck_json_text(ck_json *json, const char *key, const char *text);
void ck_json_integers(ck_json *json, const char *key, const uint64_t *values, size_t count);
/* Appends the object without blanks and releases it. */
bool ck_json_finish(ck_job *job, ck_json *json, ck_text *to);

/* JSON that was read, as a tree that lives as long as the job. Everything may be asked of every
 * node: what is not there, or of another kind, is NULL, false or nothing. */
typedef struct cJSON ck_json_node;

/* Reads a source that is all JSON, in UTF-8. Its depth is limited (to what cJSON allows, 1000), and
 * so is its size. Refused: NULs in strings, which no name needs. NULL after a failure. */
const ck_json_node *ck_json_read(ck_job *job, const ck_source *source);
/* Fails unless a source is JSON and nothing else. Keeps none of it in memory, so that it may be of
 * any size; may be asked of what an attacker wrote. */
bool ck_json_check(ck_job *job, const ck_source *source);
/* The value of a key of an object; the first, if it is there several times. Goes through the whole
 * object: not for loops. */
const ck_json_node *ck_json_get(const ck_json_node *object, const char *key);
/* The items of an array or the values of an object, one after the other. */
const ck_json_node *ck_json_first(const ck_json_node *container);
const ck_json_node *ck_json_next(const ck_json_node *item);
/* The key of a value of an object; NULL in an array. */
const char *ck_json_key(const ck_json_node *value);
/* The text of a string, or NULL. */
const char *ck_json_string_of(const ck_json_node *node);
/* A whole number, or a string that is one, as protobuf spells 64 bits. */
bool ck_json_integer(const ck_json_node *node, int64_t *value);
bool ck_json_is_array(const ck_json_node *node);
bool ck_json_is_object(const ck_json_node *node);
bool ck_json_is_true(const ck_json_node *node);

/* ---- messages of protocol buffers, read field by field ---- */

/* All zero but for job and source at first. */
typedef struct ck_pb {
	ck_job *job;
	const ck_source *source;
	uint64_t window_at;
	size_t window_len;
	unsigned char window[4096];
} ck_pb;

typedef struct ck_pb_field {
	uint32_t field;
	uint32_t wire;      /* how it is spelled; 2: bytes */
	bool is_bytes;      /* bytes, text or a message */
	uint64_t number;    /* of all others: 32 and 64 bits as they are */
	uint64_t at;        /* offset of the field */
	uint64_t from, len; /* of the bytes */
} ck_pb_field;

/* The field at *at, of a message that ends at `end`, which lies in the source; *at is then behind
 * it. */
bool ck_pb_next(ck_pb *pb, uint64_t *at, uint64_t end, ck_pb_field *field);
/* The next of several packed numbers. */
bool ck_pb_varint(ck_pb *pb, uint64_t *at, uint64_t end, uint64_t *value);

#endif
