"""Small hands for making bombs: opcodes, torch's zip and legacy files, packed repetitions, tars.

Everything is written byte by byte, because the point is what no honest writer would write."""
import bz2
import io
import lzma
import struct
import zipfile
import zlib


# ---- opcodes ----

def text(value):
    data = value.encode()
    return b'X' + struct.pack('<I', len(data)) + data


def integer(value):
    if 0 <= value < 256:
        return b'K' + bytes([value])
    if -2**31 <= value < 2**31:
        return b'J' + struct.pack('<i', value)
    size = value.bit_length() // 8 + 1
    return b'\x8a' + bytes([size]) + value.to_bytes(size, 'little', signed=True)


def tuple_of(values):
    return b'(' + b''.join(integer(v) for v in values) + b't'


def storage(key='0', elements=1, kind='FloatStorage'):
    return (b'(' + text('storage') + b'ctorch\n' + kind.encode() + b'\n' + text(key) +
            text('cpu') + integer(elements) + b'tQ')


def tensor(shape=(1,), stride=(1,), key='0', elements=1, kind='FloatStorage', offset=0):
    return (b'ctorch._utils\n_rebuild_tensor_v2\n(' + storage(key, elements, kind) +
            integer(offset) + tuple_of(shape) + tuple_of(stride) + b'\x89}tR')


def pickled(body):
    return b'\x80\x02' + body + b'.'


def state(name, value):
    """{name: value}, and one honest tensor."""
    return pickled(b'}(' + text('honest') + tensor() + text(name) + value + b'u')


# ---- repetitions that are packed without being made ----

def deflated_repeat(block, times, end=b''):
    """Raw deflate of block * times + end, its size and CRC-32. The block is packed once: a full
    flush ends on a byte and forgets what was before."""
    head = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = head.compress(block) + head.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(9, zlib.DEFLATED, -15)
    tail = last.compress(end) + last.flush()
    crc = 0
    for _ in range(times if len(block) * times <= 1 << 28 else 0):
        crc = zlib.crc32(block, crc)
    return piece * times + tail, len(block) * times + len(end), zlib.crc32(end, crc)


def gzip_repeat(block, times, end=b''):
    packed, size, crc = deflated_repeat(block, times, end)
    return (b'\x1f\x8b\x08\0\0\0\0\0\0\xff' + packed +
            struct.pack('<II', crc, size & 0xFFFFFFFF))


def bzip2_repeat(block, times):
    return bz2.compress(block) * times


def xz_repeat(block, times):
    return lzma.compress(block, preset=0) * times


# ---- zip ----

class Zip:
    """Local headers and a central directory, exactly as told."""

    def __init__(self):
        self.body, self.central, self.count = io.BytesIO(), io.BytesIO(), 0

    def add(self, name, data, method=0, size=None, crc=None, align=64):
        """Stored data, or deflated data of `size` bytes unpacked."""
        name = name.encode()
        at = self.body.tell()
        extra = b''
        if not method and align:
            pad = -(at + 30 + len(name) + 4) % align
            extra = struct.pack('<HH', 0x4246, pad) + bytes(pad)
        size = len(data) if size is None else size
        crc = zlib.crc32(data) if crc is None else crc
        self.body.write(struct.pack('<IHHHHHIIIHH', 0x04034b50, 20, 0, method, 0, 0, crc,
                                    len(data), size & 0xFFFFFFFF, len(name), len(extra)))
        self.body.write(name + extra + data)
        self.refer(name, at, len(data), method, size, crc)
        return self

    def refer(self, name, at, packed, method, size, crc):
        """A line of the directory."""
        self.central.write(struct.pack(
            '<IHHHHHHIIIHHHHHII', 0x02014b50, 20, 20, 0, method, 0, 0, crc, packed, size,
            len(name), 0, 0, 0, 0, 0, at))
        self.central.write(name)
        self.count += 1

    def bytes(self):
        at, central = self.body.tell(), self.central.getvalue()
        many = b''
        if self.count > 0xFFFE:
            many = (struct.pack('<IQHHIIQQQQ', 0x06064b50, 44, 45, 45, 0, 0, self.count,
                                self.count, len(central), at) +
                    struct.pack('<IIQI', 0x07064b50, 0, at + len(central), 1))
        count = min(self.count, 0xFFFF)
        return (self.body.getvalue() + central + many +
                struct.pack('<IHHHHIIH', 0x06054b50, 0, 0, count, count, len(central),
                            at if not many else 0xFFFFFFFF, 0))


def torch_zip(pickle, storages=None, deflate=False):
    made = Zip()
    if deflate:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(pickle) + packer.flush()
        made.add('archive/data.pkl', packed, 8, len(pickle), zlib.crc32(pickle))
    else:
        made.add('archive/data.pkl', pickle)
    made.add('archive/byteorder', b'little')
    for key, data in (storages or {'0': bytes(4)}).items():
        made.add('archive/data/' + key, data)
    return made.add('archive/version', b'3\n').bytes()


# ---- legacy ----

def legacy(pickle):
    """With the one storage that all of these bombs share, if they use it at all."""
    used = b'storage' in pickle
    keys = b'](' + text('0') + b'e' if used else b']'
    magic = b'\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19'
    system = b'}(' + text('protocol_version') + b'M\xe9\x03' + text('little_endian') + b'\x88u'
    # legacy persistent ids have a sixth part, the view
    pickle = pickle.replace(b'tQ', b'NtQ')
    data = struct.pack('<q', 1) + bytes(4) if used else b''
    return (pickled(magic) + pickled(b'M\xe9\x03') + pickled(system) + pickle + pickled(keys) +
            data)


# ---- numpy ----

def npy(header, major=1, data=b'', length=None):
    header = header if isinstance(header, bytes) else header.encode()
    length = len(header) if length is None else length
    return (b'\x93NUMPY' + bytes([major, 0]) + struct.pack('<H' if major == 1 else '<I', length) +
            header + data)


# ---- tar ----

def tar_member(name, size, kind=b'0', data=b'', number=None):
    """One header and its data; `number` is the size as it is written."""
    head = bytearray(512)
    head[0:len(name)] = name.encode()
    head[100:108], head[108:116], head[116:124] = b'0000644\0', b'0000000\0', b'0000000\0'
    head[124:136] = number or b'%011o\0' % size
    head[136:148], head[148:156], head[156:157] = b'00000000000\0', b' ' * 8, kind
    head[257:265] = b'ustar\x0000'
    head[148:156] = b'%06o\0 ' % sum(head)
    return bytes(head) + data + bytes(-len(data) % 512)


def huge_number(value):
    """A size in base 256."""
    return b'\x80' + value.to_bytes(11, 'big')
