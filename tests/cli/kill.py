#!/usr/bin/env python3
"""Kills conversions at random moments: the output is then absent, the old one, or whole, no process
is left, and what lies about is gone after the next run. Where the old one was private, what lies
about is private, too.

usage: kill.py CKCONV TESTDATA NO_TMPFILE_LIBRARY [ROUNDS]

The parent, the child, or both are killed with SIGKILL; in every second round the file system knows
no files without a name (the library sees to that).
"""
import ctypes
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, sys.argv[2])
sys.dont_write_bytecode = True
import craft  # noqa: E402  (found only now)

PR_SET_CHILD_SUBREAPER = 36
SIZE = 6 << 20
OLD = b"old"


def make_input(path):
    """A checkpoint of one tensor; returns the bytes of its safetensors file."""
    data = random.Random(3).randbytes(SIZE)
    value = craft.named(w=craft.vector("w", SIZE, "ByteStorage"))
    with open(path, "wb") as out:
        craft.write_archive(out, craft.checkpoint(craft.pickle(value), {"w": data}))
    header = ('{"__metadata__":{"format":"pt"},"w":{"dtype":"U8","shape":[%d],'
              '"data_offsets":[0,%d]}}' % (SIZE, SIZE)).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data


def child_of(pid):
    """The process that reads the file, or None."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as children:
            found = children.read().split()
    except OSError:
        return None
    return int(found[0]) if found else None


def is_confined(pid):
    """True once the process has its sandbox, and with it all that was to be arranged before."""
    try:
        with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as status:
            return "\nSeccomp:\t2" in status.read()
    except OSError:
        return False


def send_kill(process, whom):
    """Kills; returns whether it hit what it should."""
    try:
        if whom == "child":
            child = child_of(process.pid)
            if child is None:
                return False
            os.kill(child, signal.SIGKILL)
        elif whom == "parent":
            child = child_of(process.pid)
            # it must die of its parent's death, not of its own work's end
            if child and is_confined(child):
                os.kill(child, signal.SIGSTOP)
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def group_ends(group):
    """True once no process of the group is left; orphans are ours to reap."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
            os.waitpid(-group, os.WNOHANG)
        except ChildProcessError:
            pass
        except ProcessLookupError:
            return True
        time.sleep(0.001)
    os.killpg(group, signal.SIGKILL)
    return False


class Rounds:
    """What came of all rounds."""

    def __init__(self, ckconv, library, folder):
        self.ckconv, self.library = ckconv, library
        self.source = os.path.join(folder, "in.pt")
        self.out = os.path.join(folder, "out")
        self.target = os.path.join(self.out, "model.safetensors")
        os.mkdir(self.out)
        self.whole = make_input(self.source)
        self.counts = {"absent": 0, "old": 0, "whole": 0, "hit": 0, "left": 0, "private": 0}
        self.failures = []
        self.duration = min(self.time_one() for _ in range(5))

    def command(self, target):
        """A conversion to the target."""
        return [self.ckconv, "--no-fsync", "-j", "2", self.source, target]

    def time_one(self):
        """Seconds that an undisturbed conversion takes, which must be right."""
        begin = time.monotonic()
        subprocess.run(self.command(self.target), check=True, stderr=subprocess.DEVNULL)
        taken = time.monotonic() - begin
        if self.read() != self.whole:
            sys.exit("an undisturbed conversion is wrong")
        os.unlink(self.target)
        return taken

    def read(self):
        """The output, or None."""
        try:
            with open(self.target, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def fail(self, number, what):
        """Notes what went wrong in a round."""
        self.failures.append("round %d: %s" % (number, what))

    def run(self, number, whom, chance):
        """One conversion that is killed."""
        environment = dict(os.environ)
        if number % 2:
            environment["LD_PRELOAD"] = self.library
        private = number % 4 < 2
        if private:
            with open(self.target, "wb") as file:
                file.write(OLD)
            os.chmod(self.target, 0o600)
        process = subprocess.Popen(self.command(self.target), stderr=subprocess.PIPE,
                                   start_new_session=True, env=environment)
        time.sleep(chance.uniform(0, 1.1 * self.duration))
        hit = send_kill(process, whom)
        process.wait(20)
        if not group_ends(process.pid):
            self.fail(number, "a process is left")
        told = process.communicate()[1].decode()
        if private:
            self.check_private(number)
        self.check(number, whom, hit, process.returncode, told)
        self.clear(number)

    def check_private(self, number):
        """Nobody else may read what is there."""
        for entry in os.scandir(self.out):
            if entry.stat().st_mode & 0o077:
                self.fail(number, "%s can be read by all" % entry.name)
            self.counts["private"] += entry.path != self.target

    def check(self, number, whom, hit, status, told):
        """What there is after the kill."""
        content = self.read()
        kind = {None: "absent", OLD: "old", self.whole: "whole"}.get(content)
        if kind is None:
            self.fail(number, "the output is broken, %d bytes" % len(content))
            return
        self.counts[kind] += 1
        self.counts["hit"] += hit
        if status == 0 and kind != "whole":
            self.fail(number, "status 0, but the output is %s" % kind)
        if status != 0 and whom == "child" and (status != 2 or not told.startswith("ckconv: ")):
            self.fail(number, "the child was killed: status %d, %r" % (status, told))
        if content is not None:
            os.unlink(self.target)

    def clear(self, number):
        """The next run, of another output, removes what was left."""
        left = os.listdir(self.out)
        if not left:
            return
        self.counts["left"] += 1
        other = os.path.join(self.out, "other.safetensors")
        told = subprocess.run(self.command(other), check=True, capture_output=True).stderr
        if os.listdir(self.out) != ["other.safetensors"] or b"left behind" not in told:
            self.fail(number, "%s, then %s: %r" % (left, os.listdir(self.out), told))
        for name in os.listdir(self.out):
            os.unlink(os.path.join(self.out, name))


def main():
    """All rounds."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    chance = random.Random()
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 200
    with tempfile.TemporaryDirectory() as folder:
        rounds = Rounds(os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[3]), folder)
        for number in range(count):
            rounds.run(number, ("parent", "child", "both")[number % 3], chance)
    print("\n".join(rounds.failures))
    print("%d rounds of about %.0f ms: %s; %d failed" % (
        count, 1000 * rounds.duration,
        ", ".join("%d %s" % (n, what) for what, n in rounds.counts.items()),
        len(rounds.failures)))
    if rounds.counts["hit"] < count // 4 or not rounds.counts["private"]:
        print("too few were hit at work: this tells nothing")
        return 1
    return 1 if rounds.failures else 0


if __name__ == "__main__":
    sys.exit(main())
