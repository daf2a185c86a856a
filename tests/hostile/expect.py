#!/usr/bin/env python3
"""Holds scan and convert against the files of testdata/hostile.txt.

usage: expect.py CKCONV TESTDATA
Of each file, scan must say what its line says (by a finding of the rule, if there is one in a third
field), and convert must refuse all that is dangerous (status 1) or malformed (3), with no output.
The payload's marker must never appear. Nothing is unpickled here.
"""
import json
import os
import subprocess
import sys
import tempfile

MARKER = "ckconv_was_here"
STATUSES = {"safe": 0, "dangerous": 1, "malformed": 3, "unknown": 4}


def run(*command):
    """What a program did within ten seconds."""
    return subprocess.run(command, capture_output=True, timeout=10, stdin=subprocess.DEVNULL)


def judge_scan(ckconv, path, verdict, rules):
    """What is wrong with the scan of a file, or None."""
    done = run(ckconv, "scan", "--json", path)
    report = json.loads(done.stdout)
    if report["verdict"] != verdict:
        return "scan says %s, not %s" % (report["verdict"], verdict)
    if done.returncode != STATUSES[verdict]:
        return "scan ends with status %d" % done.returncode
    if verdict == "dangerous" and not any(f["verdict"] == "dangerous" and f["why"]
                                          for f in report["findings"]):
        return "no finding says why"
    missing = set(rules) - {f["rule"] for f in report["findings"]}
    return "there is no finding of %s" % ", ".join(missing) if missing else None


def judge_convert(ckconv, path, verdict):
    """What is wrong with the refusal of a file, or None."""
    done = run(ckconv, path, "out.safetensors")
    if os.path.exists("out.safetensors"):
        os.remove("out.safetensors")
        return "it was converted"
    want = STATUSES[verdict]
    if verdict in ("dangerous", "malformed") and done.returncode != want:
        return "convert ends with status %d: %s" % (done.returncode, done.stderr.decode()[-120:])
    return None


def judge(ckconv, path, verdict, rules):
    """What is wrong with a file, or None."""
    wrong = judge_scan(ckconv, path, verdict, rules)
    if not wrong and verdict != "safe":
        wrong = judge_convert(ckconv, path, verdict)
    if os.path.exists(MARKER):
        os.remove(MARKER)
        return "ITS CODE WAS RUN"
    return wrong


def main():
    """Judges every line."""
    ckconv, testdata = map(os.path.abspath, sys.argv[1:3])
    failed = count = 0
    with tempfile.TemporaryDirectory() as folder, \
            open(os.path.join(testdata, "hostile.txt"), encoding="utf-8") as lines:
        os.chdir(folder)
        for line in lines:
            if line.startswith("#"):
                continue
            path, verdict, *rules = (part.strip() for part in line.split("|"))
            wrong = judge(ckconv, os.path.join(testdata, path), verdict, rules)
            count += 1
            failed += bool(wrong)
            if wrong:
                print("FAILED %s: %s" % (path, wrong))
        os.chdir("/")
    print("%d files, %d failed" % (count, failed))
    sys.exit(failed > 0 or count < 80)


if __name__ == "__main__":
    main()
