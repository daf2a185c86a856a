"""Cases of tensors that are several, or that are something else: quantized, sparse, nested, complex,
subclasses. What torch's own accessors give is what must be in the output, and the same with
--dequantize, --densify and --complex split."""

import os
import tempfile
from collections import OrderedDict

import numpy
import torch
import torch.distributed as distributed
from torch import nn

from cases import NEW, VERSION, case, save_legacy, with_protocol

SPLIT = ("--complex", "split")


def three_ways(name, wish, make, **more):
    """As it is, in the legacy format, and with what the wish makes of it."""
    case(name=name, **more)(make)
    case(name=name + "-legacy", save=save_legacy, **more)(make)
    case(name=name + "-protocol-4", save=with_protocol(4), **more)(make)
    case(name=name + wish, args=(wish,), **more)(make)
    case(name=name + wish + "-legacy", save=save_legacy, args=(wish,), **more)(make)


def composite(wish, **more):
    return lambda make: three_ways(make.__name__.replace("_", "-"), wish, make, **more) or make


# ---- quantized ----

QUANTIZED = (torch.qint8, torch.quint8, torch.qint32)


def every_value(dtype, scale, zero):
    """All values of eight bits, or those of 32 that are hard to multiply."""
    if dtype == torch.qint32:
        values = torch.tensor([-2 ** 31, 2 ** 31 - 1, -1, 0, 1, 2 ** 24 + 1, -2 ** 24 - 1, 16777217,
                               123456789, -987654321, 2 ** 30 + 3], dtype=torch.int32)
    else:
        values = torch.arange(256).to(torch.uint8 if dtype == torch.quint8 else torch.int8)
    return torch._make_per_tensor_quantized_tensor(values, scale, zero)


@composite("--dequantize")
def quantized_values(source):
    tensors = OrderedDict()
    for dtype in QUANTIZED:
        for scale in (0.1, 1.0, 1 / 3, 2.0 ** -20, 1e-30, 3.4e37, 7.000001, 1e-45, 123456.789):
            for zero in (0, 1, 127, 5):
                tensors["%s %r %d" % (dtype, scale, zero)] = every_value(dtype, scale, zero)
    for zero in (-128, -7, 255, 200):
        dtype = torch.qint8 if zero < 0 else torch.quint8
        tensors["zero %d" % zero] = every_value(dtype, 0.037, zero)
    for zero in (-2 ** 31, 2 ** 31 - 1, 12345678):
        tensors["qint32 zero %d" % zero] = every_value(torch.qint32, 0.37, zero)
    return tensors


def quantized(source, dtype, *shape, scale=0.05, zero=3):
    return torch.quantize_per_tensor(source.finite(torch.float32, *shape) * 3, scale, zero, dtype)


def per_channel(source, dtype, axis, *shape):
    count = shape[axis]
    scales = torch.from_numpy(source.rng.random(count) + 1e-3).to(torch.float64)
    zeros = torch.from_numpy(source.rng.integers(0, 9, count))
    return torch.quantize_per_channel(source.finite(torch.float32, *shape) * 5, scales, zeros, axis,
                                      dtype)


@composite("--dequantize")
def quantized_shapes(source):
    tensors = OrderedDict()
    for dtype in QUANTIZED:
        for name, shape in (("vector", (37,)), ("matrix", (5, 7)), ("scalar", ()), ("empty", (0,)),
                            ("hollow", (3, 0)), ("deep", (2, 3, 4, 5))):
            tensors["%s.%s" % (dtype, name)] = quantized(source, dtype, *shape)
        whole = quantized(source, dtype, 6, 8)
        tensors.update({
            "%s.whole" % dtype: whole, "%s.t" % dtype: whole.t(), "%s.part" % dtype: whole[1:4, 2:7],
            "%s.step" % dtype: whole[::2, 1::3], "%s.row" % dtype: whole[2],
            "%s.flat" % dtype: whole.view(-1)[5:20]})
    tensors["float"] = source.floats(3)
    return tensors


