"""Cases of modules that people wrote: what they hang on them, what they put them into, what they
make of them before they quantize."""

import copy
import functools
import sys
import types
from collections import deque, namedtuple

import torch
from torch import nn

from cases import NEW, case, save_legacy, save_to_path, with_protocol
from dressed import one_process
from modules import module


# ---- what people make of it ----

class Hidden(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.register_buffer("kept", torch.arange(3))
        self.register_buffer("passing", torch.arange(4), persistent=False)
        self.register_buffer("absent", None)
        self.register_parameter("bias", None)
        self.none = None
        self.add_module("nothing", None)


@module
def hidden_buffers(source):
    return nn.Sequential(Hidden())


for _protocol in (2, 3, 4, 5):
    for _way in (save_to_path, save_legacy):
        case(name="hidden-buffers-%s-%d" % (_way.__name__[5:], _protocol),
             save=with_protocol(_protocol, _way))(lambda source: nn.Sequential(Hidden(), Hidden()))


class Attributes(nn.Module):
    """Tensors that are attributes, and no parameters."""

    def __init__(self, source):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.anchors = source.floats(3)
        self.levels = [source.floats(1), {"a": source.floats(2)}]
        self.settings = {"rate": 0.1, "name": "x" * 300}
        self.mapped = {self.layer.weight: 1}


@module
def attributes(source):
    return nn.Sequential(Attributes(source))


class Flattened(nn.Module):
    """Holds its own parameters a second time."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.all = list(self.layer.parameters())
        self.weight = self.layer.weight  # registers
        self.__dict__["alias"] = self.layer
        self.__dict__["part"] = self.layer.weight.detach()[:1]


@module
def flattened(source):
    return Flattened()


def print_shape(self, inputs, output):
    return None


@module
def hooked(source):
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0].register_forward_hook(print_shape)
    model.register_forward_pre_hook(functools.partial(print_shape, 1))
    model.hook_of = model[1].register_forward_hook(print_shape)
    return model


class Extra(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def get_extra_state(self):
        return {"version": 7}

    def set_extra_state(self, state):
        pass


@module
def extra_state(source):
    return nn.Sequential(Extra(), Extra())


class Parent(nn.Module):
    """A child knows its parent: the pickle is a circle."""

    def __init__(self):
        super().__init__()
        self.child = nn.Linear(2, 2)
        self.child.__dict__["parent"] = self
        self.__dict__["self"] = self


@module
def circle(source):
    return Parent()


class Slots(nn.Linear):
    """A module with __getstate__ and __setstate__ of its own, as people write them."""

    def __getstate__(self):
        state = self.__dict__.copy()
        state["weird"] = object
        return state

    def __setstate__(self, state):
        state.pop("weird")
        super().__setstate__(state)


@module
def own_state(source):
    return nn.Sequential(Slots(2, 3))


class Reduced(nn.Linear):
    def __reduce__(self):
        return _make, (self.in_features, self.out_features), self.__dict__


def _make(a, b):
    return Reduced(a, b)


@module
def reduced(source):
    return nn.Sequential(Reduced(2, 3))


class Subclassed(nn.Sequential):
    pass


@module
def subclassed(source):
    model = Subclassed(nn.Linear(2, 3))
    model.names = ("a", b"\xff", 1 + 2j, frozenset("x"), types.SimpleNamespace(a=1), deque([1]))
    return model


@module
def doubled(source):
    return nn.Linear(2, 3).double().requires_grad_(False)


@module
def with_gradients(source):
    model = nn.Linear(2, 3)
    model(source.finite(torch.float32, 1, 2)).sum().backward()
    return model


@module
def dotted_attributes(source):
    """setattr takes a name that register_parameter would not."""
    model = nn.Linear(2, 3)
    setattr(model, "some.thing", 3)
    return model


@module
def deep(source):
    model = nn.Linear(1, 1)
    for _ in range(40):
        model = nn.Sequential(model)
    return model


@case()
def module_deeper(source):
    """Python's own pickler gives up not far behind this."""
    model = nn.Linear(1, 1)
    for _ in range(80):
        model = nn.Sequential(model)
    return model


@case(notes=["without data"], strict=["--strict"], name="module-lazy-said")
def _(source):
    return nn.Sequential(nn.LazyLinear(3), nn.Linear(1, 2))


# ---- modules in other things ----

def yolo(source):
    model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)).half()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return {"epoch": -1, "best_fitness": None, "model": model, "ema": copy.deepcopy(model),
            "updates": 3, "optimizer": optimizer.state_dict(), "date": "2024-01-01",
            "train_args": types.SimpleNamespace(batch=16)}


case(name="in-dict", notes=["model"], strict=["--strict"])(yolo)
case(name="in-dict-everything", root=".")(yolo)
case(name="in-dict-ema", root="ema")(yolo)
case(name="in-dict-layer", root="model.0")(yolo)
case(name="in-dict-legacy", save=save_legacy)(yolo)


@case()
def in_dict_without_ema(source):
    return {"epoch": 1, "model": nn.Linear(2, 3), "ema": None, "optimizer": None}


