#!/usr/bin/env python3
"""Writes archives that no PyTorch of Debian's writes: TorchScript of PyTorch 1.0 to 1.3 and
torch.export since 2.7, whose tensors are listed in JSON, right (good/, with their outputs) and
wrong (bad/); and broken ones of torch.jit and torch.package.

usage: make_tables.py [FOLDER]     (default: the folder of this script)

Plain Python. Needs good/script.pt, good/package.pt and good/package_script.pt there. The fields of
the JSON are those of
torch/csrc/jit/serialization/import_legacy.cpp and torch/_export/serde/schema.py.
"""
import copy
import json
import os
import struct
import sys

import craft
from craft import Member, call, floats, integer, list_of, name, tuple_of

HERE = os.path.dirname(os.path.abspath(__file__))


# ---- PyTorch 1.0 to 1.3 ----

def table_row(key, kind, dims, strides, offset=0):
    """A tensor of model.json; protobuf spells numbers of 64 bits as strings."""
    return {"dims": [str(n) for n in dims], "offset": str(offset),
            "strides": [str(n) for n in strides], "requiresGrad": False, "dataType": kind,
            "data": {"key": "tensors/" + key}, "device": "cpu"}


def old_model():
    """model.json of a module with a part: parameters, a buffer, attributes, and a constant."""
    part = {"name": "part", "optimize": True, "parameters": [
        {"isBuffer": False, "tensorId": "1", "name": "weight"},
        {"isBuffer": True, "tensorId": "2", "name": "steps"}],
            "attributes": [{"type": "Tensor", "name": "steps", "id": "0"}]}
    main = {"torchscriptArena": {"key": "code/old.py"}, "name": "old", "optimize": True,
            "parameters": [{"isBuffer": False, "tensorId": "0", "name": "bias"}],
            "submodules": [part],
            "attributes": [{"type": "Tensor", "name": "value", "id": "0"},
                           {"type": "List[Tensor]", "name": "many", "id": "1"},
                           {"type": "int", "name": "count", "id": "2"}]}
    tensors = [table_row("0", "FLOAT", [3], [1]), table_row("1", "FLOAT", [2, 3], [1, 2], 1),
               table_row("2", "INT64", [], []), table_row("3", "DOUBLE", [2], [1]),
               table_row("3", "DOUBLE", [1], [1], 1), table_row("4", "UINT8", [4], [1])]
    return {"protoVersion": "3", "mainModule": main, "producerName": "pytorch",
            "producerVersion": "1.1", "tensors": tensors}


def old_members(model):
    """The whole archive."""
    code = ("op_version_set = 0\ndef forward(self,\n    x: Tensor) -> Tensor:\n"
            "  return torch.add(x, CONSTANTS.c5, alpha=1)\n")
    numbered = name("torch.jit._pickle", "build_tensor_from_id")
    tensors = name("torch.jit._pickle", "build_tensorlist")
    first, second = (call(numbered, integer(i)) for i in (3, 4))
    values = tuple_of(first, call(tensors, list_of(second, first)),
                            integer(5))
    data = [floats(1, 2, 3), floats(*range(7)), struct.pack("<q", 7),
            struct.pack("<2d", 0.5, 1.5), bytes([1, 2, 3, 255])]
    return ([Member("old/version", b"1\n"), Member("old/code/old.py", code.encode()),
             Member("old/attributes.pkl", craft.pickle(values))] +
            [Member("old/tensors/%d" % i, d) for i, d in enumerate(data)] +
            [Member("old/model.json", json.dumps(model).encode())])


def old_archive(change=lambda model: None, members=lambda members: None):
    """The archive, after changes to the model and to its members."""
    model = old_model()
    change(model)
    files = old_members(model)
    members(files)
    return craft.archive(files)


