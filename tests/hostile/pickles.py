"""Pickles as chance has them: hostile ones, which would make an empty file MARKER where they are
unpickled, in every way that is known; and honest ones of odd kinds."""
import argparse
import collections
import datetime
import decimal
import fractions
import io
import pathlib
import pickle
import random
import struct
import tarfile
import types
import uuid
import zipfile

from planted import harmless, planted

MARKER = "marker"


# ---- hostile pickles ----

class Maker:
    """Writes one value after the other in whatever opcodes chance gives, for one protocol."""

    def __init__(self, chance):
        self.chance = chance
        self.protocol = chance.choice([0, 1, 2, 2, 2, 3, 4, 5])
        self.memo = 0

    def pick(self, *choices):
        """One of several ways to write a thing: (least protocol, bytes)."""
        return self.chance.choice([data for least, data in choices if least <= self.protocol])

    def remember(self, data):
        """The value, perhaps put into the memo, thrown away and taken out again."""
        number = self.memo
        if self.chance.random() < 0.6:
            return data
        self.memo += 1
        put = self.pick((0, b"p%d\n" % number), (1, b"r" + struct.pack("<I", number)))
        get = self.pick((0, b"g%d\n" % number), (1, b"j" + struct.pack("<I", number)))
        return data + put + (b"0" + get if self.chance.random() < 0.5 else b"")

    def text(self, value):
        """A str."""
        raw = value.encode()
        return self.remember(self.pick(
            (0, b"V" + raw + b"\n"), (0, b"S'" + raw + b"'\n"),
            (1, b"X" + struct.pack("<I", len(raw)) + raw),
            (1, b"U" + bytes([len(raw)]) + raw), (4, b"\x8c" + bytes([len(raw)]) + raw),
            (4, b"\x8d" + struct.pack("<Q", len(raw)) + raw)))

    def number(self):
        """Some int."""
        n = self.chance.randrange(256)
        return self.pick((0, b"I%d\n" % n), (0, b"I0x%x\n" % n), (0, b"L%dL\n" % n),
                         (1, b"K" + bytes([n])), (2, b"\x8a\x02" + struct.pack("<h", n)))

    def tuple(self, *items):
        """A tuple."""
        return self.pick((0, b"(" + b"".join(items) + b"t"),
                         (2 if len(items) in (1, 2, 3) else 9,
                          b"".join(items) + bytes([0x84 + len(items) % 4])))

    def name(self, module, attribute):
        """A global."""
        old = b"c%s\n%s\n" % (module.encode(), attribute.encode())
        return self.remember(self.pick(
            (0, old), (4, self.text(module) + self.text(attribute) + b"\x93")))

    def call(self, module, attribute, *arguments):
        """A call, by one of the opcodes that call."""
        inst = b"(" + b"".join(arguments) + b"i%s\n%s\n" % (module.encode(), attribute.encode())
        return self.pick(
            (0, self.name(module, attribute) + self.tuple(*arguments) + b"R"), (0, inst),
            (1, b"(" + self.name(module, attribute) + b"".join(arguments) + b"o"))

    def reduce(self, callee, *arguments):
        """A call of any value."""
        return callee + self.tuple(*arguments) + b"R"

    def payload(self):
        """Something that makes the marker when it is unpickled."""
        touch = self.text("touch " + MARKER)
        code = self.text("open('%s', 'w').close()" % MARKER)
        here = self.text(MARKER)
        builtins = "__builtin__" if self.protocol < 3 else "builtins"
        partial = self.reduce(self.name("functools", "partial"), self.name("os", "system"), touch)
        imported = self.call(builtins, "__import__", self.text("os"))
        system = self.reduce(self.name(builtins, "getattr"), imported, self.text("system"))
        ways = [
            lambda: self.call("os", "system", touch),
            lambda: self.call("posix", "system", touch),
            lambda: self.call(builtins, "eval", code),
            lambda: self.call(builtins, "exec", code),
            lambda: self.call(builtins, "open", here, self.text("w")),
            lambda: self.call("io", "FileIO", here, self.text("w")),
            lambda: self.call("subprocess", "check_output",
                              self.tuple(self.text("touch"), here)),
            lambda: self.call("timeit", "timeit", code, self.text("pass"),
                              self.name("time", "time"), b"I1\n"),
            lambda: self.call("cProfile", "run", code),
            lambda: self.call("code", "InteractiveInterpreter") + b"0" +
            self.call("runpy", "_run_code",
                      self.reduce(self.name(builtins, "compile"), code, self.text("x"),
                                  self.text("exec")), b"}" if self.protocol else b"(d"),
            lambda: self.reduce(partial),
            lambda: self.reduce(system, touch),
            lambda: self.call("pathlib", "Path", here) + b"0" + self.call("os", "mkdir", here),
            lambda: self.call("logging", "FileHandler", here),
            lambda: self.call("shutil", "copyfile", self.text("/dev/null"), here),
            lambda: self.call(builtins, "list", self.reduce(
                self.name(builtins, "map"), self.name("os", "system"), self.tuple(touch))),
            lambda: self.call("functools", "reduce", self.name(builtins, "open"),
                              self.tuple(here, self.text("w"))),
            lambda: self.name("types", "SimpleNamespace") + self.tuple() + b"R" +
            self.state(self.text("__setstate__"), self.name("os", "system")) + b"b" + touch + b"b",
            lambda: self.reduce(self.reduce(self.name("operator", "methodcaller"),
                                            self.text("system"), touch),
                                self.reduce(self.name("importlib", "import_module"),
                                            self.text("os"))),
            lambda: self.reduce(self.reduce(self.name("pkgutil", "resolve_name"),
                                            self.text("os:system")), touch),
        ]
        return self.chance.choice(ways)()

    def state(self, key, value):
        """A dict of one key."""
        return self.pick((0, b"(" + key + value + b"d"), (1, b"}" + key + value + b"s"))

    def hidden(self, payload):
        """The payload somewhere among other values."""
        if self.chance.random() < 0.3:
            payload = self.pick((0, payload + b"0" + self.number()), (0, payload + b"20"),
                                (1, b"(" + payload + b"1" + self.number()))
        for _ in range(self.chance.randrange(4)):
            payload = self.chance.choice([
                lambda: self.state(self.text("w"), payload),
                lambda: b"(" + self.number() + payload + b"l",
                lambda: self.tuple(payload, self.number()),
                lambda: b"(" + self.tuple(self.text("a"), payload) + b"l",
                lambda: self.name("collections", "OrderedDict") + self.tuple() + b"R" +
                self.text("k") + payload + b"s",
            ])()
        return payload

    def planted(self):
        """A whole one that runs what is unknown, by a way that is known to be harmful."""
        return self.pickle(planted(self))

    def unknown(self):
        """A whole one that merely calls it."""
        return self.pickle(harmless(self))

    def pickle(self, payload=None):
        """A whole one."""
        body = self.hidden(payload or self.payload())
        end = self.chance.choice([b".", b".", b".", b".", b"\xff.", b"", b"0."])
        head = b"\x80" + bytes([self.protocol]) if self.protocol >= 2 else b""
        if self.protocol >= 4 and self.chance.random() < 0.4 and end == b".":
            return head + b"\x95" + struct.pack("<Q", len(body) + 1) + body + b"."
        return head + body + end


