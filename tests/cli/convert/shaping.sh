# Stories of a conversion: which tensors are taken by name, what they are called, what is said of
# them.
# shellcheck shell=bash disable=SC2012,SC2154 # what run.sh sets

# header FILE CODE: CODE sees the names of the tensors, the metadata, and where the data begin; and
# names(FILE) of another.
header() {
	python3 - "$1" "$2" <<-'PY' || fail "$1 is not so: $2"
		import fnmatch, json, re, struct, sys
		def read(path):
		    with open(path, "rb") as file:
		        size, = struct.unpack("<Q", file.read(8))
		        found = json.loads(file.read(size))
		    return found.pop("__metadata__", {}), set(found), size + 8
		def names(path):
		    return read(path)[1]
		metadata, taken, begin = read(sys.argv[1])
		exec(sys.argv[2])
	PY
}

# Python's own fnmatch and re are asked what should come of it.
story_tensors_are_chosen_by_globs() {
	ck 0 --include '*.weight' --include 'norm.*' --exclude '*[!t]' --exclude 'head*' \
		"$(good state_dict)" out/model.safetensors
	header out/model.safetensors '
wanted = {n for n in names("'"$(wanted state_dict)"'")
          if any(fnmatch.fnmatchcase(n, g) for g in ("*.weight", "norm.*"))
          and not any(fnmatch.fnmatchcase(n, g) for g in ("*[!t]", "head*"))}
assert taken == wanted and 0 < len(taken) < 8, (taken, wanted)'
	says "left out by name"
	ck 0 --exclude 'no.such' "$(good state_dict)" out/model.safetensors
	says "--exclude 'no.such' matches no name"
	same out/model.safetensors "$(wanted state_dict)"
	ck 2 --include 'no.such' "$(good state_dict)" out/none.safetensors
	says "no tensor is left"
	only model.safetensors
}

story_names_are_changed_in_the_order_that_the_manual_tells() {
	local count
	ck 0 --rename '([a-z]+)\.weight$=<\1>.w' --rename '^norm=n' --strip-prefix 'head.' \
		--add-prefix 'model.' "$(good state_dict)" out/model.safetensors
	header out/model.safetensors '
def change(name):
    name = name[5:] if name.startswith("head.") else name
    name = re.sub(r"([a-z]+)\.weight$", r"<\1>.w", name)
    return "model." + re.sub(r"^norm", "n", name)
wanted = {change(n) for n in names("'"$(wanted state_dict)"'")}
assert taken == wanted, (taken, wanted)'
	says "--rename '^norm=n' touched"
	count=$(header out/model.safetensors 'print(len(taken))')
	says "--add-prefix 'model.' touched $count names"
	ck 0 --rename 'nothing=x' "$(good state_dict)" out/model.safetensors
	says "--rename 'nothing=x' touched no name"
	same out/model.safetensors "$(wanted state_dict)"
	only model.safetensors
}

story_two_tensors_never_get_one_name() {
	ck 2 --rename '.*=same' "$(good state_dict)" out/model.safetensors
	says "--strip-prefix and --rename would call two tensors 'same': ["
	says_not "--root"
	ck 3 "$data/bad/same_name_by_number.pt" out/model.safetensors
	says "would both be called '1': ['1'] and [1]"
	says_not "--root"
	ck 3 "$data/bad/same_name_by_dots.pt" out/model.safetensors
	says "['a.b'] and ['a']['b']; take one part of the file with --root"
	mkdir shards
	cp "$(wanted state_dict)" shards/model-00001-of-00002.safetensors
	cp "$(wanted state_dict)" shards/model-00002-of-00002.safetensors
	ck 3 shards out/model.safetensors
	says "one in shards/model-00001-of-00002.safetensors and one in shards/model-00002"
	says "no index says which one counts"
	says_not "--root"
	ck 2 --rename '(=x' "$(good state_dict)" out/model.safetensors
	says "--rename '(=x'"
	ck 2 --rename 'x' "$(good state_dict)" out/model.safetensors
	says "REGEX=REPLACEMENT"
	only
}

# The last one would count in silence.
story_a_prefix_is_given_once() {
	refused 2 --strip-prefix a. --strip-prefix b. "$(good state_dict)" out/model.safetensors
	says "--strip-prefix was given twice"
	says "--rename '^(a[.]|b[.])='"
	refused 2 --add-prefix a. --add-prefix b. "$(good state_dict)" out/model.safetensors
	says "--add-prefix was given twice"
}

# regcomp() takes \d for a d, and most other tools do not.
story_a_rule_with_unknown_escapes_is_refused() {
	refused 2 --rename '\d+=x' "$(good state_dict)" out/model.safetensors
	says "has no \d; [0-9] is a digit"
	refused 2 --rename '(a)=\2' "$(good state_dict)" out/model.safetensors
	says "\2 stands for a group, and the expression has 1 group"
	refused 2 --rename 'a=\n' "$(good state_dict)" out/model.safetensors
	says "the replacement has no \n"
}

# What a quantized tensor says of itself goes with its name, or not at all.
story_facts_follow_the_names() {
	ck 0 "$(good quantized)" out/all.safetensors
	ck 0 --add-prefix 'x.' "$(good quantized)" out/prefixed.safetensors
	python3 - <<-'PY' || fail "the metadata does not follow"
		import json, struct
		def metadata(path):
		    with open(path, "rb") as file:
		        size, = struct.unpack("<Q", file.read(8))
		        return json.loads(file.read(size))["__metadata__"]
		plain = metadata("out/all.safetensors")
		prefixed = metadata("out/prefixed.safetensors")
		assert len(plain) > 10
		assert prefixed == {k if k == "format" else "x." + k: v for k, v in plain.items()}
	PY
}

