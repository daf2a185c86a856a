#!/usr/bin/env python3
"""Writes pickles of several kinds for pickle_speed."""
import argparse
import collections
import io
import os
import pickle


class Global:
    """A name that is pickled as it is, so that torch need not be there."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Tensor:
    """Pickled as a call of torch._utils._rebuild_tensor_v2 on a storage of its own."""

    def __init__(self, key):
        self.key = key


class Storage:
    """What a persistent id stands for."""

    def __init__(self, key):
        self.key = key


FLOATS = Global('torch', 'FloatStorage')
REBUILD = Global('torch._utils', '_rebuild_tensor_v2')


class Pickler(pickle._Pickler):
    """Python's own pickler in Python, taught the three of them, as torch.save uses it."""

    dispatch = dict(pickle._Pickler.dispatch)

    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            return ('storage', FLOATS, str(obj.key), 'cpu', 64)
        return None

    def save_name(self, obj):
        if id(obj) in self.memo:
            self.write(self.get(self.memo[id(obj)][0]))
            return
        self.write(b'c' + f'{obj.module}\n{obj.name}\n'.encode())
        self.memoize(obj)

    def save_tensor(self, obj):
        self.save_name(REBUILD)
        self.save((Storage(obj.key), 0, (8, 8), (8, 1), False, collections.OrderedDict()))
        self.write(pickle.REDUCE)
        self.memoize(obj)

    dispatch[Global] = save_name
    dispatch[Tensor] = save_tensor


def state_dict(count):
    """As torch.save writes a model of many small tensors."""
    tensors = collections.OrderedDict(
        (f'encoder.layers.{i}.attention.weight', Tensor(i)) for i in range(count))
    file = io.BytesIO()
    Pickler(file, 2).dump(tensors)
    return file.getvalue()




def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', help='is made if it is not there')
    parser.add_argument('megabytes', nargs='?', type=int, default=40,
                        help='about the size of each pickle (default: %(default)s)')
    arguments = parser.parse_args()
    folder, many = arguments.folder, arguments.megabytes * 1_000_000
    kinds = {
        'state_dict': lambda: state_dict(many // 140),
        'integers': lambda: pickle.dumps(list(range(70_000, 70_000 + many // 5)), 2),
        'small_integers': lambda: pickle.dumps([i % 200 for i in range(many // 2)], 2),
        'floats': lambda: pickle.dumps([i / 3 for i in range(many // 9)], 2),
        'strings': lambda: pickle.dumps([f'token number {i}' for i in range(many // 25)], 2),
        'strings_4': lambda: pickle.dumps([f'token number {i}' for i in range(many // 20)], 4),
        'dicts': lambda: pickle.dumps([{'id': i, 'name': str(i), 'tags': [i, (i, i)]}
                                       for i in range(many // 60)], 4),
        'one_dict': lambda: pickle.dumps({f'word{i}': i for i in range(many // 20)}, 4),
        'text_protocol': lambda: pickle.dumps([(i, i / 7, str(i)) for i in range(many // 60)], 0),
        'long_bytes': lambda: pickle.dumps([bytes(100_000)] * 3 + [bytes([i % 256]) * 100_000
                                           for i in range(many // 100_000)], 4),
    }
    os.makedirs(folder, exist_ok=True)
    for name, make in kinds.items():
        with open(os.path.join(folder, name + '.pkl'), 'wb') as file:
            file.write(make())


main()
