#!/usr/bin/env python3
"""Lets every single allocation, read, write, fsync and rename of one run of ckconv go wrong, one
run for each: it must end with status 2 and a sentence, leave no file, and give back all memory and
descriptors; or, where it has another way, give what it gives otherwise.

usage: run.py CKCONV FAULT_LIBRARY convert INPUT EXPECTED [OPTION...]
       run.py CKCONV FAULT_LIBRARY check INPUT EXPECTED [OPTION...]
       run.py CKCONV FAULT_LIBRARY scan INPUT [OPTION...]
       run.py CKCONV FAULT_LIBRARY diff A B [OPTION...]

check converts with --check: then bytes that are written wrong must be noticed, too. CK_FAULTS=once
lets each call fail alone: what comes of it where all that follow fail, too, or where calls are
interrupted, is the same code for all layouts, and seen with those that are run without.
"""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

# function, ways in which it goes wrong (fault.c says what they mean); a "?" stands before those
# that not every run calls. The others must be called, or the sweep would test nothing.
CONVERT = {
    "malloc": "once on", "calloc": "once on", "?realloc": "once", "?pthread_create": "once",
    "?pthread_mutex_init": "once", "pread64": "once on short again",
    "pwrite64": "once on short again", "fallocate64": "once on again", "?ftruncate64": "once",
    "fsync": "once on", "linkat": "once on", "renameat2": "once on", "?renameat": "once",
    "openat64": "once on", "open64": "once on", "access": "once", "fstat64": "once",
    "stat64": "once", "lstat64": "once on", "getrandom": "once on", "?fork": "once",
    "?pipe2": "once",
}
SCAN = {
    "malloc": "once on", "calloc": "once on", "?realloc": "once", "?pthread_mutex_init": "once",
    "pread64": "once on short again", "?pwrite64": "once", "open64": "once", "fstat64": "once",
    "?stat64": "once", "getrandom": "once on", "?fork": "once", "?pipe2": "once",
}
CHECK = dict(CONVERT, pwrite64="once wrong", pread64="once short", malloc="once", calloc="once",
             openat64="once", open64="once", lstat64="once", getrandom="once", fsync="once",
             fallocate64="once", linkat="once", renameat2="once")
DIFF = {
    "malloc": "once on", "calloc": "once on", "?realloc": "once", "?pthread_create": "once",
    "?pthread_mutex_init": "once", "pread64": "once on short again", "?pwrite64": "once on short",
    "open64": "once on", "fstat64": "once", "?stat64": "once", "getrandom": "once on",
    "?fork": "once", "?pipe2": "once",
}
TABLES = {"convert": CONVERT, "check": CHECK, "scan": SCAN, "diff": DIFF}
HARMLESS = ("short", "again")  # these must not be noticed at all
LOADER = 127  # the status of a program whose libraries found no memory
NOT_READ = b"what was written is not what was read: tensor '"
IN_PLACE = b"in its place, but its folder"  # the last fsync failed, behind the rename


