# Stories of `ckconv dis`.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


story_dis_shows_what_each_opcode_does() {
	dangerous d.pkl
	ck 0 dis d.pkl
	silent stderr
	golden <<-'END'
		pickle 0, byte 0
		      byte  stack  opcode           argument
		         0      1  GLOBAL           'posix' 'system'
		                   ; imports posix.system  DANGEROUS
		        14      1  MARK
		        15      2  STRING           'true'
		        23      2  TUPLE
		        24      1  REDUCE
		                   ; calls posix.system('true')  DANGEROUS
		        25      0  STOP
	END
}

story_dis_finds_the_pickle() {
	dangerous d.pkl
	zip_of z.zip a/data.pkl d.pkl
	ck 0 dis z.zip
	prints "pickle 0 of a/data.pkl, byte 0 ("
	prints "calls posix.system('true')  DANGEROUS"
	ck 0 dis 'z.zip!a/data.pkl'
	prints "calls posix.system('true')  DANGEROUS"
	zip_of outer.zip z.zip z.zip
	ck 0 dis 'outer.zip!z.zip!a/data.pkl'
	prints "of z.zip!a/data.pkl"
	gzip -k z.zip
	ck 0 dis z.zip.gz
	prints "calls posix.system('true')  DANGEROUS"
	ck 0 dis 'z.zip.gz!gzip!a/data.pkl'
	prints "calls posix.system('true')  DANGEROUS"
	ck 0 dis 'z.zip.gz!gzip'
	ck 2 dis 'z.zip.gz!gzip!b'
	ck 2 dis 'z.zip!b'
	says "no member 'b'"
	ck 2 dis 'd.pkl!b'
	says "no archive"
	ck 2 dis nothing
}

story_dis_shows_all_pickles_of_a_legacy_file() {
	ck 0 dis "$(good legacy)"
	[ "$(grep -c '^pickle' stdout)" -eq 5 ] || fail "$(grep '^pickle' stdout)"
	prints "more follows the last pickle: "
	cat "$(good legacy)" >l
}

story_dis_goes_on_behind_errors() {
	printf '\x80\x02K\x01aK\x02cposix\nsystem\n.' >e.pkl
	ck 3 dis e.pkl
	prints "malformed"
	prints "GLOBAL           'posix' 'system'"
	prints "STOP"
	printf '\x80\x02K\x01\xff' >f.pkl
	ck 3 dis f.pkl
	prints "BININT1"
	[ "$(grep -c 0xff stdout)" -eq 1 ] || fail "it is said twice: $(cat stdout)"
	ck 3 dis --limit heap=1 f.pkl
	one_line
	says "f.pkl: "
}

# The opcodes and offsets are those of Python's pickletools.
story_dis_agrees_with_pickletools() {
	local file
	for file in pickle0.pkl pickle5.pkl several.pkl objects_pickle.pkl; do
		[ -e "$data/good/$file" ] && cp "$data/good/$file" .
	done
	python -c 'import collections, pickle
value = {"a": [1, 2.5, (3, b"x" * 300, -7, 2**70)], "b": collections.OrderedDict(c={1, 2}),
         "d": [None, True] * 40}
value["self"] = value["a"]
for protocol in range(6):
    open(f"p{protocol}.pkl", "wb").write(pickle.dumps(value, protocol))'
	for file in *.pkl; do
		"$ckconv" dis "$file" >stdout 2>stderr || continue
		python - "$file" <<-'END'
			import pickletools, re, sys
			data = open(sys.argv[1], "rb").read()
			mine = [(int(m[1]), m[2]) for line in open("stdout")
			        for m in [re.match(r" *(\d+) +\d+  ([A-Z_0-9]+)", line)] if m]
			want, at = [], 0
			while at < len(data) and len(want) < len(mine):
			    for op, _, pos in pickletools.genops(data[at:]):
			        want.append((at + pos, op.name))
			    at += pos + 1
			assert mine == want, [p for p in zip(mine, want) if p[0] != p[1]][:3]
			assert len(mine) > 5
		END
	done
	[ -e p5.pkl ] || fail "nothing was compared"
}

story_what_is_empty_is_said_to_be() {
	: >empty
	gzip -k empty
	zip_of z.pt a/data.pkl empty
	for file in empty empty.gz z.pt; do
		ck 3 dis $file
		says "the file is empty"
		ck 3 dis --sandbox=off $file
		says "the file is empty"
	done
}

# As scan calls them; the opcodes come all the same.
story_dis_says_what_is_no_pickle() {
	local file format
	printf '<html><body>x' >page
	while read -r file format; do
		ck 3 dis "$file"
		prints "by its first bytes this is no pickle, but: $format"
		ck 0 scan -v "$file"
		prints "$format"
	done <<-END2
		page HTML page
		$data/good/state_dict.safetensors safetensors
	END2
	ck 3 dis "$data/unsupported/gguf.pt"
	prints "no pickle, but: GGUF"
	safe s.pkl
	ck 0 dis s.pkl
	prints_not "no pickle"
	ck 0 dis "$data/good/legacy.pt"
	prints_not "no pickle"
}

story_a_folder_for_unpacked_bytes_that_is_not_there_is_named() {
	TMPDIR=/nothing/here ck 2 scan "$data/good/gzip.pt.gz"
	says "in the folder '/nothing/here'"
	says "TMPDIR"
}
