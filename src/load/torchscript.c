/* The layout of torch.jit.save since PyTorch 1.4, mobile files included: data.pkl with the objects,
 * their storages in data/, constants.pkl with the constants of the code, theirs in constants/, and
 * the code. Tensors are named by the way to them through the attributes, as
 * ScriptModule.state_dict() does; which of them that lists, only the code says. */
#include "script.h"

#include <string.h>

#include "trace.h"
#include "view.h"

static bool walk_pickle(ck_loaded *loaded, const ck_folder *folder, ck_member *member,
                        const ck_path *at, ck_torch **torch)
{
	*torch = ck_folder_read(loaded, folder, member);
	if (!*torch)
		return false;
	ck_script_forget(*torch);
	return ck_walk(*torch, at);
}

/* ---- what state_dict() would list ---- */

typedef struct {
	ck_torch *torch;
	ck_script script;
	ck_items objects;    /* those that were met: a list to be worked through */
	ck_map met;          /* their addresses */
	ck_map state;        /* addresses of the tensors that are parameters or buffers */
	ck_map views;        /* ck_identity of each of those */
	const ck_global *unread; /* a class whose code is not there */
	size_t unread_count;
} survey;

static bool is_object(const ck_value *value)
{
	return value->kind == CK_CALL && value->call->callee->kind == CK_GLOBAL &&
	       ck_script_is_own(value->call->callee->global);
}

static bool meet(survey *s, ck_value *object)
{
	bool fresh;
	ck_value **key = ck_alloc(s->torch->job, sizeof *key); /* keys outlive the map */
	if (!key)
		return false;
	*key = object;
	return ck_map_put(s->torch->job, &s->met, key, sizeof *key, &fresh) &&
	       (!fresh || ck_items_push(s->torch->job, &s->objects, object));
}

static bool remember(survey *s, const ck_tensor *tensor)
{
	bool fresh;
	const ck_tensor **key = ck_alloc(s->torch->job, sizeof *key);
	if (!key)
		return false;
	*key = tensor;
	ck_identity *id = ck_alloc(s->torch->job, sizeof *id);
	if (!id)
		return false;
	*id = ck_identify(tensor);
	return ck_map_put(s->torch->job, &s->state, key, sizeof *key, &fresh) &&
	       ck_map_put(s->torch->job, &s->views, id, sizeof *id, &fresh);
}

/* A tensor that the state dict lists, and those that belong to it; *tensor: it is one. */
static bool list_tensor(survey *s, const ck_value *value, bool *tensor)
{
	ck_view view;
	if (!ck_view_value(s->torch, value, s->torch->path, &view))
		return false;
	*tensor = view.kind == CK_IS_TENSOR;
	if (!*tensor)
		return true;
	if (view.made->tensor && !remember(s, view.made->tensor))
		return false;
	for (size_t i = 0; i < view.made->besides; i++)
		if (!remember(s, view.made->beside[i].tensor))
			return false;
	return true;
}

/* One attribute of an object of a class. *tensors is set if it is a tensor of unknown standing. */
static bool survey_attribute(survey *s, const ck_global *class, unsigned bits,
                             const ck_value *key, ck_value *value, bool *tensors)
{
	const char *name;
	size_t len;
	bool tensor = false;
	if (value->kind != CK_CALL || !ck_value_text(key, &name, &len))
		return true;
	if (is_object(value))
		return meet(s, value);
	bool listed = !(bits & CK_SCRIPT_BUFFERS) || ck_script_lists(&s->script, class, name, len);
	if (listed && !list_tensor(s, value, &tensor))
		return false;
	*tensors = *tensors || (tensor && !bits);
	return true;
}

enum { BYTES_PER_VISIT = 64 }; /* of names that are looked up */

static bool survey_object(survey *s, const ck_value *object)
{
	unsigned bits;
	bool tensors = false;
	const ck_global *class = object->call->callee->global;
	const ck_items *states = &ck_call_later(object->call)->states;
	uint64_t cost = (class->module_len + class->name_len) / BYTES_PER_VISIT;
	if (!ck_view_charge(s->torch, cost) || !ck_script_class(&s->script, class, &bits))
		return false;
	for (size_t i = 0; i < states->count; i++) {
		const ck_value *state = states->item[i];
		size_t count = state->kind == CK_DICT ? state->items->count : 0;
		if (!ck_view_charge(s->torch, count * (1 + cost / 2)))
			return false;
		for (size_t k = 0; k < count; k += 2)
			if (!survey_attribute(s, class, bits, state->items->item[k],
			                      state->items->item[k + 1], &tensors))
				return false;
	}
	if (tensors && !s->unread_count++)
		s->unread = class;
	return true;
}

/* The tensors from entry `from` on that state_dict() does not list: how many, and the first of
 * them. Those that it lists under another name (an RNN's flat weights) are not written again. */
