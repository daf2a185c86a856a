"""Cases of files that are not of torch.save: NumPy's, pickles of Python itself, joblib's, files that
were packed or put into an archive; and of the odd things that a pickle may hold."""

import bz2
import collections
import dataclasses
import enum
import gzip
import io
import lzma
import os
import pickle
import shutil
import tarfile
import tempfile
import types
import zipfile
import zlib
from collections import OrderedDict

import joblib
import numpy
import torch
from torch import nn

from cases import NEW, case, load_torch, save_legacy, save_to_path, with_protocol
from pickles import Net

# ---- arrays ----

KINDS = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "uint16",
         "uint32", "uint64", "bool", "complex64")


def array(source, kind, *shape):
    if kind == "bool":
        return source.rng.random(shape) > 0.5
    data = source.rng.bytes(int(numpy.prod(shape, dtype=int)) * numpy.dtype(kind).itemsize)
    return numpy.frombuffer(data, dtype=kind).reshape(shape).copy()


def every_array(source):
    arrays = OrderedDict()
    for kind in KINDS:
        if kind == "complex64":  # safetensors of Debian cannot hold it
            continue
        whole = array(source, kind, 5, 6)
        arrays.update({
            kind: whole, kind + ".fortran": numpy.asfortranarray(whole), kind + ".t": whole.T,
            kind + ".scalar": numpy.array(whole[2, 3]), kind + ".empty": whole[:0],
            kind + ".step": whole[::2, 1::3], kind + ".back": whole[::-1],
            kind + ".big": whole.astype(whole.dtype.newbyteorder(">")),
            kind + ".big.fortran": numpy.asfortranarray(whole.astype(whole.dtype.newbyteorder(">"))),
            kind + ".deep": array(source, kind, 2, 3, 4).transpose(1, 0, 2),
            kind + ".deep.fortran": numpy.asfortranarray(array(source, kind, 2, 3, 4)),
        })
    return arrays


def other_arrays(source):
    """Arrays that are values and no tensors, beside one that is one."""
    return {
        "w": array(source, "float32", 3, 2),
        "texts": numpy.array(["a", "longer"]), "bytes": numpy.array([b"a", b"bc"]),
        "dates": numpy.array(["2020-01-01"], dtype="datetime64[D]"),
        "spans": numpy.array([3], dtype="timedelta64[s]"),
        "table": numpy.zeros(2, dtype=[("x", "<f4"), ("y", ">i8", (2,))]),
        "long": numpy.ones(2, dtype=numpy.longdouble), "raw": numpy.zeros(2, dtype="V3"),
        "objects": numpy.array([None, 1, "text"], dtype=object),
        "scalars": [numpy.float32(1.5), numpy.int64(-3), numpy.bool_(True), numpy.complex64(1j)],
        "type": numpy.float32, "dtype": numpy.dtype("f4"),
    }


def objects(source):
    """Arrays inside of an array of objects are found by their position."""
    inside = numpy.empty(3, dtype=object)
    inside[0], inside[1], inside[2] = array(source, "float32", 2), {"k": array(source, "int8", 1)}, 7
    return {"o": inside, "w": array(source, "float32", 1)}


class Special(numpy.ndarray):
    pass


def kinds_of_arrays(source):
    return {"matrix": numpy.matrix([[1., 2], [3, 4]]), "sub": array(source, "f4", 3).view(Special),
            "record": array(source, "f4", 2), "zeros": numpy.zeros((0, 3)),
            "broadcast": numpy.broadcast_to(array(source, "f4", 3), (2, 3)),
            "readonly": numpy.frombuffer(b"12345678", dtype="i4")}


def mixed(source):
    shared = array(source, "float32", 4, 3)
    return {"array": shared, "again": shared, "t": shared.T, "tensor": source.floats(2, 3).t(),
            "list": [shared, source.floats(1), {"deep": shared[1:]}], "epoch": 3}


def random_states(source):
    return {"w": array(source, "float32", 2), "legacy": numpy.random.RandomState(3).get_state()[1],
            "rng": {"n": 1}}


# ---- NumPy inside of torch.save ----

