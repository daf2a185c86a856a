/* Names that are known to be harmful, or to be parts that harm is built of. This list only makes
 * the wording worse: what it lacks is unknown, never safe. */
#include "deny.h"
#include "judge.h"

#include <string.h>

/* Why something is denied, as the end of "os.system ...". */
static const char STDLIB[] = "belongs to a part of Python's library that no data needs";
static const char MAGIC[] =
	"is one of Python's special attributes, by which anything can be reached";
static const char BUILTIN[] = "is a part of Python itself that no data needs";
static const char MODULE[] = "is a module, whose every function can be reached from there";

/* Parts of Python's library that data may come from; all others are denied. */
static const char spared_modules[] =
	"__future__ abc argparse array base64 binascii bisect builtins __builtin__ exceptions "
	"calendar cmath "
	"collections colorsys configparser contextvars copy csv dataclasses datetime decimal "
	"difflib email enum errno fractions functools hashlib heapq hmac html ipaddress itertools "
	"json keyword locale logging math mimetypes numbers operator optparse pathlib pprint queue "
	"random re reprlib secrets sre_compile sre_constants sre_parse stat statistics string "
	"stringprep struct textwrap time token types typing unicodedata uuid warnings weakref xml "
	"zlib zoneinfo contextlib sets UserDict UserList UserString ConfigParser Queue repr";

/* Of the builtins that are no data, those that are named as values, and exceptions by the ends of
 * their names: unknown. All others are denied. */
static const char spared_builtins[] =
	"getattr type Ellipsis NotImplemented abs all any ascii basestring bin callable chr cmp "
	"divmod enumerate format hash hex id isinstance issubclass len max min oct ord pow print "
	"repr reversed round sorted sum unichr zip GeneratorExit KeyboardInterrupt StopIteration "
	"StopAsyncIteration SystemExit ExceptionGroup BaseExceptionGroup";

/* The modules of Python 2.7 and 3.0 to 3.14 that are not in the lists above. */
static const char other_stdlib[] =
	"_bisect _blake2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp "
	"_codecs_kr _codecs_tw _collections _collections_abc _colorize _contextvars _crypt _csv "
	"_curses_panel _datetime _decimal _elementtree _hashlib _heapq _hmac _json _locale "
	"_markupbase _md5 _msi _multibytecodec _opcode_metadata _py_abc _pydatetime _pydecimal "
	"_pylong _queue _random _remote_debugging _scproxy _sha1 _sha2 _sha256 _sha3 _sha512 "
	"_sitebuiltins _sre _stat _statistics _strptime _struct _suggestions _sysconfig "
	"_threading_local _tokenize _typing _uuid _warnings _weakrefset _zoneinfo _zstd _hotshot "
	"_bsddb _strptime _abcoll _LWPCookieJar _MozillaCookieJar annotationlib audioop binhex "
	"encodings fnmatch getopt graphlib htmlentitydefs htmllib "
	"HTMLParser macurl2path markupbase mhlib mimetools MimeWriter mimify msilib multifile "
	"nturl2path chunk ossaudiodev pipes pyexpat quopri rfc822 sgmllib shlex sre statvfs "
	"stringold strop sunaudio tokenize toaiff tomllib traceback uu xmllib "
	"macerrors Carbon EasyDialogs aetools applesingle _ast_unparse _hacl _py_warnings "
	"_ctypes_test _testbuffer _testcapi _testclinic _testclinic_limited _testconsole "
	"_testexternalinspection _testimportmultiple _testinternalcapi _testlimitedcapi "
	"_testmultiphase _testsinglephase _xxtestfuzz xxlimited xxlimited_3_13 xxlimited_35 "
	"xxsubtype imputil whrandom fpformat mutex md5 sha future_builtins Canvas Dialog "
	"macostools findertools audiodev imageop rgbimg posixfile tzparse";

static const char any_sysconfig[] = "_sysconfigdata"; /* and the name of a machine */

/* Modules whose name as that of a thing in another module means the module itself. */
static const char reached[] = "os sys subprocess builtins shutil importlib pickle socket ctypes "
                              "posix nt marshal runpy pty inspect pkgutil tempfile cPickle "
                              "_pickle urllib requests webbrowser multiprocessing";

/* Modules that are also what harmless classes and functions are called. */
static const char ambiguous[] = "new code cmd select signal test trace profile parser commands "
                                "HTMLParser";

/* ---- look-up ---- */

static bool put_words(ck_audit *audit, const char *words, const char *why)
{
	bool fresh;
	while (*words) {
		size_t len = strcspn(words, " ");
		uint64_t *place = ck_map_put(audit->job, &audit->denied, words, len, &fresh);
		if (!place)
			return false;
		if (fresh)
			*place = (uint64_t)(uintptr_t)why;
		words += len + strspn(words + len, " ");
	}
	return true;
}

