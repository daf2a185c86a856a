# Stories of `ckconv scan`: what is no checkpoint.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


story_what_is_called_a_checkpoint_must_be_one() {
	local file name
	mkdir t
	for file in empty html xml json text one_byte other_zip; do
		for name in t/x.pt t/x.BIN t/x.pkl; do
			cp "$data/unsupported/$file.pt" "$name"
			ck 3 scan "$name"
			prints "it is called a checkpoint and is none"
			rm "$name"
		done
	done
	printf '<html></html>' | gzip >t/x.pt.gz
	ck 3 scan t/x.pt.gz
}

# As a file of that name; what is called otherwise may be data.
story_a_member_that_is_called_a_checkpoint_must_be_one() {
	local name kind
	printf '\xf3\x9a\x17\xee\xd2\x05\x81\xc4 no format that is known \xff\xf3' >noise
	printf '<html></html>' >page
	cp "$(good state_dict)" model
	for name in model.pt a/model.PTH b/last.ckpt data.pkl pytorch_model-1.bin w.npy m.joblib; do
		for kind in noise page; do
			zip_of z.zip $name $kind
			tar -cf t.tar --transform "s,$kind,$name," $kind
			python -c 'import sys, zipfile
with zipfile.ZipFile("d.zip", "w", zipfile.ZIP_DEFLATED) as z: z.write(*sys.argv[1:])' $kind $name
			ck 3 scan z.zip t.tar d.zip
			says "3 files: 3 malformed"
			case $kind in
			noise) prints "of no kind that ckconv knows" ;;
			page) prints "called a checkpoint and is none: its format" ;;
			esac
		done
	done
	for name in weights.bin archive/data/0 notes a.ckpt.data-00000-of-00001 model.pt/data; do
		zip_of z.zip $name noise
		tar -cf t.tar --transform "s,noise,$name," noise
		ck 0 scan z.zip t.tar
	done
	gzip -c noise >noise.gz
	zip_of z.zip model.pt.gz noise.gz
	ck 3 scan z.zip
	zip_of z.zip model.pt model
	ck 0 scan z.zip
}

# The magic number of a skippable frame has any last digit.
story_frames_that_are_skipped_hide_nothing() {
	local first name
	for first in P Q W _; do
		printf "$first"'*M\x18\x04\0\0\0abcd(\xb5/\xfd and so on' >packed
		ck 3 scan packed
		prints "this is a file of zstd or lz4, which cannot be opened"
		zip_of z.zip a/data packed
		ck 3 scan z.zip
		prints "this is a file of zstd or lz4, which cannot be opened"
	done
	printf '`*M\x18\x04\0\0\0abcd' >other
	zip_of z.zip a/data other
	ck 0 scan z.zip
}

# One byte of a file of any kind is a text, an empty file is one of any kind.
story_what_was_cut_to_nothing_is_no_archive() {
	local name
	for name in model.tar model.pth.tar model.tar.gz model.zip model.onnx model.gguf model.h5 \
	            model.pt.Z model.safetensors model.npz model.7z; do
		printf P >$name
		ck 3 scan $name
		prints "and is none: "
		: >$name
		ck 3 scan $name
		prints "and is none: the file is empty"
	done
	printf P >notes
	ck 0 scan notes
}

story_what_cannot_be_looked_through_is_not_safe() {
	safe s.pkl
	ck 0 scan s.pkl
	ck 3 scan --limit heap=1K s.pkl
	says "1 malformed"
	ck 3 scan --json --limit heap=1K s.pkl
	json 'assert lines[0]["verdict"] == "malformed" and not lines[0]["complete"], lines'
}

# Up to 64 kB behind the end record readers find an archive.
story_an_archive_ends_near_its_end() {
	cp "$(good state_dict)" x.pt
	head -c 65000 /dev/zero >>x.pt
	ck 0 scan x.pt
	head -c 1000 /dev/zero >>x.pt
	ck 3 scan x.pt
}

story_what_follows_packed_data_is_told() {
	local pack
	safe s.pkl
	for pack in gzip bzip2; do
		$pack -c s.pkl >s.pkl.$pack
		ck 0 scan s.pkl.$pack
		cat s.pkl >>s.pkl.$pack
		ck 3 scan --json s.pkl.$pack
		json 'rules = [f["rule"] for f in lines[0]["findings"]]
assert rules == ["unaccounted-bytes"], lines'
	done
}

# To know that a file was not scanned does not scan it.
story_a_baseline_makes_no_scan_complete() {
	printf '7z\274\257\047\034\0\004 and so on' >x.7z
	ck 3 scan --json x.7z
	mv stdout known
	ck 3 scan --baseline known x.7z
	prints "  not-scanned         not all of it could be scanned, which no baseline accepts"
	prints "  suppressed          1 finding, by the baseline"
	ck 3 scan --sandbox=off --baseline known --json x.7z
	json 'assert lines[0]["findings"][0]["suppressed"] and not lines[0]["complete"], lines'
}

