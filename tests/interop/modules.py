"""Cases of whole modules, pickled with all that Python hangs on them. What they must become is what
their own state_dict() says."""

import copy
import functools
import sys
import types
from collections import OrderedDict, deque, namedtuple

import torch
from torch import fx, nn
from torch.nn.utils import prune

from cases import NEW, case, save_legacy, save_to_path, with_protocol
from pickles import Net

MODULES = OrderedDict()


def module(make):
    """Also a case of the legacy format, and one of another protocol, each in its turn."""
    turn = len(MODULES)
    MODULES[make.__name__] = make
    label = "module-" + make.__name__.replace("_", "-")
    case(name=label, strict=STRICT.get(make.__name__, True))(seeded(make))
    case(name=label + "-legacy", save=save_legacy)(seeded(make))
    case(name="%s-protocol-%d" % (label, 3 + turn % 3),
         save=with_protocol(3 + turn % 3, (save_to_path, save_legacy)[turn // 3 % 2]))(seeded(make))
    return make


def seeded(make):
    def run(source):
        torch.manual_seed(len(make.__name__))
        return make(source)
    return run


# What --strict says where the file needs more than torch's own classes, or holds tensors that no
# state_dict() has. None: whatever it likes.
STRICT = {
    **dict.fromkeys(("net", "named_as_homes", "graph_with_attributes", "hidden_buffers", "hooked",
                     "attributes", "flattened", "extra_state", "circle", "own_state", "reduced",
                     "subclassed"), ["--strict"]),
    **dict.fromkeys(("weight_norm", "spectral_norm"), ["--strict"]),
    "graph": None,
    "lazy": ["--strict"],
}


# ---- what torch has ----

@module
def sequential(source):
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.Dropout(), nn.Linear(3, 2))


@module
def named(source):
    return nn.Sequential(OrderedDict([("first", nn.Conv2d(2, 3, 3)), ("0", nn.Conv1d(2, 3, 1)),
                                      ("10", nn.PReLU(3)), ("9", nn.GroupNorm(1, 3))]))


@module
def net(source):
    return Net()


@module
def tied_net(source):
    inner = nn.Linear(3, 3)
    outer = nn.Sequential(inner, nn.Sequential(inner, nn.Linear(3, 3)), inner)
    outer[1][1].weight = inner.weight
    return outer


@module
def data_parallel(source):
    return nn.DataParallel(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))


class Homes(nn.Module):
    """Its parts are called as people call the place of the weights in a dict."""

    def __init__(self):
        super().__init__()
        self.model = nn.Linear(2, 3)
        self.step = nn.Module()
        self.step.register_buffer("count", torch.tensor(3))


@module
def named_as_homes(source):
    return Homes()


@module
def parameter_lists(source):
    return nn.ModuleDict({
        "list": nn.ParameterList([nn.Parameter(source.floats(2)), nn.Parameter(source.floats(3))]),
        "dict": nn.ParameterDict({"a": nn.Parameter(source.floats(2)),
                                  "z b": nn.Parameter(source.floats(1, 2)),
                                  "0": nn.Parameter(source.floats(1))}),
        "empty": nn.ParameterList(),
    })


@module
def module_dict(source):
    keys = ("layer", "a b", "a/b", "10", "9", "quo'te", "\u00e9\u4e2d", "type_", "weight")
    return nn.ModuleDict({key: nn.Linear(2, 1 + i) for i, key in enumerate(keys)})


@module
def module_list(source):
    return nn.ModuleList([nn.Linear(1, 2), nn.ModuleList([nn.Embedding(3, 2), nn.Bilinear(1, 2, 3)])])


@module
def lstm(source):
    return nn.LSTM(3, 4, num_layers=2, bidirectional=True)


@module
def lstm_projected(source):
    return nn.LSTM(3, 4, proj_size=2, bias=False)


@module
def gru(source):
    return nn.Sequential(nn.GRU(3, 4, bidirectional=True, batch_first=True), nn.RNN(3, 4))


@module
def cells(source):
    return nn.ModuleList([nn.LSTMCell(3, 4), nn.GRUCell(3, 4), nn.RNNCell(3, 4, bias=False)])


@module
def lstm_that_ran(source):
    model = nn.LSTM(3, 4)
    model(source.finite(torch.float32, 2, 1, 3))[0].sum().backward()
    return model


@module
def lstm_in_half(source):
    return copy.deepcopy(nn.LSTM(3, 4).half())


@module
def attention(source):
    return nn.ModuleList([nn.MultiheadAttention(4, 2), nn.MultiheadAttention(
        4, 2, kdim=3, vdim=5, add_bias_kv=True, bias=False)])


@module
def transformer(source):
    return nn.Transformer(4, 2, num_encoder_layers=1, num_decoder_layers=1, dim_feedforward=5)


@module
def embeddings(source):
    return nn.ModuleList([nn.Embedding(5, 3, padding_idx=1), nn.EmbeddingBag(5, 3, mode="sum"),
                          nn.Embedding.from_pretrained(source.floats(4, 2))])


@module
def norms(source):
    return nn.ModuleList([nn.BatchNorm2d(2), nn.BatchNorm1d(2, affine=False),
                          nn.BatchNorm3d(2, track_running_stats=False), nn.LayerNorm((2, 3)),
                          nn.InstanceNorm2d(2, affine=True, track_running_stats=True),
                          nn.GroupNorm(2, 4), nn.LocalResponseNorm(2),
                          nn.SyncBatchNorm(2)])


@module
def convolutions(source):
    return nn.ModuleList([nn.Conv1d(2, 3, 1), nn.ConvTranspose2d(2, 3, 2), nn.Conv3d(1, 1, 1),
                          nn.Conv2d(4, 4, 3, groups=4, bias=False)]).to(
                              memory_format=torch.contiguous_format)


@module
def channels_last(source):
    return nn.Sequential(nn.Conv2d(3, 4, 3)).to(memory_format=torch.channels_last)


@module
def losses(source):
    return nn.ModuleList([nn.CrossEntropyLoss(weight=source.floats(3)), nn.AdaptiveLogSoftmaxWithLoss(
        4, 20, [5, 10]), nn.BCEWithLogitsLoss(pos_weight=source.floats(2))])


@module
def weight_norm(source):
    model = nn.Sequential(nn.utils.weight_norm(nn.Linear(3, 4)),
                          nn.utils.weight_norm(nn.Conv1d(2, 3, 1), name="weight", dim=None))
    return model


@module
def spectral_norm(source):
    return nn.Sequential(nn.utils.spectral_norm(nn.Linear(3, 4)))


@module
def pruned(source):
    model = nn.Linear(3, 4)
    prune.random_unstructured(model, "weight", amount=0.5)
    prune.remove(model, "weight")
    return model


@case(since=NEW, strict=True)  # the old one cannot be pickled
def averaged(source):
    average = torch.optim.swa_utils.AveragedModel(nn.Linear(2, 3))
    average.update_parameters(nn.Linear(2, 3))
    return average


@module
def frozen(source):
    return nn.Sequential(nn.Linear(2, 3).requires_grad_(False), nn.Linear(3, 1)).eval()


@module
def graph(source):
    return fx.symbolic_trace(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(
        nn.Conv1d(1, 1, 1), nn.BatchNorm1d(1))))


