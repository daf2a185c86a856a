"""Cases of checkpoints that were packed, or put into an archive with other things."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import shutil
import tarfile
import tempfile
import zipfile
import zlib

import torch

from arrays import every_array, mixed, save_pickle
from cases import NEW, case, load_torch, save_legacy, save_to_path
from pickles import Net


# ---- files in a wrapping ----

OPENERS = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}


def unpacked(path):
    with open(path, "rb") as file:
        data = file.read()
    for unpack in (gzip.decompress, bz2.decompress, lzma.decompress, zlib.decompress):
        try:
            return io.BytesIO(unpack(data))
        except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
            pass
    raise ValueError("not packed")


def bytes_of(value, save=save_to_path):
    buffer = io.BytesIO()
    save(value, buffer)
    return buffer.getvalue()


def packed(pack, save=save_to_path):
    def write(value, path):
        with open(path, "wb") as file:
            file.write(pack(bytes_of(value, save)))
    return write


PACKERS = {
    "gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zlib": zlib.compress,
    "zlib-0": lambda data: zlib.compress(data, 0), "zlib-9": lambda data: zlib.compress(data, 9),
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "gzip-twice": lambda data: gzip.compress(data[:99]) + gzip.compress(data[99:]),
    "bz2-twice": lambda data: bz2.compress(data[:99]) + bz2.compress(data[99:]),
    "xz-twice": lambda data: lzma.compress(data[:99]) + lzma.compress(data[99:]),
}


def checkpoint(source):
    return {"epoch": 3, "state_dict": Net().state_dict(), "optimizer": {"m": source.floats(3)}}


def small(source):
    return {"w": source.floats(9, 4).t(), "b": source.bits(torch.int64, 3)}


for _name, _pack in PACKERS.items():
    # what is packed by zlib and not compressed ends as the zip in it does
    case(name="packed-%s" % _name, save=packed(_pack),
         refuses="ends as a zip archive" if _name == "zlib-0" else None,
         load=lambda path: load_torch(unpacked(path)))(checkpoint)
    case(name="packed-%s-legacy" % _name, save=packed(_pack, save_legacy),
         load=lambda path: load_torch(unpacked(path)))(checkpoint)
    case(name="packed-%s-pickle" % _name, load=lambda path: pickle.load(unpacked(path)),
         save=packed(_pack, lambda value, file: pickle.dump(value, file)))(every_array)
    case(name="packed-%s-cut" % _name, save=packed(_pack), cut=197,
         refuses="ends as a zip archive" if _name == "zlib-0" else None,
         load=lambda path: load_torch(unpacked(path)))(small)
for _name, _open in OPENERS.items():
    case(name="opened-" + _name, suffix=".pkl." + _name, save=save_pickle(4, _open),
         load=lambda path: pickle.load(unpacked(path)))(mixed)


def packed_again(value, path):
    """As any program for archives writes it that was given what another one unpacked."""
    with zipfile.ZipFile(io.BytesIO(bytes_of(value))) as archive, \
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as other:
        for name in archive.namelist():
            other.writestr(name, archive.read(name))


case(name="packed-again", save=packed_again)(checkpoint)


def tar_of(members, mode="w"):
    def save(value, path):
        with tarfile.open(path, mode, format=FORMATS[mode]) as tar:
            for name, data in members(value):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return save


FORMATS = {"w": tarfile.GNU_FORMAT, "w:gz": tarfile.PAX_FORMAT, "w:bz2": tarfile.USTAR_FORMAT,
           "w:xz": tarfile.PAX_FORMAT}


def zip_of(members, method=zipfile.ZIP_STORED):
    def save(value, path):
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in members(value):
                archive.writestr(name, data)
    return save


def member_of_tar(name):
    def load(path):
        with tarfile.open(path) as tar:
            return load_torch(io.BytesIO(tar.extractfile(name).read()))
    return load


def member_of_zip(name):
    def load(path):
        with zipfile.ZipFile(path) as archive:
            return load_torch(io.BytesIO(archive.read(name)))
    return load


def one_checkpoint(value):
    """As a model.tar.gz of the clouds, or a .nemo file."""
    return [("./model_config.yaml", b"a: 1\n"), ("./code/inference.py", b"import os\n"),
            ("./model_weights.ckpt", bytes_of(value))]


def policy(value):
    """As Stable-Baselines3 saves its agents."""
    return [("data", b'{"policy_class": {":type:": "<class>"}}'), ("policy.pth", bytes_of(value)),
            ("_stable_baselines3_version", b"2.0.0"), ("system_info.txt", b"OS: Linux\n")]


def agent(value):
    return [*policy(value),
            ("policy.optimizer.pth", bytes_of({"state": {0: {"m": torch.ones(2)}}})),
            ("pytorch_variables.pth", bytes_of(None))]


for _mode in FORMATS:
    _suffix = ".tar" + _mode[1:].replace(":", ".")
    case(name="archive" + _suffix.replace(".", "-"), save=tar_of(one_checkpoint, _mode),
         load=member_of_tar("./model_weights.ckpt"), suffix=_suffix)(checkpoint)
case(name="archive-nemo", save=tar_of(one_checkpoint), load=member_of_tar("./model_weights.ckpt"),
     suffix=".nemo")(checkpoint)
case(name="archive-tar-legacy", load=member_of_tar("a/b.pth"), suffix=".tar",
     save=tar_of(lambda value: [("a/b.pth", bytes_of(value, save_legacy))]))(checkpoint)
case(name="archive-tar-cut", save=tar_of(one_checkpoint), suffix=".tar", cut=997,
     load=member_of_tar("./model_weights.ckpt"))(small)
for _name, _method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
    case(name="archive-zip-" + _name, save=zip_of(policy, _method), suffix=".zip",
         load=member_of_zip("policy.pth"))(checkpoint)
    case(name="archive-zip-%s-member" % _name, save=zip_of(agent, _method), suffix=".zip",
         load=member_of_zip("policy.pth"), member="policy.pth")(checkpoint)
    case(name="archive-zip-%s-several" % _name, save=zip_of(agent, _method), suffix=".zip",
         refused=["policy.pth", "policy.optimizer.pth", "!"])(checkpoint)


def archive_in_archive(value):
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as tar:
        data = bytes_of(value)
        info = tarfile.TarInfo("weights/pytorch_model.bin")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return [("readme.txt", b"text"), ("model.tar.gz", inner.getvalue())]


case(name="archive-in-archive", save=zip_of(archive_in_archive), load=None,
     suffix=".zip")(checkpoint)


def two_checkpoints(value):
    return [("a/one.pt", bytes_of(value)), ("b/two.pt", bytes_of({"w": torch.ones(2)})),
            ("readme.txt", b"text")]


case(name="archive-tar-several", save=tar_of(two_checkpoints, "w:gz"), suffix=".tar.gz",
     refused=["a/one.pt", "b/two.pt", "!"])(checkpoint)
case(name="archive-tar-member", save=tar_of(two_checkpoints, "w:gz"), suffix=".tar.gz",
     load=member_of_tar("a/one.pt"), member="a/one.pt")(checkpoint)
case(name="archive-tar-no-member", save=tar_of(two_checkpoints), suffix=".tar", member="a/three.pt",
     refused=["a/three.pt"], status=2)(checkpoint)
case(name="archive-without", save=zip_of(lambda value: [("a.txt", b"text"), ("b.json", b"{}")]),
     suffix=".zip", refused=["archive"])(checkpoint)


# ---- checkpoints of several archives, one behind the other ----

def save_distributed(value, path):
    import torch.distributed.checkpoint as checkpoints
    with tempfile.TemporaryDirectory() as folder:
        checkpoints.save(value, storage_writer=checkpoints.FileSystemWriter(folder))
        shutil.copyfile(os.path.join(folder, "__0_0.distcp"), path)


@case(since=NEW, save=save_distributed, load=None, loose=".*", suffix=".distcp")
def archives_in_a_row(source):
    """What they are called stands in another file."""
    return {"w": source.floats(3, 4), "v": source.bits(torch.int64, 5),
            "t": source.floats(4, 6).t()}
