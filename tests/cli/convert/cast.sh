# Stories of --cast: which tensors become another type, and that their numbers are the nearest ones.
# shellcheck shell=bash disable=SC2086,SC2154 # what run.sh sets

# cast FILE RULE...: converts it with these, and holds that against the file as it is.
cast() {
	local file=$1 rule options=()
	shift
	for rule; do
		options+=(--cast "$rule")
	done
	ck 0 "$file" out/plain.safetensors
	ck 0 "${options[@]}" "$file" out/cast.safetensors
	python "$here/cast.py" out/plain.safetensors out/cast.safetensors "$@"
}

story_floats_become_the_nearest_numbers_of_every_type() {
	local type file
	for type in f64 f32 f16 bf16 f8_e4m3 f8_e5m2; do
		cast "$(good dtypes)" "$type"
		cast "$(good big_endian)" "$type"
	done
	for type in f64 f16 bf16 f8_e4m3 f8_e5m2; do
		cast "$(good state_dict)" "$type"
		says "--cast '$type' cast 7 tensors to "
	done
	cast "$(good new_dtypes)" F16 # every float8, and types in capitals
}

# Stored, deflated, in the layouts of old, packed, of both byte orders, and turned around.
story_whatever_the_file_is() {
	local file
	for file in state_dict.pt deflated.pt legacy.pt tar.pt views.pt legacy_views.pt \
		partly_deflated.pt negatives.pt no_crc.pt gzip.pt.gz arrays.safetensors c.npy; do
		cast "$data/good/$file" f16
		cast "$data/good/$file" f8_e5m2
		cast "$data/good/$file" f64
	done
}

story_the_last_that_matches_a_name_of_the_output_wins() {
	cast "$(good state_dict)" f16 'bf16:norm.*' 'f8_e4m3:norm.running*' 'f32:*bias'
	says "--cast 'f16' cast 2 tensors to float16"
	says "--cast 'bf16:norm.*' cast 1 tensor to bfloat16"
	says "--cast 'f32:*bias' cast no tensor to float32"
	ck 0 --add-prefix 'x.' --cast 'f16:head.*' "$(good state_dict)" out/cast.safetensors
	says "--cast 'f16:head.*' matches no name"
	ck 0 --cast 'f16:norm.*' "$(good state_dict)" out/cast.safetensors
	says "; 1 tensor, not floating, was left as it is"
	ck 0 --add-prefix 'x:' "$(good state_dict)" out/plain.safetensors
	ck 0 --add-prefix 'x:' --cast 'f16:x:head.*' "$(good state_dict)" out/cast.safetensors
	python "$here/cast.py" out/plain.safetensors out/cast.safetensors 'f16:x:head.*'
}

# The integers of a quantized tensor, and what they stand for, are kept; and so are complex numbers.
story_what_is_not_floating_is_left() {
	ck 0 --exclude plain "$(good quantized)" out/plain.safetensors
	ck 0 --exclude plain --cast f16 "$(good quantized)" out/cast.safetensors
	same out/plain.safetensors out/cast.safetensors
	says "--cast 'f16' cast no tensor"
	ck 0 --cast 'f16:*' "$(good lazy_signs)" out/cast.safetensors
	says "; 6 tensors, not floating, were left as they are"
	same out/cast.safetensors "$(wanted lazy_signs)"
	ck 0 --cast bf16 --dequantize "$(good quantized)" out/cast.safetensors
	python "$here/cast.py" "$(wanted quantized.real)" out/cast.safetensors bf16
	ck 0 --cast f16 --densify "$data/good/sparse.pt" out/cast.safetensors
	python "$here/cast.py" "$(wanted sparse.dense)" out/cast.safetensors f16
}

