#!/usr/bin/env python3
"""Writes files that ckconv must refuse or survive, into bad/, hostile/ and unsupported/.

usage: make_bad.py [FOLDER]     (default: the folder of this script)
Needs good/state_dict.pt there. Plain Python; nothing here is ever unpickled.
"""
import gzip
import os
import struct
import sys

import bad_composites
import craft
from craft import (APPEND, BUILD, EMPTY_DICT, EMPTY_LIST, FALSE, NEWOBJ, NONE, POP, REDUCE, SETITEM,
                   Member, call, floats, get, integer, integers, list_of, name, named, proto, put,
                   storage, tensor, text, tuple_of, vector)

HERE = os.path.dirname(os.path.abspath(__file__))
TWO = {"0": floats(1, 2)}


def packed(value, storages=None, **options):
    """A checkpoint of a value, as a file."""
    storages = TWO if storages is None else storages
    return craft.archive(craft.checkpoint(craft.pickle(value), storages, **options))


def with_members(*more, value=None):
    """A sound checkpoint with further members."""
    pickled = craft.pickle(value or named(w=vector("0", 2)))
    return craft.archive(craft.checkpoint(pickled, TWO) + list(more))


def flip(data, place, bit=1):
    """The same bytes with a bit turned over."""
    return data[:place] + bytes([data[place] ^ bit]) + data[place + 1:]


# ---- bad: the archive ----

def cut_files(sound):
    """A download that broke off, at four places."""
    return {
        "cut_in_pickle": sound[:300],
        "cut_in_data": sound[:1700],
        "cut_in_directory": sound[:-200],
        "cut_in_end": sound[:-10],
        "cut_to_magic": sound[:4],
    }


def damaged_files(sound, weight):
    """Bits that turned over, and bytes that do not belong there; `weight` is a storage's bytes."""
    return {
        "crc_storage": flip(sound, sound.index(weight) + 5),
        "crc_pickle": flip(sound, sound.index(b"embed.weight"), 0x20),
        "junk_before": b"PK\3\4" + bytes(60) + sound,
        "junk_behind": sound + bytes(59) + b"x",
    }


VERSION = Member("archive/version", b"3\n")


def odd_archives():
    """Archives that break the rules of zip, or that readers take in different ways."""
    good = craft.checkpoint(craft.pickle(named(w=vector("0", 2))), TWO)
    sound = craft.archive(good)
    end = sound.rindex(b"PK\5\6")
    return {
        "duplicate_storage": with_members(Member("archive/data/0", floats(3, 4))),
        "duplicate_pickle": with_members(Member("archive/data.pkl", craft.pickle(NONE))),
        "two_pickles": with_members(Member("other/data.pkl", craft.pickle(NONE))),
        "no_pickle": craft.archive([Member("archive/version", b"3\n"), Member("data.pkl", b".")]),
        "no_members": craft.archive([]),
        "encrypted": craft.archive([Member(m.path, m.packed, flags=1) for m in good]),
        "unknown_method": craft.archive([Member(m.path, m.packed, 12) for m in good]),
        "local_name_differs": craft.archive([good[0], Member(
            "archive/data/0", floats(1, 2), local_path="archive/data/9")] + good[2:]),
        "stored_sizes_differ": craft.archive([good[0], Member("archive/data/0", floats(1, 2),
                                                              size=9)] + good[2:]),
        "count_differs": sound[:end + 8] + struct.pack("<HH", 9, 9) + sound[end + 12:],
        "overlapping": overlapping(Member("archive/data/1", floats(3))),
        "two_ends": two_ends(good, craft.checkpoint(good[0].packed, {"0": floats(8, 9)})),
        "nul_in_member": craft.archive([good[0], Member(b"archive/data/0\0x", floats(1, 2))] +
                                       good[2:]),
        "byteorder_junk": packed(named(w=vector("0", 2)), byteorder="middle"),
        "pickle_is_empty": craft.archive([Member("archive/data.pkl")] + good[1:]),
        "no_version": craft.archive(good[:-1]),
        "version_99": craft.archive(good[:-1] + [Member("archive/version", b"99\n")]),
        "version_is_text": craft.archive(good[:-1] + [Member("archive/version", b"three\n")]),
    }


