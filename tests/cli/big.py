#!/usr/bin/env python3
"""Writes a checkpoint that takes a while to convert.

usage: big.py TESTDATA OUT MEGABYTES [KIND]

KIND is `transposed` (zeros, seen with turned axes), or `mixed` (the default): tensors of random
bytes, large and small, plain and turned, of which some share a storage.
"""
import os
import random
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import craft  # noqa: E402  (found only now)

MEBI = 1 << 20


def transposed(size):
    """One matrix of zeros, columns first."""
    rows = size // 4 // 1024
    of = craft.storage("FloatStorage", "0", rows * 1024)
    return craft.named(w=craft.tensor(of, [1024, rows], [1, 1024])), {"0": bytes(rows * 4096)}


def mixed(size):
    """A large storage with three views, a middle one, and two hundred small ones."""
    chance = random.Random(7)
    rows = size // 2 // 4096
    wide = craft.storage("FloatStorage", "wide", rows * 1024)
    storages = {"wide": chance.randbytes(rows * 4096), "flat": chance.randbytes(size // 2)}
    tensors = {
        "wide": craft.tensor(wide, [rows, 1024], [1024, 1]),
        "wide.t": craft.tensor(wide, [1024, rows], [1, 1024]),
        "wide.part": craft.tensor(wide, [rows // 2, 100], [2048, 3], 5),
        "flat": craft.vector("flat", size // 2, "ByteStorage"),
    }
    for i in range(200):
        count = chance.randrange(1, 9000)
        storages["s%d" % i] = chance.randbytes(2 * count)
        tensors["small.%d" % i] = craft.vector("s%d" % i, count, "HalfStorage")
    return craft.named(**tensors), storages


def main():
    """Writes the file."""
    kind = sys.argv[4] if len(sys.argv) > 4 else "mixed"
    make = {"transposed": transposed, "mixed": mixed}[kind]
    value, storages = make(int(sys.argv[3]) * MEBI)
    with open(sys.argv[2], "wb") as out:
        craft.write_archive(out, craft.checkpoint(craft.pickle(value), storages))


if __name__ == "__main__":
    main()