@composite("--dequantize")
def quantized_channels(source):
    tensors = OrderedDict()
    for dtype in QUANTIZED:
        for axis, shape in ((0, (3, 4)), (1, (3, 4)), (0, (5,)), (0, (4, 2, 3, 3)), (1, (4, 2, 3)),
                            (2, (2, 3, 4)), (0, (1, 3))):
            tensors["%s %d %s" % (dtype, axis, shape)] = per_channel(source, dtype, axis, *shape)
    return {"state_dict": tensors}


@composite("--dequantize")
def quantized_channels_last(source):
    return {"w": per_channel(source, torch.qint8, 0, 4, 3, 2, 2).contiguous(
        memory_format=torch.channels_last),
            "v": quantized(source, torch.quint8, 2, 3, 4, 5).contiguous(
                memory_format=torch.channels_last)}


@composite("--dequantize")
def quantized_by_floats(source):
    """Zero points that are no integers: each channel is (q - zero) * scale of them."""
    scales, zeros = torch.rand(4) + 0.1, torch.rand(4) * 9
    return {"w": torch.quantize_per_channel(source.finite(torch.float32, 4, 6), scales, zeros, 0,
                                            torch.quint8)}


@composite("--dequantize")
def quantized_alone(source):
    return quantized(source, torch.qint8, 3, 4)


@composite("--dequantize")
def quantized_large(source):
    return {"w": quantized(source, torch.qint8, 700, 1001).t(),
            "v": per_channel(source, torch.quint8, 1, 300, 500)}


def linear(dynamic):
    def make(source):
        torch.backends.quantized.engine = "onednn"
        quantization = torch.ao.quantization
        torch.manual_seed(3)
        model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2, bias=False))
        if dynamic:
            return quantization.quantize_dynamic(
                nn.Sequential(model, nn.Linear(5, 1)), {nn.Linear}, dtype=torch.qint8)
        model = nn.Sequential(quantization.QuantStub(), nn.Conv2d(1, 2, 2), nn.Flatten(), model,
                              quantization.DeQuantStub()).eval()
        model.qconfig = quantization.get_default_qconfig("onednn")
        quantization.prepare(model, inplace=True)
        model(source.finite(torch.float32, 1, 1, 2, 3))
        return quantization.convert(model)
    return make


def recurrent(source):
    torch.backends.quantized.engine = "onednn"
    return torch.ao.quantization.quantize_dynamic(
        nn.ModuleDict({"lstm": nn.LSTM(3, 2), "head": nn.Linear(2, 2)}), {nn.LSTM, nn.Linear})


# torch writes these modules, and cannot always make them again: it packs the weights of legacy files
# before it reads them, and forgets what every module must have.
for _name, _make in (("dynamic", linear(True)), ("static", linear(False)), ("lstm", recurrent)):
    three_ways("quantized-%s-state" % _name, "--dequantize",
               lambda source, make=_make: make(source).state_dict())
    three_ways("quantized-%s-module" % _name, "--dequantize", _make, load=None)


@composite("--dequantize")
def quantized_everywhere(source):
    q = quantized(source, torch.quint8, 3, 2)
    return {"model": {"q": q, "again": q, "list": [q.t(), per_channel(source, torch.qint8, 0, 2, 2)]},
            "optimizer": {"state": {0: {"exp": quantized(source, torch.qint8, 2)}}}}


@composite("--dequantize")
def quantized_buffer(source):
    model = nn.Linear(2, 2)
    model.register_buffer("table", quantized(source, torch.qint8, 3, 3))
    return model


# ---- sparse ----

VALUES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
          torch.int16, torch.int8, torch.uint8)


