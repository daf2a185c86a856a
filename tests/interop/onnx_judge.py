"""onnx_judge.py onnx|onnxruntime FOLDER: whether the ONNX project's own library, or onnxruntime,
finds in FOLDER/onnx/*.onnx the names, types, shapes and bytes of FOLDER/out/*.safetensors. The two
libraries do not get along in one process."""

import json
import os
import struct
import sys
import warnings

from tally import Tally

warnings.simplefilter("ignore")

TYPES = {"F32": 1, "U8": 2, "I8": 3, "U16": 4, "I16": 5, "I32": 6, "I64": 7, "BOOL": 9, "F16": 10,
         "F64": 11, "U32": 12, "U64": 13, "C64": 14, "BF16": 16, "F8_E4M3": 17, "F8_E4M3FNUZ": 18,
         "F8_E5M2": 19, "F8_E5M2FNUZ": 20, "F8_E8M0": 24}
NUMPY_DIMS = 32
NOT_IN_NUMPY = {"BF16", "F8_E4M3", "F8_E4M3FNUZ", "F8_E5M2", "F8_E5M2FNUZ", "F8_E8M0"}


def expected(path):
    """{name: (dtype, shape, bytes)}"""
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        data = file.read()
    return {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])])
            for name, t in header.items()}


class Reader:
    """What the library of the ONNX project reads."""

    def __init__(self):
        import onnx
        import onnx.external_data_helper
        import onnx.numpy_helper
        self.onnx = onnx
        self.version = tuple(map(int, onnx.__version__.split(".")[:2]))

    def newest_ir(self):
        return 8 if self.version < (1, 13) else 10

    def fault(self, path, want):
        onnx, folder = self.onnx, os.path.dirname(path)
        model = onnx.load(path, load_external_data=False)
        if model.ir_version <= self.newest_ir():
            more = {"full_check": True} if self.version > (1, 13) else {}
            onnx.checker.check_model(path, **more)
        found = {}
        for tensor in model.graph.initializer:
            if tensor.data_location == tensor.EXTERNAL:
                if [pair.key for pair in tensor.external_data] != ["location", "offset", "length"]:
                    return "%s: other keys than location, offset, length" % tensor.name
                onnx.external_data_helper.load_external_data_for_tensor(tensor, folder)
            found[tensor.name] = (tensor.data_type, list(tensor.dims), tensor.raw_data)
            dtype = want.get(tensor.name, [None])[0]
            if dtype in TYPES and dtype not in NOT_IN_NUMPY and len(tensor.dims) <= NUMPY_DIMS and \
               onnx.numpy_helper.to_array(tensor, folder).tobytes() != want[tensor.name][2]:
                return "%s: to_array() gives other bytes" % tensor.name
        if found != {n: (TYPES[d], s, b) for n, (d, s, b) in want.items()}:
            return "other tensors: %s" % [n for n in want if found.get(n) != want[n]][:3]
        outputs = [output.name for output in model.graph.output]
        if outputs != [t.name for t in model.graph.initializer if want[t.name][0] != "C64"]:
            return "not all initializers are outputs"
        versions = {8, 9} if any(d.startswith("F8") for d, _, _ in want.values()) else {8}
        if model.ir_version not in versions | {12} or model.graph.node:
            return "ir_version %d, %d nodes" % (model.ir_version, len(model.graph.node))
        return ""


class Runner:
    """What onnxruntime makes of it."""

    def __init__(self):
        import onnxruntime
        self.ort = onnxruntime
        self.ort.set_default_logger_severity(4)

    def fault(self, path, want):
        dtypes = {dtype for dtype, _, _ in want.values()}
        if dtypes == {"C64"} or "F8_E8M0" in dtypes:
            return ""  # no outputs to ask for; a type that it has not
        session = self.ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [o.name for o in session.get_outputs()]
        if set(names) != {n for n, (dtype, _, _) in want.items() if dtype != "C64"}:
            return "other outputs"
        names = [n for n in names if want[n][0] not in NOT_IN_NUMPY]
        for name, value in zip(names, session.run(names, {}) if names else []):
            if value.tobytes() != want[name][2] or list(value.shape) != want[name][1]:
                return "%s: run() gives other bytes" % name
        return ""


def judge(judge_one, path, want):
    try:
        return judge_one.fault(path, want)
    except Exception as error:  # whatever the library does not like is a fault of the file
        return "%s: %s" % (type(error).__name__, error)


def forged(judge_one, path, want):
    """A judge that sees no fault in these sees nothing."""
    name = next((n for n, (dtype, _, data) in want.items()
                 if data and dtype not in NOT_IN_NUMPY and dtype != "C64"), None)
    if not name:
        return []
    dtype, shape, data = want[name]
    others = [(dtype, shape, bytes([data[0] ^ 1]) + data[1:]), (dtype, shape + [1], data)]
    return [judge(judge_one, path, {**want, name: other}) for other in others]


def main(library, folder):
    judge_one = {"onnx": Reader, "onnxruntime": Runner}[library]()
    if folder == "--starts":
        return
    tally = Tally("%s on %s" % (library, os.path.basename(folder)))
    inside = os.path.join(folder, "onnx")
    fooled = 0
    for file in sorted(f for f in os.listdir(inside) if f.endswith(".onnx")):
        stem = file.rsplit(".", 2)[0]
        want = expected(os.path.join(folder, "out", stem + ".safetensors"))
        path = os.path.join(inside, file)
        tally.check(file, judge(judge_one, path, want))
        if fooled < 50:
            faults = forged(judge_one, path, want)
            fooled += len(faults)
            for fault in faults:
                tally.check("a forged " + file, "" if fault else "it was taken for the real one")
    tally.check("forged files", "" if fooled else "there were none")
    tally.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
