#!/usr/bin/env python3
"""Writes the seeds of one fuzz target into a folder, from files of every kind.

usage: seeds.py TARGET FOLDER FILE_OR_FOLDER...

A seed is a file as it is or, for the targets that enter a parser behind an archive, what the
archive holds: its pickles, or all of its members in the form of tests/fuzz/members.h. Nothing is
unpickled; larger files than a fuzzer has use for are left out.
"""
import hashlib
import os
import sys
import zipfile
import zlib

SEED_MAX = 65536
PICKLES = ("steps", "machine", "torch")
SCRIPT = ("/constants.pkl", "/model.json")
MAGIC = {
    "zip": (b"PK\3\4", b"PK\5\6"),
    "packed": (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x78", b"\x5d\0\0"),
}


def field(number, content):
    """A field of a protobuf message, of less than 128 bytes."""
    return bytes([number << 3 | 2, len(content)]) + content


# ir_version 8; float32 [1] called "a", which is an output, too, and two bools called "b"
ONNX = b"\x08\x08" + field(7, field(5, b"\x08\x01\x10\x01" + field(8, b"a") + field(9, b"abcd")) +
                           field(5, b"\x08\x02\x10\x09" + field(8, b"b") + field(5, b"\x01\x00")) +
                           field(12, field(1, b"a") + field(2, field(1, b"\x08\x01"))))


def members_of(path):
    """[(name, bytes)] of a zip archive, as far as it can be read; [] of all else."""
    found = []
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.file_size <= SEED_MAX:
                    found.append((info.filename, archive.read(info)))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError,
            OSError, EOFError):
        pass  # damaged ones are seeds of the target that reads zips
    return found


def joined(members):
    """The members as tests/fuzz/members.h reads them."""
    return b"".join(b"\n@@" + name.encode("utf-8", "replace") + b"\n" + data
                    for name, data in members)[1:]


def looks_like_pickle(data):
    """Protocol 2 and later say so; of older ones, the first opcodes of what Python writes."""
    return data[:1] in (b"\x80", b"(", b"}", b"]", b"c") and b"." in data


def seeds(target, path, data):
    """What a file gives to a target: any number of byte strings."""
    if target in ("convert", "scan"):
        return [data]
    if target in MAGIC:
        return [data] if data.startswith(MAGIC[target]) else []
    if target == "safetensors":
        header = data[8:8 + int.from_bytes(data[:8], "little")]
        return [data, header] if data[8:9] == b"{" else []
    if target == "report":
        return []
    if target == "onnx":
        return [data, ONNX] if data[:1] == b"\x08" else []
    if target == "index":
        return [data] if b'"weight_map"' in data else []
    if target == "tar":
        return [data] if data[257:262] == b"ustar" else []
    if target == "legacy":
        return [data] if data[:16].find(b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") >= 0 else []
    members = members_of(path)
    if target == "numpy":
        arrays = [data] + [inner for name, inner in members if name.endswith(".npy")]
        arrays = [one for one in arrays if one[:6] == b"\x93NUMPY" or looks_like_pickle(one)]
        return arrays + [one[10:].split(b"}")[0] + b"}" for one in arrays if one[:1] == b"\x93"]
    if target in PICKLES:
        inner = [one for name, one in members if name.endswith((".pkl", "_pickle"))]
        return inner + ([data] if looks_like_pickle(data) else [])
    is_script = any(name.endswith(SCRIPT) for name, _ in members)
    return [joined(members)] if members and is_script == (target == "script") else []


def files_of(paths):
    """All files, and those in folders."""
    for path in paths:
        if os.path.isfile(path):
            yield path
        for folder, _, names in os.walk(path):
            yield from (os.path.join(folder, name) for name in sorted(names))


def main():
    """Writes each seed once."""
    target, folder, *paths = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    for path in files_of(paths):
        if os.path.getsize(path) > SEED_MAX:
            continue
        with open(path, "rb") as file:
            data = file.read()
        for seed in seeds(target, path, data):
            if 0 < len(seed) <= SEED_MAX:
                name = hashlib.sha1(seed).hexdigest()
                with open(os.path.join(folder, name), "wb") as out:
                    out.write(seed)


if __name__ == "__main__":
    main()
