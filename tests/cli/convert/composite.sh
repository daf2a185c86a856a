# Stories of a conversion: tensors that consist of several.
# shellcheck shell=bash disable=SC2012,SC2016,SC2154,SC2181 # Python in quotes; what run.sh sets


# computed KIND OPTIONS...: a conversion is held against what plain Python makes of the values.
computed() {
	local kind=$1
	shift
	python "$here/composite.py" "$data" write "$kind" in.pt
	ck 0 --limit expand=10000 "$@" in.pt out/model.safetensors
	python "$here/composite.py" "$data" check "$kind" out/model.safetensors
}

story_dequantizing_follows_channels_through_a_transposed_tensor() {
	computed turned --dequantize
}

story_dequantizing_needs_no_more_memory_for_a_larger_tensor() {
	computed whole --dequantize -j 1 --limit heap=4M
}

story_densifying_needs_no_more_memory_for_a_larger_shape() {
	computed sparse --densify -j 1 --limit heap=8M
}

story_what_cannot_be_written_is_left_out_on_request() {
	ck 0 --skip-unsupported "$data/unsupported/complexes.pt" out/model.safetensors
	says "3 tensors that cannot be written were left out: 'wide' (complex128), 'wide.0d'"
	rm out/model.safetensors
	refused 3 -q --skip-unsupported --root wide "$data/unsupported/complexes.pt" \
		out/other.safetensors
}

story_what_is_found_twice_is_in_the_metadata_once() {
	python "$here/composite.py" "$data" write twice in.pt
	ck 0 in.pt out/model.safetensors
	[ "$(grep -aoF '"x.x.qscheme"' out/model.safetensors | wc -l)" -eq 1 ] ||
		fail "the metadata is $(head -c 300 out/model.safetensors)"
}

story_files_beside_a_checkpoint_in_an_archive_are_named() {
	ck 0 "$data/good/bundle.zip" out/model.safetensors
	says "2 other files of the archive were left out: model_config.yaml, README.md"
	ck 0 --strict "$data/good/bundle.zip!weights/model.pt" out/model.safetensors
	one_line
	rm out/*
	refused 3 --strict "$data/good/nemo.tar" out/model.safetensors
	says "1 other file of the archive would be left out: model_config.yaml (--strict)"
}

story_shards_and_wrappers_are_noted() {
	ck 0 "$(good sharded)" out/model.safetensors
	says "only the local shards, those of the process that saved the file"
	ck 0 "$(good wrapped)" out/model.safetensors
	says "under the names of the attributes that hold them"
	ck 0 "$(good lazy)" out/model.safetensors
	says "(parameter without data)"
}