static bool tell_attributes(survey *s, size_t from)
{
	enum { LISTED = 4 };
	ck_text list = {0};
	size_t total = 0, len;
	const ck_torch *torch = s->torch;
	size_t kept = from;
	for (size_t i = from; i < torch->model->count; i++) {
		const ck_entry *entry = &torch->model->entries[i];
		ck_identity id = ck_identify(entry->tensor);
		/* a list's items are no entries of a state dict, even if they are the same
		 * tensors */
		bool listed = entry->path->is_text &&
		              ck_map_find(torch->job, &s->state, &entry->tensor,
		                          sizeof entry->tensor);
		if (!listed && ck_map_find(torch->job, &s->views, &id, sizeof id))
			continue;
		torch->model->entries[kept++] = *entry;
		entry = &torch->model->entries[kept - 1];
		if (listed)
			continue;
		if (++total > LISTED)
			continue;
		const char *name = ck_path_name(torch->job, entry->path, torch->path, &len);
		if (!name || !ck_text_addf(torch->job, &list, "%s%s", total > 1 ? ", " : "",
		                           ck_show(name, len).s))
			return false;
	}
	torch->model->count = kept;
	if (total)
		ck_note(torch->job, "%zu tensor%s neither a parameter nor a buffer, which "
		        "state_dict() does not hold, %s kept, too: %.*s%s", total,
		        total == 1 ? " that is" : "s that are", total == 1 ? "is" : "are",
		        (int)list.len, list.data, total > LISTED ? ", ..." : "");
	return true;
}

static bool tell_standing(ck_torch *torch, const ck_folder *folder, size_t from)
{
	survey s = {.torch = torch, .script = {.job = torch->job, .folder = folder}};
	if (is_object(torch->root) && !meet(&s, torch->root))
		return false;
	for (size_t i = 0; i < s.objects.count; i++)
		if (!survey_object(&s, s.objects.item[i]))
			return false;
	if (s.unread_count)
		ck_note(torch->job, "the code of %zu module%s (%s.%s%s) is not in the archive, so "
		        "nothing says which of %s tensors are parameters or buffers: all are kept",
		        s.unread_count, s.unread_count == 1 ? "" : "s",
		        ck_show(s.unread->module, s.unread->module_len).s,
		        ck_show(s.unread->name, s.unread->name_len).s,
		        s.unread_count == 1 ? "" : ", ...", s.unread_count == 1 ? "its" : "their");
	return tell_attributes(&s, from);
}

/* Numbers, text and the like are attributes of modules, which a state dict does not hold; as with
 * other modules, they are not missed. */
static void forget_values(ck_model *model, size_t from)
{
	size_t kept = from;
	for (size_t i = from; i < model->other_count; i++)
		if (model->others[i].kind != CK_OTHER_VALUE)
			model->others[kept++] = model->others[i];
	model->other_count = kept;
}

/* ---- the layout ---- */

void ck_script_tell_constants(ck_job *job, size_t count)
{
	if (count)
		ck_note(job, "%zu constant tensor%s of the code, which state_dict() does not hold, "
		        "%s kept as constants.N", count, count == 1 ? "" : "s",
		        count == 1 ? "is" : "are");
}

static bool load_constants(ck_loaded *loaded, ck_folder folder, ck_member *member,
                           const ck_path *at)
{
	static const char name[] = "constants";
	ck_torch *torch;
	size_t before = loaded->model->count;
	const ck_path *path = ck_path_new(loaded->job, at, name, sizeof name - 1, true);
	folder.storages = "constants/";
	if (!path || !walk_pickle(loaded, &folder, member, path, &torch))
		return false;
	ck_script_tell_constants(loaded->job, loaded->model->count - before);
	return true;
}

static bool probe(ck_job *job, const ck_input *in)
{
	ck_folder folder = {.archive = in->archive};
	return in->archive && ck_folder_of(in->archive, "constants.pkl", &folder) &&
	       ck_folder_member(job, &folder, "data.pkl");
}

static bool load(ck_loaded *loaded, const ck_input *in, const ck_path *at)
{
	ck_torch *torch;
	ck_job *job = loaded->job;
	ck_folder folder = {.archive = in->archive, .storages = "data/"};
	size_t before = loaded->model->count, others = loaded->model->other_count;
	ck_member *data = ck_folder_pickle(job, &folder);
	/* TorchSharp wrote none */
	if (!data || !ck_folder_version(job, &folder, false) || !ck_trace_folder(loaded, &folder) ||
	    !walk_pickle(loaded, &folder, data, at, &torch) ||
	    !tell_standing(torch, &folder, before))
		return false;
	forget_values(loaded->model, others);
	ck_member *constants = ck_folder_member(job, &folder, "constants.pkl");
	return (!constants || load_constants(loaded, folder, constants, at)) &&
	       ck_archive_check_overlap(job, in->archive);
}

const ck_layout ck_layout_torchscript = {
	"TorchScript", "torch.jit.save since PyTorch 1.4", false, probe, load,
};
