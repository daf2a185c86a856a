"""Cases of what holds the tensors: pickles of every protocol, names, byte orders, and what people
save when they train."""

import math
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple

import torch
from torch import nn

from cases import (NEW, case, dtypes, save_big_endian, save_through_buffer,
                   save_without_byteorder, save_without_crc, under_name, with_protocol)
from views import every_view

# ---- pickles ----

def nested(source):
    shared = source.floats(4, 4)
    return {
        "weights of all": OrderedDict([("encoder", {"w": shared, "b": source.floats(4)}),
                                       ("list", [source.floats(2), {"deep": source.floats(3)}])]),
        "tuple": (source.floats(1), (), [shared, shared.t()]),
        "epoch": 12, "big": 2 ** 70, "rate": 1e-4, "text": "\u00e9\u4e2d", "flag": True,
        "none": None,
        "bytes": b"\x00\xff", "long text": "x" * 70000, "long bytes": b"y" * 70000,
        "set": {1, 2}, "frozen": frozenset("a"), "size": shared.size(), "device": shared.device,
        "dtype": shared.dtype, "complex": 1 + 2j, "array": bytearray(b"123"),
        "default": defaultdict(list, {"w": [source.floats(2)]}),
    }


for _protocol in (2, 3, 4, 5):
    case(name="protocol-%d" % _protocol, save=with_protocol(_protocol))(nested)
    case(name="protocol-%d-buffer" % _protocol,
         save=with_protocol(_protocol, save_through_buffer))(nested)


FILES = ("two words.pt", "model.v1.2.bin", "none", "data.pkl.pt", "\u00e9\u4e2d.pt", "data.pt",
         "version", "x" * 200 + ".pt")

for _i, _file in enumerate(FILES):
    case(name="named-%d" % _i, save=under_name(_file))(
        lambda source: {"w": source.floats(3, 2).t()})


@case(save=with_protocol(4))
def protocol_4_many(source):
    return {"name %d" % i: source.bits(torch.int64, i % 5) for i in range(3000)}


@case(save=save_without_crc, since=NEW)
def without_crc(source):
    return {**every_view(source, torch.float32), "large": source.floats(3 << 20)}


@case(save=save_without_byteorder, since=NEW)
def without_byteorder(source):
    return every_view(source, torch.int16)


# ---- the other byte order: torch itself leaves unsigned integers and float8 as they are ----

@case(save=save_big_endian, since=NEW)
def big_endian(source):
    large = source.bits(torch.int16, 2001, 1003)
    tensors = {"large": large, "large.transposed": large.t()}
    for dtype in dtypes("float64", "float32", "bfloat16", "float16", "int64", "int32", "int16",
                        "int8", "uint8", "bool"):
        whole = source.bits(dtype, 6, 7)
        tensors[str(dtype)] = whole
        tensors[str(dtype) + ".part"] = whole[1:3, ::2]
    return tensors


@case(save=save_big_endian, since=NEW)
def big_endian_complex(source):
    whole = source.bits(torch.complex64, 6, 7)
    return {"w": whole, "adjoint": whole.mH, "part": whole[1:3, ::2].conj()}


# ---- names ----

NAMES = ["", ".", "..", "a.b.c", "a..b", ".a", "a.", " before", "behind ", 'quo"te', "apo'strophe",
         "back\\slash", "\\u0041", "/etc/passwd", "../up", "a/b", "c:\\d", "new\nline", "tab\t",
         "return\r", "back\b", "feed\f", "escape\x1b[31m", "delete\x7f", "\u0080", "\u00a0",
         "e\u0301", "\u00e9", "\u65e5\u672c\u8a9e", "\u0627\u0644", "\u202eright", "\u2028",
         "\ufeff",
         "\uffff", "\ufffd", "\U00010000", "\U0010ffff", "\U0001f600",
         "\U0001f469\u200d\U0001f469\u200d\U0001f467", "null", "0", "-1", "__metadata", "format",
         "{}", "[0]", "%s%n", "$(true)", "n" * 4096, "\u00e9" * 4096, "\U0001f600" * 1024,
         "k" * 255, "k" * 256, "k" * 257, "k" * 65536, "k" * 100000,
         *("control " + chr(i) for i in range(1, 32))]