for _protocol in (2, 3, 4, 5):
    for _label, _make in (("arrays", every_array), ("others", other_arrays), ("mixed", mixed),
                          ("objects", objects), ("kinds", kinds_of_arrays)):
        case(name="numpy-%s-%d" % (_label, _protocol), save=with_protocol(_protocol))(_make)
case(name="numpy-legacy", save=save_legacy)(mixed)
case(name="numpy-rng")(random_states)
case(name="numpy-alone")(lambda source: array(source, "float64", 3, 4).T)
case(name="numpy-list")(lambda source: [array(source, "float64", 2), array(source, "i2", 3)])


@case(args=("--complex", "split"))
def numpy_complex(source):
    whole = array(source, "complex128", 3, 4)
    return {"w": whole, "t": whole.T, "big": whole.astype(">c16"), "c64": array(source, "c8", 2)}


@case()
def numpy_rng_objects(source):
    """Generators and their states: what arrays they hold is found somewhere; the weights are there."""
    return {"state_dict": {"w": source.floats(2)}, "rng": numpy.random.RandomState(3),
            "new": numpy.random.default_rng(3), "state": numpy.random.get_state()}


@case()
def numpy_module(source):
    model = nn.Linear(2, 3)
    model.mean = array(source, "float32", 3)  # no part of its state_dict
    return {"model": model, "norm": {"mean": array(source, "float64", 3)}}


# ---- .npy and .npz ----

def save_npy(value, path):
    with open(path, "wb") as file:
        numpy.save(file, value)


def load_numpy(path):
    return numpy.load(path, allow_pickle=True)


def load_npz(path):
    with numpy.load(path, allow_pickle=True) as file:
        return {name: file[name] for name in file.files}


def npy(name, make, **more):
    case(name="npy-" + name, save=save_npy, load=load_numpy, suffix=".npy", **more)(make)


for _kind in KINDS[:-1]:
    npy(_kind, lambda source, kind=_kind: array(source, kind, 3, 4))
npy("fortran", lambda source: numpy.asfortranarray(array(source, "f4", 3, 4)), cut=97)
npy("big", lambda source: array(source, ">f8", 3, 4))
npy("scalar", lambda source: numpy.array(2.5))
npy("empty", lambda source: numpy.zeros((3, 0, 2), "f4"))
npy("large", lambda source: array(source, "f4", 1500, 700))
npy("large-fortran", lambda source: numpy.asfortranarray(array(source, "f4", 1500, 700)))
npy("complex-split", lambda source: array(source, "c16", 5), args=("--complex", "split"))
npy("many-dimensions", lambda source: array(source, "u1", *[1] * 30, 3))
npy("texts", lambda source: numpy.array(["a"]), refused=["no tensors"])
npy("objects", objects, means=lambda value: value.item() if isinstance(value, numpy.ndarray) else value)


def npz(name, make, save=numpy.savez, **more):
    def write(value, path):
        with open(path, "wb") as file:
            save(file, **value)
    case(name="npz-" + name, save=write, load=load_npz, suffix=".npz", **more)(make)


npz("arrays", every_array)
npz("packed", every_array, numpy.savez_compressed)
npz("others", lambda source: {key: value for key, value in other_arrays(source).items()
                              if isinstance(value, numpy.ndarray) and key != "objects"})
npz("names", lambda source: {name: array(source, "f4", 2) for name in (
    "a/b", "a.b.c", "two words", "\u00e9", "x.npy", "arr_0", "0")})
npz("large", lambda source: {"w": array(source, "f4", 1500, 700), "v": array(source, "i2", 900000)})
npz("large-packed", lambda source: {"w": numpy.asfortranarray(array(source, "f4", 1500, 700)),
                                    "v": numpy.arange(900000)}, numpy.savez_compressed)
npz("cut", lambda source: {"w": array(source, "f4", 300), "v": array(source, "i2", 9)}, cut=97)
npz("cut-packed", lambda source: {"w": array(source, "f4", 300)}, numpy.savez_compressed, cut=97)
npz("model", lambda source: {"model": array(source, "f4", 3)})


# ---- pickles of Python itself ----

