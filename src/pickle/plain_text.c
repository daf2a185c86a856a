/* Numbers and text of a pickle that need not be made, only be right. */
#include "vm.h"

#include <string.h>

static bool take_index(ck_step *step, const ck_value *number)
{
	step->number = (uint64_t)number->i;
	return number->kind == CK_INT && number->i >= 0;
}

bool ck_vm_plain_at_once(ck_step *step)
{
	ck_value value;
	double number;
	size_t len = (size_t)step->len;
	switch (step->code) {
	case 'I':
	case 'L':
		return ck_literal_short(step->code == 'L', step->text, len, &value);
	case 'F':
		return ck_literal_short_float(step->text, len, &number);
	case 'V':
		return !memchr(step->text, '\\', len);
	case 'g':
	case 'p':
		return ck_literal_short(false, step->text, len, &value) && take_index(step, &value);
	case 'X':
	case 0x8c:
	case 0x8d:
		return ck_utf8_valid_wide(step->text, len);
	default:
		return true;
	}
}

bool ck_vm_plain_text(ck_job *job, ck_step *step)
{
	ck_value value = {0};
	double number;
	const char *why;
	size_t out, len = (size_t)step->len;
	switch (step->code) {
	case 'I':
		return ck_literal_integer(job, CK_LITERAL_INT, step->text, len, &value);
	case 'L':
		return ck_literal_integer(job, CK_LITERAL_LONG, step->text, len, &value);
	case 'F':
		return ck_literal_float(step->text, len, &number);
	case 'V':
		return ck_literal_unicode(job, step->text, len, &out, &why);
	case 'g':
	case 'p':
		return ck_literal_integer(job, CK_LITERAL_INDEX, step->text, len, &value) &&
		       take_index(step, &value);
	default:
		return ck_vm_plain_at_once(step);
	}
}