class Sweep:
    """One command, and what it gives when nothing goes wrong."""

    def __init__(self, library, command, folder):
        self.library, self.command = library, command
        self.out = os.path.join(folder, "out")
        self.mark = os.path.join(folder, "mark")
        os.mkdir(self.out)
        self.passed, self.failed = 0, 0
        self.found = 0 # writes gone wrong that --check alone has found
        self.right = self.run("")
        assert self.right["status"] in (0, 1, 3, 4), self.right

    def run(self, fault):
        """One run, in an empty folder."""
        for name in os.listdir(self.out):
            os.unlink(os.path.join(self.out, name))
        with open(self.mark, "wb") as file:
            file.write(bytes(4096))
        env = dict(os.environ, LD_PRELOAD=self.library, CK_FAULT=fault, CK_FAULT_MARK=self.mark)
        done = subprocess.run(self.command, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, check=False)
        with open(self.mark, "rb") as file:
            struck, blocks, files = struct.unpack("<3i", file.read(12))
        return {"status": done.returncode, "said": done.stdout, "why": done.stderr,
                "struck": struck, "blocks": blocks, "files": files, "left": self.left()}

    def left(self):
        """{name: bytes} of what a run left."""
        found = {}
        for name in sorted(os.listdir(self.out)):
            with open(os.path.join(self.out, name), "rb") as file:
                found[name] = file.read()
        return found

    def is_right(self, run):
        """Whether it gave what it gives otherwise."""
        return all(run[part] == self.right[part] for part in ("status", "said", "left"))

    def is_cut(self, said):
        """Whether it is a comparison, or how one begins: nobody takes it for what it is not."""
        return (said.startswith(b'{"schema"') and b'"differences"' in self.right["said"] and
                self.right["said"].startswith(said))

    @staticmethod
    def is_honest_report(said):
        """Whether it is the line of a scan that says why it is not complete."""
        try:
            report = json.loads(said)
        except ValueError:
            return False
        return (report.get("verdict") == "malformed" and not report["complete"] and
                bool(report["error"]))

    def complaint(self, run, how):
        """What is wrong with a run, or None."""
        if run["status"] == LOADER:
            return None
        if run["blocks"] > self.right["blocks"] or run["files"] > self.right["files"]:
            return "%d blocks and %d files are not given back, instead of %d and %d" % (
                run["blocks"], run["files"], self.right["blocks"], self.right["files"])
        if self.is_right(run):
            return None
        if how in HARMLESS:
            return "it makes a difference: status %d: %s" % (run["status"], run["why"])
        if how == "wrong" and NOT_READ in run["why"]:
            self.found += 1
        if run["status"] != 2 and not (how == "wrong" and run["status"] == 3):
            return "status %d: %s" % (run["status"], run["why"])
        if self.is_honest_report(run["said"]):
            return None
        if not run["why"].startswith(b"ckconv: "):
            return "failed without a sentence: %s" % run["why"]
        if IN_PLACE in run["why"] and run["left"] == self.right["left"]:
            return None
        if self.is_cut(run["said"]) and not run["left"]:
            return None
        if run["left"] or run["said"]:
            return "left behind: %s %s" % (" ".join(run["left"]), run["said"])
        return None

    def sweep(self, name, how):
        """Lets the first call go wrong, then the second, and so on; the number of calls."""
        number = 0
        while True:
            number += 1
            fault = "%s:%d:%s" % (name, number, how)
            run = self.run(fault)
            if not run["struck"]:
                return number - 1
            complaint = self.complaint(run, how)
            if complaint:
                self.failed += 1
                print("%s: %s" % (fault, complaint))
            else:
                self.passed += 1


def main():
    """Sweeps over each function of the table."""
    program, library, verb, source, *more = sys.argv[1:]
    folder = tempfile.mkdtemp()
    try:
        out = os.path.join(folder, "out")
        command = [program, "scan", "--json", *more, source]
        if verb == "diff":
            command = [program, "diff", "--json", *more[1:], source, more[0]]
        if verb in ("convert", "check"):
            command = [program, *more[1:], "--extras", out + "/extras.json", source,
                       out + "/out.safetensors"]
        if verb == "check":
            command.insert(1, "--check")
        sweep = Sweep(library, command, folder)
        if verb in ("convert", "check"):
            made = sweep.right["left"]
            with open(more[0], "rb") as file: # shards are compared with themselves alone
                assert ("out.safetensors.index.json" in made or
                        made["out.safetensors"] == file.read()), "wrong from the start"
        alone = os.environ.get("CK_FAULTS") == "once"
        for name, hows in TABLES[verb].items():
            for how in hows.split():
                if alone and how in ("on", "again"):
                    continue
                calls = sweep.sweep(name.lstrip("?"), how)
                if not calls and not name.startswith("?"):
                    sweep.failed += 1
                    print("%s is never called: the sweep tests nothing" % name)
        if verb == "check" and not sweep.found:
            sweep.failed += 1
            print("--check found nothing")
    finally:
        shutil.rmtree(folder)
    print("%d passed, %d failed" % (sweep.passed, sweep.failed))
    return 1 if sweep.failed else 0


if __name__ == "__main__":
    sys.exit(main())
