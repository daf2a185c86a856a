# Stories of a conversion: ONNX models.
# shellcheck shell=bash disable=SC2012,SC2154 # what run.sh sets

# The summary of `meson setup` says whether this ckconv has it.
needs_onnx() {
	"$ckconv" --to onnx none out/none.onnx 2>&1 | grep -q "without ONNX" &&
		skip "it was built without ONNX"
	return 0
}

# onnx FILE GOLD CODE: its tensors are those of the safetensors file GOLD; CODE sees the model as m,
# and the metadata of GOLD.
onnx() {
	python3 - "$1" "$(python3 "$here/onnx.py" "$1")" "$2" "$3" <<-'PY' || fail "$1 is not so"
		import hashlib, json, struct, sys
		m = json.loads(sys.argv[2])
		with open(sys.argv[3], "rb") as file:
		    size, = struct.unpack("<Q", file.read(8))
		    header = json.loads(file.read(size))
		    data = file.read()
		metadata = header.pop("__metadata__")
		gold = {n: (t["dtype"], t["shape"],
		            hashlib.sha256(data[slice(*t["data_offsets"])]).hexdigest())
		        for n, t in header.items()}
		types = {"F32": 1, "U8": 2, "I8": 3, "U16": 4, "I16": 5, "I32": 6, "I64": 7,
		         "BOOL": 9, "F16": 10, "F64": 11, "U32": 12, "U64": 13, "C64": 14,
		         "BF16": 16,
		         "F8_E4M3": 17, "F8_E4M3FNUZ": 18, "F8_E5M2": 19, "F8_E5M2FNUZ": 20}
		assert {t["name"]: (t["type"], t["shape"], t["sha256"]) for t in m["tensors"]} == \
		       {n: (types[d], s, h) for n, (d, s, h) in gold.items()}, m["tensors"]
		assert [(o["name"], o["type"], o["shape"]) for o in m["outputs"]] == \
		       [(t["name"], t["type"], t["shape"]) for t in m["tensors"] if t["type"] != 14]
		assert m["nodes"] == 0 and m["opsets"] == [["", 13]] and m["graph"]
		exec(sys.argv[4])
	PY
}

story_a_model_of_weights_is_written() {
	needs_onnx
	ck 0 "$(good state_dict)" out/model.onnx
	onnx out/model.onnx "$(wanted state_dict)" '
assert m["ir"] == [8] and m["metadata"] == [] and not any("external" in t for t in m["tensors"])'
	only model.onnx
	ck 0 --to onnx "$(good new_dtypes)" out/odd.name
	onnx out/odd.name "$(wanted new_dtypes)" 'assert m["ir"] == [9], m["ir"]'
	only model.onnx odd.name
}

# The version of the model is that of the youngest dtype in it.
story_the_youngest_dtype_says_the_version() {
	needs_onnx
	python - "$data" <<-'PY'
		import sys
		sys.path.insert(0, sys.argv[1])
		import craft
		for name, more in (("old", {}), ("new", {"scale": ("F8_E8M0", (4,), b"0123")})):
		    with open(name + ".safetensors", "wb") as out:
		        out.write(craft.safetensors({"w": ("F8_E4M3", (2,), b"ab"), **more}))
	PY
	ck 0 old.safetensors out/old.onnx
	ck 0 new.safetensors out/new.onnx
	python3 "$here/onnx.py" out/old.onnx >old.json
	python3 "$here/onnx.py" out/new.onnx >new.json
	python -c '
import json
old, new = (json.load(open(name)) for name in ("old.json", "new.json"))
assert old["ir"] == [9] and new["ir"] == [12], (old["ir"], new["ir"])
assert {t["name"]: t["type"] for t in new["tensors"]} == {"w": 17, "scale": 24}, new'
}

