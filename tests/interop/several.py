"""Models in several files, and ONNX models as inputs.

several.py write FOLDER: torch saves state dicts in shards with an index, as transformers does; the
ONNX project's library saves models with their weights inside and beside; torch exports one. Next to
each a file says which bytes its tensors have.
several.py convert CKCONV FOLDER: each is converted to one file, and what is in shards to shards.
several.py judge FOLDER: the reference library opens the outputs, and they hold the same tensors.

The judge is shown a forged output for each true one, and must find it out."""

import io
import json
import os
import random
import struct
import subprocess
import sys
import warnings

from tally import Tally

warnings.simplefilter("ignore")

SEED = os.environ.get("CKCONV_INTEROP_SEED", "")
DTYPES = {"F32": 4, "F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1,
          "BOOL": 1, "U16": 2, "U32": 4, "U64": 8, "C64": 8, "F8_E4M3": 1, "F8_E5M2": 1}


def tell(folder, name, tensors):
    """Writes {name: (dtype, shape, bytes)} for the judge."""
    with open(os.path.join(folder, name + ".truth.json"), "w", encoding="utf-8") as out:
        json.dump({n: [d, list(s), b.hex()] for n, (d, s, b) in tensors.items()}, out)


# ---- shards ----

def random_state_dict(torch, dice):
    """Names as models have them, views and ties among the tensors."""
    kinds = [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool, torch.float64]
    state = {}
    for layer in range(dice.randint(2, 9)):
        for part in ("attn.q", "attn.k", "mlp"):
            shape = [dice.randint(0, 5) for _ in range(dice.randint(0, 3))]
            made = (torch.randn(shape) * 9).to(dice.choice(kinds))
            state["layers.%d.%s.weight" % (layer, part)] = \
                made.t() if made.dim() == 2 and dice.random() < 0.3 else made
    state["embed.weight"] = torch.randn(30, 4)
    state["head.weight"] = state["embed.weight"] if dice.random() < 0.5 else torch.randn(3)
    return state


def spelled(torch, tensor):
    """(dtype, shape, bytes) of a tensor of torch."""
    names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
             torch.int64: "I64", torch.bool: "BOOL", torch.float64: "F64"}
    flat = tensor.detach().contiguous().reshape(-1)
    data = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return names[tensor.dtype], list(tensor.shape), data


def write_shards(folder, number):
    """A model in some files, or one of many that is only shown by its name."""
    import torch
    dice = random.Random("%s shards %d" % (SEED, number))
    torch.manual_seed(dice.randint(0, 2 ** 31))
    state = random_state_dict(torch, dice)
    name = "shards%d" % number
    os.mkdir(os.path.join(folder, name))
    count = dice.randint(1, 4)
    names = sorted(state) if dice.random() < 0.5 else list(state)
    places = {}
    for part in range(count):
        file = "pytorch_model-%05d-of-%05d.bin" % (part + 1, count)
        some = {n: state[n] for i, n in enumerate(names) if i * count // len(names) == part}
        if dice.random() < 0.3:
            some = {n: t.clone() for n, t in some.items()}
        torch.save(some, os.path.join(folder, name, file))
        places.update({n: file for n in some})
    if dice.random() < 0.8:
        total = sum(t.numel() * t.element_size() for t in state.values())
        with open(os.path.join(folder, name, "pytorch_model.bin.index.json"), "w",
                  encoding="utf-8") as out:
            json.dump({"metadata": {"total_size": total}, "weight_map": places}, out, indent=2,
                      sort_keys=True)
    tell(folder, name, {n: spelled(torch, t) for n, t in state.items()})


# ---- ONNX ----

def random_arrays(dice):
    """Arrays of every type that NumPy and ONNX share."""
    import numpy
    kinds = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "uint16",
             "uint32", "uint64", "bool", "complex64"]
    spelling = dict(zip(kinds, ["F32", "F64", "F16", "I64", "I32", "I16", "I8", "U8", "U16", "U32",
                                "U64", "BOOL", "C64"]))
    arrays = {}
    for number in range(dice.randint(1, 20)):
        kind = dice.choice(kinds)
        shape = [dice.randint(0, 6) for _ in range(dice.randint(0, 4))]
        size = numpy.dtype(kind).itemsize
        for side in shape:
            size *= side
        data = bytes(dice.getrandbits(8) for _ in range(size))
        if kind == "bool":
            data = bytes(b & 1 for b in data)
        arrays["t%d" % number] = (spelling[kind], shape,
                                  numpy.frombuffer(data, kind).reshape(shape))
    return arrays


def write_onnx(folder, number):
    """A model of the ONNX project's library, its tensors inside or beside it."""
    import onnx
    from onnx import helper, numpy_helper
    dice = random.Random("%s onnx %d" % (SEED, number))
    arrays = random_arrays(dice)
    tensors = []
    for name, (dtype, shape, array) in arrays.items():
        finite = "F" not in dtype and dtype != "C64"
        if finite and dice.random() < 0.5: # in the field of its type, number by number
            kind = numpy_helper.from_array(array).data_type
            tensors.append(helper.make_tensor(name, kind, shape, array.flatten().tolist()))
        else:
            tensors.append(numpy_helper.from_array(array, name))
    graph = helper.make_graph([], "g", [], [], tensors)
    model = helper.make_model(graph)
    name = "onnx%d" % number
    more = {}
    if dice.random() < 0.7:
        more = {"save_as_external_data": True, "size_threshold": dice.choice([0, 16]),
                "all_tensors_to_one_file": dice.random() < 0.5}
        if more["all_tensors_to_one_file"]:
            more["location"] = name + ".weights"
    # files of their own are called as the tensors: so each model has a folder
    os.mkdir(os.path.join(folder, name))
    onnx.save_model(model, os.path.join(folder, name, name + ".onnx"), **more)
    tell(folder, name, {n: (d, s, a.tobytes()) for n, (d, s, a) in arrays.items()})