def overlapping(inner):
    """A member whose bytes are a whole other member."""
    hidden = craft.local(inner) + inner.packed
    host = Member("archive/data/0", hidden)
    pickled = Member("archive/data.pkl", craft.pickle(named(
        a=vector("0", len(hidden), "ByteStorage"), b=vector("1", 1))))
    body = craft.local(pickled) + pickled.packed
    directory = craft.central(pickled, 0) + craft.central(host, len(body))
    body += craft.local(host)
    directory += craft.central(inner, len(body))
    body += hidden
    directory += craft.central(VERSION, len(body))
    body += craft.local(VERSION) + VERSION.packed
    return body + directory + craft.end(4, directory, len(body))


def two_ends(first, second):
    """Two directories and two ends; the second end hides in the comment of the first, so that
    some readers see one archive and some the other."""
    body, directories = b"", []
    for members in (first, second):
        directory = b""
        for member in members:
            directory += craft.central(member, len(body))
            body += craft.local(member) + member.packed
        directories.append(directory)
    places = (len(body), len(body) + len(directories[0]))
    last = craft.end(len(second), directories[1], places[1])
    return body + b"".join(directories) + craft.end(len(first), directories[0], places[0], last)


def deflated(**lies):
    """A checkpoint whose only storage is deflated, with lies about it."""
    data = floats(*range(200))
    value = craft.pickle(named(w=vector("0", 200)))
    member = Member("archive/data/0", data, 8, **lies)
    return craft.archive([Member("archive/data.pkl", value, 8), member, VERSION])


def bad_deflated():
    """Deflated members that do not unpack to what the directory says."""
    stream = craft.pack(floats(*range(200)), 8)
    return {
        "deflated_damaged": deflated(packed=stream[:20] + b"\xff\xff\xff" + stream[23:]),
        "deflated_cut": deflated(packed=stream[:-9]),
        "deflated_more": deflated(packed=craft.pack(floats(*range(300)), 8)),
        "deflated_less": deflated(packed=craft.pack(floats(*range(100)), 8)),
        "deflated_crc": deflated(packed=craft.pack(floats(*range(1, 201)), 8)),
        "deflated_trailing": deflated(packed=stream + b"more"),
    }


# ---- bad: the pickle ----

def raw_pickle(data):
    """A checkpoint around the bytes of a pickle."""
    return craft.archive(craft.checkpoint(data, TWO))


def bad_pickles():
    """Pickles that break off, or that no machine can carry out."""
    sound = craft.pickle(named(w=vector("0", 2)))
    return {
        "no_stop": raw_pickle(sound[:-1]),
        "cut_opcode": raw_pickle(proto() + b"X\xff\0\0\0abc"),
        "unknown_opcode": raw_pickle(proto() + b"}\xff."),
        "unknown_protocol": raw_pickle(b"\x80\x06" + sound[2:]),
        "empty_stack": raw_pickle(proto() + REDUCE + b"."),
        "unknown_memo": raw_pickle(proto() + get(77) + b"."),
        "list_as_key": raw_pickle(craft.pickle(craft.dict_of((EMPTY_LIST, NONE)))),
        "setitem_on_tensor": packed(named(w=vector("0", 2) + text("k") + NONE + SETITEM)),
        "append_to_tensor": packed(named(w=vector("0", 2) + NONE + APPEND)),
    }


# ---- bad: torch's part ----

def rebuilt(*arguments, function="_rebuild_tensor_v2"):
    """A model with a tensor made by these arguments."""
    return packed(named(w=call(name("torch._utils", function), *arguments)))


def bad_storages():
    """Storages that are not there, too small, or not what a tensor says."""
    of = storage("FloatStorage", "0", 2)
    return {
        "missing_storage": packed(named(w=vector("0", 2), v=vector("7", 2))),
        "short_storage": packed(named(w=vector("0", 6))),
        "tensor_beyond_storage": packed(named(w=tensor(of, [3], [1]))),
        "offset_beyond_storage": packed(named(w=tensor(of, [2], [1], 1))),
        "stride_beyond_storage": packed(named(w=tensor(of, [2], [2]))),
        "two_dtypes": packed(named(w=vector("0", 2), v=vector("0", 2, "IntStorage"))),
        "two_counts": packed(named(w=vector("0", 2), v=vector("0", 1))),
        "key_with_nul": packed(named(w=vector("0\0x", 2))),
        "unknown_storage_class": packed(named(w=vector("0", 2, "FancyStorage"))),
        "short_persistent_id": packed(named(w=tensor(tuple_of(text("storage")) + b"Q", [2], [1]))),
        "other_persistent_id": packed(named(w=tensor(tuple_of(text("module"), *[text("x")] * 4) +
                                                     b"Q", [2], [1]))),
        "key_as_number": packed(named(w=tensor(tuple_of(
            text("storage"), name("torch", "FloatStorage"), integer(0), text("cpu"),
            integer(2)) + b"Q", [2], [1]))),
    }