class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.register_buffer("shift", torch.arange(2.0))

    def forward(self, x):
        return self.layer(x) + self.shift + self.layer.weight.sum()


@module
def graph_with_attributes(source):
    return fx.symbolic_trace(Constant())


@module
def copied(source):
    return copy.deepcopy(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))


@module
def identity(source):
    return nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(1, 1), nn.Sequential())


@module
def lazy(source):
    model = nn.Sequential(nn.LazyLinear(3), nn.LazyConv2d(3, 1), nn.Linear(1, 2))
    return model


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


@case(notes=["nitialized"], strict=["--strict"], name="module-lazy-said")
def _(source):
    return nn.Sequential(nn.LazyLinear(3), nn.Linear(1, 2))


# ---- parametrizations: their class is made at run time, so a module of them is hard to pickle ----

def parametrized(make):
    """torch forbids the pickle of a parametrized module; its state_dict is what people save."""
    return case(name="module-" + make.__name__.replace("_", "-"))(
        lambda source: make(source).state_dict())


@parametrized
def parametrized_spectral_norm(source):
    return nn.utils.parametrizations.spectral_norm(nn.Linear(3, 4))


@parametrized
def parametrized_orthogonal(source):
    return nn.utils.parametrizations.orthogonal(nn.Linear(3, 3))


@case(since=NEW)
def parametrized_weight_norm(source):
    return nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)).state_dict()


# ---- torch.compile ----

@case(since=NEW, strict=True)
def compiled_state(source):
    return torch.compile(nn.Sequential(nn.Linear(2, 3))).state_dict()


@case(since=NEW)
def compiled_module(source):
    return torch.compile(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))


@case(since=NEW)
def compiled_in_place(source):
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    model.compile()
    return model


@case(since=NEW)
def buffers_of_2_5(source):
    model = nn.Linear(2, 3)
    model.table = nn.Buffer(source.floats(2))
    model.hidden = nn.Buffer(source.floats(2), persistent=False)
    return model


@case(since=NEW)
def rms_norm(source):
    return nn.Sequential(nn.RMSNorm(3), nn.Linear(3, 3))


# In the new torch plain tensors and nested containers may be in these.
@case(since=NEW)
def parameter_list_of_anything(source):
    return nn.ParameterList([nn.Parameter(source.floats(2)), source.floats(3), 7, "text",
                             nn.ParameterList([nn.Parameter(source.floats(1))])])


@case()
def parameter_list_of_tensors(source):
    return nn.ParameterList([source.floats(3), nn.Parameter(source.floats(2))])


@case()
def parameter_dict_of_anything(source):
    return nn.ParameterDict({"tensor": source.floats(3), "number": 7,
                             "inner": nn.ParameterDict({"w": nn.Parameter(source.floats(1))})})


@case()
def parameter_list_in_a_net(source):
    model = nn.Module()
    model.scales = nn.ParameterList([nn.ParameterList([source.floats(1)]), source.floats(2)])
    model.shifts = nn.ParameterDict({"b": nn.ParameterList([source.floats(3)]), "a": source.floats(1)})
    return model


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


# ---- a class that whoever reads the file cannot have ----

def of_no_module(source):
    """It is in the file under a name that nothing can import, as people's scripts are."""
    gone = types.ModuleType("gone_with_the_script")
    kind = type("Gone", (nn.Module,), {"__module__": "gone_with_the_script", "__qualname__": "Gone"})
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
