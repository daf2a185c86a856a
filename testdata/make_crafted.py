#!/usr/bin/env python3
"""Writes good checkpoints that no torch at hand writes, from others in good/ or byte by byte.

usage: make_crafted.py [FOLDER]     (default: the folder of this script)
Needs state_dict.pt, dtypes.pt, complex64.pt and new_dtypes.pt there. Plain Python.
"""
import os
import pickletools
import struct
import sys
import zipfile

import craft
from craft import Member, floats, get, name, put, storage, tensor, text, vector

HERE = os.path.dirname(os.path.abspath(__file__))
DAY = (1980, 1, 1, 0, 0, 0)


# ---- other ways to pack the same members ----

def deflated(members):
    """Every member deflated."""
    return craft.archive([Member(m.path, m.packed, 8) for m in members])


def partly_deflated(members):
    """Storages deflated, the rest stored."""
    return craft.archive([Member(m.path, m.packed, 8 if b"/data/" in m.path else 0)
                          for m in members])


def partial_factory():
    """A defaultdict whose missing items a functools.partial makes."""
    factory = craft.call(name("functools", "partial"), name("builtins", "list"))
    value = craft.call(name("collections", "defaultdict"), factory) + text("w") + \
        vector("0", 2) + craft.SETITEM
    return craft.archive(craft.checkpoint(craft.pickle(value), {"0": floats(1, 2)}))


def folders(members):
    """As the zip program packs an unpacked folder: entries for folders, in order of the alphabet,
    and a comment at the end."""
    names = {m.path.replace(m.path.split(b"/")[0], "mod\u00e8le 1".encode(), 1): m
             for m in members}
    top = "mod\u00e8le 1/".encode()
    every = [Member(top), Member(top + b"data/")] + [Member(key, m.packed, flags=0x800)
                                                     for key, m in names.items()]
    for member in every:
        member.flags = 0x800
    return craft.archive(sorted(every, key=lambda m: m.path), comment=b"packed by hand")


def zip64(path, members):
    """With zip64 fields in every header, as if the members were larger than 4 GiB."""
    limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 1
    with zipfile.ZipFile(path, "w") as out:
        for member in members:
            info = zipfile.ZipInfo(member.path.decode(), DAY)
            with out.open(info, "w", force_zip64=True) as target:
                target.write(member.packed)
    zipfile.ZIP64_LIMIT = limit


# ---- the other byte order ----

WIDTHS = {"DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2,
          "LongStorage": 8, "IntStorage": 4, "QInt32Storage": 4, "ShortStorage": 2,
          "ComplexFloatStorage": 4}


def storage_classes(pickled):
    """The storage class of each key, read from the opcodes of a pickle of protocol 2."""
    classes, memo, texts, kind = {}, {}, [], None
    last = None
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = last
            continue
        if opcode.name == "GLOBAL":
            last = argument.split()[1]
        elif opcode.name == "BINUNICODE":
            last = argument
        elif opcode.name in ("BINGET", "LONG_BINGET"):
            last = memo.get(argument)
        else:
            last = None
        if last and last.endswith("Storage"):
            kind = last
        elif last:
            texts.append(last)
        if opcode.name == "BINPERSID":
            classes[[t for t in texts if t.isdigit()][-1]] = kind
    return classes


def swap(data, width):
    """Each `width` bytes the other way round."""
    return b"".join(data[i:i + width][::-1] for i in range(0, len(data), width))


def big_endian(members):
    """What a big-endian machine would have saved."""
    out = []
    classes = storage_classes(next(m.packed for m in members if m.path.endswith(b"/data.pkl")))
    for m in members:
        key = m.path.rsplit(b"/", 1)[1].decode()
        data = m.packed
        if b"/data/" in m.path:
            data = swap(data, WIDTHS.get(classes[key], 1))
        if key != "byteorder":
            out.append(Member(m.path, data))
    top = members[0].path.split(b"/")[0]
    return craft.archive(out + [Member(top + b"/byteorder", b"big")])


def big_endian_untyped():
    """Big-endian data on a storage without a type: the tensor alone knows the width."""
    v3 = name("torch._utils", "_rebuild_tensor_v3")
    bytes_ = struct.pack(">6H", 0, 1, 2, 3, 258, 65535)
    untyped = storage("UntypedStorage", "0", len(bytes_), module="torch.storage")
    tensors = [craft.call(v3, untyped, craft.integer(0), craft.integers(shape),
                          craft.integers(stride), craft.FALSE,
                          craft.call(name("collections", "OrderedDict")), name("torch", "uint16"))
               for shape, stride in (([2, 3], [3, 1]), ([3, 2], [1, 3]))]
    value = craft.named(**{"uint16": tensors[0], "uint16.t": tensors[1]})
    return craft.archive(craft.checkpoint(craft.pickle(value), {"0": bytes_}, byteorder="big"))


# ---- pickles of other origin ----

