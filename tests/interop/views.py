"""Cases of tensors: every dtype, every kind of view, every size at which something changes."""

import tempfile
from collections import OrderedDict

import numpy
import torch

from cases import COMMON, LATER, NEW, OLD, VERSION, case, dtypes

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


for _name in ("complex128", "quint4x2", "quint2x4"):
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
            "shorts": octets.view(torch.uint16)[::3],
            "words": octets.view(6, 16).view(torch.uint32).t(),
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
