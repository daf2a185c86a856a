#!/usr/bin/env python3
"""Holds ckconv's pickle machine against CPython's own (_pickle.Unpickler), stream by stream.

    pickle_diff.py DRIVER [--seed N] [--first N] [--count N] [--groups FILE] [--show N]

DRIVER is pickle_tree, built from pickle_tree.c. Stream number i of a seed is always the same, so a
difference is looked at again with --show i. Both readers must accept the same streams, stop at the
same byte and see the same tree. Nothing is ever executed: find_class, persistent_load and whatever
they return only take notes. --groups takes the inputs of tests/pickle.test instead of random ones.

Exit status: 0 if every difference is one that KNOWN explains, 1 if not, 77 if this is not a
CPython whose memory is laid out as expected. C Python itself may complain of a "deallocated
bytearray" now and then: that is its own READONLY_BUFFER."""

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
import unicodedata
import warnings

import _pickle

# ---- known differences ----

Answer = collections.namedtuple("Answer", "accepts kind text end value", defaults=("", "", 0, None))

# name: (why ckconv does it otherwise, how to recognise it from the stream and the two answers).
# MODEL marks what the recording objects below already do as ckconv does, because only running the
# real classes, or looking things up in a real Python, would tell.
MODEL = None
KNOWN = {
    "strict frames": (
        "C Python before 3.13.15 lets frames overlap and opcodes reach across their end, other "
        "readers do not: what two readers read in two ways is refused",
        lambda data, py, ck: re.search("inside another one|across the end of", ck.text)),
    "limits": (
        "C Python keeps the memo in an array and has no memory for huge numbers, ckconv has a map; "
        "ckconv's own limits are lower elsewhere",
        lambda data, py, ck: py.kind == "MemoryError" or ck.kind == "limit"),
    "number of a bytearray": (
        "what a call returns, or a name stands for, may be a number or a slice; the recording "
        "object is none",
        lambda data, py, ck: ck.accepts and b"\x96" in data and re.search(
            "'Inert' object cannot be inter|bytearray indices must be", py.text)),
    "place in a list": (
        "what a call returns, or a name stands for, may be a number or a slice; the recording "
        "object is none",
        lambda data, py, ck: ck.accepts and re.search(
            "list indices must be integers or slices, not Inert", py.text)),
    "changed buffer": (
        "a loader may give a bytearray, which can be filled; the recording one is none",
        lambda data, py, ck: ck.accepts and b"\x97" in data and re.search(
            "'Buffer' object (has no attribute '(append|extend)'|does not support item)",
            py.text)),
    "computed name": (
        "a name for STACK_GLOBAL that a call would have returned, or that a global or an id may "
        "stand for, is kept as a global that is never known; the recording object is no str",
        lambda data, py, ck: "STACK_GLOBAL requires str" in py.text),
    "unknown buffer": (
        "what a call returns may be a buffer; the recording object is none",
        lambda data, py, ck: "bytes-like object is required, not 'Inert'" in py.text),
    "py2 bytes": (
        "a Python 2 string that is no UTF-8 stays bytes, so that the rest of the file can be "
        "looked at; torch refuses the file",
        lambda data, py, ck: py.kind == "NotText"),
    "long bytes": (
        "bytes over 4096 stay in the file: as keys they equal nothing, and a Python 2 string of "
        "that length is no name",
        lambda data, py, ck: len(data) > 4096 and (
            "?.?" in ck.text or py.accepts and has_key(
                py.value, lambda key: isinstance(key, (str, bytes)) and len(key) > 1024))),
    "frozenset as a key": (
        "it equals only itself here",
        lambda data, py, ck: py.accepts and has_key(
            py.value, lambda key: isinstance(key, frozenset))),
    "unassigned characters": (
        "repr() escapes what its version of Unicode does not know; ckconv has no such tables",
        lambda data, py, ck: py.accepts and any(
            unicodedata.category(char) == "Cn" for char in ck.text)),
    "extension codes": ("never looked up in copyreg; here they are all registered", MODEL),
    "names": (
        "dotted names and those of Python 2 are kept as written: find_class would map them", MODEL),
    "items of unknown objects": (
        "keys that cannot be hashed are refused for every object; a real class might take them",
        MODEL),
    "out-of-band buffers": (
        "NEXT_BUFFER gives an inert value; Python refuses it unless it has buffers, as it has here",
        MODEL),
    "memoryview": (
        "READONLY_BUFFER makes a memoryview of a bytearray in Python; here it stays a bytearray",
        MODEL),
    "INST and OBJ": ("are told apart from REDUCE here; the recording objects cannot", MODEL),
    "order of sets": ("that of the stream here, that of the hashes in Python", MODEL),
}