# Names of one tensor are the same if they are cast to the same; then one of them can be dropped.
story_ties_are_between_what_is_written() {
	ck 0 --ties drop --cast f16 --extras out/extras.json "$(good shared)" out/all.safetensors
	cp stderr told
	grep -q '"lm_head.weight":{"$tensor":"embed.weight"}' out/extras.json ||
		fail "the reference is lost: $(cat out/extras.json)"
	ck 0 --ties drop --cast "f16:lm_head*" --extras out/extras.json "$(good shared)" \
		out/one.safetensors
	ck 0 --ties drop "$(good shared)" out/none.safetensors
	python - <<-'PY'
		import json, struct
		def read(name):
		    with open("out/%s.safetensors" % name, "rb") as file:
		        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
		    return header.pop("__metadata__"), header
		plain, cast, one = read("none"), read("all"), read("one")
		assert plain[0] == cast[0] and set(plain[1]) == set(cast[1])
		assert plain[0]["lm_head.weight"] == "embed.weight"
		halves = sum(t["dtype"] == "F16" for t in cast[1].values())
		assert "cast %d tensors to float16" % halves in open("told").read(), halves
		assert "lm_head.weight" in one[1] and "lm_head.weight" not in one[0]
		assert one[1]["lm_head.weight"]["dtype"] == "F16"
		assert one[1]["embed.weight"]["dtype"] == "F32"
		extras = json.dumps(json.load(open("out/extras.json")))
		assert '"lm_head.weight": {"$tensor": ' in extras and "null" not in extras, extras
	PY
}

