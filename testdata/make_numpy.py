#!/usr/bin/env python3
"""Writes NumPy arrays as pickles, joblib streams, .npy and .npz into good/ and unsupported/: one
half with the NumPy 1.24, joblib 1.2 and PyTorch 1.13 of Debian 12, the other with those of Debian
13 (2.2, 1.4 and 2.6), depending on where it runs.

usage: make_numpy.py [FOLDER]     (default: the folder of this script)
"""
import collections
import os
import pickle
import sys
import warnings

import joblib
import numpy
import torch

import nets

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = "b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8".split()


# ---- values ----

def arrays():
    """Every dtype that safetensors has, in both byte orders, both layouts, and odd shapes."""
    values = numpy.array([[0, 1, 2], [3, 100, -7]])
    out = collections.OrderedDict()
    for kind in KINDS:
        out[kind] = values.astype(kind) if kind != "c8" else (values * (1 - 2j)).astype(kind)
        out["big." + kind] = out[kind].astype(">" + kind)
    out["fortran"] = numpy.asfortranarray(numpy.arange(24.0).reshape(2, 3, 4))
    out["transposed"] = numpy.arange(24, dtype="i2").reshape(2, 3, 4).transpose(1, 0, 2)
    out["stepped"] = numpy.arange(40, dtype="f4").reshape(5, 8)[::2, 1::3]
    out["big.fortran"] = numpy.asfortranarray(numpy.arange(6, dtype=">u4").reshape(2, 3))
    out["none"] = numpy.array(3.5)
    out["empty"] = numpy.zeros((0, 3), "f4")
    out["large"] = numpy.arange(3000, dtype="i2").reshape(3, 1000)
    out["list"] = [numpy.ones(2), {"in": numpy.arange(3)}, 5, "text"]
    return out


def objects():
    """Arrays of objects, whose items are named by position, beside those no tensor can hold."""
    mixed = numpy.empty((2, 2), object)
    mixed[0, 0] = numpy.arange(3)
    mixed[0, 1] = {"w": numpy.ones(2, "f4")}
    mixed[1, 0] = "text"
    mixed[1, 1] = [numpy.zeros(1)]
    return {
        "mixed": mixed, "fine": numpy.arange(4.0), "words": numpy.array(["one", "three"]),
        "bytes": numpy.array([b"a", b"bc"]), "dates": numpy.array(["2020-02-03"], "M8[D]"),
        "spans": numpy.array([5], "m8[ms]"),
        "long": numpy.frombuffer(bytes(32), numpy.longdouble),  # its padding is no chance
        "records": numpy.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
        "raw": numpy.zeros(2, "V3"),
    }


def subclasses():
    """A matrix, a masked array, a mapped file that was pickled."""
    masked = numpy.ma.masked_array(numpy.arange(6, dtype="i4").reshape(2, 3),
                                   mask=[[0, 1, 0], [0, 0, 1]])
    return {"matrix": numpy.matrix([[1.0, 2.0], [3.0, 4.0]]), "masked": masked,
            "masked.f": numpy.ma.masked_array(numpy.asfortranarray(masked.data),
                                              mask=masked.mask)}


def generators():
    """Random generators, whose states hold arrays."""
    return {"old": numpy.random.RandomState(5), "new": numpy.random.default_rng(5),
            "twister": numpy.random.Generator(numpy.random.MT19937(5)),
            "state": numpy.random.RandomState(6).get_state()}


def scalars():
    """Numbers that are no arrays."""
    return {
        "w": numpy.ones(2), "bool": numpy.bool_(True), "int8": numpy.int8(-5),
        "int64": numpy.int64(-(1 << 62)), "uint64": numpy.uint64((1 << 64) - 1),
        "half": numpy.float16(0.333251953125), "float": numpy.float32(-2.5),
        "double": numpy.float64(1e300), "nan": numpy.float64("nan"),
        "tiny": numpy.float16(2.0 ** -24), "complex": numpy.complex64(1.5 - 2j),
        "big": numpy.array(258, ">i4")[()], "text": numpy.str_("word"),
    }


def scalar_keys():
    """Keys that are NumPy's numbers and texts."""
    keys = [numpy.int64(-3), numpy.bool_(True), numpy.float64(0.5), numpy.str_("n\u00e4me.w"),
            numpy.uint8(7), numpy.array("big", ">U3")[()], numpy.bytes_(b"raw")]
    return {key: numpy.full(2, i) for i, key in enumerate(keys)}


def plain_model():
    """A state dict that pickle.dump wrote: storages lie inside as files of their own."""
    torch.manual_seed(3)
    weight = torch.randn(3, 4)
    return {"weight": weight, "weight.t": weight.t(), "row": weight[1], "count": torch.tensor(7),
            "half": torch.ones(3).half(), "array": numpy.arange(3)}


