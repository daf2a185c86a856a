"""Tensors that consist of several and do not fit together, for make_bad.py. Nothing here is ever
unpickled."""
import struct

import craft
from craft import call, floats, integer, integers, list_of, name, named, storage, tensor, text, \
    tuple_of, vector


def longs(*values):
    """Little-endian int64."""
    return struct.pack("<%dq" % len(values), *values)


def packed(value, storages):
    """A checkpoint with a sound tensor beside the value."""
    return craft.archive(craft.checkpoint(craft.pickle(named(fine=vector("f", 1), x=value)),
                                          {"f": floats(1), **storages}))


def indices(key, shape, stride=None):
    """A tensor of int64; C order unless told otherwise."""
    count = 1
    for size in shape:
        count *= size
    stride = stride or [count // shape[0]] * (len(shape) - 1) + [1]
    return tensor(storage("LongStorage", key, 6), shape, stride)


def sparse(layout, *data):
    """_rebuild_sparse_tensor."""
    of = call(name("torch.serialization", "_get_layout"), text("torch." + layout))
    return call(name("torch._utils", "_rebuild_sparse_tensor"), of, tuple_of(*data))


def coordinates(places, size, count=3):
    """Three values of float32 at places of two dimensions."""
    value = sparse("sparse_coo", indices("i", [2, count]), vector("v", 3), integers(size))
    return packed(value, {"i": longs(*places), "v": floats(1, 2, 3)})


def rows(crow, columns, size=(3, 4), layout="sparse_csr"):
    """Three values of float32 in compressed rows."""
    value = sparse(layout, tensor(storage("LongStorage", "c", len(crow)), [len(crow)], [1]),
                   tensor(storage("LongStorage", "p", 3), [3], [1]), vector("v", 3), integers(size))
    return packed(value, {"c": longs(*crow), "p": longs(*columns), "v": floats(1, 2, 3)})


def bad_sparse():
    """Sparse tensors whose indices or sizes are wrong."""
    block = sparse("sparse_bsr", indices("i", [2]), indices("i", [1]),
                   tensor(storage("FloatStorage", "v", 3), [1, 1, 3], [3, 3, 1]), integers([2, 4]))
    return {
        "sparse_index_beyond": coordinates((0, 1, 2, 0, 4, 0), [3, 4]),
        "sparse_index_negative": coordinates((0, 1, -1, 0, 0, 0), [3, 4]),
        "sparse_sizes_differ": coordinates((0, 1, 2, 0, 0, 0), [3, 4], 2),
        "sparse_dimensions_differ": coordinates((0, 1, 2, 0, 0, 0), [3, 4, 5]),
        "sparse_without_room": coordinates((0, 1, 2, 0, 0, 0), [0, 4]),
        "sparse_layout": packed(sparse("sparse_odd", vector("v", 3)), {"v": floats(1, 2, 3)}),
        "sparse_rows_descend": rows((0, 2, 1, 3), (0, 1, 2)),
        "sparse_rows_beyond": rows((0, 9, 9, 3), (0, 1, 2)),
        "sparse_rows_end_early": rows((0, 1, 2, 2), (0, 1, 2)),
        "sparse_rows_begin_late": rows((1, 1, 2, 3), (0, 1, 2)),
        "sparse_rows_missing": rows((0, 1, 3), (0, 1, 2)),
        "sparse_column_beyond": rows((0, 1, 2, 3), (0, 4, 2)),
        "sparse_row_beyond": rows((0, 1, 2, 3, 3), (0, 3, 2), layout="sparse_csc"),
        "sparse_block_odd": packed(block, {"i": longs(0, 1, 0, 0, 0, 0), "v": floats(1, 2, 3)}),
    }


SCHEME = "per_tensor_affine"


def quantized(parameters, kind="QInt8Storage", shape=(2, 3), stride=(3, 1), storages=None, **crc):
    """_rebuild_qtensor of six bytes, or of one that is expanded."""
    hooks = call(name("collections", "OrderedDict"))
    value = call(name("torch._utils", "_rebuild_qtensor"),
                 storage(kind, "q", 6), integer(0), integers(shape), integers(stride),
                 parameters, craft.FALSE, hooks)
    members = craft.checkpoint(craft.pickle(named(fine=vector("f", 1), x=value)),
                               {"f": floats(1), **(storages or {})})
    return craft.archive(members + [craft.Member("archive/data/q", bytes(range(6)), **crc)])


def affine(scale=craft.real(0.5), zero=integer(3), scheme=SCHEME):
    """The parameters of a tensor that is quantized as a whole."""
    return tuple_of(name("torch", scheme), scale, zero)


def channels(scales, zeros, axis=integer(1)):
    """Those of one that is quantized by channel, in lists."""
    return tuple_of(name("torch", "per_channel_affine"), list_of(*map(craft.real, scales)),
                    list_of(*map(integer, zeros)), axis)


def bad_quantized():
    """Quantized tensors whose parameters are wrong, or whose bytes are damaged."""
    return {
        "quantized_of_floats": quantized(affine(), "CharStorage"),
        "quantized_scheme": quantized(affine(scheme="per_tensor_symmetric")),
        "quantized_scale_as_text": quantized(affine(scale=text("0.5"))),
        "quantized_zero_as_real": quantized(affine(zero=craft.real(3.0))),
        "quantized_without_zero": quantized(tuple_of(name("torch", SCHEME), craft.real(0.5))),
        "quantized_without_parameters": quantized(craft.NONE),
        "quantized_scales_missing": quantized(channels((0.5, 1), (1, 2, 3))),
        "quantized_zeros_missing": quantized(channels((0.5, 1, 2), (1, 2))),
        "quantized_axis_as_text": quantized(channels((0.5, 1, 2), (1, 2, 3), text("1"))),
        "quantized_beyond_storage": quantized(affine(), shape=(2, 4), stride=(4, 1)),
        "quantized_crc": quantized(affine(), crc=1),
    }


def composite_floods():
    """Few bytes that would become very many."""
    far = sparse("sparse_coo", indices("i", [2, 1 << 40], [1, 0]),
                 tensor(storage("FloatStorage", "v", 3), [1 << 40], [0]), integers([3, 4]))
    return {
        "dense_bomb": coordinates((0, 1, 2, 0, 0, 0), [1 << 20, 1 << 20]),
        "dense_overflow": coordinates((0, 1, 2, 0, 0, 0), [1 << 40, 1 << 40]),
        "sparse_expanded": packed(far, {"i": longs(0, 0, 0, 0, 0, 0), "v": floats(1, 2, 3)}),
        "quantized_bomb": quantized(affine(), shape=(1 << 33,), stride=(0,)),
    }


# ---- one value that many others share: work must not multiply ----

SHARED = 200


def many(state, each, before=b""):
    """A list of calls that all name one value, number 0, put there before."""
    return craft.pickle(state + craft.put(0) + craft.POP + before + list_of(*[each] * SHARED), 4)


def shared_states():
    """Pickles of a few kB in which a value of 200 items is named 200 times."""
    pairs = [(text(str(i)), integer(1)) for i in range(SHARED)]
    zero, one, keep = craft.get(0), craft.get(1), craft.put(1) + craft.POP
    wrapper = call(name("torch._utils", "_rebuild_wrapper_subclass"), name("own.tensors", "Packed"))
    shard = call(name("own.shards", "Shard")) + craft.dict_of(
        *pairs, (text("tensor"), call(name("own.shards", "Nothing")))) + craft.BUILD
    sharded = call(name("torch.distributed._shard.sharded_tensor.api", "ShardedTensor"))
    mapping = call(name("collections", "OrderedDict")) + craft.dict_of(*pairs)[1:]
    persistent = name("torch_utils.persistence", "_reconstruct_persistent_obj")
    jagged = name("torch.nested._internal.nested_tensor", "_rebuild_njt")
    parts = craft.dict_of(*pairs, (text("values"), vector("0", 1)),
                          (text("offsets"), vector("0", 1)))
    expanded = named(w=call(
        name("torch._utils", "_rebuild_sparse_csr_tensor"), text("torch.sparse_csr"),
        tuple_of(tensor(storage("LongStorage", "i", 1), [1 << 22, 2], [0, 0]),
                 tensor(storage("LongStorage", "i", 1), [1 << 22, 0], [0, 0]),
                 tensor(storage("FloatStorage", "v", 1), [1 << 22, 0], [0, 0]),
                 integers([1 << 22, 1, 1]))))
    return {
        "shared_wrapped": many(craft.dict_of(*pairs), wrapper + zero + craft.BUILD),
        "shared_shard": craft.pickle(shard + craft.put(0) + craft.POP + sharded + tuple_of(
            list_of(*[zero] * SHARED)) + craft.BUILD),
        "shared_persistent": many(mapping, one + tuple_of(zero) + craft.REDUCE,
                                  before=persistent + keep),
        "shared_text": craft.archive(craft.checkpoint(craft.pickle(named(
            w=vector("0", 2), x=text("a" * 100000) + craft.put(0), y=list_of(*[zero] * 4000))),
            {"0": floats(1, 2)}, method=8)),
        "shared_names": many(text("m" * 4000), zero + text("n") + b"\x93"),
        "shared_jagged": craft.archive(craft.checkpoint(
            many(parts, one + tuple_of(zero) + craft.REDUCE, before=jagged + keep),
            {"0": floats(1)})),
        "batches_expanded": craft.archive(craft.checkpoint(craft.pickle(expanded),
                                                           {"i": longs(0), "v": floats(1)})),
    }
