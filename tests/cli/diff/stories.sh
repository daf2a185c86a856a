# Stories of `ckconv diff`: what differs, and what the program says of it.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets

two() {
	st a 't = {"l.10.w": ("F32", [2, 3], f32(0, 1, 2, 3, 4, 5)[2]), "l.9.w": f32(1, 2),
	           "gone": i64(1, 2, 3), "shape": f32(*range(6)), "type": f32(1, 2.5),
	           "nan": f32(1, nan, nan, 4), "whole": i64(-2**63, 7), "same": f32(nan, inf),
	           "scalar": ("F32", [], f32(1)[2])}'
	st b 't = {"l.10.w": ("F32", [2, 3], f32(0, 1, 2, 3.5, 4, 6)[2]), "l.9.w": f32(1, -2),
	           "new.with.a.name.that.is.far.longer.than.there.is.room.for.in.a.line": f32(1),
	           "shape": ("F32", [2, 3], f32(*range(6))[2]), "type": f16(1, 2.25),
	           "nan": f32(nan, 2, nan, 4), "whole": i64(2**63 - 1, 7), "same": f32(nan, inf),
	           "scalar": ("F32", [], f32(0)[2])}'
}

story_differences_are_shown_by_kind() {
	two
	ck 1 diff a b
	silent stderr
	sed -i 's/(6); /(6);\n/' stdout # or it would be too long a line to stand here
	golden <<-'END'
		only in a (1)
		  gone                                        I64 [3]

		only in b (1)
		  new.with.a.name.that.is.far.longer.than.there.is.room.for.in.a.line  F32 [1]

		other shape (1)
		  shape                                       F32 [6] -> [2, 3]

		other dtype (1)
		  type                                        F32 -> F16 [2]
		      1 of 2 differ, first at [1]; max abs 0.25, rel 0.111

		other values (5)
		  l.9.w                                       F32 [2]
		      1 of 2 differ, first at [1]; max abs 4, rel 2
		  l.10.w                                      F32 [2, 3]
		      2 of 6 differ, first at [1, 0]; max abs 1, rel 0.167
		  nan                                         F32 [4]
		      2 of 4 differ, first at [0]; NaN: 1 in A alone, 1 in B alone
		  scalar                                      F32 []
		      1 of 1 differ; max abs 1, rel inf
		  whole                                       I64 [2]
		      1 of 2 differ, first at [0]; max abs 18446744073709551615, rel 2

		different: 7 of 8 tensors in shape (1), dtype (1), values (6);
		max abs 1.84e+19, rel inf; 1 only in A; 1 only in B
	END
}

story_json_has_all_of_it() {
	two
	ck 1 diff --json a b
	silent stderr
	[ "$(wc -l <stdout)" -eq 1 ] || fail "it is not one line"
	json '
assert d["schema"] == 1 and d["same"] is False and d["both"] == 8 and d["equal"] == 1, d
assert d["a"] == {"path": "a", "path_hex": None, "format": "safetensors", "tensors": 9,
                  "only": 1}, d["a"]
assert (d["shapes"], d["dtypes"], d["values"]) == (1, 1, 6), d
assert d["max_rel"] == "inf" and d["max_abs"] == 2.0**64, d
assert names[0] == "gone" and names[1:3] == ["l.9.w", "l.10.w"], names
x = dict(zip(names, d["differences"]))
assert x["gone"] == {"name": "gone", "b": None,
                     "a": {"dtype": "int64", "shape": [3], "bytes": 24}}, x["gone"]
assert x["l.10.w"]["first"] == [1, 0] and x["l.10.w"]["differing"] == 2, x["l.10.w"]
assert x["whole"]["max_abs"] == 2**64 - 1, x["whole"]
assert x["nan"]["nan_a"] == x["nan"]["nan_b"] == 1 and x["nan"]["nan_both"] == 0, x["nan"]
assert x["type"]["dtype_differs"] and x["type"]["values_differ"], x["type"]
assert x["shape"]["shape_differs"] and "elements" not in x["shape"], x["shape"]'
	ck 0 diff --json a a
	json 'assert d["same"] and d["equal"] == 9 and not d["differences"]'
}

story_what_is_the_same_is_told_in_a_line() {
	two
	ck 0 diff a a
	echo "the same: 9 tensors, 140 B" | golden
	ck 0 diff -q a a
	silent stdout
	ck 1 diff -q a b
	silent stdout
	silent stderr
	ck 1 diff -q --json a b
	silent stdout
}

