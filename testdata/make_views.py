#!/usr/bin/env python3
"""Writes the files in which one reader sees a harmless model and another one a pickle that runs a
command, and files that are odd and harmless: make_views.py FOLDER

What scan must say of each stands in views.txt. Needs only the standard library; two runs write the
same bytes. Nothing here is ever unpickled.
"""
import bz2
import gzip
import io
import lzma
import os
import re
import struct
import sys
import zlib

from craft import (APPEND, EMPTY_DICT, EMPTY_LIST, NONE, POP, STOP, Member, archive, call, central,
                   checkpoint, end, floats, get, integer, list_of, local, name, named, npy, pack,
                   pickle, proto, put, safetensors, text, tuple_of, vector)

COMMAND = "touch ckconv-was-here"
SYSTEM = call(name("os", "system"), text(COMMAND))
EVIL = pickle(SYSTEM)
EVIL0 = b"cos\nsystem\n(S'" + COMMAND.encode() + b"'\ntR."
GOOD = pickle(named(w=vector("0", 4)))
GOOD_VALUES = pickle(named(a=integer(1)))
DATA = {"0": floats(1, 2, 3, 4)}
MAGIC = b"\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
files = {}


def as_long(pickled, length):
    """The pickle with a text in front that makes it so long: two archives then have one layout."""
    filler = text("") + POP
    return pickled[:2] + text("-" * (length - len(pickled) - len(filler))) + POP + pickled[2:]


def same():
    """A checkpoint with the command whose parts lie where those of the harmless one lie."""
    return model(as_long(EVIL, len(GOOD)))


def file(path):
    """The decorated function makes the bytes of a file; its docstring is the file's sentence."""
    def keep(make):
        files[path] = make
        return make
    return keep


def model(pickled=GOOD, more=(), top="archive"):
    """The members of a small checkpoint, and others behind them."""
    return checkpoint(pickled, DATA, top) + list(more)


def layout(members, hidden=(), comment=b"", between=b"", count=None, shift=0, directory_of=None):
    """An archive with local entries that its directory does not name, bytes before the directory,
    or a directory that tells other things of the members."""
    body, directory = b"", b""
    for member in members:
        if member in hidden:
            body += local(member) + member.packed
            continue
        told = directory_of(member) if directory_of else member
        directory += central(told, len(body) + shift)
        body += local(member) + member.packed
    body += between
    shown = len(members) - len(hidden) if count is None else count
    return body + directory + end(shown, directory, len(body) + shift, comment)


# ---- zip: what a member is ----

@file("hostile/zip_bad_crc.pt")
def _():
    """a wrong checksum, over which zipfile stumbles and torch does not."""
    members = model()
    members[0] = Member("archive/data.pkl", EVIL, crc=1)
    return archive(members)


@file("hostile/zip_local_name.pt")
def _():
    """`data.pkl` goes by another name in its local header."""
    members = model()
    members[0] = Member("archive/data.pkl", EVIL, local_path="archive/README")
    return archive(members)


@file("hostile/zip_twice.pt")
def _():
    """two members `data.pkl`: zipfile takes the last, torch either, as it happens."""
    return archive([Member("archive/data.pkl", EVIL)] + model())


@file("hostile/zip_twice_last.pt")
def _():
    """the same the other way round."""
    return archive(model(more=[Member("archive/data.pkl", EVIL)]))


@file("hostile/zip_upper_case.pt")
def _():
    """`DATA.PKL` beside `data.pkl`: torch does not mind the case."""
    return archive([Member("archive/DATA.PKL", EVIL)] + model())


@file("hostile/zip_only_upper_case.pt")
def _():
    """`DATA.PKL` alone, which torch loads."""
    return archive([Member("archive/DATA.PKL", EVIL)] + model()[1:])


@file("hostile/zip_encrypted_flag.pt")
def _():
    """plain bytes that claim to be encrypted."""
    members = model()
    members[0] = Member("archive/data.pkl", EVIL, flags=1)
    return archive(members)


@file("hostile/zip_local_encrypted.pt")
def _():
    """the same in the local header only."""
    members = model(EVIL)

    def told(member):
        return Member(member.path, b"", crc=member.crc, size=member.size, packed=member.packed)
    members[0].flags = 1
    return layout(members, directory_of=told)


@file("hostile/zip_strange_method.pt")
def _():
    """stored bytes that claim to be packed by bzip2."""
    members = model()
    members[0] = Member("archive/data.pkl", EVIL)
    members[0].method = 12
    return archive(members)


@file("hostile/zip_two_methods.pt")
def _():
    """stored in the directory, deflated in the local header, where the pickle comes out."""
    members = model()
    members[0] = Member("archive/data.pkl", EVIL, 8)

    def told(member):
        return Member(member.path, b"", 0, crc=member.crc, size=member.size,
                      packed=member.packed)
    return layout(members, directory_of=told)


@file("hostile/zip_two_sizes.pt")
def _():
    """the directory ends the pickle at its first STOP, the local header goes on to a second one."""
    members = model()
    members[0] = Member("archive/data.pkl", GOOD + EVIL)

    def told(member):
        if not member.path.endswith(b"data.pkl"):
            return member
        return Member(member.path, GOOD)
    return layout(members, directory_of=told)


@file("hostile/zip_other_name.pt")
def _():
    """the pickle is called `notes.txt`."""
    return archive(model(more=[Member("archive/notes.txt", EVIL0)]))


@file("hostile/zip_storage.pt")
def _():
    """the pickle lies where the bytes of a tensor are."""
    return archive(checkpoint(GOOD, {"0": EVIL + bytes(16)}))


@file("hostile/zip_behind_deflated.pt")
def _():
    """a pickle behind the end of deflated bytes, in the same member."""
    members = model()
    members[0] = Member("archive/data.pkl", GOOD, packed=pack(GOOD, 8) + EVIL)
    members[0].method = 8
    return archive(members)


@file("hostile/zip_link.pt")
def _():
    """`data.pkl` is a symbolic link, as zip's Unix attributes say."""
    body = archive(model(EVIL))
    at = body.index(b"PK\1\2")
    return body[:at + 5] + b"\3" + body[at + 6:at + 38] + struct.pack("<I", 0o120777 << 16) + \
        body[at + 42:]


