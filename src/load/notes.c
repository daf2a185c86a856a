/* What is told about a file besides its tensors, once however often it applies. */
#include <string.h>

#include "view.h"

bool ck_note_once(ck_loaded *loaded, const char *note)
{
	bool fresh;
	if (!ck_map_put(loaded->job, &loaded->noted, note, strlen(note), &fresh))
		return false;
	if (fresh)
		ck_note(loaded->job, "%s", note);
	return true;
}

/* How files of torch.save begin. */
static const struct {
	const char *bytes;
	size_t len;
} beginnings[] = {{"PK\3\4", 4}, {"\x80\2\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15}};

bool ck_embedded_note(ck_torch *torch, const ck_value *value, const ck_path *path)
{
	char head[16];
	bool is = false;
	if (value->kind != CK_BYTES || value->text.len < sizeof head)
		return true;
	if (value->text.data)
		memcpy(head, value->text.data, sizeof head);
	else if (!ck_read_at(torch->job, torch->pickle, value->at, head, sizeof head))
		return false;
	for (size_t i = 0; i < CK_COUNT(beginnings); i++)
		is = is || !memcmp(head, beginnings[i].bytes, beginnings[i].len);
	if (is && !torch->loaded->embedded++)
		ck_note(torch->job, "a value of %s at %s looks like a checkpoint of its own, which "
		        "was not looked into; --extras FILE.json keeps it",
		        ck_many(value->text.len, "byte").s, ck_path_show(path).s);
	return true;
}
