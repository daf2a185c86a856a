# Stories of `ckconv scan`: safetensors are told by all of their bytes, not by the first.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


# The low bytes of the header's length, little-endian, may be anything: those of all formats that
# are told by their first bytes, and opcodes of pickles, of which some end at once.
story_the_length_of_a_header_is_no_magic_number() {
	mkdir t
	python - "$data" <<-'PY'
		import struct, sys
		starts = {bytes((low, high)) for low in range(256) for high in b"\x0a.Sc\0"}
		starts |= {bytes(s[:2]) for s in (
		    b"GGUF", b"\x93NUMPY", b"7z", b"Rar!", b"\x28\xb5", b"\x04\x22", b"\x02\x21",
		    b"\xff\x06", b"LZIP", b"\x89LZO", b"MSCF", b"xar!", b"!<arch>", b"0707",
		    b"hsqs", b"ZF0x", b"Salted__", b"-----", b"age", b"PYTORCH1", b"\x89HDF",
		    b"RDX2", b"X\n", b"MATLAB", b"\x89PNG", b"\xff\xd8", b"GIF8", b"OggS",
		    b"fLaC", b"%PDF", b"SQLite", b"PAR1", b"ARROW1", b"\x7fELF", b"MZ",
		    b"\xcf\xfa", b"\xce\xfa", b"#!", b"version", b"PK", b"\x1f\x8b",
		    b"\x1f\x9d", b"\x1f\xa0", b"BZ", b"\xfd7", b"x\x01", b"x\x9c", b"x\xda",
		    b"x^", b"]\0", b"\x08\x01", b"model", b"<?", b"<h", b"<!", b"{\"", b"\xde",
		    b"P*", b"\x5f*", b"\x80\x02", b"\x80\x04", b"\x8a\x0a", b"(c", b"c_", b"I1")}
		for data in (bytes(60), b"\n.\n." + bytes(56)):
		    tensor = b'{"w":{"dtype":"U8","shape":[60],"data_offsets":[0,60]}'
		    for start in starts:
		        length = int.from_bytes(start, "little")
		        length += 65536 if length < 200 else 0
		        name = "t/%s_%d.safetensors" % (start.hex(), data[0])
		        if data[0] and set(start) & set(b"ci"):  # that would name something
		            continue
		        with open(name, "wb") as out:
		            out.write(struct.pack("<Q", length) + tensor.ljust(length - 1))
		            out.write(b"}" + data)
	PY
	ck 0 scan --json t
	json 'assert len(lines) > 2000, len(lines)
other = [l for l in lines if l["format"] != "safetensors" or l["verdict"] != "safe"]
assert not other, other[:3]'
	for start in 580a 882e 1f8b 504b 4d5a 8004 789c; do
		rm -f out/*
		ck 0 t/${start}_0.safetensors out/model.safetensors
		ck 0 diff t/${start}_0.safetensors out/model.safetensors
		ck 0 inspect t/${start}_0.safetensors
		prints "safetensors"
	done
}

# Three and four bytes of some magic numbers are lengths of headers, too.
story_long_headers_are_no_other_format() {
	python - <<-'PY'
		import struct
		for start in (b"\xff\xd8\xff\0", b"MZ\x90\0", b"#!/\0", b"\x08\x01\x12\0",
		              b"\x1f\x8b\x08\0", b"BZh\0", b"\x1f\x9d\x0c\0", b"PK\3\4"):
		    length = int.from_bytes(start, "little")
		    with open(start.hex() + ".safetensors", "wb") as out:
		        out.write(struct.pack("<Q", length) + b'{"w":{"dtype":"U8","shape":[4],')
		        out.write(b'"data_offsets":[0,4]}'.ljust(length - 32) + b"}abcd")
	PY
	ck 0 scan --json ./*.safetensors
	json 'assert [l["format"] for l in lines] == ["safetensors"] * 8, lines'
	ck 0 504b0304.safetensors out/model.safetensors
}

# What the limits forbid the machine to read may be none of its business.
story_a_line_without_an_end_is_no_pickle() {
	python - <<-'PY'
		import struct
		for start in (b"P", b"\x88S"):
		    length, size = int.from_bytes(start, "little") + 65536, 1 << 20
		    head = b'{"w":{"dtype":"U8","shape":[%d],' % size
		    head += b'"data_offsets":[0,%d]}' % size
		    with open(start.hex() + ".safetensors", "wb") as out:
		        out.write(struct.pack("<Q", length) + head.ljust(length - 1) + b"}")
		        out.truncate(8 + length + size)
		        out.seek(0, 2)
		    with open(start.hex() + ".safetensors", "rb") as file, \
		            open("evil" + start.hex() + ".safetensors", "wb") as out:
		        out.write(file.read(8 + length))
		        out.seek(size - 100, 1)
		        out.write(b"\ncos\nsystem\n(S'true'\ntR.")
		        out.truncate(8 + length + size)
	PY
	ck 0 scan --limit text=64K --json 50.safetensors 8853.safetensors
	json 'assert [l["format"] for l in lines] == ["safetensors"] * 2, lines'
	ck 1 scan evil50.safetensors
	ck 3 scan --limit text=64K evil50.safetensors
	ck 3 scan --limit text=64K evil8853.safetensors
}
