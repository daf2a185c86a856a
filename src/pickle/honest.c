/* Whether a pickle needs more memory than an honest one of its length, found out while it is
 * read. */
#include "vm.h"

/* Up to this weight a value on the stack counts: honest pickles have few of any weight there, while
 * the many parts of a long tuple are small. */
enum { WEIGHT_MAX = 16 << 10, LEVELS_MAX = 4 };

static void weigh(const ck_value *value, int level, uint64_t *weight);

static void weigh_items(const ck_items *items, int level, uint64_t *weight)
{
	*weight += items->cap * sizeof *items->item;
	for (size_t i = 0; i < items->count && *weight < WEIGHT_MAX; i++)
		weigh(items->item[i], level + 1, weight);
}

/* Adds the bytes of a value, about, and of what hangs on it. */
static void weigh(const ck_value *value, int level, uint64_t *weight)
{
	const bool deeper = level < LEVELS_MAX;
	*weight += value->id ? sizeof *value : 0; /* else it is everybody's */
	switch ((ck_kind)value->kind) {
	case CK_STR:
	case CK_BYTES:
	case CK_LONG:
		*weight += value->text.data ? CK_ALIGNED(value->text.len + 1) : 0;
		return;
	case CK_LIST:
	case CK_TUPLE:
	case CK_SET:
	case CK_DICT:
		if (deeper)
			weigh_items(value->items, level, weight);
		return;
	case CK_CALL:
		*weight += sizeof *value->call;
		if (deeper)
			weigh(value->call->args, level + 1, weight);
		return;
	case CK_PERSID:
		if (deeper)
			weigh(value->pid, level + 1, weight);
		return;
	default:
		return;
	}
}

static uint64_t weigh_stack(const ck_vm *vm, uint64_t most)
{
	uint64_t sum = vm->stack_cap * sizeof *vm->stack;
	for (size_t i = 0; i < vm->depth && sum <= most; i++) {
		uint64_t weight = 0;
		weigh(vm->stack[i], 0, &weight);
		sum += weight < WEIGHT_MAX ? weight : WEIGHT_MAX;
	}
	return sum;
}

static bool refuse(ck_vm *vm, uint64_t bytes, uint64_t held)
{
	return ck_fail_at(vm->job, CK_LIMIT, vm->steps.source->label, vm->steps.at,
	                  "the pickle needs more than %s of memory for its first %s; if the file "
	                  "can be trusted to need it, raise the limit with --limit heap=N",
	                  ck_many(held, "byte").s, ck_many(bytes, "byte").s);
}

/* The limit of memory follows the size of the file; a pickle that needs far more than its share
 * from the first bytes on is refused at once. Values that wait on the stack, of which nothing has
 * been made yet, may hardly need more than the pickle itself. To weigh a stack may take a while:
 * that is done again when there is more by a share, so that all of it stays in proportion. */
bool ck_vm_is_honest(ck_vm *vm, uint64_t bytes, uint64_t held)
{
	enum { FREE = 32 << 20, STACK_FREE = 48 << 20, SHARE = 8 };
	if (vm->job->heap_given || held < FREE)
		return true;
	if ((held - FREE) / CK_HEAP_PER_BYTE > bytes)
		return refuse(vm, bytes, held);
	if (held < STACK_FREE + bytes || held < vm->weighed + vm->weighed / SHARE)
		return true;
	vm->weighed = held;
	return weigh_stack(vm, STACK_FREE + bytes) <= STACK_FREE + bytes ||
	       refuse(vm, bytes, held);
}
