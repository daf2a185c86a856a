"""What the files of cases are made with: the list of cases, the ways into a file and out of it,
tensors of random bits. A case is a function that makes one checkpoint; it runs under both torches
and names the oldest that knows what it needs."""

import ctypes
import io
import os
import shutil
import sys
import tempfile
import typing
import warnings
import zlib
from dataclasses import dataclass, field

import numpy
import torch

import truth

VERSION = tuple(int(part) for part in torch.__version__.split(".")[:2])
OLD, NEW = (1, 13), (2, 6)

CASES = []

sys.setrecursionlimit(20000)  # Python pickles, and truth.py looks, by recursion
warnings.simplefilter("ignore")  # torch calls some of what follows a beta


# ---- ways out of a file ----

def load_torch(path):
    # the old torch has no weights_only that could be in the way
    return torch.load(path, **({} if VERSION < NEW else {"weights_only": False}))


@dataclass
class Case:
    """One checkpoint, and what is asked of ckconv when it converts it."""
    name: str
    make: typing.Callable           # of a Source: what is to be saved
    save: typing.Callable           # how it gets into the file
    load: typing.Callable           # how it gets out of it; None: it does not, as it was
    forward: bool = True            # what the old torch wrote, the new one can load
    means: typing.Callable = None   # what is said to be in the file, of what was made or loaded
    since: tuple = OLD              # the oldest torch that can write it
    until: tuple = NEW              # and the newest
    args: tuple = ()                # of ckconv
    root: str = None                # of --root
    refused: list = None            # it must not be converted, and these words must be said
    status: int = 3                 # with which it is refused
    ties: bool = False              # save_model is the judge
    notes: list = field(default_factory=list)  # words that must be said
    strict: object = None           # True: --strict makes no difference; a list: it fails with them
    refuses: str = None             # words of its refusal without --disarm, which it then gets
    suffix: str = ".pt"
    member: str = None              # of an archive
    cut: int = 0                    # cut after every so many bytes it must be refused
    loose: str = None               # a regex: these tensors may have other names that match it
    facts: dict = field(default_factory=dict)  # more metadata

    def truth(self, value):
        """Of what was made or loaded: name -> tensor, and the metadata."""
        value = self.means(value) if self.means else value
        tensors, metadata = truth.of(value, self.root, self.args)
        return tensors, {**metadata, **self.facts}


def case(name=None, save=None, root=None, args=(), load=load_torch, **more):
    """Registers a function that makes a checkpoint."""

    def register(make):
        label = name or make.__name__.replace("_", "-")
        flags = (*args, *(("--root", root) if root else ()))
        if any(other.name == label for other in CASES):
            raise ValueError("two cases are named " + label)
        CASES.append(Case(label, make, save or save_to_path, load, args=flags, root=root, **more))
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


def save_legacy(value, path, **options):
    torch.save(value, path, _use_new_zipfile_serialization=False, **options)


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


# ---- cases of tensors that are several ----

def three_ways(name, wish, make, **more):
    """As it is, in the legacy format, by another protocol, and what the wish makes of it. Nothing
    is left out of it, unless `strict` says so."""
    more.setdefault("strict", True)
    case(name=name, **more)(make)
    case(name=name + "-legacy", save=save_legacy, **more)(make)
    case(name=name + "-protocol-4", save=with_protocol(4), **more)(make)
    case(name=name + wish, args=(wish,), **more)(make)
    case(name=name + wish + "-legacy", save=save_legacy, args=(wish,), **more)(make)


def composite(wish, **more):
    def register(make):
        three_ways(make.__name__.replace("_", "-"), wish, make, **more)
        return make
    return register


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
COMMON = [dtype for dtype in dtypes(*truth.DTYPES) if dtype not in LATER]