def coo(source, dtype, size, count, dense=0, coalesce=False):
    """Random places, some of them twice."""
    sparse = len(size) - dense
    indices = torch.stack([torch.from_numpy(source.rng.integers(0, max(end, 1), count))
                           for end in size[:sparse]]) if sparse else torch.zeros(0, count).long()
    shape = (count, *size[sparse:])
    values = (source.finite(torch.float64, *shape) * 9).to(dtype)
    tensor = torch.sparse_coo_tensor(indices, values, size)
    return tensor.coalesce() if coalesce else tensor


@composite("--densify")
def sparse_dtypes(source):
    return {str(dtype): coo(source, dtype, (5, 7), 9, coalesce=True) for dtype in VALUES}


@composite("--densify")
def sparse_sums(source):
    """The same place more than once: the values add up."""
    return {str(dtype): coo(source, dtype, (2, 3), 40) for dtype in VALUES}


@composite("--densify")
def sparse_sums_of_few(source):
    return {str(dtype): coo(source, dtype, (4, 4), 6) for dtype in VALUES
            if dtype not in (torch.float16, torch.bfloat16)}


@composite("--densify")
def sparse_shapes(source):
    return {
        "vector": coo(source, torch.float32, (9,), 4, coalesce=True),
        "cube": coo(source, torch.float32, (3, 4, 5), 11, coalesce=True),
        "hybrid": coo(source, torch.float32, (6, 2, 3), 4, dense=2, coalesce=True),
        "hybrid.twice": coo(source, torch.float32, (3, 2, 3), 7, dense=2),
        "rows": coo(source, torch.int64, (6, 5), 3, dense=1, coalesce=True),
        "none": coo(source, torch.float32, (3, 4), 0),
        "empty": torch.sparse_coo_tensor(torch.zeros(2, 0).long(), torch.zeros(0), (0, 4)),
        "hollow": torch.sparse_coo_tensor(torch.zeros(1, 2).long(), torch.zeros(2, 0), (3, 0)),
        "eye": torch.eye(4).to_sparse(),
        "bool": (torch.eye(3) > 0).to_sparse(),
        "transposed": coo(source, torch.float32, (3, 4), 5, coalesce=True).t(),
        "plain": source.floats(2, 2),
    }


@composite("--densify")
def sparse_alone(source):
    return coo(source, torch.float32, (3, 4), 3, coalesce=True)


@composite("--densify")
def sparse_scalar(source):
    return {"scalar": torch.sparse_coo_tensor(torch.zeros(0, 1).long(), source.floats(1), ()),
            "w": source.floats(1)}


@composite("--densify")
def sparse_complex(source):
    """Finite, so that the sums are the same whatever their order."""
    return {"c": torch.sparse_coo_tensor(torch.tensor([[0, 2], [1, 0]]),
                                         source.finite(torch.complex64, 2), (3, 2)).coalesce()}


def dense(source, *shape):
    values = source.finite(torch.float32, *shape)
    return values * (torch.from_numpy(source.rng.random(shape)) > 0.5)


# The new torch no longer knows the function by which the old one's are rebuilt.
@composite("--densify", forward=False)
def sparse_compressed(source):
    table = dense(source, 5, 7)
    tensors = {"csr": table.to_sparse_csr(), "csr.double": table.double().to_sparse_csr(),
               "csr.none": torch.zeros(3, 4).to_sparse_csr(),
               "csr.half": table.half().to_sparse_csr()}
    if VERSION >= NEW:  # the old torch makes the others, and cannot save them
        blocks = dense(source, 6, 8)
        tensors.update({"csc": table.to_sparse_csc(), "bsr": blocks.to_sparse_bsr((2, 4)),
                        "bsc": blocks.to_sparse_bsc((3, 2))})
    return tensors


@composite("--densify", forward=False)
def sparse_compressed_by_int32(source):
    return {"csr": torch.sparse_csr_tensor(
        torch.tensor([0, 1, 3], dtype=torch.int32), torch.tensor([1, 0, 2], dtype=torch.int32),
        source.floats(3), (2, 3)), "w": source.floats(1)}