def bad_numbers():
    """Sizes, strides and offsets out of all proportion."""
    of = storage("FloatStorage", "0", 2)
    far = 1 << 62

    def shaped(shape, stride, offset=0):
        return packed(named(w=tensor(of, shape, stride, offset)))

    return {
        "huge_offset": shaped([2], [1], (1 << 63) - 1),
        "huge_stride": shaped([3], [(1 << 63) - 1]),
        "huge_size": shaped([far, far], [0, 0]),
        "huge_bytes": shaped([far], [0]),
        "huge_sum": shaped([3, 3], [far, far], far),
        "huge_beside_zero": shaped([far, far, 0], [0, 0, 0]),
        "huge_count": packed(named(w=vector("0", (1 << 63) - 1))),
        "beyond_64_bits": shaped([1 << 64], [1]),
        "negative_size": shaped([-2], [1]),
        "negative_stride": shaped([2], [-1], 1),
        "negative_offset": shaped([1], [1], -1),
        "negative_count": packed(named(w=vector("0", -2))),
        "strides_missing": shaped([2, 1], [1]),
        "many_dimensions": shaped([1] * 100, [1] * 100),
    }


def bad_arguments():
    """Arguments of the wrong kind."""
    of, one = storage("FloatStorage", "0", 2), integers([1])
    v3 = "_rebuild_tensor_v3"
    odd = craft.dict_of((text("conj"), craft.TRUE))
    return {
        "offset_as_text": rebuilt(of, text("0"), one, one),
        "sizes_as_number": rebuilt(of, integer(0), integer(1), one),
        "size_as_real": rebuilt(of, integer(0), tuple_of(craft.real(1.0)), one),
        "strides_as_none": rebuilt(of, integer(0), one, NONE),
        "storage_as_text": rebuilt(text("0"), integer(0), one, one),
        "few_arguments": rebuilt(of, integer(0)),
        "no_arguments": rebuilt(),
        "dtype_as_text": rebuilt(of, integer(0), one, one, FALSE, NONE, text("float32"),
                                 function=v3),
        "unknown_dtype": rebuilt(of, integer(0), one, one, FALSE, NONE, name("torch", "float5"),
                                 function=v3),
        "conjugate_of_reals": rebuilt(of, integer(0), one, one, FALSE, NONE, odd),
        "metadata_as_list": rebuilt(of, integer(0), one, one, FALSE, NONE, EMPTY_LIST),
        "empty_parameter": rebuilt(function="_rebuild_parameter"),
    }


def bad_names():
    """Tensors that cannot be called what the checkpoint calls them."""
    w = vector("0", 2)
    return {
        "metadata_name": packed(craft.dict_of((text("__metadata__"), w))),
        "same_name_by_dots": packed(craft.dict_of((text("a.b"), w),
                                                  (text("a"), craft.named(b=w)))),
        "same_name_by_number": packed(craft.dict_of((text("1"), w), (integer(1), w))),
        "nul_in_name": packed(craft.dict_of((text("a\0b"), w))),
        "surrogate_in_name": packed(craft.dict_of((text("a\ud800b"), w))),
        "escape_in_name": packed(craft.dict_of((text("\x1b[2J\n\r\u202eckconv: \0"), w))),
    }


# ---- hostile: what would run code, were it unpickled; the payload is the command `true` ----

def beside(value):
    """A hostile value with a sound tensor on either side."""
    return packed(craft.dict_of((text("w"), vector("0", 2)), (text("x"), value),
                                (text("y"), vector("0", 2))))


SYSTEM = name("posix", "system")