# ---- recording objects ----

class Record:
    """What happened to one inert object."""

    def __init__(self, kind, **facts):
        self.kind = kind
        self.items, self.pairs, self.states = [], {}, []
        self.changed = False
        self.__dict__.update(facts)


class Inert(type):
    """The class of all recording objects. They are classes themselves: NEWOBJ asks for one."""

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
TP_NEW = 312  # offset of tp_new in PyTypeObject on 64-bit machines
if not (3, 11) <= sys.version_info[:2] <= (3, 13) or sys.maxsize < 1 << 32:
    print("CPython 3.11 to 3.13 for 64 bits is needed")
    sys.exit(77)
OBJECT, ADDRESS = ctypes.py_object, ctypes.c_void_p
NEWOBJ = ctypes.PYFUNCTYPE(OBJECT, OBJECT, OBJECT, ADDRESS)(newobj)
ADDRESS.from_address(id(Base) + TP_NEW).value = ctypes.cast(NEWOBJ, ADDRESS).value


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


# ---- lines, numbers and texts ----

EDGES = (
    0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, (1 << 31) - 1, 1 << 31, (1 << 32) - 1,
    1 << 32, (1 << 53) + 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 1 << 64, 1 << 70, 10 ** 23)
NUMBERS = (-1, 1030, 1030, 100000) + EDGES[:14]  # of memo entries

INTEGERS = (
    b"", b"0", b"00", b"01", b"02", b"1", b"+0", b"+1", b"-1", b"-0", b" 0", b" 1", b"1 ", b" 7 ",
    b"\t7", b"\v7\f", b"\r7\r", b"7\r", b"010", b"08", b"0_7", b"000", b"0_0", b"00_0", b"0x41",
    b"0X4f", b"0x", b"0x_1f", b"0x__1f", b"0xg", b"0x1_f", b"0b1_01", b"0x1__f", b"0o17", b"0o8",
    b"0b101", b"0b2", b"0b_1", b"-0x10", b"- 1", b"+-1", b"1_0", b"1__0", b"_1", b"1_", b"1L",
    b"0L",
    b"01L", b"L", b"LL", b"1LL", b"1l", b"0x41L", b"1 L", b"1L ", b"1.0", b"1e5", b"True", b"7\0x",
    b"\0", b"\0\0", b"\0001", b"1\0", b"0\0", b" \0", b"7 \0x", b"7\0L", b"\0L", b"\xc2\xb2",
    b"\xd9\xa1", b"\xff", b"1\xa0", b"9223372036854775807", b"9223372036854775808",
    b"-9223372036854775808", b"-9223372036854775809", b"0777777777777777777777",
    b"01777777777777777777777", b"0xffffffffffffffffffff", b"1" * 4300, b"1" * 4301, b"0" * 4301,
    b"1_" * 4299 + b"1", b"-" + b"9" * 4300, b"0x" + b"f" * 5000, b"0b" + b"10" * 2500,
    b"0o" + b"7" * 4999)

FLOATS = (
    b"", b"0", b"-0", b"-0.0", b"1", b"1.", b".5", b".", b"-.5e-3", b"1e5", b"1E+05", b"-1E+5",
    b"1e",
    b"1e+", b"e5", b"1_0.5", b" 1.5", b"1.5 ", b"\t1", b"1.5\r", b"inf", b"-inf", b"+Infinity",
    b"INFINITY", b"infinit", b"nan", b"-NaN", b"nan()", b"nanx", b"1e400", b"-1e400", b"1e-400",
    b"1e308", b"1.7976931348623157e308", b"1.7976931348623159e308", b"5e-324", b"2e-324", b"0x1p3",
    b"0x10", b"1,5", b"1.5\0x", b"\0", b"nan\0", b"1e5\0", b"1.5L", b"1d5", b"--1", b"1" * 320,
    b"0e99999999999999999999", b"1e-99999999999999999999", b"1e99999999999999999999",
    b"0." + b"1" * 400, b"\xd9\xa1")