@file("hostile/zip_nul_name.pt")
def _():
    """a NUL behind `data.pkl` in a name, where torch's reader ends it."""
    return archive([Member("archive/data.pkl\0.txt", EVIL)] + model()[1:])


@file("hostile/zip_dots.pt")
def _():
    """a name that leads out of the folder."""
    return archive(model(more=[Member("archive/../../data.pkl", EVIL)]))


@file("hostile/zip_backslash.pt")
def _():
    """a name with a backslash for a slash."""
    return archive(model(more=[Member("archive\\data.pkl", EVIL)]))


# ---- zip: where members are ----

@file("hostile/zip_hidden.pt")
def _():
    """a member between others that no directory names."""
    members = model()
    hidden = Member("archive/data.pkl", EVIL)
    return layout([members[0], hidden] + members[1:], [hidden])


@file("hostile/zip_hidden_first.pt")
def _():
    """the same before the others."""
    hidden = Member("archive/data.pkl", EVIL, 8)
    return layout([hidden] + model(), [hidden])


@file("hostile/zip_before_directory.pt")
def _():
    """a bare pickle between the members and the directory."""
    return layout(model(), between=EVIL)


@file("hostile/zip_pickle_before.pt")
def _():
    """a pickle before the archive: torch reads the pickle, zipfile the archive."""
    return EVIL + archive(model())


@file("hostile/zip_pickle_before_shifted.pt")
def _():
    """the same with offsets that count from the beginning of the file."""
    return EVIL + layout(model(), shift=len(EVIL))


@file("hostile/zip_pickle_behind.pt")
def _():
    """a pickle behind the archive."""
    return archive(model()) + EVIL


@file("hostile/zip_in_comment.pt")
def _():
    """an archive in the comment of another one: torch reads the outer one, zipfile the inner."""
    return archive(model(), archive(same()))


@file("hostile/zip_in_comment_first.pt")
def _():
    """the same the other way round."""
    return archive(same(), archive(model()))


@file("hostile/zip_and_zip.pt")
def _():
    """two archives one after the other: torch reads the first, zipfile the second."""
    return archive(same()) + archive(model())


@file("hostile/zip_and_zip_last.pt")
def _():
    """the same the other way round."""
    return archive(model()) + archive(same())


@file("hostile/zip_two_directories.pt")
def _():
    """two directories and two end records over the same members, of which only one names the
    pickle."""
    members = model()
    evil = Member("archive/data.pkl", EVIL)
    body, offsets = b"", []
    for member in members + [evil]:
        offsets.append(len(body))
        body += local(member) + member.packed
    first = b"".join(map(central, members, offsets))
    second = b"".join(map(central, members[1:] + [evil], offsets[1:]))
    tail = first + end(len(members), first, len(body))
    return body + tail + second + end(len(members), second, len(body) + len(tail))


@file("hostile/zip_earlier_directory.pt")
def _():
    """an earlier directory, with an end record of its own, names a member that lies inside the
    bytes of another one."""
    evil = Member("archive/data.pkl", EVIL)
    members = checkpoint(GOOD, {"0": bytes(16) + local(evil) + EVIL})
    body, directory, inner = b"", b"", 0
    for member in members:
        directory += central(member, len(body))
        body += local(member)
        if member.path.endswith(b"data/0"):
            inner = len(body) + 16
        body += member.packed
    other = central(evil, inner)
    body += other + end(1, other, len(body))
    return body + directory + end(len(members), directory, len(body))


@file("hostile/zip_two_ends64.pt")
def _():
    """the zip64 end record names another directory than the old one."""
    members = model()
    evil = Member("archive/data.pkl", EVIL)
    body, offsets = b"", []
    for member in members + [evil]:
        offsets.append(len(body))
        body += local(member) + member.packed
    first = b"".join(map(central, members, offsets))
    second = b"".join(map(central, members[1:] + [evil], offsets[1:]))
    at = len(body)
    record_at = at + len(first) + len(second)
    record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, len(members), len(members),
                                      len(second), at + len(first))
    locator = b"PK\6\7" + struct.pack("<IQI", 0, record_at, 1)
    return body + first + second + record + locator + end(len(members), first, at)


@file("hostile/zip_more_members.pt")
def _():
    """the end record announces fewer members than the directory has."""
    members = model(more=[Member("archive/data.pkl", EVIL)])
    return layout(members, count=len(members) - 1)


@file("hostile/zip_more_members64.pt")
def _():
    """the zip64 end record announces fewer members than the directory and the old end record
    have."""
    members = model(more=[Member("archive/other.pkl", EVIL)])
    whole = layout(members)
    body, old = whole[:-22], whole[-22:]
    size, at = struct.unpack("<II", old[12:20])
    record = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, len(members) - 1,
                                      len(members) - 1, size, at)
    return body + record + b"PK\6\7" + struct.pack("<IQI", 0, len(body), 1) + old


def with_notes(size, cut=0):
    """A model with a deflated text of 1000 bytes that is recorded with another size, or cut."""
    data = b"words " * 166 + b"end."
    packed = pack(data, 8)
    return layout(model(more=[Member("archive/notes.txt", data, 8, size=size,
                                     packed=packed[:len(packed) - cut])]))


@file("hostile/zip_inflates_to_less.pt")
def _():
    """fewer bytes come out of a member than the archive recorded."""
    return with_notes(1001)


@file("hostile/zip_inflates_to_more.pt")
def _():
    """more bytes come out of a member than the archive recorded."""
    return with_notes(999)


@file("hostile/zip_inflates_in_part.pt")
def _():
    """the deflated bytes of a member end too early."""
    return with_notes(1000, 3)


@file("hostile/zip_overlap.pt")
def _():
    """one member lies inside another one."""
    inner = Member("archive/inner.pkl", EVIL)
    outer = Member("archive/data/0", local(inner) + inner.packed)
    members = model()[:1] + [outer, Member("archive/version", b"3\n")]
    body, directory = b"", b""
    for member in members:
        at = len(body)
        directory += central(member, at)
        if member is outer:
            directory += central(inner, at + len(local(outer)))
        body += local(member) + member.packed
    return body + directory + end(len(members) + 1, directory, len(body))