/* The first word of all is what counts, so that the spared ones come first. */
static bool fill(ck_audit *audit)
{
	for (size_t i = 0; ck_deny_spared[i]; i++)
		if (!put_words(audit, ck_deny_spared[i], NULL))
			return false;
	for (size_t i = 0; ck_deny_names[i].why; i++)
		if (!put_words(audit, ck_deny_names[i].names, ck_deny_names[i].why))
			return false;
	return put_words(audit, other_stdlib, STDLIB);
}

/* Finds "module<mark>name" where `module` is a part of the whole one. */
static const uint64_t *find(const ck_audit *audit, const char *module, size_t len, char mark,
                            const ck_global *g)
{
	char key[512];
	if (len + 1 + g->name_len > sizeof key)
		return NULL;
	memcpy(key, module, len);
	key[len] = mark;
	memcpy(key + len + 1, g->name, g->name_len);
	return ck_map_find(audit->job, &audit->denied, key, len + 1 + g->name_len);
}

static const char *why_of(const uint64_t *found)
{
	return (const char *)(uintptr_t)*found;
}

static bool is_word(const char *words, const char *text, size_t len)
{
	for (size_t n; *words; words += n + strspn(words + n, " ")) {
		n = strcspn(words, " ");
		if (n == len && !memcmp(words, text, len))
			return true;
	}
	return false;
}

static bool is_dunder(const char *text, size_t len)
{
	return len > 4 && !memcmp(text, "__", 2) && !memcmp(text + len - 2, "__", 2);
}

bool ck_deny_is_stdlib(const char *module, size_t len)
{
	const char *dot = memchr(module, '.', len);
	size_t root = dot ? (size_t)(dot - module) : len;
	return is_word(spared_modules, module, root) || is_word(other_stdlib, module, root);
}

/* By the module and the modules around it, the closest one first. */
static const char *find_module(const ck_audit *audit, const char *module, size_t len,
                               const ck_global *g)
{
	while (len) {
		const uint64_t *found = ck_map_find(audit->job, &audit->denied, module, len);
		if (!found)
			found = find(audit, module, len, '/', g);
		if (found)
			return why_of(found);
		while (len && module[len - 1] != '.')
			len--;
		len -= len > 0;
	}
	return NULL;
}

static bool is_builtin(const ck_global *g)
{
	return ck_equals(g->module, g->module_len, "builtins") ||
	       ck_equals(g->module, g->module_len, "__builtin__");
}

static bool is_spared_builtin(const ck_global *g)
{
	static const char *const ends[] = {"Error", "Exception", "Warning"};
	for (size_t i = 0; i < CK_COUNT(ends); i++) {
		size_t n = strlen(ends[i]);
		if (g->name_len >= n && !memcmp(g->name + g->name_len - n, ends[i], n))
			return true;
	}
	return is_word(spared_builtins, g->name, g->name_len);
}

/* A module that another one imported, as "os" or "_os"; in those of Python, any that is denied. */
static bool is_module(const ck_audit *audit, const ck_global *g)
{
	const char *name = g->name;
	size_t len = g->name_len;
	for (; len && *name == '_'; len--)
		name++;
	if (is_word(reached, name, len))
		return true;
	if (!ck_deny_is_stdlib(g->module, g->module_len) || is_word(ambiguous, name, len))
		return false;
	return ck_map_find(audit->job, &audit->denied, name, len) ||
	       ck_map_find(audit->job, &audit->denied, g->name, g->name_len);
}

const char *ck_deny_find(ck_audit *audit, const ck_global *g)
{
	if (!audit->denied.count && !fill(audit))
		return NULL;
	const uint64_t *exact = find(audit, g->module, g->module_len, ':', g);
	if (exact)
		return why_of(exact);
	size_t n = sizeof any_sysconfig - 1;
	if (g->module_len >= n && !memcmp(g->module, any_sysconfig, n))
		return STDLIB;
	const char *why = find_module(audit, g->module, g->module_len, g);
	if (why)
		return why;
	const uint64_t *anywhere = find(audit, "", 0, '/', g);
	if (anywhere)
		return why_of(anywhere);
	/* the name may be that of a module below this one */
	char path[512];
	if (g->module_len + 1 + g->name_len <= sizeof path) {
		memcpy(path, g->module, g->module_len);
		path[g->module_len] = '.';
		memcpy(path + g->module_len + 1, g->name, g->name_len);
		if (ck_map_find(audit->job, &audit->denied, path, g->module_len + 1 + g->name_len))
			return MODULE;
	}
	if (is_module(audit, g))
		return MODULE;
	if (is_dunder(g->name, g->name_len))
		return MAGIC;
	return is_builtin(g) && !is_spared_builtin(g) ? BUILTIN : NULL;
}