def old_output():
    """What is in it, by hand."""
    return {"bias": ("F32", [3], floats(1, 2, 3)),
            "part.weight": ("F32", [2, 3], floats(1, 3, 5, 2, 4, 6)),
            "part.steps": ("I64", [], struct.pack("<q", 7)),
            "value": ("F64", [2], struct.pack("<2d", 0.5, 1.5)),
            "many.0": ("F64", [1], struct.pack("<d", 1.5)),
            "many.1": ("F64", [2], struct.pack("<2d", 0.5, 1.5)),
            "constants.5": ("U8", [4], bytes([1, 2, 3, 255]))}


def old_parts():
    """A model of nothing but parts, one of which is called as a usual home of weights."""
    def change(model):
        main = model["mainModule"]
        for key in ("parameters", "attributes"):
            main.pop(key)
        main["submodules"][0]["name"] = "model"
        main["submodules"].append({"name": "head", "parameters": [
            {"isBuffer": False, "tensorId": "0", "name": "bias"}]})
        model["tensors"] = model["tensors"][:3]

    output = old_output()
    return old_archive(change), {"model.weight": output["part.weight"],
                                 "model.steps": output["part.steps"], "head.bias": output["bias"]}


def bad_old():
    """Models that break off, or whose parts do not fit each other."""
    sound = old_archive()

    def json_is(text):
        return old_archive(members=lambda files: files.__setitem__(-1, Member(
            "old/model.json", text)))

    def row(**fields):
        return old_archive(lambda model: model["tensors"][1].update(fields))

    return {
        "model_cut": sound[:-600],
        "model_json_cut": json_is(json.dumps(old_model()).encode()[:-9]),
        "model_json_deep": json_is(b"[" * 3000),
        "model_json_empty": json_is(b"{}"),
        "model_json_nul": json_is(b'{"mainModule": {"name": "a\\u0000b"}}'),
        "model_json_latin1": json_is(b'{"mainModule": {"name": "\xff"}}'),
        "model_no_name": old_archive(lambda model: model["mainModule"]["submodules"][0].pop(
            "name")),
        "model_no_member": row(data={"key": "tensors/9"}),
        "model_no_tensor": old_archive(lambda model: model["mainModule"]["parameters"][0].update(
            tensorId="6")),
        "model_no_attribute": old_archive(lambda model: model["mainModule"]["attributes"][0].update(
            id="3")),
        "model_attribute_as_text": old_archive(
            lambda model: model["mainModule"]["attributes"][0].update(id="one")),
        "model_values_as_dict": old_archive(members=lambda files: files.__setitem__(2, Member(
            "old/attributes.pkl", craft.pickle(craft.EMPTY_DICT)))),
        "model_beyond": row(offset="2"),
        "model_strides": row(strides=["1"]),
        "model_negative": row(dims=["-2", "3"]),
        "model_huge": row(dims=["9223372036854775807", "3"]),
        "model_dims_as_real": row(dims=[2.5, 3]),
    }


def unsupported_old():
    """Tensors that no safetensors file holds, and a model without any."""
    return {
        "model_quantized": old_archive(lambda model: model["tensors"][1].update(
            isQuantized=True, scale=0.5, zeroPoint="3")),
        "model_strings": old_archive(lambda model: model["tensors"][1].update(dataType="STRING")),
        "model_empty": craft.archive([
            Member("old/version", b"1\n"), Member("old/attributes.pkl", craft.pickle(tuple_of())),
            Member("old/model.json", json.dumps({"mainModule": {"name": "old"}}).encode())]),
    }


# ---- torch.export since PyTorch 2.7 ----

def number(value):
    """A size, as the schema spells it."""
    return {"as_int": value}


def export_row(file, kind, sizes, strides, offset=0, pickled=False, layout=7):
    """A row of the table of tensors."""
    meta = {"dtype": kind, "sizes": [number(n) for n in sizes], "requires_grad": False,
            "device": {"type": "cpu", "index": None}, "strides": [number(n) for n in strides],
            "storage_offset": number(offset), "layout": layout}
    return {"path_name": file, "is_param": True, "use_pickle": pickled, "tensor_meta": meta}