@file("hostile/zip_no_directory.pt")
def _():
    """members without a directory."""
    return b"".join(local(m) + m.packed for m in model(EVIL))


@file("hostile/zip_nested.zip")
def _():
    """an archive in an archive in an archive, the one in the middle deflated."""
    inner = archive(model(EVIL))
    return archive([Member("b.zip", archive([Member("a.dat", inner, 8)]), 8),
                    Member("README", b"nothing to see\n")])


@file("hostile/zip_7z.zip")
def _():
    """a 7z archive in an archive."""
    return archive(model(more=[Member("archive/x", b"7z\xbc\xaf\x27\x1c" + bytes(26))]))


@file("hostile/png_and_zip.png")
def _():
    """an image that ends as an archive."""
    return b"\x89PNG\r\n\x1a\n" + bytes(8) + archive(model(EVIL))


# ---- tar ----

def entry(path, data=b"", kind=b"0", size=None):
    """One entry of a tar archive."""
    path = path.encode() if isinstance(path, str) else path
    size = len(data) if size is None else size
    head = path.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % size + \
        b"00000000000\0" + b" " * 8 + kind + bytes(100) + b"ustar\00000" + bytes(247)
    head = head[:148] + b"%06o\0 " % sum(head) + head[156:]
    return head + data + bytes(-len(data) % 512)


TAR_END = bytes(1024)


def pax_size(size):
    """A pax record that gives the next entry a size."""
    record = b"size=%d\n" % size
    return entry("pax", b"%d " % (len(record) + 3) + record, b"x")


def two_sizes(inner):
    """An entry in which one more begins for those who believe its header."""
    return pax_size(len(inner) + 512) + entry("README", bytes(512) + inner, size=512)


@file("hostile/tar_two_sizes.tar")
def _():
    """a pax record and the header give an entry two sizes: who believes the header finds one more
    entry."""
    return two_sizes(entry("data.pkl", EVIL)) + TAR_END


@file("hostile/tar_many_sizes.tar")
def _():
    """nine entries with two sizes each: the last of them hides an entry."""
    plain, evil = (two_sizes(entry("data.pkl", body)) for body in (pickle(NONE), EVIL))
    return plain * 8 + evil + TAR_END


@file("hostile/tar_more_sizes.tar.gz")
def _():
    """forty entries with two sizes each, more than are followed: the last of them hides an
    entry."""
    plain, evil = (two_sizes(entry("data.pkl", body)) for body in (pickle(NONE), EVIL))
    return gzip.compress(plain * 39 + evil + TAR_END, mtime=0)


@file("hostile/tar_sizes_in_sizes.tar.gz")
def _():
    """a hundred entries with two sizes each, whose headers lead from one into the next: each way
    through them is another archive."""
    sizes = [512 + 2048 * (1 + i % 2) for i in range(100)]
    parts = [pax_size(512) + entry("f%d" % i, bytes(512), size=size)
             for i, size in enumerate(sizes)]
    return gzip.compress(entry("data.pkl", EVIL) + b"".join(parts) + TAR_END, mtime=0)


@file("hostile/tar_behind_end.tar")
def _():
    """an entry behind the end of the archive."""
    return entry("README", b"hello\n") + TAR_END + entry("data.pkl", EVIL) + TAR_END


@file("hostile/tar_twice.tar")
def _():
    """two entries of one name."""
    return entry("data.pkl", EVIL) + entry("data.pkl", pickle(NONE)) + TAR_END


def old_entry():
    """An entry as tars had them before there were magic numbers."""
    made = bytearray(entry("data.pkl", EVIL))
    made[257:265] = bytes(8)
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made[:512])
    return bytes(made)


@file("hostile/tar_in_folder.tar")
def _():
    """a folder with a size, where most programs look for the next entry; others go on to it behind
    what is none."""
    inner = b"\xff" * 512 + entry("data.pkl", EVIL)
    return entry("things", inner, b"5") + TAR_END


@file("hostile/tar_in_old_folder.tar")
def _():
    """the same as folders were before POSIX: files whose names end in a slash."""
    inner = b"\xff" * 512 + entry("data.pkl", EVIL)
    return entry("things/", inner, b"\0") + TAR_END


@file("hostile/tar_folders_in_folders.tar")
def _():
    """thirty folders, each of which by its size holds all that follow, and a pickle in the last."""
    folders = [entry("d%d" % i, b"", b"5", 512 * (30 - i)) for i in range(30)]
    return b"".join(folders) + EVIL.ljust(512, b"\0") + TAR_END


@file("hostile/tar_behind_noise.tar")
def _():
    """an entry behind a block that is no header, which tarfile passes over if it is told to."""
    return entry("README", b"hello\n") + b"\xff" * 512 + old_entry() + TAR_END


@file("hostile/tar_first_wrong.tar")
def _():
    """the same behind a first header with a wrong checksum: tarfile and torch refuse it, GNU tar
    goes on."""
    first = bytearray(entry("README", b"\xff" * 600))
    first[148] = 0x37
    return bytes(first) + old_entry() + TAR_END


@file("hostile/tar_in_sparse.tar")
def _():
    """an entry in the bytes of a sparse file, of which nobody knows where they end."""
    return entry("big", b"\xff" * 512 + entry("data.pkl", EVIL), b"S") + TAR_END


def with_fields(made, size, total):
    """An entry with another size field, and the checksum written as `total` says."""
    made = bytearray(made)
    made[124:136] = size.ljust(12, b"\0")
    made[148:156] = b" " * 8
    made[148:156] = total % sum(made[:512])
    return bytes(made)


@file("hostile/tar_odd_size.tar")
def _():
    """a size with a sign, which Python takes, behind a file of noise; torch loads such files."""
    noise = entry("big", b"\xff" * 600)
    made = with_fields(entry("data.pkl", EVIL), b"+%o" % len(EVIL), b"%06o\0 ")
    return noise + made + TAR_END


def jumped():
    """The bytes of an entry, which hold a header that reaches over the next entry, and that entry:
    who passes over the bytes finds it."""
    evil = entry("data.pkl", EVIL)
    return entry("noise", b"", size=512 + len(evil)) + b"\xff" * 512, evil


