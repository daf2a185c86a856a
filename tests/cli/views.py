#!/usr/bin/env python3
"""Every trick of testdata/make_views.py is seen through: views.py CKCONV TESTDATA

The table views.txt says what scan must find. What is dangerous or malformed is never converted, no
scan takes long, and no command of a pickle is ever run. Prints a row per failure, then "N passed, N
failed".
"""
import json
import os
import subprocess
import sys
import tempfile

MARKER = "ckconv-was-here"
STATUS = {"safe": 0, "dangerous": 1, "malformed": 3, "unknown": 4}
SECONDS = 10  # two on an idle machine, more where the build is instrumented


def scan(ckconv, path, folder):
    """What scan says of a file, and its status."""
    done = subprocess.run([ckconv, "scan", "--json", path], capture_output=True, cwd=folder,
                          timeout=SECONDS, check=False)
    return json.loads(done.stdout.decode().splitlines()[0]), done.returncode


def judge(ckconv, path, verdict, rules, folder):
    """What is wrong with the answer, or None."""
    report, status = scan(ckconv, path, folder)
    found = {finding["rule"] for finding in report["findings"]}
    if report["verdict"] != verdict or status != STATUS[verdict]:
        return "it is %s, status %d, not %s" % (report["verdict"], status, verdict)
    if not set(rules) <= found:
        return "no finding of %s, only %s" % (sorted(set(rules) - found), sorted(found))
    if verdict == "malformed" and not found:
        return "malformed without a finding"
    if STATUS[verdict] not in (1, 3):
        return None
    out = os.path.join(folder, "out.safetensors")
    done = subprocess.run([ckconv, path, out], capture_output=True, cwd=folder, timeout=SECONDS,
                          check=False)
    if done.returncode not in (1, 3) or os.path.exists(out):
        return "it converts, with status %d" % done.returncode
    return None


def main():
    """Judges all rows of the table, and whether it has all files."""
    ckconv, testdata = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    sys.path.insert(0, testdata)
    sys.dont_write_bytecode = True
    import make_views  # its table of files
    with open(os.path.join(testdata, "views.txt"), encoding="utf-8") as table:
        rows = [line.split() for line in table if line.strip() and line[0] != "#"]
    failed = sorted(set(make_views.files) ^ {row[0] for row in rows})
    for path in failed:
        print("FAILED %s: it is not in both make_views.py and views.txt" % path)
    with tempfile.TemporaryDirectory() as folder:
        for path, verdict, *rules in rows:
            try:
                wrong = judge(ckconv, os.path.join(testdata, path), verdict, rules, folder)
            except (subprocess.TimeoutExpired, ValueError, IndexError) as problem:
                wrong = "%s: %s" % (type(problem).__name__, problem)
            if not wrong and os.path.exists(os.path.join(folder, MARKER)):
                wrong = "its command was run"
            if wrong:
                failed.append(path)
                print("FAILED %s: %s" % (path, wrong))
    print("%d passed, %d failed" % (len(rows) - len(failed), len(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