DOUBLES = (
    0.0, -0.0, 1.0, -1.5, 0.1, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 1e22, 1e23, 2.0 ** -44,
    2.0 ** 63, 2.0 ** 70, -2.0 ** 63, 2.0 ** 53 + 2, 5e-324, 1.7976931348623157e308, float("inf"),
    float("-inf"), float("nan"))

STRING_PARTS = (
    b"a", b"key", b"\\n", b"\\\\", b"0", b"b c", b"\\t", b"\\x41", b"\\xe9", b"\\x4", b"\\x",
    b"\\xg1",
    b"\\101", b"\\0", b"\\18", b"\\777", b"\\8", b"\\z", b"\\'", b'\\"', b"\\", b"'", b'"',
    b"\xc3\xa9", b"\\xc3\\xa9", b"\xff", b"\0", b"\r", b"\\u0041")  # the first five never fail
UNICODE_PARTS = (
    b"a", b"bc", b"\\u0041", b"\\u20ac", b"\\ud83d", b"\\ude00", b"\\U0001F600", b"\\U0000d800",
    b"\\U00110000", b"\\U0010ffff", b"\\u12", b"\\u", b"\\U0001", b"\\u00g0", b"\\\\", b"\\",
    b"\\n",
    b"\\\\u0041", b"\\\xe9", b"\xe9", b"\xff", b"\x85", b"\r", b"\0", b"'", b'"', b"\\u2028",
    b"\\u000a")  # the first eight never fail
GOOD_TEXT = (
    b"", b"a", b"key", b"weight", b"0", b"it's", b'"', b"'\"", b"\n", b"\0", b"\\", b"\x7f",
    "\u00e9".encode(), "\u20ac".encode(), "\U0001F600".encode(), "\xa0\xad".encode(),
    "\u2028\u200b\ufeff".encode(), b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80",
    b"x" * 255)
BAD_TEXT = (
    b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xff",
    b"\x80", b"\xc3", b"\xe2\x82", b"\xed\xa0", b"\xed\xa0a", b"\xf8\x88\x80\x80\x80")
NAMES = (
    (b"torch", b"FloatStorage"), (b"collections", b"OrderedDict"), (b"a", b"b"), (b"a", b"b"),
    (b"os", b"path.join"), (b"__builtin__", b"long"), (b"\xd0\xb6", b"\xc3\xa9"), (b"", b"x"),
    (b"x", b""), (b"", b""), (b"a.b", b"c"), (b"a\0b", b"\0"), (b"a\r", b"b\r"), (b"\xff", b"x"),
    (b"x", b"\xed\xa0\x80"), (b" ", b" "))

# Keys of which many equal others, at least at second sight.
KEYS = (
    b"K\1", b"I01\n", b"I1\n", b"\x88", b"L1L\n", b"\x8a\1\1", b"F1.0\n", b"G\x3f\xf0" + bytes(6),
    b"K\0", b"\x89", b"\x8a\0", b"F-0.0\n", b"F0.0\n", b"F0.5\n", b"L9007199254740993\n",
    b"F9007199254740993\n", b"F9007199254740992\n", b"I9007199254740992\n",
    b"L9223372036854775808\n",
    b"F9223372036854775808\n", b"L-9223372036854775808\n", b"F-9223372036854775808\n",
    b"L-9223372036854777856\n", b"F-9223372036854777856\n", b"L1180591620717411303424\n",
    b"F1180591620717411303424\n", b"L-1180591620717411303424\n", b"F-1180591620717411303424\n",
    b"L100000000000000000000000\n", b"F1e23\n", b"L99999999999999991611392\n",
    b"L0x1" + b"0" * 255 + b"\n", b"F1.1235582092889474e307\n", b"Fnan\n", b"Finf\n", b"F-inf\n",
    b"X\1\0\0\0a", b"U\1a", b"Va\n", b"C\1a", b"X\0\0\0\0", b"C\0", b"N", b")", b"X\1\0\0\0\0",
    b"\x82\1", b"\x83\1\0", b"\x82\2", b"ca\nb\n", b"\x8c\1a\x8c\1b\x93", b"ca\nbc\n", b"cab\nc\n",
    b"Pa\n", b"ca\nb\n)R", b"\x97", b"(\x91", b"(K\1\x91")
