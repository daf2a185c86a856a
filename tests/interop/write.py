"""write.py FOLDER: writes every case that this Python's torch knows to FOLDER/NAME.pt, and what is
in it, taken from the tensors in memory, to FOLDER/cases.jsonl. What no judge can load is written
once more, as FOLDER/NAME.truth, by hand."""

import json
import os
import re
import sys

import cases
import truth
from everything import CASES
from tally import Tally


def by_hand(tensors):
    return truth.file_bytes({
        name: (truth.DTYPES[truth.dtype_name(tensor)], list(tensor.shape), truth.raw(tensor))
        for name, tensor in tensors.items()}, truth.FORMAT)


def expected(case, value, folder):
    if case.refused:
        return {"refused": case.refused, "status": case.status}
    tensors, metadata = case.truth(value)
    loads = bool(case.load) and (case.forward or cases.VERSION >= cases.NEW)
    if not loads:
        with open(os.path.join(folder, case.name + ".truth"), "wb") as file:
            file.write(by_hand(tensors))
    return {"tensors": {name: truth.describe(tensor) for name, tensor in tensors.items()},
            "metadata": metadata, "loads": loads}


def write(case, folder):
    value = case.make(cases.Source(case.name))
    row = {"name": case.name, "file": case.name + case.suffix, "member": case.member,
           "args": case.args, "notes": case.notes, "strict": case.strict,
           "refuses": case.refuses, "cut": case.cut,
           **expected(case, value, folder)}
    case.save(value, os.path.join(folder, row["file"]))
    return row


def main(folder):
    tally, only = Tally("write"), os.environ.get("CKCONV_INTEROP_ONLY", "")
    with open(os.path.join(folder, "cases.jsonl"), "w") as report:
        for case in CASES:
            if not case.since <= cases.VERSION <= case.until or not re.search(only, case.name):
                continue
            try:
                print(json.dumps(write(case, folder)), file=report)
            except Exception as error:  # pylint: disable=broad-except
                tally.check(case.name, "cannot be written: %s: %s" % (type(error).__name__, error))
    tally.finish()


main(sys.argv[1])
