#!/usr/bin/env python3
"""Writes checkpoints with Debian 12's PyTorch 1.13 into good/ and unsupported/.

usage: make_torch.py [FOLDER]     (default: the folder of this script)
"""
import argparse
import collections
import os
import sys
import warnings

import torch
from torch import nn

import composites
import nets

HERE = os.path.dirname(os.path.abspath(__file__))


def small_net():
    """Three layers with float and integer state."""
    torch.manual_seed(1)
    return nn.Sequential(collections.OrderedDict([
        ("embed", nn.Embedding(11, 8)), ("norm", nn.BatchNorm1d(8)), ("head", nn.Linear(8, 3))]))


# ---- tensors ----

def state_dict():
    """What model.state_dict() gives: an OrderedDict with _metadata."""
    return small_net().state_dict()


def dtypes():
    """Every dtype of this PyTorch that safetensors 0.5.2 can hold, with its extreme values."""
    reals = torch.tensor([[0.0, -0.0, 1.5], [float("inf"), float("-inf"), float("nan")]])
    out = {str(kind)[6:]: reals.to(kind)
           for kind in (torch.float64, torch.float32, torch.float16, torch.bfloat16)}
    for kind in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        limits = torch.iinfo(kind)
        out[str(kind)[6:]] = torch.tensor([limits.min, -1 if limits.min else 1, 0, limits.max],
                                          dtype=kind)
    out["bool"] = torch.tensor([[True, False], [False, True]])
    return out


def complex64():
    """Complex numbers, plain, transposed and without dimensions."""
    values = torch.view_as_complex(torch.arange(12.0).reshape(2, 3, 2) - 5.5)
    return {"c": values, "c.t": values.t(), "c.0d": values[1, 2]}


def views():
    """All the ways to look at a storage."""
    base = torch.arange(60.0).reshape(6, 10)
    image = torch.arange(120, dtype=torch.int16).reshape(2, 3, 4, 5)
    out = {
        "base": base, "transposed": base.t(), "stepped": base[1::2, ::3], "rows": base[2:4],
        "columns": base.narrow(1, 3, 4), "diagonal": base.diagonal(), "element": base[3, 4],
        "added_dimensions": base[:, None, ::2, None], "unfolded": base.unfold(1, 4, 3),
        "expanded": base[:1].expand(4, 10), "expanded_0d": torch.tensor(3.0).expand(2, 3),
        "expanded_middle": base[:2, None, :3].expand(2, 5, 3),
        "overlapping": base.as_strided((5, 4), (3, 1), 2),
        "overlapping_backwards": base.as_strided((4, 5), (1, 2), 7),
        "odd_stride_of_one": base.as_strided((1, 5, 1), (999, 2, 777), 1),
        "image": image, "channels_last": image.to(memory_format=torch.channels_last),
        "permuted": image.permute(3, 1, 0, 2), "reversed_axes": image.permute(3, 2, 1, 0),
        "flag": torch.tensor([[True, False, False], [True, True, False]]).t(),
        "bytes": torch.arange(200, dtype=torch.uint8)[5:190:7],
        "doubles": torch.arange(24.0, dtype=torch.float64).reshape(4, 6)[:, 1::2].t(),
    }
    return out


def sizes():
    """Tensors of no dimension and of no element."""
    base = torch.arange(12).reshape(3, 4)
    return {"zero_dim": torch.tensor(7.25), "one": torch.tensor([7]), "none": torch.empty(0),
            "none_of_many": torch.empty(3, 0, 2, dtype=torch.float16), "behind": base[3:],
            "no_columns": base[:, 4:], "parameter": nn.Parameter(torch.tensor(1.0)),
            "ones": torch.ones(1, 1, 1, 1, 1, dtype=torch.int8)}


def wide():
    """A transposed matrix and a stepped one that do not fit a line of a cache."""
    base = torch.arange(3600, dtype=torch.int32).reshape(40, 90)
    return {"transposed": base.t(), "stepped": base[::3, 1::2], "whole": base}


def shared():
    """Names that share a storage: wholly (tied), in part, and under another shape."""
    weight = torch.arange(24.0).reshape(4, 6)
    flat = torch.arange(30, dtype=torch.int64)
    out = collections.OrderedDict(
        [("lm_head.weight", weight), ("embed.weight", weight), ("decoder.weight", weight.t()),
         ("encoder.weight", weight.t()), ("first_rows", weight[:2]), ("flat", weight.view(-1)),
         ("nothing", weight[:0]), ("nothing.again", weight[:0])])
    for i in range(5):
        out["slice.%d" % i] = flat[6 * i:6 * i + 6]
    return out


