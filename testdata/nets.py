"""The classes of whole modules and objects in these checkpoints.

They claim to live in __main__, as classes do that a training script defines; install() puts them
there, so that torch finds them when it saves and when it loads.
"""
import collections
import sys

import torch
from torch import nn


class TinyNet(nn.Module):
    """A module with everything that Module.state_dict() treats in its own way."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 3, bias=False), nn.BatchNorm1d(3))
        self.again = self.body[0]  # the same module under a second name
        self.parts = nn.ModuleDict({"left": nn.Linear(2, 2), "right": nn.Conv1d(2, 2, 3)})
        self.extra = nn.ParameterList([nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(3))])
        self.register_buffer("steps", torch.tensor(7))
        self.register_buffer("cache", torch.arange(5.0), persistent=False)
        self.register_buffer("unset", None)
        self.register_parameter("absent", None)
        self.plain = torch.full((2,), 9.0)  # an attribute: no part of the state dict
        self.note = "hello"


class Wrapper(nn.Module):
    """A net in a net, and a head beside it."""

    def __init__(self):
        super().__init__()
        self.net = nn.Linear(2, 2)
        self.head = nn.Linear(2, 1)


class Bag:
    """An object of no special kind: it has attributes."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Slotted:
    """An object whose attributes live in slots."""

    __slots__ = ("weight", "name")

    def __init__(self, weight, name):
        self.weight = weight
        self.name = name


class Config(dict):
    """A dict by inheritance."""


class Stack(list):
    """A list by inheritance."""


Pair = collections.namedtuple("Pair", "first second")


class Tagged(torch.Tensor):
    """A tensor by inheritance."""


CLASSES = (TinyNet, Wrapper, Bag, Slotted, Config, Stack, Pair, Tagged)


def install():
    """Makes the classes findable as __main__.NAME."""
    for cls in CLASSES:
        cls.__module__ = "__main__"
        setattr(sys.modules["__main__"], cls.__name__, cls)
