# Stories of `ckconv inspect`: models of several files.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


# shard NUMBER OF FILE...: such a file, of one tensor, with metadata.
shard() {
	python - "$1" "$2" "$3" <<-'PY'
		import json, struct, sys
		head = {"__metadata__": {"format": "tf"},
		        "w" + sys.argv[1]: {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}}
		text = json.dumps(head).encode()
		text += b" " * (-len(text) % 8)
		number, of = map(int, sys.argv[1:3])
		name = "/model-%05d-of-%05d.safetensors" % (number, of)
		with open(sys.argv[3] + name, "wb") as out:
		    out.write(struct.pack("<Q", len(text)) + text + b"datadata")
	PY
}

story_inspect_says_what_all_shards_say_once() {
	local number
	mkdir t
	for number in 1 2 3 4; do shard $number 4 t; done
	ck 0 inspect t
	prints "format: tf"
	[ "$(grep -o "format: tf" stdout | wc -l)" -eq 1 ] || fail "not once: $(cat stdout)"
	prints_not "more keys"
}

story_inspect_says_which_shard_is_dangerous_or_damaged() {
	local number
	mkdir t
	for number in 1 2 3; do shard $number 3 t; done
	head -c -4 t/model-00002-of-00003.safetensors >cut
	mv cut t/model-00002-of-00003.safetensors
	ck 3 inspect t
	prints "malformed"
	prints "broken-checkpoint   model-00002-of-00003.safetensors: "
	rm t/*
	for number in 1 2; do cp "$(good state_dict)" t/pytorch_model-0000$number-of-00003.bin; done
	cp "$data/hostile/os_system.pt" t/pytorch_model-00003-of-00003.bin
	"$ckconv" inspect t >stdout 2>stderr
	prints "pytorch_model-00003-of-00003.bin!archive/data.pkl:"
	"$ckconv" inspect --json t >stdout 2>stderr
	json 'found = lines[0]["scan"]["findings"] if "scan" in lines[0] else lines[0]["findings"]
assert found[0]["member"] == "pytorch_model-00003-of-00003.bin!archive/data.pkl", found'
	cp "$data/hostile/os_system.pt" x.pt
	ck 0 inspect x.pt
	prints_not "x.pt!"
	prints_not "data.pkl:"
}

# Status 1 is for verdicts.
story_inspect_of_what_lies_behind_a_link_has_status_3() {
	ck 0 --external-data "$(good state_dict)" m.onnx
	ck 0 inspect m.onnx
	mv m.onnx.data other
	ln -s other m.onnx.data
	ck 3 inspect m.onnx
	says "symbolic link"
}
