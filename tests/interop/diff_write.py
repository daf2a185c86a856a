"""diff_write.py FOLDER: writes pairs of checkpoints, FOLDER/N.a.pt and FOLDER/N.b.pt, and to
FOLDER/pairs.json with which options they are to be compared and what torch itself finds: which
names are in one alone, which tensors have another dtype or shape, and of the others how many
elements differ, where the first one is, and the greatest differences. Runs under each torch."""

import json
import math
import os
import random
import sys

import torch

from tally import Tally

PAIRS = 200
FLOATS = ["float64", "float32", "float16", "bfloat16"]
FLOATS8 = ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"]
WHOLE = ["int8", "uint8", "int16", "int32", "int64", "bool"]
COMPLEX = ["complex64", "complex128"]
LIMITS = {"int8": 7, "uint8": 8, "int16": 15, "int32": 31, "int64": 63, "bool": 1}


def known(names):
    return [getattr(torch, name) for name in names if hasattr(torch, name)]


def name_of(dtype):
    return str(dtype).replace("torch.", "")


# ---- tensors ----

def values(chance, dtype, count, wide):
    """A vector of that dtype; `wide`: the whole range, else numbers that a double is exact for."""
    if dtype in known(COMPLEX):
        return torch.complex(values(chance, torch.float64, count, wide),
                             values(chance, torch.float64, count, wide)).to(dtype)
    if dtype not in known(WHOLE):
        numbers = [chance.choice([0.0, -0.0, 1.0, chance.gauss(0, 1), chance.gauss(0, 100),
                                  math.inf, -math.inf, math.nan] if chance.random() < .1 else
                                 [chance.gauss(0, 1)]) for _ in range(count)]
        return torch.tensor(numbers, dtype=torch.float64).to(dtype)
    bits = LIMITS[name_of(dtype)]
    signed = name_of(dtype).startswith("i")
    most = 2 ** (bits if wide else min(bits, 40)) - 1
    least = -most - 1 if signed else 0
    return torch.tensor([chance.choice([least, most, chance.randint(least, most)])
                         for _ in range(count)], dtype=torch.int64).to(dtype)


def changed(chance, tensor):
    """The same elements in the same shape, with some of them changed, or with other strides."""
    flat = tensor.reshape(-1).clone()
    count = flat.numel()
    how = chance.choice(["same", "one", "some", "near", "all"])
    other = values(chance, tensor.dtype, count, False) if count else flat
    places = {"same": [], "one": [chance.randrange(count)] if count else [], "all": range(count),
              "near": []}.get(how, [i for i in range(count) if chance.random() < .2])
    for place in places:
        flat[place] = other[place]
    if how == "near" and tensor.dtype in known(FLOATS + COMPLEX):
        flat = (flat.to(torch.complex128 if flat.is_complex() else torch.float64) *
                (1 + chance.choice([1e-7, 1e-4, 1e-2]))).to(tensor.dtype)
    return flat.reshape(tensor.shape)


def turned(chance, tensor):
    """The same tensor, as a view of another kind."""
    how = chance.randrange(4)
    if how == 1 and tensor.dim() > 1:
        return tensor.transpose(0, -1).contiguous().transpose(0, -1)
    if how == 2 and tensor.dim() and tensor.numel():
        wide = torch.cat([tensor.unsqueeze(-1)] * 2, -1)
        return wide.select(-1, 1)
    return tensor.contiguous()