story_tensors_go_to_a_file_of_their_own() {
	needs_onnx
	ck 0 --external-data "$(good state_dict)" out/model.onnx
	onnx out/model.onnx "$(wanted state_dict)" '
for t in m["tensors"]:
    assert [k for k, _ in t["external"]] == ["location", "offset", "length"], t
    place = dict(t["external"])
    assert place["location"] == "model.onnx.data" and int(place["offset"]) % 4096 == 0, t
    assert int(place["length"]) == t["bytes"] > 0, t'
	only model.onnx model.onnx.data
	ck 0 --to onnx --external-data "$(good sizes)" out/sizes.onnx
	onnx out/sizes.onnx "$(wanted sizes)" '
assert all(("external" in t) == (t["bytes"] > 0) for t in m["tensors"]), m["tensors"]
assert any(t["bytes"] == 0 for t in m["tensors"])'
	ck 2 --external-data "$(good state_dict)" out/model.safetensors
	says "for --to onnx"
}

story_one_copy_of_the_data_serves_two_formats() {
	needs_onnx
	local name
	for name in both both.onnx both.safetensors; do
		ck 0 --to onnx+safetensors "$(good state_dict)" "out/$name"
		same out/both.safetensors "$(wanted state_dict)"
		onnx out/both.onnx "$(wanted state_dict)" '
assert all(dict(t["external"])["location"] == "both.safetensors" for t in m["tensors"])'
		only both.onnx both.safetensors
		rm out/*
	done
}

story_what_the_metadata_says_is_kept() {
	needs_onnx
	ck 0 --ties drop "$(good shared)" out/model.onnx
	ck 0 --ties drop "$(good shared)" out/model.safetensors
	onnx out/model.onnx out/model.safetensors '
assert len(m["metadata"]) > 0
del metadata["format"]
assert [list(pair) for pair in m["metadata"]] == sorted([k, v] for k, v in metadata.items())'
}

story_safetensors_become_onnx_and_stay_what_they_are() {
	needs_onnx
	ck 0 "$(wanted state_dict)" out/model.onnx
	onnx out/model.onnx "$(wanted state_dict)" ''
	ck 0 "$(wanted state_dict)" out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
}

story_two_files_come_together_or_not_at_all() {
	needs_onnx
	echo old | tee out/model.onnx >out/model.onnx.data
	ck 3 --external-data "$data/bad/crc_storage.pt" out/model.onnx
	[ "$(cat out/*)" = "$(printf 'old\nold')" ] || fail "an old file changed"
	ck 0 "$(good state_dict)" out/model.onnx
	[ "$(cat out/model.onnx.data)" = old ] || fail "a file that was not needed changed"
	rm out/model.onnx
	ck 2 -n --external-data "$(good state_dict)" out/model.onnx
	[ "$(cat out/model.onnx.data)" = old ] || fail "the file was replaced"
	only model.onnx.data
}

story_the_input_is_never_the_second_output() {
	needs_onnx
	cp "$(good state_dict)" out/model.onnx.data
	ck 2 out/model.onnx.data out/model.onnx
	says "the input itself"
	cp "$(wanted state_dict)" out/model.safetensors
	ck 2 --to onnx+safetensors out/model.safetensors out/model.onnx
	says "the input itself"
	only model.onnx.data model.safetensors
}

# More than protobuf allows, of which nearly all are holes.
story_what_protobuf_cannot_hold_goes_to_a_file_of_its_own() {
	needs_onnx
	python3 - <<-'PY'
		import json, struct
		size = (1 << 31) + 4096
		header = json.dumps({
		    "a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]},
		    "b": {"dtype": "U8", "shape": [3], "data_offsets": [size, size + 3]}})
		header += " " * (-len(header) % 8)
		with open("big.safetensors", "wb") as file:
		    file.write(struct.pack("<Q", len(header)) + header.encode())
		    file.seek(8 + len(header) + size)
		    file.write(b"end")
	PY
	[ "$(df --output=avail -B1M out | tail -1)" -gt 6000 ] || skip "there is no room for it"
	ck 0 --no-fsync big.safetensors out/big.onnx
	says "protobuf allows 2147483647"
	python3 "$here/onnx.py" out/big.onnx >json
	grep -q '"big.onnx.data"' json || fail "the data is not beside it"
	[ "$(tail -c 3 out/big.onnx.data)" = end ] || fail "the last tensor is not there"
	only big.onnx big.onnx.data
}
