/* Metadata that is given on the command line. */
#include "edit.h"

#include <string.h>

static void remove_key(ck_model *model, const char *key)
{
	size_t kept = 0;
	for (size_t i = 0; i < model->metadata_count; i++)
		if (strcmp(model->metadata[i].key, key) != 0)
			model->metadata[kept++] = model->metadata[i];
	model->metadata_count = kept;
}

static bool is_tie(const ck_model *model, const char *key)
{
	for (size_t i = 0; i < model->metadata_count; i++)
		if (model->metadata[i].tie && !strcmp(model->metadata[i].key, key))
			return true;
	return false;
}

bool ck_edit_metadata(ck_job *job, ck_model *model, const ck_words *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		const char *text = pairs->text[i], *split = strchr(text, '=');
		if (!split || split == text)
			return ck_fail(job, CK_USAGE, "", "--metadata takes KEY=VALUE, not '%s'",
			               ck_show(text, strlen(text)).s);
		if (!ck_utf8_valid(text, strlen(text)))
			return ck_fail(job, CK_USAGE, "", "--metadata '%s' is not UTF-8",
			               ck_show(text, strlen(text)).s);
		const char *key = ck_copy(job, text, (size_t)(split - text));
		if (!key)
			return false;
		if (is_tie(model, key))
			return ck_fail(job, CK_USAGE, "", "--metadata '%s' would replace the "
			               "record that tells where the tied weight of that name is",
			               ck_show(text, strlen(text)).s);
		remove_key(model, key);
		if (!ck_model_add_metadata(job, model, key, split + 1))
			return false;
	}
	return true;
}
