"""Tensors that consist of several, as PyTorch 2.6 makes them; make_torch2.py saves them."""
import torch
from torch import nn

def quantized2():
    """Quantized tensors as PyTorch 2 saves them."""
    torch.manual_seed(8)
    weight = torch.randn(4, 3)
    return {
        "whole": torch.quantize_per_tensor(weight, 0.03, -5, torch.qint8),
        "tied": (whole := torch.quantize_per_tensor(weight, 1 / 7, 100, torch.quint8)),
        "tied.t": whole.t(),
        "channels": torch.quantize_per_channel(weight, torch.rand(3, dtype=torch.double),
                                               torch.tensor([1, 0, -7]), 1, torch.qint8),
        "real": torch.quantize_per_channel(weight, torch.rand(4), torch.rand(4), 0, torch.quint8),
    }


def with_rows(shape, values):
    """A dense tensor with a few values that are not zero."""
    out = torch.zeros(shape, dtype=values.dtype)
    out.view(-1)[torch.arange(len(values)) * 3 + 1] = values
    return out


def sparse2():
    """Every sparse layout of PyTorch 2, over several dtypes, with batches and dense dimensions."""
    twice = torch.tensor([[0, 2, 0, 0, 2, 0], [1, 1, 1, 1, 1, 1]])
    out = {"none": torch.sparse_coo_tensor(torch.zeros(0, 2, dtype=torch.long),
                                           torch.tensor([[1.0, 2], [3, 4]]), (2,))}
    for kind, values in ((torch.float16, [2048, 1, 1, 1, -0.0, -2048]),
                         (torch.bfloat16, [256, 1, 1, 1, 0.5, -256]),
                         (torch.float64, [0.1, 0.2, 0.3, 0.4, 0.5, 1e9]),
                         (torch.int8, [100, 1, 100, 3, 4, 5]),
                         (torch.uint8, [200, 1, 100, 3, 4, 5]),
                         (torch.int64, [1 << 62, 1, 1 << 62, 3, 4, -5]),
                         (torch.bool, [True, False, True, False, True, False])):
        out["coo." + str(kind)[6:]] = torch.sparse_coo_tensor(
            twice, torch.tensor(values, dtype=kind), (3, 2))
    waves = torch.complex(torch.arange(6.0), torch.arange(6.0) - 3)
    out["coo.complex64"] = torch.sparse_coo_tensor(twice, waves, (3, 2))
    hybrid = torch.sparse_coo_tensor(torch.tensor([[3, 0, 3]]),
                                     torch.arange(18.0).reshape(3, 3, 2).transpose(1, 2),
                                     (4, 2, 3)).coalesce()
    out["coo.hybrid"] = torch.sparse_coo_tensor(hybrid._indices().clone(), hybrid._values().clone(),
                                                hybrid.shape, is_coalesced=True)
    dense = with_rows((4, 6), torch.arange(1.0, 8.0))
    for layout in ("csr", "csc"):
        make = getattr(torch.Tensor, "to_sparse_" + layout)
        out[layout] = make(dense)
        out[layout + ".batched"] = make(torch.stack([dense, dense.flip(0)]))
        out[layout + ".hybrid"] = make(dense.reshape(4, 3, 2), dense_dim=1)
    for layout in ("bsr", "bsc"):
        make = getattr(torch.Tensor, "to_sparse_" + layout)
        out[layout] = make(dense, (2, 3))
        pair = torch.stack([dense, dense.flip(0)]).to(torch.float16)
        out[layout + ".batched"] = make(pair, (1, 2))
        out[layout + ".hybrid"] = make(with_rows((2, 6, 2), torch.arange(1.0, 8.0)), (2, 3),
                                       dense_dim=1)
    out["unsorted"] = torch.sparse_csr_tensor(torch.tensor([0, 2, 2, 3]), torch.tensor([0, 2, 1]),
                                              torch.tensor([1, 2, 3], dtype=torch.int16), (3, 3))
    return out


def nested():
    """A nested tensor, strided, and one of the jagged layout."""
    parts = [torch.arange(6.0).reshape(2, 3), torch.arange(12.0).reshape(4, 3)]
    return {"plain": torch.ones(2), "strided": torch.nested.nested_tensor(parts),
            "jagged": torch.nested.nested_tensor(parts, layout=torch.jagged)}


def complexes2():
    """Conjugates and negatives that were never carried out, and complex numbers of halves."""
    waves = torch.view_as_complex(torch.arange(12.0).reshape(2, 3, 2) - 5.5)
    return {"conj": waves.conj(), "conj.t": waves.t().conj(), "neg": torch._neg_view(waves),
            "neg.conj": torch._neg_view(waves).conj(), "half": waves.to(torch.complex32),
            "wide.conj": waves.to(torch.complex128).conj()}


class Reduced:
    """Pickled as a call of one of torch's functions, which other devices need."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def devices():
    """Tensors of devices that torch saves as copies, some in another dtype."""
    build = torch._utils._rebuild_device_tensor_from_cpu_tensor
    reals = torch.tensor([1.0, 1.00390625, 1.01171875, -0.0, float("inf"), 1e-45, 3.4e38, 65520.0])
    out = {"same": Reduced(build, reals, torch.float32, "cpu", False)}
    for kind in (torch.bfloat16, torch.float16, torch.float64):
        out[str(kind)[6:]] = Reduced(build, reals, kind, "cpu", False)
    wide = torch.tensor([1e-310, 65519.99999999, 1.0000000596046448, 5e-8, 2.98e-8])
    for kind in (torch.bfloat16, torch.float16, torch.float32):
        out["wide." + str(kind)[6:]] = Reduced(build, wide.double(), kind, "cpu", False)
    out["back"] = Reduced(build, reals.bfloat16().reshape(2, 4).t(), torch.float32, "cpu", True)
    return out


def wrapped():
    """A tensor that wraps two others."""
    from torch.testing._internal.two_tensor import TwoTensor
    return {"plain": torch.ones(2), "two": TwoTensor(torch.arange(3.0), torch.arange(3.0) + 7)}


def sharded():
    """Tensors that are spread over processes, of which there is one."""
    from torch.distributed._shard import sharded_tensor
    from torch.distributed._shard.sharding_spec import ChunkShardingSpec
    from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh
    mesh = init_device_mesh("cpu", (1,))
    spec = ChunkShardingSpec(dim=0, placements=["rank:0/cpu"])
    weight = distribute_tensor(torch.arange(6.0).reshape(2, 3), mesh, [Shard(0)])
    old = sharded_tensor.full(spec, (4, 3), 2.5)
    parameter = nn.Parameter(weight)
    for hashed in (mesh, weight.device_mesh, weight._spec, parameter._spec):
        hashed._hash = None  # made of addresses: another one on every run
    return {"dtensor": weight, "parameter": parameter, "old": old}


COMPOSITES = [quantized2, sparse2, nested, devices, wrapped, sharded]
UNSUPPORTED = [complexes2]


def begin():
    """Lets this process be all the processes that sharded tensors are spread over."""
    torch.distributed.init_process_group("gloo", rank=0, world_size=1,
                                         store=torch.distributed.HashStore())