@composite("--densify", since=NEW)
def sparse_batches(source):
    """Of compressed ones, each batch with as many values as the others."""
    table = torch.tensor([[[1., 0, 2], [0, 3, 0]], [[0, 4., 5], [6, 0, 0]]])
    return {"csr": table.to_sparse_csr(), "csc": table.to_sparse_csc(),
            "bsr": table.repeat(1, 1, 2).to_sparse_bsr((1, 3)),
            "csr.dense": torch.sparse_csr_tensor(torch.tensor([0, 1, 2]), torch.tensor([1, 0]),
                                                 source.floats(2, 3), (2, 2, 3)),
            "int": torch.eye(3).long().to_sparse_csr(), "bool": (torch.eye(3) > 0).to_sparse_csr()}


@composite("--densify", forward=False)
def sparse_everywhere(source):
    """Inside a module, and in the state of an optimizer."""
    model = nn.Linear(2, 2)
    model.register_buffer("graph", coo(source, torch.float32, (3, 3), 3, coalesce=True))
    return {"model": model, "list": [dense(source, 2, 3).to_sparse_csr()]}


case(name="sparse-everywhere-all", root=".", forward=False)(sparse_everywhere)


@case(refused=["expand"], args=("--densify",), name="sparse-too-large")
def _(source):
    return {"w": torch.sparse_coo_tensor(torch.tensor([[5], [7]]), torch.ones(1),
                                         (2 ** 20, 2 ** 20))}


@case(refused=["expand"], args=("--densify",), name="sparse-too-large-csr", since=NEW)
def _(source):
    return {"w": torch.sparse_csr_tensor(torch.tensor([0, 1] + [1] * 9), torch.tensor([7]),
                                         torch.ones(1), (10, 2 ** 40))}


@case(args=("--densify",), name="sparse-wide")
def _(source):
    return {"w": coo(source, torch.float32, (1000, 3001), 5000, coalesce=True)}


# ---- nested ----

@case(since=NEW)
def nested(source):
    return {"n": torch.nested.nested_tensor([source.floats(2, 3), source.floats(4, 3)]),
            "int": torch.nested.nested_tensor([torch.arange(3), torch.arange(2)]),
            "none": torch.nested.nested_tensor([source.floats(0, 3), source.floats(1, 3)]),
            "w": source.floats(2)}


@case(since=NEW, save=save_legacy, load=None)  # as above
def nested_legacy(source):
    return nested(source)


def jagged_parts(value):
    """A subclass: what it holds, under the names that it has for it."""
    tensor = value["j"]
    return {"j._values": tensor._values, "j._offsets": tensor._offsets, "w": value["w"]}


# ---- complex ----

def complex_tensors(source, *kinds):
    tensors = OrderedDict()
    for kind in kinds:
        whole = source.finite(torch.complex128, 5, 6).to(kind)
        tensors.update({
            "%s.whole" % kind: whole, "%s.t" % kind: whole.t(), "%s.part" % kind: whole[1:3, ::2],
            "%s.scalar" % kind: whole[2, 3], "%s.empty" % kind: whole[:0],
            "%s.expanded" % kind: whole[0].expand(3, 6)})
        if VERSION >= NEW:
            tensors.update({"%s.conj" % kind: whole.conj(), "%s.mH" % kind: whole.mH,
                            "%s.neg" % kind: torch._neg_view(whole),
                            "%s.both" % kind: torch._neg_view(whole.conj())[1:, 2:]})
    tensors["float"] = source.floats(3)
    return tensors


def complex_64(source):
    return complex_tensors(source, torch.complex64)


def complex_all(source):
    return complex_tensors(source, torch.complex64, torch.complex128)