@file("hostile/tar_odd_size_jumped.tar")
def _():
    """a size that only Python takes: it finds an entry that another one in those bytes hides."""
    inner, evil = jumped()
    return with_fields(entry("big", inner), b"+%o" % len(inner), b"%06o\0 ") + evil + TAR_END


@file("hostile/tar_folder_jumped.tar")
def _():
    """the same behind a folder with a size."""
    inner, evil = jumped()
    return entry("things", inner, b"5") + evil + TAR_END


@file("hostile/tar_odd_sum.tar")
def _():
    """a checksum with something behind its NUL, which Python does not see."""
    noise = entry("big", b"\xff" * 600)
    return noise + with_fields(entry("data.pkl", EVIL), b"%011o" % len(EVIL), b"%06o\0x") + TAR_END


@file("hostile/tar_and_zip.tar")
def _():
    """a tar archive that ends as a zip archive."""
    return entry("README", b"hello\n") + TAR_END + archive(model(EVIL))


@file("hostile/tar_is_pickle.tar")
def _():
    """a tar archive whose first name is a pickle."""
    return entry(EVIL0, b"hello\n") + TAR_END


@file("hostile/tar_storages.tar")
def _():
    """a torch file before 0.1.10 whose `storages` run a command."""
    key = tuple_of(text("1"), SYSTEM, name("torch", "FloatStorage"))
    storages = pickle(integer(1)) + pickle(key) + struct.pack("<Q", 4) + DATA["0"]
    return entry("storages", storages) + entry("tensors", pickle(integer(0))) + \
        entry("pickle", pickle(EMPTY_DICT)) + TAR_END


# ---- legacy ----

def legacy(magic=proto() + MAGIC + STOP, version=pickle(integer(1001)), facts=None,
           root=GOOD, keys=None, data=None):
    """A file of torch before 1.6."""
    facts = pickle(named(little_endian=b"\x88")) if facts is None else facts
    keys = pickle(list_of(text("0"))) if keys is None else keys
    data = struct.pack("<Q", 4) + DATA["0"] if data is None else data
    root = root.replace(b"K\x04tQ", b"K\x04NtQ")
    return magic + version + facts + root + keys + data


@file("hostile/zip_shared_header.pt")
def _():
    """two storages that share a local header, and so their bytes."""
    members = checkpoint(pickle(named(w=vector("0", 4), v=vector("1", 4))), DATA)
    body, directory = b"", b""
    for m in members:
        directory += central(m, len(body))
        if m.path == b"archive/data/0":
            directory += central(Member("archive/data/1", m.packed), len(body))
        body += local(m) + m.packed
    return body + directory + end(len(members) + 1, directory, len(body))


@file("hostile/zip_in_itself.pt")
def _():
    """a member that holds the rest of the archive, its directory included."""
    size = 46 + len(b"model.pt") + 22
    member = Member("model.pt", b"", crc=0, size=size, packed=bytes(size))
    directory = central(member, 0)
    return local(member) + directory + end(1, directory, len(local(member)))


@file("hostile/zip_two_counts.pt")
def _():
    """an end record that counts more members here than in all."""
    made = bytearray(archive(model()))
    made[made.rindex(b"PK\5\6") + 9] = 4
    return bytes(made)


@file("hostile/zip_comment_beyond.pt")
def _():
    """the comment of the only member reaches beyond the directory, which Python does not mind; in
    front are bytes that begin as an array does."""
    made = bytearray(archive([Member("archive/data.pkl", EVIL, 8)]))
    made[made.index(b"PK\1\2") + 33] = 4
    return b"\x93NUMPY\1\0" + bytes(made)


@file("hostile/zip_long_extra.pt.gz")
def _():
    """the local header of a deflated `data.pkl` is as long as headers can be."""
    member = Member("archive/data.pkl", EVIL, 8)
    front = bytearray(local(member))
    front[28:30] = b"\xff\xff"
    body = bytes(front) + struct.pack("<HH", 0x4246, 65531) + bytes(65531) + member.packed
    directory = central(member, 0)
    return gzip.compress(body + directory + end(1, directory, len(body)), mtime=0)


@file("hostile/circle.pkl")
def _():
    """a list that holds itself, and no tensor."""
    return pickle(EMPTY_LIST + put(0) + get(0) + APPEND)


@file("hostile/storage_id_cut.pt")
def _():
    """a persistent id of a storage that has two of five parts; nothing is made of it."""
    cut = tuple_of(text("storage"), text("0")) + b"Q"
    return archive(model(pickle(named(w=vector("0", 4), v=cut))))


@file("hostile/tar_cut_in_padding.tar")
def _():
    """a tar archive that ends in the middle of its padding."""
    return entry("a.pkl", pickle(named(a=integer(1)))) + bytes(5000)


@file("hostile/gzip_seven_times.pt.gz")
def _():
    """a checkpoint, packed seven times."""
    data = archive(model())
    for _ in range(7):
        data = gzip.compress(data, mtime=0)
    return data


@file("hostile/bundle_without_storages.zip")
def _():
    """a checkpoint packed without its folder: `data.pkl` names a storage that is beside it."""
    return archive([Member("data.pkl", GOOD), Member("0", DATA["0"]), Member("version", b"3\n")])


@file("hostile/legacy_magic.pt")
def _():
    """a legacy file whose magic number is what eval makes of a text."""
    magic = pickle(call(name("builtins", "eval"), text("0x1950a86a20f9469cfc6c")))
    return legacy(magic)


@file("hostile/legacy_facts.pt")
def _():
    """a legacy file that runs a command where the facts of the machine are."""
    return legacy(facts=EVIL)


@file("hostile/legacy_keys.pt")
def _():
    """the same in the list of storages."""
    return legacy(keys=pickle(SYSTEM + POP + list_of(text("0"))))


@file("hostile/legacy_behind.pt")
def _():
    """a pickle behind the storages of a legacy file."""
    return legacy() + EVIL


# ---- pickles ----

@file("hostile/behind_junk.pkl")
def _():
    """a second pickle behind some text."""
    return pickle(NONE) + b"this is no pickle" + EVIL


@file("hostile/in_bytes.pkl")
def _():
    """a pickle in the bytes of a pickle."""
    return pickle(named(x=b"C" + bytes([len(EVIL)]) + EVIL), 4)