TEXT_KEYS = (
    b"Va\n", b"Vab\n", b"V\n", b"X\1\0\0\0a", b"\x8c\2ab", b"V\xe9\n", b"\x8c\2\xc3\xa9",
    b"V\\ud800\n")
STATES = (b"N", b"N}\x86", b"NN\x86", b"}", b"}}\x86", b"N)\x86", b"N}N\x87", b"]", b")")
INDICES = (b"K\0", b"K\3", b"J\xfd\xff\xff\xff", b"J\xfc\xff\xff\xff") + KEYS[:14]

# ---- what opcodes need and make ----

# Kinds of value: n number, s text, b bytes, B bytearray, l list, d dict, S set, f frozenset,
# t tuple, T tuple that cannot be hashed, o recording object, x buffer.
ANY = "nsbBldSftTox"
HASHED = "nsbftox"

CODE = {op.name: ord(op.code) for op in pickletools.opcodes}
PUSHED = {name: kind for kind, names in {
    "n": "INT BININT BININT1 BININT2 LONG LONG1 LONG4 NONE NEWTRUE NEWFALSE FLOAT BINFLOAT",
    "s": "UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 STRING BINSTRING SHORT_BINSTRING",
    "b": "BINBYTES SHORT_BINBYTES BINBYTES8", "B": "BYTEARRAY8", "l": "EMPTY_LIST",
    "d": "EMPTY_DICT", "S": "EMPTY_SET", "t": "EMPTY_TUPLE", "o": "GLOBAL PERSID EXT1 EXT2 EXT4",
    "x": "NEXT_BUFFER"}.items() for name in names.split()}

# opcode: kinds of the values on top, how many it takes, what it pushes ("=": a tuple of them)
ON_TOP = {
    "POP": ([ANY], 1, ""), "DUP": ([ANY], 0, ""), "PUT": ([ANY], 0, ""), "BINPUT": ([ANY], 0, ""),
    "LONG_BINPUT": ([ANY], 0, ""), "MEMOIZE": ([ANY], 0, ""), "BINPERSID": ([ANY], 1, "o"),
    "TUPLE1": ([ANY], 1, "="), "TUPLE2": ([ANY] * 2, 2, "="), "TUPLE3": ([ANY] * 3, 3, "="),
    "APPEND": (["lo", ANY], 1, ""), "SETITEM": (["do", HASHED, ANY], 2, ""),
    "BUILD": (["o", ANY], 1, ""), "REDUCE": (["o", "tT"], 2, "o"), "NEWOBJ": (["o", "tT"], 2, "o"),
    "NEWOBJ_EX": (["o", "tT", "d"], 3, "o"), "STACK_GLOBAL": (["s", "s"], 2, "o"),
    "READONLY_BUFFER": (["bBx"], 0, ""),
}


def hashed(items):
    return all(item in HASHED for item in items)


def paired(items):
    return len(items) % 2 == 0 and hashed(items[::2])


def anything(items):
    return True


# opcode: kinds of the value below the MARK ("": none is needed), what those above must be, what it
# pushes
ON_MARK = {
    "TUPLE": ("", anything, "="), "LIST": ("", anything, "l"), "DICT": ("", paired, "d"),
    "FROZENSET": ("", hashed, "f"), "POP_MARK": ("", anything, ""), "INST": ("", anything, "o"),
    "OBJ": ("", lambda items: items[:1] == ["o"], "o"), "APPENDS": ("lo", anything, ""),
    "SETITEMS": ("do", paired, ""), "ADDITEMS": ("So", hashed, ""),
}