def save_pickle(protocol, opener=open):
    def save(value, path):
        with opener(path, "wb") as file:
            pickle.dump(value, file, protocol=protocol)
    return save


def load_pickle(path):
    with open(path, "rb") as file:
        return pickle.load(file)


def pickled(name, protocol, make, **more):
    case(name="pickle-%s-%d" % (name, protocol), save=save_pickle(protocol), load=load_pickle,
         suffix=".pkl", **more)(make)


def state(source):
    return OrderedDict(Net().state_dict())


for _protocol in range(6):
    for _label, _make in (("arrays", every_array), ("others", other_arrays), ("objects", objects),
                          ("kinds", kinds_of_arrays)):
        pickled(_label, _protocol, _make)
    pickled("list", _protocol, lambda source: [array(source, "f4", 2), {"a": array(source, "i8", 1)}])
    pickled("cut", _protocol, lambda source: {"a": array(source, "f4", 200)}, cut=97)
for _protocol in range(2, 6):
    pickled("state", _protocol, state)
    pickled("mixed", _protocol, mixed)
    pickled("module", _protocol, lambda source: nn.Sequential(nn.Linear(2, 3), nn.LSTM(2, 2)))
    pickled("parameters", _protocol, lambda source: {
        "p": nn.Parameter(source.floats(3)), "t": source.floats(4, 5).t()[1:],
        "l": [source.bits(torch.bfloat16, 3)]})
    pickled("nested-cut", _protocol, lambda source: {"t": source.floats(30)}, cut=97)
pickled("many", 2, lambda source: {"t%d" % i: source.floats(i % 5) for i in range(400)})
pickled("large", 4, lambda source: {"w": array(source, "f4", 1200, 900).T, "t": source.floats(500000)})


class Holder:
    def __init__(self, source):
        self.weights, self.name = [array(source, "f4", 2), array(source, "f4", 2, 2)], "name"


for _protocol in (0, 2, 5):
    pickled("object", _protocol, lambda source: {"h": Holder(source), "ns": types.SimpleNamespace(
        a=array(source, "f8", 2))})


def load_all(path):
    values = []
    with open(path, "rb") as file:
        while file.peek(1):
            values.append(pickle.load(file))
    return values


def in_turn(values):
    """Of several pickles the first keeps its names; the others are counted."""
    named = dict(values[0])
    for i, value in enumerate(values[1:], 1):
        named.update({"%d.%s" % (i, key): tensor for key, tensor in value.items()})
    return named


def save_each(protocol):
    def save(values, path):
        with open(path, "wb") as file:
            for value in values:
                pickle.dump(value, file, protocol=protocol)
    return save


for _protocol in (2, 4):
    @case(name="pickles-%d" % _protocol, save=save_each(_protocol), load=load_all, means=in_turn,
          suffix=".pkl")
    def _(source):
        return [{"w": array(source, "f4", 2)}, {"w": array(source, "f4", 3), "v": array(source, "i1", 1)},
                {"u": array(source, "f8", 1)}]

    @case(name="pickles-first-%d" % _protocol, save=save_each(_protocol), load=load_all,
          means=lambda values: values[0], suffix=".pkl")
    def _(source):
        return [{"w": array(source, "f4", 2)}, {"epoch": 3}, [1, 2]]


# ---- joblib ----

def save_joblib(**options):
    return lambda value, path: joblib.dump(value, path, **options)


def joblib_case(name, make, **options):
    more = {key: options.pop(key) for key in ("cut", "notes") if key in options}
    case(name="joblib-" + name, save=save_joblib(**options), load=joblib.load, suffix=".joblib",
         **more)(make)


joblib_case("arrays", every_array)
joblib_case("others", other_arrays)
joblib_case("objects", objects)
joblib_case("kinds", kinds_of_arrays)
joblib_case("alone", lambda source: array(source, "f4", 3, 4))
joblib_case("list", lambda source: [array(source, "f4", 2)] * 2 + [array(source, "f4", 2, 0)])
joblib_case("object", lambda source: {"h": Holder(source), "w": array(source, "f4", 2)})
joblib_case("mixed", mixed)
joblib_case("large", lambda source: {"w": array(source, "f4", 1200, 900).T, "v": array(source, "f8", 9)})
joblib_case("cut", lambda source: {"a": array(source, "f4", 90), "b": array(source, "f4", 30)}, cut=97)
for _protocol in (2, 3, 4, 5):
    joblib_case("protocol-%d" % _protocol, every_array, protocol=_protocol)