def python2():
    """Saved under Python 2: names are bytes, modules have their old names."""
    key = craft.text_py2
    of = craft.tuple_of(key("storage"), name("torch", "FloatStorage"), key("0"), key("cpu"),
                        craft.integer(4)) + b"Q"
    weight = craft.call(name("torch._utils", "_rebuild_tensor"), of, craft.integer(0),
                        craft.integers([2, 2]), craft.integers([2, 1]))
    bias = craft.call(name("torch._utils", "_rebuild_tensor"), of, craft.integer(1),
                      craft.integers([2]), craft.integers([2]))
    pairs = craft.list_of(craft.list_of(key("weight"), weight), craft.list_of(key("bias"), bias))
    value = craft.call(name("collections", "OrderedDict"), pairs)
    seen = craft.call(name("__builtin__", "set"), craft.list_of(key("a")))
    root = craft.dict_of((key("state_dict"), value), (key("seen"), seen))
    return {"0": floats(1, 2, 3, 4)}, root


def cuda():
    """Saved from a GPU, with the storage classes of torch.cuda."""
    of = storage("HalfStorage", "0", 6, "cuda:0", "torch.cuda")
    value = craft.named(half=tensor(of, [3, 2], [1, 3]),
                        flag=tensor(storage("BoolStorage", "1", 2, "cuda:1", "torch.cuda"),
                                    [2], [1]))
    return {"0": struct.pack("<6e", *range(6)), "1": b"\1\0"}, value


def untyped():
    """Storages without a type, under both of their names."""
    v3 = name("torch._utils", "_rebuild_tensor_v3")
    hooks = craft.call(name("collections", "OrderedDict"))

    def of_type(dtype, key, module, offset, shape, stride):
        of = storage("UntypedStorage", key, 24, module=module)
        return craft.call(v3, of, craft.integer(offset), craft.integers(shape),
                          craft.integers(stride), craft.FALSE, hooks, name("torch", dtype))

    value = craft.named(a=of_type("int32", "x", "torch", 2, [2, 2], [1, 2]),
                        b=of_type("float32", "x", "torch.storage", 1, [5], [1]),
                        c=of_type("uint8", "x", "torch", 3, [], []),
                        d=of_type("int64", "y", "torch.storage", 0, [3], [1]))
    return {"x": struct.pack("<6i", *range(1, 7)), "y": struct.pack("<3q", -1, 0, 1)}, value


def part_of_record():
    """A storage that says it has fewer elements than its member holds."""
    return {"0": floats(1, 2, 3, 4, 5)}, craft.named(w=vector("0", 3))


def equal_keys():
    """Keys that Python holds for equal: the last value wins, the first key and place stay."""
    one, true, real = craft.integer(1), craft.TRUE, craft.real(1.0)
    value = craft.dict_of((text("z"), vector("0", 1)), (one, vector("1", 1)),
                          (text("a"), vector("2", 1)), (true, vector("3", 1)),
                          (text("z"), vector("4", 1)), (real, vector("5", 1)))
    return {str(i): floats(i) for i in range(6)}, value


def filled_later():
    """Containers that are named, used elsewhere, and filled only after that."""
    inner = craft.EMPTY_DICT + put(1)
    items = craft.EMPTY_LIST + put(2)
    first = craft.list_of(inner, items, get(1))
    fill = (get(1) + text("w") + vector("0", 2) + craft.SETITEM + craft.POP +
            get(2) + vector("1", 2) + craft.APPEND + craft.POP)
    value = b"}" + text("first") + first + craft.SETITEM + text("later") + get(1) + craft.SETITEM
    return {"0": floats(1, 2), "1": floats(3, 4)}, value + fill


def odd_opcodes():
    """Opcodes that torch.save never uses: text forms, DUP, POP, POP_MARK, long strings."""
    count = b"I2\n"
    of = (b"(Vstorage\n" + name("torch", "FloatStorage") + b"S'0'\nVcpu\nL2L\nt" + b"Q")
    value = (b"(d" + b"Vw\n" + b"(Vjunk\nI1\n1" + name("torch._utils", "_rebuild_tensor_v2") +
             b"(" + of + b"I0\n" + b"(" + count + b"t" + b"(I1\nt" + b"I00\n" +
             b"Nt" + b"R" + b"s" + b"Vn\nF1.5\n20s" + b"Vsame\nV2\np7\n0g7\ns")
    return {"0": floats(8, 9)}, value


def no_data_needed():
    """A storage on torch's meta device has no member; a storage without bytes may lack its own."""
    meta = tensor(storage("FloatStorage", "1", 4, "meta"), [4], [1])
    return {"0": floats(1)}, craft.named(w=vector("0", 1), m=meta)


CRAFTED = [python2, cuda, untyped, part_of_record, equal_keys, filled_later, odd_opcodes,
           no_data_needed]


def trailing():
    """Bytes behind the STOP of the pickle."""
    pickled = craft.pickle(craft.named(w=vector("0", 2))) + b"\x80\x02]q\0. and more"
    return craft.archive(craft.checkpoint(pickled, {"0": floats(1, 2)}))


# ---- NumPy ----

