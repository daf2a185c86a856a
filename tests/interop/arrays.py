"""Cases of NumPy's arrays: inside of torch.save, in files of their own, in pickles of Python itself
and in those of joblib."""

import pickle
import types
from collections import OrderedDict

import joblib
import numpy
import torch
from torch import nn

from cases import case, save_legacy, with_protocol
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
        big = whole.astype(whole.dtype.newbyteorder(">"))
        arrays.update({
            kind: whole, kind + ".fortran": numpy.asfortranarray(whole), kind + ".t": whole.T,
            kind + ".scalar": numpy.array(whole[2, 3]), kind + ".empty": whole[:0],
            kind + ".step": whole[::2, 1::3], kind + ".back": whole[::-1],
            kind + ".big": big, kind + ".big.fortran": numpy.asfortranarray(big),
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
    inside[0], inside[1], inside[2] = array(source, "f4", 2), {"k": array(source, "i1", 1)}, 7
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
    """Generators and their states, which hold arrays, beside the weights."""
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
    if "refused" not in more and name != "objects":
        more["strict"] = True
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
npy("objects", objects,  # the dict is in an array of no dimension
    means=lambda value: value.item() if isinstance(value, numpy.ndarray) else value)


def npz(name, make, save=numpy.savez, **more):
    def write(value, path):
        with open(path, "wb") as file:
            save(file, **value)
    case(name="npz-" + name, save=write, load=load_npz, suffix=".npz", **more)(make)


npz("arrays", every_array, strict=True)
npz("packed", every_array, numpy.savez_compressed, strict=True)
npz("others", lambda source: {key: value for key, value in other_arrays(source).items()
                              if isinstance(value, numpy.ndarray) and key != "objects"})
npz("names", lambda source: {name: array(source, "f4", 2) for name in (
    "a/b", "a.b.c", "two words", "\u00e9", "x.npy", "arr_0", "0")})
npz("large", lambda source: {"w": array(source, "f4", 1500, 700), "v": array(source, "i2", 900000)})
npz("large-packed", lambda source: {"w": numpy.asfortranarray(array(source, "f4", 1500, 700)),
                                    "v": numpy.arange(900000)}, numpy.savez_compressed)
npz("cut", lambda source: {"w": array(source, "f4", 300), "v": array(source, "i2", 9)}, cut=97)
npz("cut-packed", lambda source: {"w": array(source, "f4", 300)}, numpy.savez_compressed, cut=97)
npz("complex-split", args=("--complex", "split"), make=lambda source: {
    "c": array(source, "c16", 2, 3).T, "w": array(source, "f4", 2)})
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
    pickled("arrays", _protocol, every_array, strict=True)
    for _label, _make in (("others", other_arrays), ("objects", objects),
                          ("kinds", kinds_of_arrays)):
        pickled(_label, _protocol, _make)
    pickled("list", _protocol,
            lambda source: [array(source, "f4", 2), {"a": array(source, "i8", 1)}])
    pickled("cut", _protocol, lambda source: {"a": array(source, "f4", 200)}, cut=97)
for _protocol in range(2, 6):
    pickled("state", _protocol, state, strict=True)
    pickled("mixed", _protocol, mixed)
    pickled("module", _protocol, lambda source: nn.Sequential(nn.Linear(2, 3), nn.LSTM(2, 2)))
    pickled("parameters", _protocol, lambda source: {
        "p": nn.Parameter(source.floats(3)), "t": source.floats(4, 5).t()[1:],
        "l": [source.bits(torch.bfloat16, 3)]})
    pickled("nested-cut", _protocol, lambda source: {"t": source.floats(30)}, cut=97)
pickled("many", 2, lambda source: {"t%d" % i: source.floats(i % 5) for i in range(400)})
pickled("large", 4, lambda source: {"w": array(source, "f4", 1200, 900).T,
                                    "t": source.floats(500000)})


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
        return [{"w": array(source, "f4", 2)},
                {"w": array(source, "f4", 3), "v": array(source, "i1", 1)},
                {"u": array(source, "f8", 1)}]

    @case(name="pickles-first-%d" % _protocol, save=save_each(_protocol), load=load_all,
          means=lambda values: values[0], suffix=".pkl")
    def _(source):
        return [{"w": array(source, "f4", 2)}, {"epoch": 3}, [1, 2]]


# ---- joblib ----

def save_joblib(**options):
    return lambda value, path: joblib.dump(value, path, **options)


def joblib_case(name, make, **options):
    more = {key: options.pop(key) for key in ("cut", "strict") if key in options}
    case(name="joblib-" + name, save=save_joblib(**options), load=joblib.load, suffix=".joblib",
         **more)(make)


joblib_case("arrays", every_array, strict=True)
joblib_case("others", other_arrays)
joblib_case("objects", objects)
joblib_case("kinds", kinds_of_arrays)
joblib_case("alone", lambda source: array(source, "f4", 3, 4))
joblib_case("list", lambda source: [array(source, "f4", 2)] * 2 + [array(source, "f4", 2, 0)])
joblib_case("object", lambda source: {"h": Holder(source), "w": array(source, "f4", 2)})
joblib_case("mixed", mixed)
joblib_case("large", lambda source: {"w": array(source, "f4", 1200, 900).T,
                                     "v": array(source, "f8", 9)})
joblib_case("cut", lambda source: {"a": array(source, "f4", 90), "b": array(source, "f4", 30)},
            cut=97)
for _protocol in (2, 3, 4, 5):
    joblib_case("protocol-%d" % _protocol, every_array, protocol=_protocol)
for _method in ("zlib", "gzip", "bz2", "xz", "lzma"):
    joblib_case(_method, every_array, compress=(_method, 3))
    joblib_case(_method + "-mixed", mixed, compress=(_method, 3))
    joblib_case(_method + "-cut", lambda source: {"a": array(source, "f4", 90)},
                compress=(_method, 3), cut=97)
joblib_case("module", lambda source: nn.Sequential(nn.Linear(2, 3), nn.LSTM(2, 2)))
joblib_case("packed", every_array, compress=True)
