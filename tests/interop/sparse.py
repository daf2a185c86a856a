"""Cases of sparse and nested tensors: their parts, and with --densify what to_dense() gives."""

import torch
from torch import nn

from cases import NEW, VERSION, case, composite, save_legacy


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


@composite("--densify", forward=False, strict=["left out"])
def sparse_everywhere(source):
    """Inside a module, and in the state of an optimizer."""
    model = nn.Linear(2, 2)
    model.register_buffer("graph", coo(source, torch.float32, (3, 3), 3, coalesce=True))
    return {"model": model, "list": [dense(source, 2, 3).to_sparse_csr()]}


@composite("--densify")
def sparse_parameters(source):
    return {"p": nn.Parameter(coo(source, torch.float32, (3, 4), 5, coalesce=True)),
            "e": nn.Embedding(5, 2, sparse=True)}


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


@composite("--densify", since=NEW)
def jagged(source):
    """Another kind of nested ones: a subclass that holds a tensor of values and one of offsets."""
    return {"j": torch.nested.nested_tensor([source.floats(2, 3), source.floats(4, 3)],
                                            layout=torch.jagged),
            "int": torch.nested.nested_tensor([torch.arange(2), torch.arange(0), torch.arange(3)],
                                              layout=torch.jagged),
            "w": source.floats(2)}
