/* Inside the model room: the text of a safetensors header, and the tokens of JSON in it. */
#ifndef CK_MODEL_SAFETENSORS_TEXT_H
#define CK_MODEL_SAFETENSORS_TEXT_H

#include "model.h"

enum { CK_ST_LENGTH = 8 }; /* bytes before the text, which say how long it is */

typedef struct ck_st_text {
	ck_job *job;
	const ck_source *source;
	const char *text; /* valid UTF-8, without a NUL behind it */
	size_t len, at;   /* `at`: of the next token */
} ck_st_text;

/* Lies in the text or, if it has escapes, in the memory of the job; without a NUL behind it. */
typedef struct ck_st_string {
	const char *data;
	size_t len;
} ck_st_string;

/* All that read return false after an error that names the byte. */

/* `what` is the rule that is broken at `at` in the text. Returns false. */
bool ck_st_fail(const ck_st_text *t, size_t at, const char *what);
/* The next character that is no blank; 0 at the end. */
char ck_st_peek(ck_st_text *t);
/* Goes behind `wanted` if that is next; it is no error if it is not. */
bool ck_st_accept(ck_st_text *t, char wanted);
bool ck_st_expect(ck_st_text *t, char wanted);
/* After an item: another one follows, or the container ends. */
bool ck_st_more(ck_st_text *t, char closing, bool *more);
bool ck_st_read_string(ck_st_text *t, ck_st_string *to);
/* Of 64 bits, without a sign. */
bool ck_st_read_number(ck_st_text *t, uint64_t *value);

#endif
