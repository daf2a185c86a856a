/* What the tests of src/pack share: fixtures as bytes and as sources. */
#ifndef CK_PACK_UNIT_H
#define CK_PACK_UNIT_H

#include <stdlib.h>
#include <string.h>

#include "pack.h"
#include "pack_fixtures.h"
#include "unit.h"

#define FIRST "The first stream.\n"
#define SECOND "And the second.\n"

static inline const fixture *fixture_of(const char *name)
{
	for (size_t i = 0; i < CK_COUNT(fixtures); i++)
		if (!strcmp(fixtures[i].name, name))
			return &fixtures[i];
	ck_abort_msg("there is no fixture %s", name);
	return NULL;
}

/* The bytes of a fixture, and room for a few more. They live as long as the job. */
static inline unsigned char *fixture_bytes(ck_job *job, const char *name, size_t *size)
{
	const fixture *f = fixture_of(name);
	unsigned char *data = ck_alloc(job, f->size + 64);
	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < f->count; i++)
		memcpy(data + f->pieces[i].at, f->pieces[i].bytes, f->pieces[i].len);
	*size = f->size;
	return data;
}

/* A source over a copy that ends where an allocation ends, so that a read beyond it is seen. */
static inline const ck_source *source_of(ck_job *job, const void *data, size_t size)
{
	unsigned char *copy = malloc(size ? size : 1);
	memcpy(copy, data, size);
	ck_assert(ck_defer(job, free, copy));
	return ck_source_memory(job, "file", copy, size);
}

static inline const ck_source *fixture_source(ck_job *job, const char *name)
{
	size_t size;
	unsigned char *data = fixture_bytes(job, name, &size);
	return source_of(job, data, size);
}

static inline void assert_holds(ck_job *job, const ck_source *source, const void *data,
                                size_t size)
{
	ck_assert_msg(source != NULL, "%s", job->error.text);
	ck_assert_uint_eq(source->size, size);
	unsigned char *got = malloc(size ? size : 1);
	ck_assert(ck_read_at(job, source, 0, got, size));
	ck_assert_int_eq(memcmp(got, data, size), 0);
	free(got);
}

/* Notes of a job, joined. */
static char notes[1024];

static inline void listen(void *arg, const char *text)
{
	(void)arg;
	strncat(notes, text, sizeof notes - strlen(notes) - 1);
}

static inline ck_job *job_with_ears(void)
{
	ck_job *job = ck_base_job_new();
	ck_assert_ptr_nonnull(job);
	job->note = listen;
	notes[0] = '\0';
	return job;
}

#endif
