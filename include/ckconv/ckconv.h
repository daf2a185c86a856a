/* libckconv: reads tensors out of torch checkpoints without ever running them, and writes them to
 * formats that are only data.
 *
 * Everything hangs on a job. A job is used by one thread at a time (only ck_job_stop may be called
 * from anywhere, a signal handler too); different jobs are independent of each other. A call that
 * fails returns false or NULL, and ck_job_error says why; after that the job can only be freed. The
 * library keeps no state of its own, does not write to stdout or stderr, installs no handlers. */
#ifndef CKCONV_CKCONV_H
#define CKCONV_CKCONV_H

#include <ckconv/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CK_API __attribute__((visibility("default")))
#else
#define CK_API
#endif

typedef struct ck_job ck_job;
typedef struct ck_checkpoint ck_checkpoint;
typedef struct ck_conversion ck_conversion;

/* "0.1.0" */
CK_API const char *ck_version(void);

/* A new job with the default limits, or NULL if there is no memory. The caller frees it; that
 * removes what is unfinished and releases everything the job handed out. NULL may be freed. */
CK_API ck_job *ck_job_new(void);
CK_API void ck_job_free(ck_job *job);

/* Sets a limit from "name=value", such as "tensors=5000" or "heap=512M" (see CK_LIMITS). */
CK_API bool ck_job_limit(ck_job *job, const char *text);

/* Who is told what happens; either function may be NULL. `note` receives one sentence without a
 * newline, safe to print. `progress` receives what is done ("unpacking", "writing"), and how many
 * bytes of how many are done, about ten times a second while much is moved. Both are called on the
 * thread that called the job. */
CK_API void ck_job_listen(ck_job *job, void (*note)(void *arg, const char *text),
                          void (*progress)(void *arg, const char *what, uint64_t done,
                                           uint64_t total), void *arg);

/* Asks a running call to fail with CK_STOPPED. Safe in signal handlers and from other threads. */
CK_API void ck_job_stop(ck_job *job);

/* Why the last call failed; status CK_OK if none did. Lives as long as the job. */
CK_API const ck_error *ck_job_error(const ck_job *job);

/* Writes text into `to`, escaped so that it is safe to print on a terminal, and shortened with
 * "..." to fit into `size` bytes with its NUL. */
CK_API void ck_printable(const char *text, char *to, size_t size);
/* The same of text in which NUL is a character like others. */
CK_API void ck_printable_bytes(const char *text, size_t len, char *to, size_t size);

typedef struct ck_options {
	/* what is taken from the input */
	const char *root;    /* "auto", "." for everything, or keys joined by dots */
	ck_ties ties;
	ck_shaping shaping;  /* by names, and new names */
	ck_words cast;       /* "f16", "bf16:GLOB": what floating tensors become, as to() of torch
	                      * rounds; the last that matches a name in the output */
	bool strict;         /* what would be left out is an error */
	bool dequantize;     /* quantized tensors become float32, as dequantize() makes them */
	bool densify;        /* sparse tensors become dense, as to_dense() makes them */
	ck_complex complex;
	bool skip_unsupported; /* leave out what cannot be written, rather than fail */
	const char *policy;  /* file of names to allow and deny (see ck_policy_read), or NULL */
	bool disarm;         /* take the tensors even out of a file that carries code */
	/* how the output is written */
	const char *format;  /* "safetensors", "onnx", "onnx+safetensors"; NULL: by the suffix */
	bool external_data;  /* ONNX: the tensors in a file of their own, OUT.data */
	ck_words metadata;   /* "KEY=VALUE", over what the input says */
	uint64_t align;      /* safetensors: the data begins at a multiple of it; 0: of 8 */
	uint64_t max_shard_size; /* safetensors: bytes of tensors in one file of several; 0: all */
	const char *extras;  /* JSON file for the values that are no tensors, or NULL */
	unsigned threads;    /* 0: as many as there are processors */
	bool dry_run;        /* find out what would be written, and write nothing */
	bool check;          /* read what was written, and compare it with the input */
	bool no_clobber;     /* never replace a file */
	bool no_fsync;       /* do not wait for the disk */
} ck_options;

/* root "auto", ties and complex numbers kept, all else zero. */
CK_API void ck_options_default(ck_options *options);

/* Opens a checkpoint, reads its pickle as data and finds its tensors; tensor data is not read. The
 * checkpoint lives as long as the job. options may be NULL; with a format, tensors of dtypes that
 * it lacks cannot be written, otherwise only those of kinds that no format holds. */
CK_API ck_checkpoint *ck_checkpoint_open(ck_job *job, const char *path, const ck_options *options);
/* What kind of file it is: "torch zip". */
CK_API const char *ck_checkpoint_layout(const ck_checkpoint *checkpoint);
/* The number of tensors, and each of them in the order of the file. */
CK_API size_t ck_checkpoint_count(const ck_checkpoint *checkpoint);
CK_API void ck_checkpoint_tensor(const ck_checkpoint *checkpoint, size_t index,
                                 ck_tensor_info *info);

typedef struct ck_summary {
	const char *layout;  /* of the input */
	size_t tensors;
	uint64_t bytes;      /* of all tensors */
	size_t files;        /* that hold them */
	uint64_t file_bytes; /* of the files with them; only of a dry run */
} ck_summary;

/* Converts the file `in` to the file `out`, which appears complete and checked, or not at all; `in`
 * is never changed. `in` may also be an index of shards or a folder with a model in it, and `out` a
 * folder. options and summary may be NULL. */
CK_API bool ck_convert(ck_job *job, const char *in, const char *out, const ck_options *options,
                       ck_summary *summary);

/* The same in three parts, for callers that do the middle one in a process of its own which can
 * reach nothing but what is open. `open` alone opens anything by name; what options point to must
 * live as long as the conversion, which is as long as the job. `run` reads the input and writes the
 * output, and neither opens nor renames a file. `commit` trusts nothing that was written: it reads
 * the header of the output strictly before it brings the files to the disk and to their names. It
 * may be called where `run` never was, if that ended well in a forked process. */
CK_API ck_conversion *ck_convert_open(ck_job *job, const char *in, const char *out,
                                      const ck_options *options);
/* False while there are more files to be opened: those that an index or an ONNX model names, or
 * those that the shards need. Then `ask` reads the input for what they are (it opens nothing, and
 * lasts as long as the job), and `answer` opens them: it trusts nothing that it is told. Both are
 * repeated until all is open; `ask` may be done in a forked process. */
CK_API bool ck_convert_is_open(const ck_conversion *conversion);
CK_API const void *ck_convert_ask(ck_conversion *conversion, size_t *len);
CK_API bool ck_convert_answer(ck_conversion *conversion, const void *answer, size_t len);
CK_API bool ck_convert_run(ck_conversion *conversion, ck_summary *summary);
CK_API bool ck_convert_commit(ck_conversion *conversion);
/* The descriptors that `run` needs, at most `max` of them in `to`; returns how many there are. */
CK_API size_t ck_convert_descriptors(const ck_conversion *conversion, int *to, size_t max);
/* No file that `run` writes gets longer than so many bytes, by the size of the input and the limits
 * of the job: for whoever sets a limit for the process. */
CK_API uint64_t ck_convert_file_max(const ck_conversion *conversion);

#ifdef __cplusplus
}
#endif

#endif
