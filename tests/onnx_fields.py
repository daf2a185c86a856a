#!/usr/bin/env python3
"""The numbers of fields that proto/README.md lists, and those in the code, are those of the ONNX
definitions that are installed.

usage: onnx_fields.py ROOT ONNX.PROTO"""
import os
import re
import sys

MESSAGES = {'MODEL': 'ModelProto', 'GRAPH': 'GraphProto', 'TENSOR': 'TensorProto',
            'ENTRY': 'StringStringEntryProto', 'VALUE': 'ValueInfoProto', 'TYPE': 'TypeProto'}
SPELLED = {'TYPE_TENSOR': 'TypeProto.tensor_type', 'TYPE_ELEM': 'TypeProto.Tensor.elem_type'}


def installed(path):
    """{'ModelProto.graph': 7, ...} of a .proto file."""
    numbers, inside = {}, []
    with open(path, encoding='utf-8') as file:
        text = re.sub(r'//[^\n]*|/\*.*?\*/', '', file.read(), flags=re.S)
    parts = r'(message|enum|oneof)\s+(\w+)\s*\{|(\w+)\s*=\s*(\d+)\s*[;\[]|\}'
    for match in re.finditer(parts, text):
        kind, name, field, number = match.groups()
        if kind:
            inside.append((kind, name))
        elif field:
            place = [n for k, n in inside if k == 'message']
            if inside and inside[-1][0] != 'enum':
                numbers['.'.join(place + [field])] = int(number)
        elif inside:
            inside.pop()
    return numbers


def listed(root):
    """What the table lists."""
    with open(os.path.join(root, 'proto/README.md'), encoding='utf-8') as file:
        rows = re.findall(r'^\| ([\w.]+Proto[\w.]*) \| (\w+) \| (\d+) \|', file.read(), re.M)
    return {f'{message}.{field}': int(number) for message, field, number in rows}


def coded(root):
    """What the code calls MODEL_GRAPH and the like."""
    found = {}
    for name in 'src/model/onnx_read.c', 'src/model/onnx_tensor.c', 'src/save/onnx.h':
        with open(os.path.join(root, name), encoding='utf-8') as file:
            text = file.read()
        for enum, number in re.findall(r'^\t(?:CK_ONNX_)?([A-Z]+_[A-Z0-9_]+) = (\d+),', text, re.M):
            message, field = enum.split('_', 1)
            if message in MESSAGES:
                spelled = SPELLED.get(enum, f'{MESSAGES[message]}.{field.lower()}')
                found[spelled] = int(number)
    return found


def main(root, proto):
    known, table, code = installed(proto), listed(root), coded(root)
    faults = [f'{name}: {number} in the {where}, {known.get(name)} in {proto}'
              for where, numbers in (('table', table), ('code', code))
              for name, number in numbers.items() if known.get(name) != number]
    faults += [f'{name}: the table does not list it' for name in code if name not in table]
    print(*faults, sep='\n', end='\n' if faults else '')
    print(f'{len(table)} fields listed, {len(code)} in the code, {len(faults)} faults')
    return 1 if faults or len(table) < 30 or len(code) < 20 else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