story_any_two_formats_can_be_compared() {
	local name other
	for name in state_dict dtypes views sizes many shared; do
		ck 0 diff "$(good $name)" "$(wanted $name)"
		prints "the same: "
	done
	ck 0 diff "$(good big_endian)" "$(wanted dtypes)"
	ck 0 diff "$(wanted complex64)" "$(good big_endian_complex)"
	for other in deflated.pt gzip.pt.gz nested.tar model.tar.gz; do
		ck 0 diff "$data/good/$other" "$(wanted state_dict)"
		ck 0 diff --sandbox=off "$(wanted state_dict)" "$data/good/$other"
	done
	ck 0 diff --densify "$data/good/deflated_sparse.pt" "$(wanted sparse2.dense)"
	ck 0 diff --dequantize "$data/good/deflated_quantized.pt" \
		"$(wanted quantized_channels.real)"
	ck 0 diff --complex split "$data/good/big_endian_complex.pt" \
		"$(wanted big_endian_complex.split)"
	ck 1 diff "$(good state_dict)" "$(wanted views)"
}

story_models_in_several_files_are_compared() {
	ck 0 -q "$(good many)" one.safetensors
	ck 0 -q --max-shard-size 200 "$(good many)" shards/
	[ "$(find shards -name '*.safetensors' | wc -l)" -gt 1 ] || fail "there is one shard only"
	ck 0 diff one.safetensors shards
	ck 0 diff --sandbox=off shards/*.index.json one.safetensors
	ck 0 diff "$(good many)" shards/*.index.json
	ck 1 diff shards "$(good views)"
	rm "$(find shards -name '*-00002-of-*')"
	fails 3 diff one.safetensors shards
	if "$ckconv" -q --to onnx --external-data one.safetensors many.onnx 2>onnx; then
		ck 0 diff many.onnx one.safetensors
		ck 0 diff --sandbox=off one.safetensors many.onnx
	fi
}

story_what_reads_the_files_is_confined() {
	if ! "$ckconv" diff --sandbox=require "$(good deflated)" "$(wanted state_dict)" \
		>stdout 2>stderr; then
		grep -q "built without" stderr && skip "it was built without a sandbox"
	fi
	prints "the same: "
	ck 0 diff -v "$(good deflated)" "$(wanted state_dict)"
	says "sandbox: seccomp"
}

story_tolerances_decide_what_differs() {
	st a 't = {"x": f32(1, 2, 100, inf), "z": f32(0.0), "i": i64(10, 20)}'
	st b 't = {"x": f32(1.5, 2, 99, inf), "z": f32(-0.0), "i": i64(11, 20)}'
	ck 1 diff a b
	prints "different: 3 of 3 tensors in values (3)"
	ck 0 diff --atol 1 a b
	prints "the same within atol 1, rtol 0: 3 tensors, 36 B; max abs 1, rel 0.333"
	ck 1 diff --atol 0.75 a b
	prints "1 of 4 differ, first at [2]; max abs 1, rel 0.333"
	prints "1 of 2 differ, first at [0]; max abs 1, rel 0.0909"
	prints_not "  z"
	ck 0 diff --rtol 0.4 a b
	ck 1 diff --rtol 0.3 a b
	ck 1 diff --atol 0 a b
	prints_not "  z"
	fails 2 diff --atol -1 a b
	says "--atol takes a number that is not negative"
	fails 2 diff --rtol nan a b
	fails 2 diff --rtol 1e999 a b
	fails 2 diff --rtol 1x a b
}

story_nan_is_nan_when_asked() {
	st a 't = {"x": ("F32", [2], bytes.fromhex("0000c07f0000803f"))}'
	st b 't = {"x": ("F32", [2], bytes.fromhex("0100c0ff0000803f"))}'
	ck 0 diff a a
	ck 1 diff a b
	prints "1 of 2 differ, first at [0]; NaN: 1 in both"
	ck 0 diff --equal-nan a b
	ck 1 diff --atol 9 a a
	ck 0 diff --atol 9 --equal-nan a b
}

story_dtypes_can_be_ignored() {
	st a 't = {"x": f32(1, -2, nan, 0.5)}'
	st b 't = {"x": f16(1, -2, nan, 0.5)}'
	st c 't = {"x": f16(1, -2, nan, 0.25)}'
	st d 't = {"x": i64(1, -2, 0, 0)}'
	ck 1 diff a b
	prints "other dtype (1)"
	prints "all values are the same"
	ck 0 diff --ignore-dtype a b
	ck 1 diff --ignore-dtype a c
	prints "other values (1)"
	prints "F32 -> F16 [4]"
	ck 1 diff --ignore-dtype --atol 1 a d
	ck 1 diff --ignore-dtype --rtol 0.01 a b
	prints "1 of 4 differ, first at [2]; NaN: 1 in both"
}

story_names_can_be_chosen_and_brought_together() {
	st a 't = {"module.w": f32(1), "module.b": f32(2), "step": i64(1)}'
	st b 't = {"w": f32(1), "b": f32(3)}'
	ck 1 diff a b
	ck 1 diff --strip-prefix module. --exclude step a b
	prints "different: 1 of 2 tensors"
	ck 0 diff --strip-prefix module. --include '*w' a b
	ck 0 diff --rename '^module\.(.)$=\1' --exclude step --exclude '*b' a b
	ck 0 diff --root ema --root . "$(good home_and_ema)" "$(wanted home_and_ema.ema)"
	ck 2 diff --root ema "$(good home_and_ema)" "$(wanted home_and_ema.ema)"
	says "home_and_ema.ema.safetensors: "
	fails 2 diff --root a --root b --root c a b
	says "--root can be given twice"
}

story_many_differences_stay_readable() {
	st a 't = {"w.%d" % i: f32(i) for i in range(3000)}'
	st b 't = {"w.%d" % i: f32(i + i % 2) for i in range(3000)}'
	ck 1 diff a b
	[ "$(wc -l <stdout)" -eq 44 ] || fail "it has $(wc -l <stdout) lines"
	prints "  ... and 1480 more (--all shows them)"
	prints "different: 1500 of 3000 tensors in values (1500)"
	ck 1 diff --all a b
	[ "$(wc -l <stdout)" -eq 3003 ] || fail "it has $(wc -l <stdout) lines"
	fails 2 diff --all --json a b
}

story_it_does_not_matter_how_many_threads_there_are() {
	python "$here/big.py" "$data" big.pt 24
	ck 0 -q --to safetensors big.pt big
	ck 0 diff -j 1 big.pt big
	ck 0 diff -j 5 big big.pt
	python -c '
with open("big", "r+b") as file:
    for back in (5, 3000000, 20000000):
        file.seek(-back, 2)
        byte = file.read(1)[0]
        file.seek(-back, 2)
        file.write(bytes([byte ^ 1]))'
	ck 1 diff -j 1 --json big.pt big
	mv stdout one
	ck 1 diff -j 5 --json big.pt big
	same stdout one
	json 'assert 1 <= d["values"] <= 3 and sum(x["differing"] for x in d["differences"]) == 3'
}

story_text_from_files_cannot_harm_a_terminal() {
	st a 't = {"a\u001b[31m\u202eb\n": f32(1)}'
	st b 't = {"\u0000": f32(2)}'
	ck 1 diff a b
	! grep -q '[[:cntrl:]]' <(tr -d '\n' <stdout) || fail "control characters: $(cat -v stdout)"
}

story_the_sum_reads_well_where_names_are_missing() {
	st a 't = {"w": f32(1), "v": f32(2)}'
	st b 't = {"w": f32(1)}'
	st c 't = {"w": f16(2), "v": f32(2)}'
	ck 1 diff a b
	prints "different: the tensor in both is the same; 1 only in A"
	prints_not "prefix"
	ck 1 diff a c
	prints "different: 1 of 2 tensors in dtype (1), values (1); max abs 1, rel 0.5"
}

story_a_prefix_that_one_file_puts_before_names_is_told() {
	local option="--strip-prefix x.module."
	st a 't = {"l.w": f32(1), "l.b": f32(2), "more": f32(3)}'
	st b 't = {"x.module.l.w": f32(1), "x.module.l.b": f32(2), "aside": f32(3)}'
	ck 1 diff a b
	prints "different: no name is in both; 3 only in A; 3 only in B"
	prints "2 of the 3 names only in B are those of A behind 'x.module.': $option"
	ck 1 diff b a
	prints "2 of the 3 names only in A are those of B behind 'x.module.': $option"
	ck 1 diff --strip-prefix x.module. a b
	prints "different: all 2 tensors in both are the same"
	prints_not "--strip-prefix"
	st b 't = {"$(id).l.w": f32(1)}'
	ck 1 diff a b
	prints_not "--strip-prefix"
}

story_diff_tells_names_whole() {
	st a.safetensors 't["nul\0x"] = f32(1); t["nul\0y"] = f32(2)'
	st b.safetensors 't["nul\0x"] = f32(3); t["nul\0y"] = f32(4)'
	ck 1 diff a.safetensors b.safetensors
	prints 'nul\x00x '
	prints 'nul\x00y '
	ck 1 diff --json a.safetensors b.safetensors
	json 'assert names == ["nul\0x", "nul\0y"], names'
}

story_diff_json_cannot_harm_a_terminal() {
	local name='a\u202e\u009b\u007f\u001b\u0000b'
	st a "t = {'$name': f32(1)}"
	st b "t = {'$name': f32(2)}"
	python -c 'import os; os.rename(b"b", b"b\xff")'
	ck 1 diff --json a $'b\xff'
	! LC_ALL=C grep -q '[^ -~]' stdout || fail "raw characters: $(cat -v stdout)"
	json "assert names == ['$name'], names
assert d['a']['path_hex'] is None and d['b']['path_hex'] == '62ff'"
}