def many_names(source):
    return {name: source.bits(torch.uint8, 1 + i % 3) for i, name in enumerate(NAMES)}


for _protocol in (2, 5):
    case(name="names-protocol-%d" % _protocol, save=with_protocol(_protocol))(many_names)


@case()
def long_paths(source):
    tree = leaf = {}
    for i in range(400):
        leaf["%03d " % i + "d" * 20] = leaf = {}
    leaf["w"] = source.floats(2)
    return {"": {"": {"": tree}}, ".": {".": source.floats(1)}}


@case()
def odd_keys(source):
    keys = [0, 1, -7, 2 ** 31, 2 ** 63, -2 ** 70, True, None, 1.5, -0.0, 1e16, 1e22, 1e-5, 0.1,
            math.inf, -math.inf, math.pi, 5e-324, (), (1,), (1, 2), ("a", "b"),
            ("it's", 'a "quote"', "both '\""), ("\n\t\\\x00\x7f", "\u00e9\U0001f600"),
            ((1, (2.5, None)), False),
            torch.float32, (torch.int8, 3)]
    keys.remove(1)  # the same key as True
    return {"top": {key: source.floats(1 + i) for i, key in enumerate(keys)}}


def keys_of_bytes(source):
    """Protocol 2 has no opcode for them: they are calls of _codecs.encode."""
    return {"top": {key: source.floats(1 + i) for i, key in enumerate(
        (b"bytes", b"\x00'\xff", b"", (b"x", 1)))}}


for _protocol in (2, 3):
    case(name="keys-of-bytes-%d" % _protocol, save=with_protocol(_protocol))(keys_of_bytes)


def refused_name(label, words, value):
    case(name="refused-" + label, refused=words)(value)


refused_name("surrogate", ["UTF-8"], lambda source: {"a\ud800": source.floats(1)})
refused_name("reserved", ["__metadata__"], lambda source: {"__metadata__": source.floats(1)})
refused_name("nul", ["NUL"], lambda source: {"a\0b": source.floats(1)})
refused_name("same-path", ["a.b"],
             lambda source: {"a": {"b": source.floats(1)}, "a.b": source.floats(2)})
refused_name("same-text", ["'1'"], lambda source: {1: source.floats(1), "1": source.floats(2)})
refused_name("no-tensors", ["no tensors"], lambda source: {"epoch": 1, "lr": [0.1, None]})


# ---- what people save ----

class Weights(OrderedDict):
    pass


class Rows(list):
    pass


Pair = namedtuple("Pair", "weight bias")


@case()
def containers(source):
    """Classes of Python's library, and subclasses that only whoever loads them could know."""
    return {
        "deque": deque([source.floats(2), source.floats(1)], maxlen=4),
        "default": defaultdict(dict, {"inner": {"w": source.floats(3)}}),
        "integers": defaultdict(int, {"a": 1}),
        "counter": Counter("abca"),
        "weights": Weights(w=source.floats(2), inner=Weights(v=source.floats(1))),
        "rows": Rows([source.floats(2), (source.floats(1),)]),
        "pair": Pair(source.floats(2), source.floats(3)),
    }


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.embedding = nn.Embedding(50, 16)
        self.recurrent = nn.LSTM(16, 8, num_layers=2, bidirectional=True)
        self.attention = nn.MultiheadAttention(16, 4)
        self.head = nn.Linear(16, 50, bias=False)
        self.head.weight = self.embedding.weight
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.register_buffer("mask", torch.ones(4, 4).tril().bool())
        self.register_buffer("passing", torch.zeros(2), persistent=False)

    def loss(self):
        return sum((parameter ** 2).sum() for parameter in self.parameters())


def trained(optimizer, steps=2, **options):
    torch.manual_seed(1)
    net = Net()
    optimizer = optimizer(net.parameters(), lr=1e-3, **options)

    def closure():
        optimizer.zero_grad()
        loss = net.loss()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return net, optimizer


