"""onnx_write.py CKCONV FOLDER: makes an ONNX model of each FOLDER/out/*.safetensors, which the
other judge holds against torch, in three ways by turns: FOLDER/onnx/NAME.inside.onnx with the data
in it, NAME.beside.onnx with the data in NAME.beside.onnx.data, and NAME.view.onnx, whose data is
NAME.view.safetensors."""

import filecmp
import json
import os
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tally import Tally

WAYS = {"inside": ["--to", "onnx"], "beside": ["--to", "onnx", "--external-data"],
        "view": ["--to", "onnx+safetensors"]}


def names_in(path):
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
    header.pop("__metadata__", None)
    return header


def fault_of(ckconv, source, out, way):
    """Every tensor must be in it, or the refusal must be for what ONNX has no room for."""
    done = subprocess.run([ckconv, "-q", "--no-fsync", *WAYS[way], source, out],
                          stderr=subprocess.PIPE, timeout=120)
    if "" in names_in(source):
        return "" if done.returncode == 3 else "a tensor without a name was not refused"
    if done.returncode:
        return "status %d: %s" % (done.returncode, done.stderr.decode(errors="replace"))
    if way == "view" and not filecmp.cmp(source, out[:-5] + ".safetensors", shallow=False):
        return "the safetensors file is not the one that was read"
    return ""


def main(ckconv, folder):
    tally = Tally("onnx write " + os.path.basename(folder))
    out = os.path.join(folder, "onnx")
    os.mkdir(out)
    files = sorted(f for f in os.listdir(os.path.join(folder, "out")) if f.endswith(".safetensors"))
    rows = [(file, list(WAYS)[i % len(WAYS)]) for i, file in enumerate(files)]

    def one(row):
        name, way = row
        return fault_of(ckconv, os.path.join(folder, "out", name),
                        os.path.join(out, "%s.%s.onnx" % (name[:-12], way)), way)
    with ThreadPoolExecutor(2) as pool:
        for (name, way), fault in zip(rows, pool.map(one, rows)):
            tally.check("%s as ONNX, %s" % (name, way), fault)
    tally.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