story_files_beside_a_model_need_not_be_one() {
	mkdir t
	cp "$data/unsupported/text.pt" t/README.md
	cp "$data/unsupported/json.pt" t/config.json
	cp "$data/unsupported/html.pt" t/index.html
	cp "$data/unsupported/other_zip.pt" t/docs.zip
	: >t/__init__.py
	ck 0 scan t
	says "5 files: 5 safe"
}

story_what_a_pointer_stands_for_was_not_scanned() {
	cp "$data/unsupported/git_lfs.pt" pointer
	ck 3 scan pointer
	prints "this is a Git LFS pointer"
	prints "fetch the file that it stands for, and scan that"
}

# torch finds members whatever their case.
story_code_is_read_whatever_the_case_of_its_name() {
	local name
	printf 'def __setstate__(self, s: int):\n  _0 = torch.save(s, "x")\n' >code
	for name in a/Code/__torch__.py a/code/nets.PY CODE/a.Py a/code.old/CoDe/nets.pY; do
		zip_of z.zip $name code
		ck 1 scan z.zip
		prints harmful-script
	done
	printf '\x80\x02X\x0a\0\0\0aten::saveq\0.' >code
	zip_of z.zip a/ByteCode.PKL code
	ck 1 scan z.zip
	prints harmful-script
}

# The operators of torch 1.13 and 2.6 that reach files or machines, and those of sister libraries.
story_harmful_operators_are_known_in_text_and_bytecode() {
	local call
	for call in torch.save aten.from_file rpc.rpc_sync ops.c10d.send \
	            ops._c10d_functional.all_reduce ops.image.write_file \
	            ops.torchaudio.sox_io_save_audio_file; do
		printf 'def __setstate__(self, s: int):\n  _0 = %s(s, "x")\n' $call >code
		zip_of z.zip a/code/__torch__.py code
		ck 1 scan z.zip
		prints harmful-script
	done
	for call in torch.add ops.quantized.linear ops.image.decode_jpeg; do
		printf 'def forward(self, s: int) -> NoneType:\n  _0 = %s(s, "x")\n' $call >code
		zip_of z.zip a/code/__torch__.py code
		ck 0 scan z.zip
	done
	for call in aten::save c10d::send image::read_file aten::add aten::save_nothing; do
		python -c 'import pickle, sys
names = [("aten::mul", "")] * 6000 + [(sys.argv[1], "")]
method = "__torch__.M.__setstate__", ("operators", names)
open("bytecode", "wb").write(pickle.dumps((9, method), 2))' $call
		zip_of z.zip a/bytecode.pkl bytecode
		case $call in
		aten::add | aten::save_nothing) ck 0 scan z.zip ;;
		*) ck 1 scan z.zip ; prints "${call/::/.}" ;;
		esac
	done
	printf '\0\0\0\0PTMF\0\0\0\0' >model.ptl
	ck 3 scan model.ptl
	prints "this is a flatbuffer of PyTorch for mobile phones"
	prints_not "unpack it"
}

# Distributions of scipy keep the source of three functions, and run it in __setstate__.
story_code_that_scipy_runs_is_read() {
	python -c '
import pickle
honest = """
def _parse_args(self, a, b, loc=0, scale=1):
    return (a, b), loc, scale

def _parse_args_rvs(self, a, b, loc=0, scale=1, size=None):
    return self._argcheck_rvs(a, b, loc, scale, size=size)

def _parse_args_stats(self, a, b, loc=0, scale=1, moments=\x27mv\x27):
    return (a, b), loc, scale, moments
"""
def write(name, text):
    key = b"X" + len("_parse_arg_template").to_bytes(4, "little") + b"_parse_arg_template"
    value = b"X" + len(text.encode()).to_bytes(4, "little") + text.encode()
    with open(name, "wb") as file:
        file.write(b"\x80\x02cscipy.stats._continuous_distns\nbeta_gen\n)\x81}")
        file.write(key + value + b"sb.")
write("honest", honest)
for i, text in enumerate(("import os", "def _parse_args(self, a=exec(\x27x\x27)):\n    return a",
                          "def _parse_args(self): import os", "print()\n" + honest,
                          honest + "\nx()", "def _parse_args(self, a=exec (1)):",
                          "def _parse_args(self, a=(exec)(1)):\n    return a",
                          "def _parse_args(self, a=eva\uff4c(1)):\n    return a",
                          "def _parse_args(self, a=(x\r(1))):\n    return a",
                          "def _parse_args(self, a=(x\r(\x27os\x27).y\r(1))):\n    return a",
                          "def _parse_args(self, a=(x\x0b(1))):\n    return a",
                          "def _parse_args(self, a=[x() for x in y]):", "@x\n" + honest)):
    write("evil%d" % i, text)'
	ck 4 scan honest
	for i in 0 1 2 3 4 5 6 7 8 9 10 11 12; do
		ck 1 scan evil$i
		prints "which scipy runs when it is loaded"
	done
}

