#!/usr/bin/env python3
"""Writes pack_fixtures.h, when the tests are built: packed files by Python's libraries, tar
archives by GNU tar and by Python, for the tests of src/pack.

usage: make_pack_fixtures.py >pack_fixtures.h"""

import bz2
import gzip
import io
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib

FIRST, SECOND = b'The first stream.\n', b'And the second.\n'
LONG = bytes((i // 1000 * 7 + i % 13) & 255 for i in range(300000))
fixtures = []  # name, bytes, places where a cut leaves a complete file


def fixture(name, data, cuts=()):
    fixtures.append((name, bytes(data), list(cuts)))


# ---- packed files ----

def gz(data):
    return gzip.compress(data, mtime=0)


def xz(data, check=lzma.CHECK_CRC64, preset=None):
    return lzma.compress(data, check=check, preset=preset)


def alone(data):
    return lzma.compress(data, format=lzma.FORMAT_ALONE)


def alone_with_size(data):
    packed = alone(data)
    return packed[:5] + struct.pack('<Q', len(data)) + packed[13:]


def gzip_with_all_fields():
    """FLG: a CRC of the header, an extra field, a name and a comment."""
    head = b'\x1f\x8b\x08\x1e' + bytes(4) + b'\0\3' + b'\4\0ABCD' + b'model.pt\0' + b'a comment\0'
    head += struct.pack('<H', zlib.crc32(head) & 0xffff)
    return head + gz(FIRST)[10:]


def xz_of_unknown_check():
    """Check 2, of 4 bytes, is not assigned; flags and their CRC-32 stand at start and end."""
    packed = bytearray(xz(FIRST, lzma.CHECK_CRC32))
    packed[7] = packed[-3] = 2
    packed[8:12] = struct.pack('<I', zlib.crc32(packed[6:8]))
    packed[-12:-8] = struct.pack('<I', zlib.crc32(packed[-8:-2]))
    return packed


def zlib_with_dictionary():
    packer = zlib.compressobj(zdict=FIRST)
    return packer.compress(FIRST) + packer.flush()


def zeros(megabytes):
    packer, piece = bz2.BZ2Compressor(), bytes(1 << 20)
    return b''.join(packer.compress(piece) for _ in range(megabytes)) + packer.flush()


def make_packed():
    for name, pack in (('gzip', gz), ('zlib', zlib.compress), ('bzip2', bz2.compress), ('xz', xz),
                       ('lzma', alone)):
        fixture(name, pack(FIRST))
        fixture(name + '_long', pack(LONG))
        fixture(name + '_of_nothing', pack(b''))
    for name, pack in ('gzip', gz), ('bzip2', bz2.compress), ('xz', xz):
        first = pack(FIRST)
        fixture(name + '_two', first + pack(SECOND), [len(first)])
    first, second = xz(FIRST), xz(SECOND)
    cuts = [len(first), len(first) + 4, len(first) + 8, len(first + second) + 8]
    fixture('xz_padded', first + bytes(8) + second + bytes(4), cuts)
    fixture('gzip_all_fields', gzip_with_all_fields())
    fixture('zlib_fast', zlib.compress(FIRST, 1))
    fixture('zlib_dictionary', zlib_with_dictionary())
    fixture('xz_crc32', xz(FIRST, lzma.CHECK_CRC32))
    fixture('xz_sha256', xz(FIRST, lzma.CHECK_SHA256))
    fixture('xz_no_check', xz(FIRST, lzma.CHECK_NONE))
    fixture('xz_unknown_check', xz_of_unknown_check())
    fixture('xz_large_dictionary', xz(FIRST, preset=9))
    fixture('xz_large_filled', lzma.compress(bytes(6 << 20), preset=9))
    fixture('lzma_large_filled', lzma.compress(bytes(6 << 20), lzma.FORMAT_ALONE, preset=9))
    fixture('lzma_sized', alone_with_size(FIRST))
    fixture('zeros_60', zeros(60))
    fixture('zeros_80', zeros(80))
    fixture('gzip_in_xz', xz(gz(FIRST)))


# ---- tar archives: the same files by every writer ----

DEEP = 'model/%s/%s' % ('d' * 60, 'f' * 60)
FILES = {'model/pickle': FIRST, 'model/storages': SECOND * 40, 'model/empty': b'', DEEP: SECOND}


def make_tree(root):
    for name, data in FILES.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as f:
            f.write(data)
    os.symlink('pickle', os.path.join(root, 'model/symbolic'))
    os.link(os.path.join(root, 'model/pickle'), os.path.join(root, 'model/the_same'))
    os.symlink(DEEP, os.path.join(root, 'model/far'))
    os.mkfifo(os.path.join(root, 'model/waiting'))


def gnu_tar(root, *args):
    command = ['tar', '-c', '-b1', '--sort=name', '--owner=a:1', '--group=a:1', '--mtime=@0',
               '--mode=u=rwX', '-C', root, *args]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def python_tar(root, **options):
    def plain(entry):
        if entry.name == 'model/far' and options['format'] == tarfile.USTAR_FORMAT:
            return None  # ustar has no room for where it leads
        entry.mtime = entry.uid = entry.gid = 0
        entry.uname = entry.gname = ''
        entry.mode = 0o600
        return entry

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', **options) as tar:
        tar.add(os.path.join(root, 'model'), 'model', filter=plain)
    return out.getvalue()


def make_tars(root):
    make_tree(root)
    times = '--pax-option=exthdr.name=x,delete=atime,delete=ctime'
    fixture('tar_v7', gnu_tar(root, '--format=v7', '--exclude=dddd*', '--exclude=far',
                              '--exclude=waiting', 'model'))
    fixture('tar_ustar', gnu_tar(root, '--format=ustar', '--exclude=far', 'model'))
    fixture('tar_oldgnu', gnu_tar(root, '--format=oldgnu', 'model'))
    fixture('tar_gnu', gnu_tar(root, '--format=gnu', 'model'))
    fixture('tar_pax', gnu_tar(root, '--format=pax', times, 'model'))
    fixture('tar_global', gnu_tar(root, '--format=pax',
                                  times + ',globexthdr.name=g,comment=from a test', 'model'))
    fixture('tar_dot', gnu_tar(root, '--format=gnu', '.'))
    fixture('tar_python_ustar', python_tar(root, format=tarfile.USTAR_FORMAT))
    fixture('tar_python_gnu', python_tar(root, format=tarfile.GNU_FORMAT))
    fixture('tar_python_pax', python_tar(root, format=tarfile.PAX_FORMAT,
                                         pax_headers={'comment': 'all'}))
    with open(os.path.join(root, 'holes'), 'wb') as f:
        f.truncate(1 << 20)
        f.seek(1 << 20)
        f.write(FIRST)
    fixture('tar_sparse_gnu', gnu_tar(root, '--format=gnu', '-S', 'holes'))
    for version in '0.0', '0.1', '1.0':
        fixture('tar_sparse_' + version,
                gnu_tar(root, '--format=pax', times, '-S', '--sparse-version=' + version, 'holes'))
    fixture('tar_empty', bytes(1024))


# ---- zip archives, without zip64 ----

def zip_of(name, data, comment=b'', empty=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        z.comment = comment
        if not empty:
            z.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def make_zips():
    one, two = zip_of('a', FIRST), zip_of('b', SECOND)
    fixture('zip_a', one)
    fixture('zip_b', two)
    fixture('zip_empty', zip_of('', b'', empty=True))
    fixture('zip_comment', zip_of('c', FIRST, b'a comment'))
    fixture('zip_in_zip', zip_of('inner', one + two))


# ---- C ----

def literal(data):
    """String literals of at most 90 columns; octal escapes: hexadecimal ones have no end."""
    line = ''
    for byte in data:
        plain = 32 <= byte < 127 and chr(byte) not in '"\\?'
        line += chr(byte) if plain else '\\%03o' % byte
        if len(line) > 80:
            yield '\t\t"%s"' % line
            line = ''
    yield '\t\t"%s"' % line


def pieces(data):
    """What lies between long runs of zeros."""
    start = 0
    while start < len(data):
        end = data.find(bytes(16), start)
        end = len(data) if end < 0 else end
        if end > start:
            yield start, data[start:end]
        start = end
        while start < len(data) and not data[start]:
            start += 1


def print_header():
    print('/* Packed files and archives by other programs; made by make_pack_fixtures.py. */')
    print('#ifndef CK_PACK_FIXTURES_H\n#define CK_PACK_FIXTURES_H\n')
    print('#include <stddef.h>\n')
    print('/* Bytes at a place; between them are zeros. */')
    print('typedef struct {\n\tsize_t at, len;\n\tconst char *bytes;\n} piece;\n')
    print('/* cuts: sizes to which the file can be cut so that it is still complete; ends in 0. */')
    print('typedef struct {\n\tconst char *name;\n\tsize_t size, count;\n\tconst piece *pieces;\n'
          '\tsize_t cuts[5];\n} fixture;\n')
    for name, data, _ in fixtures:
        print('static const piece %s_pieces[] = {' % name.replace('.', '_'))
        for at, part in pieces(data):
            print('\t{%d, %d,\n%s},' % (at, len(part), '\n'.join(literal(part))))
        print('\t{0, 0, ""},\n};\n')
    print('static const fixture fixtures[] = {')
    for name, data, cuts in fixtures:
        c = name.replace('.', '_')
        print('\t{"%s", %d, %d, %s_pieces, {%s}},' % (
            name, len(data), sum(1 for _ in pieces(data)), c, ', '.join(map(str, cuts + [0]))))
    print('};\n\n#endif')


def main():
    make_packed()
    with tempfile.TemporaryDirectory() as root:
        make_tars(root)
    make_zips()
    print_header()


if __name__ == '__main__':
    sys.exit(main())
