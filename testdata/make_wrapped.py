#!/usr/bin/env python3
"""Writes checkpoints inside other files, and those of the tar layout, which no torch at hand writes
(but which both still read).

usage: make_wrapped.py [FOLDER]     (default: the folder of this script)
Needs good/state_dict.pt and good/legacy.pt there. Plain Python.
"""
import bz2
import gzip
import io
import lzma
import os
import struct
import sys
import tarfile
import zipfile
import zlib

import craft
from craft import integer, list_of, name, pickle, text, tuple_of

HERE = os.path.dirname(os.path.abspath(__file__))
DAY = (1980, 1, 1, 0, 0, 0)


# ---- archives ----

def tar(*members, kind=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for path, data in members:
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(*members, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for path, data in members:
            info = zipfile.ZipInfo(path, DAY)
            info.compress_type = method
            archive.writestr(info, data)
    return out.getvalue()


def gzipped(data):
    return gzip.compress(data, mtime=0)


# ---- torch.save before 0.1.10 ----

def words(*numbers):
    return struct.pack("<%dq" % len(numbers), *numbers)


def storages(stored, views=()):
    """(key, class, count, bytes) each, then views (key, key of the storage, start, count)."""
    out = pickle(integer(len(stored)))
    for key, kind, count, data in stored:
        out += pickle(tuple_of(integer(key), text("cpu"), name("torch", kind)))
        out += words(count) + data
    return out + pickle(list_of(*(tuple_of(*map(integer, view)) for view in views))
                        if views else craft.EMPTY_LIST)


def tensors(*rows):
    """(key, key of the storage, class, shape, stride, offset) each."""
    out = pickle(integer(len(rows)))
    for key, on, kind, shape, stride, offset in rows:
        out += pickle(tuple_of(integer(key), integer(on), name("torch", kind)))
        out += struct.pack("<i4x", len(shape)) + words(*shape, *stride, offset)
    return out


def known(key):
    """A persistent id is the key as text."""
    return text(str(key)) + b"Q"


def old_torch(value, stored, listed):
    info = craft.named(protocol_version=integer(1000), little_endian=craft.TRUE,
                       type_sizes=craft.named(short=integer(2), int=integer(4), long=integer(4)))
    return tar(("sys_info", pickle(info)), ("pickle", pickle(value)), ("storages", stored),
               ("tensors", listed))


STORED = storages([(9000000001, "FloatStorage", 6, struct.pack("<6f", 1, 2, 3, 4, 5, 6)),
                   (9000000002, "LongStorage", 3, words(-1, 0, 1 << 40)),
                   (9000000003, "HalfStorage", 2, struct.pack("<2e", 0.5, -2))],
                  [(9000000004, 9000000001, 2, 4)])
LISTED = tensors((1, 9000000001, "FloatTensor", (2, 3), (3, 1), 0),
                 (2, 9000000001, "FloatTensor", (3, 2), (1, 3), 0),
                 (3, 9000000002, "LongTensor", (3,), (1,), 0),
                 (4, 9000000004, "FloatTensor", (2,), (1,), 1),
                 (5, 9000000003, "HalfTensor", (), (), 1))


def old_dict():
    return old_torch(craft.named(plain=known(1), turned=known(2), numbers=known(3), view=known(4),
                                 nested=list_of(known(5), known(1)), epoch=integer(3)),
                     STORED, LISTED)


def parameter(key, kind="torch.nn.parameter", which="Parameter"):
    """An object that is empty until (data, gradient, volatile, requires_grad, hooks) are built."""
    state = tuple_of(known(key), craft.NONE, craft.FALSE, craft.TRUE,
                     craft.call(name("collections", "OrderedDict")))
    return name(kind, which) + craft.EMPTY_TUPLE + craft.NEWOBJ + state + craft.BUILD


def old_module():
    """A Linear layer; its class is named with the file and the source that it had."""
    source = tuple_of(name("torch.nn.modules.linear", "Linear"), text("linear.py"),
                      text("class Linear(Module):\n    pass\n")) + b"Q"
    ordered = craft.call(name("collections", "OrderedDict"))

    def filled(**values):
        pairs = b"".join(text(key) + value for key, value in values.items())
        return ordered + (b"(" + pairs + b"u" if values else b"")

    state = craft.named(training=craft.TRUE, in_features=integer(3), out_features=integer(2),
                        _parameters=filled(weight=parameter(1), bias=parameter(4)),
                        _buffers=filled(), _backward_hooks=filled(), _forward_hooks=filled(),
                        _modules=filled())
    return old_torch(source + craft.EMPTY_TUPLE + craft.NEWOBJ + state + craft.BUILD, STORED,
                     LISTED)


# ---- all of it ----

def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else HERE

    def read(path):
        with open(os.path.join(folder, "good", path), "rb") as file:
            return file.read()

    def write(path, data):
        with open(os.path.join(folder, path), "wb") as file:
            file.write(data)

    new, old, other = read("state_dict.pt"), read("legacy.pt"), read("many.pt")
    write("good/gzip.pt.gz", gzipped(new))
    write("good/gzip_parts.pt.gz", gzipped(new[:1000]) + gzipped(new[1000:]))
    write("good/zlib.pt", zlib.compress(old))
    write("good/bzip2.pt.bz2", bz2.compress(new))
    write("good/xz.pt.xz", lzma.compress(new))
    write("good/lzma.pt.lzma", lzma.compress(old, lzma.FORMAT_ALONE))
    settings = ("model_config.yaml", b"name: net\nlayers: [4, 3]\n")
    write("good/nemo.tar", tar(("./model_config.yaml", settings[1]), ("./model_weights.ckpt", new)))
    write("good/model.tar.gz", gzipped(tar(("code/inference.py", b"import torch\n"),
                                           ("model.pth", old), kind=tarfile.PAX_FORMAT)))
    write("good/bundle.zip", zipped(settings, ("weights/model.pt", new), ("README.md", b"# Net\n")))
    write("good/bundle_deflated.zip", zipped(settings, ("model.pt", new),
                                             method=zipfile.ZIP_DEFLATED))
    write("unsupported/two.zip", zipped(("data", b'{"policy": "mlp"}'), ("policy.pth", new),
                                 ("policy.optimizer.pth", other), ("version", b"1.2.0")))
    write("good/nested.tar", tar(("notes.txt", b"the model is in the zip\n"),
                                 ("inner.zip", zipped(settings, ("a!b.pt", new)))))
    write("good/zips.distcp", new + other)
    write("good/tar.pt", old_dict())
    write("good/tar_module.pt", old_module())

    zeros = gzipped(bytes(300 << 20))
    write("hostile/gzip_in_gzip.pt.gz", gzipped(gzipped(zeros)))
    write("hostile/gzips.tar", gzipped(tar(*(("%d.gz" % i, gzipped(bytes(60 << 20)))
                                             for i in range(6)))))
    write("good/damaged_beside.zip", zipped(("inner.zip", zipped(
        ("notes.gz", gzipped(b"some notes")[:20]), ("a.pt", new)))))

    whole = old_dict()
    write("bad/tar_cut.pt", whole[:3200])
    write("bad/tar_no_key.pt", old_torch(craft.named(w=known(77)), STORED, LISTED))
    write("bad/tar_no_storage.pt",
          old_torch(known(1), storages([]), tensors((1, 5, "FloatTensor", (1,), (1,), 0))))
    write("bad/tar_beyond.pt", old_torch(known(1), STORED, tensors(
        (1, 9000000001, "FloatTensor", (7,), (1,), 0))))
    write("bad/tar_view_beyond.pt", old_torch(known(1), storages(
        [(1000, "FloatStorage", 1, struct.pack("<f", 1))], [(1001, 1000, 0, 2)]), tensors()))
    write("bad/tar_twice.pt", old_torch(known(1), STORED, tensors(
        (1, 9000000001, "FloatTensor", (1,), (1,), 0),
        (1, 9000000001, "FloatTensor", (2,), (1,), 0))))
    write("bad/tar_huge.pt", old_torch(known(1), pickle(integer(1)) + pickle(tuple_of(
        integer(1), text("cpu"), name("torch", "FloatStorage"))) + words(1 << 61), LISTED))
    write("bad/tar_many_dims.pt", old_torch(known(1), STORED, pickle(integer(1)) + pickle(tuple_of(
        integer(1), integer(9000000001), name("torch", "FloatTensor"))) +
        struct.pack("<i4x", 1 << 30)))
    write("bad/gzip_cut.pt.gz", gzipped(new)[:-9])
    write("bad/gzip_wrong_crc.pt.gz", gzipped(new)[:-8] + b"\0\0\0\0" + gzipped(new)[-4:])
    write("unsupported/no_checkpoint.tar", tar(settings, ("notes.txt", b"no model here\n")))


main()
