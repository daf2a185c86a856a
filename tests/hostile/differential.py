#!/usr/bin/env python3
"""Holds ckconv against CPython over generated pickles, hostile and honest.

usage: differential.py CKCONV NAMES [--count N] [--seed N]
Each hostile pickle would make an empty file, its marker; a child process shows that by unpickling
it in a folder of its own (and, where the system lets it, in namespaces of its own). Then scan must
call it dangerous, convert must refuse it, and no marker may come of either. A part of them names
nothing harmful but what planted.py writes, a function that is unknown when it is merely called.
Honest pickles of odd kinds, written by CPython itself, must never be called dangerous. NAMES is a
list of functions whose call must be dangerous.
"""
import argparse
import json
import os
import pickle
import random
import shutil
import subprocess
import sys
import tempfile

from pickles import CONTAINERS, MARKER, Maker, honest_values
from planted import MODULES

STEP = 40  # pickles that one child unpickles, and one scan looks at

# The child: unpickles every file that it is told, each in a folder and a process of its own, so
# that none runs because of what another one changed.
CHILD = """
import os, pickle, signal, sys
sys.path.insert(0, sys.argv[1])
for path in sys.argv[2:]:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        continue
    os.chdir(path + ".live")
    signal.alarm(5)
    try:
        with open(path, "rb") as file:
            pickle.load(file, encoding="latin1")
    finally:
        os._exit(0)
"""


# ---- holding ckconv against them ----

def alone(command, folder):
    """Runs a child without the network or the mounts of this process, where that can be."""
    unshare = shutil.which("unshare")
    if unshare and os.geteuid() == 0:
        tried = subprocess.run([unshare, "-n", "-m", "true"], capture_output=True)
        if tried.returncode == 0:
            command = [unshare, "-n", "-m"] + command
    subprocess.run(command, cwd=folder, capture_output=True, timeout=120, stdin=subprocess.DEVNULL)


def scan_all(ckconv, paths):
    """The verdict of each file."""
    done = subprocess.run([ckconv, "scan", "--json", *paths], capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    return {report["path"]: report for report in reports}


def has_marker(folder):
    """Whether there is a marker in a folder, or in one below it that no child works in."""
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.endswith(".live")]
        if MARKER in files or MARKER in folders:
            return True
    return False


def write_modules(folder):
    """What some pickles need to run."""
    for path, code in MODULES.items():
        path = os.path.join(folder, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(code)


class Judge:
    """Counts what is wrong."""

    def __init__(self, ckconv, folder):
        self.ckconv, self.folder = ckconv, folder
        self.failed = self.live = self.count = 0
        self.modules = os.path.join(folder, "modules")
        write_modules(self.modules)

    def wrong(self, what, data, report=None):
        """Tells one fault."""
        self.failed += 1
        print("FAILED", what, data if len(data) < 400 else data[:400] + b"...")
        for finding in (report or {}).get("findings", [])[:3]:
            print("   ", finding["rule"], finding["why"])

    def hostile(self, cases):
        """Pickles (bare data, the file that holds it) that run something."""
        files, bare = {}, []
        for data, whole in cases:
            path = os.path.join(self.folder, "%06d" % self.count)
            self.count += 1
            files[path] = (data, whole)
            with open(path, "wb") as out:
                out.write(whole)
            with open(path + ".bare", "wb") as out:
                out.write(data)
            os.mkdir(path + ".bare.live")
            bare.append(path + ".bare")
        reports = scan_all(self.ckconv, files)
        for path, (data, whole) in files.items():
            if reports.get(path, {}).get("verdict") != "dangerous":
                self.wrong("not called dangerous:", whole, reports.get(path))
            out = path + ".safetensors"
            done = subprocess.run([self.ckconv, path, out], capture_output=True, timeout=20,
                                  cwd=self.folder, stdin=subprocess.DEVNULL)
            if done.returncode != 1 or os.path.exists(out):
                self.wrong("not refused with status 1 (%d):" % done.returncode, whole)
        if has_marker(self.folder):
            self.wrong("ITS CODE WAS RUN by one of these", b"")
        alone([sys.executable, "-B", "-c", CHILD, self.modules, *bare], self.folder)
        live = 0
        for path in bare:
            live += os.path.exists(os.path.join(path + ".live", MARKER))
            shutil.rmtree(path + ".live")
        self.live += live
        return live

    def honest(self, cases):
        """Pickles that run nothing, or nothing that anybody could know."""
        files = {}
        for data in cases:
            path = os.path.join(self.folder, "%06d" % self.count)
            self.count += 1
            files[path] = data
            with open(path, "wb") as out:
                out.write(data)
        for path, report in scan_all(self.ckconv, files).items():
            if report["verdict"] == "dangerous":
                self.wrong("called dangerous without a reason:", files[path], report)


def listed_names(path):
    """Pickles that call each function of a list."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            module, name = line.split()
            name = "anything" if name == "*" else name
            yield b"\x80\x02c%s\n%s\nX\x01\0\0\0x\x85R." % (module.encode(), name.encode())


def in_steps(items):
    """Lists of at most STEP items."""
    for at in range(0, len(items), STEP):
        yield items[at:at + STEP]


def main():
    """Everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("ckconv")
    parser.add_argument("names")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(os.path.abspath(options.ckconv), folder)
        for step in in_steps(range(options.count)):
            pickles = [Maker(chance).pickle() for _ in step]
            judge.hostile([(data, chance.choice(CONTAINERS)(data, chance)) for data in pickles])
        hostile = judge.count
        live = planted = 0
        for step in in_steps(range(options.count)):
            pickles = [Maker(chance).planted() for _ in step]
            planted += len(pickles)
            live += judge.hostile([(data, chance.choice(CONTAINERS)(data, chance))
                                   for data in pickles])
            judge.honest([Maker(chance).unknown() for _ in step])
        for step in in_steps(list(listed_names(options.names))):
            files = {}
            for data in step:
                path = os.path.join(folder, "n%06d" % judge.count)
                judge.count += 1
                files[path] = data
                with open(path, "wb") as out:
                    out.write(data)
            for path, report in scan_all(judge.ckconv, files).items():
                if report["verdict"] != "dangerous":
                    judge.wrong("a harmful name is %s:" % report["verdict"], files[path], report)
        honest = []
        for value in honest_values():
            for protocol in range(6):
                try:
                    honest.append(pickle.dumps(value, protocol))
                except Exception:
                    pass  # not every value can be written in every protocol
        for step in in_steps(honest):
            judge.honest(step)
    print("%d hostile pickles, %d of them live; %d that plant something, %d of them live; "
          "%d honest ones; %d failed" %
          (hostile, judge.live - live, planted, live, len(honest), judge.failed))
    if judge.live - live < hostile * 0.8 or live < planted * 0.8:
        print("FAILED: too few of the hostile pickles run anything, so that they show nothing")
        sys.exit(1)
    sys.exit(judge.failed > 0)


if __name__ == "__main__":
    main()
