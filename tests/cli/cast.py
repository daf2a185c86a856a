"""cast.py PLAIN CAST RULE...: holds a safetensors file against what rounding makes of another. A
RULE is TYPE or TYPE:GLOB; the last one that matches a name counts. The tensors may be in another
order, but their bytes must be those of the nearest numbers, ties to even; NaN is just NaN here."""
import bisect
import fnmatch
import json
import math
import struct
import sys

FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1}


def small(exponent, fraction, bias, end):
    """All numbers from 0 up, and one more that stands for whatever is beyond."""
    def number(code):
        e, f = code >> fraction, code & ((1 << fraction) - 1)
        return math.ldexp(f + ((1 << fraction) if e else 0), max(e, 1) - bias - fraction)
    return [number(code) for code in range(end + 1)]


TABLES = {"F16": small(5, 10, 15, 0x7C00), "BF16": small(8, 7, 127, 0x7F80),
          "F8_E4M3": small(4, 3, 7, 0x7F), "F8_E5M2": small(5, 2, 15, 0x7C)}
NAN = {"F16": 0x7E00, "BF16": 0x7FC0, "F8_E4M3": 0x7F, "F8_E5M2": 0x7F}


def single(value):
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def decode(code, dtype):
    """The number of an integer of bits."""
    size = FLOATS[dtype]
    if dtype in ("F64", "F32"):
        return struct.unpack("<d" if size == 8 else "<f", code.to_bytes(size, "little"))[0]
    table, sign = TABLES[dtype], code >> (8 * size - 1)
    code &= (1 << (8 * size - 1)) - 1
    if code >= len(table) - 1:
        infinite = code == len(table) - 1 and dtype != "F8_E4M3"
        return (-math.inf if sign else math.inf) if infinite else math.nan
    return -table[code] if sign else table[code]


def encode(value, dtype):
    if dtype == "F64":
        return struct.unpack("<Q", struct.pack("<d", value))[0]
    value = single(value)
    if dtype == "F32":
        return struct.unpack("<I", struct.pack("<f", value))[0]
    table, size = TABLES[dtype], FLOATS[dtype]
    sign = (1 << (8 * size - 1)) if math.copysign(1, value) < 0 else 0
    if value != value:
        return NAN[dtype]
    if math.isinf(value):
        return sign | (len(table) - 1)
    code = bisect.bisect_right(table, abs(value)) - 1
    if code < len(table) - 1:
        down, up = abs(value) - table[code], table[code + 1] - abs(value)
        code += up < down or (up == down and code & 1)
    return sign | code


def read(path):
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), file.read()
    metadata = header.pop("__metadata__", {})
    return metadata, {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])])
                      for name, t in header.items()}


def codes(data, size):
    return [int.from_bytes(data[i:i + size], "little") for i in range(0, len(data), size)]


def check(name, before, after, wanted):
    dtype, shape, data = before
    wanted = wanted if dtype in FLOATS and wanted else dtype
    assert (after[0], after[1]) == (wanted, shape), (name, after[:2], wanted, shape)
    if wanted == dtype:
        assert after[2] == data, name
        return 0
    values = [decode(c, dtype) for c in codes(data, FLOATS[dtype])]
    got = codes(after[2], FLOATS[wanted])
    assert len(got) == len(values), name
    for value, code in zip(values, got):
        same = decode(code, wanted) != decode(code, wanted) if value != value else \
            code == encode(value, wanted)
        assert same, "%s: %r became %x" % (name, value, code)
    return 1


def main(plain, cast, *rules):
    (_, before), (_, after) = read(plain), read(cast)
    assert set(before) == set(after), set(before) ^ set(after)
    count = 0
    for name in before:
        wanted = None
        for kind, _, glob in (rule.partition(":") for rule in rules):
            if fnmatch.fnmatchcase(name, glob or "*"):
                wanted = kind.upper()
        count += check(name, before[name], after[name], wanted)
    assert count, "nothing was cast"


if __name__ == "__main__":
    main(*sys.argv[1:])
