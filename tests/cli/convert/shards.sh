# Stories of models in several files: folders and indexes as inputs, shards and their index as
# outputs, and ONNX models with the files beside them.
# shellcheck shell=bash disable=SC2012,SC2154 # what run.sh sets

# A model in three files with an index, in the folder `model`; all of it in `all.safetensors`. The
# files are written here, by the format's own rules.
spread() {
	python3 - <<-'PY' || fail "the model could not be made"
		import json, os, struct
		def write(path, tensors):
		    header, data = {}, b""
		    for name, body in sorted(tensors.items()):
		        header[name] = {"dtype": "U8", "shape": [len(body)],
		                        "data_offsets": [len(data), len(data) + len(body)]}
		        data += body
		    text = json.dumps({"__metadata__": {"format": "pt"}, **header},
		                      separators=(",", ":")).encode()
		    text += b" " * (-len(text) % 8)
		    with open(path, "wb") as out:
		        out.write(struct.pack("<Q", len(text)) + text + data)
		tensors = {f"layer.{i}.weight": bytes([i]) * (10 + i) for i in range(12)}
		os.mkdir("model")
		places = {}
		for part in range(3):
		    file = f"model-{part + 1:05d}-of-00003.safetensors"
		    some = {n: b for i, (n, b) in enumerate(tensors.items()) if i % 3 == part}
		    write("model/" + file, some)
		    places.update({name: file for name in some})
		write("all.safetensors", tensors)
		with open("model/model.safetensors.index.json", "w") as out:
		    json.dump({"metadata": {"total_size": sum(map(len, tensors.values()))},
		               "weight_map": places}, out, indent=2)
	PY
}

# index FOLDER CODE: CODE sees the index, the sizes of tensors by file, and whether all is true.
index() {
	python3 - "$1" "$2" <<-'PY' || fail "the index in $1 is not so: $2"
		import glob, json, os, struct, sys
		folder = sys.argv[1]
		path, = glob.glob(folder + "/*.index.json")
		index = json.load(open(path))
		sizes = {}
		for file in glob.glob(folder + "/*.safetensors"):
		    with open(file, "rb") as data:
		        header = json.loads(data.read(struct.unpack("<Q", data.read(8))[0]))
		    header.pop("__metadata__")
		    sizes[os.path.basename(file)] = {
		        n: t["data_offsets"][1] - t["data_offsets"][0] for n, t in header.items()}
		true = {n: f for f, tensors in sizes.items() for n in tensors}
		assert index["weight_map"] == true, (index, true)
		total = sum(sum(tensors.values()) for tensors in sizes.values())
		assert index["metadata"] == {"total_size": total}, index["metadata"]
		files = sorted(sizes)
		exec(sys.argv[2])
	PY
}

