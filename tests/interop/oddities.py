"""Cases of the odd and legal: keys of all kinds, circles, depth, and objects of every making."""

import collections
import dataclasses
import enum
from collections import OrderedDict

import numpy
import torch
from torch import nn

from cases import case, save_legacy, with_protocol


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