story_the_metadata_is_said_and_the_data_aligned() {
	ck 0 --metadata b=2 --metadata a=1=one --metadata b=3 --align 4096 "$(good state_dict)" \
		out/model.safetensors
	header out/model.safetensors '
assert metadata == {"a": "1=one", "b": "3", "format": "pt"} and begin % 4096 == 0, metadata'
	ck 2 --metadata nothing "$(good state_dict)" out/bad.safetensors
	ck 2 --align 12 "$(good state_dict)" out/bad.safetensors
	says "multiple of 8"
	ck 2 --align 16 --to onnx "$(good state_dict)" out/bad.onnx
	grep -q "without ONNX" stderr || says "--align is for --to safetensors"
	ck 2 --align x "$(good state_dict)" out/bad.safetensors
	only model.safetensors
}

# The sum of the sizes that it tells is that of the files.
story_a_dry_run_writes_nothing() {
	local way
	"$ckconv" --to onnx none out/none.onnx 2>&1 | grep -q "without ONNX" &&
		skip "it was built without ONNX"
	for way in "--to safetensors" "--to onnx" "--to onnx --external-data" \
		"--to onnx+safetensors" "--to safetensors --align 4096"; do
		# shellcheck disable=SC2086 # a list of words
		ck 0 --dry-run $way "$(good views)" out/model
		only
		cp stderr told
		# shellcheck disable=SC2086
		ck 0 $way "$(good views)" out/model
		grep -q "; $(cat out/* | wc -c) bytes in all (--dry-run)" told ||
			fail "$way: $(cat told)"
		rm out/*
	done
	ck 0 --dry-run --extras out/extras.json "$(good training)" out/model.safetensors
	says "left out"
	only
	ck 3 --dry-run "$data/bad/cut_in_data.pt" out/model.safetensors
	only
}

# Whoever said whose tensors these are is believed.
story_the_format_of_an_input_is_kept() {
	local format
	for format in tf mlx flax np pt; do
		rm -f out/*
		made_of "{'__metadata__': {'format': '$format', 'a': 'b'}}" in.safetensors
		ck 0 --check in.safetensors out/model.safetensors
		header out/model.safetensors 'assert metadata == {"a": "b", "format": "'$format'"}'
		ck 0 --metadata format=np in.safetensors out/np.safetensors
		header out/np.safetensors 'assert metadata == {"a": "b", "format": "np"}'
	done
	made_of "{}" in.safetensors
	ck 0 --check in.safetensors out/none.safetensors
	header out/none.safetensors 'assert metadata == {"format": "pt"}'
	"$ckconv" --to onnx none out/none.onnx 2>&1 | grep -q "without ONNX" && return
	made_of "{'__metadata__': {'format': 'tf'}}" in.safetensors
	ck 0 --check in.safetensors out/model.onnx
	ck 0 out/model.onnx out/again.safetensors
	header out/again.safetensors 'assert metadata == {"format": "tf"}'
}

# made_of HEADER FILE [NAME]: safetensors with one tensor more.
made_of() {
	python - "$1" "$2" "${3-w}" <<-'PY'
		import json, struct, sys
		head = eval(sys.argv[1])
		head[sys.argv[3]] = {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}
		text = json.dumps(head).encode()
		text += b" " * (-len(text) % 8)
		with open(sys.argv[2], "wb") as out:
		    out.write(struct.pack("<Q", len(text)) + text + b"datadata")
	PY
}

story_the_first_of_several_shards_is_believed() {
	local key
	mkdir t
	made_of "{'__metadata__': {'k': '1', 'same': 's', 'format': 'tf'}}" \
		t/model-00001-of-00003.safetensors a
	made_of "{'__metadata__': {'k': '2', 'same': 's', 'format': 'tf', 'new': 'n'}}" \
		t/model-00002-of-00003.safetensors b
	made_of "{'__metadata__': {'k': '3', 'new': 'n'}}" t/model-00003-of-00003.safetensors c
	ck 0 --check t out/model.safetensors
	says "the metadata 'k' has several values; the first is kept"
	[ "$(grep -c "several values" stderr)" -eq 1 ] || fail "told more than once"
	header out/model.safetensors '
assert metadata == {"k": "1", "same": "s", "format": "tf", "new": "n"} and len(taken) == 3'
	ck 0 --metadata k=4 t out/four.safetensors
	header out/four.safetensors 'assert metadata["k"] == "4"'
	for key in a b c; do
		made_of "{'__metadata__': {str(i): '$key' for i in range(50)}}" \
			t/model-0000$((0x$key - 9))-of-00003.safetensors $key
	done
	ck 0 t out/many.safetensors
	says "so have 46 keys more"
}

# Under that name a reader finds where the weight is.
story_metadata_never_hides_a_tie() {
	local name
	ck 0 --ties drop "$(good shared)" out/model.safetensors
	name=$(python3 - <<-'PY'
		import json, struct
		with open("out/model.safetensors", "rb") as file:
		    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
		print(next(key for key in header["__metadata__"] if key != "format"))
	PY
	)
	ck 2 --ties drop --metadata "$name=x" "$(good shared)" out/other.safetensors
	says "the tied weight of that name"
	ck 0 --metadata "$name=x" "$(good shared)" out/model.safetensors
	only model.safetensors
}
