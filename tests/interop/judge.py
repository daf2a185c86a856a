"""judge.py FOLDER: compares FOLDER/out/*.safetensors with what torch and the reference library make
of FOLDER/*.pt. Each output is read twice, by this file and by the library; its values must be those
that the writer had in memory and those that torch loads; and it must be the library's own file,
byte for byte."""

import json
import os
import re
import struct
import sys
from types import SimpleNamespace

import numpy
import safetensors
import safetensors.torch
import torch

import truth
from everything import CASES
from tally import Tally

# What the library of Debian trixie knows: to write from torch, and at all.
WRITES = {str(dtype).replace("torch.", "") for dtype in safetensors.torch._SIZE}
READS = set(truth.DTYPES) - {"complex64", "float8_e4m3fnuz", "float8_e5m2fnuz"}


# ---- reading ----

def no_duplicates(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name appears twice")
    return dict(pairs)


def parse(path):
    """Header and data of a safetensors file, by the format's text; ValueError: it breaks a rule."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    text, data = data[8:8 + size], data[8 + size:]
    if text[:1] != b"{" or size % 8 or len(text) != size:
        raise ValueError("bad header")
    header, at = json.loads(text, object_pairs_hook=no_duplicates), 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        if begin != at or end < begin:
            raise ValueError("a gap or overlap before " + repr(name))
        at = end
    if at != len(data):
        raise ValueError("%d bytes of data, not %d" % (len(data), at))
    return header, data


def parsed(path):
    """Name -> description as in truth.py, and the metadata."""
    header, data = parse(path)
    metadata = header.pop("__metadata__", None)
    return {name: [entry["dtype"], entry["shape"],
                   truth.digest(data[slice(*entry["data_offsets"])])]
            for name, entry in header.items()}, metadata


def described(tensors):
    return {name: truth.describe(tensor) for name, tensor in tensors.items()}


def difference(found, expected):
    """The first thing in which two descriptions differ; empty: none."""
    for name in sorted(found.keys() ^ expected.keys()):
        return "%a is %s" % (name[:60], "extra" if name in found else "missing")
    for name in expected:
        if list(found[name]) != list(expected[name]):
            return "%a is %s, not %s" % (name[:60], found[name], expected[name])
    return ""


# ---- checks: each gives a fault, or nothing ----

def tensor_of(array):
    return torch.from_numpy(truth.native(array)) if isinstance(array, numpy.ndarray) else array


class Judged:
    def __init__(self, case, row, source, out):
        self.row, self.out = row, out
        self.expected, self.metadata = row["tensors"], row["metadata"]
        tensors = case.truth(case.load(source))[0] if row["loads"] else self.by_writer(source, case)
        self.tensors = {name: tensor_of(tensor) for name, tensor in tensors.items()}
        if case.loose and os.path.exists(out):
            self.rename(case.loose)
        self.dtypes = {truth.dtype_name(tensor) for tensor in self.tensors.values()}
        self.plain = {name: tensor.detach().resolve_conj().resolve_neg().contiguous().clone()
                      for name, tensor in self.tensors.items()}
        self.reference = out + ".reference"
        if case.ties:
            self.drop_ties()

    def rename(self, loose):
        """Where a name is a matter of taste, ckconv's is taken, if it names what it must."""
        found = {name: what for name, what in parsed(self.out)[0].items()
                 if re.fullmatch(loose, name)}
        for name in [name for name in self.expected if re.fullmatch(loose, name)]:
            same = next((other for other in found if found[other] == self.expected[name]), None)
            if same is None:
                raise ValueError("nothing in the output is what %r is" % name)
            del found[same]
            self.tensors[same + "\0"] = self.tensors.pop(name)
            self.expected[same + "\0"] = self.expected.pop(name)
        for names in (self.tensors, self.expected):  # not before all have left their old ones
            for name in [name for name in names if name.endswith("\0")]:
                names[name[:-1]] = names.pop(name)

    @staticmethod
    def by_writer(source, case):
        """What the writer wrote by hand of a file that cannot be loaded here."""
        return safetensors.torch.load_file(source[:-len(case.suffix)] + ".truth")

    def drop_ties(self):
        """What save_model leaves out, it leaves word of in the metadata. It cannot for a name that
        is a key of the metadata already; ckconv keeps such a tensor, so here it is none of them."""
        tensors = {name: tensor.clone() if name in truth.FORMAT else tensor
                   for name, tensor in self.tensors.items()}
        model = SimpleNamespace(state_dict=lambda: tensors)
        # save_model adds to the metadata that it is given
        safetensors.torch.save_model(model, self.reference, dict(truth.FORMAT))
        kept, self.metadata = parsed(self.reference)
        self.expected = {name: self.expected[name] for name in kept}

    def by_hand(self):
        tensors, metadata = parsed(self.out)
        if metadata != self.metadata:
            return "the metadata is %s, not %s" % (metadata, self.metadata)
        return difference(tensors, self.expected)

    def by_library(self):
        if not self.dtypes <= READS:
            return ""
        with safetensors.safe_open(self.out, framework="pt") as file:
            if file.metadata() != self.metadata:
                return "safe_open has the metadata %s, not %s" % (file.metadata(), self.metadata)
        return difference(described(safetensors.torch.load_file(self.out)), self.expected)

    def by_torch(self):
        """Not of ckconv: that torch loads what was saved, whichever torch saved it."""
        return difference(described(self.tensors), self.row["tensors"])

    def write_reference(self):
        if self.dtypes <= WRITES:
            safetensors.torch.save_file(self.plain, self.reference, metadata=self.metadata)
        elif self.dtypes <= READS:
            flat = {name: {"dtype": truth.dtype_name(tensor), "shape": list(tensor.shape),
                           "data": truth.raw(tensor)} for name, tensor in self.plain.items()}
            safetensors.serialize_file(flat, self.reference, metadata=self.metadata)
        else:
            with open(self.reference, "wb") as file:
                file.write(self.bytes_by_hand())

    def bytes_by_hand(self):
        return truth.file_bytes({
            name: (truth.DTYPES[truth.dtype_name(tensor)], list(tensor.shape), truth.raw(tensor))
            for name, tensor in self.plain.items()}, self.metadata)

    def by_reference(self):
        if not os.path.exists(self.reference):
            self.write_reference()
        if len(self.metadata) > 1:  # the library writes several keys of metadata in any order
            return "" if parse(self.out) == parse(self.reference) else "not what the library writes"
        with open(self.out, "rb") as ours, open(self.reference, "rb") as theirs:
            a, b = ours.read(), theirs.read()
        if a == b:
            return ""
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        return "differs from the library's file at byte %d" % at

    def faults(self):
        """Check -> fault. A judge who trips over a file has found a fault."""
        checks = (self.by_hand, self.by_library, self.by_torch, self.by_reference)
        found = {}
        for check in checks:
            try:
                found[check.__name__] = check()
            except Exception as error:  # pylint: disable=broad-except
                found[check.__name__] = "%s: %s" % (type(error).__name__, error)
        if os.path.exists(self.reference):
            os.unlink(self.reference)
        return found


# ---- the judge judged: each of these must be found out, by each check named ----

def flip(header, data):
    return header, data[:40] + bytes([data[40] ^ 1]) + data[41:]


def swap_names(header, data):
    a, b = "shared.first", "shared.last"
    names = {a: b, b: a}
    return {names.get(name, name): entry for name, entry in header.items()}, data


def turn_shape(header, data):
    header["plain"]["shape"].reverse()
    return header, data


def change_dtype(header, data):
    header["plain"]["dtype"] = "I32"
    return header, data


def drop_first(header, data):
    del header[next(name for name in header if name != "__metadata__")]
    return header, data


def add_byte(header, data):
    return header, data + b"\0"


def drop_metadata(header, data):
    del header["__metadata__"]
    return header, data


def change_fact(header, data):
    facts = header["__metadata__"]
    facts[next(name for name in facts if name != "format")] = "per_tensor_symmetric"
    return header, data


def exchange_places(header, data):
    header["plain"], header["transposed"] = header.pop("transposed"), header.pop("plain")
    return header, data


OUTPUT_CHECKS = {"by_hand", "by_library", "by_reference"}
FORGERIES = (flip, swap_names, turn_shape, change_dtype, drop_first, add_byte, drop_metadata,
             exchange_places)


def write(path, header, data):
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def judge_forgery(case, row, source, out, forge, must_fail):
    header, data = parse(out)
    forged = out + ".forged"
    write(forged, *forge(header, data))
    try:
        faults = Judged(case, row, source, forged).faults()
    except ValueError as error:  # of a case whose names are loose
        faults = {"rename": str(error)}
    os.unlink(forged)
    failed = {check for check, fault in faults.items() if fault}
    return "" if failed == must_fail else "%s noticed, expected %s" % (sorted(failed), must_fail)


def judge_judge(tally, case, row, source, out):
    tally.check("an honest copy", judge_forgery(case, row, source, out, lambda *file: file, set()))
    for forge in FORGERIES:
        tally.check("forgery " + forge.__name__,
                    judge_forgery(case, row, source, out, forge, OUTPUT_CHECKS))
    lie = json.loads(json.dumps(row))
    lie["tensors"]["plain"] = row["tensors"]["narrow"]
    lie["tensors"]["narrow"] = row["tensors"]["plain"]
    tally.check("a writer that lies", judge_forgery(case, lie, source, out, lambda *file: file,
                                                    {"by_hand", "by_library", "by_torch"}))
    judged = Judged(case, row, source, out)
    with open(out, "rb") as file:
        tally.check("the judge's own file for the library's",
                    "" if judged.bytes_by_hand() == file.read() else "differs")


# Cases on which the judge is judged besides: what is done to them, and which checks must see it.
MORE_FORGERIES = {
    "quantized-shapes": (change_fact, OUTPUT_CHECKS),
    "script-frozen": (flip, {"rename"}),
}


# ---- all ----

def judge(tally, case, row, folder):
    source = os.path.join(folder, row["file"])
    out = os.path.join(folder, "out", row["name"] + ".safetensors")
    try:
        judged = Judged(case, row, source, out)
        faults = judged.faults() if os.path.exists(out) else {
            "": "there is no output to be judged", "by_torch": judged.by_torch()}
    except Exception as error:  # pylint: disable=broad-except
        faults = {"cannot be judged": "%s: %s" % (type(error).__name__, error)}
    for check, fault in faults.items():
        tally.check(row["name"] + " " + check, fault)
    if row["name"] == "views-float32" and os.path.exists(out):
        judge_judge(tally, case, row, source, out)
    if row["name"] in MORE_FORGERIES and os.path.exists(out):
        tally.check("forgery of " + row["name"],
                    judge_forgery(case, row, source, out, *MORE_FORGERIES[row["name"]]))


def main(folder):
    tally = Tally("judge " + os.path.basename(folder))
    by_name = {case.name: case for case in CASES}
    with open(os.path.join(folder, "cases.jsonl")) as rows:
        for row in map(json.loads, rows):
            if "refused" not in row:
                judge(tally, by_name[row["name"]], row, folder)
    tally.finish()


main(sys.argv[1])