# What brings a stream on is chosen more often than what only pushes.
SHARES = {name: 1 for name in sorted(CODE)}
SHARES.update((name, 4) for name in (
    "APPEND APPENDS SETITEM SETITEMS ADDITEMS REDUCE NEWOBJ NEWOBJ_EX BUILD OBJ INST STACK_GLOBAL "
    "TUPLE DICT FROZENSET BINPERSID TUPLE2 MARK").split())
SHARES.update((name, 2) for name in (
    "MEMOIZE BINPUT BINGET GLOBAL EMPTY_TUPLE EMPTY_DICT EMPTY_LIST EMPTY_SET BININT1 "
    "SHORT_BINUNICODE BINUNICODE READONLY_BUFFER").split())
SHARES.update((name, 0.3) for name in ("POP", "POP_MARK", "PROTO"))


# ---- streams made opcode by opcode ----

class Arguments:
    """Writes arguments that are mostly fine; `odd` is the share of those that may not be."""

    def __init__(self, rng, odd):
        self.rng, self.odd = rng, odd

    def chance(self, share):
        return self.rng.random() < share

    def line(self, lines, alphabet, plain):
        if self.chance(self.odd / 4):
            return bytes(self.rng.choice(alphabet) for _ in range(self.rng.randrange(7)))
        return self.rng.choice(lines) if self.chance(self.odd) else plain

    def integer(self, plain):
        return self.line(INTEGERS, b"0123456789_+- xXbBoLe.\0\t1010", b"%d" % plain) + b"\n"

    def float(self):
        plain = repr(self.rng.choice(DOUBLES)).encode()
        return self.line(FLOATS, b"0123456789.eE+-_ infan\0", plain) + b"\n"

    def names(self):
        names = self.rng.choice(NAMES if self.chance(self.odd) else NAMES[:5])
        return b"\n".join(names) + b"\n"

    def persid(self):
        last = b"\xe9" if self.chance(self.odd) else b"x"
        return self.rng.choice((b"1", b"", b"abc", b"a b\0", last)) + b"\n"

    def joined(self, pieces):
        return b"".join(self.rng.choices(pieces, k=self.rng.randrange(4)))

    def string(self):
        quote = end = self.rng.choice((b"'", b'"'))
        if self.chance(self.odd / 8):
            end = self.rng.choice((b"'", b'"', b"", b"' ", b"'x"))
        parts = STRING_PARTS if self.chance(self.odd) else STRING_PARTS[:5]
        return quote + self.joined(parts) + end + b"\n"

    def unicode(self):
        return self.joined(UNICODE_PARTS if self.chance(self.odd) else UNICODE_PARTS[:8]) + b"\n"

    def text(self):
        if self.chance(0.002):
            return b"x" * self.rng.choice((4096, 4097, 70000))
        return self.joined(GOOD_TEXT) + (
            self.rng.choice(BAD_TEXT) if self.chance(self.odd / 4) else b"")

    def bytes(self):
        if self.chance(0.002):
            return self.rng.randbytes(self.rng.choice((4095, 4096, 4097, 70000)))
        return self.rng.choice((b"", b"a", b"'", b'"', b"\n\\", self.rng.randbytes(5)))

    def py2(self):
        return self.bytes() if self.chance(self.odd / 2) else self.rng.choice(GOOD_TEXT[:13])

    def long(self):
        number = self.rng.choice(EDGES) * self.rng.choice((1, 1, -1)) - self.rng.randrange(2)
        return self.rng.choice((
            b"", b"\0", b"\xff", b"\x80", b"\xff" * 9, bytes(9), b"\1" + bytes(254),
            pickle.encode_long(number)))

    def edge(self, width, signed):
        plain = self.rng.randrange(12) - 4 * signed
        return (plain if self.chance(0.7) else self.rng.choice(EDGES)) % (1 << 8 * width)

    def counted(self, width, data):
        data = data[:255] if width == 1 else data
        size = self.rng.choice(EDGES) if self.chance(self.odd / 20) else len(data)
        return (size % (1 << 8 * width)).to_bytes(width, "little") + data


