#!/usr/bin/env python3
"""Holds ckconv's pickle machine against CPython's own (_pickle.Unpickler), stream by stream.

    pickle_diff.py DRIVER [--seed N] [--count N] [--first N] [--groups FILE] [--show N]

DRIVER is pickle_tree, built from pickle_tree.c. Stream number i of a seed is always the same, so a
difference is looked at again with --show i. Both readers must accept the same streams, stop at the
same byte and see the same tree. Nothing is ever executed: find_class, persistent_load and whatever they
return only take notes. --groups compares the inputs of tests/pickle.test instead.

Exit status: 0 if every difference is one that KNOWN explains, 1 if not."""

import argparse
import codecs
import collections
import ctypes
import copyreg
import io
import itertools
import pickle
import pickletools
import random
import re
import resource
import struct
import subprocess
import sys
import warnings

import _pickle

# ---- known differences ----

Answer = collections.namedtuple("Answer", "accepts kind text end value", defaults=("", "", 0, None))

# name: (why ckconv does it otherwise, how to recognise it from the stream and the two answers). MODEL marks
# what the recording objects below already do as ckconv does, because only running the real classes, or
# looking things up in a real Python, would tell.
MODEL = None
KNOWN = {
	"strict frames": (
		"C Python before 3.13.15 lets frames overlap and opcodes reach across their end, other readers do "
		"not: what two readers read in two ways is refused",
		lambda data, py, ck: re.search("inside another one|across the end of", ck.text)),
	"limits": (
		"C Python keeps the memo in an array and has no memory for huge numbers, ckconv has a map; ckconv's "
		"own limits are lower elsewhere",
		lambda data, py, ck: py.kind == "MemoryError" or ck.kind == "limit"),
	"bytearray as a list": (
		"Python lets APPEND, APPENDS and SETITEM change a bytearray; no pickler writes that, and its bytes "
		"stay in the file here",
		lambda data, py, ck: b"\x96" in data and re.search(
			"^pickle opcode (APPENDS?|SETITEMS?): a bytes (cannot be app|has no it)", ck.text)),
	"computed name": (
		"a name for STACK_GLOBAL that a call would have returned is kept as a global that is never known; "
		"the recording object is no str",
		lambda data, py, ck: "STACK_GLOBAL requires str" in py.text),
	"unknown buffer": (
		"what a call returns may be a buffer; the recording object is none",
		lambda data, py, ck: "bytes-like object is required, not 'Inert'" in py.text),
	"py2 bytes": (
		"a Python 2 string that is no UTF-8 stays bytes, so that the rest of the file can be looked at; "
		"torch refuses the file",
		lambda data, py, ck: py.kind == "NotText"),
	"long bytes": (
		"bytes over 4096 stay in the file: as keys they equal nothing, and a Python 2 string of that length "
		"is no name",
		lambda data, py, ck: len(data) > 4096 and ("must be strings, not" in ck.text or py.accepts and
		has_key(py.value, lambda key: isinstance(key, (str, bytes)) and len(key) > 1024))),
	"frozenset as a key": (
		"it equals only itself here",
		lambda data, py, ck: py.accepts and has_key(py.value, lambda key: isinstance(key, frozenset))),
	"extension codes": ("never looked up in copyreg; here they are all registered", MODEL),
	"names": ("dotted names and those of Python 2 are kept as written: find_class would map them", MODEL),
	"items of unknown objects": (
		"keys that cannot be hashed are refused for every object; a real class might take them", MODEL),
	"out-of-band buffers": (
		"NEXT_BUFFER gives an inert value; Python refuses it unless it is given buffers, as it is here",
		MODEL),
	"memoryview": (
		"READONLY_BUFFER turns a bytearray into a memoryview in Python; here it stays a bytearray", MODEL),
	"INST and OBJ": ("are told apart from REDUCE here; the recording objects cannot", MODEL),
	"order of sets": ("that of the stream here, that of the hashes in Python", MODEL),
}

# ---- recording objects ----

CALLABLE = ("global", "persid", "ext", "call")


class Record:
	"""What happened to one inert object."""

	def __init__(self, kind, **facts):
		self.kind = kind
		self.items, self.pairs, self.states = [], {}, []
		self.changed = False
		self.__dict__.update(facts)


class Inert(type):
	"""The class of all recording objects. They are classes themselves, because NEWOBJ asks for one."""

	def __call__(cls, *args):
		return inert("call", how="", callee=cls, args=args, kwargs=None)

	def __hash__(cls):
		# C Python finds one and the same object for one name
		return hash(cls.record.name) if cls.record.kind == "global" else type.__hash__(cls)

	def __eq__(cls, other):
		return cls is other or (isinstance(other, Inert) and cls.record.kind == "global" ==
		                        other.record.kind and cls.record.name == other.record.name)

	def __getinitargs__(cls):  # without it, INST would not call __call__
		raise AssertionError("asked for, never called")

	def extend(cls, items):
		cls.record.changed = True
		cls.record.items.extend(items)

	def add(cls, item):
		cls.extend([item])

	def __setitem__(cls, key, value):
		cls.record.changed = True
		if cls.record.kind == "call":
			cls.record.pairs[key] = value

	def __setstate__(cls, state):
		cls.record.changed = True
		cls.record.states.append(state)


def inert(kind, **facts):
	return type.__new__(Inert, "Inert", (Base,), {"record": Record(kind, **facts)})


def newobj(cls, args, kwargs):
	"""Takes the place of tp_new, to see the very dict that the stream named and no copy of it."""
	kwargs = ctypes.cast(kwargs, ctypes.py_object).value if kwargs else None
	return inert("call", how="new ", callee=cls, args=args, kwargs=kwargs)


