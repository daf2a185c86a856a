#!/usr/bin/env python3
"""Throws bombs at ckconv: each must be refused in a sentence, in little time and little memory.

usage: run.py CKCONV TYPES_H [--table] [NAME...]

For each bomb, when it is converted: the status is 3, standard error ends in a line that begins with
"ckconv:" and holds what bombs.py says, no file is made, user and system time are below SECONDS (the
least of up to TRIES runs: other programs on the machine can make one slower, none can make one
faster; on a machine that is slower than the one for which SECONDS was set, up to twice that, by a
yardstick that is run there and then), and the peak of the memory is below what ckconv needs for a
trivial file, the size of the bomb, and MEMORY together. When it is scanned, it must not be called
clean. Two are thrown at a time. TYPES_H holds the list of limits: each of them must be reached by a
bomb. --table prints all figures."""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

SECONDS = 2.0
TRIES = 4
YARDSTICK = """import zlib
zlib.compress(b''.join(b'%d ' % (i * i % 1000003) for i in range(500_000)), 6)"""
YARDSTICK_SECONDS = 0.6
MEMORY = 64 << 20


def run(command, folder):
    """Status, standard error, seconds of processor time, bytes of memory at the peak."""
    errors = os.path.join(folder, '.stderr')
    with open(errors, 'wb') as stderr, open(os.devnull, 'r+b') as null:
        process = subprocess.Popen(command, stdin=null, stdout=null, stderr=stderr, cwd=folder)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    with open(errors, 'r', encoding='utf-8', errors='replace') as file:
        said = file.read()
    os.remove(errors)
    return process.returncode, said, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def run_at_best(command, folder):
    result = run(command, folder)
    for _ in range(TRIES - 1):
        if result[2] < SECONDS:
            break
        result = min(result, run(command, folder), key=lambda r: r[2])
    return result


def slowness(folder):
    """How many times slower than the machine for which SECONDS was set this one is now, 1 to 2."""
    command = [sys.executable, '-S', '-c', YARDSTICK]
    took = min(run(command, folder)[2] for _ in range(TRIES))
    return min(max(took / YARDSTICK_SECONDS, 1), 2)


def make(name, path):
    """In a process of its own, so that this one stays small: its memory counts for its children."""
    subprocess.run([sys.executable, os.path.abspath(__file__), '--make', name, path], check=True)


def limits_of(types_h):
    with open(types_h, encoding='utf-8') as file:
        table = re.search(r'#define CK_LIMITS\(X\)((?:.*\\\n)*.*\n)', file.read()).group(1)
    return set(re.findall(r'X\((\w+),', table))


def faults(row, folder, before, result, base, scan):
    """What is wrong with the way a bomb was taken."""
    status, said, seconds, memory = result
    size = os.path.getsize(os.path.join(folder, before[0]))
    lines = [line for line in said.splitlines() if not line.startswith('ckconv: note:')]
    if scan:
        if status not in (1, 3, 4) and not (row.clean and not status):
            yield f'status {status}'
    else:
        if status != row.status:
            yield f'status {status}'
        if not lines or not lines[-1].startswith('ckconv: ') or row.says not in lines[-1]:
            yield f'it said {said[:300]!r}, not {row.says!r}'
    if sorted(os.listdir(folder)) != sorted(before):
        yield f'it left {sorted(os.listdir(folder))}'
    if seconds >= SECONDS and seconds >= (allowed := SECONDS * slowness(folder)):
        yield f'{seconds:.2f} s of {allowed:.2f} s'
    if memory >= base + size + MEMORY + row.more:
        yield f'{(memory - base - size) / (1 << 20):.0f} MiB beyond its size'


def arguments(ckconv, row, path, scan):
    if scan:
        return [ckconv, 'scan', *row.limits(), path]
    return [ckconv, *row.options, path, 'out.safetensors']


def throw(row, ckconv, base):
    """What to print of a bomb: (is it bad, line) for its conversion and for its scan."""
    said = []
    with tempfile.TemporaryDirectory(prefix='ckconv-bomb-') as folder:
        path = row.name + row.suffix
        make(row.name, os.path.join(folder, path))
        size = os.path.getsize(os.path.join(folder, path))
        for scan in (False, True):
            before = os.listdir(folder)
            result = run_at_best(arguments(ckconv, row, path, scan), folder)
            wrong = list(faults(row, folder, before, result, base, scan))
            beyond = (result[3] - base - size) / (1 << 20)
            said.append((bool(wrong),
                         f'{"not ok" if wrong else "ok    "} {"scan" if scan else "    "} '
                         f'{row.name:26} {size / 1e6:8.1f} MB {result[2]:6.2f} s '
                         f'{beyond:8.1f} MiB  {"; ".join(wrong) or result[1][:110].strip()}'))
            for name in set(os.listdir(folder)) - set(before):
                os.remove(os.path.join(folder, name))
    return said


def main():
    wanted = [a for a in sys.argv[3:] if not a.startswith('--')]
    ckconv, types_h = os.path.realpath(sys.argv[1]), sys.argv[2]
    names = subprocess.run([sys.executable, os.path.abspath(__file__), '--list'], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    rows = [Row(*line.split('\t')) for line in names]
    bad = 0
    missing = limits_of(types_h) - {row.limit for row in rows}
    if missing:
        print('no bomb reaches these limits: ' + ' '.join(sorted(missing)))
        bad += 1
    rows = [row for row in rows if not wanted or row.name in wanted]
    with tempfile.TemporaryDirectory(prefix='ckconv-bomb-') as folder:
        base = run([ckconv, '--version'], folder)[3]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for said in pool.map(lambda row: throw(row, ckconv, base), rows):
            for wrong, line in said:
                bad += wrong
                if wrong or '--table' in sys.argv:
                    print(line, flush=True)
    print(f'{len(rows)} bombs, {bad} badly taken when converted or scanned')
    return 1 if bad or not rows else 0


class Row:
    """What the runner needs to know of a bomb."""

    def __init__(self, name, suffix, says, limit, status, more, clean, *options):
        self.name, self.suffix, self.says, self.limit = name, suffix, says, limit
        self.status, self.more = int(status), int(more) << 20
        self.clean = clean == 'True'
        self.options = [o for o in options if o]

    def limits(self):
        """The options that scan takes, too."""
        return [part for key, value in zip(self.options, self.options[1:]) if key == '--limit'
                for part in (key, value)]


if sys.argv[1] == '--list':
    import bombs
    for b in bombs.ROWS:
        print('\t'.join([b.name, b.suffix, b.says, b.limit or '', str(b.status), str(b.more),
                         str(b.clean), *b.options]))
elif sys.argv[1] == '--make':
    import bombs
    with open(sys.argv[3], 'wb') as out:
        out.write(next(b for b in bombs.ROWS if b.name == sys.argv[2]).make())
else:
    sys.exit(main())
