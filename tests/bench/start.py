#!/usr/bin/env python3
"""What the sandbox adds to the shortest conversion: many runs with it and without; the median, and
the fastest tenth, which tells more on a busy machine.

usage: start.py CKCONV INPUT [RUNS]
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time


def run(command):
    """Milliseconds of one run."""
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    return 1000 * (time.perf_counter() - begin)


def main():
    """Both ways in turn, so that the machine's mood hits both."""
    program, source = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.safetensors")
        times = {"auto": [], "off": []}
        for _ in range(runs):
            for way, taken in times.items():
                taken.append(run([program, "-q", "--no-fsync", "-j1", "--sandbox=" + way,
                                  source, out]))
    for name, place in (("median", 50), ("fastest tenth", 10)):
        on, off = (statistics.quantiles(times[way], n=100)[place - 1] for way in ("auto", "off"))
        print("%s of %d runs: %.2f ms confined, %.2f ms not, %.2f ms for the sandbox" % (
            name, runs, on, off, on - off))


if __name__ == "__main__":
    main()