Base = type.__new__(Inert, "Inert", (), {"record": None})
TP_NEW = 312  # offset of tp_new in PyTypeObject on 64-bit machines, CPython 3.8 to 3.13
NEWOBJ = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object, ctypes.c_void_p)(newobj)
ctypes.c_void_p.from_address(id(Base) + TP_NEW).value = ctypes.cast(NEWOBJ, ctypes.c_void_p).value


class Buffer(bytes):
	"""An out-of-band buffer: a value of its own, without items or attributes."""
	__slots__ = ()
	__hash__ = object.__hash__

	def __eq__(self, other):
		return self is other


class NotText(Exception):
	"""A Python 2 string is no UTF-8: told apart from other text that is none."""


def refuse(error):
	raise NotText(str(error))


codecs.register_error("ckconv-py2", refuse)


class Recorder(_pickle.Unpickler):
	def find_class(self, module, name):
		if module == EXT:
			return inert("ext", code=name)
		return inert("global", name=(module, name))

	def persistent_load(self, pid):
		return inert("persid", pid=pid)


EXT = "\0ext"


def register_extensions(data):
	"""Every code that may be used in the stream becomes a known one."""
	copyreg._inverted_registry.clear()
	copyreg._extension_cache.clear()
	for i, byte in enumerate(data):
		if 0x82 <= byte <= 0x84:
			width = 1 << (byte - 0x82)
			code = int.from_bytes(data[i + 1:i + 1 + width], "little", signed=byte == 0x84)
			copyreg._inverted_registry[code] = (EXT, str(code))


def run_python(data):
	register_extensions(data)
	file = io.BytesIO(data)
	buffers = (Buffer(b"%d" % i) for i in itertools.count())
	try:
		value = Recorder(file, encoding="utf-8", errors="ckconv-py2", buffers=buffers).load()
	except Exception as error:
		return Answer(False, type(error).__name__, str(error))
	return Answer(True, end=file.tell(), value=value)


# ---- ckconv's notation ----

def integer(value):
	return str(value) if abs(value).bit_length() <= 8 * 1785 else hex(value)


def has_identity(value):
	if isinstance(value, (list, tuple, dict, set, frozenset)):
		return len(value) > 0
	return isinstance(value, Inert) and value.record.kind in ("call", "persid")


def parts(value):
	"""All that hangs on a value, in the order of the notation."""
	if isinstance(value, dict):
		return [part for pair in value.items() for part in pair]
	if isinstance(value, (list, tuple, set, frozenset)):
		return value
	record = value.record if isinstance(value, Inert) else None
	if record and record.kind == "persid":
		return [record.pid]
	if not record or record.kind != "call":
		return []
	kwargs = [] if record.kwargs is None else [record.kwargs]
	pairs = [part for pair in record.pairs.items() for part in pair]
	return [record.callee, *record.args, *kwargs, *record.items, *pairs, *record.states]


def has_key(value, test):
	"""Whether some key of a dict or item of a set, or what is in such a tuple, passes the test."""
	seen, left = set(), [(value, False)]
	while left:
		value, is_key = left.pop()
		if is_key and test(value):
			return True
		if (id(value), is_key) in seen:
			continue
		seen.add((id(value), is_key))
		if isinstance(value, dict):
			left += [(key, True) for key in value]
		if isinstance(value, Inert):
			left += [(key, True) for key in value.record.pairs]
		keys = isinstance(value, (set, frozenset)) or is_key and isinstance(value, tuple)
		left += [(part, keys) for part in parts(value)]
	return False


class Mismatch(Exception):
	pass