def code_files():
    """The known ways to make an unpickler call something."""
    run = call(SYSTEM, text("true"))
    shell = list_of(text("sh"), text("-c"), text("true"))
    hooked = call(name("torch._utils", "_rebuild_tensor_v2"), storage("FloatStorage", "0", 2),
                  integer(0), integers([2]), integers([1]), FALSE, run)
    return {
        "reduce": beside(run),
        "os_system": beside(call(name("os", "system"), text("true"))),
        "nt_system": beside(call(name("nt", "system"), text("true"))),
        "eval": beside(call(name("builtins", "eval"), text("__import__('os').system('true')"))),
        "exec_py2": beside(call(name("__builtin__", "execfile"), text("/dev/null"))),
        "newobj": beside(name("subprocess", "Popen") + tuple_of(shell) + NEWOBJ),
        "inst": beside(b"(" + text("true") + b"iposix\nsystem\n"),
        "obj": beside(b"(" + SYSTEM + text("true") + b"o"),
        "stack_global": beside(text("posix") + text("system") + b"\x93" + tuple_of(text("true")) +
                               REDUCE),
        "getattr": beside(call(call(name("builtins", "getattr"), name("os", "path"),
                                    text("os.system")), text("true"))),
        "build_state": beside(name("torch.nn", "Module") + tuple_of() + NEWOBJ +
                              named(__setstate__=SYSTEM) + BUILD + text("true") + BUILD),
        "in_hooks": beside(hooked),
        "as_key": packed(craft.dict_of((text("w"), vector("0", 2)), (run, vector("0", 2)))),
        "popped": packed(run + POP + named(w=vector("0", 2))),
        "behind_stop": craft.archive(craft.checkpoint(
            craft.pickle(named(w=vector("0", 2))) + craft.pickle(run), TWO)),
        "load_from_bytes": beside(call(name("torch.storage", "_load_from_bytes"),
                                       b"C\x04" + b"\x80\x02N.")),
    }


def doubling(core, levels=40):
    """A list of twice the list before, and so on."""
    value = list_of(core, core) + put(0)
    out = value
    for level in range(1, levels):
        out += b"0](" + get(level - 1) * 2 + b"e" + put(level)
    return out


def floods():
    """Small files that ask for much time, memory or disk."""
    one = storage("FloatStorage", "0", 1)
    zeros = bytes(16 << 20)
    deep = EMPTY_LIST * 20000 + APPEND * 19999
    digits = b"\x8b" + struct.pack("<i", 60000) + b"\x7f" * 60000
    return {
        "laughs": beside(doubling(NONE)),
        "laughs_of_tensors": beside(doubling(vector("0", 2))),
        "deep": craft.archive(craft.checkpoint(
            craft.pickle(named(x=deep, w=vector("0", 2))), TWO, method=8)),
        "expand_bomb": packed(named(w=tensor(one, [1 << 33], [0])), {"0": floats(1)}),
        "expand_many": packed(named(**{"w%d" % i: tensor(one, [1 << 20, 16], [0, 0])
                                       for i in range(8)}), {"0": floats(1)}),
        "zeros": craft.archive(craft.checkpoint(craft.pickle(
            named(w=vector("0", len(zeros), "ByteStorage"))), {"0": zeros}, method=8)),
        "ratio_lie": craft.archive([
            Member("archive/data.pkl", craft.pickle(named(w=vector("0", 1 << 20)))),
            Member("archive/data/0", bytes(64), 8, size=1 << 31), VERSION]),
        "far_memo": packed(b"}" + b"r\xff\xff\xff\x7f" + text("w") + vector("0", 2) + SETITEM),
        "cut_name": packed(named(w=call(name("torch._utils", "_rebuild_tensor_v2"),
                                        storage("FloatStorage", "0", 2),
                                        name("x" + "\u00e9" * 40, "y"), integers([2]),
                                        integers([1]), FALSE, NONE))),
        "long_number": craft.archive(craft.checkpoint(craft.pickle(craft.dict_of(
            (digits, vector("0", 2)), (text("w"), vector("0", 2)))), TWO, method=8)),
    }


def hostile_outputs(folder):
    """What --disarm must take out of the hostile files, by hand, since nobody loads them."""
    pair = ("F32", (2,), floats(1, 2))
    outputs = {"wy": {"w": pair, "y": pair}, "wxy": {"w": pair, "x": pair, "y": pair},
               "w": {"w": pair}, "tensor": {"tensor": pair}}
    for file, tensors in outputs.items():
        write(folder, "hostile", file + ".safetensors", craft.safetensors(tensors))