def write_export(folder):
    """What torch.onnx.export makes of a module, where it can."""
    import torch
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(),
                                 torch.nn.LazyLinear(5))
    example = torch.randn(1, 3, 8, 8)
    module(example)
    out = io.BytesIO()
    try:
        torch.onnx.export(module, (example,), out)
    except Exception as error:  # the exporter of some releases needs what is not there
        print("not exported: %s" % str(error)[:100])
        return
    os.mkdir(os.path.join(folder, "export"))
    with open(os.path.join(folder, "export", "export.onnx"), "wb") as file:
        file.write(out.getvalue())
    tell(folder, "export", {n: spelled(torch, t) for n, t in module.state_dict().items()})


def write(folder):
    tally = Tally("several " + folder)
    os.makedirs(folder, exist_ok=True)
    for number in range(30):
        write_shards(folder, number)
        tally.check("shards%d" % number, "")
    for number in range(60):
        write_onnx(folder, number)
        tally.check("onnx%d" % number, "")
    write_export(folder)
    tally.finish()


# ---- converting ----

def cases(folder):
    """The models, by name."""
    return sorted(n[:-len(".truth.json")] for n in os.listdir(folder) if n.endswith(".truth.json"))


def convert(ckconv, folder):
    tally = Tally("several " + folder)
    out = os.path.join(folder, "out")
    os.makedirs(out, exist_ok=True)
    for name in cases(folder):
        path = os.path.join(folder, name)
        runs = [[path, os.path.join(out, name + ".safetensors")]]
        if not name.startswith("shards"):
            runs[0][0] = os.path.join(path, name + ".onnx")
        else:
            runs.append([path, os.path.join(out, name)])
            runs.append([path, os.path.join(out, name + "-small"), "--max-shard-size", "200"])
        for run in runs:
            done = subprocess.run([ckconv, "-q", "--sandbox=require", *run], check=False,
                                  stderr=subprocess.PIPE)
            tally.check(" ".join(run[1:]), done.stderr.decode("utf-8", "replace"))
    tally.finish()


# ---- judging ----

def read(path):
    """{name: (dtype, shape, bytes)} by the format's text."""
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = file.read()
    header.pop("__metadata__", None)
    return {n: [t["dtype"], t["shape"], data[slice(*t["data_offsets"])].hex()]
            for n, t in header.items()}


def read_folder(path):
    """The same of shards, with what is wrong with their index."""
    lists = [n for n in os.listdir(path) if n.endswith(".index.json")]
    files = sorted(n for n in os.listdir(path) if n.endswith(".safetensors"))
    found = {n: read(os.path.join(path, n)) for n in files}
    joined = {n: t for some in found.values() for n, t in some.items()}
    if len(files) == 1:
        return joined, "" if files == ["model.safetensors"] and not lists else "odd names"
    if lists != ["model.safetensors.index.json"] or \
       files != ["model-%05d-of-%05d.safetensors" % (i + 1, len(files)) for i in range(len(files))]:
        return joined, "odd names"
    with open(os.path.join(path, lists[0]), encoding="utf-8") as file:
        index = json.load(file)
    total = sum(len(t[2]) // 2 for t in joined.values())
    true = {n: f for f, some in found.items() for n in some}
    wrong = index != {"metadata": {"total_size": total}, "weight_map": true}
    return joined, "the index is not true" if wrong else ""


def compare(want, found):
    """What differs; an exporter may add tensors of its own."""
    wrong = [n for n in want if found.get(n) != want[n]]
    return "not as it should be: %s" % wrong[:3] if wrong else ""


def judge(folder):
    from safetensors import safe_open
    tally = Tally("several " + folder)
    for name in cases(folder):
        with open(os.path.join(folder, name + ".truth.json"), encoding="utf-8") as file:
            want = json.load(file)
        path = os.path.join(folder, "out", name)
        found = read(path + ".safetensors")
        fault = compare(want, found)
        if name != "export" and set(found) != set(want):
            fault = "other tensors"
        if all(t[0] != "C64" for t in found.values()): # which the library lacks
            with safe_open(path + ".safetensors", "pt") as opened:
                if set(opened.keys()) != set(found):
                    fault = "the library finds other tensors"
        tally.check(name, fault)
        forged = {n: [d, s, b[:-1] + ("1" if b[-1:] == "0" else "0") if b else "00"]
                  for n, (d, s, b) in want.items()}
        tally.check(name + " (forged)", "" if compare(forged, found) else "not found out")
        for more in (path, path + "-small"):
            if name.startswith("shards"):
                found, fault = read_folder(more)
                tally.check(more, fault or ("" if found == want else "other tensors"))
    tally.finish()


def main():
    {"write": write, "convert": convert, "judge": judge}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