class Matcher:
	"""Walks a value of Python's along the tree that ckconv printed."""

	DEPTH = 200

	def __init__(self, text, data):
		self.text, self.data, self.at = text, data, 0
		self.seen, self.shared, self.numbers = set(), set(), {}

	def match(self, value):
		self.count(value, 0)
		self.value(value, 0)
		if self.at != len(self.text):
			self.wrong("the end")

	def count(self, value, depth):
		if depth > self.DEPTH or not has_identity(value):
			return
		if id(value) in self.seen:
			self.shared.add(id(value))
			return
		self.seen.add(id(value))
		for part in parts(value):
			self.count(part, depth + 1)

	def wrong(self, wanted):
		raise Mismatch("at %d: wanted %.60s, found %.60s" % (self.at, wanted, self.text[self.at:]))

	def take(self, wanted):
		if not self.text.startswith(wanted, self.at):
			self.wrong(wanted)
		self.at += len(wanted)

	def found(self, wanted):
		if not self.text.startswith(wanted, self.at):
			return False
		self.at += len(wanted)
		return True

	def value(self, value, depth):
		if depth > self.DEPTH:
			return self.take("...")
		if id(value) in self.shared:
			if id(value) in self.numbers:
				return self.take("*%d" % self.numbers[id(value)])
			self.numbers[id(value)] = len(self.numbers) + 1
			self.take("&%d=" % self.numbers[id(value)])
		self.body(value, depth + 1)

	def body(self, value, depth):
		if isinstance(value, Inert):
			getattr(self, value.record.kind)(value.record, depth)
		elif isinstance(value, str):
			self.string(value)
		elif isinstance(value, Buffer):
			self.take("buffer(%s)" % bytes(value).decode())
		elif isinstance(value, bytes):
			self.bytes(value, "b")
		elif isinstance(value, (bytearray, memoryview)):
			self.bytes(bytes(value), "ba")
		elif isinstance(value, list):
			self.items("[", value, "]", depth)
		elif isinstance(value, tuple):
			self.items("(", value, ",)" if len(value) == 1 else ")", depth)
		elif isinstance(value, dict):
			self.pairs(value, depth)
		elif isinstance(value, (set, frozenset)):
			self.unordered(value, depth)
		elif isinstance(value, int) and not isinstance(value, bool):
			self.take(integer(value))
		else:
			self.take(repr(value))

	def string(self, value):
		if not self.text.startswith("py2", self.at):
			return self.take(repr(value))
		self.bytes(value.encode("utf-8", "surrogatepass"), "py2")

	def bytes(self, value, prefix):
		left = re.compile(prefix + r"<(\d+) bytes at (\d+)>").match(self.text, self.at)
		if not left:
			return self.take(prefix + repr(value)[1:])
		size, start = int(left[1]), int(left[2])
		if size <= 4096 or self.data[start:start + size] != value:
			self.wrong(prefix + repr(value)[1:])
		self.at = left.end()

	def items(self, start, items, end, depth):
		self.take(start)
		for i, item in enumerate(items):
			self.take(", " if i else "")
			self.value(item, depth)
		self.take(end)

	def pairs(self, pairs, depth):
		self.take("{")
		for i, (key, value) in enumerate(pairs.items()):
			self.take(", " if i else "")
			self.value(key, depth)
			self.take(": ")
			self.value(value, depth)
		self.take("}")

	def unordered(self, items, depth):
		"""ckconv keeps the order of the stream, Python that of the hashes: any order will do."""
		self.take("frozenset{" if isinstance(items, frozenset) else "set{")
		left = list(items)
		while left:
			self.take(", " if len(left) < len(items) else "")
			self.any_of(left, depth)
		self.take("}")

	def any_of(self, left, depth):
		at, numbers = self.at, dict(self.numbers)
		for i, item in enumerate(left):
			try:
				self.value(item, depth)
				# 1 is no item where 10 is
				if self.text[self.at] in ",}":
					del left[i]
					return
			except Mismatch:
				pass
			self.at, self.numbers = at, dict(numbers)
		self.wrong("an item of the set")

	def ext(self, record, depth):
		self.take("ext(%s)" % record.code)

	def global_(self, record, depth):
		self.take("%s.%s" % tuple(part.replace("\n", "\\n") for part in record.name))
		self.take("!changed" if record.changed else "")

	def persid(self, record, depth):
		self.take("persid(")
		self.value(record.pid, depth)
		self.take(")")

	def call(self, record, depth):
		# the recording objects cannot tell INST and OBJ from REDUCE
		if record.how or not (self.found("inst ") or self.found("obj ")):
			self.take(record.how)
		self.value(record.callee, depth)
		self.items("(", record.args, ")", depth)
		if record.kwargs is not None:
			self.take(" with ")
			self.value(record.kwargs, depth)
		if record.items:
			self.take(" + ")
			self.items("[", record.items, "]", depth)
		if record.pairs:
			self.take(" | ")
			self.pairs(record.pairs, depth)
		for state in record.states:
			self.take(" <- ")
			self.value(state, depth)


setattr(Matcher, "global", Matcher.global_)

# ---- both sides ----

STATUS = {1: "nomem", 2: "io", 3: "corrupt", 4: "unsupported", 5: "limit", 6: "refused"}


class Driver:
	def __init__(self, path):
		self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

	def run(self, data):
		self.process.stdin.write(data.hex().encode() + b"\n" if data else b"\n")
		self.process.stdin.flush()
		line = self.process.stdout.readline()
		if not line.endswith(b"\n"):
			raise SystemExit("the driver died of this stream: %s" % data.hex())
		mark, number, text = line[:-1].decode("utf-8", "surrogatepass").split(" ", 2)
		if mark == "=":
			return Answer(True, text=text, end=int(number))
		return Answer(False, STATUS[int(number)], text)


def compare(data, py, ck):
	"""What is different, or None."""
	if py.accepts != ck.accepts:
		return "Python %s, ckconv %s" % tuple(
			"accepts" if it.accepts else "refuses (%s: %s)" % (it.kind, it.text) for it in (py, ck))
	if not py.accepts:
		return None
	# what lies in a frame is read ahead
	if py.end != ck.end and b"\x95" not in data[:py.end]:
		return "Python ends at byte %d, ckconv at byte %d" % (py.end, ck.end)
	try:
		Matcher(ck.text, data).match(py.value)
	except Mismatch as error:
		return "another tree %s\n\tckconv: %s" % (error, ck.text)
	return None


def explain(data, py, ck):
	for name, (_, test) in KNOWN.items():
		if test and test(data, py, ck):
			return name
	return None


# ---- streams ----

OPS = {ord(op.code): op for op in pickletools.opcodes}
CODE = {op.name: ord(op.code) for op in pickletools.opcodes}
EDGES = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, (1 << 31) - 1, 1 << 31, (1 << 32) - 1,
         1 << 32, (1 << 53) + 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 1 << 64, 1 << 70, 10 ** 23)