def inner(value, data):
    """A checkpoint of torch.save inside of the archive."""
    return craft.archive(craft.checkpoint(craft.pickle(value), {"0": data}))


def export_tables():
    """Weights that share bytes, a transposed one, one that never had bytes, a pickled one;
    constants, one of them an object."""
    weights = {"lin.weight": export_row("weight_0", 7, [2, 3], [1, 2]),
               "lin.row": export_row("weight_0", 7, [2], [1], 4),
               "steps": export_row("weight_1", 5, [], []),
               "none": export_row("weight_2", 13, [0, 4], [4, 1]),
               "fake": export_row("weight_2", 7, [2], [1]),
               "sub.class": export_row("weight_3", 7, [2], [1], pickled=True)}
    constants = {"cache": export_row("tensor_0", 12, [3], [1]),
                 "object": {"path_name": "custom_obj_0", "is_param": False, "use_pickle": True,
                            "tensor_meta": None}}
    return weights, constants


def export_members(weights, constants, model="model"):
    """The whole archive of one program."""
    def table(rows):
        return json.dumps({"config": rows}).encode()

    data = "net/data/"
    return [Member("net/archive_format", b"pt2"), Member("net/archive_version", b"0"),
            Member("net/models/%s.json" % model, b"{}"),
            Member(data + "weights/weight_0", floats(*range(6))),
            Member(data + "weights/weight_1", struct.pack("<q", 7)),
            Member(data + "weights/weight_2", b""),
            Member(data + "weights/weight_3", inner(craft.vector("0", 2), floats(8, 9))),
            Member(data + "weights/%s_weights_config.json" % model, table(weights)),
            Member(data + "constants/tensor_0", bytes([1, 0, 1])),
            Member(data + "constants/custom_obj_0", inner(craft.NONE, b"")),
            Member(data + "constants/%s_constants_config.json" % model, table(constants)),
            Member("net/byteorder", b"little"), Member("net/.data/version", b"6\n")]


def export_archive(change=lambda weights: None, members=lambda members: None):
    """The archive, after changes to the table of weights and to the members."""
    weights, constants = copy.deepcopy(export_tables())
    change(weights)
    files = export_members(weights, constants)
    members(files)
    return craft.archive(files)


def export_output():
    """What is in it, by hand."""
    return {"lin.weight": ("F32", [2, 3], floats(0, 2, 4, 1, 3, 5)),
            "lin.row": ("F32", [2], floats(4, 5)), "steps": ("I64", [], struct.pack("<q", 7)),
            "none": ("BF16", [0, 4], b""), "sub.class": ("F32", [2], floats(8, 9)),
            "cache": ("BOOL", [3], bytes([1, 0, 1]))}


def export_big():
    """The same by a machine with the other byte order."""
    def swap(files):
        for i, size in ((3, 4), (4, 8)):
            data = files[i].packed
            files[i] = Member(files[i].path, b"".join(
                data[k:k + size][::-1] for k in range(0, len(data), size)))
        files[ending(files, "byteorder")] = Member("net/byteorder", b"big")
    return export_archive(members=swap)


def export_pairs():
    """Two programs, whose weights and constants are checkpoints: how PyTorch 2.7 began."""
    w, b, none = (inner(craft.dict_of((craft.text(key), craft.vector("0", 1))), floats(value))
                  for key, value in (("lin.w", 1), ("lin.b", 2), ("unused", 3)))
    nothing = craft.archive(craft.checkpoint(craft.pickle(craft.EMPTY_DICT), {}))
    files = [Member("net/archive_format", b"pt2"), Member("net/models/first.json", b"{}"),
             Member("net/models/second.json", b"{}"), Member("net/data/weights/first.pt", w),
             Member("net/data/constants/first.pt", nothing),
             Member("net/data/weights/second.pt", b, 8),
             Member("net/data/constants/second.pt", none)]
    return craft.archive(files), {"first.lin.w": ("F32", [1], floats(1)),
                                  "second.lin.b": ("F32", [1], floats(2)),
                                  "second.unused": ("F32", [1], floats(3))}


