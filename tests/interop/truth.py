"""What a checkpoint says, worked out with torch and without ckconv: the names by the rules of the
design, the values as bytes in C order. Both the writers and the judge rely on it."""

import ctypes
import hashlib
import json
import struct
import types
from collections import deque

import numpy
import torch
from torch import nn

FORMAT = {"format": "pt"}

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

NO_TENSORS = ("float128", "float96", "complex256", "complex192")  # long double: values
# The old torch does not write whether indices are sorted and unique.
SAVES_COALESCED = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 0)


def dtype_name(tensor):
    if isinstance(tensor, numpy.ndarray):
        return tensor.dtype.name  # whatever its byte order
    return str(tensor.dtype).replace("torch.", "")


def raw(tensor):
    """The values as C would hold them: what safetensors stores."""
    if isinstance(tensor, numpy.ndarray):
        return native(tensor).tobytes()
    tensor = tensor.detach().resolve_conj().resolve_neg()
    if not tensor.numel():
        return b""
    tensor = tensor.clone(memory_format=torch.contiguous_format)
    return ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size())


def native(array):
    """An array in C order and in the byte order of this machine."""
    kind = array.dtype.newbyteorder("=")
    return numpy.array(array, dtype=kind, order="C", subok=False)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def describe(tensor):
    return [DTYPES[dtype_name(tensor)], list(tensor.shape), digest(raw(tensor))]


# ---- tensors that are several ----

def _quantized(tensor):
    """The suffixes and tensors, and the facts, of one whose integers have a meaning."""
    whole = tensor.int_repr()
    if tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        scale = torch.tensor(tensor.q_scale(), dtype=torch.float64)
        zero = torch.tensor(tensor.q_zero_point(), dtype=torch.int64)
        return [("", whole), (".scale", scale), (".zero_point", zero)], {
            ".qscheme": "per_tensor_affine"}
    return [("", whole), (".scales", tensor.q_per_channel_scales()),
            (".zero_points", tensor.q_per_channel_zero_points())], {
                ".axis": str(tensor.q_per_channel_axis()), ".qscheme": "per_channel_affine"}


_COMPRESSED = {  # layout -> its two lists of indices
    torch.sparse_csr: ("crow_indices", "col_indices"),
    torch.sparse_bsr: ("crow_indices", "col_indices"),
    torch.sparse_csc: ("ccol_indices", "row_indices"),
    torch.sparse_bsc: ("ccol_indices", "row_indices"),
}


def _sparse(tensor):
    facts = {".layout": str(tensor.layout).replace("torch.", ""),
             ".shape": str(list(tensor.shape))}
    if tensor.layout != torch.sparse_coo:
        return [("." + name, getattr(tensor, name)())
                for name in (*_COMPRESSED[tensor.layout], "values")], facts
    if SAVES_COALESCED:
        facts[".is_coalesced"] = str(tensor.is_coalesced()).lower()
    return [(".indices", tensor._indices()), (".values", tensor._values())], facts


def _nested(tensor):
    parts = [(".buffer", tensor.values() if hasattr(tensor, "values") else None),
             (".sizes", tensor._nested_tensor_size()),
             (".strides", tensor._nested_tensor_strides()),
             (".offsets", tensor._nested_tensor_storage_offsets())]
    return parts, {".layout": "nested"}


def _split(parts):
    """Each complex tensor as its real and its imaginary part."""
    for suffix, tensor in parts:
        if tensor.dtype.is_complex:
            yield suffix + ".real", torch.view_as_real(tensor.resolve_conj())[..., 0]
            yield suffix + ".imag", torch.view_as_real(tensor.resolve_conj())[..., 1]
        else:
            yield suffix, tensor


def expand(tensor, wishes):
    """[(suffix, plain tensor)] of any tensor, and the facts that go to the metadata."""
    if isinstance(tensor, numpy.ndarray):
        if tensor.dtype.kind == "c" and "split" in wishes:
            return [(".real", tensor.real), (".imag", tensor.imag)], {}
        return [("", tensor)], {}
    tensor = tensor.detach()
    parts, facts = [("", tensor)], {}
    if tensor.is_quantized and "--dequantize" in wishes:
        parts = [("", tensor.dequantize())]
    elif tensor.is_quantized:
        parts, facts = _quantized(tensor)
    elif tensor.is_nested:
        parts, facts = _nested(tensor)
    elif tensor.layout != torch.strided and "--densify" in wishes:
        parts = [("", tensor.to_dense())]
    elif tensor.layout != torch.strided:
        parts, facts = _sparse(tensor)
    return list(_split(parts)) if "split" in wishes else parts, facts


# ---- finding them ----

def _is_tensor(value):
    if isinstance(value, numpy.ndarray):
        return value.dtype.kind in "biufc" and dtype_name(value) not in NO_TENSORS
    return isinstance(value, torch.Tensor) and value.device.type != "meta" and not isinstance(
        value, nn.parameter.UninitializedTensorMixin)


def _attributes(value):
    if isinstance(value, (type, torch.Tensor, torch.dtype, types.ModuleType)):
        return []
    return [(str(key), child) for key, child in getattr(value, "__dict__", {}).items()]


def _parts(value):
    """[(path, child)] of what has parts; the names inside a module are those of its state_dict."""
    if isinstance(value, nn.Module):
        return [(tuple(name.split(".")), child)
                for name, child in value.state_dict(keep_vars=True).items()
                if not name.endswith("_extra_state")]
    found = _attributes(value)
    if isinstance(value, dict):
        found += [(str(key), child) for key, child in value.items()]
    elif isinstance(value, numpy.ndarray) and value.dtype == object:
        found += [(str(i), child) for i, child in enumerate(value.ravel())]
    elif isinstance(value, (list, tuple, deque)):
        found += [(str(i), child) for i, child in enumerate(value)]
    return [((key,), child) for key, child in found]


def _find(value, path, found, open_values=()):
    if _is_tensor(value):
        found.append((path, value))
        return
    if any(value is other for other in open_values):  # it contains itself
        return
    for keys, child in _parts(value):
        _find(child, path + keys, found, (*open_values, value))


def _root(found):
    """How many keys belong to the root that is chosen when nobody asks for one."""
    if any(len(path) < 2 for path, _ in found):
        return 0
    homes = {path[0] for path, _ in found} & set(HOMES)
    return 1 if len(homes) == 1 else 0


def _below(value, root):
    """[(path, tensor)] of what belongs to the root, and the length of its path."""
    found = []
    _find(value, (), found)
    if root is None:
        depth = _root(found) if isinstance(value, dict) else 0
        top = next(path[0] for path, _ in found if path[0] in HOMES) if depth else ""
    else:
        depth, top = (0, "") if root == "." else (root.count(".") + 1, root)
    return [(path[depth:], tensor) for path, tensor in found if ".".join(path[:depth]) == top]


def of(value, root=None, wishes=()):
    """Name -> plain tensor, and the metadata of the file that holds them. `root` is what --root is
    given, None: nothing; `wishes` are other options."""
    named, metadata = {}, dict(FORMAT)
    for path, tensor in _below(value, root):
        name = ".".join(path) if path else "tensor"
        parts, facts = expand(tensor, wishes)
        for suffix, part in parts:
            if name + suffix in named:
                raise ValueError("two tensors are named " + name + suffix)
            named[name + suffix] = part
        metadata.update({name + suffix: text for suffix, text in facts.items()})
    return named, metadata


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
