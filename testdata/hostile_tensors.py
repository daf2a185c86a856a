"""Files that are safetensors from the first byte to the last, by all rules, and something else as
well: the length of the header is opcodes that skip the JSON. make_hostile.py writes them."""
import struct

import craft
from craft import STOP, call, name, named, pickle, text, vector

RUN = call(name("os", "system"), text("touch ckconv_was_here"))


def header(length, start, word, data):
    """Safetensors of a header of that length, in which `word` stands at offset `start` of the file,
    in a text; `data` are its only tensor."""
    size = len(data)
    tensor = b'"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (size, size)
    line = b'{"__metadata__":{"k":"'
    line += b"-" * (start - 8 - len(line)) + word
    line += b"-" * (length - len(line) - len(tensor) - 3) + b'"},' + tensor
    assert len(line) == length and length >= start + len(word)
    return struct.pack("<Q", length) + line + data


def skipped(count, word, data):
    """BINUNICODE takes `count` bytes, up to `word`."""
    return header(ord("X") + (count << 8), 5 + count, word, data)


def tar_header(data):
    """Fields of a tar header in the text of the metadata, where the first 8 bytes are a name; two
    blocks of the data are the end of the archive."""
    size, fields = 504, lambda total: b"".join(
        (b"0000644 ", b"0000000 ", b"0000000 ", b"%011o " % (len(data) - 1024), b"00000000000 ",
         b"%06o  " % total, b"0", b"-" * 100, b"ustar", b"  -"))
    total = sum(header(size, 100, fields(0), data)[:512])
    total += 8 * ord(" ") - sum(b"%06o  " % 0)
    return header(size, 100, fields(total), data)


def in_tar():
    """An entry whose bytes are the tensor, and the end of the archive."""
    evil = pickle(RUN)
    return tar_header(evil + bytes(-len(evil) % 512) + bytes(1024))


def twofold():
    """All of them: name, verdict and rule, what it is, bytes."""
    harm = "dangerous | dangerous-call"
    line = b"\n" + RUN + STOP
    archive = craft.archive(craft.checkpoint(pickle(named(w=vector("0", 2), x=RUN)),
                                             {"0": craft.floats(1, 2)}))
    return [
        ("skips_header.safetensors", harm, "the length of the header is a BINUNICODE that skips "
         "its beginning, a UNICODE the rest of it, and a pickle is the tensor",
         skipped(40, b"V", line)),
        ("stops_in_header.safetensors", harm, "the same behind a STOP, for those who read several "
         "pickles", skipped(40, b".V", line)),
        ("unknown_in_tensor.safetensors", "malformed | unknown-global", "the same with a class "
         "that nobody knows", skipped(40, b"V", b"\n0cown.things\nThing\n.")),
        ("persistent.safetensors", harm, "the header is the name of a persistent id",
         header(0x150, 40, b"-", line)),
        ("and_zip.safetensors", harm, "the tensor is a whole checkpoint in a zip archive",
         header(0x158, 40, b"-", archive)),
        ("and_tar.safetensors", harm, "the header is one of tar, too, and the tensor a pickle in "
         "the archive", in_tar()),
        ("only_tensors.safetensors", "safe", "the length of the header is BINUNICODE, but then "
         "nothing is named or called", skipped(40, b"V", b"\n." + bytes(14))),
    ]
