# Stories of a conversion: help and usage.
# shellcheck shell=bash disable=SC2012,SC2016,SC2154,SC2181 # Python in quotes; what run.sh sets


story_help_lists_every_option_and_limit() {
	local item
	ck 0 --help
	silent stderr
	for item in --to --root --ties --dequantize --densify --complex \
	            --skip-unsupported --extras --strict --disarm --no-clobber --no-fsync \
	            --threads --limit --quiet --verbose --help --version "-n," "-j," "-q," \
	            "-v," "-h," "-V," heap members ops stack memo text depth visits tensors name \
	            expand inflated ratio; do
		grep -qE -- "^ +(-., )?$item( |$)" stdout || grep -qE -- "^ +$item " stdout ||
			fail "--help does not list $item"
	done
	mv stdout long
	ck 0 -h
	same stdout long
}

story_version_is_a_number() {
	ck 0 --version
	grep -qE '^ckconv [0-9]+\.[0-9]+\.[0-9]+$' stdout || fail "it prints $(cat stdout)"
	silent stderr
}

story_wrong_usage_ends_with_status_2() {
	local arguments
	ln -s "$(good state_dict)" IN
	while read -ra arguments; do
		refused 2 "${arguments[@]}"
	done <<-'END'

		IN
		IN out/model.safetensors more
		--nonsense IN out/model.safetensors
		-x IN out/model.safetensors
		--strict=yes IN out/model.safetensors
		IN out/model.safetensors --root
		IN out/model.safetensors --limit
		IN out/model.safetensors -j
		--ties perhaps IN out/model.safetensors
		--complex both IN out/model.safetensors
		-j 0 IN out/model.safetensors
		-j 1x IN out/model.safetensors
		-j -1 IN out/model.safetensors
		-j 100000000000000000000 IN out/model.safetensors
		--to gguf IN out/model.safetensors
		IN out/model.bin
		-q --root nowhere IN out/model.safetensors
		--limit nonsense=1 IN out/model.safetensors
		--limit =1 IN out/model.safetensors
		--limit heap IN out/model.safetensors
		--limit heap= IN out/model.safetensors
		--limit heap=1X IN out/model.safetensors
		--limit heap=1KK IN out/model.safetensors
		--limit heap=-1 IN out/model.safetensors
		--limit heap=100000000000T IN out/model.safetensors
		--limit heap=99999999999999999999 IN out/model.safetensors
	END
}

story_wrong_usage_is_named() {
	refused 2 --nonsense a b
	says "'--nonsense'"
	refused 2 -x a b
	says "'-x'"
	refused 2 a b --root
	says "'--root' needs an argument"
	refused 2 --limit nonsense=1 "$(good state_dict)" out/model.safetensors
	says "no limit 'nonsense'"
	refused 2 --limit heap=x "$(good state_dict)" out/model.safetensors
	says "limit 'heap' needs a whole number"
	refused 2 --ties perhaps a b
	says "'perhaps'"
}

story_to_decides_where_the_suffix_is_silent() {
	ck 0 --to safetensors "$(good state_dict)" out/model.bin
	same out/model.bin "$(wanted state_dict)"
}

story_names_that_begin_with_a_dash_follow_two_dashes() {
	cp "$(good state_dict)" ./-in.pt
	(cd out && ck 0 -- ../-in.pt -out.safetensors && rm stdout stderr)
	same ./out/-out.safetensors "$(wanted state_dict)"
}
