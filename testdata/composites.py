"""Tensors that consist of several, as PyTorch 1.13 makes them; make_torch.py saves them."""
import ctypes

import torch
from torch import nn

SCALES = (0.1, 1 / 3, 1e-40, 3.4e38, 0.0235294122248888, 7.0)


def quantized_by_one(kind, values):
    """All values of a quantized dtype, with odd scales and zero points."""
    limits = torch.iinfo(values.dtype)
    out = {}
    for i, scale in enumerate(SCALES):
        for zero in (0, 3, limits.min, limits.max)[i % 2::2]:
            out["%s.%d.%d" % (str(kind)[6:], i, zero)] = torch._make_per_tensor_quantized_tensor(
                values, scale, zero)
    return out


def quantized():
    """Tensors quantized as a whole: every value of 8 bits, extremes of 32, and views of them."""
    wide = torch.tensor([-1 << 31, 1 - (1 << 31), -1, 0, 1, 16777217, -16777219, (1 << 31) - 1],
                        dtype=torch.int32)
    out = {"plain": torch.arange(3.0)}
    out.update(quantized_by_one(torch.qint8, torch.arange(-128, 128).to(torch.int8)))
    out.update(quantized_by_one(torch.quint8, torch.arange(256).to(torch.uint8)))
    out.update(quantized_by_one(torch.qint32, wide))
    base = torch.quantize_per_tensor(torch.arange(24.0).reshape(4, 6) / 3, 0.07, 11, torch.quint8)
    deep = torch.quantize_per_tensor(torch.arange(96.0).reshape(4, 3, 8), 0.4, 7, torch.quint8)
    out.update({"view.deep": deep[:, :2, ::3], "view": base, "view.t": base.t(),
                "view.rows": base[1:3], "view.stepped": base[::2, 1::2],
                "view.element": base[2, 3], "view.none": base[:0],
                "parameter": nn.Parameter(base, requires_grad=False)})
    return out


def quantized_channels():
    """Tensors quantized by channel, along each axis, with scales of doubles and of floats."""
    torch.manual_seed(7)
    weight = torch.randn(4, 3, 2, 5)
    out = {}
    for axis in range(4):
        count = weight.shape[axis]
        scales = torch.rand(count, dtype=torch.double) / 7
        zeros = torch.arange(count) * 9 - 13
        out["axis%d" % axis] = torch.quantize_per_channel(weight, scales, zeros, axis, torch.qint8)
    last = torch.quantize_per_channel(
        weight.contiguous(memory_format=torch.channels_last), torch.rand(3, dtype=torch.double),
        torch.tensor([0, 250, 3]), 1, torch.quint8)
    rows = torch.randn(6, 5)
    out.update({
        "channels_last": last, "view": out["axis0"][:, 1:], "wide": torch.quantize_per_channel(
            rows, torch.tensor([1e-9, 0.1, 3.0, 1e20, 1 / 3]), torch.arange(5), 1, torch.qint32),
        "one": torch.quantize_per_channel(rows[:1], torch.tensor([0.3]), torch.tensor([2]), 0,
                                          torch.qint8),
        "real": torch.quantize_per_channel(rows, torch.rand(6) + 0.1, torch.rand(6) * 50, 0,
                                           torch.quint8)})
    rows = torch.randn(4, 5)
    for kind, per_byte in ((torch.quint4x2, 2), (torch.quint2x4, 4)):
        out[str(kind)[6:]] = packed(torch.quantize_per_channel(
            rows, torch.rand(4) + 0.1, torch.rand(4) * 3, 0, kind), per_byte)
    out["quint4x2.whole"] = packed(torch.quantize_per_tensor(rows, 1 / 3, 7, torch.quint4x2), 2)
    return out


def coordinates(values, places, shape):
    """A sparse tensor of coordinates."""
    return torch.sparse_coo_tensor(torch.tensor(places, dtype=torch.long), values, shape)


def settled(tensor):
    """The same without bytes behind it that torch never set."""
    return torch.sparse_coo_tensor(tensor._indices().clone(), tensor._values().clone(),
                                   tensor.shape)._coalesced_(True)


def packed(tensor, per_byte):
    """The same with zeros behind its elements, where torch leaves whatever there was."""
    used = tensor.numel() // per_byte
    ctypes.memset(tensor.data_ptr() + used, 0, tensor.storage().nbytes() - used)
    return tensor


def sparse():
    """Sparse tensors of coordinates and of compressed rows, as PyTorch 1.13 saves them."""
    twice = coordinates(torch.tensor([1.5, 2.0, -0.0, 4.0]), [[2, 0, 1, 2], [1, 3, 0, 1]], (3, 4))
    rows = torch.tensor([[0, 1.5, 0], [0, 0, 0], [2, 0, -3]])
    return {
        "plain": torch.arange(2.0), "twice": twice, "once": settled(twice.coalesce()),
        "hybrid": coordinates(torch.arange(12.0).reshape(3, 2, 2), [[4, 0, 4]], (5, 2, 2)),
        "nothing": coordinates(torch.zeros(0, 2), torch.zeros(2, 0).long().tolist(), (3, 2, 2)),
        "csr": rows.to_sparse_csr(),
        "csr.batched": torch.stack([rows, rows.flip(0)]).to_sparse_csr(),
        "csr.parameter": nn.Parameter(rows.to_sparse_csr()),
        "csr.narrow": torch.sparse_csr_tensor(torch.tensor([0, 1, 2], dtype=torch.int32),
                                              torch.tensor([2, 0], dtype=torch.int32),
                                              torch.tensor([1, 2]), (2, 3)),
    }


def complexes():
    """Complex numbers of two sizes: plain, transposed, stepped, and without dimensions."""
    values = torch.view_as_complex(torch.arange(24.0).reshape(3, 4, 2) - 5.5)
    wide = values.to(torch.complex128) / 3
    return {"real": torch.arange(2.0), "c": values, "c.t": values.t(), "c.stepped": values[1:, ::2],
            "c.none": values[:0], "wide": wide, "wide.0d": wide[1, 2], "wide.t": wide.t()}


def lazy():
    """Parameters that have no data yet, beside one that has."""
    net = nn.Sequential(nn.Linear(2, 2), nn.LazyBatchNorm1d(), nn.LazyLinear(3))
    return net.state_dict()


def bare_quantized():
    """Nothing but a quantized tensor."""
    return torch.quantize_per_tensor(torch.arange(4.0), 0.5, 1, torch.qint8)


def quantized_axis():
    """Quantized by channel, and one channel selected: torch leaves an axis of -1 behind."""
    weight = torch.quantize_per_channel(torch.ones(2, 3), torch.ones(2), torch.tensor([0, 1]), 0,
                                        torch.quint8)
    return {"fine": torch.ones(2), "q": weight[:, 1]}


COMPOSITES = [quantized, quantized_channels, sparse, lazy, bare_quantized]
UNSUPPORTED = [complexes, quantized_axis]