# compress(1) writes the first; there are programs that read the second, too.
story_what_compress_packed_was_not_scanned() {
	local start
	for start in '\x1f\x9d\x90ab' '\x1f\x9d\x00ab'; do
		printf "$start" >packed
		zip_of z.zip a.Z packed
		tar -cf t.tar --transform s,packed,a.Z, packed
		ck 3 scan z.zip t.tar
		says "2 files: 2 malformed"
		prints "this is a file of compress, which cannot be opened here"
	done
	zip_of z.zip archive/data/0 packed
	ck 0 scan z.zip
}

# Arrays are spelled as text in old protocols, so it may be of any length.
story_long_texts_that_become_bytes_are_looked_into() {
	local file
	python - "$data" <<-'PY'
		import io, sys, zipfile
		sys.path.insert(0, sys.argv[1])
		from craft import *
		long = "\x00\x01\x02\xfe" * (14 << 20)
		packed = io.BytesIO()
		with zipfile.ZipFile(packed, "w") as out:
		    out.writestr("a.pkl", b"cposix\ngetcwd\n)R.")
		encode, latin = name("_codecs", "encode"), text("latin1")
		for file, value in (("first", "cposix\ngetcwd\n)R." + long),
		                    ("last", long + packed.getvalue().decode("latin1")),
		                    ("data", long)):
		    with open(file, "wb") as out:
		        out.write(pickle(call(encode, text(value), latin)))
	PY
	for file in first last; do
		ck 1 scan $file
		prints posix.getcwd
	done
	ck 0 scan data
}

# Bytes that begin as a pickle may go on as anything: what is too long to be searched is told of.
story_what_was_not_searched_in_bytes_is_told() {
	python - "$data" <<-'PY'
		import sys
		sys.path.insert(0, sys.argv[1])
		from craft import *
		long = pickle(list_of(integer(1))) + bytes([1]) * (17 << 20)
		value = named(w=vector("0", 2), b=b"B" + struct.pack("<I", len(long)) + long)
		with open("model.pt", "wb") as out:
		    out.write(archive(checkpoint(pickle(value, 3), {"0": floats(1, 2)})))
	PY
	ck 3 scan model.pt
	prints not-scanned
	prints "bytes behind the pickle was"
	ck 3 model.pt out/model.safetensors
	says "behind the pickle was searched"
	only
	ck 0 --disarm model.pt out/model.safetensors
}

# Bytes that are no pickle do no harm; whether they should be one is what their name says.
story_raw_data_beside_a_model_is_not_malformed() {
	local start name
	ck 0 --external-data "$(good state_dict)" t.onnx
	mkdir t
	mv t.onnx t.onnx.data t
	python -c 'open("noise", "wb").write(bytes(i * i % 251 ^ 0xa5 for i in range(999)))'
	ck 0 scan t
	says "2 files: 2 safe"
	for start in '\0\0\x80?' 'x\x9c\0\0' 'x\1\0\0' ']\0\0\0\1' 'Pabc' 'X\xff\0\0' \
	             '\x8a\xff\xf3' '(\xf3\xf3'; do
		for name in t.onnx.data onnx__MatMul_214 layer.0.weight model.onnx_data; do
			{ printf "$start"; cat noise; } >t/$name
		done
		ck 0 scan t
		ck 0 scan --json t/*weight
		prints "it is no pickle and of no kind that ckconv knows"
		cp t/layer.0.weight x.pt
		ck 3 scan x.pt
		cp t/layer.0.weight x.bin
		ck 3 scan x.bin
	done
}

# Whatever its name is.
story_a_pickle_in_raw_data_is_found() {
	local start
	dangerous d.pkl
	for start in '' 'N.' 'N.K\1.' '\x80\2N0' 'Pabc\n' "X\4\0\0\0wide0"; do
		{ printf "$start"; printf 'cos\nsystem\n(S"true"\ntR.'; head -c 500 /dev/zero; } \
			>weights.data
		ck 1 scan weights.data
		prints "os.system"
	done
	printf '\x80\2cown.things\nThing\n.' >weights.data
	ck 4 scan weights.data
	printf '\x80\2}q\0' >weights.data
	ck 3 scan weights.data
	{ head -c 5000 /dev/zero; cat "$data/hostile/os_system.pt"; } >weights.data
	ck 1 scan weights.data
	gzip -c d.pkl >weights.data
	ck 1 scan weights.data
}