def persistent_class():
    """What StyleGAN2-ADA saves: networks that carry their own source, beside a setting."""
    torch.manual_seed(4)
    return {"G": nets.Generator(), "training_set_kwargs": {"resolution": 64}, "augment_pipe": None}


# ---- files ----

def dump(path, *values, protocol=2):
    """pickle.dump of each, one after the other."""
    with open(path, "wb") as out:
        for value in values:
            pickle.dump(value, out, protocol)


def append(path, data):
    """More bytes behind a file."""
    with open(path, "ab") as out:
        out.write(data)


def save_npy(path, array, version=None):
    """numpy.save, in a chosen version of the format."""
    with open(path, "wb") as out:
        numpy.lib.format.write_array(out, array, version=version)


def save_out_of_band(path):
    """A pickle of protocol 5 whose bytes are elsewhere."""
    buffers = []
    with open(path, "wb") as out:
        pickle.dump({"w": numpy.ones(2), "v": 1}, out, 5, buffer_callback=buffers.append)


def save_old(good, unsupported):
    """The half of Debian 12."""
    for protocol in range(6):
        dump(good("arrays%d.pkl" % protocol), arrays(), protocol=protocol)
    dump(good("objects.pkl"), objects(), protocol=4)
    dump(good("subclasses.pkl"), subclasses())
    dump(good("scalars.pkl"), scalars())
    dump(good("scalar_keys.pkl"), scalar_keys())
    dump(good("plain_model2.pkl"), plain_model(), protocol=2)
    dump(good("stylegan.pkl"), persistent_class(), protocol=4)
    dump(good("several.pkl"), {"a": numpy.arange(3)}, {"epoch": 1}, {"a": numpy.ones(2)},
         [numpy.zeros(1, "f4")])
    dump(good("several0.pkl"), {"a": numpy.arange(3)}, {"a": numpy.ones(2)}, protocol=0)
    dump(good("several_one.pkl"), {"epoch": 1}, {"a": numpy.arange(3)}, [1, 2], protocol=4)
    dump(good("bare_array.pkl"), numpy.arange(4.0).reshape(2, 2))
    dump(good("trailing.pkl"), {"a": numpy.arange(3)})
    append(good("trailing.pkl"), b"\nnotes of somebody\n")
    joblib.dump(arrays(), good("joblib12.joblib"))
    joblib.dump(objects(), good("joblib_objects.joblib"))
    joblib.dump(arrays(), good("joblib_protocol0.joblib"), protocol=0)
    torch.save({"w": torch.ones(2), "arrays": arrays()}, good("arrays_in_torch.pt"))
    torch.save({"w": torch.ones(2), "arrays": arrays()}, good("arrays_in_legacy.pt"),
               _use_new_zipfile_serialization=False)
    save_npy(good("c.npy"), numpy.arange(24, dtype="f4").reshape(2, 3, 4))
    save_npy(good("version2.npy"), numpy.asfortranarray(numpy.arange(6).reshape(2, 3)), (2, 0))
    save_npy(good("version3.npy"), numpy.array(-2, ">i2"), (3, 0))
    numpy.save(good("dict.npy"), {"w": numpy.ones(2), "epoch": 3})
    numpy.save(good("objects.npy"), objects()["mixed"])
    named = {key.replace(".", "/"): value for key, value in arrays().items() if key != "list"}
    numpy.savez(good("stored.npz"), **named)
    numpy.savez_compressed(good("deflated.npz"), **named)
    numpy.savez(good("objects.npz"), **objects())
    numpy.savez_compressed(good("deflated_objects.npz"), **objects())
    numpy.save(unsupported("words.npy"), numpy.array(["a", "b"]))
    save_out_of_band(unsupported("out_of_band.pkl"))


def save_new(good):
    """The half of Debian 13."""
    for protocol in (0, 2, 4, 5):
        dump(good("arrays_new%d.pkl" % protocol), arrays(), protocol=protocol)
    dump(good("generators.pkl"), generators(), protocol=4)
    dump(good("scalars_new.pkl"), scalars(), protocol=5)
    dump(good("plain_model5.pkl"), plain_model(), protocol=5)
    joblib.dump(arrays(), good("joblib14.joblib"))
    joblib.dump(objects(), good("joblib14_objects.joblib"), protocol=5)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    nets.install()
    base = sys.argv[1] if len(sys.argv) > 1 else HERE
    if numpy.__version__ < "2":
        save_old(lambda name: os.path.join(base, "good", name),
                 lambda name: os.path.join(base, "unsupported", name))
    else:
        save_new(lambda name: os.path.join(base, "good", name))
