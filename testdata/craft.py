"""Pickles, zip archives and safetensors files made byte by byte.

The makers of this folder use it to write what no library would write. Nothing here unpickles.
"""
import io
import json
import struct
import zipfile
import zlib

# ---- pickle: each function gives the opcodes that push one value ----

STOP = b"."
NONE, TRUE, FALSE = b"N", b"\x88", b"\x89"
EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT = b")", b"]", b"}"
REDUCE, BUILD, NEWOBJ, SETITEM, APPEND, POP = b"R", b"b", b"\x81", b"s", b"a", b"0"


def proto(number=2):
    """PROTO, the first opcode of a pickle."""
    return b"\x80" + bytes([number])


def name(module, attribute):
    """GLOBAL: a class or function, by name."""
    return b"c%s\n%s\n" % (module.encode(), attribute.encode())


def text(value):
    """BINUNICODE; lone surrogates are let through, as Python's own pickler does."""
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def text_py2(value):
    """SHORT_BINSTRING, what Python 2 wrote for its str."""
    data = value.encode()
    return b"U" + bytes([len(data)]) + data


def integer(value):
    """BININT1, BININT or LONG1, whichever is the shortest that holds the value."""
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def real(value):
    """BINFLOAT."""
    return b"G" + struct.pack(">d", value)


def tuple_of(*items):
    """MARK, the items, TUPLE."""
    return b"(" + b"".join(items) + b"t" if items else EMPTY_TUPLE


def list_of(*items):
    """EMPTY_LIST, MARK, the items, APPENDS."""
    return b"](" + b"".join(items) + b"e"


def dict_of(*pairs):
    """EMPTY_DICT, MARK, keys and values, SETITEMS."""
    return b"}(" + b"".join(key + value for key, value in pairs) + b"u"


def named(**values):
    """A dict with text keys."""
    return dict_of(*((text(key), value) for key, value in values.items()))


def call(callee, *arguments):
    """REDUCE: the call of something."""
    return callee + tuple_of(*arguments) + REDUCE


def put(number):
    """BINPUT: the value on top gets a number."""
    return b"q" + bytes([number])


def get(number):
    """BINGET: the value of that number once more."""
    return b"h" + bytes([number])


def integers(values):
    """A tuple of integers."""
    return tuple_of(*map(integer, values))


def storage(kind, key, count, location="cpu", module="torch"):
    """BINPERSID of torch's ('storage', class, key, location, count)."""
    return tuple_of(text("storage"), name(module, kind), text(key), text(location),
                    integer(count)) + b"Q"


def tensor(of, shape, stride, offset=0, more=()):
    """_rebuild_tensor_v2 of a storage; `more` are the arguments behind requires_grad and hooks."""
    hooks = call(name("collections", "OrderedDict"))
    return call(name("torch._utils", "_rebuild_tensor_v2"), of, integer(offset), integers(shape),
                integers(stride), FALSE, hooks, *more)


def vector(key, count, kind="FloatStorage"):
    """A tensor of one dimension that covers the whole of its storage."""
    return tensor(storage(kind, key, count), [count], [1])


def pickle(value, number=2):
    """A whole pickle."""
    return proto(number) + value + STOP


def floats(*values):
    """Little-endian float32."""
    return struct.pack("<%df" % len(values), *values)


# ---- NumPy ----

def numpy_dtype(code, order="<"):
    """numpy.dtype(code) with the state that every pickle gives it."""
    state = tuple_of(integer(3), text(order), NONE, NONE,
                           NONE, integer(-1), integer(-1), integer(0))
    kind = code if isinstance(code, bytes) else text(code)
    return call(name("numpy", "dtype"), kind, FALSE, TRUE) + state + BUILD


def numpy_array(dtype, shape, data, module="numpy.core.multiarray", version=(integer(1),)):
    """_reconstruct with the state of an array; `data` is an opcode."""
    made = call(name(module, "_reconstruct"), name("numpy", "ndarray"), integers([0]),
                      text_py2("b"))
    state = tuple_of(*version, integers(shape), dtype, FALSE, data)
    return made + state + BUILD