@file("hostile/in_python2_text.pkl")
def _():
    """the same in a text of Python 2."""
    return pickle(named(x=b"U" + bytes([len(EVIL)]) + EVIL))


@file("hostile/in_latin1.pkl")
def _():
    """the same in a text that becomes bytes."""
    data = call(name("_codecs", "encode"), text(EVIL.decode("latin1")), text("latin1"))
    return pickle(named(x=data))


@file("hostile/zip_in_bytes.pkl")
def _():
    """a checkpoint in the bytes of a pickle."""
    data = archive(model(EVIL))
    return pickle(named(x=b"B" + struct.pack("<I", len(data)) + data), 4)


@file("hostile/popped_bytes.pkl")
def _():
    """a pickle in bytes that are thrown away."""
    return proto(4) + b"C" + bytes([len(EVIL)]) + EVIL + POP + NONE + STOP


@file("hostile/broken_behind.pkl")
def _():
    """a pickle that breaks behind its call."""
    return EVIL[:-1] + b"\xff\xff"


@file("hostile/plain_text.txt")
def _():
    """a pickle of protocol 0 that looks like text."""
    return EVIL0


@file("hostile/gif.gif")
def _():
    """a pickle that begins as an image."""
    return b"GIF89a\1\0\1" + POP + EVIL0


@file("hostile/objects_escaped.npy")
def _():
    """an array of objects, whose type is written as only Python reads it."""
    return npy("'\\x4f'", "()", EVIL)


@file("hostile/gzip_wrong_sum.pkl.gz")
def _():
    """a gzip file with a wrong checksum, which Python finds out behind the pickle."""
    return gzip.compress(EVIL, mtime=0)[:-8] + bytes(8)


@file("hostile/gzip_odd_flags.pkl.gz")
def _():
    """a gzip file with flags that mean nothing, which Python does not look at."""
    made = bytearray(gzip.compress(EVIL, mtime=0))
    made[3] = 0xe0
    return bytes(made)


@file("hostile/gzip_behind_zeros.pkl.gz")
def _():
    """two gzip files with zeros in between, which for Python are one."""
    return gzip.compress(pickle(NONE), mtime=0) + bytes(9) + gzip.compress(EVIL, mtime=0)


def alone(data, **how):
    """A .lzma file."""
    filters = [dict(id=lzma.FILTER_LZMA1, dict_size=1 << 16, **how)]
    return lzma.compress(data, format=lzma.FORMAT_ALONE, filters=filters)


@file("hostile/zlib_and_junk.zip")
def _():
    """a member that zlib packed, and something behind it that belongs to nothing."""
    return archive([Member("x.dat", zlib.compress(EVIL) + b"junk")])


@file("hostile/zlib_wrong_sum.zip")
def _():
    """a member that zlib packed, with a wrong checksum."""
    return archive([Member("x.dat", zlib.compress(EVIL)[:-4] + bytes(4))])


@file("hostile/zlib_cut_sum.zip")
def _():
    """the same with half of its checksum."""
    return archive([Member("x.dat", zlib.compress(EVIL)[:-2])])


@file("hostile/lzma_and_junk.zip")
def _():
    """a member that lzma packed, and something behind it."""
    return archive([Member("x.dat", alone(EVIL) + b"junk")])


@file("hostile/lzma_and_junk.pkl.lzma")
def _():
    """the same as a file of its own."""
    return alone(EVIL) + b"junk"


@file("hostile/lzma_in_two.zip")
def _():
    """a member of two .lzma streams, between which the first name is torn apart."""
    return archive([Member("x.dat", alone(EVIL0[:3]) + alone(EVIL0[3:]))])


@file("hostile/lzma_behind_zeros.zip")
def _():
    """the same with an empty stream of zeros between them, and a second one that begins with a
    zero."""
    second = alone(EVIL0[3:], lc=0, lp=0, pb=0)
    return archive([Member("x.dat", alone(EVIL0[:3]) + bytes(18) + second)])


@file("hostile/lzma_behind_xz.zip")
def _():
    """a member of an xz stream and a .lzma stream, which Python reads as one."""
    return archive([Member("x.dat", lzma.compress(EVIL0[:3]) + alone(EVIL0[3:]))])


@file("hostile/xz_behind_lzma.zip")
def _():
    """the same the other way round."""
    return archive([Member("x.dat", alone(EVIL0[:3]) + lzma.compress(EVIL0[3:]))])


def odd_alone(data):
    """A .lzma stream with a dictionary of a size that no writer makes."""
    made = alone(data)
    return made[:1] + struct.pack("<I", 5120) + made[5:]


@file("hostile/lzma_odd_dictionary.joblib")
def _():
    """a .lzma file with a dictionary of 5120 bytes: joblib knows the file by two bytes, and says
    .lzma, so that Python does not mind."""
    return odd_alone(EVIL)


@file("hostile/lzma_odd_dictionary.zip")
def _():
    """the same as a member."""
    return archive([Member("x.dat", odd_alone(EVIL))])


@file("hostile/lzma_odd_dictionary_behind.zip")
def _():
    """the same, as the second of two streams, of which the first one is as writers make them."""
    return archive([Member("x.dat", alone(EVIL0[:3]) + odd_alone(EVIL0[3:]))])


@file("hostile/gzip_bomb_wrong_header.zip")
def _():
    """a member with a wrong checksum of its gzip header, of which more comes out than is looked
    at."""
    packed = pack(bytes(80 << 20) + EVIL, 8)
    head = b"\x1f\x8b\x08\2" + bytes(4) + b"\0\xff" + b"\xde\xad"
    return archive([Member("x.dat", head + packed + bytes(8))])


@file("hostile/lzma_in_two.pkl.lzma")
def _():
    """a pickle in two files of lzma, which for Python are one."""
    return b"".join(lzma.compress(part, lzma.FORMAT_ALONE) for part in (EVIL[:3], EVIL[3:]))


@file("hostile/old_joblib.pkl")
def _():
    """a pickle as joblib before 0.10 packed it; today's joblib loads it, too."""
    return b"ZF" + (b"0x%x" % len(EVIL)).ljust(19) + zlib.compress(EVIL)