for _method in ("zlib", "gzip", "bz2", "xz", "lzma"):
    joblib_case(_method, every_array, compress=(_method, 3))
    joblib_case(_method + "-mixed", mixed, compress=(_method, 3))
    joblib_case(_method + "-cut", lambda source: {"a": array(source, "f4", 90)},
                compress=(_method, 3), cut=97)
joblib_case("packed", every_array, compress=True)


# ---- files in a wrapping ----

OPENERS = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}


def unpacked(path):
    with open(path, "rb") as file:
        data = file.read()
    for unpack in (gzip.decompress, bz2.decompress, lzma.decompress, zlib.decompress):
        try:
            return io.BytesIO(unpack(data))
        except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
            pass
    raise ValueError("not packed")


def bytes_of(value, save=save_to_path):
    buffer = io.BytesIO()
    save(value, buffer)
    return buffer.getvalue()


def packed(pack, save=save_to_path):
    def write(value, path):
        with open(path, "wb") as file:
            file.write(pack(bytes_of(value, save)))
    return write


PACKERS = {
    "gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zlib": zlib.compress,
    "zlib-0": lambda data: zlib.compress(data, 0), "zlib-9": lambda data: zlib.compress(data, 9),
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "gzip-twice": lambda data: gzip.compress(data[:99]) + gzip.compress(data[99:]),
    "bz2-twice": lambda data: bz2.compress(data[:99]) + bz2.compress(data[99:]),
    "xz-twice": lambda data: lzma.compress(data[:99]) + lzma.compress(data[99:]),
}


def checkpoint(source):
    return {"epoch": 3, "state_dict": Net().state_dict(), "optimizer": {"m": source.floats(3)}}


def small(source):
    return {"w": source.floats(9, 4).t(), "b": source.bits(torch.int64, 3)}


for _name, _pack in PACKERS.items():
    case(name="packed-%s" % _name, save=packed(_pack), load=lambda path: load_torch(unpacked(path)))(
        checkpoint)
    case(name="packed-%s-legacy" % _name, save=packed(_pack, save_legacy),
         load=lambda path: load_torch(unpacked(path)))(checkpoint)
    case(name="packed-%s-pickle" % _name, load=lambda path: pickle.load(unpacked(path)),
         save=packed(_pack, lambda value, file: pickle.dump(value, file)))(every_array)
    case(name="packed-%s-cut" % _name, save=packed(_pack), cut=197,
         load=lambda path: load_torch(unpacked(path)))(small)
for _name, _open in OPENERS.items():
    case(name="opened-" + _name, suffix=".pkl." + _name, save=save_pickle(4, _open),
         load=lambda path: pickle.load(unpacked(path)))(mixed)


def tar_of(members, mode="w"):
    def save(value, path):
        with tarfile.open(path, mode, format=FORMATS[mode]) as tar:
            for name, data in members(value):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return save


FORMATS = {"w": tarfile.GNU_FORMAT, "w:gz": tarfile.PAX_FORMAT, "w:bz2": tarfile.USTAR_FORMAT,
           "w:xz": tarfile.PAX_FORMAT}


def zip_of(members, method=zipfile.ZIP_STORED):
    def save(value, path):
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in members(value):
                archive.writestr(name, data)
    return save


def member_of_tar(name):
    def load(path):
        with tarfile.open(path) as tar:
            return load_torch(io.BytesIO(tar.extractfile(name).read()))
    return load


def member_of_zip(name):
    def load(path):
        with zipfile.ZipFile(path) as archive:
            return load_torch(io.BytesIO(archive.read(name)))
    return load


def one_checkpoint(value):
    """As a model.tar.gz of the clouds, or a .nemo file."""
    return [("./model_config.yaml", b"a: 1\n"), ("./code/inference.py", b"import os\n"),
            ("./model_weights.ckpt", bytes_of(value))]