case(name="complex-64")(complex_64)
case(name="complex-64-split", args=SPLIT)(complex_64)
case(name="complex-keep", args=("--complex", "keep"))(complex_64)
case(name="complex-split", args=SPLIT)(complex_all)
case(name="complex-split-legacy", args=SPLIT, save=save_legacy)(complex_all)
case(name="complex-refused", refused=["torch.complex128.whole", "torch.complex128.scalar",
                                      "--complex split"])(complex_all)


@case(args=SPLIT, name="complex-split-alone")
def _(source):
    return source.finite(torch.complex128, 3, 2)


@case(args=SPLIT, since=NEW, name="complex-split-half")
def _(source):
    whole = torch.view_as_complex(source.bits(torch.float16, 3, 4, 2))
    return {"w": whole, "t": whole.t(), "conj": whole.conj()}


@case(args=SPLIT, name="complex-split-bits")
def _(source):
    """Not a bit may change: every NaN."""
    return {"w": torch.view_as_complex(source.bits(torch.float64, 3, 4, 2)),
            "v": torch.view_as_complex(source.bits(torch.float32, 3, 4, 2)).t()}


@case(args=SPLIT, name="complex-split-module")
def _(source):
    model = nn.Linear(2, 2)
    model.register_buffer("phases", source.finite(torch.complex128, 4))
    model.register_parameter("mixed", nn.Parameter(source.finite(torch.complex64, 2)))
    return model


@case(args=(*SPLIT, "--densify"), name="complex-split-sparse")
def _(source):
    return {"c": torch.sparse_coo_tensor(torch.tensor([[0, 2], [1, 0]]),
                                         source.finite(torch.complex128, 2), (3, 2)).coalesce()}


# ---- all at once, and none ----

def unsupported(source):
    good = {"good": source.floats(2), "double": source.finite(torch.complex128, 2)}
    return {**good, "packed": torch.quantize_per_channel(
        source.finite(torch.float32, 4, 6), torch.rand(4) + 0.1, torch.rand(4), 0, torch.quint4x2),
            "more": {"c%d" % i: source.finite(torch.complex128, 1) for i in range(9)}}


case(name="skip-refused", refused=["double", "more.c0", "more.c8"])(unsupported)
case(name="skip-unsupported", args=("--skip-unsupported",), notes=["double", "more.c8"],
     means=lambda value: {"good": value["good"]}, strict=["--strict"])(
    lambda source: {key: value for key, value in unsupported(source).items() if key != "packed"})
case(name="skip-all", args=("--skip-unsupported",), refused=["c"])(
    lambda source: {"a": {"c": source.finite(torch.complex128, 2)}})
case(name="skip-nothing", args=("--skip-unsupported",))(lambda source: {"w": source.floats(2)})


# ---- subclasses ----

class Tagged(torch.Tensor):
    pass


class TaggedMore(Tagged):
    __slots__ = ("slot",)


@case()
def subclass_in_places(source):
    tagged = source.floats(3, 4).as_subclass(Tagged)
    tagged.note = "text"
    return {"t": tagged.t(), "list": [tagged[1:]], "more": source.floats(2).as_subclass(TaggedMore),
            "parameter": nn.Parameter(source.floats(2))}


@case(save=save_legacy)
def subclass_in_places_legacy(source):
    return subclass_in_places(source)


def one_process():
    """A group of one, which tensors that are spread over a group ask for."""
    if not distributed.is_initialized():
        file = os.path.join(tempfile.mkdtemp(), "group")
        distributed.init_process_group("gloo", init_method="file://" + file, rank=0, world_size=1)


def local_shards(value):
    return {name: part._local_tensor if hasattr(part, "_local_tensor") else
            part.local_shards()[0].tensor if hasattr(part, "local_shards") else part
            for name, part in value.items()}


