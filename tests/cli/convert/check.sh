# Stories of a conversion: --check.
# shellcheck shell=bash disable=SC2154 # what run.sh sets

story_what_was_written_can_be_checked() {
	local name
	for name in state_dict dtypes views sizes many shared devices; do
		ck 0 --check "$(good $name)" out/model.safetensors
		same out/model.safetensors "$(wanted $name)"
		says ", and checked them"
	done
	ck 0 --check --sandbox=off "$(good deflated)" out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
	ck 0 --check --ties drop --metadata a=b -j 3 "$(good shared)" out/model.safetensors
	ck 0 --check --densify "$(good deflated_sparse)" out/model.safetensors
	same out/model.safetensors "$(wanted sparse2.dense)"
	only model.safetensors
	python "$here/big.py" "$data" big.pt 24
	ck 0 --check big.pt out/model.safetensors
}

story_every_format_can_be_checked() {
	needs_onnx
	ck 0 --check "$(good dtypes)" out/model.onnx
	ck 0 --check --external-data --metadata a=b "$(good dtypes)" out/model.onnx
	ck 0 --check --to onnx+safetensors --metadata a=b "$(good views)" out/both
	same out/both.safetensors "$(ck 0 --metadata a=b "$(good views)" x.safetensors &&
		echo x.safetensors)"
}

story_what_is_cast_is_checked() {
	local type name
	python "$here/big.py" "$data" big.pt 24
	for type in f64 f32 f16 bf16 f8_e4m3 f8_e5m2; do
		for name in views dtypes many big_endian deflated; do
			ck 0 --check --cast $type "$(good $name)" out/model.safetensors
		done
		ck 0 --check --cast $type -j 3 big.pt out/model.safetensors
	done
}

story_every_file_of_a_model_is_checked() {
	ck 0 --check --max-shard-size 200 --metadata a=b "$(good many)" out/shards/
	says ", and checked them"
	ck 0 diff out/shards "$(wanted many)"
	ck 0 --check out/shards out/again/
}

story_nothing_is_checked_where_nothing_is_written() {
	refused 2 --check --dry-run "$(good state_dict)" out/model.safetensors
	says "--check reads what was written"
}
