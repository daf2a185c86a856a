/* JSON text: the only file that knows cJSON. Integers go in as raw text, because cJSON keeps
 * numbers as doubles and would lose digits from 2^53. */
#include "io.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

/* A piece of a string, without the quotes that cJSON puts around it. */
static bool add_piece(ck_job *job, ck_text *to, const char *text, size_t len)
{
	char *copy = ck_copy(job, text, len);
	cJSON *item = copy ? cJSON_CreateStringReference(copy) : NULL;
	char *printed = item ? cJSON_PrintUnformatted(item) : NULL;
	bool ok = printed ? ck_text_add(job, to, printed + 1, strlen(printed) - 2)
	                  : ck_fail_nomem(job);
	cJSON_free(printed);
	cJSON_Delete(item);
	return ok;
}

/* The length of the text up to the first character that cJSON cannot print. */
static size_t plain_length(const char *text, size_t len, uint32_t *code, size_t *took)
{
	size_t at = 0;
	for (; at < len; at += *took) {
		*took = ck_utf8_next_wide(text + at, len - at, code);
		if (!*took || !*code || (*code >= 0xD800 && *code <= 0xDFFF))
			break;
	}
	return at;
}

bool ck_json_string(ck_job *job, ck_text *to, const char *text, size_t len)
{
	if (!ck_text_add(job, to, "\"", 1))
		return false;
	for (;;) {
		uint32_t code = 0xFFFD;
		size_t took = 0;
		size_t plain = plain_length(text, len, &code, &took);
		if (plain && !add_piece(job, to, text, plain))
			return false;
		if (plain == len)
			return ck_text_add(job, to, "\"", 1);
		if (!ck_text_addf(job, to, "\\u%04x", took ? code : 0xFFFD))
			return false;
		plain += took ? took : 1;
		text += plain;
		len -= plain;
	}
}

void ck_json_begin(ck_json *json)
{
	json->object = cJSON_CreateObject();
	json->failed = !json->object;
}

void ck_json_text(ck_json *json, const char *key, const char *text)
{
	json->failed = json->failed || !cJSON_AddStringToObject(json->object, key, text);
}

void ck_json_integers(ck_json *json, const char *key, const uint64_t *values, size_t count)
{
	cJSON *array = json->failed ? NULL : cJSON_AddArrayToObject(json->object, key);
	json->failed = !array;
	for (size_t i = 0; i < count && !json->failed; i++) {
		char digits[24];
		snprintf(digits, sizeof digits, "%llu", (unsigned long long)values[i]);
		cJSON *item = cJSON_CreateRaw(digits);
		json->failed = !cJSON_AddItemToArray(array, item);
		if (json->failed)
			cJSON_Delete(item);
	}
}

bool ck_json_finish(ck_job *job, ck_json *json, ck_text *to)
{
	char *printed = json->failed ? NULL : cJSON_PrintUnformatted(json->object);
	bool ok = printed ? ck_text_add(job, to, printed, strlen(printed)) : ck_fail_nomem(job);
	cJSON_free(printed);
	cJSON_Delete(json->object);
	json->object = NULL;
	return ok;
}
