"""What a checkpoint says, worked out with torch and without ckconv: the names by the rules of the
design, the values as bytes in C order. Both the writers and the judge rely on it."""

import ctypes
import hashlib
import json
import struct
from collections import deque

import torch

# Where training scripts keep the weights: with exactly one of them, it is the root.
HOMES = ("state_dict", "model_state_dict", "model", "module", "net", "params", "weights")

# torch's name -> safetensors' name, in the order in which the reference library lists tensors.
DTYPES = {
    "uint64": "U64", "int64": "I64", "float64": "F64", "complex64": "C64", "float32": "F32",
    "uint32": "U32", "int32": "I32", "bfloat16": "BF16", "float16": "F16", "uint16": "U16",
    "int16": "I16", "float8_e5m2fnuz": "F8_E5M2FNUZ", "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "int8": "I8", "uint8": "U8",
    "bool": "BOOL",
}


def dtype_name(tensor):
    return str(tensor.dtype).replace("torch.", "")


def raw(tensor):
    """The values as C would hold them: what safetensors stores."""
    tensor = tensor.detach().resolve_conj().resolve_neg()
    if not tensor.numel():
        return b""
    tensor = tensor.clone(memory_format=torch.contiguous_format)
    return ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size())


def digest(data):
    return hashlib.sha256(data).hexdigest()


def describe(tensor):
    return [DTYPES[dtype_name(tensor)], list(tensor.shape), digest(raw(tensor))]


def _parts(value):
    """The named children of a container; None for everything else."""
    if isinstance(value, dict):
        return [(str(key), child) for key, child in value.items()]
    if isinstance(value, (list, tuple, deque)):
        return [(str(i), child) for i, child in enumerate(value)]
    return None


def _find(value, path, found):
    if isinstance(value, torch.Tensor):
        if value.device.type != "meta":
            found.append((path, value))
        return
    for key, child in _parts(value) or ():
        _find(child, path + (key,), found)


def _root(found):
    """How many keys belong to the root that is chosen when nobody asks for one."""
    if any(len(path) < 2 for path, _ in found):
        return 0
    homes = {path[0] for path, _ in found} & set(HOMES)
    return 1 if len(homes) == 1 else 0


def tensors_of(value, root=None):
    """Name -> tensor. `root` is what --root is given, None: nothing."""
    found = []
    _find(value, (), found)
    if root is None:
        depth = _root(found)
        top = next(path[0] for path, _ in found if path[0] in HOMES) if depth else ""
    else:
        depth, top = (0, "") if root == "." else (root.count(".") + 1, root)
    named = {}
    for path, tensor in found:
        if ".".join(path[:depth]) != top:
            continue
        name = ".".join(path[depth:]) if len(path) > depth else "tensor"
        if name in named:
            raise ValueError("two tensors are named " + name)
        named[name] = tensor
    return named


def file_bytes(tensors, metadata):
    """The safetensors file for name -> (dtype, shape, data), as the format's text and the reference
    library's order have it. For the dtypes that the library of the judge cannot write yet."""
    rank = {dtype: i for i, dtype in enumerate(DTYPES.values())}
    names = sorted(tensors, key=lambda name: (rank[tensors[name][0]], name.encode()))
    header, at = {"__metadata__": metadata}, 0
    for name in names:
        dtype, shape, data = tensors[name]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(tensors[name][2] for name in names)
