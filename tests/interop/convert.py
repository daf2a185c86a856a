"""convert.py CKCONV FOLDER: converts the files of FOLDER/cases.jsonl to FOLDER/out/*.safetensors,
with several numbers of threads, and sees to it that what must be refused is refused and leaves
nothing behind, and that what must be said is said."""

import filecmp
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tally import Tally

SMALL = 4 << 20  # up to this size ckconv starts no threads


def unsaid(words, done):
    said = done.stderr.decode(errors="replace")
    missing = [word for word in words if word not in said]
    return "not a word of %s in: %s" % (missing, said) if missing else ""


class Converter:
    def __init__(self, ckconv, folder):
        self.ckconv, self.folder = ckconv, folder
        self.tally = Tally("convert " + os.path.basename(folder))

    def run(self, row, out, *options, source=None):
        source = source or os.path.join(self.folder, row["file"])
        if row["member"]:
            source += "!" + row["member"]
        return subprocess.run(
            [self.ckconv, *row["args"], "--no-fsync", *options, source, out],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, timeout=120)

    def fault_of_refusal(self, row, out):
        done = self.run(row, out, "-j2")
        if done.returncode != row["status"]:
            return "the exit status is %d, not %d: %s" % (
                done.returncode, row["status"], done.stderr.decode(errors="replace"))
        return unsaid(row["refused"], done)

    def fault_of_other(self, row, out, *options):
        """The same must come of it with these options."""
        other = out + ".other.safetensors"
        done = self.run(row, other, *options)
        if done.returncode:
            return "with %s it fails: %s" % (options, done.stderr.decode(errors="replace"))
        same = filecmp.cmp(out, other, shallow=False)
        os.unlink(other)
        return "" if same else "with %s it writes another file" % (options,)

    def fault_of_guard(self, row, out):
        """Without --disarm, what carries code or is not one thing to all is left alone."""
        if not row["refuses"]:
            return ""
        done = self.run(row, out)
        row["args"] = [*row["args"], "--disarm"]
        if done.returncode not in (1, 3) or os.path.exists(out):
            return "it is not refused: status %d" % done.returncode
        return unsaid([row["refuses"]], done)

    def fault_of_strict(self, row, out, foreign):
        """Needing classes that are not known to be harmless is an error of its own."""
        if row["strict"] is True and not foreign:
            return self.fault_of_other(row, out, "--strict")
        if row["strict"] is True:
            row["strict"] = ["nobody knows to be harmless"]
        if not row["strict"]:
            return ""
        done = self.run(row, out + ".strict", "--to", "safetensors", "--strict")
        if done.returncode == 3:
            return unsaid(row["strict"], done)
        return "--strict: status %d: %s" % (done.returncode, done.stderr.decode(errors="replace"))

    def fault_of_cuts(self, row, out):
        """A file that ends too early is an error wherever it ends, and never a crash."""
        if not row["cut"]:
            return ""
        with open(os.path.join(self.folder, row["file"]), "rb") as file:
            data = file.read()
        cut, output = out + ".cut", out + ".cut.safetensors"
        for size in range(0, len(data.rstrip(b"\0")), row["cut"]):  # a tar ends in zeros
            with open(cut, "wb") as file:
                file.write(data[:size])
            done = self.run(row, output, source=cut)
            if done.returncode != 3 or not done.stderr or os.path.exists(output):
                for left in (cut, output):
                    if os.path.exists(left):
                        os.unlink(left)
                return "cut to %d of %d bytes: status %d: %s" % (
                    size, len(data), done.returncode, done.stderr.decode(errors="replace"))
        os.unlink(cut)
        return ""

    def fault(self, row, out):
        found = self.fault_of_guard(row, out)
        if found:
            return found
        done = self.run(row, out, "-j1")
        if done.returncode:
            return "exit status %d: %s" % (done.returncode, done.stderr.decode(errors="replace"))
        found = unsaid(row["notes"], done)
        for threads in (2, 3, 8) if os.path.getsize(out) > SMALL else (4,):
            found = found or self.fault_of_other(row, out, "-j%d" % threads)
        foreign = b"not known to be harmless" in done.stderr
        return found or self.fault_of_strict(row, out, foreign) or self.fault_of_cuts(row, out)

    def fault_of(self, row):
        out = os.path.join(self.folder, "out", row["name"] + ".safetensors")
        return (self.fault_of_refusal if "refused" in row else self.fault)(row, out)

    def fault_of_folder(self, rows):
        expected = {row["name"] + ".safetensors" for row in rows if "refused" not in row}
        odd = set(os.listdir(os.path.join(self.folder, "out"))) - expected
        return "left behind: " + ", ".join(sorted(odd)) if odd else ""


def main(ckconv, folder):
    with open(os.path.join(folder, "cases.jsonl")) as lines:
        rows = [json.loads(line) for line in lines]
    converter = Converter(ckconv, folder)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for row, fault in zip(rows, pool.map(converter.fault_of, rows)):
            converter.tally.check(row["name"], fault)
    converter.tally.check("the folder afterwards", converter.fault_of_folder(rows))
    converter.tally.finish()


main(*sys.argv[1:])