def bad_exports():
    """Tables that break off, or whose rows do not fit the members."""
    def row(**fields):
        return export_archive(lambda rows: rows["lin.weight"].update(fields))

    def meta(**fields):
        return export_archive(lambda rows: rows["lin.weight"]["tensor_meta"].update(fields))

    def member(path, data):
        def change(files):
            files[:] = [Member(path, data) if m.path.decode() == path else m for m in files]
        return export_archive(members=change)

    table = "net/data/weights/model_weights_config.json"

    def without(files):
        files[:] = [m for m in files if m.path.decode() != table]

    return {
        "export_cut": export_archive()[:-500],
        "export_table_cut": member(table, b'{"config": {"a"'),
        "export_no_table": export_archive(members=without),
        "export_table_as_list": member(table, b'{"config": [1]}'),
        "export_no_path": row(path_name=None),
        "export_no_member": row(path_name="weight_9"),
        "export_member_short": member("net/data/weights/weight_0", floats(1, 2)),
        "export_sizes_as_number": meta(sizes=number(6)),
        "export_size_as_symbol": meta(sizes=[{"as_expr": {"expr_str": "s0"}}, number(3)]),
        "export_strides_missing": meta(strides=[number(1)]),
        "export_beyond": meta(storage_offset=number(1)),
        "export_pickled_twice": export_archive(lambda rows: rows.update(
            again=export_row("weight_3", 7, [2], [1], pickled=True))),
        "export_huge": meta(storage_offset=number(1 << 52), sizes=[number(1 << 52)] * 2),
        "export_not_whole": meta(storage_offset=number(0.5)),
    }


def unsupported_exports():
    """A sparse weight, a dtype that nobody knows, and an archive of compiled code only."""
    def meta(**fields):
        return export_archive(lambda rows: rows["lin.weight"]["tensor_meta"].update(fields))

    return {"export_sparse": meta(layout=1), "export_unknown_dtype": meta(dtype=99),
            "export_compiled": craft.archive([
                Member("net/archive_format", b"pt2"),
                Member("net/data/aotinductor/model/code.so", b"\x7fELF")])}


# ---- torch.jit since PyTorch 1.4, torch.package ----

def changed(path, change):
    """An archive without debugging aids, after a change to the list of its members."""
    files = [m for m in craft.read_members(path) if not m.path.endswith(b".debug_pkl")]
    change(files)
    return craft.archive(files)


def ending(files, end):
    """Where the member whose path has this end is."""
    return next(i for i, m in enumerate(files) if m.path.decode().endswith(end))


def script(cls, code, state, constants=None):
    """A TorchScript archive of one class of the module __torch__.net."""
    value = name("__torch__.net", cls) + craft.EMPTY_TUPLE + craft.NEWOBJ + state + craft.BUILD
    files = [Member("net/data.pkl", craft.pickle(value)),
             Member("net/constants.pkl", craft.pickle(constants or tuple_of())),
             Member("net/data/0", floats(1, 2)), Member("net/version", b"3\n")]
    return craft.archive(files + ([Member("net/code/__torch__/net.py", code, 8)] if code else []))


TWO = {"w": craft.vector("0", 2), "v": craft.tensor(craft.storage("FloatStorage", "0", 2), [1], [1],
                                                    1)}
ODD_CODE = (b"class \nclass Other(Module):\n  __parameters__ = [\"v\", ]\nclass Net(Module)\n"
            b"  __parameters__ = [\"w, ]\n  __buffers__ = \"v\"\n"
            b"  __buffers__ = [\"\", \"v\xff\"\0")


def odd_scripts(path):
    """Scripts that must convert, whatever their code looks like."""
    def without_code(files):
        files[:] = [m for m in files if b"/code/" not in m.path]

    old = b"class Net(Module):\n  __parameters__ = [\"w\", ]\n  w : Tensor\n  v : Tensor\n"
    return {"script_no_code": changed(path, without_code),
            "script_old": script("Net", old, craft.named(**TWO)),
            "script_odd_code": script("Net", ODD_CODE, craft.named(**TWO))}


