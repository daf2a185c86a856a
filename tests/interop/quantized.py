"""Cases of quantized tensors and modules: what torch's own accessors give is what must be in the
output, and with --dequantize what dequantize() gives."""

from collections import OrderedDict

import torch
from torch import nn

from cases import composite, three_ways


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
            "%s.whole" % dtype: whole, "%s.t" % dtype: whole.t(),
            "%s.part" % dtype: whole[1:4, 2:7],
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


class Branches(nn.Module):
    """One layer of each kind that has a quantized twin; each gets what it needs."""

    def __init__(self):
        super().__init__()
        quantization = torch.ao.quantization
        self.quant, self.dequant = quantization.QuantStub(), quantization.DeQuantStub()
        self.sum = torch.ao.nn.quantized.FloatFunctional()
        self.conv1, self.conv2, self.conv3 = (
            nn.Conv1d(1, 2, 1), nn.Conv2d(1, 2, 1, bias=False), nn.Conv3d(1, 2, 1))
        self.fused = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        self.norms = nn.ModuleList([nn.LayerNorm(2), nn.GroupNorm(1, 2), nn.InstanceNorm1d(2)])
        self.batch, self.swish = nn.BatchNorm2d(2), nn.Hardswish()
        self.plain = nn.Linear(2, 2)

    def forward(self, x):
        x = self.quant(x)
        one = self.conv1(x.reshape(2, 1, 4))
        two = self.conv2(x.reshape(2, 1, 2, 2))
        self.conv3(x.reshape(2, 1, 2, 2, 1))
        self.batch(self.sum.add(two, self.fused(x.reshape(2, 1, 2, 2))))
        for norm in self.norms:
            norm(one.permute(0, 2, 1) if isinstance(norm, nn.LayerNorm) else one)
        return self.dequant(self.swish(self.head(x.reshape(4, 2))))


def branches(source):
    torch.backends.quantized.engine = "onednn"
    torch.manual_seed(5)
    quantization = torch.ao.quantization
    model = Branches().eval()
    quantization.fuse_modules(model, [["fused.0", "fused.1", "fused.2"], ["head.0", "head.1"]],
                              inplace=True)
    model.qconfig = quantization.get_default_qconfig("onednn")
    model.plain.qconfig = None
    quantization.prepare(model, inplace=True)
    model(source.finite(torch.float32, 2, 4))
    return quantization.convert(model)


def dynamic_more(source):
    torch.backends.quantized.engine = "onednn"
    quantization = torch.ao.quantization
    model = nn.ModuleDict({"embedding": nn.Embedding(5, 8), "bag": nn.EmbeddingBag(5, 8)})
    for part in model.values():
        part.qconfig = quantization.float_qparams_weight_only_qconfig
    quantization.prepare(model, inplace=True)
    quantization.convert(model, inplace=True)
    more = nn.ModuleDict({"gru": nn.GRU(3, 2), "cell": nn.LSTMCell(3, 2)})
    return nn.ModuleList([model, quantization.quantize_dynamic(more, {nn.GRU, nn.LSTMCell})])


class Traced(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))

    def forward(self, x):
        return self.layers(x) + 1


def traced(source):
    """Quantized by a graph: numbers become buffers, and the class is made at run time."""
    from torch.ao.quantization import get_default_qconfig_mapping, quantize_fx
    torch.backends.quantized.engine = "onednn"
    torch.manual_seed(6)
    sample = source.finite(torch.float32, 2, 4)
    model = quantize_fx.prepare_fx(Traced().eval(), get_default_qconfig_mapping("onednn"),
                                   (sample,))
    model(sample)
    return quantize_fx.convert_fx(model)


KEPT = []


def alive(model):
    """Scales of packed tensors are gone with the module that packed them."""
    KEPT.append(model)
    return model


# torch writes these modules, and cannot always make them again: it packs the weights of legacy
# files before it reads them, and forgets what every module must have.
for _name, _make in (("dynamic", linear(True)), ("static", linear(False)), ("lstm", recurrent),
                     ("branches", branches), ("more", dynamic_more), ("traced", traced)):
    three_ways("quantized-%s-state" % _name, "--dequantize",
               lambda source, make=_make: alive(make(source)).state_dict(), strict=None)
    three_ways("quantized-%s-module" % _name, "--dequantize", _make, load=None, strict=None,
               refuses="runs Python code that lies in the file" if _make is traced else None)


@composite("--dequantize", strict=["left out"])
def quantized_everywhere(source):
    q = quantized(source, torch.quint8, 3, 2)
    channels = per_channel(source, torch.qint8, 0, 2, 2)
    return {"model": {"q": q, "again": q, "list": [q.t(), channels]},
            "optimizer": {"state": {0: {"exp": quantized(source, torch.qint8, 2)}}}}


@composite("--dequantize")
def quantized_buffer(source):
    model = nn.Linear(2, 2)
    model.register_buffer("table", quantized(source, torch.qint8, 3, 3))
    return model


@composite("--dequantize")
def quantized_parameters(source):
    return {"p": nn.Parameter(quantized(source, torch.qint8, 3, 2), requires_grad=False),
            "c": nn.Parameter(per_channel(source, torch.qint8, 1, 3, 2), requires_grad=False)}