INTEGERS = (
	b"", b"0", b"00", b"01", b"02", b"1", b"+0", b"+1", b"-1", b"-0", b" 0", b" 1", b"1 ", b" 7 ", b"\t7", b"\v7\f",
	b"\r7\r", b"7\r", b"010", b"08", b"0_7", b"000", b"0_0", b"00_0", b"0x41", b"0X4f", b"0x", b"0x_1f", b"0x__1f",
	b"0xg", b"0x1_f", b"0b1_01", b"0x1__f", b"0o17", b"0o8", b"0b101", b"0b2", b"0b_1", b"-0x10", b"- 1", b"+-1", b"1_0", b"1__0", b"_1", b"1_",
	b"1L", b"0L", b"01L", b"L", b"LL", b"1LL", b"1l", b"0x41L", b"1 L", b"1L ", b"1.0", b"1e5", b"True", b"7\0x", b"\0",
	b"\0\0", b"\0001", b"1\0", b"0\0", b" \0", b"7 \0x", b"7\0L", b"\0L", b"\xc2\xb2", b"\xd9\xa1", b"\xff", b"1\xa0",
	b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809",
	b"0777777777777777777777", b"01777777777777777777777", b"0xffffffffffffffffffff", b"1" * 4300, b"1" * 4301,
	b"0" * 4301, b"1_" * 4299 + b"1", b"-" + b"9" * 4300, b"0x" + b"f" * 5000, b"0b" + b"10" * 2500, b"0o" + b"7" * 4999)
FLOATS = (
	b"", b"0", b"-0", b"-0.0", b"1", b"1.", b".5", b".", b"-.5e-3", b"1e5", b"1E+05", b"-1E+5", b"1e", b"1e+", b"e5", b"1_0.5",
	b" 1.5", b"1.5 ", b"\t1", b"1.5\r", b"inf", b"-inf", b"+Infinity", b"INFINITY", b"infinit", b"nan", b"-NaN", b"nan()",
	b"nanx", b"1e400", b"-1e400", b"1e-400", b"1e308", b"1.7976931348623157e308", b"1.7976931348623159e308", b"5e-324",
	b"2e-324", b"0x1p3", b"0x10", b"1,5", b"1.5\0x", b"\0", b"nan\0", b"1e5\0", b"1.5L", b"1d5", b"--1", b"0e99999999999999999999",
	b"1e-99999999999999999999", b"1e99999999999999999999", b"0." + b"1" * 400, b"1" * 320, b"\xd9\xa1")
DOUBLES = (0.0, -0.0, 1.0, -1.5, 0.1, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 1e22, 1e23, 2.0 ** -44, 2.0 ** 63, 2.0 ** 70,
           -2.0 ** 63, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), 2.0 ** 53 + 2)
STRING_PARTS = (b"a", b"b c", b"\\n", b"\\t", b"\\x41", b"\\xe9", b"\\x4", b"\\x", b"\\xg1", b"\\101", b"\\0", b"\\18", b"\\777", b"\\8",
                b"\\z", b"\\'", b'\\"', b"\\\\", b"\\", b"'", b'"', "é".encode(), b"\\xc3\\xa9", b"\xff", b"\0", b"\r", b"\\u0041")
UNICODE_PARTS = (b"a", b"bc", b"\\u0041", b"\\u20ac", b"\\ud83d", b"\\ude00", b"\\U0001F600", b"\\U0000d800", b"\\U00110000",
                 b"\\U0010ffff", b"\\u12", b"\\u", b"\\U0001", b"\\u00g0", b"\\\\", b"\\", b"\\n", b"\\\\u0041", b"\\\xe9", b"\xe9", b"\xff",
                 b"\x85", b"\r", b"\0", b"'", b'"', b"\\u2028", b"\\u000a")