WIDTH = {
    "SHORT_BINSTRING": 1, "BINSTRING": 4, "SHORT_BINBYTES": 1, "BINBYTES": 4, "BINBYTES8": 8,
    "BYTEARRAY8": 8, "SHORT_BINUNICODE": 1, "BINUNICODE": 4, "BINUNICODE8": 8, "LONG1": 1,
    "LONG4": 4,
    "BININT1": 1, "EXT1": 1, "BININT2": 2, "EXT2": 2, "BININT": 4, "EXT4": 4,
    "BINGET": 1, "BINPUT": 1, "LONG_BINGET": 4, "LONG_BINPUT": 4}


class Maker(Arguments):
    """Writes opcodes, and keeps enough of a stack beside them to know which make sense next."""

    def __init__(self, rng, odd):
        super().__init__(rng, odd)
        self.chunks, self.stack, self.marks, self.memo = [], [], [], {}

    def argument(self, name, index):
        rng = self.rng
        plain = {
            "INT": lambda: self.integer(rng.randrange(-3, 20)),
            "LONG": lambda: self.integer(rng.randrange(-3, 20)),
            "GET": lambda: self.integer(index), "PUT": lambda: self.integer(index),
            "GLOBAL": self.names, "INST": self.names, "PERSID": self.persid, "FLOAT": self.float,
            "STRING": self.string, "UNICODE": self.unicode,
            "PROTO": lambda: bytes([rng.randrange(256 if self.chance(self.odd / 4) else 6)]),
            "FRAME": lambda: rng.randrange(12).to_bytes(8, "little"),
            "BINFLOAT": lambda: rng.choice(
                (struct.pack(">d", rng.choice(DOUBLES)), rng.randbytes(8))),
        }.get(name)
        if plain or name not in WIDTH:
            return plain() if plain else b""
        width = WIDTH[name]
        if index is not None:
            return (index % (1 << 8 * width)).to_bytes(width, "little")
        if "INT" in name or "EXT" in name:
            return self.edge(width, width == 4).to_bytes(width, "little")
        data = self.long if "LONG" in name else self.text if "UNICODE" in name else \
            self.py2 if "STRING" in name else self.bytes
        return self.counted(width, data())

    def index(self, name):
        if "GET" not in name and "PUT" not in name:
            return None
        if "GET" in name and self.memo and not self.chance(self.odd / 4):
            return self.rng.choice(list(self.memo))
        return self.rng.choice(NUMBERS) if self.chance(self.odd / 8) else self.rng.randrange(8)

    def fence(self):
        return self.marks[-1] if self.marks else 0

    def above(self):
        return self.stack[self.fence():]

    def makes_sense(self, name):
        if name in ON_TOP:
            kinds = ON_TOP[name][0]
            top = self.above()[-len(kinds):]
            return len(top) == len(kinds) and all(
                value in wanted for value, wanted in zip(top, kinds))
        if name in ON_MARK:
            below, test, _ = ON_MARK[name]
            lower = self.marks[-2] if len(self.marks) > 1 else 0
            target = self.stack[lower:self.fence()][-1:]
            return self.marks and (
                not below or target and target[0] in below) and test(self.above())
        if "GET" in name:
            return bool(self.memo)
        return name not in ("STOP", "FRAME")

    def push(self, kind, items):
        if kind:
            self.stack.append(kind if kind != "=" else "t" if hashed(items) else "T")

    def effect(self, name, index):
        above = self.above()
        if name in PUSHED:
            self.push(PUSHED[name], ())
        elif name == "MARK":
            self.marks.append(len(self.stack))
        elif name == "POP" and self.marks and not above:
            self.marks.pop()
        elif name in ON_TOP:
            _, count, kind = ON_TOP[name]
            taken = above[-count:] if count else []
            del self.stack[len(self.stack) - len(taken):]
            self.push(kind, taken)
        elif name in ON_MARK:
            del self.stack[self.fence():]
            del self.marks[-1:]
            self.push(ON_MARK[name][2], above)
        elif "GET" in name:
            self.push(self.memo.get(index, "n"), ())
        if name == "DUP" and above:
            self.push(above[-1], ())
        if "PUT" in name or name == "MEMOIZE":
            self.memo[len(self.memo) if index is None else index] = above[-1] if above else "n"

    def emit(self, name):
        index = self.index(name)
        self.chunks.append(bytes([CODE[name]]) + self.argument(name, index))
        self.effect(name, index)

    def choose(self):
        return self.rng.choices(list(SHARES), list(SHARES.values()))[0]

    # ---- what opcode by opcode hardly ever comes together ----

    def key(self):
        key = self.rng.choice(KEYS)
        if self.chance(0.1):
            return key + b"\x85"
        return key + self.key() + b"\x86" if self.chance(0.1) else key

    def many(self, keys, value):
        return b"".join(keys() + value for _ in range(self.rng.randrange(2, 18)))

    def snippet(self):
        """A kind of value and the opcodes that make it."""
        choice = self.rng.choice
        deep = choice((63, 64, 65, 199, 200, 201, 202, 203))
        return choice((
            lambda: ("d", b"(" + self.many(self.key, b"K" + self.rng.randbytes(1)) + b"d"),
            lambda: ("d", b"(" + self.many(lambda: choice(TEXT_KEYS), b"N") + b"d"),
            lambda: ("S", b"\x8f(" + self.many(self.key, b"") + b"\x90"),
            lambda: ("T", choice(KEYS + (b"]", b"}", b"\x8f")) + choice(STATES) + b"b"),
            lambda: ("l", b"](NNNe" + choice(INDICES) + b"ca\nb\ns"),
            lambda: ("T", b")" + choice((b"\x85", b"Q")) * deep),
            lambda: ("B", b"\x96\3" + bytes(7) + b"abc" + choice((
                b"(" + self.many(lambda: b"K" + self.rng.randbytes(1), b"") + b"e",
                choice(INDICES) + b"a", choice(INDICES) + choice(INDICES) + b"s",
                b"(\x88\x89e\x88Kzs", b"B\0\x20\0\0" + bytes(8192) + b"0"))),
        ))()

    def padding(self):
        """So much that the next opcodes lie across the end of the reader's window."""
        size = 65530 - self.rng.randrange(12)
        return b"B" + size.to_bytes(4, "little") + bytes(size) + b"0"

    def stream(self, length, wild):
        if self.chance(0.5):
            self.chunks.append(b"\x80" + bytes([self.rng.randrange(6)]))
        whole = self.chance(0.8)
        if whole:
            self.emit("MARK")
        for _ in range(length):
            if self.chance(0.02):
                kind, chunk = self.snippet()
                self.chunks.append(chunk)
                self.push(kind, ())
            if self.chance(0.0005):
                self.chunks.append(self.padding())
            name = self.choose()
            while not (self.makes_sense(name) or self.chance(wild)):
                name = self.choose()
            self.emit(name)
        while whole and self.marks:
            self.emit("TUPLE")  # all that is left becomes part of the answer
        if self.chance(0.15):
            self.frame()
        return b"".join(self.chunks) + b"."

    def frame(self):
        for _ in range(self.rng.choice((1, 1, 2))):
            start, end = sorted(self.rng.randrange(len(self.chunks) + 1) for _ in range(2))
            size = len(b"".join(self.chunks[start:end]))
            if self.chance(self.odd / 4):
                size = self.rng.choice(
                    (size + 1, max(size - 1, 0), size + 100, (1 << 64) - 1, 1 << 63))
            self.chunks.insert(start, b"\x95" + size.to_bytes(8, "little"))


