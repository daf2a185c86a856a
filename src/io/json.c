/* JSON, written and read: the only file that knows cJSON. Integers go out as raw text, because
 * cJSON keeps numbers as doubles and would lose digits from 2^53. */
#include "io.h"

#include <cjson/cJSON.h>
#include <errno.h>
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

/* ---- reading ---- */

/* cJSON needs up to a hundred bytes for each node: this many values are enough for a million
 * tensors, and fit the memory that a process may have. */
enum { BYTES_MAX = 256 << 20, NODES_MAX = 16 << 20 };

static void release(void *root)
{
	cJSON_Delete(root);
}

/* Each value but the first has a comma before it or opens a container. */
static bool is_small(const char *text, size_t len)
{
	size_t nodes = 1;
	for (size_t i = 0; i < len; i++)
		nodes += text[i] == ',' || text[i] == '[' || text[i] == '{';
	return nodes <= NODES_MAX;
}

/* What cJSON will allocate, which it does not do from the job: a node with the head that malloc
 * puts before it, and the text of strings, each of which stands between two quotes. */
static bool has_memory(ck_job *job, const ck_source *source, const char *text, size_t len)
{
	enum { NODE = sizeof(cJSON) + 16, HALF_STRING = 12 };
	uint64_t need = NODE + len;
	for (size_t i = 0; i < len; i++) {
		need += text[i] == ',' || text[i] == '[' || text[i] == '{' ? NODE : 0;
		need += text[i] == '"' ? HALF_STRING : 0;
	}
	if (!ck_add(job->arena.held, need, &need) || need > job->limits.heap)
		return ck_fail_limit(job, source->label, "heap");
	job->arena.held = need;
	return true;
}

static bool check(ck_job *job, const ck_source *source, const char *text, size_t len)
{
	const char *nul = memmem(text, len, "\\u0000", 6);
	if (!is_small(text, len))
		return ck_fail(job, CK_LIMIT, source->label, "more than %d JSON values", NODES_MAX);
	if (!ck_utf8_valid(text, len))
		return ck_fail(job, CK_CORRUPT, source->label, "the JSON text is not UTF-8");
	if (nul)
		return ck_fail_at(job, CK_CORRUPT, source->label, (uint64_t)(nul - text),
		                  "a JSON string has a NUL in it, which no name needs");
	return has_memory(job, source, text, len);
}

const ck_json_node *ck_json_read(ck_job *job, const ck_source *source)
{
	if (source->size > BYTES_MAX) {
		ck_fail(job, CK_LIMIT, source->label, "more than %d bytes of JSON", BYTES_MAX);
		return NULL;
	}
	size_t len = (size_t)source->size;
	const char *end = NULL;
	ck_mark mark = ck_arena_mark(job);
	char *text = ck_alloc(job, len + 1);
	if (!text || !ck_read_at(job, source, 0, text, len) || !check(job, source, text, len))
		return NULL;
	errno = 0;
	cJSON *root = cJSON_ParseWithLengthOpts(text, len + 1, &end, true);
	if (!root && errno == ENOMEM) /* cJSON does not tell it from a syntax error */
		ck_fail_nomem(job);
	else if (!root)
		ck_fail_at(job, CK_CORRUPT, source->label, end ? (uint64_t)(end - text) : 0,
		           "the JSON text is damaged, or nested too deeply");
	ck_arena_release(job, mark);
	return root && ck_defer(job, release, root) ? root : NULL;
}

const ck_json_node *ck_json_get(const ck_json_node *object, const char *key)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const ck_json_node *ck_json_first(const ck_json_node *container)
{
	return cJSON_IsObject(container) || cJSON_IsArray(container) ? container->child : NULL;
}

const ck_json_node *ck_json_next(const ck_json_node *item)
{
	return item ? item->next : NULL;
}

const char *ck_json_key(const ck_json_node *value)
{
	return value ? value->string : NULL;
}

const char *ck_json_string_of(const ck_json_node *node)
{
	return cJSON_IsString(node) ? node->valuestring : NULL;
}

/* Decimal digits, perhaps with a sign before them. */
static bool parse_integer(const char *text, int64_t *value)
{
	bool negative = *text == '-';
	uint64_t sum = 0;
	text += negative;
	if (!*text)
		return false;
	for (; *text; text++)
		if (*text < '0' || *text > '9' || !ck_mul(sum, 10, &sum) ||
		    !ck_add(sum, (uint64_t)(*text - '0'), &sum))
			return false;
	if (sum > INT64_MAX)
		return false;
	*value = negative ? -(int64_t)sum : (int64_t)sum;
	return true;
}

bool ck_json_integer(const ck_json_node *node, int64_t *value)
{
	static const double exact = 9007199254740992.0; /* 2^53: beyond it cJSON loses digits */
	if (cJSON_IsString(node))
		return parse_integer(node->valuestring, value);
	if (!cJSON_IsNumber(node) || !(node->valuedouble > -exact && node->valuedouble < exact))
		return false;
	*value = (int64_t)node->valuedouble;
	return (double)*value >= node->valuedouble && (double)*value <= node->valuedouble;
}

bool ck_json_is_array(const ck_json_node *node)
{
	return cJSON_IsArray(node);
}

bool ck_json_is_object(const ck_json_node *node)
{
	return cJSON_IsObject(node);
}

bool ck_json_is_true(const ck_json_node *node)
{
	return cJSON_IsTrue(node);
}