GOOD_TEXT = (b"", b"a", b"key", b"weight", b"0", b"it's", b'"', b"'\"", b"\n", b"\0", b"\\", b"\x7f", "é".encode(), "€".encode(), "😀".encode(),
             "\xa0\xad".encode(), "\u2028\u200b\ufeff".encode(), b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80", b"x" * 255)
BAD_TEXT = (b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xff", b"\x80", b"\xc3", b"\xe2\x82",
            b"\xed\xa0", b"\xed\xa0a", b"\xf8\x88\x80\x80\x80")
# Keys of which many are equal to others, at least at second sight.
KEYS = (
	b"K\x01", b"I01\n", b"I1\n", b"\x88", b"L1L\n", b"\x8a\x01\x01", b"F1.0\n", b"G\x3f\xf0" + bytes(6), b"K\x00", b"\x89", b"\x8a\x00",
	b"F-0.0\n", b"F0.0\n", b"L9007199254740993\n", b"F9007199254740993\n", b"F9007199254740992\n", b"I9007199254740992\n",
	b"L9223372036854775808\n", b"F9223372036854775808\n", b"L-9223372036854775808\n", b"F-9223372036854775808\n",
	b"L-9223372036854777856\n", b"F-9223372036854777856\n", b"L1180591620717411303424\n", b"F1180591620717411303424\n",
	b"L-1180591620717411303424\n", b"F-1180591620717411303424\n", b"L100000000000000000000000\n", b"F1e23\n",
	b"L99999999999999991611392\n", b"L0x1" + b"0" * 255 + b"\n", b"F1.1235582092889474e307\n", b"Fnan\n", b"Finf\n", b"F-inf\n", b"F0.5\n",
	b"X\1\0\0\0a", b"U\1a", b"Va\n", b"C\1a", b"X\0\0\0\0", b"C\0", b"N", b")", b"X\1\0\0\0\0", b"\x82\1", b"\x83\1\0", b"\x82\2", b"ca\nb\n",
	b"\x8c\1a\x8c\1b\x93", b"ca\nbc\n", b"cab\nc\n", b"Pa\n", b"ca\nb\n)R", b"\x97", b"(\x91", b"(K\x01\x91")
TEXT_KEYS = (b"Va\n", b"Vab\n", b"V\n", b"X\1\0\0\0a", b"\x8c\2ab", b"V\xe9\n", b"\x8c\2\xc3\xa9", b"V\\ud800\n")
NAMES = ((b"torch", b"FloatStorage"), (b"collections", b"OrderedDict"), (b"a", b"b"), (b"a", b"b"), (b"os", b"path.join"),
         (b"__builtin__", b"long"), ("ж".encode(), "é".encode()), (b"", b"x"), (b"x", b""), (b"", b""), (b"a.b", b"c"), (b"a\0b", b"\0"),
         (b"a\r", b"b\r"), (b"\xff", b"x"), (b"x", b"\xed\xa0\x80"), (b" ", b" "))


# Kind of value -> the opcodes that push one.
PUSHES = {
	"n": "INT BININT BININT1 BININT2 LONG LONG1 LONG4 NONE NEWTRUE NEWFALSE FLOAT BINFLOAT",
	"s": "UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 STRING BINSTRING SHORT_BINSTRING",
	"b": "BINBYTES SHORT_BINBYTES BINBYTES8", "B": "BYTEARRAY8", "l": "EMPTY_LIST", "d": "EMPTY_DICT",
	"S": "EMPTY_SET", "t": "EMPTY_TUPLE", "o": "GLOBAL PERSID EXT1 EXT2 EXT4", "x": "NEXT_BUFFER"}
PUSHED = {name: kind for kind, names in PUSHES.items() for name in names.split()}
MARKED = {"LIST": "l", "DICT": "d", "FROZENSET": "f", "INST": "o", "OBJ": "o"}
CALLS = {"REDUCE": 2, "NEWOBJ": 2, "NEWOBJ_EX": 3, "STACK_GLOBAL": 2, "BINPERSID": 1}

# What brings a stream on is chosen more often than what only pushes.
OFTEN = ("APPEND APPENDS SETITEM SETITEMS ADDITEMS REDUCE NEWOBJ NEWOBJ_EX BUILD OBJ INST STACK_GLOBAL TUPLE DICT FROZENSET "
         "BINPERSID TUPLE2 MARK").split()
SOMETIMES = ("MEMOIZE BINPUT BINGET GLOBAL EMPTY_TUPLE EMPTY_DICT EMPTY_LIST EMPTY_SET BININT1 SHORT_BINUNICODE BINUNICODE "
             "READONLY_BUFFER").split()
RARELY = ("POP", "POP_MARK", "PROTO")
ALL = sorted(CODE)
SHARES = [4 if name in OFTEN else 2 if name in SOMETIMES else 0.3 if name in RARELY else 1 for name in ALL]


class Maker:
	"""Writes opcodes, and keeps enough of a stack beside them to know which ones make sense next.

	Kinds: n number, s text, b bytes, B bytearray, l list, d dict, S set, f frozenset, t tuple, T tuple that
	cannot be hashed, o recording object, x buffer."""

	HASHABLE = "nsbftox"

	def __init__(self, rng, odd):
		self.rng, self.odd = rng, odd
		self.chunks, self.stack, self.marks, self.memo = [], [], [], {}

	def chance(self, share):
		return self.rng.random() < share

	def line(self, lines, plain):
		return self.rng.choice(lines) if self.chance(self.odd) else plain

	def joined(self, pieces, bad=()):
		parts = self.rng.choices(pieces, k=self.rng.randrange(4))
		if bad and self.chance(self.odd / 4):
			parts.append(self.rng.choice(bad))
		return b"".join(parts)

	def edge(self, width, signed=False):
		if self.chance(0.7):
			value = self.rng.randrange(12) - (4 if signed else 0)
		else:
			value = self.rng.choice(EDGES)
		return (value & ((1 << 8 * width) - 1)).to_bytes(width, "little")

	def counted(self, width, data):
		if self.chance(self.odd / 20):
			return self.rng.choice(EDGES).to_bytes(16, "little")[:width] + data
		return len(data).to_bytes(width, "little") + data[:(1 << 8 * width) - 1] if width > 1 else \
			bytes([min(len(data), 255)]) + data[:255]

	def index(self, get):
		if get and self.memo and not self.chance(self.odd / 4):
			return self.rng.choice(list(self.memo))
		if self.chance(self.odd / 8):
			return self.rng.choice(EDGES[:14] + (-1, 1030, 1030, 100000))
		return self.rng.randrange(8)

	def bytes_of(self):
		if self.chance(0.002):
			return self.rng.randbytes(self.rng.choice((4095, 4096, 4097, 70000)))
		return self.rng.choice((b"", b"a", b"'", b'"', b"\n\\", bytes(self.rng.randrange(256) for _ in range(5))))

	def text_of(self):
		if self.chance(0.002):
			return b"x" * self.rng.choice((4096, 4097, 70000))
		return self.joined(GOOD_TEXT, BAD_TEXT)

	def argument(self, name):
		rng = self.rng
		if name in ("INT", "LONG"):
			if self.chance(self.odd / 4):
				return bytes(rng.choice(b"0123456789_+- xXbBoLe.\0\t1010") for _ in range(rng.randrange(7))) + b"\n"
			return self.line(INTEGERS, b"%d" % rng.randrange(-3, 20)) + b"\n"
		if name == "FLOAT":
			if self.chance(self.odd / 4):
				return bytes(rng.choice(b"0123456789.eE+-_ infan\0") for _ in range(rng.randrange(7))) + b"\n"
			return self.line(FLOATS, repr(rng.choice(DOUBLES[:10])).encode()) + b"\n"
		if name == "STRING":
			quote = rng.choice((b"'", b'"'))
			last = quote if not self.chance(self.odd / 8) else rng.choice((b"'", b'"', b"", b"' ", b"'x"))
			pieces = STRING_PARTS if self.chance(self.odd) else (b"a", b"key", b"\\n", b"\\\\", b"0")
			return quote + self.joined(pieces) + last + b"\n"
		if name == "UNICODE":
			pieces = UNICODE_PARTS if self.chance(self.odd) else UNICODE_PARTS[:8]
			return self.joined(pieces) + b"\n"
		if name == "PERSID":
			return rng.choice((b"1", b"", b"abc", b"a b\0", self.line((b"\xe9",), b"x"))) + b"\n"
		if name in ("GLOBAL", "INST"):
			return b"\n".join(self.line(NAMES, rng.choice(NAMES[:5]))) + b"\n"
		if name in ("GET", "PUT"):
			index = self.index(name == "GET")
			return self.line(INTEGERS, b"%d" % index) + b"\n", index
		if name in ("BINGET", "BINPUT", "LONG_BINGET", "LONG_BINPUT"):
			index = self.index("GET" in name) & (0xFFFFFFFF if "LONG" in name else 0xFF)
			return index.to_bytes(4 if "LONG" in name else 1, "little"), index
		if name in ("BININT", "EXT4"):
			return self.edge(4, True)
		if name in ("BININT1", "EXT1"):
			return self.edge(1)
		if name in ("BININT2", "EXT2"):
			return self.edge(2)
		if name == "BINFLOAT":
			return struct.pack(">d", rng.choice(DOUBLES)) if self.chance(0.8) else rng.randbytes(8)
		if name == "PROTO":
			return bytes([rng.randrange(6) if not self.chance(self.odd / 4) else rng.randrange(256)])
		if name == "FRAME":
			return rng.randrange(12).to_bytes(8, "little")
		if name in ("LONG1", "LONG4"):
			number = rng.choice(EDGES) * rng.choice((1, 1, -1)) - rng.randrange(2)
			data = rng.choice((b"", b"\0", b"\xff", b"\x80", b"\xff" * 9, b"\0" * 9, b"\x01" + b"\0" * 254, pickle.encode_long(number)))
			return self.counted(1 if name == "LONG1" else 4, data)
		width = {"SHORT": 1, "8": 8}.get("SHORT" if "SHORT" in name else name[-1], 4)
		if "UNICODE" in name:
			return self.counted(width, self.text_of())
		if name in ("BINSTRING", "SHORT_BINSTRING"):
			return self.counted(width, self.bytes_of() if self.chance(self.odd / 2) else rng.choice(GOOD_TEXT[:13]))
		if "BYTE" in name:
			return self.counted(width, self.bytes_of())
		return b""

	# ---- the stack ----

	def fence(self):
		return self.marks[-1] if self.marks else 0

	def room(self):
		return len(self.stack) - self.fence()

	def marked(self):
		"""What lies above the newest mark, taken away with it."""
		start = self.marks.pop() if self.marks else 0
		taken = self.stack[start:]
		del self.stack[start:]
		return taken

	def pop(self, count=1):
		for _ in range(min(count, self.room())):
			self.stack.pop()

	def peek(self, down):
		return self.stack[-1 - down] if len(self.stack) > down else "n"

	def makes_sense(self, name):
		room, top = self.room(), self.peek(0)
		below = self.stack[self.marks[-1] - 1] if self.marks and self.marks[-1] else "n"
		lower = self.marks[-2] if len(self.marks) > 1 else 0
		target = self.marks and self.marks[-1] > lower
		above = self.stack[self.fence():]
		if name in ("POP", "DUP", "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "BINPERSID", "TUPLE1"):
			return room >= 1
		if name == "TUPLE2":
			return room >= 2
		if name == "TUPLE3":
			return room >= 3
		if name in ("GET", "BINGET", "LONG_BINGET"):
			return bool(self.memo)
		if name == "APPEND":
			return room >= 2 and self.peek(1) in "lo"
		if name == "SETITEM":
			return room >= 3 and self.peek(2) in "do" and self.peek(1) in self.HASHABLE
		if name == "APPENDS":
			return target and below in "lo"
		if name == "SETITEMS":
			return target and below in "do" and room % 2 == 0 and all(k in self.HASHABLE for k in above[::2])
		if name == "ADDITEMS":
			return target and below in "So" and all(k in self.HASHABLE for k in above)
		if name == "DICT":
			return self.marks and room % 2 == 0 and all(k in self.HASHABLE for k in above[::2])
		if name == "FROZENSET":
			return self.marks and all(k in self.HASHABLE for k in above)
		if name in ("TUPLE", "LIST", "POP_MARK", "INST"):
			return bool(self.marks)
		if name == "OBJ":
			return self.marks and room and above[0] == "o"
		if name in ("REDUCE", "NEWOBJ"):
			return room >= 2 and top in "tT" and self.peek(1) == "o"
		if name == "NEWOBJ_EX":
			return room >= 3 and top == "d" and self.peek(1) in "tT" and self.peek(2) == "o"
		if name == "BUILD":
			return room >= 2 and self.peek(1) == "o"
		if name == "STACK_GLOBAL":
			return room >= 2 and top == "s" and self.peek(1) == "s"
		if name == "READONLY_BUFFER":
			return room >= 1 and top in "bBx"
		return name not in ("STOP", "FRAME")

	def tuple_kind(self, items):
		return "t" if all(item in self.HASHABLE for item in items) else "T"

	def effect(self, name, index):
		if name in PUSHED:
			self.stack.append(PUSHED[name])
		elif name == "MARK":
			self.marks.append(len(self.stack))
		elif name == "POP" and self.marks and not self.room():
			self.marks.pop()
		elif name in ("POP", "APPEND", "BUILD"):
			self.pop()
		elif name == "SETITEM":
			self.pop(2)
		elif name == "DUP":
			self.stack.append(self.peek(0))
		elif "GET" in name:
			self.stack.append(self.memo.get(index, "n"))
		elif name == "MEMOIZE":
			self.memo[len(self.memo)] = self.peek(0)
		elif "PUT" in name:
			self.memo[index] = self.peek(0)
		elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
			count = int(name[-1])
			kind = self.tuple_kind(self.stack[-count:])
			self.pop(count)
			self.stack.append(kind)
		elif name == "TUPLE":
			self.stack.append(self.tuple_kind(self.marked()))
		elif name in MARKED:
			self.marked()
			self.stack.append(MARKED[name])
		elif name in CALLS:
			self.pop(CALLS[name])
			self.stack.append("o")
		elif name in ("APPENDS", "SETITEMS", "ADDITEMS", "POP_MARK"):
			self.marked()

	def emit(self, name):
		argument, index = self.argument(name), None
		if isinstance(argument, tuple):
			argument, index = argument
		self.chunks.append(bytes([CODE[name]]) + argument)
		self.effect(name, index)

	def key(self):
		key = self.rng.choice(KEYS)
		return key + b"\x85" if self.chance(0.1) else key + self.key() + b"\x86" if self.chance(0.1) else key

	def snippet(self):
		"""What opcode by opcode hardly ever comes together."""
		way = self.rng.randrange(6)
		if self.chance(0.02):  # the next opcodes lie across the end of the reader's window
			size = 65530 - self.rng.randrange(12)
			self.chunks += [b"B" + struct.pack("<I", size) + bytes(size), b"0"]
		elif way == 0:
			self.chunks += [b"(", *(self.key() + b"K" + bytes([i]) for i in range(self.rng.randrange(2, 18))), b"d"]
			self.stack.append("d")
		elif way == 5:
			self.chunks += [b"(", *(self.rng.choice(TEXT_KEYS) + b"N" for _ in range(self.rng.randrange(2, 18))), b"d"]
			self.stack.append("d")
		elif way == 1:
			self.chunks += [b"\x8f(", *(self.key() for _ in range(self.rng.randrange(2, 6))), b"\x90"]
			self.stack.append("S")
		elif way == 2:
			self.chunks += [self.rng.choice(KEYS + (b"]", b"}", b"\x8f")), self.rng.choice((b"N", b"N}\x86", b"NN\x86", b"}", b"}}\x86", b"N)\x86", b"N}N\x87")), b"b"]
			self.stack.append("T")
		elif way == 3:
			self.chunks += [b"](NNNe", self.rng.choice((b"K\0", b"K\3", b"J\xfd\xff\xff\xff", b"J\xfc\xff\xff\xff", *KEYS)), b"ca\nb\ns"]
			self.stack.append("l")
		else:
			self.chunks += [b")", self.rng.choice((b"\x85", b"](h\0e", b"Q")) * self.rng.choice((63, 64, 65, 199, 200, 201, 202, 203))]
			self.stack.append("T")

	def stream(self, length, wild):
		if self.chance(0.5):
			self.chunks.append(b"\x80" + bytes([self.rng.randrange(6)]))
		whole = self.chance(0.8)
		if whole:
			self.emit("MARK")
		for _ in range(length):
			if self.chance(0.02):
				self.snippet()
			name = self.rng.choices(ALL, SHARES)[0]
			while not (self.makes_sense(name) or self.chance(wild)):
				name = self.rng.choices(ALL, SHARES)[0]
			self.emit(name)
		while whole and self.marks:
			self.emit("TUPLE")  # all that is left becomes part of the answer
		self.frames()
		return b"".join(self.chunks) + b"."

	def frames(self):
		if not self.chance(0.15):
			return
		for _ in range(self.rng.choice((1, 1, 2))):
			start, end = sorted(self.rng.randrange(len(self.chunks) + 1) for _ in range(2))
			size = len(b"".join(self.chunks[start:end]))
			if self.chance(self.odd / 4):
				size = self.rng.choice((size + 1, max(size - 1, 0), size + 100, (1 << 64) - 1, 1 << 63))
			self.chunks.insert(start, b"\x95" + size.to_bytes(8, "little"))


class Plain:
	def __init__(self, value):
		self.value = value


class Slotted:
	__slots__ = ("left", "right")


class Keyworded:
	def __getnewargs_ex__(self):
		return (1, "two"), {"three": 3}

	def __new__(cls, *args, **kwargs):
		return object.__new__(cls)


class Listlike(list):
	pass


class Reduced:
	def __init__(self, answer):
		self.answer = answer

	def __reduce__(self):
		return self.answer


def real_value(rng, depth, made):
	"""Something that pickle can write; now and then the very thing that was made before."""
	if made and rng.random() < 0.15:
		return rng.choice(made)
	leaf = depth > 3 or rng.random() < 0.4
	if leaf:
		return rng.choice((
			None, True, False, rng.randrange(-300, 70000), rng.choice(EDGES), -rng.choice(EDGES), rng.choice(DOUBLES),
			rng.choice(("", "weight", "é", "€😀", "a\nb", "\\u0041", "\ud800", "x" * 300)), rng.randbytes(rng.randrange(6)),
			bytearray(b"abc"), 1 + 2j, Ellipsis, len, collections.OrderedDict, range(3), slice(1, 2)))
	some = [real_value(rng, depth + 1, made) for _ in range(rng.randrange(4))]
	keys = [key for key in some if isinstance(key, (str, int, float, bytes, type(None)))] or ["k", 1, 1.0, True, (1, "a")]
	value = rng.choice((
		lambda: some, lambda: tuple(some), lambda: {key: some[-1] if some else 0 for key in keys}, lambda: set(keys),
		lambda: frozenset(keys), lambda: Plain(some), lambda: Listlike(some), lambda: Keyworded(),
		lambda: collections.OrderedDict((key, some) for key in keys), lambda: collections.deque(some, 5),
		lambda: collections.defaultdict(list, {1: some}), lambda: Reduced((print, tuple(some))),
		lambda: Reduced((print, (), None, iter(some), iter({"k": some}.items()))), lambda: Reduced("Plain"), slotted))()
	if isinstance(value, list) and rng.random() < 0.1:
		value.append(value)
	if isinstance(value, (list, dict, tuple, Plain)):
		made.append(value)
	return value


def slotted():
	value = Slotted()
	value.left, value.right = [], value
	return value


def real_pickle(rng):
	value = [real_value(rng, 0, []) for _ in range(rng.randrange(1, 4))]
	dumps = pickle.dumps if rng.random() < 0.7 else pickle._dumps
	try:
		data = dumps(value, rng.randrange(6))
	except Exception:  # some combinations cannot be pickled in some protocols
		return pickle.dumps(None, 2)
	return pickletools.optimize(data) if rng.random() < 0.3 else data


def chunks_of(data):
	"""The opcodes of a stream one by one, as far as pickletools can read them; then the rest."""
	chunks, start = [], 0
	try:
		for _, _, at in pickletools.genops(data):
			chunks.append(data[start:at])
			start = at
	except Exception:
		pass
	return [chunk for chunk in chunks + [data[start:]] if chunk]


def mutate(rng, data):
	maker = Maker(rng, 0.3)
	chunks = chunks_of(data)
	for _ in range(rng.choice((1, 1, 1, 2, 4))):
		at, to = rng.randrange(len(chunks)), rng.randrange(len(chunks))
		way = rng.randrange(7)
		if way == 0:
			chunks[at], chunks[to] = chunks[to], chunks[at]
		elif way == 1 and len(chunks) > 1:
			del chunks[at]
		elif way == 2:
			chunks.insert(to, chunks[at])
		elif way in (3, 4):
			maker.chunks = []
			maker.emit(rng.choice(ALL))
			chunks[at:at + way - 3] = maker.chunks
		elif way == 5:
			flat = bytearray(b"".join(chunks))
			flat[rng.randrange(len(flat))] = rng.choice((rng.randrange(256), *b"(.0\x00\xff"))
			chunks = chunks_of(bytes(flat))
		elif rng.random() < 0.3:
			flat = b"".join(chunks)
			chunks = chunks_of(flat[:rng.randrange(1, len(flat) + 1)])
	return b"".join(chunks)


def stream_of(seed, number):
	rng = random.Random("%d/%d" % (seed, number))
	way = rng.random()
	if way < 0.3:
		data = real_pickle(rng)
		return mutate(rng, data) if rng.random() < 0.85 else data
	odd = rng.choice((0, 0.05, 0.1, 0.5))
	wild = rng.choice((0, 0, 0.001, 0.01, 0.1))
	data = Maker(rng, odd).stream(rng.choice((1, 2, 3, 5, 8, 15, 30, 60)), wild)
	data = mutate(rng, data) if way < 0.45 else data
	return data + rng.randbytes(3) if rng.random() < 0.05 else data


# ---- the groups of tests/pickle.test ----

def unescape(line):
	plain = {"n": b"\n", "t": b"\t"}
	parts = re.findall(r"\\x(..)|\\(.)|([^\\]+)", line)
	return b"".join(bytes.fromhex(code) or plain.get(char, char.encode()) or text.encode() for code, char, text in parts)


def groups_of(path):
	with open(path, encoding="utf-8", newline="\n") as file:
		lines = [line.rstrip("\n") for line in file]
	lines = [line for line in lines if line and not line.startswith("#")]
	inputs = [unescape(line) for line in lines[1::3]]
	# those that fail end right there: with an end, only the failing opcode is in Python's way
	return inputs + [data + b"N." for data in inputs]


# ---- main ----

def show(data, py, ck):
	print(data.hex())
	print(data)
	try:
		pickletools.dis(data, annotate=30)
	except Exception as error:
		print("pickletools: %s" % error)
	print("Python: %s\nckconv: %s" % (py[:4], ck[:4]))


def main():
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("driver")
	parser.add_argument("--seed", type=int, default=1)
	parser.add_argument("--count", type=int, default=20000)
	parser.add_argument("--first", type=int, default=0)
	parser.add_argument("--groups")
	parser.add_argument("--show", type=int)
	args = parser.parse_args()
	sys.setrecursionlimit(20000)
	warnings.simplefilter("ignore")  # of escapes that Python would rather not have in strings
	driver = Driver(args.driver)
	# a memo number of billions must end in a MemoryError, and soon
	resource.setrlimit(resource.RLIMIT_AS, (1 << 30, resource.RLIM_INFINITY))
	numbers = range(args.first, args.first + args.count) if args.show is None else [args.show]
	streams = groups_of(args.groups) if args.groups else (stream_of(args.seed, i) for i in numbers)
	counts, wrong = collections.Counter(), 0
	for number, data in enumerate(streams, numbers[0] if not args.groups else 0):
		py, ck = run_python(data), driver.run(data)
		if args.show is not None:
			show(data, py, ck)
		different = compare(data, py, ck)
		reason = different and explain(data, py, ck)
		counts[reason or ("accepted by both" if py.accepts else "refused by both")] += 1
		if different and not reason:
			wrong += 1
			print("stream %d: %s\n\t%s" % (number, different, data[:300]), flush=True)
	for name, count in counts.most_common():
		print("%8d %s" % (count, name))
	print("%8d streams, %d unexplained" % (sum(counts.values()), wrong))
	return 1 if wrong else 0


if __name__ == "__main__":
	sys.exit(main())