@file("hostile/old_joblib_bare_size.zip")
def _():
    """members of that kind whose sizes have no `0x` in front, or a sign, or `_`."""
    sizes = [b"%x" % len(EVIL), b" +%X" % len(EVIL), b"0_0%x\t" % len(EVIL)]
    return archive([Member("x%d.bin" % i, b"ZF" + size.ljust(19) + zlib.compress(EVIL))
                    for i, size in enumerate(sizes)])


@file("hostile/objects.npy")
def _():
    """an array of objects."""
    return npy("'|O'", "()", EVIL)


@file("hostile/objects.npz")
def _():
    """the same in an archive."""
    return archive([Member("a.npy", npy("'<f4'", "(4,)", DATA["0"])),
                    Member("b.txt", npy("'|O'", "()", EVIL), 8)])


# ---- packed ----

@file("hostile/pickle.pkl.gz")
def _():
    """a pickle, packed."""
    return gzip.compress(EVIL, mtime=0)


@file("hostile/zip.pt.bz2")
def _():
    """a checkpoint, packed."""
    return bz2.compress(archive(model(EVIL)))


@file("hostile/pickle.pkl.xz")
def _():
    """a pickle, packed by xz."""
    return lzma.compress(EVIL)


@file("hostile/pickle.z")
def _():
    """a pickle, packed as joblib does."""
    return zlib.compress(EVIL)


@file("hostile/cut.pkl.gz")
def _():
    """a pickle and much else, packed and cut short: what is before the cut is read."""
    noise = b"".join(zlib.crc32(b"%d" % i).to_bytes(4, "little") for i in range(4000))
    return gzip.compress(EVIL + noise, mtime=0)[:-4000]


@file("hostile/gzips.tar.gz")
def _():
    """a packed pickle in a packed archive."""
    return gzip.compress(entry("a", gzip.compress(EVIL, mtime=0)) + TAR_END, mtime=0)


# ---- floods ----

@file("hostile/zip_flood.zip")
def _():
    """three thousand members in one place, each a little shorter than the one before."""
    noise = b"".join(zlib.crc32(b"%d" % i).to_bytes(4, "little") for i in range(8000))
    member = Member("archive/data.pkl", noise)
    body = local(member) + noise
    directory = b""
    for i in range(3000):
        directory += central(Member("%05d" % i, noise[:len(noise) - i]), 0)
    return body + directory + end(3000, directory, len(body))


@file("hostile/zip_zeros.zip")
def _():
    """archives in archives, each of sixteen: 16^5 files of a gigabyte of zeros."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(64)) + squeeze.flush()
    member = Member("0", b"", 8, packed=data, size=64 << 20, crc=1)
    whole = archive([member])
    for _ in range(5):
        whole = archive([Member("%x" % i, whole, 8) for i in range(16)])
    return whole


@file("hostile/zip_deep.zip")
def _():
    """thirty archives in each other."""
    whole = archive(model(EVIL))
    for _ in range(30):
        whole = archive([Member("a", whole)])
    return whole


@file("hostile/pickles.pkl")
def _():
    """two hundred thousand pickles one after the other."""
    return b"N." * 200000


# ---- what is only a pickle at a second look ----

LITERAL0 = b"I1\n."


@file("hostile/literal_first.pkl.zip")
def _():
    """an archive, not of torch, of a file with a number as a pickle before the command's."""
    return archive([Member("settings.bin", LITERAL0 + EVIL0)])


@file("hostile/literal_newline.pt")
def _():
    """`data.pkl` is None, a newline and then a pickle of protocol 0."""
    return archive(model(b"N.\n" + EVIL0))


@file("hostile/literal_in_bytes.pkl")
def _():
    """the same two pickles in a value of bytes."""
    inner = LITERAL0 + EVIL0
    return pickle(b"B" + struct.pack("<I", len(inner)) + inner, 3)


def long_legacy(facts=b"(dp0\n.", value=EVIL0):
    """A file of the old layout with values before the magic number that are taken off again."""
    number = int.from_bytes(MAGIC[2:], "little")
    head = b"N0" * 3000 + b"(lp0\nN" + b"a0" + b"L%dL\n." % number
    return head + b"I1001\n." + facts + value + b"(lp0\n."


@file("hostile/legacy_long_head.pt")
def _():
    """an old file whose magic number comes after six kilobytes of values that are taken away, with
    the command where only facts of the machine should be."""
    return long_legacy(EVIL0, b"(dp0\n.")


@file("hostile/load_from_bytes.pkl")
def _():
    """such a file as bytes that torch.storage._load_from_bytes loads."""
    inner = long_legacy()
    value = b"B" + struct.pack("<I", len(inner)) + inner
    return pickle(call(name("torch.storage", "_load_from_bytes"), value), 3)


@file("hostile/broken_text.pkl")
def _():
    """an import, and then no pickle any more: Python imports before it finds out."""
    return b"cmodels.yolo\nModel\n(X"


@file("hostile/broken_text.pt")
def _():
    """the same as `data.pkl`."""
    return archive(model(b"cevilmod\nX\n"))


@file("hostile/odd_import.pt")
def _():
    """a module with a hyphen, called, and a newline behind the pickle."""
    return archive(model(b"cmy-evil\nrun\n(tR.\n"))


@file("hostile/extension.pt")
def _():
    """a number of the copyreg registry, called, and a newline behind the pickle."""
    return archive(model(b"(\x82\1)Rt.\n"))


@file("hostile/gap_text.pkl")
def _():
    """words, and a pickle of protocol 0 behind them."""
    return GOOD_VALUES + b"junkjunk" + EVIL0


@file("hostile/gap_blanks.pkl")
def _():
    """newlines, and a pickle of protocol 0 behind them."""
    return GOOD_VALUES + b"\n" * 10 + EVIL0


@file("hostile/gap_inst.pt")
def _():
    """junk behind `data.pkl`, and a pickle that makes an instance behind it."""
    return archive(model(GOOD + b"\xff" * 50 + b"(S'" + COMMAND.encode() + b"'\nios\nsystem\n."))


@file("hostile/gap_junk.pkl")
def _():
    """bytes behind a pickle that are no text and nothing that is known."""
    return GOOD_VALUES + bytes(range(0xc0, 0x100))


