#!/usr/bin/env python3
"""Scans checkpoints of 100 GB, which must not be read for it, and converts one of 4.5 GB, which is
more than 32 bits can count.

usage: huge.py CKCONV TESTDATA

The files are full of holes, so that they take no room; reading one would still take many times the
SECONDS of processor time that are allowed. In one of each kind a call that does harm lies behind
the data, where only who finds the way past it sees it. Ends with status 77 where files cannot be so
large."""
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[2])
import craft  # noqa: E402  (found only now)

GIGA = 10 ** 9
SIZE = 100 * GIGA
SECONDS = 2.0
HARM = b"\x80\x02cos\nsystem\nX\x01\0\0\0a\x85R."
MAGIC, VERSION = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", b"\x80\x02M\xe9\x03."


def local(name, size, crc):
    extra = struct.pack("<HHQQ", 1, 16, size, size)
    return struct.pack("<IHHHHHIIIHH", 0x04034b50, 45, 0, 0, 0, 0, crc, 2 ** 32 - 1, 2 ** 32 - 1,
                       len(name), len(extra)) + name + extra


def central(name, size, crc, offset):
    extra = struct.pack("<HHQQQ", 1, 24, size, size, offset)
    return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 45, 45, 0, 0, 0, 0, crc, 2 ** 32 - 1,
                       2 ** 32 - 1, len(name), len(extra), 0, 0, 0, 0, 2 ** 32 - 1) + name + extra


def write_zip(out, pickled, last):
    """A zip64 archive: the pickle, a storage of SIZE bytes, and what lies behind it."""
    directory = b""
    members = [(b"archive/data.pkl", pickled, None), (b"archive/data/0", b"", SIZE),
               (b"archive/version", b"3\n", None), (*last, None)]
    for name, data, hole in members:
        size, crc = hole or len(data), 0 if hole else zlib.crc32(data)
        directory += central(name, size, crc, out.tell())
        out.write(local(name, size, crc) + data)
        out.seek(hole or 0, os.SEEK_CUR)
    at, count = out.tell(), len(members)
    record = at + len(directory)
    out.write(directory)
    out.write(struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, count, count,
                          len(directory), at))
    out.write(struct.pack("<IIQI", 0x07064b50, 0, record, 1))
    out.write(struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 0xffff, 0xffff, 2 ** 32 - 1, 2 ** 32 - 1,
                          0))


def write_legacy(out, pickled, last, size=SIZE):
    """What torch.save wrote before its archives: pickles, the storage's length, its bytes."""
    system = craft.pickle(craft.dict_of((craft.text("little_endian"), b"\x88")))
    keys = craft.pickle(craft.list_of(craft.text("0")))
    out.write(MAGIC + VERSION + system + pickled + keys + struct.pack("<Q", size))
    out.seek(size, os.SEEK_CUR)
    out.write(last[1])
    out.truncate()


def processor_time():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def scan(ckconv, path):
    """The verdict, and whether all of it was looked at; fails if that took long."""
    before = processor_time()
    done = subprocess.run([ckconv, "scan", "--json", path], stdout=subprocess.PIPE, check=False)
    took = processor_time() - before
    assert took < SECONDS, f"{path}: {took:.1f} s of processor time"
    said = json.loads(done.stdout)
    return said["verdict"], said["complete"]


def value_of(size):
    return craft.named(w=craft.tensor(craft.storage("ByteStorage", "0", size), [size], [1]))


def convert(ckconv, folder):
    """False if there is no room for the output."""
    size, end = 4500000000, b"the end"
    source, target = os.path.join(folder, "in.pt"), os.path.join(folder, "out.safetensors")
    room = os.statvfs(folder)
    if room.f_bavail * room.f_frsize < 2 * size:
        return False
    with open(source, "wb") as out:
        write_legacy(out, craft.pickle(value_of(size)), (b"", b""), size)
    with open(source, "r+b") as out:
        out.seek(-len(end), os.SEEK_END)
        out.write(end)
    subprocess.run([ckconv, "-q", "--no-fsync", source, target], check=True)
    with open(target, "rb") as written:
        header, = struct.unpack("<Q", written.read(8))
        assert json.loads(written.read(header))["w"]["data_offsets"] == [0, size]
        written.seek(8 + header + size - len(end))
        assert written.read() == end
    return True


def main():
    ckconv = os.path.realpath(sys.argv[1])
    value = value_of(SIZE)
    plain = (b"archive/more", b"")
    harmful = (b"archive/more", HARM)
    with tempfile.TemporaryDirectory(prefix="ckconv-huge-") as folder:
        for write in (write_zip, write_legacy):
            for last, verdict in ((plain, "safe"), (harmful, "dangerous")):
                path = os.path.join(folder, write.__name__ + ".pt")
                try:
                    with open(path, "wb") as out:
                        write(out, craft.pickle(value), last)
                except OSError as error:
                    print(f"skipped: {error}")
                    return 77
                said = scan(ckconv, path)
                assert said == (verdict, True), (write.__name__, said, verdict)
        if not convert(ckconv, folder):
            print("skipped: there is no room for a file of 4.5 GB")
            return 77
    print("4 files of 100 GB, none of them read; one of 4.5 GB converted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
