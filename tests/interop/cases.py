"""What the files of cases are made with: the list of cases, the ways into a file, tensors of random
bits. A case is a function that makes one checkpoint; it runs under both torches and names the
oldest that knows what it needs. The cases are in views.py, pickles.py and recipes.py."""

import ctypes
import io
import os
import shutil
import sys
import tempfile
import warnings
import zlib
from collections import namedtuple

import numpy
import torch

from truth import DTYPES

VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])
OLD, NEW = (1, 13), (2, 6)

CASES = []

warnings.simplefilter("ignore")  # torch calls some of what follows a beta

Case = namedtuple("Case", "name make since save args root refused ties")


def case(since=OLD, save=None, args=(), root=None, refused=None, ties=False, name=None):
    """Registers a function that makes a checkpoint. `refused`: ckconv must not convert it, and must
    say these words. `save`: how it gets into the file, if not by a plain torch.save."""

    def register(make):
        label = name or make.__name__.replace("_", "-")
        if VERSION >= since:
            more = ("--root", root) if root else ()
            CASES.append(Case(label, make, since, save or save_to_path, (*args, *more), root,
                              refused, ties))
        return make

    return register


# ---- ways into a file ----

def save_to_path(value, path, **options):
    torch.save(value, path, **options)


def save_through_buffer(value, path, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    with open(path, "wb") as file:
        file.write(buffer.getvalue())


def with_protocol(protocol, way=save_to_path):
    return lambda value, path: way(value, path, pickle_protocol=protocol)


def save_without_crc(value, path):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(value, path)
    finally:
        torch.serialization.set_crc32_options(True)


def save_without_byteorder(value, path):
    torch.save(value, path, _disable_byteorder_record=True)


def save_big_endian(value, path):
    """What a big-endian machine would write: its storages, and the word for it."""
    seen, native = set(), sys.byteorder
    for tensor in value.values():
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            storage.byteswap(tensor.dtype)
    sys.byteorder = "big"
    try:
        torch.save(value, path)
    finally:
        sys.byteorder = native


def under_name(name):
    """torch names the archive's folder after the file; people rename files."""

    def save(value, path):
        with tempfile.TemporaryDirectory() as folder:
            odd = os.path.join(folder, name)
            torch.save(value, odd)
            shutil.move(odd, path)

    return save


# ---- values ----

class Source:
    """Tensors of random bits: every NaN, every denormal."""

    def __init__(self, seed):
        seed += os.environ.get("CKCONV_INTEROP_SEED", "")
        self.rng = numpy.random.default_rng(zlib.crc32(seed.encode()))

    def bits(self, dtype, *shape):
        tensor = torch.empty(shape, dtype=dtype)
        if tensor.numel():
            size = tensor.numel() * tensor.element_size()
            data = (self.rng.integers(0, 2, size, dtype=numpy.uint8).tobytes()
                    if dtype == torch.bool else self.rng.bytes(size))
            ctypes.memmove(tensor.data_ptr(), data, size)
        return tensor

    def floats(self, *shape):
        return self.bits(torch.float32, *shape)

    def finite(self, dtype, *shape):
        return torch.from_numpy(self.rng.standard_normal(shape)).to(dtype)

    def below(self, end):
        return int(self.rng.integers(0, end))

    def pick(self, options):
        return options[self.below(len(options))]


def dtypes(*names):
    return [getattr(torch, name) for name in names if hasattr(torch, name)]


# The reference library of the judge cannot open a file with one of these, so they have their own.
LATER = dtypes("complex64", "float8_e4m3fnuz", "float8_e5m2fnuz")
COMMON = [dtype for dtype in dtypes(*DTYPES) if dtype not in LATER]
