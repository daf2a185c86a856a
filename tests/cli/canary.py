#!/usr/bin/env python3
"""Writes a checkpoint whose pickle would make a file `ran-here` in the current folder, if it ran.

usage: canary.py TESTDATA OUT     (the pickle is written byte by byte and never loaded)
"""
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import craft  # noqa: E402  (found only now)


def main():
    """Writes the file."""
    command = craft.text("touch ran-here")
    calls = [craft.call(craft.name(module, attribute), command)
             for module, attribute in (("posix", "system"), ("os", "system"),
                                       ("subprocess", "getoutput"))]
    inst = b"(" + command + b"iposix\nsystem\n"
    value = craft.named(w=craft.vector("0", 1), x=craft.list_of(*calls, inst))
    with open(sys.argv[2], "wb") as out:
        craft.write_archive(out, craft.checkpoint(craft.pickle(value), {"0": craft.floats(1)}))


if __name__ == "__main__":
    main()
