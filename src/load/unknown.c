/* What is told about a file besides its tensors: the globals that are not in the table, and notes
 * that are given once however often they apply. */
#include <string.h>

#include "view.h"

/* Remembers each unknown global once, by "module.name"; the first few make a list to be shown. */
static bool remember_unknown(ck_torch *torch, const ck_global *g)
{
	enum { LISTED = 4, SHOWN = 60, BYTES_PER_VISIT = 16 };
	bool fresh;
	char shown[SHOWN];
	ck_text name = {0};
	ck_mark mark = ck_arena_mark(torch->job);
	/* a pickle makes many globals of one long text */
	if (!ck_view_charge(torch, (g->module_len + g->name_len) / BYTES_PER_VISIT) ||
	    !ck_text_add(torch->job, &name, g->module, g->module_len) ||
	    !ck_text_add(torch->job, &name, ".", 1) ||
	    !ck_text_add(torch->job, &name, g->name, g->name_len))
		return false;
	/* pickles without a memo name a class anew for each object */
	if (ck_map_find(torch->job, &torch->loaded->unknown, name.data, name.len)) {
		ck_arena_release(torch->job, mark);
		return true;
	}
	if (!ck_map_put(torch->job, &torch->loaded->unknown, name.data, name.len, &fresh))
		return false;
	if (torch->loaded->unknown.count > LISTED)
		return true;
	ck_show_to(shown, sizeof shown, name.data, name.len);
	return ck_text_addf(torch->job, &torch->loaded->unknown_list, "%s%s",
	                    torch->loaded->unknown.count > 1 ? ", " : "", shown);
}

bool ck_unknown_find(ck_torch *torch)
{
	if (torch->told)
		return true;
	torch->told = true;
	for (size_t i = 0; i < torch->seen.globals.count; i++) {
		const ck_value *global = torch->seen.globals.item[i];
		if (!ck_global_find(global) && !remember_unknown(torch, global->global))
			return false;
	}
	return true;
}

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
		ck_note(torch->job, "%llu bytes at %s look like a checkpoint of their own, which "
		        "was not looked into; --extras FILE.json keeps them",
		        (unsigned long long)value->text.len, ck_path_show(path).s);
	return true;
}
