"""Cases of what torch writes beside torch.save: TorchScript, packages, exported programs, and the
legacy format of everything that others have cases of."""

import io
import typing
from collections import OrderedDict

import torch
from torch import nn, package

import truth
from cases import COMMON, NEW, case, save_legacy, save_through_buffer, with_protocol
from pickles import OPTIMIZERS, Net, many_names, nested, tied, trained, training
from views import each_dtype, every_view

# ---- the legacy format ----

for _protocol in (2, 3, 4, 5):
    case(name="legacy-protocol-%d" % _protocol, save=with_protocol(_protocol, save_legacy))(nested)
    case(name="legacy-views-%d" % _protocol, save=with_protocol(_protocol, save_legacy),
         strict=True)(lambda source: every_view(source, torch.float32))
case(name="legacy-buffer", save=lambda value, path: save_through_buffer(
    value, path, _use_new_zipfile_serialization=False))(nested)
TYPED = [dtype for dtype in COMMON if str(dtype)[6:] not in (
    "uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2")]
case(strict=True, name="legacy-dtypes", save=save_legacy)(lambda source: each_dtype(source, TYPED))
# torch writes the others in the legacy format, too, and cannot load them from it
case(name="legacy-dtypes-later", save=save_legacy, load=None, since=NEW)(
    lambda source: each_dtype(source, [dtype for dtype in COMMON if dtype not in TYPED]))
case(name="legacy-names", save=save_legacy)(many_names)
case(name="legacy-training", save=save_legacy)(training)
case(name="legacy-training-everything", save=save_legacy, root=".")(training)
case(name="legacy-state", save=save_legacy)(lambda source: Net().state_dict())
case(name="legacy-gradients", save=save_legacy)(lambda source: Net().state_dict(keep_vars=True))
case(name="legacy-ties", save=save_legacy, args=("--ties", "drop"), ties=True)(tied)
case(name="legacy-alone", save=save_legacy)(lambda source: source.floats(3, 4).t())
case(name="legacy-none", save=save_legacy, refused=["no tensors"])(lambda source: {"epoch": 1})

for _name, (_class, _options) in OPTIMIZERS.items():
    case(name="legacy-" + _name, save=save_legacy)(
        lambda source, optimizer=_class, options=_options:
        trained(optimizer, **options)[1].state_dict())


@case(save=save_legacy)
def legacy_large(source):
    whole = source.floats(2053, 1501)
    return {"t": whole.t(), "rows": whole[5:9], "octets": source.bits(torch.uint8, (12 << 20) + 7),
            "small": source.floats(3)}


@case(save=save_legacy)
def legacy_many(source):
    """One storage under many views, and many storages."""
    values = source.floats(3000, 5)
    return {**{"view.%d" % i: values[i] for i in range(3000)},
            **{"own.%d" % i: values[i, :i % 5].clone() for i in range(3000)}}


for _protocol in (2, 4):
    @case(name="legacy-cut-%d" % _protocol, cut=97, save=with_protocol(_protocol, save_legacy))
    def _(source):
        shared = source.floats(40, 5)
        return {"w": shared, "t": shared.t(), "part": shared[3:5],
                "b": source.bits(torch.int64, 20),
                "half": source.bits(torch.float16, 31), "last": source.bits(torch.uint8, 300)}


@case(cut=97, save=save_legacy)
def legacy_cut_module(source):
    return nn.Linear(20, 3)


@case(cut=97)
def zip_cut(source):
    return {"w": source.floats(40, 5), "b": source.bits(torch.int64, 20)}


# ---- TorchScript ----

def save_script(model, path):
    model.save(path)


def save_mobile(model, path):
    model._save_for_lite_interpreter(path)


def named_constants(model):
    """The constants of the code, as torch finds them in the graph."""
    graph = model.inlined_graph  # owns what is found in it
    found = [node.output().toIValue() for node in graph.findAllNodes("prim::Constant")
             if node.output().type().kind() == "TensorType"]
    return {"constants.%d" % i: tensor for i, tensor in enumerate(sorted(found, key=truth.raw))}


