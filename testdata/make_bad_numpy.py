#!/usr/bin/env python3
"""Writes what NumPy, joblib and pickle might have written, gone wrong, into bad/ and unsupported/.

usage: make_bad_numpy.py [FOLDER]     (default: the folder of this script)
Needs the .joblib files and arrays0.pkl, arrays4.pkl in good/ there. Plain Python; nothing here is
ever unpickled.
"""
import os
import struct
import sys
import zlib

import craft
from craft import BUILD, Member, floats, name, named, text, vector

HERE = os.path.dirname(os.path.abspath(__file__))


def bad_arrays():
    """NumPy arrays in pickles."""
    data, short = b"C\x06" + bytes(6), craft.numpy_dtype("i2")
    frombuffer = name("numpy.core.numeric", "_frombuffer")

    def viewed(*arguments):
        return named(w=craft.call(frombuffer, data, short, *arguments))

    scalar = craft.call(name("numpy.core.multiarray", "scalar"), short, b"C\x03abc")
    order = craft.numpy_array(craft.numpy_dtype("i2", "?"), [3], data)
    huge = craft.numpy_array(short, [1 << 40, 1 << 40], data)
    return {
        "array_short": named(w=craft.numpy_array(short, [4], data)),
        "array_long": named(w=craft.numpy_array(short, [2], data)),
        "array_negative": named(w=craft.numpy_array(short, [-3], data)),
        "array_huge": named(w=huge),
        "array_dtype": named(w=craft.numpy_array(craft.numpy_dtype("q7"), [3], data)),
        "array_byte_order": named(w=order),
        "array_data": named(w=craft.numpy_array(short, [3], craft.integer(5))),
        "array_not_latin1": named(w=craft.numpy_array(short, [3], text("\u0100bcdef"))),
        "array_other_encoding": named(w=craft.numpy_array(short, [3], craft.call(
            name("_codecs", "encode"), text("abcdef"), text("rot13")))),
        "array_state": named(w=craft.call(name("numpy.core.multiarray", "_reconstruct"),
                                          name("numpy", "ndarray")) + craft.EMPTY_TUPLE + BUILD),
        "array_order": viewed(craft.integers([3]), text("Q")),
        "array_axes": viewed(craft.integers([3, 1]), text("K"), craft.integers([0, 0])),
        "array_few_axes": viewed(craft.integers([3, 1]), text("K"), craft.integers([0])),
        "array_few_arguments": viewed(craft.integers([3])),
        "scalar_long": named(w=craft.numpy_array(short, [3], data), s=scalar),
        "storage_in_plain_pickle": named(w=vector("0", 2)),
    }


def bad_npy():
    """Files of NumPy that lie."""
    bits = bytes(12)
    return {
        "short": craft.npy("'<f4'", "(4,)", bits), "dtype": craft.npy("'<f5'", "(3,)", bits),
        "negative": craft.npy("'<f4'", "(-3,)", bits), "no_tuple": craft.npy("'<f4'", "(3)", bits),
        "huge": craft.npy("'<f4'", "(99999999999999999999,)", bits),
        "overflow": craft.npy("'<f4'", "(4611686018427387904, 4)", bits),
        "order": craft.npy("'<f4'", "(3,)", bits, "maybe"),
        "key": craft.npy("'<f4', 'x': 1", "(3,)", bits),
        "twice": craft.npy("'<f4', 'descr': '<f4'", "(3,)", bits),
        "call": craft.npy("'<f4'", "(exit(),)", bits),
        "unended": craft.npy("[('a', '<f4'", "(3,)", bits).replace(b"}", b" "),
        "version": craft.npy("'<f4'", "(3,)", bits, version=9),
        "long_header": b"\x93NUMPY\2\0" + struct.pack("<I", 1 << 30) + bits,
        "cut_header": craft.npy("'<f4'", "(3,)", bits)[:40], "cut_prefix": b"\x93NUMPY\1\0",
        "objects": craft.npy("'|O'", "(3,)", b"\x80\x02]"),
    }


def bad_npz():
    """Archives of NumPy, damaged: at an offset that is no multiple of the element, at one that is,
    and deflated."""
    odd = craft.npy("'<f4'", "(3, )", floats(1, 2, 3))
    even = craft.npy("'<f4'", "(3,)", floats(1, 2, 3))
    assert (len(odd) - 12) % 4 and not (len(even) - 12) % 4
    short = craft.npy("'<f4'", "(4,)", floats(1, 2, 3))
    return {
        "crc_odd": [Member("a.npy", odd, crc=zlib.crc32(odd) ^ 1)],
        "crc_even": [Member("a.npy", even, crc=zlib.crc32(even) ^ 1)],
        "crc_deflated": [Member("a.npy", odd, 8, crc=zlib.crc32(odd) ^ 1)],
        "short": [Member("a.npy", short)], "short_deflated": [Member("a.npy", short, 8)],
        "cut_header": [Member("a.npy", odd[:30])],
        "cut_header_deflated": [Member("a.npy", odd[:30], 8)],
        "no_array": [Member("a.npy", b"this is no array")],
        "empty": [Member("a.npy")],
        "same_name": [Member("a.npy", even), Member("a", b"word"), Member("b.npy", odd),
                      Member("a.npy", even)],
    }


def write(folder, kind, file, data):
    """One file."""
    with open(os.path.join(folder, kind, file), "wb") as out:
        out.write(data)


def write_all(folder):
    """What NumPy, joblib and pickle would have written, gone wrong."""
    for file, value in bad_arrays().items():
        write(folder, "bad", file + ".pkl", craft.pickle(value, 4))
    for file, data in bad_npy().items():
        write(folder, "bad", file + ".npy", data)
    for file, members in bad_npz().items():
        write(folder, "bad", file + ".npz", craft.archive(members))
    for file, cut in (("joblib12", 3000), ("joblib_objects", 900)):
        with open(os.path.join(folder, "good", file + ".joblib"), "rb") as sound:
            write(folder, "bad", file + "_cut.joblib", sound.read()[:cut])
    with open(os.path.join(folder, "good", "arrays0.pkl"), "rb") as sound:
        write(folder, "bad", "cut_protocol0.pkl", sound.read()[:600])
    with open(os.path.join(folder, "good", "arrays4.pkl"), "rb") as sound:
        whole = sound.read()
    write(folder, "bad", "cut_second.pkl", whole + whole[:600])
    write(folder, "bad", "memo_of_before.pkl", whole + craft.pickle(craft.get(0)))
    wrapper = craft.call(name("joblib.numpy_pickle", "NDArrayWrapper"))
    state = named(filename=text("m.pkl_01.npy"), subclass=name("numpy", "ndarray"))
    write(folder, "unsupported", "old_joblib.pkl", craft.pickle(named(w=wrapper + state + BUILD)))


if __name__ == "__main__":
    write_all(sys.argv[1] if len(sys.argv) > 1 else HERE)
