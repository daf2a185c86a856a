/* Sizes of files, as people write them. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* As Hugging Face's libraries: 5GB are 5,000,000,000 bytes. */
static const struct {
	const char *word;
	uint64_t bytes;
} units[] = {
	{"", 1},                {"B", 1},
	{"KB", 1000},           {"KiB", UINT64_C(1) << 10},
	{"MB", 1000000},        {"MiB", UINT64_C(1) << 20},
	{"GB", 1000000000},     {"GiB", UINT64_C(1) << 30},
	{"TB", 1000000000000},  {"TiB", UINT64_C(1) << 40},
};

bool cli_parse_size(const char *option, const char *text, uint64_t *bytes)
{
	enum { DIGITS = 15 }; /* so many fit 64 bits */
	size_t digits = strspn(text, "0123456789");
	const uint64_t number = strtoull(text, NULL, 10);
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (!digits || digits > DIGITS || strcasecmp(text + digits, units[i].word) != 0 ||
		    !number || __builtin_mul_overflow(number, units[i].bytes, bytes))
			continue;
		return true;
	}
	cli_say("%s takes a size such as 5GB, 500MB or 2GiB, not '%s'", option,
	        cli_show_name(text).s);
	return false;
}
