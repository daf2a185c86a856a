"""The bombs: one row each. A row makes one file, says what makes it a bomb, and what ckconv is to
say about it."""
import lzma
import struct
import zlib

from make import (Zip, bzip2_repeat, deflated_repeat, gzip_repeat, huge_number, integer, legacy,
                  npy, pickled, state, storage, tar_member, tensor, text, torch_zip, tuple_of,
                  xz_repeat)

MIB = 1 << 20
DEEP = 990_000     # below the limit of the stack, so that depth is what counts
MANY = 30_000_000  # two opcodes each: beyond the limit of opcodes


class Bomb:
    """`make` gives the bytes; `says` is part of the sentence that refuses them; `more` is memory in
    MiB that it may need beyond what the others may, because an honest file of its size does.
    `clean`: there is harm in its conversion alone, so that scan may say that it is safe."""

    def __init__(self, name, about, make, says, options=(), limit=None, suffix='.pt', status=3,
                 more=0, clean=False):
        self.name, self.about, self.make, self.says = name, about, make, says
        self.options, self.limit, self.suffix = options, limit, suffix
        self.status, self.more, self.clean = status, more, clean


ROWS = []


def bomb(name, about, make, says, **more):
    ROWS.append(Bomb(name, about, make, says, **more))


def limited(name, about, make, limit, **more):
    bomb(name, about, make, f'--limit {limit}=', limit=limit, **more)


def alone(name, about, make, says, limit=None, **more):
    """A pickle as a file of its own."""
    says = f'--limit {limit}=' if limit else says
    bomb(name, about, make, says, limit=limit, suffix='.pkl', **more)


def in_all_files(name, about, make, says, limit=None, **more):
    """The same pickle as a file of its own, in a zip and in a legacy file."""
    says = f'--limit {limit}=' if limit else says
    bomb(name, about, make, says, limit=limit, suffix='.pkl', **more)
    bomb(name + '_zip', about + ', in a zip', lambda: torch_zip(make()), says, limit=limit, **more)
    bomb(name + '_legacy', about + ', in a legacy file', lambda: legacy(make()), says, limit=limit,
         **more)


# ---- nesting and sharing ----

def laughs(leaf, levels=60):
    """A list of ten times the same list of ten times the same list ..."""
    body = b'](' + leaf + b'e' + b'q\0'
    for level in range(1, levels):
        body += b'](' + b'h' + bytes([level - 1])
        body += (b'h' + bytes([level - 1])) * 9 + b'eq' + bytes([level])
    return body


def laughing_tuples(levels=60):
    body = b'N' + b'q\0'
    for level in range(1, levels):
        body += b'0' + (b'h' + bytes([level - 1])) * 3 + b'\x87q' + bytes([level])
    return body


for name, make in [('laughs', torch_zip), ('laughs_legacy', legacy)]:
    limited(name, 'billions of lists that share each other, with a tensor at the bottom',
            lambda make=make: make(pickled(laughs(tensor()))), 'heap')
limited('laughs_visits', 'the same, and more memory than it needs',
        lambda: torch_zip(pickled(laughs(tensor()))), 'visits',
        options=['--limit', 'heap=1G', '--limit', 'visits=100K'])
in_all_files('laughs_empty', 'the same without a tensor', lambda: pickled(laughs(b'N')),
             'no tensor')
in_all_files('laughs_key', 'a key of billions of tuples that share each other',
             lambda: state('x', b'}' + laughing_tuples() + tensor() + b's'), 'limit')
in_all_files('deep_lists', 'a million lists, each in the next',
             lambda: pickled(b']' * DEEP + b'a' * (DEEP - 1)), None, limit='depth')
in_all_files('deep_tuples', 'a million tuples, each in the next',
             lambda: pickled(b'N' + b'\x85' * DEEP), None, limit='depth')
