#!/usr/bin/env python3
"""Writes checkpoints with Debian 13's PyTorch 2.6 into good/ and unsupported/.

usage: make_torch2.py [FOLDER]     (default: the folder of this script)
"""
import os
import sys
import warnings

import torch
from torch import nn

import composites2
import nets

HERE = os.path.dirname(os.path.abspath(__file__))


def new_dtypes():
    """The dtypes that PyTorch 2 added and safetensors 0.5.2 can hold, whole and as views."""
    out = {}
    for kind in (torch.uint64, torch.uint32, torch.uint16):
        top = torch.iinfo(kind).max
        values = torch.tensor([[0, 1, 2], [3, 258, top if top < 1 << 63 else 0]]).to(kind)
        out[str(kind)[6:]] = values
        out[str(kind)[6:] + ".t"] = values.t()
    out["uint64.top"] = torch.tensor([-1, -2]).view(torch.uint64)
    for kind in (torch.float8_e4m3fn, torch.float8_e5m2):
        values = torch.arange(256, dtype=torch.uint8).view(kind)
        out[str(kind)[6:]] = values
        out[str(kind)[6:] + ".stepped"] = values[3::5]
    return out


def fnuz():
    """The float8 dtypes without negative zero."""
    return {str(kind)[6:]: torch.arange(0, 256, 3, dtype=torch.uint8).view(kind).reshape(2, 43)
            for kind in (torch.float8_e4m3fnuz, torch.float8_e5m2fnuz)}


def two_types():
    """One storage of bytes, seen as bytes and as other dtypes."""
    data = torch.arange(48, dtype=torch.uint8)
    return {"u8": data, "u16": data.view(torch.uint16),
            "u16.part": data[8:].view(torch.uint16)[1:4],
            "u32.t": data.view(torch.uint32).reshape(3, 4).t(),
            "u64": data[40:].view(torch.uint64), "f8": data[3:9].view(torch.float8_e5m2)}


def lazy_signs():
    """Conjugates and negatives that were never carried out: the bytes are not the values."""
    waves = torch.view_as_complex(torch.arange(12.0).reshape(2, 3, 2) - 5.5)
    whole = torch._neg_view
    return {"waves": waves, "conj": waves.conj(), "conj.t": waves.t().conj(),
            "neg": whole(waves), "neg.conj": whole(waves).conj(), "conj.0d": waves[1, 2].conj()}


def negatives():
    """Views that stand for the negatives of their bytes, over several dtypes."""
    waves = torch.view_as_complex(torch.arange(12.0).reshape(2, 3, 2) - 5.5)
    out = {"imag": waves.conj().imag, "imag.t": waves.conj().imag.t()}
    for kind in (torch.float64, torch.float16, torch.bfloat16):
        out[str(kind)[6:]] = torch._neg_view(torch.tensor([0.0, -0.0, 1.5, float("inf")]).to(kind))
    for kind in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        limits = torch.iinfo(kind)
        out[str(kind)[6:]] = torch._neg_view(torch.tensor([0, 1, 100, limits.min, limits.max],
                                                          dtype=kind))
    return out


def parameter_state():
    """A parameter with attributes of its own, of which one is a tensor."""
    plain = nn.Parameter(torch.arange(3.0))
    tagged = nn.Parameter(torch.arange(4.0))
    tagged.tag = "x"
    tagged.scale = torch.tensor(2.0)
    return {"plain": plain, "tagged": tagged}


def optimizer2():
    """Model and optimizer, as PyTorch 2 names and counts them (steps are tensors)."""
    torch.manual_seed(4)
    net = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2, bias=False))
    optimizer = torch.optim.AdamW(net.parameters(), lr=torch.tensor(0.01))
    net(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    return {"model_state_dict": net.state_dict(), "optimizer_state_dict": optimizer.state_dict(),
            "epoch": 7}


def module2():
    """A whole nn.Module of PyTorch 2, wrapped for parallel work."""
    torch.manual_seed(5)
    return nn.ModuleList([nets.TinyNet(), nn.MultiheadAttention(4, 2), nn.Identity()])


def plain2():
    """A state dict to be saved in different ways."""
    torch.manual_seed(6)
    return nn.Linear(5, 3).state_dict()


def complex32():
    """A dtype that safetensors does not know."""
    return {"fine": torch.ones(2), "half": torch.ones(2, dtype=torch.complex32)}


GOOD = [new_dtypes, fnuz, two_types, lazy_signs, negatives, parameter_state, optimizer2, module2]
GOOD += composites2.COMPOSITES
UNSUPPORTED = [complex32] + composites2.UNSUPPORTED


def save_all(folder):
    """Writes every file of this list."""
    for make in GOOD:
        torch.save(make(), os.path.join(folder, "good", make.__name__ + ".pt"))
    for make in UNSUPPORTED:
        torch.save(make(), os.path.join(folder, "unsupported", make.__name__ + ".pt"))
    torch.save(plain2(), os.path.join(folder, "good", "with_crc.pt"))
    torch.serialization.set_crc32_options(False)
    torch.save(plain2(), os.path.join(folder, "good", "no_crc.pt"))
    torch.serialization.set_crc32_options(True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    nets.install()
    composites2.begin()
    save_all(sys.argv[1] if len(sys.argv) > 1 else HERE)
