#!/usr/bin/env python3
"""What the sandbox adds to the shortest conversion: many runs with it and without, in turn.

usage: start.py CKCONV INPUT [RUNS [BOUND]]
With a bound (ms), it is a test: the processor time that the sandbox costs must stay below. Of each
way the quickest run counts, which a busy machine can only make slower; so the difference errs only
where all runs of one way were disturbed, and then more runs are made.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time


def run(command):
    """Milliseconds of one run: by the clock, and of the processor for it and its child."""
    begin = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    taken = time.perf_counter() - begin
    if status:
        sys.exit("status %#x: %s" % (status, " ".join(command)))
    return 1000 * taken, 1000 * (usage.ru_utime + usage.ru_stime)


def measure(program, source, runs, times):
    """Adds to the lists of times, both ways in turn, so that the machine's mood hits both."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.safetensors")
        for _ in range(runs):
            for way, taken in times.items():
                taken.append(run([program, "-q", "--no-fsync", "-j1", "--sandbox=" + way,
                                  source, out]))


def has_sandbox(program, source):
    """Sanitizers and coverage have none."""
    done = subprocess.run([program, "scan", "-q", "--sandbox=require", source], capture_output=True)
    return b"built without a sandbox" not in done.stderr


def report(times):
    """By the clock: the median and the quickest tenth. Returns the least processor time it adds."""
    for name, place in (("median", 50), ("fastest tenth", 10)):
        on, off = (statistics.quantiles([clock for clock, _ in times[way]], n=100)[place - 1]
                   for way in ("require", "off"))
        print("%s of %d runs: %.2f ms confined, %.2f ms not, %.2f ms for the sandbox" % (
            name, len(times["off"]), on, off, on - off))
    on, off = (min(cpu for _, cpu in times[way]) for way in ("require", "off"))
    print("least processor time: %.2f ms confined, %.2f ms not, %.2f ms for the sandbox" % (
        on, off, on - off))
    return on - off


def main():
    """Measures, and where there is a bound, tries again some times before it fails."""
    program, source = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    bound = float(sys.argv[4]) if len(sys.argv) > 4 else None
    times = {"require": [], "off": []}
    if not has_sandbox(program, source):
        print("skipped: this ckconv was built without a sandbox, as sanitizers need it")
        sys.exit(77)
    for _ in range(5):
        measure(program, source, runs, times)
        cost = report(times)
        if bound is None or cost < bound:
            return
    sys.exit("the sandbox costs %.2f ms, and may cost %.2f" % (cost, bound))


if __name__ == "__main__":
    main()
