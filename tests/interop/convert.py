"""convert.py CKCONV FOLDER: converts FOLDER/*.pt to FOLDER/out/*.safetensors, with several numbers
of threads, and sees to it that what must be refused is refused and leaves nothing behind."""

import filecmp
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tally import Tally

SMALL = 4 << 20  # up to this size ckconv starts no threads


class Converter:
    def __init__(self, ckconv, folder):
        self.ckconv, self.folder = ckconv, folder
        self.tally = Tally("convert " + os.path.basename(folder))

    def run(self, case, threads, out):
        source = os.path.join(self.folder, case["name"] + ".pt")
        return subprocess.run(
            [self.ckconv, *case["args"], "--no-fsync", "-j", str(threads), source, out],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, timeout=120)

    def fault_of_refusal(self, case, out):
        done = self.run(case, 2, out)
        said = done.stderr.decode(errors="replace")
        if done.returncode != 3:
            return "the exit status is %d, not 3: %s" % (done.returncode, said)
        missing = [words for words in case["refused"] if words not in said]
        return "not a word of %s in: %s" % (missing, said) if missing else ""

    def fault(self, case, out):
        done = self.run(case, 1, out)
        if done.returncode:
            return "exit status %d: %s" % (done.returncode, done.stderr.decode(errors="replace"))
        for threads in (2, 3, 8) if os.path.getsize(out) > SMALL else (4,):
            other = out + ".%d.safetensors" % threads
            if self.run(case, threads, other).returncode:
                return "-j %d fails where -j 1 does not" % threads
            if not filecmp.cmp(out, other, shallow=False):
                return "-j %d writes another file than -j 1" % threads
            os.unlink(other)
        return ""

    def fault_of(self, case):
        out = os.path.join(self.folder, "out", case["name"] + ".safetensors")
        return (self.fault_of_refusal if "refused" in case else self.fault)(case, out)

    def fault_of_folder(self, cases):
        expected = {case["name"] + ".safetensors" for case in cases if "refused" not in case}
        odd = expected ^ set(os.listdir(os.path.join(self.folder, "out")))
        return "missing or left behind: " + ", ".join(sorted(odd)) if odd else ""


def main(ckconv, folder):
    with open(os.path.join(folder, "cases.jsonl")) as rows:
        cases = [json.loads(row) for row in rows]
    converter = Converter(ckconv, folder)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, fault in zip(cases, pool.map(converter.fault_of, cases)):
            converter.tally.check(case["name"], fault)
    converter.tally.check("the folder afterwards", converter.fault_of_folder(cases))
    converter.tally.finish()


main(*sys.argv[1:])