@case()
def state_dict(source):
    return Net().state_dict()


@case()
def state_dict_with_gradients(source):
    return Net().state_dict(keep_vars=True)


@case()
def parameters_as_list(source):
    return list(Net().parameters())


@case()
def parameters_as_tuple(source):
    return tuple(Net().parameters())


@case()
def one_tensor(source):
    return source.floats(4, 5).t()


@case()
def one_parameter(source):
    return nn.Parameter(source.floats(4, 5))


@case()
def half_precision(source):
    return {"state_dict": Net().half().state_dict(), "ema": Net().bfloat16().state_dict()}


OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {"momentum": 0.9}),
    "adam": (torch.optim.Adam, {"amsgrad": True}),
    "adamw": (torch.optim.AdamW, {}),
    "rmsprop": (torch.optim.RMSprop, {"centered": True, "momentum": 0.1}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adadelta": (torch.optim.Adadelta, {}),
    "rprop": (torch.optim.Rprop, {}),
    "lbfgs": (torch.optim.LBFGS, {"max_iter": 3}),
}

for _name, (_class, _options) in OPTIMIZERS.items():
    @case(name="optimizer-" + _name)
    def _(source, optimizer=_class, options=_options):
        return trained(optimizer, **options)[1].state_dict()


def training(source):
    net, optimizer = trained(torch.optim.Adam)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    return {
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "lr_scheduler": schedule.state_dict(),
        "scaler": {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 3},
        "rng": {"torch": torch.get_rng_state(), "numpy": list(range(5))},
        "epoch": 3, "best": float("nan"), "loss": torch.tensor(0.25).item(),
    }


case(name="training")(training)
case(name="training-everything", root=".")(training)
case(name="training-optimizer", root="optimizer_state_dict.state")(training)
case(name="training-one-list", root="rng")(training)


@case()
def two_homes(source):
    """Two usual homes of weights: neither can be guessed, so all is taken."""
    return {"model": {"w": source.floats(2)}, "net": {"w": source.floats(3)}}


@case()
def no_data(source):
    return {"w": source.floats(3), "absent": torch.empty(5, 6, device="meta"),
            "lazy": [torch.empty(2, device="meta")]}


class Tagged(torch.Tensor):
    pass


class Special(nn.Parameter):
    pass


@case(since=NEW)
def tensors_with_attributes(source):
    """What Python hangs on a tensor is saved with it; the old torch forgets it."""
    parameter, tensor = nn.Parameter(source.floats(3)), source.floats(4, 2).t()
    parameter.role = tensor.role = "bias"
    module = nn.Module()
    module.table = nn.Buffer(source.floats(2))
    return {"parameter": parameter, "tensor": tensor, "buffer": nn.Buffer(source.floats(5)),
            "module": module.state_dict(), "subclass": Special(source.floats(2))}


@case()
def foreign_subclass(source):
    """A class of somebody else is noted as unknown; its elements are those of a tensor."""
    return {"w": source.floats(3), "tagged": source.floats(3).as_subclass(Tagged)}


# ---- tied weights ----

def tied(source, *more):
    one, two = source.floats(5, 6), source.bits(torch.int64, 4)
    return {"lm_head.weight": one, "embedding.weight": one, "decoder.weight": one,
            "b": two, "a": two, "alone": source.floats(2), "\u00e9": source.floats(1),
            **{name: one for name in more}}


@case(args=("--ties", "drop"), ties=True)
def ties_dropped(source):
    return tied(source)


@case(args=("--ties", "drop"), ties=True)
def ties_of_a_module(source):
    return Net().state_dict()


@case(args=("--ties", "drop"), ties=True)
def ties_with_odd_names(source):
    return tied(source, 'q"', "\\", "\n", "\U0001f600", "\uffff", "n" * 4096)


@case(args=("--ties", "drop"), ties=True)
def ties_named_as_metadata(source):
    return tied(source, "format")