def torch_zip(data, chance):
    """The pickle as that of a checkpoint with a tensor's bytes beside it."""
    out = io.BytesIO()
    top = chance.choice(["archive", "model", "x"])
    packed = chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    with zipfile.ZipFile(out, "w", packed) as archive:
        archive.writestr(top + "/data.pkl", data)
        archive.writestr(top + "/data/0", struct.pack("<2f", 1, 2))
        archive.writestr(top + "/version", "3\n")
    return out.getvalue()


def torch_tar(data, _chance):
    """The pickle in an archive of torch's oldest kind."""
    out = io.BytesIO()
    zero = pickle.dumps(0, 2)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, member in (("sys_info", pickle.dumps({}, 2)), ("pickle", data),
                             ("storages", zero), ("tensors", zero)):
            info = tarfile.TarInfo(name)
            info.size = len(member)
            archive.addfile(info, io.BytesIO(member))
    return out.getvalue()


def second(data, _chance):
    """The pickle behind another one."""
    return pickle.dumps({"epoch": 3}, 2) + data


CONTAINERS = [lambda data, chance: data] * 3 + [torch_zip, torch_zip, torch_tar, second]


# ---- honest ones ----

class Shape(types.SimpleNamespace):
    """A class of this file."""


def honest_values():
    """Values of many kinds."""
    shared = [1, 2, 3]
    cyclic = {"self": None}
    cyclic["self"] = cyclic
    values = [
        None, True, 1, -1, 1 << 80, 1.5, float("inf"), "text", "\u20ac\U0001f600", b"bytes",
        bytearray(b"abc"), [], (), {}, set(), frozenset([1]), {1, 2}, [[[]]], {"a": {"b": (1, 2)}},
        {1: "x", None: 2, (1, 2): 3}, collections.OrderedDict(a=1, b=[2]), cyclic,
        collections.Counter("hello"), collections.deque([1, 2], 5),
        collections.defaultdict(list, {"a": [1]}), collections.defaultdict(int), range(10),
        slice(1, 2), complex(1, 2), [shared, shared, (shared,)],
        datetime.datetime(2020, 1, 2, 3, 4, 5), datetime.date(2020, 1, 2),
        datetime.timedelta(1), datetime.timezone.utc, decimal.Decimal("1.5"),
        fractions.Fraction(1, 3), uuid.UUID(int=5), pathlib.PurePosixPath("a/b"),
        types.SimpleNamespace(a=1, b=[2]), argparse.Namespace(lr=0.1, model="x"),
        {"lr": 1e-3, "betas": (0.9, 0.999), "params": list(range(100))}, Ellipsis, print, len,
        ValueError("x"), KeyError, {"f": max}, Shape(a=1), Shape, random.Random(1), type(None),
    ]
    try:
        import numpy
    except ImportError:
        return values
    return values + [
        numpy.arange(6).reshape(2, 3), numpy.float32(1.5), numpy.dtype("f4"), numpy.int64(3),
        numpy.array([("a", 1)], dtype=[("n", "U4"), ("i", "i4")]),
        numpy.array([None, {}], dtype=object),
        numpy.zeros((3, 4), order="F"), numpy.bool_(True), numpy.float64, {"a": numpy.ones(3)},
        numpy.random.RandomState(1), numpy.ma.array([1, 2], mask=[0, 1]), numpy.matrix([[1]]),
        numpy.random.default_rng(1), numpy.datetime64("2020-01-01"), numpy.poly1d([1, 2]),
    ]