def policy(value):
    """As Stable-Baselines3 saves its agents."""
    return [("data", b'{"policy_class": {":type:": "<class>"}}'), ("policy.pth", bytes_of(value)),
            ("_stable_baselines3_version", b"2.0.0"), ("system_info.txt", b"OS: Linux\n")]


def agent(value):
    return [*policy(value), ("policy.optimizer.pth", bytes_of({"state": {0: {"m": torch.ones(2)}}})),
            ("pytorch_variables.pth", bytes_of(None))]


for _mode in FORMATS:
    _suffix = ".tar" + _mode[1:].replace(":", ".")
    case(name="archive" + _suffix.replace(".", "-"), save=tar_of(one_checkpoint, _mode),
         load=member_of_tar("./model_weights.ckpt"), suffix=_suffix)(checkpoint)
case(name="archive-nemo", save=tar_of(one_checkpoint), load=member_of_tar("./model_weights.ckpt"),
     suffix=".nemo")(checkpoint)
case(name="archive-tar-legacy", load=member_of_tar("a/b.pth"), suffix=".tar",
     save=tar_of(lambda value: [("a/b.pth", bytes_of(value, save_legacy))]))(checkpoint)
case(name="archive-tar-cut", save=tar_of(one_checkpoint), suffix=".tar", cut=997,
     load=member_of_tar("./model_weights.ckpt"))(small)
for _name, _method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
    case(name="archive-zip-" + _name, save=zip_of(policy, _method), suffix=".zip",
         load=member_of_zip("policy.pth"))(checkpoint)
    case(name="archive-zip-%s-member" % _name, save=zip_of(agent, _method), suffix=".zip",
         load=member_of_zip("policy.pth"), member="policy.pth")(checkpoint)
    case(name="archive-zip-%s-several" % _name, save=zip_of(agent, _method), suffix=".zip",
         refused=["policy.pth", "policy.optimizer.pth", "!"])(checkpoint)


def two_checkpoints(value):
    return [("a/one.pt", bytes_of(value)), ("b/two.pt", bytes_of({"w": torch.ones(2)})),
            ("readme.txt", b"text")]


case(name="archive-tar-several", save=tar_of(two_checkpoints, "w:gz"), suffix=".tar.gz",
     refused=["a/one.pt", "b/two.pt", "!"])(checkpoint)
case(name="archive-tar-member", save=tar_of(two_checkpoints, "w:gz"), suffix=".tar.gz",
     load=member_of_tar("a/one.pt"), member="a/one.pt")(checkpoint)
case(name="archive-tar-no-member", save=tar_of(two_checkpoints), suffix=".tar", member="a/three.pt",
     refused=["a/three.pt"], status=2)(checkpoint)
case(name="archive-without", save=zip_of(lambda value: [("a.txt", b"text"), ("b.json", b"{}")]),
     suffix=".zip", refused=["archive"])(checkpoint)


# ---- what keys may be ----

class Colour(enum.Enum):
    RED = 1


@case()
def keys_of_all_kinds(source):
    keys = [0, -1, True, None, 1.5, (1, "a"), (), 2 ** 80, float("inf"), 1 + 2j, -1j, frozenset(),
            frozenset({3}), torch.Size([2, 3]), torch.float16, "text", "two words", "a/b", 'q"uote',
            "it's", ("it's", 1.0), (torch.Size([1]), None), numpy.dtype("f4").name]
    return {"top": {key: source.floats(1 + i) for i, key in enumerate(keys)}}


for _protocol in (2, 3, 4, 5):
    @case(name="keys-of-bytes-and-more-%d" % _protocol, save=with_protocol(_protocol))
    def _(source):
        keys = [b"bytes", b"\x00'\xff", b"", (b"x", 1), 1 - 2j, frozenset({(1, "a")}),
                complex("inf"), (frozenset({2}), True)]
        return {"top": {key: source.floats(1 + i) for i, key in enumerate(keys)}}


@case(loose=r"top\..*")
def keys_of_enums(source):
    """Their names are in no file; that they are there, and what they hold, can be seen."""
    return {"top": {Colour.RED: source.floats(3)}, "w": source.floats(2)}