# ---- unsupported: files of another kind ----

def foreign_files():
    """What people take for checkpoints."""
    return {
        "git_lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 +
                   b"\nsize 12345\n",
        "html": b"<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head></html>\n",
        "html_indented": b"\n  <HTML><body>Not found</body></HTML>\n",
        "empty": b"",
        "one_byte": b"P",
        "gzip": gzip.compress(b"a checkpoint", mtime=0),
        "7z": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(24),
        "rar": b"Rar!\x1a\x07\1\0" + bytes(24),
        "safetensors": craft.safetensors({"w": ("F32", (2,), floats(1, 2))}),
        "gguf": b"GGUF" + struct.pack("<IQQ", 3, 0, 0),
        "index": b'{\n  "metadata": {"total_size": 4},\n  "weight_map": {"w": "part1.bin"}\n}\n',
        "saved_model": b"\x08\x01\x12\x82\x01\n" + b"serve" * 20,
        "tflite": b"\x1c\0\0\0TFL3" + bytes(40),
        "rds": b"X\n\0\0\0\x03\0\x04\x03\0" + bytes(40),
        "xml": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        "flax": b"\x82\xa6params\x81\xa5Dense\xc0\xa4step\x01",
        "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(88),
        "onnx": b"\x08\x08\x12\x07pytorch\x1a\x031.0\x3a\x06\x12\x04main\x42\x04\x0a\0\x10\x0d",
        "bare_pickle": craft.pickle(named(lr=craft.real(0.1))),
        "text": b"just some words\n",
        "copyright": b"(c) 2020 Somebody\n\nAll rights reserved.\n",
        "python": b"class Net:\n    pass\n\n\nNet()\n",
        "lisp": b"(defun load (file)\n  (eval file))\n",
        "json": b'{"weights": [1.0, 2.0]}\n',
        "names": b"cats\ndogs\nRabbits.\n",
        "other_zip": craft.archive([Member("hello.txt", b"hello\n")]),
    }


def legacy_files(sound):
    """Checkpoints of the old layout: cut, without storages, or with a class in their frame."""
    keys = sound.rindex(b"\x80\x02]q")
    storages = sound.index(b"e.", keys) + 2
    magic = sound[:sound.index(b".") + 1]
    return {
        "legacy_cut_in_pickle": sound[:400],
        "legacy_cut_in_count": sound[:storages + 5],
        "legacy_cut_in_data": sound[:-7],
        "legacy_without_storages": sound[:keys] + b"\x80\x02].",
        "legacy_count_differs": sound[:storages] + struct.pack("<q", 1 << 60) +
                                sound[storages + 8:],
        "legacy_class_in_frame": magic + b"cos\nsystem\n(S'true'\ntR." + sound[len(magic):],
    }


# ---- writing ----

def write(folder, kind, file, data):
    """One file."""
    with open(os.path.join(folder, kind, file), "wb") as out:
        out.write(data)


def write_all(folder):
    """Writes every file of this list."""
    path = os.path.join(folder, "good", "state_dict.pt")
    with open(path, "rb") as file:
        sound = file.read()
    with open(os.path.join(folder, "good", "legacy.pt"), "rb") as file:
        legacy = file.read()
    weight = next(m.packed for m in craft.read_members(path) if m.path.endswith(b"/data/0"))
    kinds = {
        "bad": [cut_files(sound), damaged_files(sound, weight), odd_archives(), bad_deflated(),
                bad_pickles(), bad_storages(), bad_numbers(), bad_arguments(), bad_names(),
                legacy_files(legacy), bad_composites.bad_sparse(),
                bad_composites.bad_quantized()],
        "hostile": [code_files(), floods(), bad_composites.composite_floods(),
                    bad_composites.shared_states()],
        "unsupported": [foreign_files()],
    }
    for kind, groups in kinds.items():
        for group in groups:
            for file, data in group.items():
                write(folder, kind, file + ".pt", data)
    hostile_outputs(folder)


if __name__ == "__main__":
    write_all(sys.argv[1] if len(sys.argv) > 1 else HERE)
