"""Counts checks: one line for each that fails, and the totals as the last line for run.sh."""


LONGEST = 300  # characters of a fault: some quote names of 4 KiB


class Tally:
    def __init__(self, title):
        self.title, self.passed, self.failed = title, 0, 0

    def check(self, what, fault):
        """`fault` says what is wrong; empty: nothing is."""
        if fault:
            self.failed += 1
            print("FAILED %s: %s: %s" % (self.title, what, fault.strip()[:LONGEST]), flush=True)
        else:
            self.passed += 1

    def finish(self):
        print("%d passed, %d failed" % (self.passed, self.failed))