def many():
    """Sixty small tensors in no particular order, each on a storage of its own."""
    kinds = (torch.float32, torch.int64, torch.uint8, torch.float16, torch.bool)
    return {"layer.%d.weight" % (i * 37 % 60): torch.full((i % 4, 3), i % 2).to(kinds[i % 5])
            for i in range(60)}


# ---- names and containers ----

def containers():
    """The containers and values that a checkpoint may hold beside its tensors."""
    tensor = torch.arange(3.0)
    tree = collections.defaultdict(list)
    tree["a"] = [tensor + 1, tensor + 2]
    return {
        "ordered": collections.OrderedDict(b=tensor + 3, a=tensor + 4), "tree": tree,
        "counter": collections.Counter(x=3, y=1), "size": torch.Size([2, 3]),
        "dtype": torch.float16, "device": torch.device("cpu"), "layout": torch.strided,
        "list": [tensor + 5, {"x": tensor + 6}, []], "tuple": (1, tensor + 7, (tensor + 8,)),
        "deque": collections.deque([tensor + 9, 4], maxlen=5), "nothing": None, "empty": {},
        "set": {4}, "frozen": frozenset([5]), "raw": b"\0\xff", "array": bytearray(b"ab"),
        "complex": 1 - 2j, "slice": slice(1, 9, 2), "range": range(3), "long": 2 ** 70,
        "negative": -2 ** 70, "storage": tensor.storage(), "type": torch.FloatStorage,
        "truth": True, "text": "caf\u00e9", "real": 1e-5, "infinite": float("inf"),
    }


def keys():
    """Keys that are no text: their names are what str(key) prints."""
    all_keys = [0, 1, -5, 2 ** 40, -2 ** 70, None, 1.5, -0.0, 1e16, 1e-7, float("inf"),
                float("nan"), (1, "a"), (), ("x",), (1.0, None, (True, "it's")), "text"]
    out = {key: torch.tensor([i]) for i, key in enumerate(all_keys)}
    out["truth"] = {True: torch.tensor([100]), False: torch.tensor([101])}
    return out


def optimizer_object():
    """A whole optimizer beside its model: parameters are the keys of its state."""
    torch.manual_seed(11)
    net = torch.nn.Linear(2, 3)
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return {"generator": net.state_dict(), "step": optimizer}


def unicode_names():
    """Names from all over Unicode, with everything that JSON escapes."""
    names = ["gr\u00f6\u00dfe", "\u6b0a\u91cd", "\U0001f600", "two words", 'quote"', "back\\slash",
             "slash/", "tab\t", "line\nfeed", "\x01\x1f", "\x7f\x80\x9f", "\u2028\u2029",
             "\u00e9", "e\u0301", "\u202eright to left", "\ufeff", "\uffff", "__metadata__x",
             "a.b", ".", "..", "x" * 300, "\u00e9" * 150]
    return {name: torch.tensor([i], dtype=torch.int16) for i, name in enumerate(names)}


def empty_names():
    """Keys without a character."""
    return {"": torch.tensor([1]), "a": {"": torch.tensor([2])},
            "b": {"": {"": {"c": torch.tensor([3])}}}}


# ---- whole checkpoints ----

def training():
    """What a training script saves: model, optimizer after two steps, and its settings."""
    net = small_net()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=1e-5)
    for step in range(2):
        optimizer.zero_grad()
        net(torch.arange(4) + step).square().sum().backward()
        optimizer.step()
    return {"epoch": 3, "model": net.state_dict(), "optimizer": optimizer.state_dict(),
            "best": 0.93, "args": argparse.Namespace(lr=0.01, name="run 1", layers=[8, 3]),
            "history": [{"loss": 1.5}, {"loss": 0.5}]}


def two_homes():
    """Two usual homes of weights: neither can be chosen."""
    return {"model": {"w": torch.ones(2)}, "net": {"w": torch.zeros(2)}, "epoch": 1}


def no_home():
    """Tensors below keys that are no usual homes of weights."""
    return {"generator": {"w": torch.ones(2)}, "critic": {"w": torch.zeros(2)}}


def home_and_tensor():
    """A usual home of weights with a tensor beside it."""
    return {"state_dict": {"w": torch.ones(2)}, "mean": torch.zeros(2)}


def home_and_ema():
    """A usual home of weights and an average beside it."""
    return {"state_dict": {"a.w": torch.ones(2), "b.w": torch.ones(1)},
            "ema": {"a.w": torch.zeros(2), "b.w": torch.zeros(1)}, "step": 9}


def module():
    """A whole nn.Module."""
    torch.manual_seed(2)
    return nets.TinyNet()