def tar_v7(path, data, kind=b"0"):
    """An archive as tars of the seventies wrote them, without a magic number."""
    body = bytearray(entry(path, data, kind))
    body[257:512] = bytes(255)
    body[148:156] = b" " * 8
    body[148:156] = b"%06o\0 " % sum(body[:512])
    return bytes(body) + TAR_END


@file("hostile/tar_v7.zip")
def _():
    """an archive with a tar archive that has no magic number, and begins with no opcode."""
    return archive([Member("x.bin", tar_v7("@dir/data.pkl", EVIL))])


@file("hostile/zip_in_middle.zip")
def _():
    """a member that is zeros, an archive with the command, and a comment."""
    return archive([Member("x.bin", bytes(100) + archive(model(EVIL), b"a comment"))])


@file("hostile/zip_in_middle_deflated.zip")
def _():
    """the same, deflated."""
    inner = bytes(100) + archive(model(EVIL), b"a comment")
    return archive([Member("x.bin", inner, 8)])


@file("hostile/zip_in_middle_of_bytes.pkl")
def _():
    """the same in a value of bytes."""
    inner = bytes(100) + archive(model(EVIL), b"a comment")
    return pickle(named(a=b"B" + struct.pack("<I", len(inner)) + inner, b=text("-" * 70000)), 3)


@file("hostile/zip_100_directories.zip")
def _():
    """a hundred archives behind each other, and a byte in front: readers find the last
    directory."""
    body = b"-" + archive(model(EVIL))
    for i in range(100):
        body += archive([Member("%d" % i, b"a")])
    return body


def gguf(tensors=0, data=b""):
    """A GGUF model of vectors of four floats."""
    head = b"GGUF" + struct.pack("<IQQ", 3, tensors, 0)
    for i in range(tensors):
        head += struct.pack("<Q", 1) + b"%x" % i + struct.pack("<IQIQ", 1, 4, 0, 32 * i)
    return head + bytes(-len(head) % 32) + data


@file("hostile/behind_header.gguf")
def _():
    """a GGUF model without tensors, and a pickle."""
    return gguf() + EVIL


@file("hostile/behind_tensors.gguf")
def _():
    """a GGUF model, and a pickle behind its only tensor."""
    return gguf(1, floats(1, 2, 3, 4)) + EVIL


@file("hostile/junk_behind.gguf")
def _():
    """a GGUF model, and bytes that belong to nothing."""
    return gguf(1, floats(1, 2, 3, 4)) + b"\xd5" * 50


@file("hostile/png_and_pickle.png")
def _():
    """the beginning of an image, and a pickle."""
    return b"\x89PNG\r\n\x1a\n" + b"\xd5" * 40 + EVIL


@file("hostile/graph_is_pickle.onnx")
def _():
    """a model of ONNX whose graph is a pickle."""
    return b"\x08\x08\x12\1a\x3a" + bytes([len(EVIL)]) + EVIL


@file("hostile/value.rds")
def _():
    """a value of R, which may hold code."""
    return b"X\n\0\0\0\3" + bytes(60)


@file("hostile/layers.h5")
def _():
    """an HDF5 file, in which Keras may keep code."""
    return b"\x89HDF\r\n\x1a\n" + bytes(600)


@file("hostile/lambda.keras")
def _():
    """a model of Keras with a layer of code."""
    return archive([Member("config.json", b'{"class_name": "Lambda"}'),
                    Member("metadata.json", b"{}")])


@file("hostile/saved_model.pb")
def _():
    """the beginning of a SavedModel of TensorFlow, whose graph may write files."""
    return b"\x08\1\x12\2\x0a\0"


@file("hostile/program.bin")
def _():
    """a program."""
    return b"\x7fELF\2\1\1" + bytes(60)


@file("hostile/script.sh")
def _():
    """a script."""
    return b"#!/bin/sh\ntouch ckconv-was-here\n"


@file("hostile/member.Z.zip")
def _():
    """a member that compress packed."""
    return archive([Member("x.bin", b"\x1f\x9d\x90" + bytes(40))])


# ---- odd and harmless ----

@file("odd/no_checksum.pkl.xz")
def _():
    """an xz file without a checksum."""
    return lzma.compress(GOOD_VALUES, check=lzma.CHECK_NONE)


@file("odd/numbers_like_packed.zip")
def _():
    """members that begin as packed files do."""
    return archive([Member("a.bin", zlib.compress(b"\xd5" * 40)[:-6] + b"\xd5" * 400),
                    Member("b.bin", zlib.compress(b"two words\n") + b"\xd5" * 400),
                    Member("c.bin", alone(b"\xd5" * 40) + b"\xd5" * 400)])


@file("odd/words.zip")
def _():
    """an archive with lists of words that read as imports, and a program beside them."""
    return archive([Member("labels.txt", b"cat\ndog\nhorse\n"), Member("run.sh", b"#!/bin/sh\n"),
                    Member(".data/extern_modules", b"collections\ntorch._utils\nos\n"),
                    Member("lib.so", b"\x7fELF\2\1\1" + bytes(60))])


@file("odd/tensors.gguf")
def _():
    """a GGUF model of two vectors, padded."""
    return gguf(2, floats(1, 2, 3, 4) + bytes(16) + floats(1, 2, 3, 4) + bytes(16))


@file("odd/image.png")
def _():
    """an image in whose bytes there are the beginnings of a pickle and of a packed file."""
    return b"\x89PNG\r\n\x1a\n" + b"\xd5\x80\2\x8f\x1f\x8b\x08\xffc\xff\n\xd5" * 40


@file("odd/zip_comment.pt")
def _():
    """a comment."""
    return archive(model(), b"made by hand on a Monday\n")


