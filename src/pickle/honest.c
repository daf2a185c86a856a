/* Whether a pickle needs more memory than an honest one of its length, found out while it is
 * read. */
#include "vm.h"

/* Up to this weight a value on the stack counts: honest pickles have few of any weight there, while
 * the many parts of a long tuple are small. */
enum { WEIGHT_MAX = 16 << 10, LEVELS_MAX = 4 };

static uint64_t weigh(const ck_value *value, int level);

static uint64_t weigh_items(const ck_items *items, int level)
{
	uint64_t weight = items->cap * sizeof *items->item;
	for (size_t i = 0; i < items->count && weight < WEIGHT_MAX; i++)
		weight += weigh(items->item[i], level + 1);
	return weight;
}

/* The bytes of a value, about, and of what hangs on it. */
static uint64_t weigh(const ck_value *value, int level)
{
	uint64_t weight = value->id ? sizeof *value : 0; /* else it is everybody's */
	switch ((ck_kind)value->kind) {
	case CK_STR:
	case CK_BYTES:
	case CK_LONG:
		return weight + (value->text.data ? CK_ALIGNED(value->text.len + 1) : 0);
	case CK_LIST:
	case CK_TUPLE:
	case CK_SET:
	case CK_DICT:
		return weight + (level < LEVELS_MAX ? weigh_items(value->items, level) : 0);
	case CK_CALL:
		weight += sizeof *value->call;
		return weight + (level < LEVELS_MAX ? weigh(value->call->args, level + 1) : 0);
	case CK_PERSID:
		return weight + (level < LEVELS_MAX ? weigh(value->pid, level + 1) : 0);
	default:
		return weight;
	}
}

static uint64_t weigh_stack(const ck_vm *vm, uint64_t most)
{
	uint64_t sum = vm->stack_cap * sizeof *vm->stack;
	for (size_t i = 0; i < vm->depth && sum <= most; i++) {
		uint64_t weight = weigh(vm->stack[i], 0);
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
 * been made yet, may hardly need more than the pickle itself. */
bool ck_vm_is_honest(ck_vm *vm, uint64_t bytes, uint64_t held)
{
	enum { FREE = 32 << 20, STACK_FREE = 48 << 20, STEP = 2 << 20 };
	if (vm->job->heap_given || held < FREE)
		return true;
	if ((held - FREE) / CK_HEAP_PER_BYTE > bytes)
		return refuse(vm, bytes, held);
	if (held < STACK_FREE + bytes || held < vm->weighed + STEP)
		return true;
	vm->weighed = held;
	return weigh_stack(vm, STACK_FREE + bytes) <= STACK_FREE + bytes ||
	       refuse(vm, bytes, held);
}