for _name, _tree, _words in (
        ("dots", lambda a, b: {"x": {"y.z": a, "y": {"z": b}}}, ["x.y.z"]),
        ("number", lambda a, b: {"x": {1: a, "1": b}}, ["x.1"]),
        ("none", lambda a, b: {"x": {None: a, "None": b}}, ["x.None"]),
        ("list", lambda a, b: {"x": [a], "x.0": b}, ["x.0"]),
        ("module", lambda a, b: {"m": nn.Linear(1, 1), "m.weight": b}, ["m.weight"])):
    case(name="collision-" + _name, refused=_words)(
        lambda source, tree=_tree: tree(source.floats(1), source.floats(2)))


# ---- shapes of values ----

@case()
def circles(source):
    """Lists and dicts that contain themselves."""
    items, table = [source.floats(2)], {"w": source.floats(3)}
    items.append(items)
    table["self"] = table
    table["items"] = items
    items.append(table)
    return {"items": items, "table": table}


def chain(depth, source):
    value = {"w": source.floats(2)}
    for i in range(depth):
        value = {"d": value} if i % 2 else [value]
    return value


@case()
def thousand_levels(source):
    return {"x": chain(1000, source)}


@case(save=save_legacy)
def thousand_levels_legacy(source):
    return {"x": chain(1000, source)}


@case()
def shared_everywhere(source):
    """One value in many places: each place has its name."""
    inner = {"w": source.floats(2), "l": [source.floats(1)]}
    return {"a": inner, "b": inner, "c": [inner, inner, (inner,)], "d": {"e": inner}}


@case()
def set_of_tensors_beside(source):
    return {"w": source.floats(2), "set": {1, "a"}, "frozen": frozenset({(1, 2)})}


class Listed(list):
    """What people derive from the types of Python, with attributes of their own."""


class Keyed(dict):
    pass


class Slotted:
    __slots__ = ("weight", "rate")

    def __init__(self, weight):
        self.weight, self.rate = weight, 0.5


@dataclasses.dataclass
class Settings:
    mean: torch.Tensor
    size: int = 3


class OwnState:
    def __init__(self, weight):
        self.weight = weight

    def __getstate__(self):
        return {"kept": self.weight, "version": 2}

    def __setstate__(self, state):
        self.weight = state["kept"]


@case()
def objects_of_all_kinds(source):
    items, table = Listed([source.floats(1), source.floats(2)]), Keyed(a=source.floats(3))
    items.extra, table.extra = source.floats(4), source.floats(5)
    ordered = OrderedDict(a=source.floats(1))
    ordered.extra = source.floats(2)
    return {"items": items, "table": table, "data": Settings(source.floats(2)), "ordered": ordered,
            "user": collections.UserDict(w=source.floats(3)), "chain": collections.ChainMap(
                {"a": source.floats(1)}, {"b": source.floats(2)})}


def slots(value):
    return {**value, "slots": {"weight": value["slots"].weight},
            "own": {"kept": value["own"].weight}}


for _protocol in (2, 4):
    @case(name="objects-with-slots-%d" % _protocol, save=with_protocol(_protocol), means=slots)
    def _(source):
        return {"slots": Slotted(source.floats(2)), "own": OwnState(source.floats(3))}


@case(loose=r"s\.\d", load=None, means=lambda value: {
    "s.%d" % i: tensor for i, tensor in enumerate(value["s"])})
def set_of_tensors(source):
    """In what order they are is nobody's choice."""
    return {"s": {source.floats(2), source.floats(3)}}


# ---- checkpoints of several archives, one behind the other ----

def save_distributed(value, path):
    import torch.distributed.checkpoint as checkpoints
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.save(value, storage_writer=checkpoints.FileSystemWriter(folder))
        shutil.copyfile(os.path.join(folder, "__0_0.distcp"), path)


@case(since=NEW, save=save_distributed, load=None, loose=".*", suffix=".distcp")
def archives_in_a_row(source):
    """What they are called stands in another file."""
    return {"w": source.floats(3, 4), "v": source.bits(torch.int64, 5), "t": source.floats(4, 6).t()}