def script(*attributes, constants=False, **more):
    """A case that makes a ScriptModule; its attributes that are no part of the state are named."""

    def means(model):
        found = OrderedDict(model.state_dict())
        for name in attributes:
            value = model
            for part in name.split("."):
                value = getattr(value, part)
            found[name] = value
        return {**found, **(named_constants(model) if constants else {})}

    def register(make):
        label = "script-" + make.__name__.replace("_", "-")
        options = {"load": torch.jit.load, "means": means, "strict": None if attributes else True,
                   **more}
        if constants:
            options["loose"] = r"constants\..*|.*\.constants\..*|.*c\d+"
        case(name=label, save=save_script, **options)(make)
        case(name=label + "-mobile", save=save_mobile, suffix=".ptl", **options)(make)
        return make

    return register


class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3)
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("table", torch.arange(6).reshape(2, 3).t())
        self.register_buffer("passing", torch.ones(3), persistent=False)
        self.register_parameter("none", None)

    def forward(self, x):
        return self.norm(self.layer(x)) + self.passing + self.table.sum()


@script()
def module(source):
    return torch.jit.script(Scripted())


@script()
def sequential(source):
    """Submodules whose names are digits."""
    return torch.jit.script(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(
        nn.Conv1d(1, 2, 1), nn.BatchNorm1d(2)), *(nn.Linear(1, 1) for _ in range(9))))


@script()
def traced(source):
    return torch.jit.trace(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).eval(),
                           torch.ones(2, 2))


@script()
def recurrent(source):
    return torch.jit.script(nn.LSTM(3, 2, bidirectional=True))


@script()
def net(source):
    return torch.jit.script(nn.ModuleDict({
        "model": nn.Embedding(4, 3), "net": nn.MultiheadAttention(4, 2), "weights": nn.GRU(2, 2)}))


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(2, 2)
        self.two = self.one
        self.three = nn.Linear(2, 2)
        self.three.weight = self.one.weight

    def forward(self, x):
        return self.one(self.two(self.three(x)))


@script()
def shared(source):
    return torch.jit.script(Shared())


class Attributed(nn.Module):
    anchors: torch.Tensor
    items: typing.List[torch.Tensor]
    table: typing.Dict[str, torch.Tensor]
    pair: typing.Tuple[torch.Tensor, int]
    sizes: typing.List[int]
    maybe: typing.Optional[torch.Tensor]

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.anchors = torch.arange(4.0)
        self.items = [torch.ones(1), torch.zeros(2)]
        self.table = {"key": torch.arange(3), "other": torch.ones(1, 2)}
        self.pair = (torch.full((2,), 7.0), 3)
        self.sizes = [1, 2]
        self.maybe = None
        self.rate, self.name, self.flag = 0.5, "text", True

    def forward(self, x):
        extra = self.items[0] + self.table["key"].sum() + self.pair[0] + len(self.sizes)
        return self.layer(x) + self.anchors.sum() + extra * self.rate


@script("anchors", "items", "table", "pair")
def attributes(source):
    return torch.jit.script(Attributed())


def traced_with_constant(source):
    constant = torch.arange(6.0).reshape(2, 3)

    class Adds(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 3)

        def forward(self, x):
            return self.layer(x) + constant

    return torch.jit.trace(Adds(), torch.ones(2, 2))


script(constants=True)(traced_with_constant)


@script(constants=True)
def frozen(source):
    """The weights have become constants of the code."""
    model = torch.jit.script(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)))
    return torch.jit.freeze(model.eval(), optimize_numerics=False)


@script()
def halves(source):
    return torch.jit.script(nn.Sequential(nn.Linear(2, 3).half(), nn.Linear(1, 1).double()))


@case(load=torch.jit.load, save=save_script, means=lambda model: model.state_dict(), cut=487)
def script_cut(source):
    return torch.jit.script(nn.Linear(2, 3))


@case(load=torch.jit.load, save=lambda model, path: torch.jit.save(
    model, path, _extra_files={"extra.txt": "text", "more.bin": b"\x80\x02"}),
      means=lambda model: model.state_dict())
def script_with_files(source):
    return torch.jit.script(nn.Linear(2, 3))


def packed_parts(model):
    """The weights inside of the C++ objects of a quantized module."""
    tensors = {}
    for name, child in model.named_modules():
        if isinstance(getattr(child, "_packed_params", None), torch.ScriptObject):
            tensors[name + ".w"], tensors[name + ".b"] = child._weight_bias()
    return {name: tensor.detach() for name, tensor in tensors.items()}


class Kept:
    """A model, and what it was before it became a script."""

    def __init__(self, model):
        self.model, self.parts = torch.jit.script(model), packed_parts(model)