# ---- streams that Python's pickler made ----

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


def slotted():
    value = Slotted()
    value.left, value.right = [], value
    return value


def leaf(rng):
    return rng.choice((
        None, True, False, rng.randrange(-300, 70000), rng.choice(EDGES), -rng.choice(EDGES),
        rng.choice(DOUBLES), rng.choice(("", "weight", "\u00e9", "\u20ac\U0001F600", "a\nb",
        "\\u0041", "\ud800", "x" * 300)), rng.randbytes(rng.randrange(6)), bytearray(b"abc"),
        1 + 2j, Ellipsis, len,
        collections.OrderedDict, range(3), slice(1, 2)))


def container(rng, some):
    keys = [key for key in some if isinstance(key, (str, int, float, bytes, type(None)))]
    keys = keys or ["k", 1, 1.0, True, (1, "a")]
    return rng.choice((
        lambda: some, lambda: tuple(some), lambda: {key: some[-1] if some else 0 for key in keys},
        lambda: set(keys), lambda: frozenset(keys), lambda: Plain(some), lambda: Listlike(some),
        Keyworded, lambda: collections.OrderedDict((key, some) for key in keys), slotted,
        lambda: collections.deque(some, 5), lambda: collections.defaultdict(list, {1: some}),
        lambda: Reduced((print, tuple(some))), lambda: Reduced("Plain"),
        lambda: Reduced((print, (), None, iter(some), iter({"k": some}.items())))))()


