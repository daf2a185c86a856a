#!/usr/bin/env python3
"""Writes models in several files, as Hugging Face's libraries name them, and ONNX models, byte by
byte, and what their conversion must give.

usage: make_models.py [FOLDER]     (default: the folder of this script)
Plain Python.
"""
import json
import os
import struct
import sys

import craft

HERE = os.path.dirname(os.path.abspath(__file__))


# ---- shards ----

def shard(tensors):
    """A checkpoint of {name: floats}."""
    values = {key: craft.vector(str(i), len(tensors[key])) for i, key in enumerate(tensors)}
    stored = {str(i): craft.floats(*tensors[key]) for i, key in enumerate(tensors)}
    return craft.archive(craft.checkpoint(craft.pickle(craft.named(**values)), stored))


def write_shards(folder):
    """pytorch_model in two files, and the index of both."""
    parts = [{"embed.weight": [0.5, -0.0, 3], "layer.0.bias": [1]},
             {"layer.1.bias": [2, float("inf")], "head.weight": [4, 5, 6, 7]}]
    places, wanted = {}, {}
    os.makedirs(os.path.join(folder, "shards"), exist_ok=True)
    for number, tensors in enumerate(parts):
        file = f"pytorch_model-{number + 1:05d}-of-{len(parts):05d}.bin"
        with open(os.path.join(folder, "shards", file), "wb") as out:
            out.write(shard(tensors))
        for key, values in tensors.items():
            places[key] = file
            wanted[key] = ("F32", [len(values)], craft.floats(*values))
    index = {"metadata": {"total_size": sum(len(w[2]) for w in wanted.values())},
             "weight_map": dict(sorted(places.items()))}
    with open(os.path.join(folder, "shards", "pytorch_model.bin.index.json"), "w",
              encoding="utf-8") as out:
        json.dump(index, out, indent=2)
        out.write("\n")
    with open(os.path.join(folder, "shards.safetensors"), "wb") as out:
        out.write(craft.safetensors(wanted))


# ---- ONNX ----

def varint(number):
    """Seven bits a byte, the lowest first; negative numbers have 64 bits."""
    number &= 2 ** 64 - 1
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, body):
    """A field of bytes, or of a number."""
    if isinstance(body, int):
        return varint(number << 3) + varint(body)
    return varint(number << 3 | 2) + varint(len(body)) + body


def pair(key, value):
    """A StringStringEntryProto."""
    return field(1, key.encode()) + field(2, value.encode())


def tensor(key, kind, shape, *more):
    """A TensorProto."""
    return b"".join(field(1, size) for size in shape) + field(2, kind) + field(8, key.encode()) + \
        b"".join(more)


NODE = field(1, field(1, b"x") + field(2, b"y") + field(4, b"Identity"))


def model(tensors, *more, nodes=b""):
    """A ModelProto."""
    graph = nodes + field(2, b"g") + b"".join(field(5, t) for t in tensors)
    return field(1, 8) + field(2, b"by hand") + field(7, graph) + field(8, field(2, 13)) + \
        b"".join(more)


# name: number among ONNX's types, dtype, field of the elements, format of an element, values; the
# bits of small floats are integers there
INTEGERS = {
    "uint8": (2, "U8", 5, "B", [0, 255]),
    "int8": (3, "I8", 5, "b", [-128, 127]),
    "uint16": (4, "U16", 5, "H", [65535, 1]),
    "int16": (5, "I16", 5, "h", [-32768, 300]),
    "int32": (6, "I32", 5, "i", [-2 ** 31, 2 ** 31 - 1]),
    "int64": (7, "I64", 7, "q", [-2 ** 63, 2 ** 63 - 1]),
    "bool": (9, "BOOL", 5, "B", [1, 0, 1]),
    "float16": (10, "F16", 5, "H", [0x3c00, 0xfe01]),
    "uint32": (12, "U32", 11, "I", [2 ** 32 - 1]),
    "uint64": (13, "U64", 11, "Q", [2 ** 64 - 1, 0]),
    "bfloat16": (16, "BF16", 5, "H", [0x3f80, 0xffc1]),
    "float8_e4m3fn": (17, "F8_E4M3", 5, "B", [0x7f, 0x80]),
}
FLOATS = {
    "float": (1, "F32", 4, "f", [1.5, -0.0]),
    "double": (11, "F64", 10, "d", [1e300, float("-inf")]),
    "complex64": (14, "C64", 4, "f", [1.0, -2.0, 3.0, 4.0]),
}