@case(load=None, save=lambda kept, path: kept.model.save(path), args=("--dequantize",), loose=".*",
      means=lambda kept: kept.parts)
def script_quantized(source):
    torch.backends.quantized.engine = "onednn"
    return Kept(torch.ao.quantization.quantize_dynamic(
        nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2)), {nn.Linear}))


@case(save=lambda value, path: torch.jit.save(value, path), load=torch.jit.load,
      refused=["no tensors"])
def script_without_tensors(source):
    return torch.jit.script(nn.ReLU())


# ---- torch.package ----

def save_package(values, path):
    with package.PackageExporter(path) as exporter:
        exporter.extern("**")
        for name, value in values.items():
            exporter.save_pickle(*name.split("/"), value)


def load_package(path, names):
    importer = package.PackageImporter(path)
    return {name: importer.load_pickle(*name.split("/")) for name in names}


def one(values):
    return next(iter(values.values()))


@case(save=save_package, load=lambda path: load_package(path, ["model/model.pkl"]), means=one)
def package_module(source):
    return {"model/model.pkl": nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))}


@case(save=save_package, load=lambda path: load_package(path, ["a.b/weights.pkl"]), means=one,
      strict=True)
def package_dict(source):
    whole = source.floats(4, 5)
    return {"a.b/weights.pkl": {"w": whole, "t": whole.t(),
                                "n": {"x": source.bits(torch.int64, 3)}}}


SEVERAL = ("model/model.pkl", "model/other.pkl", "a.b/weights.pkl")


def by_resource(values):
    named = {}
    for name, value in values.items():
        inner = value.state_dict() if isinstance(value, nn.Module) else value
        prefix = name[:-len(".pkl")].replace("/", ".")
        named.update({"%s.%s" % (prefix, key): tensor for key, tensor in inner.items()})
    return named


@case(save=save_package, load=lambda path: load_package(path, SEVERAL), means=by_resource)
def package_several(source):
    shared = source.floats(3)
    return {"model/model.pkl": nn.Linear(2, 3), "model/other.pkl": {"w": shared},
            "a.b/weights.pkl": {"w": shared[1:], "v": source.floats(2)}}


def save_package_with_text(values, path):
    with package.PackageExporter(path) as exporter:
        exporter.extern("**")
        exporter.save_text("config", "config.json", "{}")
        exporter.save_binary("config", "raw.bin", b"\x80\x02")
        exporter.save_source_string("code", "x = 1")
        exporter.save_pickle("model", "model.pkl", values)


@case(save=save_package_with_text, load=lambda path: package.PackageImporter(path).load_pickle(
    "model", "model.pkl"))
def package_with_files(source):
    return {"w": source.floats(2)}


# ---- exported programs ----

class Exported(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3)
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("table", torch.arange(3.0))
        self.register_buffer("passing", torch.full((3,), 2.5), persistent=False)
        self.lifted = torch.arange(6.0).reshape(2, 3)

    def forward(self, x):
        return self.norm(self.layer(x)) + self.table + self.passing + self.lifted.sum(0)


def save_exported(program, path):
    torch.export.save(program, path)


def load_exported(path):
    return torch.export.load(path)


def of_program(program):
    return {**program.state_dict, **{name: value for name, value in program.constants.items()
                                     if isinstance(value, torch.Tensor)}}


@case(since=NEW, save=save_exported, load=load_exported, means=of_program, suffix=".pt2",
      strict=True)
def exported(source):
    return torch.export.export(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).eval(),
                               (torch.ones(4, 2),))


@case(since=NEW, save=save_exported, load=load_exported, means=of_program, suffix=".pt2",
      strict=True)
def exported_with_constants(source):
    return torch.export.export(Exported().eval(), (torch.ones(4, 2),))


@case(since=NEW, save=save_exported, load=load_exported, means=of_program, suffix=".pt2",
      strict=True)
def exported_tied(source):
    return torch.export.export(Shared(), (torch.ones(4, 2),))


# ---- several in one file ----

@case(name="script-in-buffer", load=torch.jit.load, means=lambda model: model.state_dict(),
      save=lambda model, path: open(path, "wb").write(model_bytes(model)))
def _(source):
    return torch.jit.script(Scripted())


def model_bytes(model):
    buffer = io.BytesIO()
    torch.jit.save(model, buffer)
    return buffer.getvalue()