def real_value(rng, depth, made):
    """Something that pickle can write; now and then the very thing that was made before."""
    if made and rng.random() < 0.15:
        return rng.choice(made)
    if depth > 3 or rng.random() < 0.4:
        return leaf(rng)
    value = container(rng, [real_value(rng, depth + 1, made) for _ in range(rng.randrange(4))])
    if isinstance(value, list) and rng.random() < 0.1:
        value.append(value)
    if isinstance(value, (list, dict, tuple, Plain)):
        made.append(value)
    return value


def real_pickle(rng):
    value = [real_value(rng, 0, []) for _ in range(rng.randrange(1, 4))]
    dumps = pickle.dumps if rng.random() < 0.7 else pickle._dumps
    try:
        data = dumps(value, rng.randrange(6))
    except Exception:  # some things cannot be pickled in some protocols
        return pickle.dumps(None, 2)
    return pickletools.optimize(data) if rng.random() < 0.3 else data


# ---- and what becomes of both ----

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


def change(rng, chunks):
    """One accident."""
    at, to, way = rng.randrange(len(chunks)), rng.randrange(len(chunks)), rng.randrange(7)
    flat = bytearray(b"".join(chunks))
    if way == 0:
        chunks[at], chunks[to] = chunks[to], chunks[at]
    elif way == 1 and len(chunks) > 1:
        del chunks[at]
    elif way == 2:
        chunks.insert(to, chunks[at])
    elif way in (3, 4):  # in between or instead
        maker = Maker(rng, 0.3)
        maker.emit(rng.choice(list(SHARES)))
        chunks[at:at + way - 3] = maker.chunks
    elif way == 5:
        flat[rng.randrange(len(flat))] = rng.choice((rng.randrange(256), *b"(.0\x00\xff"))
        chunks = chunks_of(bytes(flat))
    elif rng.random() < 0.3:
        chunks = chunks_of(bytes(flat[:rng.randrange(1, len(flat) + 1)]))
    return chunks


def mutate(rng, data):
    chunks = chunks_of(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        chunks = change(rng, chunks)
    return b"".join(chunks)


def stream_of(seed, number):
    rng = random.Random("%d/%d" % (seed, number))
    real = rng.random() < 0.3
    if real:
        data = real_pickle(rng)
    else:
        maker = Maker(rng, rng.choice((0, 0.05, 0.1, 0.5)))
        wild = rng.choice((0, 0, 0.001, 0.01, 0.1))
        data = maker.stream(rng.choice((1, 2, 3, 5, 8, 15, 30, 60)), wild)
    if rng.random() < (0.85 if real else 0.2):
        data = mutate(rng, data)
    return data + rng.randbytes(3) if rng.random() < 0.05 else data


# ---- the groups of tests/pickle.test ----

def unescape(line):
    plain = {"n": b"\n", "t": b"\t"}
    parts = re.findall(r"\\x(..)|\\(.)|([^\\]+)", line)
    return b"".join(bytes.fromhex(code) or plain.get(char, (char or text).encode())
                    for code, char, text in parts)


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