def npy(descr, shape, data, order="False", version=1):
    """An .npy file whose header ends where it must: its elements are not aligned."""
    line = "{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n" % (descr, order, shape)
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(line)) + line.encode() + data


# ---- zip ----

class Member:
    """A member of a zip archive; every field that a reader might trust can be set to a lie."""

    def __init__(self, path, data=b"", method=0, *, crc=None, size=None, packed=None, flags=0,
                 local_path=None):
        self.path = path.encode() if isinstance(path, str) else path
        self.local_path = self.path if local_path is None else local_path.encode()
        self.method = method
        self.flags = flags
        self.packed = pack(data, method) if packed is None else packed
        self.crc = zlib.crc32(data) if crc is None else crc
        self.size = len(data) if size is None else size


def pack(data, method):
    """The bytes of a member as they lie in the file."""
    if method != 8:
        return data
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(data) + deflate.flush()


def header(member, path):
    """The fields that the local and the central header share."""
    return struct.pack("<HHHHHIIIHH", 20, member.flags, member.method, 0, 0x21, member.crc,
                       len(member.packed), member.size, len(path), 0)


def local(member):
    """A local header, without the bytes behind it."""
    return b"PK\3\4" + header(member, member.local_path) + member.local_path


def central(member, offset):
    """An entry of the directory."""
    return (b"PK\1\2\x14\0" + header(member, member.path) +
            struct.pack("<HHHII", 0, 0, 0, 0, offset) + member.path)


def end(count, directory, offset, comment=b""):
    """The end of an archive."""
    return b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), offset,
                                   len(comment)) + comment


def write_archive(out, members, comment=b""):
    """Writes a whole zip archive to a file."""
    directory = b""
    for member in members:
        directory += central(member, out.tell())
        out.write(local(member))
        out.write(member.packed)
    out.write(directory + end(len(members), directory, out.tell(), comment))


def archive(members, comment=b""):
    """A whole zip archive."""
    out = io.BytesIO()
    write_archive(out, members, comment)
    return out.getvalue()


def checkpoint(pickled, storages, top="archive", method=0, byteorder=None):
    """The members of a torch checkpoint: a pickle and the bytes of its storages by key."""
    members = [Member(top + "/data.pkl", pickled, method)]
    if byteorder is not None:
        members.append(Member(top + "/byteorder", byteorder.encode()))
    for key, data in storages.items():
        members.append(Member("%s/data/%s" % (top, key), data, method))
    return members + [Member(top + "/version", b"3\n")]


def read_members(path):
    """The members of an archive, unpacked."""
    with zipfile.ZipFile(path) as archive_file:
        return [Member(info.filename, archive_file.read(info))
                for info in archive_file.infolist()]


# ---- safetensors ----

# The order of the reference library's files: by this list, then by name.
RANKS = ("U64 I64 F64 C64 F32 U32 I32 BF16 F16 U16 I16 F8_E5M2FNUZ F8_E4M3FNUZ F8_E8M0 F8_E4M3 "
         "F8_E5M2 I8 U8 BOOL").split()


def safetensors(tensors, metadata=None):
    """A safetensors file of {name: (dtype, shape, bytes)}, laid out as the reference library does;
    for dtypes that its release 0.5.2 cannot write, and for files that no torch may load."""
    ordered = sorted(tensors.items(), key=lambda item: (RANKS.index(item[1][0]), item[0].encode()))
    head = {"__metadata__": dict(sorted({**(metadata or {}), "format": "pt"}.items()))}
    body = b""
    for key, (dtype, shape, data) in ordered:
        head[key] = {"dtype": dtype, "shape": list(shape),
                     "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    line = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    line += b" " * (-len(line) % 8)
    return struct.pack("<Q", len(line)) + line + body
