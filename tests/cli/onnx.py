"""onnx.py MODEL: an ONNX model as JSON, read with no library: its version, metadata, nodes, and its
tensors with type, shape, place and the SHA-256 of their bytes."""
import hashlib
import json
import os
import sys


def fields(data):
    """[(number, value)] of a message; text and messages are bytes."""
    at, found = 0, []

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            found.append((tag >> 3, varint()))
        elif tag & 7 == 2:
            size = varint()
            assert at + size <= len(data), "cut short"
            found.append((tag >> 3, data[at:at + size]))
            at += size
        else:
            raise ValueError(f'wire type {tag & 7}')
    return found


def every(message, number):
    return [value for field, value in message if field == number]


def pair(data):
    entry = dict(fields(data))
    return entry[1].decode(), entry.get(2, b'').decode()


def tensor(data, folder):
    message = fields(data)
    one = {'name': every(message, 8)[0].decode(), 'type': every(message, 2)[0],
           'shape': every(message, 1)}
    if every(message, 14) == [1]:
        place = one['external'] = [pair(entry) for entry in every(message, 13)]
        where = dict(place)
        with open(os.path.join(folder, where['location']), 'rb') as file:
            file.seek(int(where['offset']))
            raw = file.read(int(where['length']))
            assert len(raw) == int(where['length']), 'the other file is too short'
    else:
        raw, = every(message, 9)
    one['bytes'], one['sha256'] = len(raw), hashlib.sha256(raw).hexdigest()
    return one


def output(data):
    info = fields(data)
    kind = fields(every(fields(every(info, 2)[0]), 1)[0])
    sizes = [dict(fields(dim)).get(1) for dim in every(fields(every(kind, 2)[0]), 1)]
    return {'name': every(info, 1)[0].decode(), 'type': every(kind, 1)[0], 'shape': sizes}


def main(path):
    with open(path, 'rb') as file:
        model = fields(file.read())
    graph = fields(every(model, 7)[0])
    print(json.dumps({
        'ir': every(model, 1), 'graph': every(graph, 2)[0].decode(),
        'opsets': [[dict(fields(o)).get(1, b'').decode(), dict(fields(o))[2]]
                   for o in every(model, 8)],
        'metadata': [pair(entry) for entry in every(model, 14)], 'nodes': len(every(graph, 1)),
        'tensors': [tensor(t, os.path.dirname(path)) for t in every(graph, 5)],
        'outputs': [output(o) for o in every(graph, 12)]}))


main(sys.argv[1])
