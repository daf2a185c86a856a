/* What Python 3 makes of the names of Python 2 when it reads a pickle (fix_imports, the tables of
 * its module _compat_pickle), for protocols below 3. */
#include "judge.h"

#include <string.h>

typedef struct {
	const char *module, *name;         /* of Python 2 */
	const char *to_module, *to_name;   /* of Python 3 */
} renamed_global;

static const renamed_global globals[] = {
	{"UserDict", "IterableUserDict", "collections", "UserDict"},
	{"UserDict", "UserDict", "collections", "UserDict"},
	{"UserList", "UserList", "collections", "UserList"},
	{"UserString", "UserString", "collections", "UserString"},
	{"__builtin__", "basestring", "builtins", "str"},
	{"__builtin__", "intern", "sys", "intern"},
	{"__builtin__", "long", "builtins", "int"},
	{"__builtin__", "reduce", "functools", "reduce"},
	{"__builtin__", "unichr", "builtins", "chr"},
	{"__builtin__", "unicode", "builtins", "str"},
	{"__builtin__", "xrange", "builtins", "range"},
	{"_multiprocessing", "Connection", "multiprocessing.connection", "Connection"},
	{"_socket", "fromfd", "socket", "fromfd"},
	{"itertools", "ifilter", "builtins", "filter"},
	{"itertools", "ifilterfalse", "itertools", "filterfalse"},
	{"itertools", "imap", "builtins", "map"},
	{"itertools", "izip", "builtins", "zip"},
	{"itertools", "izip_longest", "itertools", "zip_longest"},
	{"multiprocessing", "AuthenticationError", "multiprocessing.context",
	 "AuthenticationError"},
	{"multiprocessing", "BufferTooShort", "multiprocessing.context", "BufferTooShort"},
	{"multiprocessing", "ProcessError", "multiprocessing.context", "ProcessError"},
	{"multiprocessing", "TimeoutError", "multiprocessing.context", "TimeoutError"},
	{"multiprocessing.forking", "Popen", "multiprocessing.popen_fork", "Popen"},
	{"multiprocessing.process", "Process", "multiprocessing.context", "Process"},
	{"socket", "_socketobject", "socket", "SocketType"},
	{"urllib", "ContentTooShortError", "urllib.error", "ContentTooShortError"},
	{"urllib", "getproxies", "urllib.request", "getproxies"},
	{"urllib", "pathname2url", "urllib.request", "pathname2url"},
	{"urllib", "quote", "urllib.parse", "quote"},
	{"urllib", "quote_plus", "urllib.parse", "quote_plus"},
	{"urllib", "unquote", "urllib.parse", "unquote"},
	{"urllib", "unquote_plus", "urllib.parse", "unquote_plus"},
	{"urllib", "url2pathname", "urllib.request", "url2pathname"},
	{"urllib", "urlcleanup", "urllib.request", "urlcleanup"},
	{"urllib", "urlencode", "urllib.parse", "urlencode"},
	{"urllib", "urlopen", "urllib.request", "urlopen"},
	{"urllib", "urlretrieve", "urllib.request", "urlretrieve"},
	{"urllib2", "HTTPError", "urllib.error", "HTTPError"},
	{"urllib2", "URLError", "urllib.error", "URLError"},
	{"whichdb", "whichdb", "dbm", "whichdb"},
};

/* All other names of these modules stay as they are. */
static const char *const modules[][2] = {
	{"BaseHTTPServer", "http.server"},
	{"CGIHTTPServer", "http.server"},
	{"ConfigParser", "configparser"},
	{"Cookie", "http.cookies"},
	{"Dialog", "tkinter.dialog"},
	{"DocXMLRPCServer", "xmlrpc.server"},
	{"FileDialog", "tkinter.filedialog"},
	{"HTMLParser", "html.parser"},
	{"Queue", "queue"},
	{"ScrolledText", "tkinter.scrolledtext"},
	{"SimpleDialog", "tkinter.simpledialog"},
	{"SimpleHTTPServer", "http.server"},
	{"SimpleXMLRPCServer", "xmlrpc.server"},
	{"SocketServer", "socketserver"},
	{"StringIO", "io"},
	{"Tix", "tkinter.tix"},
	{"Tkconstants", "tkinter.constants"},
	{"Tkdnd", "tkinter.dnd"},
	{"Tkinter", "tkinter"},
	{"UserDict", "collections"},
	{"UserList", "collections"},
	{"UserString", "collections"},
	{"__builtin__", "builtins"},
	{"_abcoll", "collections.abc"},
	{"_elementtree", "xml.etree.ElementTree"},
	{"_winreg", "winreg"},
	{"anydbm", "dbm"},
	{"cPickle", "pickle"},
	{"cStringIO", "io"},
	{"commands", "subprocess"},
	{"cookielib", "http.cookiejar"},
	{"copy_reg", "copyreg"},
	{"dbhash", "dbm.bsd"},
	{"dbm", "dbm.ndbm"},
	{"dumbdbm", "dbm.dumb"},
	{"dummy_thread", "_dummy_thread"},
	{"exceptions", "builtins"},
	{"gdbm", "dbm.gnu"},
	{"htmlentitydefs", "html.entities"},
	{"httplib", "http.client"},
	{"markupbase", "_markupbase"},
	{"repr", "reprlib"},
	{"robotparser", "urllib.robotparser"},
	{"test.test_support", "test.support"},
	{"thread", "_thread"},
	{"tkColorChooser", "tkinter.colorchooser"},
	{"tkCommonDialog", "tkinter.commondialog"},
	{"tkFileDialog", "tkinter.filedialog"},
	{"tkFont", "tkinter.font"},
	{"tkMessageBox", "tkinter.messagebox"},
	{"tkSimpleDialog", "tkinter.simpledialog"},
	{"ttk", "tkinter.ttk"},
	{"urllib2", "urllib.request"},
	{"urlparse", "urllib.parse"},
	{"whichdb", "dbm"},
	{"xmlrpclib", "xmlrpc.client"},
};

static bool same(const char *text, size_t len, const char *want)
{
	return strlen(want) == len && !memcmp(text, want, len);
}

bool ck_python2_map(const ck_global *from, ck_global *to)
{
	*to = *from;
	for (size_t i = 0; i < CK_COUNT(globals); i++) {
		const renamed_global *row = &globals[i];
		if (!same(from->name, from->name_len, row->name) ||
		    !same(from->module, from->module_len, row->module))
			continue;
		*to = (ck_global){row->to_module, row->to_name, strlen(row->to_module),
		                  strlen(row->to_name)};
		return true;
	}
	for (size_t i = 0; i < CK_COUNT(modules); i++)
		if (same(from->module, from->module_len, modules[i][0])) {
			to->module = modules[i][1];
			to->module_len = strlen(to->module);
			return true;
		}
	return false;
}
