"""The classes of whole modules and objects in these checkpoints.

They claim to live in __main__, as classes do that a training script defines; install() puts them
there, so that torch finds them when it saves and when it loads.
"""
import collections
import sys
import types
from typing import Dict, List

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


class Cell(nn.Module):
    """A part of ScriptNet: parameters, buffers of both kinds, and a tensor that is neither."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.register_buffer("steps", torch.tensor(7))
        self.register_buffer("cache", torch.arange(2.0), persistent=False)
        self.scale = torch.tensor([1.0, 2.0])

    def forward(self, x):
        """Uses all of it."""
        return self.linear(x) * self.scale + self.cache


class ScriptNet(nn.Module):
    """A module to be scripted: one part under two names, and tensors in a list and in a dict."""
    many: List[torch.Tensor]
    named: Dict[str, torch.Tensor]

    def __init__(self):
        super().__init__()
        self.cell = Cell()
        self.again = self.cell
        self.many = [torch.ones(1), torch.arange(4)[1:]]
        self.named = {"key": torch.full((3,), 9.0)}
        self.sizes = [1, 2]
        self.note = "hello"
        self.layers = nn.ModuleList([nn.Linear(2, 2, bias=False), nn.BatchNorm1d(2)])

    def forward(self, x):
        """Uses all that is no plain value."""
        y = self.cell(x) + self.again(x) + self.many[0] + self.named["key"][0]
        for layer in self.layers:
            y = layer(y)
        return y


OFFSET = torch.tensor([0.25, 0.5])


class TraceNet(nn.Module):
    """A module to be traced: OFFSET becomes a constant of its code."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x):
        """Uses the constant."""
        return self.linear(x) + OFFSET


class SparseNet(nn.Module):
    """A module to be scripted, with sparse tensors."""

    def __init__(self):
        super().__init__()
        grid = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
        self.register_buffer("coordinates", grid.to_sparse())
        self.rows = grid.to_sparse_csr()

    def forward(self, x):
        """Uses nothing."""
        return x


def script_attributes(net):
    """The tensors of a loaded module of these that its state_dict() does not hold."""
    if hasattr(net, "rows"):
        return {"rows": net.rows}
    if hasattr(net, "linear"):
        return {"constants.0": net.code_with_constants[1].c0}
    if not hasattr(net, "cell"):
        return {}
    return {"cell.scale": net.cell.scale, "again.scale": net.again.scale, "many.0": net.many[0],
            "many.1": net.many[1], "named.key": net.named["key"]}


CLASSES = (TinyNet, Wrapper, Bag, Slotted, Config, Stack, Pair, Tagged)


# ---- a class that carries its own source, as StyleGAN2-ADA and StyleGAN3 save theirs ----

def _reconstruct_persistent_obj(meta):
    """Theirs runs the source that it is given; this one knows the class already."""
    made = Generator()
    made.__dict__.update(meta["state"])
    return made


class Generator(nn.Module):
    """A layer and a buffer; it is pickled by what it is made of, its source included."""

    def __init__(self):
        super().__init__()
        self.mapping = nn.Linear(2, 3)
        self.register_buffer("w_avg", torch.arange(3.0))
        self.z_dim = 2

    def __reduce__(self):
        meta = {"type": "class", "version": 6, "module_src": "import torch\n",
                "class_name": "Generator", "state": self.__dict__}
        return _reconstruct_persistent_obj, (meta,)


def install_persistence():
    """Puts that function where their pickles look for it."""
    for module in ("torch_utils", "torch_utils.persistence"):
        sys.modules[module] = types.ModuleType(module)
    sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj = (
        _reconstruct_persistent_obj)
    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"


def install():
    """Makes the classes findable as __main__.NAME."""
    install_persistence()
    for cls in CLASSES:
        cls.__module__ = "__main__"
        setattr(sys.modules["__main__"], cls.__name__, cls)
