# Stories of a conversion: extras.
# shellcheck shell=bash disable=SC2012,SC2016,SC2154,SC2181 # Python in quotes; what run.sh sets


# extras_are EXPECTED: out/extras.json says the same as a file that was written by hand.
extras_are() {
	python -c '
import json, sys
made, wanted = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
for key in {**made, **wanted}:
    if made.get(key) != wanted.get(key):
        sys.exit("%s is %r, not %r" % (key, made.get(key), wanted.get(key)))
if list(made) != list(wanted):
    sys.exit("the order is %s" % list(made))
' out/extras.json "$1"
}

story_extras_keep_every_value() {
	ck 0 --extras out/extras.json "$(good containers)" out/model.safetensors
	extras_are "$here/containers.json"
	same out/model.safetensors "$(wanted containers)"
	says_not "values that are"
	# a bare storage, of which JSON has the id only
	says "1 tensor that state_dict() does not hold"
}

story_extras_of_training_name_tensors() {
	ck 0 --extras out/extras.json "$(good training)" out/model.safetensors
	python -c '
import json, sys
all = json.load(open("out/extras.json"))
assert all["epoch"] == 3 and all["best"] == 0.93, "epoch, best"
assert all["model"]["head.bias"] == {"$tensor": "head.bias"}, "a tensor that was written"
assert all["optimizer"]["param_groups"][0]["betas"] == [0.9, 0.999], "betas"
keys = [key for key, value in all["optimizer"]["state"]["$dict"]]
assert keys == [0, 1, 2, 3, 4], "keys that are numbers"
assert all["args"]["$object"] == "argparse.Namespace", "an object"
assert all["args"]["state"] == [{"lr": 0.01, "name": "run 1", "layers": [8, 3]}], "its state"
'
	ck 0 --root . --extras out/extras.json "$(good training)" out/model.safetensors
	grep -qF '"exp_avg":{"$tensor":"optimizer.state.0.exp_avg"}' out/extras.json ||
		fail "no reference to optimizer.state.0.exp_avg"
}

story_extras_name_cycles() {
	ck 0 --extras out/extras.json "$(good cyclic)" out/model.safetensors
	extras_are "$here/cyclic.json"
}

story_extras_of_every_good_file_are_json() {
	local file
	for file in "$data"/good/*; do
		[ "${file%.safetensors}" = "$file" ] || continue
		ck 0 --disarm --extras out/extras.json "$file" out/model.safetensors
		python3 -m json.tool out/extras.json >/dev/null 2>&1 || fail "$file: no JSON"
	done
	only extras.json model.safetensors
}

story_extras_of_a_huge_number_are_json() {
	ck 0 --disarm --extras out/extras.json "$data/hostile/long_number.pt" out/model.safetensors
	python3 -m json.tool out/extras.json >/dev/null 2>&1 || fail "no JSON"
}

story_extras_print_numpy_scalars_as_numbers() {
	local file
	for file in scalars scalars_new; do
		ck 0 --extras out/extras.json "$data/good/$file.pkl" out/model.safetensors
		python -c '
import json
got = json.load(open("out/extras.json"))
assert got.pop("w") == {"$tensor": "w"}, "a tensor"
want = {"bool": True, "int8": -5, "int64": -(1 << 62), "uint64": (1 << 64) - 1,
        "half": 0.333251953125, "float": -2.5, "double": 1e300, "nan": {"$float": "nan"},
        "tiny": 2.0 ** -24, "complex": {"$complex": [1.5, -2.0]}, "big": 258, "text": "word"}
assert got == want, got
'
	done
}

story_extras_of_several_pickles_keep_all_of_them() {
	ck 0 --extras out/extras.json "$data/good/several.pkl" out/model.safetensors
	python -c '
import json
got = json.load(open("out/extras.json"))
assert got[""] == {"a": {"$tensor": "a"}}, got
assert got["pickles"] == {"$dict": [[1, {"epoch": 1}], [2, {"a": {"$tensor": "2.a"}}],
                                    [3, [{"$tensor": "3.0"}]]]}, got
'
	says "4 pickles one after the other"
	ck 0 --extras out/extras.json "$data/good/trailing.pkl" out/model.safetensors
	says "19 bytes behind the pickle were not looked at"
}

# Half a million pickles of 4 bytes need no window of 64 kB for each.
story_many_tiny_pickles_need_little() {
	python -c '
with open("many.pkl", "wb") as out:
    out.write(open("'"$data/good/several_one.pkl"'", "rb").read())
    out.write(b"\x80\x02N." * 500000)
'
	ck 0 --limit heap=300M many.pkl out/model.safetensors
	says "500003 pickles"
	same out/model.safetensors "$data/good/several_one.safetensors"
}

# NumPy's archives may have other files in them, but a checkpoint is more than a file beside arrays.
story_a_checkpoint_beside_arrays_is_one_of_several() {
	cp "$(good state_dict)" model.pt
	cp "$data/good/version2.npy" mean.npy
	echo words >words.txt
	tar -cf in.tar model.pt mean.npy words.txt
	refused 3 in.tar out/model.safetensors
	says "2 checkpoints: model.pt, mean.npy; name one as 'FILE!MEMBER'"
	ck 0 'in.tar!model.pt' out/model.safetensors
	same out/model.safetensors "$data/good/state_dict.safetensors"
	tar -cf in.tar mean.npy words.txt
	ck 0 --extras out/extras.json in.tar out/model.safetensors
	says "1 other file of the archive was left out: words.txt"
	says_not "value"
	rm out/*
	refused 3 --strict in.tar out/model.safetensors
	says "left out: words.txt (--strict)"
}

story_a_link_to_a_checkpoint_is_none() {
	ln -s model.pt link.pt
	tar -cf in.tar link.pt
	refused 3 in.tar out/model.safetensors
	says "no checkpoint among the 0 members of this tar archive; links and devices hold nothing"
}

# What the JSON file has no room for is either in it after all, or said to be left out.
story_what_extras_cannot_keep_is_said() {
	ck 0 --extras out/extras.json "$(good parameter_state)" out/model.safetensors
	grep -qF '"tag"' out/extras.json || says "left out"
}

story_extras_and_out_come_together_or_not_at_all() {
	refused 3 --extras out/extras.json "$data/bad/crc_storage.pt" out/model.safetensors
	refused 2 --extras out/none/extras.json "$(good state_dict)" out/model.safetensors
	refused 2 --extras out/model.safetensors "$(good state_dict)" out/model.safetensors
	refused 2 --extras ./out/model.safetensors "$(good state_dict)" out/model.safetensors
	refused 2 --extras "$PWD/out/model.safetensors" "$(good state_dict)" out/model.safetensors
	refused 3 -q --extras out/extras.json --disarm "$data/hostile/laughs.pt" \
		out/model.safetensors
	cp "$(good state_dict)" in.pt
	refused 2 --extras in.pt in.pt out/model.safetensors
	same in.pt "$(good state_dict)"
}