def numpy_pickles():
    """Arrays as other NumPys than those at hand spell them."""
    bits = struct.pack("<3h", -2, 258, 0)
    old, short = craft.text_py2, craft.numpy_dtype("i2")
    string = b"U" + bytes([len(bits)]) + bits
    frombuffer = name("numpy._core.numeric", "_frombuffer")
    six = b"C\x06" + bytes(range(6))
    k_order = craft.call(frombuffer, six, craft.numpy_dtype("u1", "|"), craft.integers([3, 1, 2]),
                         text("K"), craft.integers([1, 2, 0]))
    float32 = craft.call(name("numpy", "dtype"), name("numpy", "float32"))
    float64 = craft.call(name("numpy.dtypes", "Float64DType"))
    brain = craft.numpy_dtype(name("ml_dtypes", "bfloat16"))
    return {
        "python2": craft.dict_of((old("a"), craft.numpy_array(short, [3], string)),
                                 (old("b"), craft.numpy_array(short, [3, 1], string))),
        "latin1": craft.named(a=craft.numpy_array(short, [3], text(bits.decode("latin-1")))),
        "version0": craft.named(a=craft.numpy_array(short, [3], string, version=())),
        "korder": craft.named(a=k_order),
        "class_dtypes": craft.named(
            a=craft.call(frombuffer, b"C\x08" + floats(1, 2), float32, craft.integers([2]),
                         text("C")),
            b=craft.call(frombuffer, b"C\x08" + struct.pack("<d", 0.1), float64,
                         craft.integers([1, 1]), text("F"))),
        "bfloat16": craft.named(a=craft.numpy_array(brain, [2], b"C\x04\x80\x3f\x00\xc0",
                                              "numpy._core.multiarray")),
    }


def odd_npz(method):
    """Arrays at odd offsets, one of them of Python 2, beside a member that is none."""
    members = {"a.npy": craft.npy("'<f4'", "(3L,)", floats(1, 2, 3)),
               "b.npy": craft.npy("'>i8'", "(2, 1)", struct.pack(">2q", -1, 1 << 40)),
               "notes.txt": b"words", "folder/": b"",
               "folder/c.npy": craft.npy("'|u1'", "()", b"\x07", "True")}
    return craft.archive([Member(path, data, method if data else 0)
                          for path, data in members.items()])


def write_numpy(folder):
    """The files of NumPy's kinds."""
    files = {file + ".pkl": craft.pickle(value, 4) for file, value in numpy_pickles().items()}
    files["numpy_python2.pkl"] = craft.pickle(numpy_pickles()["python2"])
    del files["python2.pkl"]
    files["odd_stored.npz"] = odd_npz(0)
    files["odd_deflated.npz"] = odd_npz(8)
    files["korder.safetensors"] = craft.safetensors(
        {"a": ("U8", [1, 2, 3], bytes([0, 2, 4, 1, 3, 5]))})
    files["bfloat16.safetensors"] = craft.safetensors(
        {"a": ("BF16", [2], b"\x80\x3f\x00\xc0")})
    for file, data in files.items():
        with open(os.path.join(folder, "good", file), "wb") as out:
            out.write(data)


def write_by_hand(folder):
    """The outputs of the two files that torch 2.6 cannot load, or loads wrongly."""
    rows, columns = struct.pack("<6H", 0, 1, 2, 3, 258, 65535), struct.pack("<6H", 0, 3, 1, 258, 2,
                                                                            65535)
    outputs = {
        "no_data_needed": {"w": ("F32", [1], floats(1))},
        "big_endian_untyped": {"uint16": ("U16", [2, 3], rows),
                               "uint16.t": ("U16", [3, 2], columns)},
    }
    for file, tensors in outputs.items():
        with open(os.path.join(folder, "good", file + ".safetensors"), "wb") as out:
            out.write(craft.safetensors(tensors))


def write_all(folder):
    """Writes every file of this list into good/."""
    def save(file, data):
        with open(os.path.join(folder, "good", file + ".pt"), "wb") as out:
            out.write(data)

    def members(file):
        return craft.read_members(os.path.join(folder, "good", file + ".pt"))

    save("deflated", deflated(members("state_dict")))
    save("partly_deflated", partly_deflated(members("views")))
    save("deflated_quantized", deflated(members("quantized_channels")))
    save("deflated_sparse", deflated(members("sparse2")))
    save("big_endian_quantized", big_endian(members("quantized")))
    save("big_endian_sparse", big_endian(members("sparse2")))
    save("partial_factory", partial_factory())
    save("folders", folders(members("state_dict")))
    save("big_endian", big_endian(members("dtypes")))
    save("big_endian_complex", big_endian(members("complex64")))
    save("big_endian_untyped", big_endian_untyped())
    save("trailing", trailing())
    zip64(os.path.join(folder, "good", "zip64.pt"), members("state_dict"))
    for make in CRAFTED:
        storages, value = make()
        save(make.__name__, craft.archive(craft.checkpoint(craft.pickle(value), storages)))
    write_by_hand(folder)
    write_numpy(folder)


if __name__ == "__main__":
    write_all(sys.argv[1] if len(sys.argv) > 1 else HERE)
