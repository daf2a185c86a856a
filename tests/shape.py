#!/usr/bin/env python3
"""Code has a shape that people can read: lines end before column 100, tabs being eight wide, and a
file of the sources has one job, for which 400 lines are enough.

usage: shape.py ROOT"""
import os
import sys

COLUMNS = 100
LINES = 400
CODE = ('.c', '.h', '.py', '.sh', 'meson.build', 'ci/run')


def code_of(root):
    for top in ('.ci', 'include', 'man', 'src', 'testdata', 'tests', 'tools'):
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders.sort()
            for path in sorted(os.path.join(folder, name) for name in names):
                if path.endswith(CODE):
                    yield os.path.relpath(path, root)


def main(root):
    wrong = seen = 0
    for path in code_of(root):
        with open(os.path.join(root, path), encoding='utf-8') as file:
            lines = file.read().split('\n')[:-1]
        seen += 1
        for number, line in enumerate(lines, 1):
            width = len(line.expandtabs(8))
            if width > COLUMNS:
                print(f'{path}:{number}: a line of {width} columns')
                wrong += 1
        if path.startswith(('src/', 'include/')) and len(lines) > LINES:
            print(f'{path}: {len(lines)} lines: what are its two jobs?')
            wrong += 1
    print(f'{seen} files, {wrong} faults')
    return wrong > 0 or seen < 100


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
