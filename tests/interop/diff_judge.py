"""diff_judge.py CKCONV FOLDER: whether `ckconv diff` says of the pairs of FOLDER what torch said of
them when diff_write.py wrote them; and of every third pair the same when one of the two is made a
safetensors file."""

import json
import math
import os
import subprocess
import sys

from tally import Tally

EXACT = ("shape_differs", "dtype_differs", "values_differ", "elements", "differing", "first",
         "nan_a", "nan_b", "nan_both")
NEARLY = ("max_abs", "max_rel")  # the last bit of what hypot gives is free


def options(rules):
    words = ["--atol", repr(rules["atol"]), "--rtol", repr(rules["rtol"])] if rules["close"] else []
    return words + ["--equal-nan"] * rules["equal_nan"] + ["--ignore-dtype"] * rules["ignore_dtype"]


def same_size(a, b):
    if "inf" in (a, b) or isinstance(a, int) and isinstance(b, int):
        return a == b
    return math.isclose(a, b, rel_tol=1e-14)


def fault_of_tensor(told, truth):
    if "only" in truth:
        here = "a" if told["a"] else "b"
        both = told["a"] and told["b"]
        return "" if not both and here == truth["only"] else "it is in %s" % here
    for key in EXACT:
        if told.get(key) != truth.get(key):
            return "%s is %r, not %r" % (key, told.get(key), truth.get(key))
    for key in NEARLY:
        if (key in truth) != (key in told) or \
                (key in truth and not same_size(told[key], truth[key])):
            return "%s is %r, not %r" % (key, told.get(key), truth.get(key))
    return ""


def fault_of(ckconv, a, b, row):
    done = subprocess.run([ckconv, "diff", "--json", *options(row["rules"]), a, b],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if done.returncode != bool(row["wrong"]):
        return "status %d: %s" % (done.returncode, done.stderr.decode(errors="replace"))
    told = json.loads(done.stdout)
    if told["same"] != (not row["wrong"]):
        return "same is %r" % told["same"]
    if [told["a"]["tensors"], told["b"]["tensors"]] != row["names"]:
        return "it counts %r and %r" % (told["a"], told["b"])
    found = {d["name"]: d for d in told["differences"]}
    if sorted(found) != sorted(row["wrong"]):
        return "%s differ, not %s" % (sorted(found), sorted(row["wrong"]))
    for name, truth in row["wrong"].items():
        fault = fault_of_tensor(found[name], truth)
        if fault:
            return "%s: %s" % (name, fault)
    return ""


def forged(row):
    """The same with something wrong in it: a judge that does not find it is none."""
    row = json.loads(json.dumps(row))
    name = sorted(row["wrong"])[0]
    truth = row["wrong"][name]
    if "differing" in truth:
        truth["differing"] += 1
    else:
        del row["wrong"][name]
    return row


def main(ckconv, folder):
    tally = Tally("diff " + os.path.basename(folder))
    with open(os.path.join(folder, "pairs.json"), encoding="utf-8") as file:
        rows = json.load(file)
    for row in rows:
        a, b = [os.path.join(folder, "%d.%s.pt" % (row["number"], s)) for s in "ab"]
        tally.check(row["number"], fault_of(ckconv, a, b, row))
        if row["wrong"] and not row["number"] % 5:
            tally.check("%d, forged" % row["number"], "" if fault_of(ckconv, a, b, forged(row))
                        else "the judge finds nothing wrong")
        out = os.path.join(folder, "%d.safetensors" % row["number"])
        if row["number"] % 3 == 0 and not subprocess.run(
                [ckconv, "-q", "--no-fsync", "--check", b, out], stderr=subprocess.DEVNULL,
                check=False).returncode:
            tally.check("%d, safetensors" % row["number"], fault_of(ckconv, a, out, row))
    tally.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