in_all_files('deep_dicts', 'a million dicts, each in the next',
             lambda: pickled(b'}' + b'K\0}' * (DEEP // 2) + b's' * (DEEP // 2)), None,
             limit='depth')
in_all_files('deep_marks', 'a million MARKs', lambda: pickled(b'(' * DEEP + b'l' * DEEP), None,
             limit='depth')
in_all_files('deep_calls', 'a million calls, each an argument of the next',
             lambda: pickled(b'N' + b'\x85cm\nf\nq\0' + b'0' +
                             b'' + b'h\0N\x85R' + b'\x85q\x010h\0h\x01R' * DEEP), None,
             limit='depth')
in_all_files('deep_states', 'a million objects, each the state of the next',
             lambda: pickled(b'cm\nf\nq\x000h\0)R' + b'q\x010h\0)Rh\x01b' * DEEP), None,
             limit='depth')
in_all_files('deep_ids', 'a million persistent ids, each in the next',
             lambda: pickled(b'N' + b'Q' * DEEP), None, limit='depth')
in_all_files('deep_memo', 'a million lists, each filled after it was put in the one before',
             lambda: pickled(b']q\0' + b'q\x01]q\x02ah\x02' * DEEP), 'no tensor', clean=True)
in_all_files('self_list', 'a list that contains itself', lambda: pickled(b']q\0h\0a'), 'no tensor')
in_all_files('self_dict', 'a dict that contains itself',
             lambda: pickled(b'}q\0(' + text('a') + b'h\0' + text('b') + b'h\0u'), 'no tensor')
in_all_files('self_tuple', 'a tuple that contains itself, through a list',
             lambda: pickled(b']q\0h\0\x85q\x010h\0h\x01a'), 'no tensor')
in_all_files('self_arguments', 'a tensor whose sizes are a list that holds the tensor',
             lambda: pickled(b']q\x010' + b'ctorch._utils\n_rebuild_tensor_v2\n(' + storage() +
                             b'K\0h\x01' + tuple_of([1]) + b'\x89}tRq\x020h\x01h\x02ah\x02'), '')
in_all_files('self_state', 'an object that is its own state',
             lambda: pickled(b'cm\nf\n)Rq\0h\0b'), 'no tensor')

# ---- lengths ----

for code, width, what in [(b'\x8b', '<i', 'LONG4'), (b'X', '<I', 'BINUNICODE'),
                          (b'B', '<I', 'BINBYTES'), (b'T', '<i', 'BINSTRING'),
                          (b'\x8d', '<Q', 'BINUNICODE8'), (b'\x8e', '<Q', 'BINBYTES8'),
                          (b'\x96', '<Q', 'BYTEARRAY8'), (b'\x95', '<Q', 'FRAME')]:
    huge = {'<i': 2**31 - 1, '<I': 2**32 - 1, '<Q': 2**63 - 1}[width]
    in_all_files('huge_' + what.lower(), f'{what} of {huge} bytes in a small file',
                 lambda code=code, width=width, huge=huge:
                 pickled(code + struct.pack(width, huge) + b'x' * 100), 'cut short')
in_all_files('huge_frame_2_60', 'a frame of 2^60 bytes',
             lambda: b'\x80\x04\x95' + struct.pack('<Q', 2**60) + b'].', 'cut short')
limited('long_digits', 'an integer of 100 million decimal digits',
        lambda: pickled(b'L' + b'7' * 100_000_000 + b'L\n'), 'text',
        options=['--limit', 'text=16M'], suffix='.pkl')

# ---- many opcodes ----

for name, piece, times in [
        ('none_pop', b'N0', MANY), ('list_pop', b']0', MANY), ('dict_pop', b'}0', MANY),
        ('tuple_pop', b')0', MANY), ('int_pop', b'J\0\1\0\0000', MANY), ('mark_pop', b'(1', MANY),
        ('mark_list_pop', b'(l0', MANY * 2 // 3), ('dup_pop', b'20', MANY),
        ('proto', b'\x80\x02', MANY * 2), ('get_pop', b'h\x000', MANY), ('put', b'q\0', MANY * 2),
        ('nones_marked', b'(NNNNNNNNNNNNNNNNNNNNNNNN1', MANY // 12)]:
    alone('many_' + name, f'{times} times the opcodes {piece!r}',
                 lambda piece=piece, times=times: pickled(b'Nq\0' + piece * times), None,
                 limit='ops')
alone('many_lists', 'a list of 50 million empty lists',
             lambda: pickled(b'](' + (b']' * 100_000 + b'e(') * 500 + b'e'), 'limit')
alone('many_lists_dropped', 'millions of lists that are dropped',
             lambda: pickled((b'(' + b']' * 100_000 + b'l0') * 500 + b'N'), 'limit')
alone('many_tuples', 'tuples of tuples, 50 million',
             lambda: pickled(b'](' + (b'N\x85' * 100_000 + b'e(') * 250 + b'e'), 'limit')
alone('many_memo', 'the memo filled by MEMOIZE', lambda: pickled(b'N' + b'\x94' * MANY), None,
      limit='memo')
alone('many_nones', 'a stack of a million values', lambda: pickled(b'N' * 2_000_000), None,
             limit='stack')
for count, times in [(8, 1_100_000), (24, 1_100_000), (120, 300_000)]:
    alone(f'many_waiting_{count}', f'a stack of {times} lists of {count} values',
          lambda count=count, times=times: pickled((b'](' + b'N' * count + b'e') * times),
          None, limit='heap', clean=times < 1_000_000)
def weighed_often(times, lists):
    """A stack that is almost too heavy, and of which as much is looked at as can be, under a list
    that grows."""
    body = b''
    for level in range(4):
        last = b'h' + bytes([level - 1]) if level else b'N'
        body += b'(' + b'N' * 2046 + last + b'tq' + bytes([level]) + b'0'
    return body + b'h\3' * times + b'](' + (b'M\1\2' * 1000 + b'e(') * lists + b'e'


alone('stack_weighed_often', 'a stack below a growing list',
      lambda: pickled(weighed_often(2900, 10_000)), None, limit='heap', more=450, clean=True)
alone('many_calls_waiting', 'a stack of a million calls of one class',
      lambda: pickled(b'ca\nb\nq\0' + b'h\0)R' * 1_100_000), None, limit='heap')
alone('many_calls_listed', 'a list of 300,000 calls of one class',
      lambda: pickled(b'](ca\nb\nq\0' + (b'h\0)R' * 1000 + b'e(') * 300 + b'e'), 'no tensor')
alone('many_names', 'calls of 150,000 functions',
      lambda: pickled(b''.join(b'cown\nx%d\n)R0' % i for i in range(150_000)) + b'N'),
      'no tensor')
alone('different_names', 'calls of 800,000 functions',
      lambda: pickled(b''.join(b'cown\nx%d\n)R0' % i for i in range(800_000)) + b'N'), None,
      limit='globals')
alone('names_of_pickles', 'ten pickles, each of which names 190,000 other functions',
      lambda: b''.join(pickled(b''.join(b'cown\nx%d\n0' % i for i in range(n, n + 190_000)) + b'N')
                       for n in range(0, 1_900_000, 190_000)), None, limit='globals')
alone('named_by_values', 'a name of two strings, 250,000 times',
      lambda: pickled(b'\x80\4\x8c\3own\x8c\1x\x930' + b'\x8c\3own\x8c\1x\x930' * 249_999 + b'N'),
      'no tensor')
alone('many_globals', 'millions of globals', lambda: pickled(b'ca\nb\n0' * 1_000_000 + b'N'), '')
alone('many_calls', 'millions of calls', lambda: pickled(b'ca\nb\nq\0' + b')R' * 10_000_000), '',
      status=1)
alone('many_pickles', 'millions of pickles, one after the other', lambda: b'N.' * 20_000_000,
      '--limit members=')
limited('ops_in_gzip', '2^31 opcodes in a gzip file of 2 MB',
        lambda: gzip_repeat(b'N0' * (8 * MIB), 128), 'ratio', suffix='.pkl.gz')
limited('ops_deflated', '2^31 opcodes in a deflated member of 2 MB',
        lambda: deflated_pickle(b'N0' * (8 * MIB), 128), 'ratio')
limited('lists_deflated', '60 million lists in a deflated member',
        lambda: deflated_pickle(b']0' * (8 * MIB), 4), 'ops')
limited('text_deflated', 'a string of 1 GiB in a deflated member',
        lambda: deflated_pickle(b'x' * MIB, 1024, b'\x80\x02X' + struct.pack('<I', 1 << 30)),
        'ratio')


def deflated_pickle(block, times, head=b''):
    packed, size, crc = deflated_repeat(block, times, b'N.')
    if head:
        first, first_size, _ = deflated_repeat(head, 1)
        stored = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = stored.compress(head) + stored.flush(zlib.Z_FULL_FLUSH) + packed
        size += len(head)
    return (Zip().add('archive/data.pkl', packed, 8, size, crc).add('archive/data/0', bytes(4))
            .add('archive/version', b'3\n').bytes())


# ---- tensors ----

def both_files(name, about, make, says, limit=None, **more):
    """A zip and a legacy file, which have storages."""
    says = f'--limit {limit}=' if limit else says
    bomb(name, about, lambda: torch_zip(make()), says, limit=limit, **more)
    bomb(name + '_legacy', about + ', in a legacy file', lambda: legacy(make()), says, limit=limit,
         **more)


for elements, what in [(2**60, '2^60'), (2**62, '2^62'), (2**63 - 1, '2^63-1'), (2**64, '2^64'),
                       (-1, '-1'), (10**30, '10^30')]:
    both_files(f'elements_{what}'.replace('^', '_').replace('-', '_'),
               f'a storage that claims {what} elements and has one',
               lambda elements=elements: state('x', tensor(elements=elements)), '')
    both_files(f'size_{what}'.replace('^', '_').replace('-', '_'),
               f'a tensor of {what} elements on a storage of one',
               lambda elements=elements: state('x', tensor(shape=(elements,))), '')
both_files('stride_0', 'a view of 1 TB with stride 0 from one element',
           lambda: state('x', tensor(shape=(2**40,), stride=(0,))), None, limit='expand')
both_files('stride_0_many', 'a thousand views of 64 MiB with stride 0',
           lambda: pickled(b'}(' + b''.join(text(f't{i}') + tensor(shape=(2**24,), stride=(0,))
                                            for i in range(1000)) + b'u'), None, limit='expand')
both_files('shape_overflow', 'sizes whose product is beyond 64 bits',
           lambda: state('x', tensor(shape=(2**32, 2**32, 2**32), stride=(0, 0, 0))), '')
both_files('dims', 'a tensor of a million dimensions',
           lambda: state('x', tensor(shape=(1,) * 400_000, stride=(1,) * 400_000)), '')
bomb('overlapping', 'as_strided windows that overlap, a million times the storage',
     lambda: torch_zip(pickled(b'}' + text('x') + tensor((2**20, 2**20), (1, 1), elements=2**21)
                               + b's'),
                       {'0': bytes(2**23)}), '--limit expand=', limit='expand')
bomb('overlapping_many', 'a thousand tensors that view one storage of 1 MiB, each shifted by one',
     lambda: torch_zip(pickled(b'}(' + b''.join(
         text(f't{i}') + tensor((2**18 - 1000,), elements=2**18, offset=i)
         for i in range(1000)) + b'u'), {'0': bytes(2**20)}), '--limit expand=', limit='expand')
bomb('names_of_one', 'more than a million names of one tensor',
     lambda: torch_zip(pickled(tensor() + b'q\0' + b'0}(' + b''.join(
         text(str(i)) + b'h\0' + (b'u(' if i % 1000 == 999 else b'')
         for i in range(1_000_001)) + b'u')), '--limit tensors=', limit='tensors', more=64)
bomb('long_names', 'tensors in each other\'s names: a name of megabytes',
     lambda: torch_zip(pickled((b'}' + text('n' * 100_000)) * 90 + tensor() + b's' * 90)),
     '--limit name=', limit='name', clean=True)
bomb('long_shared_name', 'a hundred thousand names that share a long part',
     lambda: torch_zip(pickled(b'}' + text('n' * 100_000) + b'}(' + b''.join(
         text(str(i)) + tensor() for i in range(20_000)) + b'us')), 'limit')
bomb('dense', 'a sparse tensor of 2^40 elements made dense',
     lambda: torch_zip(pickled(
         b'}' + text('x') + b'ctorch._utils\n_rebuild_sparse_tensor\n(ctorch.serialization\n'
         b'_get_layout\n' + text('torch.sparse_coo') + b'\x85R(' +
         tensor((1, 1), (1, 1), kind='LongStorage', key='1') + tensor() + tuple_of([2**40]) +
         b'\x89tt' + b'Rs'), {'0': bytes(4), '1': bytes(8)}), '', options=['--densify'], clean=True)

# ---- zip ----


def deflated_storage(size):
    packed, size, crc = deflated_repeat(bytes(MIB), size // MIB)
    return (Zip().add('archive/data.pkl', pickled(b'}' + text('x') + tensor(
        (size // 4,), elements=size // 4) + b's'))
        .add('archive/data/0', packed, 8, size, crc).add('archive/version', b'3\n').bytes())


def many_members(count, name='archive/data/%d'):
    made = Zip().add('archive/data.pkl', state('x', b'N')).add('archive/data/0', bytes(4))
    for i in range(count):
        made.refer((name % (i + 1)).encode(), 0, 4, 0, 4, 0)
    return made.add('archive/version', b'3\n').bytes()


def overlapping_members(count):
    """All storages are one deflated member, which they share."""
    packed, size, crc = deflated_repeat(bytes(MIB), 16)
    made = Zip().add('archive/data.pkl', pickled(b'}(' + b''.join(
        text(f't{i}') + tensor((size // 4,), elements=size // 4, key=str(i))
        for i in range(count)) + b'u'))
    at = made.body.tell()
    made.add('archive/data/0', packed, 8, size, crc)
    for i in range(1, count):
        made.refer(f'archive/data/{i}'.encode(), at, len(packed), 8, size, crc)
    return made.add('archive/version', b'3\n').bytes()


def zip_around(data, times):
    for i in range(times):
        data = Zip().add(f'a/model{i}.pt', data).bytes()
    return data


def zip_in_itself():
    """A stored member that holds the rest of the file, its own line of the directory included."""
    name = b'model.pt'
    end = 46 + len(name) + 22
    local = struct.pack('<IHHHHHIIIHH', 0x04034b50, 20, 0, 0, 0, 0, 0, end, end, len(name), 0)
    line = struct.pack('<IHHHHHHIIIHHHHHII', 0x02014b50, 20, 20, 0, 0, 0, 0, 0, end, end,
                       len(name), 0, 0, 0, 0, 0, 0) + name
    tail = struct.pack('<IHHHHIIH', 0x06054b50, 0, 0, 1, 1, len(line), len(local) + len(name), 0)
    return local + name + line + tail


limited('storage_deflated', 'a storage of 1 GiB in a member of 1 MB',
        lambda: deflated_storage(1024 * MIB), 'ratio')
limited('members', 'more than a million members', lambda: many_members(1_000_001), 'members')
limited('limit_members', 'more members than allowed',
        lambda: torch_zip(state('x', tensor())), 'members', options=['--limit', 'members=3'])
bomb('members_named_alike', 'half a million members of one name',
     lambda: many_members(500_000, 'archive/data/%d'[:13] + '%.0d'), '')
bomb('members_overlap', 'a thousand members that are the same deflated bytes',
     lambda: overlapping_members(1000), '')
bomb('zip_in_zip', 'zip in zip in zip, a hundred times', lambda: zip_around(torch_zip(
    state('x', b'N')), 100), 'no checkpoint')
bomb('zip_in_itself', 'a zip whose member is its own directory', zip_in_itself, '')
bomb('model_json', 'a deflated model.json of 16 million nodes',
     lambda: json_model(b'0,' * MIB, 16, b'0'), '')
bomb('model_json_deep', 'a deflated model.json of 10^7 brackets',
     lambda: json_model(b'[' * MIB, 10, b''), '')
bomb('model_json_names', 'a model.json of millions of keys',
     lambda: json_model(b'{"a":1},' * (MIB // 8), 24, b'0'), '')


def json_model(block, times, last):
    head, end = b'{"protoVersion":2,"mainModule":', b'}'
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(head + b'[') + packer.flush(zlib.Z_FULL_FLUSH)
    packed, size, _ = deflated_repeat(block, times, last + b']' + end)
    crc = zlib.crc32(head + b'[' + block * times + last + b']' + end)
    return (Zip().add('archive/model.json', first + packed, 8, size + len(head) + 1, crc)
            .add('archive/tensors/0', bytes(4)).add('archive/version', b'1\n').bytes())


# ---- packed ----

limited('gzip_zeros', 'gzip of 2 GiB of zeros', lambda: gzip_repeat(bytes(MIB), 2048), 'ratio',
        suffix='.pt.gz')
limited('xz_zeros', 'xz of 1 GiB of zeros', lambda: xz_repeat(bytes(64 * MIB), 16), 'ratio',
        suffix='.pt.xz')
limited('xz_zeros_far_back', 'the same with a dictionary of 64 MiB, which fills',
        lambda: lzma.compress(bytes(256 * MIB), preset=9), 'heap', suffix='.pt.xz')
limited('bzip2_zeros', 'bzip2 of 4 GiB of zeros', lambda: bzip2_repeat(bytes(32 * MIB), 128),
        'ratio', suffix='.pt.bz2')
bomb('gzip_in_gzip', 'gzip in gzip, fifty times', lambda: packed_often(50), 'lie in each other',
     suffix='.pt.gz')
bomb('gzip_empty', 'half a million gzip streams of nothing, and a word behind them',
     lambda: gzip_repeat(b'', 1) * 500_000 + b'word', '', suffix='.pt.gz')
bomb('xz_zeros_behind', 'zeros behind an xz stream, each few of which are an empty .lzma stream',
     lambda: xz_repeat(b'N.', 1) + bytes(100 * MIB) + b'word', '', suffix='.pkl.xz')
bomb('gzip_bomb_in_gzip', 'a gzip bomb packed again', lambda: gzip_repeat(
    gzip_repeat(bytes(MIB), 2048), 1), '--limit ratio=', suffix='.pt.gz')


def packed_often(times):
    data = torch_zip(state('x', b'N'))
    for _ in range(times):
        data = gzip_repeat(data, 1)
    return data


# ---- numpy ----

for major, huge in [(1, 2**16 - 1), (2, 2**32 - 1), (3, 2**32 - 1)]:
    bomb(f'npy_header_{major}', f'a .npy header of {huge} bytes in a small file',
         lambda major=major, huge=huge: npy("{'descr': '<f4', ", major, length=huge), '',
         suffix='.npy')
bomb('npy_header_real', 'a .npy header of 64 MB',
     lambda: npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b'1,' * 32_000_000 +
                 b')}', 2), '', suffix='.npy')
bomb('npy_shape', 'a .npy of 2^60 elements without data',
     lambda: npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1152921504606846976,), }"), '',
     suffix='.npy')
bomb('npy_overflow', 'a .npy whose sizes are beyond 64 bits',
     lambda: npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296,"
                 " 4294967296), }"), '', suffix='.npy')
bomb('npy_deep', 'a .npy header of deep brackets',
     lambda: npy(b"{'descr': " + b'[' * 10_000_000 + b'}', 2), '', suffix='.npy')

# ---- tar ----

for kind, what in [(b'0', 'file'), (b'x', 'pax header'), (b'L', 'long name'),
                   (b'g', 'global header'), (b'S', 'sparse file')]:
    bomb('tar_huge_' + what.replace(' ', '_'), f'a tar whose {what} claims 2^62 bytes',
         lambda kind=kind: tar_member('a', 0, kind, number=huge_number(2**62)) + bytes(1024), '',
         suffix='.tar')
bomb('tar_pax_long', 'a pax header of 100 MB that repeats one path',
     lambda: pax_of(b'20 path=aaaaaaaaaaa\n' * 5_000_000) + bytes(1024), '', suffix='.tar')
limited('tar_members', 'more than a million members of a tar',
        lambda: tar_of(200_000), 'members', suffix='.tar', options=['--limit', 'members=100K'])
bomb('tar_members_300k', 'three hundred thousand members of a tar',
     lambda: tar_of(300_000), '', suffix='.tar', clean=True)
for kind, what in [(b'1', 'links'), (b'2', 'symbolic_links'), (b'3', 'devices'), (b'5', 'folders'),
                   (b'6', 'pipes'), (b'S', 'sparse_files')]:
    bomb('tar_nested_' + what, f'ten thousand {what} of a tar, each as long as all that follow',
         lambda kind=kind: tar_nested(kind), '', suffix='.tar')
bomb('tar_nested_old_folders', 'the same of folders as they were before POSIX',
     lambda: tar_nested(b'\0', name='%d/'), '', suffix='.tar')
for kind, what in [(b'0', 'files'), (b'L', 'long_names'), (b'K', 'long_links'),
                   (b'x', 'pax_headers'), (b'g', 'global_headers')]:
    bomb('tar_odd_' + what, f'the same of {what}, with sizes that only Python reads',
         lambda kind=kind: tar_nested(kind, size=b'+%o'), '', suffix='.tar')
bomb('tar_path_of_all', 'a path of a million bytes, by a global header, for ten thousand entries',
     lambda: pax_of(b'1000013 path=' + b'./' * 250_000 + b'a' * 499_999 + b'\n', b'g')
     + tar_of(10_000), '', suffix='.tar')
bomb('tar_path_of_every_second', 'the same where each second entry has a name of its own',
     lambda: pax_of(b'1000013 path=' + b'./' * 250_000 + b'a' * 499_999 + b'\n', b'g')
     + b''.join(tar_member('', 0) + pax_of(b'%d path=%05d\n' % (14, i), b'x') + tar_member('', 0)
                for i in range(10_000)) + bytes(1024), '', suffix='.tar')


def tar_nested(kind, size=b'%011o', name='%d', count=10_000):
    """Headers without anything between them, by whose sizes each is inside of all before it."""
    sizes = [(count - i - 1) * 512 for i in range(count)]
    if kind in b'LKxg':
        sizes = [min(left, 1 << 20) for left in sizes]
    return b''.join(tar_member(name % i, 0, kind, number=(size % left).ljust(12, b'\0'))
                    for i, left in enumerate(sizes)) + bytes(1024)


def tar_of(count):
    return b''.join(tar_member(str(i), 0) for i in range(count)) + bytes(1024)


def pax_of(records, kind=b'x'):
    return tar_member('p', len(records), kind, records) + tar_member('a', 4, b'0', bytes(4))


# ---- TorchScript ----

def script(block, times):
    """A class of TorchScript whose code, deflated, repeats itself."""
    packed, size, crc = deflated_repeat(block, times)
    model = pickled(b'c__torch__\nM\n)\x81}' + text('w') + tensor() + b'sb')
    return (Zip().add('m/data.pkl', model)
            .add('m/constants.pkl', pickled(b')')).add('m/code/__torch__.py', packed, 8, size, crc)
            .add('m/data/0', bytes(4)).add('m/version', b'3\n').bytes())


bomb('script_code', 'TorchScript code of 256 MiB in a member of 1 MB',
     lambda: script(b'class M(Module):\n  __parameters__ = []\n' + b'  a : Tensor\n' * 80_000, 256),
     '--limit ')

# ---- objects ----

def objects(count, attributes, made=b''):
    """Many objects that have one state: `made` makes it of a dict or of pairs."""
    value = b'cown\nx\n'
    pairs = [text(f'k{i}') + value for i in range(attributes)]
    parts = (b'](' + b''.join(b'(' + pair + b't' for pair in pairs) + b'e' if made else
             b'}(' + b''.join(pairs) + b'u')
    state = made + b'(' + parts + b'tR' if made else parts
    return pickled(b'](' + state + b'q\0' + b'cown\nThing\nq\1' + b'h\1)\x81h\0b' * count + b'e')


for name, made in [('', b''), ('_of_pairs', b'ccollections\nOrderedDict\n')]:
    alone('one_state' + name, '30,000 objects with one state of 30,000 attributes',
          lambda made=made: objects(30_000, 30_000, made), 'state')
alone('appended', 'an object that is built 30,000 times and appended to as often',
      lambda: pickled(b'cown\nThing\n)\x81' + b'}b' * 30_000 + b'Na' * 30_000), 'state')

# ---- limits that no bomb above reaches on its own ----

limited('limit_heap', 'a file that needs more memory than allowed',
        lambda: torch_zip(state('x', tensor())), 'heap', options=['--limit', 'heap=1K'])
limited('limit_inflated', 'a storage that is unpacked beyond the limit',
        lambda: deflated_storage(8 * MIB), 'inflated', options=['--limit', 'inflated=1M'])