story_a_folder_of_shards_is_one_model() {
	spread
	ck 0 model out/model.safetensors
	same out/model.safetensors all.safetensors
	ck 0 model/model.safetensors.index.json out/model.safetensors
	same out/model.safetensors all.safetensors
	rm model/*.json
	ck 0 model/ out/model.safetensors
	same out/model.safetensors all.safetensors
	only model.safetensors
}

story_pickled_shards_are_read_as_well() {
	mkdir model
	cp "$(good state_dict)" model/pytorch_model-00001-of-00001.bin
	ck 0 model out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
	mv model/pytorch_model-00001-of-00001.bin model/pytorch_model.bin
	ck 0 model out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
	only model.safetensors
}

# One that carries code is no better for lying among others.
story_each_shard_is_asked_what_it_would_do() {
	mkdir model
	cp "$(good state_dict)" model/pytorch_model-00001-of-00002.bin
	cp "$data/hostile/eval.pt" model/pytorch_model-00002-of-00002.bin
	refused_with_status 1 model out/model.safetensors
	only
	says "pytorch_model-00002-of-00002.bin"
	says "builtins.eval"
}

story_a_shard_that_is_missing_is_named() {
	spread
	rm model/model-00002-of-00003.safetensors
	refused 3 model out/model.safetensors
	says "'model-00002-of-00003.safetensors' is missing"
	rm model/*.json
	refused 3 model out/model.safetensors
	says "number 2 of 3 is missing"
}

story_a_promise_of_the_index_that_no_shard_keeps_is_named() {
	spread
	sed -i 's/layer\.4\.weight/layer.4.bias/' model/model.safetensors.index.json
	refused 3 model out/model.safetensors
	says "'layer.4.bias' should be in 'model-00002-of-00003.safetensors'"
}

# What the index does not list is no secret, and of two tensors of one name it says which.
story_the_index_decides_between_tensors_of_one_name() {
	spread
	cp model/model-00001-of-00003.safetensors model/more.safetensors
	sed -i 's/"layer\.0\.weight": "[^"]*"/"layer.0.weight": "more.safetensors"/' \
		model/model.safetensors.index.json
	ck 0 model out/model.safetensors
	says "left out"
	same out/model.safetensors all.safetensors
	sed -i '/"layer\.11\.weight"/d; s/\("layer\.8\.weight": "[^"]*"\),/\1/' \
		model/model.safetensors.index.json
	python3 -m json.tool model/model.safetensors.index.json >/dev/null ||
		sed -i -z 's/,\(\s*}\)/\1/' model/model.safetensors.index.json
	ck 0 model out/model.safetensors
	says "not listed in the index"
	same out/model.safetensors all.safetensors
	only model.safetensors
}

story_an_index_leads_to_no_other_folder() {
	local place
	spread
	cp model/model-00001-of-00003.safetensors elsewhere.safetensors
	for place in ../elsewhere.safetensors "$PWD/elsewhere.safetensors" .. '' sub/x; do
		sed "s,\"model-00001[^\"]*\",\"$place\"," model/model.safetensors.index.json \
			>model/other.safetensors.index.json
		refused 1 model/other.safetensors.index.json out/model.safetensors
		says "no name of a file in its folder"
	done
}

story_an_index_that_is_none_is_refused() {
	local text
	mkdir model
	for text in '' '[]' '{}' '{"weight_map": 1}' '{"weight_map": {}}' \
		'{"weight_map": {"a": 1}}' '{"weight_map": {"a": "b"}'; do
		printf '%s' "$text" >model/model.safetensors.index.json
		refused 3 model out/model.safetensors
	done
}

story_a_folder_with_two_models_asks_which() {
	spread
	cp "$(good state_dict)" model/pytorch_model.bin
	refused 2 model out/model.safetensors
	says "more than one model"
	rm model/*
	refused 2 model out/model.safetensors
	says "holds no model under a usual name"
}

story_a_folder_becomes_a_folder_shard_by_shard() {
	spread
	ck 0 model out/new
	says "in 3 files"
	only new new/model-0000{1,2,3}-of-00003.safetensors new/model.safetensors.index.json
	index out/new '
places = json.load(open("model/model.safetensors.index.json"))["weight_map"]
assert {n: f for f in files for n in sizes[f]} == places'
	ck 0 out/new back.safetensors
	same back.safetensors all.safetensors
	ck 0 out/new/ out/Model-3.1-8B # no suffix, whatever it looks like
	index out/Model-3.1-8B 'assert len(files) == 3'
}

# The greatest size counts the bytes of tensors; one that is larger has a file of its own, and the
# file that is being filled is filled on. Spelled out here after huggingface_hub.
story_shards_are_no_larger_than_they_may_be() {
	local most
	spread
	for most in 40 30 18 15 11; do
		ck 0 all.safetensors out/big.safetensors --max-shard-size $most
		index out "most = $most"'
full, open, held = [], [], 0
for name in sorted(index["weight_map"]): # in the order of the input
    size = 10 + int(name.split(".")[1])
    if size > most:
        full.append({name})
        continue
    if held + size > most:
        full.append(set(open))
        open, held = [], 0
    open.append(name)
    held += size
full += [set(open)] if open else []
assert [set(sizes[f]) for f in files] == [f for f in full if f], (sizes, full)
assert files[0] == f"big-00001-of-{len(files):05d}.safetensors"'
		[ -e out/big.safetensors.index.json ] || fail "the index has another name"
		ck 0 out/big.safetensors.index.json back.safetensors
		same back.safetensors all.safetensors
		rm out/*
	done
	ck 0 model out/ --max-shard-size 15B
	index out 'assert len(files) == 12 and max(len(t) for t in sizes.values()) == 1'
	rm out/*
	ck 0 all.safetensors out/one.safetensors --max-shard-size 1KiB
	only one.safetensors
	same out/one.safetensors all.safetensors
}

story_sizes_are_written_as_people_do() {
	local size
	spread
	for size in 0 5 5GB 1.5GB -1 '' GB 5XB 99999999999999999999TB; do
		set -- --dry-run --max-shard-size "$size" all.safetensors out/x.safetensors
		case $size in
		5 | 5GB) ck 0 "$@" ;;
		*) refused 2 "$@" ;;
		esac
	done
	refused 2 --max-shard-size 5GB all.safetensors out/x.onnx
	only
}

# A tied weight that is dropped leaves the map, too.
story_ties_that_are_dropped_leave_the_index() {
	ck 0 --ties drop --max-shard-size 16 "$(good shared)" out/m.safetensors
	index out 'assert len(files) > 1'
	ck 0 --ties drop "$(good shared)" whole.safetensors
	python3 - <<-'PY' || fail "another number of tensors"
		import json, struct
		with open("whole.safetensors", "rb") as file:
		    header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
		header.pop("__metadata__")
		index = json.load(open("out/m.safetensors.index.json"))
		assert set(header) == set(index["weight_map"])
	PY
}

story_nothing_of_many_files_stays_if_one_cannot_be() {
	spread
	mkdir out/model-00003-of-00003.safetensors
	ck 2 model out
	rmdir out/model-00003-of-00003.safetensors
	only
	printf x >>model/model-00003-of-00003.safetensors
	ck 3 model out/new
	ck 3 model out
	only
	ck 0 --dry-run all.safetensors out/new/ --max-shard-size 40
	says "in 7 files"
	only
}

story_shards_never_replace_their_input() {
	spread
	cp -r model before
	ck 2 model model
	says "this is the input itself"
	diff -r model before >/dev/null || fail "the input was changed"
}

story_what_the_index_does_not_say_is_told_and_strictly_refused() {
	spread
	# of one name there are two now, and the second counts
	local file=model-00003-of-00003.safetensors
	sed -i "s/\"layer\.9\.weight\": \"[^\"]*\"/\"layer.8.weight\": \"$file\"/" \
		model/model.safetensors.index.json
	ck 0 model out/model.safetensors
	says "'layer.9.weight'"
	refused_with_file 3 --strict model out/none.safetensors
	says "(--strict)"
	cp model/model-00001-of-00003.safetensors model/model-00004-of-00004.safetensors
	ck 0 model out/model.safetensors
	says "'model-00004-of-00004.safetensors'"
}

# refused_with_file STATUS ARGUMENTS...: the same as refused, where out/ holds what was there.
refused_with_file() {
	ck "$@"
	silent stdout
	only model.safetensors
}

story_one_of_several_files_is_told_to_be_one() {
	spread
	ck 0 model/model-00002-of-00003.safetensors out/model.safetensors
	says "file 2 of 3"
}

# transformers reads model.safetensors before it looks for an index.
story_files_of_an_older_model_are_told() {
	spread
	ck 0 "$(good state_dict)" out/model.safetensors
	ck 0 model out/
	says "'out/model.safetensors' was there before"
	rm out/model.safetensors
	ck 0 model out/ --max-shard-size 40
	says "3 numbered files of an older model"
	ck 0 model/model-00001-of-00003.safetensors out/ --max-shard-size 1GB
	says "'out/model.safetensors.index.json' was there before"
	ck 0 "$(good state_dict)" out/m.onnx --external-data
	ck 0 "$(good state_dict)" out/m.onnx
	says "'out/m.onnx.data' was there before"
}

story_an_output_that_is_mistyped_becomes_no_folder() {
	local name
	spread
	for name in model.safetensor model.gguf m.index.json x.bin; do
		refused 2 model "out/$name"
		says "suffix tells no format"
	done
	ck 0 --to safetensors model out/plain
	only plain plain/model-0000{1,2,3}-of-00003.safetensors plain/model.safetensors.index.json
	rm -r out/plain
	ck 0 --to safetensors --max-shard-size 100 all.safetensors out/name
	only name-0000{1,2}-of-00002.safetensors name.safetensors.index.json
	ck 2 nowhere out/nowhere
	says "nowhere: cannot open the file"
}

story_models_of_other_libraries_keep_their_names() {
	mkdir diffusers adapter
	cp "$(good state_dict)" diffusers/diffusion_pytorch_model.bin
	cp "$(good state_dict)" adapter/adapter_model.bin
	ck 0 diffusers out/d
	ck 0 adapter out/a
	only a a/adapter_model.safetensors d d/diffusion_pytorch_model.safetensors
}

# Readers of JSON keep one of several values for one key.
story_extras_of_each_file_are_kept_under_its_name() {
	mkdir model
	cp "$(good training)" model/pytorch_model-00001-of-00002.bin
	cp "$(good state_dict)" model/pytorch_model-00002-of-00002.bin
	ck 0 --root model --extras out/x.json model out/model.safetensors
	says "there is no index"
	python - <<-'PY'
		import json
		def pairs(found):
		    assert len(dict(found)) == len(found), found
		    return dict(found)
		extras = json.load(open("out/x.json"), object_pairs_hook=pairs)
		assert list(extras) == ["pytorch_model-00001-of-00002.bin",
		                        "pytorch_model-00002-of-00002.bin"], list(extras)
		assert extras["pytorch_model-00001-of-00002.bin"]["epoch"] == 3
	PY
}

story_a_link_is_called_in_the_index_as_it_was_given() {
	spread
	mkdir blobs
	ln -s "$PWD/blobs/abc" out/model-00002-of-00003.safetensors
	printf old >blobs/abc
	ck 0 model out
	grep -q abc out/model.safetensors.index.json && fail "the index names the place of the link"
	[ -L out/model-00002-of-00003.safetensors ] || fail "the link is gone"
	ck 0 out back.safetensors
	same back.safetensors all.safetensors
	refused_with_status 2 --max-shard-size 40 all.safetensors \
		"$(printf 'out/b\377.safetensors')"
	says "not UTF-8"
}

refused_with_status() {
	ck "$@"
	silent stdout
}

# ---- ONNX ----

story_onnx_models_are_read_with_the_files_beside_them() {
	local kind
	for kind in 'a.onnx' 'b.onnx --external-data' 'c --to onnx+safetensors'; do
		# shellcheck disable=SC2086 # words
		ck 0 "$(good state_dict)" $kind || return
		kind=${kind%% *}
		ck 0 "${kind%.onnx}.onnx" out/model.safetensors
		same out/model.safetensors "$(wanted state_dict)"
	done
	only model.safetensors
}

# model LOCATION: an ONNX model, made by hand, of one tensor of 4 bytes that lie there.
model() {
	python3 - "$1" <<-'PY' >model.onnx
		import sys
		def field(number, body):
		    return bytes([number << 3 | 2, *varint(len(body))]) + body
		def varint(n):
		    return [n] if n < 128 else [n & 127 | 128, *varint(n >> 7)]
		def pair(key, value):
		    return field(13, field(1, key) + field(2, value))
		tensor = (b"\x08\x04\x10\x02" + field(8, b"t") + b"\x70\x01" +
		          pair(b"location", sys.argv[1].encode()) + pair(b"offset", b"1") +
		          pair(b"length", b"4"))
		sys.stdout.buffer.write(b"\x08\x08" + field(7, field(2, b"g") + field(5, tensor)))
	PY
}

story_a_model_leads_to_no_file_outside_its_folder() {
	local place
	mkdir sub
	printf 'xabcd' >sub/data && cp sub/data data
	ln -s data link && ln -s sub linked
	for place in data sub/data ./data; do
		model "$place"
		ck 0 model.onnx out/model.safetensors
		[ "$(tail -c 4 out/model.safetensors)" = abcd ] || fail "$place: other bytes"
	done
	rm out/*
	for place in link linked/data; do
		model "$place"
		refused 1 model.onnx out/model.safetensors
		says "symbolic link"
	done
	mkdir .hidden && cp data .hidden/data && cp data .data
	for place in ../data "$PWD/data" sub/../data '' sub//data sub/ .data .hidden/data; do
		model "$place"
		refused 1 model.onnx out/model.safetensors
	done
	model nowhere
	refused 3 model.onnx out/model.safetensors
	says "'nowhere' is missing"
	model sub
	refused 2 model.onnx out/model.safetensors
	printf 'xabc' >data
	model data
	refused 3 model.onnx out/model.safetensors
	says "should have 4 bytes here"
}
