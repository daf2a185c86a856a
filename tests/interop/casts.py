"""Cases of --cast, with torch's own to() as the truth: the one that writes, and the one that
judges. Every pattern of the small types into every type; of the large ones whatever lies at,
between and beside the numbers of the small ones, both ends, and millions of random patterns."""

import numpy
import torch

from cases import COMMON, LATER, NEW, OLD, case, dtypes, save_big_endian, save_legacy
from views import every_view

TYPES = {"f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16",
         "f8_e4m3": "float8_e4m3fn", "f8_e5m2": "float8_e5m2"}
SMALL = dtypes("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz",
               "float8_e5m2fnuz")
MILLION = 1_000_000


def patterns(dtype):
    """Every one of them."""
    size = torch.empty(0, dtype=dtype).element_size()
    numbers = numpy.arange(1 << (8 * size), dtype="<u%d" % size)
    whole = torch.from_numpy(numbers.view("<i2") if size == 2 else numbers)
    return whole.view(dtype)


def between(values, unsigned):
    """The middles of neighbours, as bits of a wider type, with all that lies beside them."""
    middles = (values[1:].double() + values[:-1].double()) / 2
    wide = torch.cat([values.double(), middles]).numpy()
    wide = wide.astype(numpy.float32).view("<u4") if unsigned == "<u4" else wide.view("<u8")
    return numpy.concatenate([wide - wide.dtype.type(1), wide, wide + wide.dtype.type(1)])


def hard(source, unsigned):
    """Bits of float32 or float64."""
    found, top = [], numpy.dtype(unsigned).type(1 << (8 * int(unsigned[2]) - 1))
    for dtype in SMALL[:4]:
        values = patterns(dtype).double()
        values = values[torch.isfinite(values) & (values >= 0)]
        found.append(between(torch.unique(values), unsigned))
    if unsigned == "<u8":  # where it matters that torch goes through float32
        steps = numpy.linspace(0, 0x7F7FFFFE, 50_000).astype("<u4")
        found.append(between(torch.from_numpy(numpy.stack([steps, steps + 1]).T.reshape(-1)
                                              .astype("<i4")).view(torch.float32), unsigned))
    found.append(numpy.frombuffer(source.rng.bytes(MILLION * top.itemsize), unsigned))
    found.append(source.rng.standard_normal(MILLION).astype("<f%s" % unsigned[2]).view(unsigned))
    found = numpy.concatenate(found)
    return numpy.concatenate([found, found | top])


def sweep(source, old=False):
    tensors = {str(dtype)[6:]: patterns(dtype) for dtype in (SMALL[:2] if old else SMALL)}
    if not old:
        tensors["float32"] = torch.from_numpy(hard(source, "<u4").view("<i4")).view(torch.float32)
        tensors["float64"] = torch.from_numpy(hard(source, "<u8").view("<i8")).view(torch.float64)
    return tensors


def to(name):
    """What the options mean: every floating tensor of a dict, as torch casts it."""
    def means(tensors):
        dtype = getattr(torch, TYPES[name])
        return {key: t.to(dtype) if t.is_floating_point() else t for key, t in tensors.items()}
    return means


def cast_case(what, name, make, since=OLD, **more):
    since = NEW if name.startswith("f8") else since
    case(name="cast-%s-%s" % (what, name), args=("--cast", name), means=to(name), since=since,
         strict=True, **more)(make)


for _name in TYPES:
    cast_case("sweep", _name, sweep)
    cast_case("legacy", _name, lambda source: sweep(source, old=True), save=save_legacy)
    cast_case("dtypes", _name, lambda source: {str(d)[6:]: source.bits(d, 5, 7)
                                               for d in COMMON + LATER if not d.is_complex})
    for _dtype in dtypes("float64", "float32", "float16", "bfloat16"):
        cast_case("views-" + str(_dtype)[6:], _name,
                  lambda source, dtype=_dtype: every_view(source, dtype))
    cast_case("views-float8", _name, lambda source: every_view(source, torch.float8_e4m3fn),
              since=NEW)
    cast_case("big-endian", _name, lambda source: {"s": source.floats(40, 50).t(),
                                                   "d": source.bits(torch.float64, 3000)},
              save=save_big_endian, since=NEW)
    cast_case("large", _name, lambda source: {"w": source.floats(3000, 1000),
                                              "t": source.floats(2000, 1000).t(),
                                              "i": source.bits(torch.int32, 100000)})


@case(args=("--cast", "f16", "--cast", "bf16:*.weight", "--cast", "f32:head.*"),
      means=lambda tensors: {
          name: t if not t.is_floating_point() else
          t.float() if name.startswith("head.") else
          t.bfloat16() if name.endswith(".weight") else t.half() for name, t in tensors.items()},
      notes=["--cast 'f32:head.*' cast 1 tensor to float32; 1 tensor, not floating, was left"])
def cast_by_name(source):
    return {"a.weight": source.floats(30), "a.bias": source.floats(3), "head.weight":
            source.bits(torch.float64, 4), "head.count": torch.tensor(3), "b.weight":
            source.bits(torch.int8, 3)}