def module_in_dict():
    """A whole nn.Module among the values of a training script."""
    torch.manual_seed(3)
    return {"epoch": 1, "model": nets.TinyNet().half(), "ema": None}


def wrapper():
    """A whole nn.Module with a part that is called as a usual home of weights."""
    torch.manual_seed(7)
    return nets.Wrapper()


def objects():
    """Objects with tensors: attributes by name, items by key or position."""
    tensor = torch.arange(2.0)
    config = nets.Config(inside=tensor + 2)
    stack = nets.Stack([tensor + 3, "x"])
    return {"bag": nets.Bag(weight=tensor, size=2, more={"w": tensor + 1}), "config": config,
            "stack": stack, "pair": nets.Pair(tensor + 4, 5),
            "space": argparse.Namespace(scale=tensor + 5, name="n")}


def slotted():
    """An object whose state is (None, slots)."""
    return {"slotted": nets.Slotted(torch.arange(2.0), "s")}


def cyclic():
    """A dict and a list that contain themselves."""
    root = {"w": torch.arange(2.0), "list": [torch.arange(3.0)]}
    root["self"] = root
    root["list"].append(root["list"])
    root["list"].append(root)
    return root


def shared_dict():
    """One dict under two names: its tensors get both."""
    inner = {"w": torch.arange(2.0), "epoch": 1}
    return {"first": inner, "second": inner, "plain": [[], {}]}


def meta():
    """A tensor without data beside one with data."""
    return {"here": torch.arange(3.0), "there": torch.empty(2, 3, device="meta")}


def bare_tensor():
    """Nothing but a tensor."""
    return torch.arange(6.0).reshape(2, 3).t()


def bare_parameter():
    """Nothing but a parameter."""
    return nn.Parameter(torch.arange(4.0))


def list_root():
    """A list at the root: names are positions."""
    return [torch.tensor([1]), (torch.tensor([2]), {"x": torch.tensor([3])}), 5] + [
        torch.tensor([i]) for i in range(4, 13)]


def protocol():
    """Values that the pickle protocols spell in different ways."""
    weight = nn.Parameter(torch.arange(6.0).reshape(2, 3))
    return {"model": {"w": weight, "b": torch.tensor([True]), "w.tied": weight},
            "raw": b"\0\1\2\xff" * 70, "set": {1, 2}, "frozen": frozenset("a"), "long": 1 << 100,
            "text": "\u00e9" * 300, "array": bytearray(b"xyz"), "int": -1, "real": 0.1,
            "nested": [[], (), ((), [None])], "ordered": collections.OrderedDict(a=1)}


# ---- what cannot be converted ----

def complex128():
    """A dtype that safetensors does not know."""
    return {"fine": torch.ones(2), "wave": torch.ones(2, dtype=torch.complex128)}


def odd_names():
    """Names that safetensors cannot hold, and a dtype that it does not know, beside a tensor that
    it takes."""
    return {"fine": torch.ones(2), "__metadata__": torch.ones(1), "a\0b": torch.ones(3),
            "a\ud800b": torch.ones(4), "wide": torch.ones(2, dtype=torch.complex128)}


def no_tensors():
    """A checkpoint of settings only."""
    return {"epoch": 3, "lr": 0.1, "names": ["a", "b"]}


def meta_only():
    """A checkpoint whose only tensors have no data."""
    return {"w": torch.empty(2, 3, device="meta")}


GOOD = [state_dict, dtypes, complex64, views, sizes, wide, shared, many, containers, keys,
        optimizer_object, unicode_names, empty_names, training, two_homes, no_home,
        home_and_tensor, home_and_ema, module, module_in_dict, wrapper, objects, slotted, cyclic,
        shared_dict, meta, bare_tensor, bare_parameter, list_root]
GOOD += composites.COMPOSITES
UNSUPPORTED = [complex128, odd_names, no_tensors, meta_only] + composites.UNSUPPORTED


def save_all(folder):
    """Writes every file of this list."""
    for make in GOOD:
        torch.save(make(), os.path.join(folder, "good", make.__name__ + ".pt"))
    for number in (2, 3, 4, 5):
        torch.save(protocol(), os.path.join(folder, "good", "protocol%d.pt" % number),
                   pickle_protocol=number)
    for make in UNSUPPORTED:
        torch.save(make(), os.path.join(folder, "unsupported", make.__name__ + ".pt"))
    for make, file in ((state_dict, "legacy"), (views, "legacy_views"), (shared, "legacy_shared")):
        torch.save(make(), os.path.join(folder, "good", file + ".pt"),
                   _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    nets.install()
    save_all(sys.argv[1] if len(sys.argv) > 1 else HERE)
