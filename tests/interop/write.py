"""write.py FOLDER: writes every case that this Python's torch knows to FOLDER/NAME.pt, and what is
in it, taken from the tensors in memory, to FOLDER/cases.jsonl."""

import importlib
import json
import os
import sys

import cases
import truth
from tally import Tally


def expected(case, value):
    if case.refused:
        return {"refused": case.refused}
    tensors = truth.tensors_of(value, case.root)
    return {"tensors": {name: truth.describe(tensor) for name, tensor in tensors.items()}}


def main(folder):
    for module in ("views", "pickles", "recipes"):  # each puts its cases on the list
        importlib.import_module(module)
    with open(os.path.join(folder, "cases.jsonl"), "w") as report:
        for case in cases.CASES:
            value = case.make(cases.Source(case.name))
            row = {"name": case.name, "args": case.args, "root": case.root, "ties": case.ties,
                   **expected(case, value)}
            case.save(value, os.path.join(folder, case.name + ".pt"))
            print(json.dumps(row), file=report)
    Tally("write").finish()  # no checks of its own, but an end


main(sys.argv[1])