def typed():
    """Each type in the field that is for it, and some in raw_data, with the wanted tensors."""
    tensors, wanted = [], {}
    for key, (kind, dtype, number, form, values) in INTEGERS.items():
        tensors.append(tensor(key, kind, [len(values)],
                              field(number, b"".join(varint(v) for v in values))))
        wanted[key] = (dtype, [len(values)], struct.pack(f"<{len(values)}{form}", *values))
    for key, (kind, dtype, number, form, values) in FLOATS.items():
        data = struct.pack(f"<{len(values)}{form}", *values)
        count = len(values) // (2 if dtype == "C64" else 1)
        tensors.append(tensor(key, kind, [count], field(number, data)))
        wanted[key] = (dtype, [count], data)
    raw = craft.floats(1, 2, 3, 4, 5, 6)
    tensors.append(tensor("raw", 1, [2, 3], field(9, raw)))
    wanted["raw"] = ("F32", [2, 3], raw)
    tensors.append(tensor("scalar", 7, [], field(7, varint(-7))))
    wanted["scalar"] = ("I64", [], struct.pack("<q", -7))
    tensors.append(tensor("empty", 1, [0, 4]))
    wanted["empty"] = ("F32", [0, 4], b"")
    return tensors, wanted


def write_onnx(folder):
    """Tensors inside, and in files beside the model."""
    tensors, wanted = typed()
    with open(os.path.join(folder, "typed.onnx"), "wb") as out:
        out.write(model(tensors, field(14, pair("author", "nobody")), nodes=NODE))
    with open(os.path.join(folder, "typed.safetensors"), "wb") as out:
        out.write(craft.safetensors(wanted, {"author": "nobody"}))
    first, second = craft.floats(1, 2, 3), struct.pack("<2h", -5, 6)

    def place(location, *more):
        return field(13, pair("location", location)) + b"".join(field(13, m) for m in more) + \
            field(14, 1)
    outside = [
        tensor("first", 1, [3],
               place("shards/external.data", pair("offset", "4"), pair("length", "12"))),
        tensor("second", 5, [2], place("shards/external.data", pair("offset", "16"))),
        tensor("third", 5, [1, 2], place("./shards/third.data")),
        tensor("inside", 5, [2], field(9, second))]
    with open(os.path.join(folder, "external.onnx"), "wb") as out:
        out.write(model(outside))
    with open(os.path.join(folder, "shards", "external.data"), "wb") as out:
        out.write(b"head" + first + second + b"tail")
    with open(os.path.join(folder, "shards", "third.data"), "wb") as out:
        out.write(second)
    with open(os.path.join(folder, "external.safetensors"), "wb") as out:
        out.write(craft.safetensors({
            "first": ("F32", [3], first), "second": ("I16", [2], second),
            "third": ("I16", [1, 2], second), "inside": ("I16", [2], second)}))


def write_bad(folder):
    """Models that no reader takes, or whose weights are spelled in ways that none are."""
    twice = field(5, varint(1)) + field(5, varint(2))
    bad = {
        "onnx_few.onnx": tensor("t", 6, [3], field(5, varint(1) + varint(2))),
        "onnx_many.onnx": tensor("t", 6, [1], field(5, varint(1) + varint(2))),
        "onnx_short.onnx": tensor("t", 1, [3], field(9, b"12345678")),
        "onnx_cut_number.onnx": tensor("t", 6, [2], field(5, b"\x01\x80")),
        "onnx_outside.onnx": tensor("t", 1, [1], field(13, pair("location", "no.such.file")),
                                    field(14, 1)),
    }
    odd = {
        "onnx_wrong_field.onnx": tensor("t", 11, [1], field(4, craft.floats(1, 2))),
        "onnx_pieces.onnx": tensor("t", 6, [2], twice),
        "onnx_strings.onnx": tensor("t", 8, [1], field(6, b"text")),
        "onnx_int4.onnx": tensor("t", 22, [2], field(9, b"\x21")),
    }
    for kind, files in (("bad", bad), ("unsupported", odd)):
        for file, body in files.items():
            with open(os.path.join(folder, kind, file), "wb") as out:
                out.write(model([body]))


def main():
    """All of them."""
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE
    write_shards(os.path.join(folder, "good"))
    write_onnx(os.path.join(folder, "good"))
    write_bad(folder)


if __name__ == "__main__":
    main()