@file("odd/zip_more_files.pt")
def _():
    """files that torch does not write, and some that newer ones write."""
    return archive(model(more=[
        Member("archive/.format_version", b"1"), Member("archive/.storage_alignment", b"64"),
        Member("archive/.data/serialization_id", b"0" * 40), Member("archive/byteorder", b"little"),
        Member("README.md", b"# A model\n\nclass of its own\n", 8),
        Member("archive/code/model.py", b"class Net:\n\tpass\n", 8),
        Member("archive/labels.txt", b"cat\ndog\nhorse\n"), Member("config.json", b"{\"a\": 1}\n"),
        Member("archive/empty/", b""), Member("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(40))]))


@file("odd/zip_descriptors.pt")
def _():
    """sizes and checksums behind the bytes, with and without a signature."""
    body, directory = b"", b""
    for i, m in enumerate(model()):
        flagged = Member(m.path, b"", crc=m.crc, size=m.size, packed=m.packed, flags=8)
        directory += central(flagged, len(body))
        body += local(Member(m.path, b"", crc=0, size=0, packed=b"", flags=8)) + m.packed
        wide = "<IQQ" if i == 1 else "<III"
        body += (b"PK\7\10" if i else b"") + struct.pack(wide, m.crc, len(m.packed), m.size)
    return body + directory + end(len(model()), directory, len(body))


@file("odd/zip_deflated.pt")
def _():
    """all of it deflated."""
    return archive(checkpoint(GOOD, DATA, method=8))


@file("odd/zip_no_crc.pt")
def _():
    """no checksums."""
    members = model()
    for member in members:
        member.crc = 0
    return archive(members)


@file("odd/zip_streamed.pt")
def _():
    """sizes in front of the bytes and behind them, checksums only behind: what Info-ZIP and
    libarchive write into a pipe."""
    body, directory = b"", b""
    for m in model():
        flagged = Member(m.path, b"", crc=m.crc, size=m.size, packed=m.packed, flags=8)
        directory += central(flagged, len(body))
        body += local(Member(m.path, crc=0, size=m.size, packed=m.packed, flags=8)) + m.packed
        body += b"PK\7\10" + struct.pack("<III", m.crc, len(m.packed), m.size)
    return body + directory + end(len(model()), directory, len(body))


@file("odd/zip_newer_version.pt")
def _():
    """local headers that ask for a newer program than the directory does, as those of `zip -fz`."""
    made = bytearray(archive(model()))
    for found in re.finditer(b"PK\x03\x04", bytes(made)):
        made[found.end()] = 45
    return bytes(made)


@file("odd/zip_zeros_behind.pt")
def _():
    """zeros behind the archive."""
    return archive(model()) + bytes(512)


@file("odd/zip_newline_behind.pt")
def _():
    """a newline behind the archive and its comment."""
    return archive(model(), b"made by hand\n") + b"\r\n"


@file("odd/zip_no_crc_in_front.pt")
def _():
    """checksums that are zero in both headers, and not behind the bytes."""
    body, directory = b"", b""
    for m in model():
        bare = Member(m.path, crc=0, size=m.size, packed=m.packed, flags=8)
        directory += central(bare, len(body))
        body += local(bare) + m.packed
        body += b"PK\7\10" + struct.pack("<III", m.crc, len(m.packed), m.size)
    return body + directory + end(len(model()), directory, len(body))


@file("odd/byteorder_newline.pt")
def _():
    """a newline behind `little`."""
    return archive(checkpoint(GOOD, DATA, byteorder="little\n"))


@file("odd/legacy_keys_in_tuple.pt")
def _():
    """a legacy file whose keys are a tuple."""
    return legacy(keys=pickle(tuple_of(text("0"))))


@file("odd/w.safetensors")
def _():
    """what all of these convert to."""
    return safetensors({"w": ("F32", [4], DATA["0"])})


@file("odd/pickle_newline.pkl")
def _():
    """a newline behind a pickle."""
    return pickle(named(a=integer(1))) + b"\n"


@file("odd/pickle_text.pt")
def _():
    """a remark behind the STOP of `data.pkl`."""
    return archive(model(GOOD + b"# written by hand"))


@file("odd/legacy_zeros.pt")
def _():
    """zeros behind the storages."""
    return legacy() + bytes(100)


@file("odd/tar_padded.tar")
def _():
    """a tar archive with the padding of a tape."""
    return entry("a.pkl", pickle(named(a=integer(1)))) + bytes(9216)


@file("odd/tar_v7.tar")
def _():
    """a checkpoint in a tar archive as the first ones were: no magic number, and no type."""
    return tar_v7("model.pt", archive(model()), b"\0")


@file("odd/xz_9.pt.xz")
def _():
    """a small checkpoint packed by `xz -9`, which asks for a dictionary of 64 MiB."""
    return lzma.compress(archive(model()), preset=9)


@file("odd/data_like_lzma.pt")
def _():
    """storages of numbers that begin as .lzma with dictionaries of up to 4 GiB do."""
    heads = {str(n): struct.pack("<200i", 93, n, *[0] * 198) for n in (12, 64, 100, 128, 255)}
    values = named(**{"t" + key: vector(key, 200, "IntStorage") for key in heads})
    return archive(checkpoint(pickle(values), heads))


@file("odd/data_like_opcodes.pt")
def _():
    """storages that begin as pickles do, and as archives do."""
    bodies = [b"\x80\2\0\0" + bytes(12), b"(\x80\x02c\xff\xfe\n" + bytes(9), b"N." + bytes(14),
              b"\x1f\x8b\x08\0\0\0\0\0" + bytes(8), b"x\x9c" + bytes(14), b"PK\5\6" + bytes(12),
              b"cat\ndog\nhorse\nco", b"\x1f\x9d" + bytes(14), b"GGUF" + b"\xff" * 12]
    values = named(**{"t%d" % i: vector(str(i), 4) for i in range(len(bodies))})
    return archive(checkpoint(pickle(values), {str(i): b for i, b in enumerate(bodies)}))


@file("odd/words.txt")
def _():
    """a list of words that reads as an import."""
    return b"cat\ndog\nhorse\n"


@file("odd/modules.txt")
def _():
    """a list of modules, as torch.package keeps it, that reads as an import."""
    return b"collections\ntorch._utils\nos\n"


def main(folder):
    """Writes all of them."""
    for path, make in files.items():
        with open(os.path.join(folder, path), "wb") as out:
            out.write(make())


def tell():
    """The lines of README.md."""
    for path, make in files.items():
        print("- `%s`: %s" % (path.split("/")[1], " ".join(make.__doc__.split())))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        tell()
    else:
        main(sys.argv[1])
