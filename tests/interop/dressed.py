"""Cases of complex tensors, of subclasses, of tensors of other devices and of other processes, and
of those that cannot be written."""

import os
import tempfile
from collections import OrderedDict

import numpy
import torch
import torch.distributed as distributed
from torch import nn

from cases import NEW, VERSION, case, save_legacy

SPLIT = ("--complex", "split")


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
case(name="complex-split", args=SPLIT, strict=True)(complex_all)
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
@case(since=NEW, load=None, means=local_shards, notes=["shard"])
def distributed_tensors(source):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor
    one_process()
    mesh = init_device_mesh("cpu", (1,))
    return {"split": distribute_tensor(source.floats(4, 3), mesh, [Shard(0)]),
            "column": distribute_tensor(source.floats(4, 3).t(), mesh, [Shard(1)]),
            "whole": distribute_tensor(source.bits(torch.int64, 3), mesh, [Replicate()]),
            "w": source.floats(2)}


@case(since=NEW, load=None, means=local_shards, notes=["shard"], save=save_legacy)
def distributed_tensors_legacy(source):
    return distributed_tensors(source)


@case(since=NEW, load=None, means=local_shards, notes=["shard"])
def sharded_tensors(source):
    from torch.distributed._shard import sharded_tensor
    from torch.distributed._shard.sharding_spec import ChunkShardingSpec
    one_process()
    spec = ChunkShardingSpec(0, ["rank:0/cpu"])
    return {"s": sharded_tensor.rand(spec, 3, 4), "w": source.floats(2)}


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
        return torch._utils._rebuild_device_tensor_from_numpy, (
            self.array, self.dtype, "cpu", False)


@case(means=from_numpy_parts, strict=True)
def device_tensors(source):
    values = source.finite(torch.float32, 3, 4).numpy()
    halfway = numpy.array([1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -1 - 2 ** -8, 3e38,
                           1e-40, float("inf"), float("-inf"), -0.0, 3.4e38], dtype=numpy.float32)
    return {"f32": Away(values, torch.float32), "bf16": Away(values, torch.bfloat16),
            "halfway": Away(halfway, torch.bfloat16), "t": Away(values.T, torch.float32),
            "i64": Away(numpy.arange(5), torch.int64),
            "f16": Away(values.astype("f2"), torch.float16),
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