@case()
def in_dict_parallel(source):
    return {"net": nn.DataParallel(nn.Linear(2, 3)), "acc": 0.5, "epoch": 7}


@case()
def in_list(source):
    return [nn.Linear(2, 3), (nn.BatchNorm1d(2), {"head": nn.Linear(1, 1)})]


class Holder:
    def __init__(self, source):
        self.name = "holder"
        self.network = nn.Sequential(nn.Linear(2, 3))
        self.buffer = {"a": source.floats(2)}
        self.config = types.SimpleNamespace(scale=source.floats(1), size=3)


Step = namedtuple("Step", "network mean")


@case()
def in_object(source):
    return Holder(source)


@case()
def in_object_in_dict(source):
    return {"trainer": Holder(source), "step": Step(nn.Linear(1, 2), source.floats(2)),
            "again": {"deeper": Holder(source)}}


@case()
def in_object_shared(source):
    model = nn.Linear(2, 3)
    return {"actor": model, "target": model, "critic": copy.deepcopy(model)}


@case()
def optimizer_as_object(source):
    """The keys of its state are the parameters themselves."""
    model = nn.Linear(2, 3)
    optimizer = torch.optim.Adam(model.parameters())
    model.weight.grad = torch.ones_like(model.weight)
    optimizer.step()
    return {"model": model, "optimizer": optimizer, "scheduler":
            torch.optim.lr_scheduler.StepLR(optimizer, 10)}


@case(save=save_legacy)
def optimizer_as_object_legacy(source):
    return optimizer_as_object(source)


def noted(grad):
    return None


@case()
def things_of_training(source):
    """What else of torch holds tensors: data sets, distributions, parameters with hooks."""
    hooked = nn.Parameter(source.floats(2))
    hooked.register_hook(noted)
    return {"data": torch.utils.data.TensorDataset(source.floats(3, 2), torch.arange(3)),
            "normal": torch.distributions.Normal(torch.zeros(2), torch.ones(2)),
            "hooked": hooked, "scaler": torch.cuda.amp.GradScaler(enabled=False).state_dict(),
            "rng": torch.get_rng_state()}


@case(since=NEW)
def generators(source):
    """They are no tensors, but their states may be."""
    return {"model": nn.Linear(1, 2), "seed": 3, "generator": torch.Generator().initial_seed()}


@case()
def modules_of_many_levels(source):
    model = nn.Linear(1, 1)
    for _ in range(300):
        model = nn.Sequential(model)
    return {"model": model}


@case(since=NEW, load=None)  # who loads it needs a group of processes
def distributed_data_parallel(source):
    one_process()
    model = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
    return {"model": model, "plain": model.module}


# ---- a class that whoever reads the file cannot have ----

def of_no_module(source):
    """It is in the file under a name that nothing can import, as people's scripts are."""
    gone = types.ModuleType("gone_with_the_script")
    kind = type("Gone", (nn.Module,), {"__module__": "gone_with_the_script"})
    gone.Gone = kind
    sys.modules["gone_with_the_script"] = gone
    model = kind()
    model.layer = nn.Linear(2, 3)
    model.register_buffer("steps", torch.tensor(3))
    return model


case(name="class-gone", load=None, notes=["gone_with_the_script"], strict=None)(of_no_module)
case(name="class-gone-legacy", load=None, save=save_legacy)(of_no_module)
case(name="class-gone-protocol-4", load=None, save=with_protocol(4))(of_no_module)


# ---- quantization aware: modules that watch ----

class Watched(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant = torch.ao.quantization.QuantStub()
        self.conv = nn.Conv2d(1, 2, 1)
        self.bn = nn.BatchNorm2d(2)
        self.relu = nn.ReLU()
        self.head = nn.Linear(2, 2)
        self.dequant = torch.ao.quantization.DeQuantStub()

    def forward(self, x):
        x = self.relu(self.bn(self.conv(self.quant(x))))
        return self.dequant(self.head(x.mean((2, 3))))


def observed(source, backend="onednn", aware=False):
    torch.backends.quantized.engine = backend
    quantization = torch.ao.quantization
    model = Watched().train(aware)
    fuse = quantization.fuse_modules_qat if aware else quantization.fuse_modules
    model = fuse(model, [["conv", "bn", "relu"]])
    if aware:
        model.qconfig = quantization.get_default_qat_qconfig(backend)
        quantization.prepare_qat(model, inplace=True)
    else:
        model.qconfig = quantization.get_default_qconfig(backend)
        quantization.prepare(model, inplace=True)
    for _ in range(2):
        model(source.finite(torch.float32, 2, 1, 3, 3))
    for part in model.modules():  # a qconfig holds functions that Python cannot pickle
        part.qconfig = None
    return model


def observed_case(name, **more):
    make = lambda source: observed(source, **more)
    case(name="observed-" + name)(make)
    case(name="observed-%s-legacy" % name, save=save_legacy)(make)
    case(name="observed-%s-state" % name)(lambda source: make(source).state_dict())


observed_case("prepared")
observed_case("aware", aware=True)