# Who has no such group cannot load them.
@case(since=NEW, load=None, means=local_shards, notes=["local"])
def distributed_tensors(source):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor
    one_process()
    mesh = init_device_mesh("cpu", (1,))
    return {"split": distribute_tensor(source.floats(4, 3), mesh, [Shard(0)]),
            "column": distribute_tensor(source.floats(4, 3).t(), mesh, [Shard(1)]),
            "whole": distribute_tensor(source.bits(torch.int64, 3), mesh, [Replicate()]),
            "w": source.floats(2)}


@case(since=NEW, load=None, means=local_shards, notes=["local"], save=save_legacy)
def distributed_tensors_legacy(source):
    return distributed_tensors(source)


@case(since=NEW, load=None, means=local_shards, notes=["local"])
def sharded_tensors(source):
    from torch.distributed._shard import sharded_tensor
    from torch.distributed._shard.sharding_spec import ChunkShardingSpec
    one_process()
    spec = ChunkShardingSpec(0, ["rank:0/cpu"])
    return {"s": sharded_tensor.rand(spec, 3, 4), "w": source.floats(2)}


@case(since=NEW, load=None, loose=r"j\..*", means=lambda value: {
    "w": value["w"], "j._values": value["j"]._values, "j._offsets": value["j"]._offsets,
    **{"j.%s" % key: part for key, part in value["j"]._metadata_cache.items()}})
def jagged(source):
    """A subclass that holds its tensors in attributes."""
    return {"j": torch.nested.nested_tensor([source.floats(2, 3), source.floats(4, 3)],
                                            layout=torch.jagged), "w": source.floats(2)}


@case()
def packed_sequence(source):
    return {"p": nn.utils.rnn.pack_sequence([source.floats(3, 2), source.floats(1, 2)]),
            "w": source.floats(1)}


def from_numpy_parts(value):
    return {name: torch.from_numpy(part.array).to(part.dtype) if isinstance(part, Away) else part
            for name, part in value.items()}


class Away:
    """A tensor of a device that has no storage: XLA's and their kind are saved as NumPy arrays."""

    def __init__(self, array, dtype):
        self.array, self.dtype = array, dtype

    def __reduce__(self):
        return torch._utils._rebuild_device_tensor_from_numpy, (self.array, self.dtype, "cpu", False)


@case(means=from_numpy_parts)
def device_tensors(source):
    values = source.finite(torch.float32, 3, 4).numpy()
    halfway = numpy.array([1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -1 - 2 ** -8, 3e38,
                           1e-40, float("inf"), float("-inf"), -0.0, 3.4e38], dtype=numpy.float32)
    return {"f32": Away(values, torch.float32), "bf16": Away(values, torch.bfloat16),
            "halfway": Away(halfway, torch.bfloat16), "t": Away(values.T, torch.float32),
            "i64": Away(numpy.arange(5), torch.int64), "f16": Away(values.astype("f2"), torch.float16),
            "bool": Away(values > 0, torch.bool), "w": source.floats(2)}


@case(means=from_numpy_parts, save=save_legacy)
def device_tensors_legacy(source):
    return device_tensors(source)


class AwayOnCpu:
    def __init__(self, tensor, dtype):
        self.tensor, self.dtype = tensor, dtype

    def __reduce__(self):
        return torch._utils._rebuild_device_tensor_from_cpu_tensor, (
            self.tensor, self.dtype, "cpu", False)


@case(since=NEW, means=lambda value: {
    name: part.tensor if isinstance(part, AwayOnCpu) else part for name, part in value.items()})
def device_tensors_from_cpu(source):
    return {"f32": AwayOnCpu(source.floats(3, 4).t(), torch.float32),
            "bf16": AwayOnCpu(source.bits(torch.bfloat16, 3), torch.bfloat16)}


# ---- tensors without data ----

@case(notes=["meta"], strict=["--strict"])
def meta_parameters(source):
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4, device="meta"))
    return model


@case(refused=["no tensors"])
def meta_only(source):
    return {"w": torch.empty(3, device="meta")}
