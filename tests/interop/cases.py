"""The inputs: one function for each checkpoint, with whatever real torch can put into one. They run under
both torches; a case names the oldest that knows what it needs."""

import ctypes
import io
import math
import os
import sys
import tempfile
import warnings
import zlib
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple

import numpy
import torch
from torch import nn

from truth import DTYPES

VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])
OLD, NEW = (1, 13), (2, 6)

CASES = []

warnings.simplefilter("ignore")  # torch calls some of what follows a beta

Case = namedtuple("Case", "name make since save args root refused ties")


def case(since=OLD, save=None, args=(), root=None, refused=None, ties=False, name=None):
    """Registers a function that makes a checkpoint. `refused`: ckconv must not convert it, and must say
    these words. `save`: how it gets into the file, if not by a plain torch.save."""

    def register(make):
        label = name or make.__name__.replace("_", "-")
        if VERSION >= since:
            more = ("--root", root) if root else ()
            CASES.append(Case(label, make, since, save or save_to_path, (*args, *more), root,
                              refused, ties))
        return make

    return register


# ---- ways into a file ----

def save_to_path(value, path, **options):
    torch.save(value, path, **options)


def save_through_buffer(value, path, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    with open(path, "wb") as file:
        file.write(buffer.getvalue())


def with_protocol(protocol, way=save_to_path):
    return lambda value, path: way(value, path, pickle_protocol=protocol)


def save_without_crc(value, path):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(value, path)
    finally:
        torch.serialization.set_crc32_options(True)


def save_without_byteorder(value, path):
    torch.save(value, path, _disable_byteorder_record=True)


def save_big_endian(value, path):
    """What a big-endian machine would write: its storages, and the word for it."""
    seen, native = set(), sys.byteorder
    for tensor in value.values():
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            storage.byteswap(tensor.dtype)
    sys.byteorder = "big"
    try:
        torch.save(value, path)
    finally:
        sys.byteorder = native


# ---- values ----

class Source:
    """Tensors of random bits: every NaN, every denormal."""

    def __init__(self, seed):
        seed += os.environ.get("CKCONV_INTEROP_SEED", "")
        self.rng = numpy.random.default_rng(zlib.crc32(seed.encode()))

    def bits(self, dtype, *shape):
        tensor = torch.empty(shape, dtype=dtype)
        if tensor.numel():
            size = tensor.numel() * tensor.element_size()
            data = (self.rng.integers(0, 2, size, dtype=numpy.uint8).tobytes()
                    if dtype == torch.bool else self.rng.bytes(size))
            ctypes.memmove(tensor.data_ptr(), data, size)
        return tensor

    def floats(self, *shape):
        return self.bits(torch.float32, *shape)

    def finite(self, dtype, *shape):
        return torch.from_numpy(self.rng.standard_normal(shape)).to(dtype)

    def below(self, end):
        return int(self.rng.integers(0, end))

    def pick(self, options):
        return options[self.below(len(options))]


def dtypes(*names):
    return [getattr(torch, name) for name in names if hasattr(torch, name)]


# The reference library of the judge cannot open a file with one of these, so they have their own.
LATER = dtypes("complex64", "float8_e4m3fnuz", "float8_e5m2fnuz")
COMMON = [dtype for dtype in dtypes(*DTYPES) if dtype not in LATER]


# ---- dtypes ----

def each_dtype(source, which):
    tensors = OrderedDict()
    for dtype in which:
        name = str(dtype).replace("torch.", "")
        tensors[name + ".vector"] = source.bits(dtype, 37)
        tensors[name + ".matrix"] = source.bits(dtype, 5, 7)
        tensors[name + ".transposed"] = source.bits(dtype, 5, 7).t()
        tensors[name + ".scalar"] = source.bits(dtype)
        tensors[name + ".empty"] = source.bits(dtype, 3, 0)
    return tensors


@case()
def every_dtype(source):
    return each_dtype(source, COMMON)


@case()
def later_dtypes(source):
    return each_dtype(source, LATER)


# complex32 cannot be saved by the old torch, and no torch can save int1 to int7 and uint1 to uint7.
def refused_dtype(name, since=OLD):
    @case(since=since, name="refused-" + name, refused=["the 'bad' one", name])
    def make(source):
        size = torch.empty(0, dtype=getattr(torch, name)).element_size()
        bad = source.bits(torch.uint8, 8 * size).view(getattr(torch, name))
        return {"good": source.floats(3), "the 'bad' one": bad}


for _name in ("complex128", "qint8", "quint8", "qint32", "quint4x2", "quint2x4"):
    refused_dtype(_name)
for _name in ("complex32", "bits8", "bits16", "bits1x8", "bits2x4", "bits4x2"):
    refused_dtype(_name, since=NEW)


# ---- views ----

def every_view(source, dtype):
    def new(*shape):
        return source.bits(dtype, *shape)

    large, shared, tied = new(5000), new(6, 8, 10), new(3, 3)
    return OrderedDict({
        "plain": new(7, 5),
        "transposed": new(7, 5).t(),
        "permuted.3": new(3, 4, 5).permute(2, 0, 1),
        "permuted.4": new(3, 4, 5, 6).permute(3, 1, 0, 2),
        "permuted.5": new(2, 3, 4, 5, 6).permute(4, 2, 0, 3, 1),
        "permuted.10": new(*[2] * 10).permute(*reversed(range(10))),
        "transposed.in.64.dimensions": new(4, *[1] * 62, 3).transpose(0, 63),
        "sliced": new(20, 30)[3:17:2, 1::3],
        "sliced.rows": new(4, 5, 6)[1:3],
        "sliced.inside": new(9, 9, 9)[2:7, 3:5, 1:8],
        "column": new(6, 7)[:, 3],
        "column.kept": new(6, 7)[:, 3:4],
        "diagonal": new(6, 7).diagonal(1),
        "expanded.front": new(5).expand(3, 4, 5),
        "expanded.middle": new(4, 1, 6).expand(4, 3, 6),
        "expanded.scalar": new().expand(3, 2),
        "expanded.transposed": new(4, 1, 6).expand(4, 3, 6).permute(2, 1, 0),
        "overlapping": new(20).as_strided((5, 4), (2, 3), 1),
        "overlapping.same": new(20).as_strided((9, 9), (1, 1), 2),
        "unfolded": new(50).unfold(0, 8, 3),
        "channels.last": new(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "channels.last.3d": new(2, 3, 4, 5, 6).contiguous(memory_format=torch.channels_last_3d),
        "narrow": large.narrow(0, 1234, 17),
        "narrow.end": large.narrow(0, 4999, 1),
        "strided": large[1::7],
        "scalar": new(),
        "scalar.inside": large[77],
        "empty.0": new(0),
        "empty.1": new(0, 3),
        "empty.2": new(3, 0),
        "empty.3": new(2, 0, 3),
        "empty.4": new(3, 4)[:, 4:],
        "empty.5": new(3, 4)[1:1],
        "empty.6": large[5000:],
        "empty.7": new(0, 3).t(),
        "empty.8": new(6).as_strided((2, 0, 2), (99, 7, 5), 6),
        "ones": new(1, 1, 1),
        "ones.strided": new(3).as_strided((1, 3, 1), (999, 1, 77)),
        "ones.only": new(3).as_strided((1, 1), (1 << 40, 1 << 50), 2),
        "ones.moved": new(4, 5).unsqueeze(1).transpose(0, 1),
        "shared.whole": shared,
        "shared.first": shared[0],
        "shared.last": shared[-1],
        "shared.columns": shared[:, :, 2:5],
        "shared.permuted": shared.permute(1, 2, 0),
        "shared.flat": shared.view(-1)[100:300],
        "shared.step": shared[::2, 1::3, ::4],
        "tied.a": tied,
        "tied.b": tied,
        "tied.flat": tied.view(9),
        "tied.transposed": tied.t(),
    })


for _dtype in dtypes("float64", "float32", "bfloat16", "int16", "uint8", "bool", "complex64",
                     "uint32", "float8_e5m2"):
    case(name="views-" + str(_dtype).replace("torch.", ""))(
        lambda source, dtype=_dtype: every_view(source, dtype))


# The old torch forgets both bits when it saves: what it loads again are other values.

@case(since=NEW)
def conjugate_bit(source):
    def new(*shape):
        return source.bits(torch.complex64, *shape)

    return {
        "plain": new(5, 6).conj(),
        "scalar": new().conj(),
        "empty": new(0, 2).conj(),
        "transposed": new(5, 6).conj().t(),
        "adjoint": new(4, 6).mH,
        "sliced": new(50).conj()[3::4],
        "twice": new(3).conj().conj(),
        "expanded": new(3).conj().expand(5, 3),
    }


@case(since=NEW)
def negative_bit(source):
    def new(*shape):
        return source.finite(torch.complex64, *shape)

    return {
        "imaginary.of.conjugate": new(5, 6).conj().imag,
        "imaginary.transposed": new(5, 6).conj().imag.t(),
        "imaginary": new(5, 6).imag,
        "real": new(5, 6).real,
        "real.of.conjugate": new(7).conj().real,
        "pairs": torch.view_as_real(new(4)),
        "double": source.finite(torch.complex128, 9).conj().imag,
        "complex": torch._neg_view(source.bits(torch.complex64, 6)),
        "complex.both": torch._neg_view(source.bits(torch.complex64, 6).conj()),
        **{"of." + str(dtype): torch._neg_view(source.finite(dtype, 4, 5) * 100)
           for dtype in dtypes("float64", "float32", "float16", "bfloat16")},
        **{"of." + str(dtype): torch._neg_view(source.bits(dtype, 40))[::3]
           for dtype in dtypes("int64", "int32", "int16", "int8", "uint8")},
    }


@case()
def odd_storages(source):
    """Storages that are no whole number of elements, and ones of which little is seen."""
    odd = torch.empty(0, dtype=torch.float32)
    odd.set_(source.bits(torch.uint8, 23).storage().untyped() if VERSION < (2, 0)
             else source.bits(torch.uint8, 23).untyped_storage(), 1, (4,), (1,))
    large = source.bits(torch.float64, 100000)
    return {"odd": odd, "speck": large[99999], "specks": large[::33333]}


@case(since=NEW)
def one_storage_of_several_types(source):
    octets = source.bits(torch.uint8, 96)
    return {"octets": octets, "float8": octets.view(torch.float8_e4m3fn)[3:9],
            "shorts": octets.view(torch.uint16)[::3], "words": octets.view(6, 16).view(torch.uint32).t(),
            "longs": octets.view(torch.uint64)[1:]}


@case()
def memory_of_others(source):
    """Tensors on what NumPy and Python own, and on storages that were shrunk or that grew."""
    table = numpy.arange(110.0).reshape(10, 11)
    shrunk, grown = source.floats(10), source.floats(2)
    shrunk.resize_(3)
    with torch.no_grad():
        grown.resize_(50)[2:] = 0
    return {"numpy": torch.from_numpy(table)[::2].t(), "shrunk": shrunk, "grown": grown,
            "buffer": torch.frombuffer(bytearray(range(40)), dtype=torch.int32, offset=3, count=4)}


@case(since=NEW)
def mapped(source):
    """Loaded by mmap, then saved again: each storage is a part of another file."""
    with tempfile.NamedTemporaryFile() as file:
        torch.save({"w": source.floats(1000), "v": source.floats(7)}, file.name)
        loaded = torch.load(file.name, mmap=True)
        return {"part": loaded["w"][3:9], "all": loaded["w"].view(10, 100).t(), "v": loaded["v"]}


# ---- sizes ----

@case()
def borders(source):
    """Sizes around those at which the copy engine changes its ways."""
    tensors = {}
    for size in (1, 4 << 10, 64 << 10, 256 << 10, 512 << 10, 1 << 20, 4 << 20, 8 << 20):
        for more in (-1, 0, 1):
            tensors["%d.%d" % (size, more + 1)] = source.bits(torch.uint8, size + more)
    return tensors


@case(since=NEW)
def large_storages(source):
    one, two = source.bits(torch.uint8, (24 << 20) + 5), source.floats(5 << 20)
    step = (8 << 20) // 4
    return {
        "one": one,
        "one.behind.first": one[1:],
        "one.across.parts": one[(8 << 20) - 3:(16 << 20) + 3],
        "one.inside": one[(8 << 20) + 1:(8 << 20) + 2],
        "two.a": two[:step],
        "two.b": two[step:2 * step],
        "two.c": two[step - 1:step + 1],
        "two.rest": two[2 * step:],
        "two.whole": two.view(1 << 10, 5 << 10),
    }


def large(name, since=NEW):
    return case(since=since, name="large-" + name)


@large("transposed-f32", since=OLD)
def _(source):
    return {"odd": source.floats(2053, 1501).t(), "even": source.floats(2048, 1024).t()}


@large("transposed-f64")
def _(source):
    return {"w": source.bits(torch.float64, 2053, 2500).t()}


@large("transposed-f16")
def _(source):
    whole = source.bits(torch.float16, 5003, 4001)
    return {"w": whole.t(), "part": whole.t()[5:3900:3, 7::2], "corner": whole.t()[3990:, 4900:]}


@large("transposed-u8")
def _(source):
    return {"w": source.bits(torch.uint8, 7001, 6007).t()}


@large("transposed-c64")
def _(source):
    return {"w": source.bits(torch.complex64, 2049, 2111).t(),
            "adjoint": source.bits(torch.complex64, 1111, 2047).mH}


@large("sides")
def _(source):
    tensors = {}
    for rows, columns in ((8193, 513), (513, 8193), (65537, 67), (67, 65537), (300007, 19),
                          (19, 300007), (100003, 3), (3, 1000003), (1025, 1025)):
        tensors["%dx%d" % (rows, columns)] = source.bits(torch.uint16, rows, columns).t()
    return tensors


@large("batches")
def _(source):
    return {
        "swapped": source.bits(torch.int32, 5, 1031, 513).transpose(1, 2),
        "reversed": source.bits(torch.bfloat16, 129, 515, 67).permute(2, 1, 0),
        "rolled": source.bits(torch.bfloat16, 129, 515, 67).permute(1, 2, 0),
        "rolled.back": source.bits(torch.bfloat16, 129, 515, 67).permute(2, 0, 1),
        "convolution": source.floats(256, 300, 3, 3).contiguous(memory_format=torch.channels_last),
        "image": source.floats(2, 96, 157, 59).contiguous(memory_format=torch.channels_last),
        "video": source.bits(torch.float16, 2, 33, 17, 35, 37).contiguous(
            memory_format=torch.channels_last_3d),
        "expanded": source.floats(1500, 1, 700).expand(1500, 3, 700).permute(2, 1, 0),
    }


@large("permuted")
def _(source):
    orders = ((4, 3, 2, 1, 0), (1, 0, 3, 2, 4), (2, 4, 0, 1, 3), (4, 0, 1, 2, 3), (0, 4, 3, 2, 1),
              (3, 1, 4, 0, 2))
    return {"to." + "".join(map(str, order)):
            source.bits(dtype, 13, 37, 29, 11, 7).permute(*order)
            for order, dtype in zip(orders, dtypes("float32", "uint8", "float16", "float64",
                                                   "bfloat16", "bool"))}


@large("strided")
def _(source):
    octets, floats = source.bits(torch.uint8, 20000003), source.floats(3000000)
    return {
        **{"octets.%d" % step: octets[1::step]
           for step in (2, 3, 17, 4097, 524289, 1000003, 19999999)},
        **{"floats.%d" % step: floats[3::step] for step in (2, 5, 1021, 262145)},
        "column": source.bits(torch.float64, 100003, 9)[:, 4],
        "columns": source.bits(torch.float64, 50001, 30)[:, 3:28:5],
        "wide": floats.view(3, 1000000)[:, ::7].t(),
        "overlapping": floats.as_strided((2000, 1500), (1, 1), 7),
        "overlapping.tiles": floats.as_strided((2000, 700), (1, 4000), 11),
        "expanded": octets[:5000].view(5000, 1).expand(5000, 1000),
        "expanded.rows": octets[:5000].expand(1000, 5000),
    }


@case()
def twenty_thousand_tensors(source):
    values = source.floats(20000, 9)
    tensors = OrderedDict()
    for i in range(20000):
        tensors["blocks.%d.part.%d.weight" % (i // 7, i % 7)] = values[i, :i % 10].clone()
    return tensors


# ---- pickles ----

def nested(source):
    shared = source.floats(4, 4)
    return {
        "weights of all": OrderedDict([("encoder", {"w": shared, "b": source.floats(4)}),
                                       ("list", [source.floats(2), {"deep": source.floats(3)}])]),
        "tuple": (source.floats(1), (), [shared, shared.t()]),
        "epoch": 12, "big": 2 ** 70, "rate": 1e-4, "text": "\u00e9\u4e2d", "flag": True, "none": None,
        "bytes": b"\x00\xff", "long text": "x" * 70000, "long bytes": b"y" * 70000,
        "set": {1, 2}, "frozen": frozenset("a"), "size": shared.size(), "device": shared.device,
        "dtype": shared.dtype, "complex": 1 + 2j, "array": bytearray(b"123"),
        "default": defaultdict(list, {"w": [source.floats(2)]}),
    }


for _protocol in (2, 3, 4, 5):
    case(name="protocol-%d" % _protocol, save=with_protocol(_protocol))(nested)
    case(name="protocol-%d-buffer" % _protocol,
         save=with_protocol(_protocol, save_through_buffer))(nested)


@case(save=with_protocol(4))
def protocol_4_many(source):
    return {"name %d" % i: source.bits(torch.int64, i % 5) for i in range(3000)}


@case(save=save_without_crc, since=NEW)
def without_crc(source):
    return {**every_view(source, torch.float32), "large": source.floats(3 << 20)}


@case(save=save_without_byteorder, since=NEW)
def without_byteorder(source):
    return every_view(source, torch.int16)


# ---- the other byte order: torch itself leaves unsigned integers and float8 as they are ----

@case(save=save_big_endian, since=NEW)
def big_endian(source):
    large = source.bits(torch.int16, 2001, 1003)
    tensors = {"large": large, "large.transposed": large.t()}
    for dtype in dtypes("float64", "float32", "bfloat16", "float16", "int64", "int32", "int16",
                        "int8", "uint8", "bool"):
        whole = source.bits(dtype, 6, 7)
        tensors[str(dtype)] = whole
        tensors[str(dtype) + ".part"] = whole[1:3, ::2]
    return tensors


@case(save=save_big_endian, since=NEW)
def big_endian_complex(source):
    whole = source.bits(torch.complex64, 6, 7)
    return {"w": whole, "adjoint": whole.mH, "part": whole[1:3, ::2].conj()}


# ---- names ----

NAMES = ["", ".", "..", "a.b.c", "a..b", ".a", "a.", " before", "behind ", 'quo"te', "apo'strophe",
         "back\\slash", "\\u0041", "/etc/passwd", "../up", "a/b", "c:\\d", "new\nline", "tab\t",
         "return\r", "back\b", "feed\f", "escape\x1b[31m", "delete\x7f", "\u0080", "\u00a0",
         "e\u0301", "\u00e9", "\u65e5\u672c\u8a9e", "\u0627\u0644", "\u202eright", "\u2028", "\ufeff",
         "\uffff", "\ufffd", "\U00010000", "\U0010ffff", "\U0001f600",
         "\U0001f469\u200d\U0001f469\u200d\U0001f467", "null", "0", "-1", "__metadata", "format",
         "{}", "[0]", "%s%n", "$(true)", "n" * 4096, "\u00e9" * 4096, "\U0001f600" * 1024,
         "k" * 255, "k" * 256, "k" * 257, "k" * 65536, "k" * 100000,
         *("control " + chr(i) for i in range(1, 32))]


def many_names(source):
    return {name: source.bits(torch.uint8, 1 + i % 3) for i, name in enumerate(NAMES)}


for _protocol in (2, 5):
    case(name="names-protocol-%d" % _protocol, save=with_protocol(_protocol))(many_names)


@case()
def long_paths(source):
    tree = leaf = {}
    for i in range(400):
        leaf["%03d " % i + "d" * 20] = leaf = {}
    leaf["w"] = source.floats(2)
    return {"": {"": {"": tree}}, ".": {".": source.floats(1)}}


@case()
def odd_keys(source):
    keys = [0, 1, -7, 2 ** 31, 2 ** 63, -2 ** 70, True, None, 1.5, -0.0, 1e16, 1e22, 1e-5, 0.1, math.inf,
            -math.inf, math.pi, 5e-324, (), (1,), (1, 2), ("a", "b"),
            ("it's", 'a "quote"', "both '\""), ("\n\t\\\x00\x7f", "\u00e9\U0001f600"),
            ((1, (2.5, None)), False),
            torch.float32, (torch.int8, 3)]
    keys.remove(1)  # the same key as True
    return {"top": {key: source.floats(1 + i) for i, key in enumerate(keys)}}


def keys_of_bytes(source):
    """Protocol 2 has no opcode for them: they are calls of _codecs.encode."""
    return {"top": {key: source.floats(1 + i) for i, key in enumerate(
        (b"bytes", b"\x00'\xff", b"", (b"x", 1)))}}


for _protocol in (2, 3):
    case(name="keys-of-bytes-%d" % _protocol, save=with_protocol(_protocol))(keys_of_bytes)


def refused_name(label, words, value):
    case(name="refused-" + label, refused=words)(value)


refused_name("surrogate", ["UTF-8"], lambda source: {"a\ud800": source.floats(1)})
refused_name("reserved", ["__metadata__"], lambda source: {"__metadata__": source.floats(1)})
refused_name("nul", ["NUL"], lambda source: {"a\0b": source.floats(1)})
refused_name("same-path", ["a.b"],
             lambda source: {"a": {"b": source.floats(1)}, "a.b": source.floats(2)})
refused_name("same-text", ["'1'"], lambda source: {1: source.floats(1), "1": source.floats(2)})
refused_name("no-tensors", ["no tensors"], lambda source: {"epoch": 1, "lr": [0.1, None]})
refused_name("sparse", ["'s'", "sparse"], lambda source: {
    "w": source.floats(1), "s": torch.eye(3).to_sparse()})
refused_name("csr", ["'s'", "sparse"], lambda source: {
    "w": source.floats(1), "s": torch.eye(3).to_sparse_csr()})
refused_name("quantized", ["'q'", "quantized"], lambda source: {
    "w": source.floats(1), "q": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.quint8)})


# ---- what people save ----

class Weights(OrderedDict):
    pass


class Rows(list):
    pass


Pair = namedtuple("Pair", "weight bias")


@case()
def containers(source):
    """Classes of Python's library, and subclasses that only whoever loads them could know."""
    return {
        "deque": deque([source.floats(2), source.floats(1)], maxlen=4),
        "default": defaultdict(dict, {"inner": {"w": source.floats(3)}}),
        "integers": defaultdict(int, {"a": 1}),
        "counter": Counter("abca"),
        "weights": Weights(w=source.floats(2), inner=Weights(v=source.floats(1))),
        "rows": Rows([source.floats(2), (source.floats(1),)]),
        "pair": Pair(source.floats(2), source.floats(3)),
    }


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.embedding = nn.Embedding(50, 16)
        self.recurrent = nn.LSTM(16, 8, num_layers=2, bidirectional=True)
        self.attention = nn.MultiheadAttention(16, 4)
        self.head = nn.Linear(16, 50, bias=False)
        self.head.weight = self.embedding.weight
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.register_buffer("mask", torch.ones(4, 4).tril().bool())
        self.register_buffer("passing", torch.zeros(2), persistent=False)

    def loss(self):
        return sum((parameter ** 2).sum() for parameter in self.parameters())


def trained(optimizer, steps=2, **options):
    torch.manual_seed(1)
    net = Net()
    optimizer = optimizer(net.parameters(), lr=1e-3, **options)

    def closure():
        optimizer.zero_grad()
        loss = net.loss()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return net, optimizer


@case()
def state_dict(source):
    return Net().state_dict()


@case()
def state_dict_with_gradients(source):
    return Net().state_dict(keep_vars=True)


@case()
def parameters_as_list(source):
    return list(Net().parameters())


@case()
def parameters_as_tuple(source):
    return tuple(Net().parameters())


@case()
def one_tensor(source):
    return source.floats(4, 5).t()


@case()
def one_parameter(source):
    return nn.Parameter(source.floats(4, 5))


@case()
def half_precision(source):
    return {"state_dict": Net().half().state_dict(), "ema": Net().bfloat16().state_dict()}


OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {"momentum": 0.9}),
    "adam": (torch.optim.Adam, {"amsgrad": True}),
    "adamw": (torch.optim.AdamW, {}),
    "rmsprop": (torch.optim.RMSprop, {"centered": True, "momentum": 0.1}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adadelta": (torch.optim.Adadelta, {}),
    "rprop": (torch.optim.Rprop, {}),
    "lbfgs": (torch.optim.LBFGS, {"max_iter": 3}),
}

for _name, (_class, _options) in OPTIMIZERS.items():
    @case(name="optimizer-" + _name)
    def _(source, optimizer=_class, options=_options):
        return trained(optimizer, **options)[1].state_dict()


def training(source):
    net, optimizer = trained(torch.optim.Adam)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    return {
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "lr_scheduler": schedule.state_dict(),
        "scaler": {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 3},
        "rng": {"torch": torch.get_rng_state(), "numpy": list(range(5))},
        "epoch": 3, "best": float("nan"), "loss": torch.tensor(0.25).item(),
    }


case(name="training")(training)
case(name="training-everything", root=".")(training)
case(name="training-optimizer", root="optimizer_state_dict.state")(training)
case(name="training-one-list", root="rng")(training)


@case()
def two_homes(source):
    """Two usual homes of weights: neither can be guessed, so all is taken."""
    return {"model": {"w": source.floats(2)}, "net": {"w": source.floats(3)}}


@case()
def no_data(source):
    return {"w": source.floats(3), "absent": torch.empty(5, 6, device="meta"),
            "lazy": [torch.empty(2, device="meta")]}


@case(since=NEW)
def parameters_with_state(source):
    tagged = nn.Parameter(source.floats(3))
    tagged.role = "bias"
    return {"w": tagged}


# ---- tied weights ----

def tied(source, *more):
    one, two = source.floats(5, 6), source.bits(torch.int64, 4)
    return {"lm_head.weight": one, "embedding.weight": one, "decoder.weight": one, "b": two, "a": two,
            "alone": source.floats(2), "\u00e9": source.floats(1), **{name: one for name in more}}


@case(args=("--ties", "drop"), ties=True)
def ties_dropped(source):
    return tied(source)


@case(args=("--ties", "drop"), ties=True)
def ties_of_a_module(source):
    return Net().state_dict()


@case(args=("--ties", "drop"), ties=True)
def ties_with_odd_names(source):
    return tied(source, 'q"', "\\", "\n", "\U0001f600", "\uffff", "n" * 4096)


@case(args=("--ties", "drop"), ties=True)
def ties_named_as_metadata(source):
    return tied(source, "format")


# ---- whatever comes: recipes from a seed ----

def random_shape(source, most):
    shape = [source.pick((1, 1, 2, 3, 5, 7, 8, 16, 33)) for _ in range(source.below(6))]
    if source.below(40) == 0 and shape:
        shape[source.below(len(shape))] = 0
    if most > 1 << 17:
        shape = [source.pick((517, 1024, 1300, 2049)), source.pick((3, 300, 513, 1031))]
        shape.insert(source.below(3), source.pick((1, 1, 2, 3)))
    while math.prod(shape) > most:
        shape.pop()
    return shape


def random_step(source, view):
    """One more view of a view."""
    dims = view.dim()
    what = source.below(10)
    if what == 0:
        return view.unsqueeze(source.below(dims + 1))
    if what == 1 and view.numel() < 1 << 16:
        return view.expand(source.pick((1, 2, 3)), *view.shape)
    if not dims:
        return view
    dim = source.below(dims)
    size = view.shape[dim]
    if what == 2:
        return view.permute(*source.rng.permutation(dims).tolist())
    if what == 3:
        return view.transpose(dim, source.below(dims))
    if what == 4 and size:
        start = source.below(size)
        return view.narrow(dim, start, 1 + source.below(size - start))
    if what == 5:
        return view[(slice(None),) * dim + (slice(source.below(size + 1), None,
                                                  source.pick((1, 2, 3, 7))),)]
    if what == 6 and size and view.numel() < 1 << 16:
        return view.select(dim, source.below(size))
    if what == 7 and dims > 1:
        other = (dim + 1 + source.below(dims - 1)) % dims
        return view.diagonal(source.below(3) - 1, dim, other)
    if what == 8 and size > 2 and view.numel() < 1 << 15:
        return view.unfold(dim, 1 + source.below(size - 1), source.pick((1, 2)))
    if what == 9:
        return view.squeeze()
    return view


def random_recipe(source, dtype, earlier, large):
    view = source.pick(earlier) if earlier and source.below(3) == 0 else source.bits(
        dtype, *random_shape(source, 1 << 22 if large else 1 << 15))
    for _ in range(source.below(7)):
        view = random_step(source, view)
    if VERSION >= NEW and view.dtype == torch.complex64 and source.below(2):
        view = view.conj()
    if VERSION >= NEW and view.dtype in (torch.float64, torch.int32, torch.uint8) and not source.below(4):
        view = torch._neg_view(view)
    return view


def random_case(source, which):
    dtype = source.pick(which)
    tensors, earlier = OrderedDict(), []
    for i in range(10):
        if source.below(3) == 0:
            dtype, earlier = source.pick(which), []
        view = random_recipe(source, dtype, earlier, large=source.below(25) == 0)
        earlier.append(view)
        tensors["t%d" % i] = view
    return {"state_dict": tensors, "inner": list(tensors.values())[:3]}


for _i in range(40):
    case(name="random-%02d" % _i,
         save=with_protocol(2 + _i % 4, save_through_buffer if _i % 3 else save_to_path),
         root="." if _i % 5 == 0 else None)(
        lambda source, which=LATER if _i % 8 == 7 else COMMON: random_case(source, which))
