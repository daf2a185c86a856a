"""Cases that nobody thought of: chains of random views, made from a seed."""

import math
from collections import OrderedDict

import torch

from cases import (COMMON, LATER, NEW, VERSION, case, save_through_buffer, save_to_path,
                   with_protocol)

def random_shape(source, most):
    shape = [source.pick((1, 1, 2, 3, 5, 7, 8, 16, 33)) for _ in range(source.below(6))]
    if source.below(40) == 0 and shape:
        shape[source.below(len(shape))] = 0
    if most > 1 << 17:
        shape = [source.pick((517, 1024, 1300, 2049)), source.pick((3, 300, 513, 1031))]
        shape.insert(source.below(3), source.pick((1, 1, 2, 3)))
    while math.prod(shape) > most:
        shape.pop()
    return shape


def random_step(source, view):
    """One more view of a view."""
    dims = view.dim()
    what = source.below(10)
    if what == 0:
        return view.unsqueeze(source.below(dims + 1))
    if what == 1 and view.numel() < 1 << 16:
        return view.expand(source.pick((1, 2, 3)), *view.shape)
    if not dims:
        return view
    dim = source.below(dims)
    size = view.shape[dim]
    if what == 2:
        return view.permute(*source.rng.permutation(dims).tolist())
    if what == 3:
        return view.transpose(dim, source.below(dims))
    if what == 4 and size:
        start = source.below(size)
        return view.narrow(dim, start, 1 + source.below(size - start))
    if what == 5:
        return view[(slice(None),) * dim + (slice(source.below(size + 1), None,
                                                  source.pick((1, 2, 3, 7))),)]
    if what == 6 and size and view.numel() < 1 << 16:
        return view.select(dim, source.below(size))
    if what == 7 and dims > 1:
        other = (dim + 1 + source.below(dims - 1)) % dims
        return view.diagonal(source.below(3) - 1, dim, other)
    if what == 8 and size > 2 and view.numel() < 1 << 15:
        return view.unfold(dim, 1 + source.below(size - 1), source.pick((1, 2)))
    if what == 9:
        return view.squeeze()
    return view


def random_recipe(source, dtype, earlier, large):
    view = source.pick(earlier) if earlier and source.below(3) == 0 else source.bits(
        dtype, *random_shape(source, 1 << 22 if large else 1 << 15))
    for _ in range(source.below(7)):
        view = random_step(source, view)
    if VERSION < NEW:  # it would lose both bits
        return view
    if view.dtype == torch.complex64 and source.below(2):
        view = view.conj()
    if view.dtype in (torch.float64, torch.int32, torch.uint8) and source.below(4) == 0:
        view = torch._neg_view(view)
    return view


def random_case(source, which):
    dtype = source.pick(which)
    tensors, earlier = OrderedDict(), []
    for i in range(10):
        if source.below(3) == 0:
            dtype, earlier = source.pick(which), []
        view = random_recipe(source, dtype, earlier, large=source.below(25) == 0)
        earlier.append(view)
        tensors["t%d" % i] = view
    return {"state_dict": tensors, "inner": list(tensors.values())[:3]}


for _i in range(40):
    case(name="random-%02d" % _i,
         save=with_protocol(2 + _i % 4, save_through_buffer if _i % 3 else save_to_path),
         root="." if _i % 5 == 0 else None)(
        lambda source, which=LATER if _i % 8 == 7 else COMMON: random_case(source, which))
