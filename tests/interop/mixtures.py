"""Cases that nobody thought of: random trees of all kinds of tensors, values, objects and modules,
saved in every way there is."""

import pickle
import types
from collections import Counter, OrderedDict, defaultdict, deque

import numpy
import torch
from torch import nn

import truth
import wrapped
from arrays import Holder, array, load_pickle, save_pickle
from cases import NEW, VERSION, case, load_torch, save_legacy, save_to_path, with_protocol
from quantized import per_channel, quantized
from recipes import random_recipe
from scripts import TYPED
from sparse import coo

ARRAYS = ("float32", "float64", "int64", "int8", "uint16", "bool", ">f4", "<i2")


def some_key(source, used):
    key = source.pick(("weight", "bias", "a.b", "layer", "0", 0, 7, -1, True, None, (1, 2), "x y",
                       2.5, "state", "param_groups", "\u00e9", ("t", None),
                       "k%d" % source.below(99)))
    return key if str(key) not in used else "k%d.%d" % (len(used), source.below(10 ** 9))


def some_module(source):
    size = 1 + source.below(4)
    layers = [nn.Linear(size, 2), nn.LSTM(size, 2), nn.BatchNorm1d(size), nn.Embedding(size, 2),
              nn.MultiheadAttention(2 * size, size), nn.Conv1d(size, 1, 1), nn.GRUCell(size, 2)]
    model = nn.Sequential(*(source.pick(layers) for _ in range(1 + source.below(3))))
    if source.below(3) == 0:
        model.register_buffer("passing", source.floats(2), persistent=source.below(2) == 0)
    return nn.DataParallel(model) if source.below(4) == 0 else model


def some_value(source):
    return source.pick((None, 3, 2 ** 70, "text", 1.5, b"raw", True, {1, 2}, frozenset("a"), 1j,
                        torch.float16, torch.Size([1, 2]), torch.device("cpu"),
                        Counter("aab"), numpy.float32(1.5), numpy.dtype("f4"), slice(1, 2),
                        range(3), Ellipsis, int))


def some_tensor(source, earlier):
    what = source.below(12)
    if what == 0 and earlier:
        return source.pick(earlier)
    if what == 1:
        return nn.Parameter(source.floats(1 + source.below(5)))
    if what == 2:
        return quantized(source, source.pick((torch.qint8, torch.quint8, torch.qint32)), 3, 4)
    if what == 3:
        return per_channel(source, source.pick((torch.qint8, torch.quint8)), source.below(2), 3, 2)
    if what == 4:
        return coo(source, source.pick((torch.float32, torch.int64)), (3, 4), 3, coalesce=True)
    if what in (5, 6):
        whole = array(source, source.pick(ARRAYS), 3, 4)
        return source.pick((whole, whole.T, whole[1:, ::2], numpy.asfortranarray(whole), whole[:0]))
    made = random_recipe(source, source.pick(TYPED), [], False)
    return made.detach() if VERSION >= NEW else made


def some_tree(source, depth, earlier):
    what = source.below(16)
    if depth == 0 or what < 5:
        earlier.append(some_tensor(source, earlier))
        return earlier[-1]
    if what < 7:
        return some_value(source)
    if what == 7:
        return some_module(source)
    if what == 8:
        holder = Holder(source)
        holder.more = some_tree(source, depth - 1, earlier)
        return source.pick((holder, types.SimpleNamespace(**vars(holder))))
    children = [some_tree(source, depth - 1, earlier) for _ in range(source.below(5))]
    if what < 11:
        return source.pick((list, tuple, deque))(children)
    table = source.pick((dict, OrderedDict, lambda: defaultdict(list)))()
    for child in children:
        table[some_key(source, {str(key) for key in table})] = child
    return table


def some_checkpoint(source):
    tree = OrderedDict((some_key(source, set()), some_tree(source, 4, [])) for _ in range(2))
    tree["sure"] = {"w": source.floats(2)}
    return tree


def is_fair(value):
    """Whether its names differ: two that are one are another test's."""
    try:
        truth.of(value, ".")
    except ValueError:
        return False
    return True


def fair_checkpoint(source):
    while True:
        value = some_checkpoint(source)
        if is_fair(value):
            return value


WAYS = [
    (save_to_path, load_torch), (save_legacy, load_torch), (with_protocol(4), load_torch),
    (with_protocol(5, save_legacy), load_torch), (save_pickle(2), load_pickle),
    (save_pickle(4), load_pickle), (save_pickle(5), load_pickle),
    (wrapped.packed(wrapped.PACKERS["gzip"]), lambda path: load_torch(wrapped.unpacked(path))),
    (wrapped.packed(wrapped.PACKERS["xz"], lambda value, file: pickle.dump(value, file)),
     lambda path: pickle.load(wrapped.unpacked(path))),
]
WISHES = ((), ("--dequantize",), ("--densify",), ("--complex", "split"),
          ("--dequantize", "--densify", "--complex", "split"))

for _i in range(60):
    case(name="mixture-%02d" % _i, save=WAYS[_i % len(WAYS)][0], load=WAYS[_i % len(WAYS)][1],
         args=WISHES[_i % len(WISHES)], root="." if _i % 2 else None)(fair_checkpoint)