story_every_format_takes_casts_and_a_dry_run_knows_their_sizes() {
	local way
	for way in safetensors onnx "onnx --external-data" onnx+safetensors; do
		case $way in onnx*) "$ckconv" --to onnx none out/none.onnx 2>&1 |
			grep -q "without ONNX" && continue ;;
		esac
		ck 0 --cast f8_e4m3 --dry-run --to $way "$(good views)" out/model
		only
		cp stderr told
		ck 0 --cast f8_e4m3 --to $way "$(good views)" out/model
		grep -q "; $(cat out/* | wc -c) bytes in all (--dry-run)" told ||
			fail "$way: $(cat told)"
		[ "$way" != onnx+safetensors ] || cp out/model.safetensors again.safetensors
		rm out/*
		[ -e again.safetensors ] || continue
		ck 0 "$(good views)" plain.safetensors
		python "$here/cast.py" plain.safetensors again.safetensors f8_e4m3
		rm again.safetensors
	done
}

# The embedding has 352 bytes as it is, all the others 244; as halves they have 176 and 126.
story_shards_are_filled_with_what_is_written() {
	local file
	ck 0 --max-shard-size 200B "$(good state_dict)" out/plain.safetensors
	mkdir out/halves
	ck 0 --cast f16 --max-shard-size 200B "$(good state_dict)" out/halves/model.safetensors
	[ "$(ls out/plain-* | wc -l)" -eq 3 ] || fail "$(ls out)"
	[ "$(ls out/halves/model-* | wc -l)" -eq 2 ] || fail "$(ls out/halves)"
	ck 0 --cast f16 "$(good state_dict)" out/once.safetensors
	ck 0 out/halves out/joined.safetensors
	same out/once.safetensors out/joined.safetensors
	ck 0 --cast f16 --ties drop out/halves/model.safetensors.index.json out/again.safetensors
	says "--cast 'f16' cast no tensor"
}

# Large tensors are cut into pieces, small ones are gathered; threads share all of them.
story_any_number_of_threads_writes_the_same() {
	python3 "$here/big.py" "$data" big.pt 48
	ck 0 -j 1 --cast f16 big.pt out/one.safetensors
	ck 0 -j 4 --cast f16 big.pt out/four.safetensors
	same out/one.safetensors out/four.safetensors
	ck 0 -j 3 big.pt out/plain.safetensors
	ck 0 -j 3 --cast f16 out/plain.safetensors out/again.safetensors
	same out/one.safetensors out/again.safetensors
	ck 0 -j 3 --cast 'f64:wide*' big.pt out/wide.safetensors # others are halves already
	ck 0 -j 2 --cast f16 out/wide.safetensors out/half.safetensors
	same out/half.safetensors out/one.safetensors
	python - <<-'PY'
		import random, struct, json
		def read(name):
		    with open("out/%s.safetensors" % name, "rb") as file:
		        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
		        header.pop("__metadata__")
		        return header, file.read()
		(plain, from_), (cast, to) = read("plain"), read("one")
		chance, seen = random.Random(3), 0
		for name, tensor in plain.items():
		    (a, z), (b, y) = tensor["data_offsets"], cast[name]["data_offsets"]
		    if tensor["dtype"] != "F32":
		        assert from_[a:z] == to[b:y], name
		        continue
		    for i in [chance.randrange((z - a) // 4) for _ in range(4000)]:
		        value, = struct.unpack_from("<f", from_, a + 4 * i)
		        got, = struct.unpack_from("<e", to, b + 2 * i)
		        if value == value and abs(value) < 65520:
		            assert struct.pack("<e", value) == struct.pack("<e", got), (name, i)
		            seen += 1
		assert seen > 5000, seen
	PY
}

story_damage_is_found_while_casting() {
	local options
	for options in "-j 1" "-j 4"; do
		ck 3 $options --cast f16 "$data/bad/crc_storage.pt" out/model.safetensors
		says "CRC-32"
		only
	done
}

# A file of 100 MB that takes no room on the disk, of float8, and too little for eight times that.
story_limits_count_what_is_written() {
	python - <<-'PY'
		import json, struct
		count = 100_000_000
		header = json.dumps({"w": {"dtype": "F8_E4M3", "shape": [count],
		                           "data_offsets": [0, count]}}).encode()
		with open("f8.safetensors", "wb") as file:
		    file.write(struct.pack("<Q", len(header)) + header)
		    file.truncate(8 + len(header) + count)
	PY
	ck 3 --cast f64 --limit expand=4 f8.safetensors out/model.safetensors
	says "--limit expand=8"
	ck 0 --dry-run --cast f64 f8.safetensors out/model.safetensors
	says "would write 1 tensor, 800.0 MB; 800000"
	only
}

story_types_have_the_names_of_torch_too() {
	local pair
	for pair in f64=float64 f32=float32 f16=float16 bf16=bfloat16 f8_e4m3=float8_e4m3fn \
		f8_e5m2=float8_e5m2 f64=double f32=float f16=half f64=fp64 f32=fp32 f16=FP16; do
		ck 0 --cast "${pair%=*}" "$(good dtypes)" out/one.safetensors
		ck 0 --cast "${pair#*=}:*" "$(good dtypes)" out/other.safetensors
		same out/one.safetensors out/other.safetensors
	done
}

story_types_that_there_are_not_are_refused() {
	local word
	for word in f17 '' f16: i8 f16x :w 'f8_e4m3fnuz' f1 bf16.w; do
		refused 2 --cast "$word" "$(good state_dict)" out/model.safetensors
		says "--cast"
	done
	refused 2 --cast
}

# 65519 is the last that is rounded down to a half, and none of float8_e5m2; of what was
# no number before, nothing is said.
story_values_out_of_range_are_told() {
	python - <<-'PY'
		import json, math, struct
		values = [1e6, -1e6, 65519, 65520, math.inf, -math.inf, math.nan, 0, 500]
		many = [1.0] * 3_000_000
		for at in range(0, len(many), 1_000_000):
		    many[at + 77] = 3e38
		header, data = {}, b""
		for name, row in (("fits", [1, 2]), ("few", values), ("many", many)):
		    raw = struct.pack("<%df" % len(row), *row)
		    header[name] = {"dtype": "F32", "shape": [len(row)],
		                    "data_offsets": [len(data), len(data) + len(raw)]}
		    data += raw
		header = json.dumps(header).encode()
		with open("in.safetensors", "wb") as file:
		    file.write(struct.pack("<Q", len(header)) + header + data)
	PY
	ck 0 -j 3 --cast f16 in.safetensors out/model.safetensors
	says "6 finite values of 2 tensors were out of the range"
	says "first in 'few' (float16)"
	ck 0 -j 1 --cast f8_e4m3 in.safetensors out/model.safetensors
	says "8 finite values of 2 tensors were"
	ck 0 --max-shard-size 1MB --cast f16 --cast 'f8_e5m2:few' in.safetensors out/m.safetensors
	says "7 finite values of 2 tensors were"
	ck 0 --include few --cast f16 --check in.safetensors out/model.safetensors
	says "3 finite values of 1 tensor were"
	ck 0 --cast f16 --include fits in.safetensors out/model.safetensors
	says_not "out of the range"
	ck 0 --cast bf16 in.safetensors out/model.safetensors
	says_not "out of the range"
}
