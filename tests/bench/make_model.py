#!/usr/bin/env python3
"""Writes a large checkpoint as torch.save would, without PyTorch: make_model.py OUT TENSORS."""
import os
import pickle
import sys
import zipfile

ELEMENTS = 3_125_000


class Storage:
    """What a persistent id stands for: the float32 storage number `key`."""

    def __init__(self, key):
        self.key = key


class Global:
    """A name that is pickled as it is, so that torch need not be there."""

    def __init__(self, module, name):
        self.__module__, self.__qualname__, self.__name__ = module, name, name


class Tensor:
    """Pickled as a call of torch._utils._rebuild_tensor_v2."""

    def __init__(self, key):
        self.key = key


class Pickler(pickle._Pickler):
    """Python's own pickler in Python, taught the two names and the storages."""

    dispatch = dict(pickle._Pickler.dispatch)

    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            return ('storage', Global('torch', 'FloatStorage'), str(obj.key), 'cpu', ELEMENTS)
        return None

    def save_global_name(self, obj):
        self.write(b'c' + f'{obj.__module__}\n{obj.__name__}\n'.encode())

    def save_tensor(self, obj):
        self.save_global_name(Global('torch._utils', '_rebuild_tensor_v2'))
        self.save((Storage(obj.key), 0, (ELEMENTS,), (1,), False, {}))
        self.write(pickle.REDUCE)

    dispatch[Global] = save_global_name
    dispatch[Tensor] = save_tensor


def main():
    path, tensors = sys.argv[1], int(sys.argv[2])
    with zipfile.ZipFile(path + '.part', 'w', zipfile.ZIP_STORED) as archive:
        with archive.open('archive/data.pkl', 'w') as file:
            Pickler(file, 2).dump({f'layers.{i}.weight': Tensor(i) for i in range(tensors)})
        for i in range(tensors):
            archive.writestr(f'archive/data/{i}', os.urandom(4 * ELEMENTS))
        archive.writestr('archive/version', '3\n')
    os.rename(path + '.part', path)


if __name__ == '__main__':
    main()