def pair(chance, tolerant):
    dtypes = known(FLOATS * 2 + FLOATS8 + WHOLE + COMPLEX)
    a, b = {}, {}
    for number in range(chance.randint(1, 9)):
        name = "t.%d" % number
        shape = [chance.choice([0, 1, 2, 3, 5, 17, 40])
                 for _ in range(chance.randint(0, 3))] if chance.random() < .9 else [301, 401]
        dtype = chance.choice(dtypes if len(shape) != 2 or shape[0] != 301 else known(FLOATS))
        count = math.prod(shape)
        tensor = values(chance, dtype, min(count, 8000), not tolerant)
        tensor = tensor.repeat(count // 8000 + 1)[:count].reshape(shape)
        a[name], b[name] = turned(chance, tensor), turned(chance, changed(chance, tensor))
        fate = chance.random()
        if fate < .05:
            del a[name]
        elif fate < .1:
            del b[name]
        elif fate < .15:
            b[name] = b[name].reshape(-1)
        elif fate < .3 and not dtype.is_complex and dtype not in known(FLOATS8):
            b[name] = b[name].to(torch.int16 if fate < .2 and dtype in known(WHOLE)
                                 else chance.choice(known(FLOATS)))
    return a, b


# ---- what torch says of them ----

def raw(tensor):
    """The bytes of each element, as rows."""
    flat = torch.empty(tensor.numel(), dtype=tensor.dtype).copy_(tensor.reshape(-1))
    if flat.is_complex():
        flat = torch.view_as_real(flat)
    return flat.view(torch.uint8).reshape(tensor.numel(), -1) if tensor.numel() else \
        torch.zeros(0, 1, dtype=torch.uint8)


def maximum(tensor):
    return float(tensor.max()) if tensor.numel() else 0.0


def whole(a, b, rules):
    """Differences of integers, by Python's own; which differ; and the greatest."""
    x, y = [[int(v) for v in t.reshape(-1).tolist()] for t in (a, b)]
    far = [abs(p - q) for p, q in zip(x, y)]
    rel = [d / abs(q) if q else math.inf if d else 0.0 for d, q in zip(far, y)]
    if rules["close"]:
        differs = ~torch.isclose(a.double(), b.double(), rtol=rules["rtol"],
                                 atol=rules["atol"]).reshape(-1)
    else:
        differs = torch.tensor([d != 0 for d in far], dtype=torch.bool)
    return differs, {"max_abs": max(far, default=0), "max_rel": max(rel, default=0.0),
                     "nan_a": 0, "nan_b": 0, "nan_both": 0}


def real(a, b, rules):
    wide = torch.complex128 if a.is_complex() or b.is_complex() else torch.float64
    x, y = a.reshape(-1).to(wide), b.reshape(-1).to(wide)
    nan_x, nan_y = torch.isnan(x), torch.isnan(y)
    if rules["close"]:
        differs = ~torch.isclose(x, y, rtol=rules["rtol"], atol=rules["atol"],
                                 equal_nan=rules["equal_nan"])
        assert torch.allclose(x, y, rtol=rules["rtol"], atol=rules["atol"],
                              equal_nan=rules["equal_nan"]) == (not differs.any())
    else:
        differs = (x != y) & ~(nan_x & nan_y)
    if a.dtype == b.dtype and not rules["close"]:
        differs = (raw(a) != raw(b)).any(1)
        if rules["equal_nan"]:
            differs &= ~(nan_x & nan_y)
    parts = torch.view_as_real(x) if x.is_complex() else x.unsqueeze(-1), \
        torch.view_as_real(y) if y.is_complex() else y.unsqueeze(-1)
    far = parts[0] - parts[1]
    far[parts[0] == parts[1]] = 0
    far = torch.complex(far[:, 0], far[:, 1]).abs() if x.is_complex() else far[:, 0].abs()
    rel = far / y.abs()
    rel[far == 0] = 0
    rel[torch.isnan(rel) & ~nan_x & ~nan_y] = math.inf
    numbers = ~nan_x & ~nan_y
    return differs, {
        "max_abs": maximum(far[numbers]), "max_rel": maximum(rel[numbers]),
        "nan_a": int((differs & nan_x & ~nan_y).sum()),
        "nan_b": int((differs & nan_y & ~nan_x).sum()),
        "nan_both": int((differs & nan_x & nan_y).sum())}


def compare(a, b, rules):
    """What differs between two tensors; None: nothing."""
    shape, dtype = a.shape != b.shape, a.dtype != b.dtype and not rules["ignore_dtype"]
    found = {"shape_differs": shape, "dtype_differs": dtype, "values_differ": False}
    if shape:
        return found
    both_whole = a.dtype in known(WHOLE) and b.dtype in known(WHOLE)
    differs, sizes = (whole if both_whole else real)(a, b, rules)
    where = differs.nonzero().reshape(-1).tolist()
    found.update(sizes, values_differ=bool(where), elements=a.numel(), differing=len(where))
    if where:
        place, index = where[0], []
        for size in reversed(a.shape):
            index.insert(0, place % size)
            place //= size
        found["first"] = index
    if not rules["close"] and a.dtype == b.dtype and not sizes["nan_a"] + sizes["nan_b"]:
        # torch.equal knows no bits: zeros and NaN aside it says the same
        plain = torch.isfinite(a.double()).all() if not a.is_complex() else False
        if plain and not ((a == 0) & (b == 0)).any():
            assert torch.equal(a.double(), b.double()) == (not where) or both_whole
    return found if shape or dtype or where else None


def spell(found):
    return {k: "inf" if isinstance(v, float) and math.isinf(v) else v for k, v in found.items()}


def judge(a, b, rules):
    wrong = {}
    for name in sorted(set(a) | set(b)):
        if name not in b or name not in a:
            wrong[name] = {"only": "b" if name in b else "a"}
            continue
        found = compare(a[name], b[name], rules)
        if found:
            wrong[name] = spell(found)
    return wrong


def main(folder):
    torch.set_default_dtype(torch.float64)
    tally = Tally("diff write " + torch.__version__)
    chance = random.Random("diff" + os.environ.get("CKCONV_INTEROP_SEED", ""))
    rows = []
    for number in range(PAIRS):
        close = chance.random() < .5
        rules = {"close": close, "equal_nan": chance.random() < .3,
                 "ignore_dtype": chance.random() < .5,
                 "atol": chance.choice([0.0, 1e-6, 1e-3, 1.0, 100.0]) if close else 0.0,
                 "rtol": chance.choice([0.0, 1e-6, 1e-3, 0.1]) if close else 0.0}
        a, b = pair(chance, close)
        if not a or not b:
            continue
        for side, tensors in (("a", a), ("b", b)):
            torch.save(tensors, os.path.join(folder, "%d.%s.pt" % (number, side)),
                       _use_new_zipfile_serialization=chance.random() < .8)
        rows.append({"number": number, "rules": rules, "wrong": judge(a, b, rules),
                     "names": [len(a), len(b)]})
        tally.check(number, "")
    with open(os.path.join(folder, "pairs.json"), "w", encoding="utf-8") as file:
        json.dump(rows, file)
    tally.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