def bad_scripts(path):
    """Archives of torch.jit with a part missing or damaged."""
    with open(path, "rb") as file:
        sound = file.read()
    good = b"class Net(Module):\n  __parameters__ = [\"w\", ]\n  __buffers__ = []\n"
    damaged = script("Net", good, craft.named(**TWO))
    place = damaged.index(b"net/code/__torch__/net.py") + len(b"net/code/__torch__/net.py")
    twice = [Member("other/data.pkl", craft.pickle(craft.NONE))]
    return {
        "script_cut": sound[:-900],
        "script_code_damaged": damaged[:place + 9] + b"\xff\xff" + damaged[place + 11:],
        "script_no_storage": changed(path, lambda files: files.pop(ending(files, "/data/0"))),
        "script_constant_elsewhere": script("Net", good, craft.named(**TWO), tuple_of(TWO["w"])),
        "script_two_pickles": changed(path, lambda files: files.extend(twice)),
        "script_constants_cut": changed(path, lambda files: files.__setitem__(
            ending(files, "/constants.pkl"), Member("script/constants.pkl", b"\x80\2("))),
        "script_storage_as_list": script("Net", good, craft.named(w=call(
            name("torch._utils", "_rebuild_tensor_v2"), list_of(), integer(0),
            craft.integers([1]), craft.integers([1])))),
        "script_restore_nothing": script("Net", good, craft.named(
            w=call(name("torch.jit._pickle", "restore_type_tag")))),
    }


def bad_packages(path, scripted):
    """Packages with a part missing."""
    return {
        "package_no_script": changed(scripted, lambda files: files.pop(
            ending(files, "ts_code/0/data.pkl"))),
        "package_no_storage": changed(path, lambda files: files.pop(ending(files, "0.storage"))),
        "package_short_storage": changed(path, lambda files: files.__setitem__(
            ending(files, "0.storage"), Member("package/.data/0.storage", floats(1)))),
    }


def unsupported_archives(path):
    """A tensor that is a row of a table, where there is no table; a package of texts only."""
    numbered = call(name("torch.jit._pickle", "build_tensor_from_id"), integer(0))
    return {"script_no_table": script("Net", b"", craft.named(w=TWO["w"], n=numbered)),
            "package_empty": changed(path, lambda files: files.pop(ending(files, "model.pkl")))}


# ---- writing ----

def write(folder, kind, file, data):
    """One file."""
    with open(os.path.join(folder, kind, file), "wb") as out:
        out.write(data)


def write_all(folder):
    """Writes every file of this list."""
    pairs, pairs_output = export_pairs()
    write(folder, "good", "export_big.pt", export_big())
    good = {"script_model": (old_archive(), old_output()), "script_model_parts": old_parts(),
            "export_table": (export_archive(), export_output()),
            "export_pairs": (pairs, pairs_output)}
    for file, (data, output) in good.items():
        write(folder, "good", file + ".pt", data)
        write(folder, "good", file + ".safetensors", craft.safetensors(output))
    net = os.path.join(folder, "good", "script.pt")
    package = os.path.join(folder, "good", "package.pt")
    scripted = os.path.join(folder, "good", "package_script.pt")
    pair = {"w": ("F32", [2], floats(1, 2)), "v": ("F32", [1], floats(2))}
    write(folder, "good", "script_old.safetensors", craft.safetensors(pair))
    for kind, groups in (("good", (odd_scripts(net),)),
                         ("bad", (bad_old(), bad_exports(), bad_scripts(net),
                                  bad_packages(package, scripted))),
                         ("unsupported", (unsupported_old(), unsupported_exports(),
                                          unsupported_archives(package)))):
        for group in groups:
            for file, data in group.items():
                write(folder, kind, file + ".pt", data)


if __name__ == "__main__":
    write_all(sys.argv[1] if len(sys.argv) > 1 else HERE)
