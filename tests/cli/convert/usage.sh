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

story_the_beginning_of_several_options_is_none() {
	refused 2 --no "$(good state_dict)" out/model.safetensors
	says "'--no' could be '--no-clobber' or '--no-fsync'"
	refused 2 --dryrun "$(good state_dict)" out/model.safetensors
	says "did you mean '--dry-run'?"
}

story_what_is_nearly_a_command_is_no_input() {
	refused 2 sacn model.pt
	says "there is no file 'sacn'; did you mean ckconv scan [OPTIONS] PATH...?"
	refused 2 scam a b c
	says "did you mean ckconv scan"
	refused 2 ids model.pt
	says_not "did you mean"
	refused 2 diss model.pt
	says "did you mean ckconv dis [OPTIONS] FILE[!MEMBER]?"
	cp "$(good state_dict)" sacn
	ck 0 sacn out/model.safetensors
}

story_help_can_be_asked_for_in_words() {
	local words
	ck 0 --help
	mv stdout convert
	ck 0 scan --help
	mv stdout scan
	ck 0 help
	same stdout convert
	for words in "help scan" "--help scan" "-h scan"; do
		# shellcheck disable=SC2086 # words
		ck 0 $words
		same stdout scan
	done
	refused 2 help out/x.safetensors
	says "there is no command 'out/x.safetensors'"
	cp "$(good state_dict)" help
	ck 0 help out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
}

story_names_that_name_no_file_are_explained() {
	local option
	refused 2 - out/model.safetensors
	says "the standard input are not read"
	refused 2 "$(good state_dict)" -
	says "no pipe takes that; name it OUT.safetensors"
	refused 2 --to safetensors "$(good state_dict)" -
	refused 2 "" out/model.safetensors
	says "an empty name names no file"
	refused 2 "$(good state_dict)" ""
	says "OUT is an empty name"
	for option in --extras --policy --root; do
		refused 2 $option "" "$(good state_dict)" out/model.safetensors
		says "$option is given an empty"
	done
	refused 2 dis ""
	refused 2 dis -
	says "the standard input are not read"
	refused 2 scan --baseline= out
	says "--baseline is given an empty name"
	cp "$(good state_dict)" ./-
	ck 0 - out/model.safetensors
}

story_the_case_of_the_suffix_does_not_matter() {
	ck 0 "$(good state_dict)" out/MODEL.SAFETENSORS
	same out/MODEL.SAFETENSORS "$(wanted state_dict)"
}

story_a_root_that_is_not_there_is_answered_with_what_is() {
	refused 2 --root embed "$(good training)" out/model.safetensors
	says "there are: model (8), optimizer (15)"
	refused 2 --root embed "$(good bare_tensor)" out/model.safetensors
	says "there are: one alone, which has no name"
}

story_extras_go_to_a_file_too() {
	refused 2 --extras - "$(good training)" out/model.safetensors
	says "no pipe takes that; name it FILE.json"
	[ ! -e ./- ] || fail "it wrote a file called -"
}

story_an_output_that_is_a_folder_is_called_one() {
	mkdir folder
	for name in folder folder/; do
		refused 2 "$(good training)" $name
		says "$name: the output of a single file needs the name of a file"
	done
	refused 2 --extras folder "$(good training)" out/model.safetensors
	says "folder: this is a folder"
}

story_a_limit_that_was_set_is_not_said_to_be_unset() {
	refused 3 --limit heap=100K "$(good training)" out/model.safetensors
	says "more than 102400 bytes of memory; if the file can be trusted"
	says_not "unless set"
}

# As the manual page has it: names with blanks, folders in folders, and a second time.
story_a_folder_is_converted_by_find() {
	mkdir -p "models/a b"
	cp "$(good state_dict)" models/one.pt
	cp "$(good training)" "models/a b/two words.pt"
	PATH=$(dirname "$ckconv"):$PATH
	all() {
		find models -name '*.pt' -print0 |
		while IFS= read -r -d '' file; do
			out=${file%.pt}.safetensors
			[ -e "$out" ] || ckconv -n "$file" "$out"
		done 2>stderr
	}
	all
	same models/one.safetensors "$(wanted state_dict)"
	same "models/a b/two words.safetensors" "$(wanted training)"
	all
	silent stderr
}
