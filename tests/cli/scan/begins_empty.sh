# Stories of a scan: packings that begin with nothing, and tars that repeat a long name.
# shellcheck shell=bash disable=SC2154 # what run.sh sets

story_packings_that_begin_with_nothing_are_unpacked() {
	python3 - <<-'PY'
		import lzma, zipfile, zlib
		evil = b"cposix\ngetcwd\n)R."
		empty = b"\0\0\0\xff\xff" * 300
		packer = zlib.compressobj(9, zlib.DEFLATED, -15)
		stream = b"\x78\x9c" + empty + packer.compress(evil) + packer.flush()
		stream += zlib.adler32(evil).to_bytes(4, "big")
		assert zlib.decompress(stream) == evil
		pair = b"".join(lzma.compress(one, lzma.FORMAT_ALONE) for one in (b"", evil))
		assert lzma.decompress(pair) == evil
		for name, data in (("zlib", stream), ("lzma", pair)):
		    with zipfile.ZipFile(name + ".zip", "w") as out:
		        out.writestr("cache.bin", data)
		with open("bytes.pkl", "wb") as out:
		    out.write(b"\x80\3B" + len(stream).to_bytes(4, "little") + stream + b".")
	PY
	ck 1 scan zlib.zip lzma.zip bytes.pkl
	[ "$(grep -c '^dangerous' stdout)" -eq 3 ] || fail "not all are dangerous: $(cat stdout)"
}

story_a_long_name_for_all_entries_is_looked_at_once() {
	python3 - <<-'PY'
		import tarfile
		def entry(name, kind, data=b""):
		    info = tarfile.TarInfo(name)
		    info.type, info.size = kind, len(data)
		    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)
		path = b"a" * 1_000_000
		record = b" path=" + path + b"\n"
		record = b"%d" % (len(record) + 7) + record
		with open("long.tar", "wb") as out:
		    out.write(entry("g", tarfile.XGLTYPE, record))
		    for number in range(3000):
		        out.write(entry("x", tarfile.REGTYPE))
		        name = b"n%d\0" % number
		        out.write(entry("././@LongLink", tarfile.GNUTYPE_LONGNAME, name))
		        out.write(entry("y", tarfile.REGTYPE))
		    out.write(bytes(1024))
	PY
	timeout 5 "$ckconv" scan -q long.tar >stdout 2>stderr
	[ $? -eq 3 ] || fail "it took more than five seconds, or is not malformed: $(cat stdout)"
}
