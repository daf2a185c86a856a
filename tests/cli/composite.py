"""Writes a quantized or sparse tensor that is larger than any buffer, or holds a conversion of it
against what plain Python makes of it.

usage: composite.py TESTDATA write KIND FILE | check KIND FILE
"""
import json
import os
import struct
import sys

sys.path.insert(0, sys.argv[1])
import craft  # noqa: E402

ROWS, COLUMNS = 700, 901
SCALES = [0.1 + i / 7 for i in range(ROWS)]
ZEROS = [i % 256 for i in range(ROWS)]
PLACES = [(i * 7919 % 40000, i * 104729 % 50) for i in range(30000)]  # some of them twice


def item(row, column):
    """The integer of a place."""
    return (row * 31 + column * 17 + row * column) % 256


def number(i):
    """The value that is stored as the i-th."""
    return (i * 37 % 1000) / 8 - 40


def quantized(value, parameters, shape, stride):
    """_rebuild_qtensor."""
    hooks = craft.call(craft.name("collections", "OrderedDict"))
    return craft.call(craft.name("torch._utils", "_rebuild_qtensor"), value, craft.integer(0),
                      craft.integers(shape), craft.integers(stride), parameters, craft.FALSE, hooks)


def turned():
    """Quantized by channel, and transposed: rows lie apart in the storage."""
    data = bytes(item(row, column) for column in range(COLUMNS) for row in range(ROWS))
    parameters = craft.tuple_of(craft.name("torch", "per_channel_affine"),
                                craft.list_of(*map(craft.real, SCALES)),
                                craft.list_of(*map(craft.integer, ZEROS)), craft.integer(0))
    of = craft.storage("QUInt8Storage", "0", len(data))
    return quantized(of, parameters, [ROWS, COLUMNS], [1, ROWS]), {"0": data}


def whole():
    """Quantized with one scale, 16 MiB."""
    data = bytes(range(256)) * 65536
    parameters = craft.tuple_of(craft.name("torch", "per_tensor_affine"), craft.real(0.5),
                                craft.integer(-3))
    of = craft.storage("QInt8Storage", "0", len(data))
    return quantized(of, parameters, [len(data)], [1]), {"0": data}


def sparse():
    """Coordinates without order, of a tensor whose gaps are longer than a buffer."""
    count = len(PLACES)
    index = struct.pack("<%dq" % (2 * count), *(p[0] * 3 for p in PLACES), *(p[1] for p in PLACES))
    values = struct.pack("<%df" % count, *map(number, range(count)))
    layout = craft.call(craft.name("torch.serialization", "_get_layout"),
                        craft.text("torch.sparse_coo"))
    parts = craft.tuple_of(craft.tensor(craft.storage("LongStorage", "0", 2 * count), [2, count],
                                        [count, 1]),
                           craft.vector("1", count), craft.integers([120000, 50]))
    return (craft.call(craft.name("torch._utils", "_rebuild_sparse_tensor"), layout, parts),
            {"0": index, "1": values})


def wanted(kind):
    """The bytes of the tensor as float32."""
    if kind == "turned":
        return b"".join(
            struct.pack("<%df" % COLUMNS, *((item(row, column) - ZEROS[row]) * SCALES[row]
                                            for column in range(COLUMNS))) for row in range(ROWS))
    if kind == "whole":
        one = struct.pack("<256f", *(((i ^ 128) - 128 + 3) * 0.5 for i in range(256)))
        return one * 65536
    out = [0.0] * (120000 * 50)
    for i, (row, column) in enumerate(PLACES):
        out[row * 3 * 50 + column] += number(i)
    return struct.pack("<%df" % len(out), *out)


def check(kind, path):
    """Ends with an error unless the file holds just that tensor."""
    with open(path, "rb") as file:
        data = file.read()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    row = json.loads(data[8:end])["x"]
    if row["dtype"] != "F32" or data[end:] != wanted(kind):
        sys.exit("the tensor differs")


if __name__ == "__main__":
    what, chosen, where = sys.argv[2:]
    if what == "write":
        tensor, storages = {"turned": turned, "whole": whole, "sparse": sparse}[chosen]()
        pickled = craft.pickle(craft.named(x=tensor))
        with open(where, "wb") as out_file:
            craft.write_archive(out_file, craft.checkpoint(pickled, storages))
    else:
        check(chosen, where)
    assert os.path.exists(where)
