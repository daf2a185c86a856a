#!/usr/bin/env bash
# Holds the command line of ckconv to its word.
#
# usage: run.sh CKCONV TESTDATA [WORD]
#
# Runs every case of TESTDATA/cases.txt, and every story below (a function named for the behaviour
# that it shows); with WORD, only those whose name contains it. Each runs in a fresh folder that has
# an empty folder `out`. Prints a line for each that fails or must be skipped, and at the end
# "N passed, N failed". With $STORIES, the stories of that file are run, and nothing else.
# shellcheck disable=SC2016,SC2181,SC2012 # Python in quotes; a status that is looked at twice
set -u
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

[ $# -ge 2 ] || { echo "usage: run.sh CKCONV TESTDATA [WORD]" >&2; exit 2; }
ckconv=$(realpath "$1") || exit 2
data=$(realpath "$2") || exit 2
word=${3-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # stories that give up their rights must get in
passed=0 failed=0
SKIPPED=77

# ---- what stories are made of ----

fail() {
	printf '%s\n' "$*"
	exit 1
}

skip() {
	printf '%s\n' "$*"
	exit $SKIPPED
}

# ck STATUS ARGUMENTS...: runs ckconv, which must end with that status.
ck() {
	local want=$1 got
	shift
	"$ckconv" "$@" </dev/null >stdout 2>stderr
	got=$?
	[ "$got" -eq "$want" ] ||
		fail "ckconv $* ended with status $got, not $want: $(head -c 300 stderr)"
}

says() {
	grep -qF -- "$1" stderr || fail "stderr does not say \"$1\": $(head -c 300 stderr)"
}

says_not() {
	! grep -qF -- "$1" stderr || fail "stderr says \"$1\": $(head -c 300 stderr)"
}

# An error is one line; it begins with the name of the program.
one_line() {
	[ "$(wc -l <stderr)" -eq 1 ] || fail "stderr has not one line: $(head -c 400 stderr)"
	[ "$(head -c 8 stderr)" = "ckconv: " ] || fail "no \"ckconv: \" first: $(cat stderr)"
}

# Text from files must not reach a terminal as it is.
printable() {
	! grep -q '[[:cntrl:]]' stderr || fail "control characters in stderr: $(cat -v stderr)"
}

silent() {
	[ ! -s "$1" ] || fail "$1 is not empty: $(head -c 300 "$1")"
}

same() {
	cmp -s "$1" "$2" || fail "$1 differs from $2: $(cmp "$1" "$2" 2>&1)"
}

# Nothing in out/, hidden files and all, but the files that are named.
only() {
	local left
	left=$(cd out && find . -mindepth 1 | sort | sed 's,^\./,,' | tr '\n' ' ')
	[ "$left" = "${*:+$* }" ] || fail "out/ holds \"$left\", not \"${*:+$* }\""
}

# refused STATUS ARGUMENTS...: one sentence, and no file.
refused() {
	ck "$@"
	one_line
	printable
	silent stdout
	only
}

good() {
	printf '%s/good/%s.pt' "$data" "$1"
}

wanted() {
	printf '%s/good/%s.safetensors' "$data" "$1"
}

# The first error of Python as the reason to fail.
python() {
	python3 "$@" 2>python.log || fail "$(tail -n 1 python.log)"
}

# Lets a command run as somebody who is not root; prints nothing and fails where that is impossible.
as_nobody() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
	else
		setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
	fi
}

# ---- cases ----

# run_case FILE OPTIONS STATUS EXPECTED
run_case() {
	local file=$1 status=$3 expected=$4 options
	read -ra options <<<"$2"
	ck "$status" "${options[@]}" "$data/$file" out/model.safetensors
	silent stdout
	printable
	if [ "$status" -eq 0 ]; then
		same out/model.safetensors "$data/$expected"
		only model.safetensors
	else
		one_line
		says "${file%%!*}"
		says "$expected"
		only
	fi
}

# ---- stories: help and usage ----

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

# ---- stories: what is said ----

story_quiet_says_nothing_and_verbose_more() {
	ck 0 -q "$(good training)" out/model.safetensors
	silent stderr
	ck 0 "$(good state_dict)" out/model.safetensors
	says "wrote 8 tensors"
	says_not "torch zip"
	ck 0 -v "$(good state_dict)" out/model.safetensors
	says "torch zip"
}

story_quiet_still_says_errors() {
	refused 3 -q "$data/bad/crc_storage.pt" out/model.safetensors
}

story_what_is_left_out_is_counted_and_named() {
	ck 0 "$(good training)" out/model.safetensors
	says "took the tensors below ['model']; 15 tensors elsewhere were left out: optimizer (15)"
	says "24 values that are no tensors were left out: "
	says ": epoch, optimizer (16), best, args (4), history"
	ck 0 "$(good home_and_ema)" out/model.safetensors
	says "took the tensors below ['state_dict']; 2 tensors elsewhere were left out: ema (2)"
	says "1 value that is no tensor was left out: step"
	ck 0 "$(good home_and_tensor)" out/model.safetensors
	says "took everything, because 'mean' beside 'state_dict' is a tensor; "
	says "; --root state_dict takes"
	ck 0 "$(good two_homes)" out/model.safetensors
	says "took everything, because 'net' beside 'model' holds tensors, too; --root model takes"
	ck 0 "$(good meta)" out/model.safetensors
	says "1 tensor without data was left out: 'there' (meta tensor)"
	ck 0 "$(good module)" out/model.safetensors
	says "not known to be harmless"
	says "__main__.TinyNet"
	says "left out: 'cache' (buffer that is not persistent), 'plain' (attribute)"
	ck 0 "$(good no_crc)" out/model.safetensors
	says "2 storages carry no checksum"
}

story_what_a_script_keeps_beside_its_state_dict_is_told() {
	ck 0 "$(good script)" out/model.safetensors
	says "5 tensors that are neither a parameter nor a buffer"
	says "many.0, many.1, named.key, cell.scale, ..."
	says_not "not known to be harmless"
	ck 0 "$(good script_traced2)" out/model.safetensors
	says "1 constant tensor of the code"
	says_not "neither"
	ck 0 "$(good script_no_code)" out/model.safetensors
	says "is not in the archive, so nothing says which of their tensors are parameters"
	ck 0 "$(good script_old)" out/model.safetensors
	says_not "neither"
	ck 0 "$(good script_model)" out/model.safetensors
	says "1 constant tensor of the code"
}

story_packages_and_programs_say_how_names_are_made() {
	ck 0 "$(good package)" out/model.safetensors
	says_not "pickles"
	ck 0 "$(good package_many)" out/model.safetensors
	says "the package holds 2 pickles"
	ck 0 "$(good package_script)" out/model.safetensors
	says "1 constant tensor of the code of TorchScript modules"
	ck 0 "$(good export_pairs)" out/model.safetensors
	says "there are 2 programs in it"
	ck 0 "$(good export_table)" out/model.safetensors
	says "1 constant of the program"
	ck 0 "$(good export2)" out/model.safetensors
	says "2 constants of the program"
}

story_a_plain_state_dict_needs_one_line() {
	ck 0 "$(good state_dict)" out/model.safetensors
	one_line
	says "out/model.safetensors: wrote 8 tensors, 596 B"
}

story_progress_is_silent_where_stderr_is_no_terminal() {
	python "$here/big.py" "$data" big.pt 16 transposed
	ck 0 -j 1 big.pt out/model.safetensors
	one_line
	printable
}

story_progress_shows_on_a_terminal_after_a_second() {
	python "$here/big.py" "$data" big.pt 128 transposed
	python3 "$here/interrupt.py" PAUSE out \
		"$ckconv" -j 1 big.pt out/model.safetensors >terminal ||
		skip "the conversion could not be caught while it ran"
	grep -qE 'writing +[0-9]+% +[0-9.]+ MB of [0-9.]+ MB' terminal ||
		fail "nothing but $(cat -v terminal)"
	grep -q $'\r\e\\[Kckconv: out/model' terminal || fail "not wiped away: $(cat -v terminal)"
	python3 "$here/interrupt.py" PAUSE out \
		"$ckconv" -q -j 1 big.pt out/model.safetensors >terminal
	[ ! -s terminal ] || fail "-q shows progress: $(cat -v terminal)"
}

story_progress_tells_of_unpacking_too() {
	python "$here/big.py" "$data" big.pt 128 transposed
	gzip -1 big.pt
	python3 "$here/interrupt.py" PAUSE out \
		"$ckconv" big.pt.gz out/model.safetensors >terminal ||
		skip "the conversion could not be caught while it ran"
	grep -qE 'unpacking +[0-9]+% +[0-9.]+ [kM]?B of' terminal ||
		fail "nothing but $(cat -v terminal)"
}

story_file_names_are_printed_escaped() {
	local name=$'a\e[31m\nckconv: b.pt'
	cp "$data/bad/crc_storage.pt" "$name"
	refused 3 "$name" out/model.safetensors
	says 'a\x1b[31m\x0ackconv: b.pt'
	refused 2 "$name.missing" out/model.safetensors
	ck 0 "$(good state_dict)" "out/$name.safetensors"
	one_line
	printable
}

# ---- stories: tensors that consist of several ----

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

# ---- stories: extras ----

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

# ---- stories: what is taken ----

story_ties_dropped_are_recorded_in_the_metadata() {
	ck 0 --ties drop "$(good shared)" out/model.safetensors
	python -c '
import json, struct
data = open("out/model.safetensors", "rb").read()
head = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
wanted = {"encoder.weight": "decoder.weight", "format": "pt", "lm_head.weight": "embed.weight"}
assert head["__metadata__"] == wanted, head["__metadata__"]
assert list(head["__metadata__"]) == sorted(wanted), "the keys are not sorted"
assert "lm_head.weight" not in head and "embed.weight" in head, "the wrong name was kept"
'
}

story_strict_fails_rather_than_leave_anything_out() {
	refused 3 --strict "$(good list_root)" out/model.safetensors
	says "(--strict)"
	ck 0 --strict --extras out/extras.json "$(good list_root)" out/model.safetensors
	same out/model.safetensors "$(wanted list_root)"
	rm out/*
	refused 3 --strict "$(good home_and_ema)" out/model.safetensors
	says "ema (2)"
	refused 3 --strict --root . --extras out/extras.json "$(good objects)" out/model.safetensors
	says "(--strict)"
}

story_root_that_is_not_there_is_named() {
	refused 2 -q --root optimizer.stat "$(good training)" out/model.safetensors
	says "optimizer.stat"
	refused 2 -q --root "" "$(good training)" out/model.safetensors
}

story_nothing_in_a_pickle_is_run() {
	python "$here/canary.py" "$data" in.pt
	ck 0 --disarm --extras out/extras.json in.pt out/model.safetensors
	"$ckconv" in.pt out/again.safetensors 2>/dev/null
	[ -z "$(find . -name ran-here)" ] || fail "the pickle was run"
}

# ---- stories: where it goes ----

story_an_old_output_is_replaced_whole() {
	echo old >out/model.safetensors
	ln out/model.safetensors out/other.name
	ck 0 "$(good state_dict)" out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
	[ "$(cat out/other.name)" = old ] || fail "the other name of the old file changed too"
	only model.safetensors other.name
}

story_a_failure_leaves_the_old_output_alone() {
	echo old >out/model.safetensors
	ck 3 "$data/bad/crc_storage.pt" out/model.safetensors
	[ "$(cat out/model.safetensors)" = old ] || fail "the old output changed"
	only model.safetensors
}

# A sticky folder lets nobody replace the file of somebody else; this shows only at the last rename.
story_a_failure_at_the_end_leaves_all_old_files_alone() {
	[ "$(id -u)" -eq 0 ] || skip "only root can make a file of somebody else"
	as_nobody "$ckconv" --version >/dev/null 2>&1 || skip "ckconv cannot be run by nobody"
	mkdir own
	echo old | tee own/extras.json own/model.safetensors >out/extras.json
	cp out/extras.json out/model.safetensors
	chown 65534 own own/*
	chmod 1777 out
	chmod 755 .
	as_nobody "$ckconv" --extras own/extras.json "$(good state_dict)" \
		out/model.safetensors 2>stderr
	[ $? -eq 2 ] || fail "it did not end with status 2: $(cat stderr)"
	as_nobody "$ckconv" --extras out/extras.json "$(good state_dict)" \
		own/model.safetensors 2>stderr
	[ $? -eq 2 ] || fail "it did not end with status 2: $(cat stderr)"
	[ "$(cat own/extras.json own/model.safetensors out/*)" = \
		"$(printf 'old\nold\nold\nold')" ] ||
		fail "an old file is gone or changed: $(ls own out | tr '\n' ' ')"
	only extras.json model.safetensors
}

story_no_clobber_never_replaces_a_file() {
	ck 0 -n "$(good state_dict)" out/model.safetensors
	echo old >out/old.safetensors
	ck 2 -n "$(good state_dict)" out/old.safetensors
	one_line
	says "out/old.safetensors"
	[ "$(cat out/old.safetensors)" = old ] || fail "the file was replaced"
	ck 2 --no-clobber --extras out/old.safetensors "$(good state_dict)" out/new.safetensors
	[ "$(cat out/old.safetensors)" = old ] || fail "the file was replaced"
	only model.safetensors old.safetensors
}

story_the_input_is_never_the_output() {
	local name
	mkdir in
	cp "$(good state_dict)" in/model.safetensors
	ln in/model.safetensors in/hard.safetensors
	ln -s model.safetensors in/soft.safetensors
	ln -s in linked
	for name in in/model.safetensors ./in/../in/model.safetensors in/hard.safetensors \
	            in/soft.safetensors linked/model.safetensors "$PWD/in/model.safetensors"; do
		refused 2 in/model.safetensors "$name"
		says "input"
		same in/model.safetensors "$(good state_dict)"
	done
	refused 2 in/soft.safetensors in/model.safetensors
	same in/model.safetensors "$(good state_dict)"
	[ "$(find in | wc -l)" -eq 4 ] || fail "something was left beside the input"
}

story_the_input_is_not_touched() {
	cp "$(good training)" in.pt
	touch -d @1000000000 in.pt
	chmod 400 in.pt
	ck 0 in.pt out/model.safetensors
	same in.pt "$(good training)"
	[ "$(stat -c '%Y %a' in.pt)" = "1000000000 400" ] || fail "its time or mode changed"
}

story_an_input_may_be_a_link() {
	ln -s "$(good state_dict)" in.pt
	ck 0 in.pt out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
}

story_an_output_that_is_a_link_stays_one() {
	mkdir far
	echo old >far/model.safetensors
	ln -s ../far/model.safetensors out/model.safetensors
	ck 0 "$(good state_dict)" out/model.safetensors
	[ -L out/model.safetensors ] || fail "the link was replaced"
	same far/model.safetensors "$(wanted state_dict)"
	[ "$(find far | wc -l)" -eq 2 ] || fail "something was left in the link's folder"
}

story_an_output_that_cannot_be_is_refused() {
	refused 2 "$(good state_dict)" out/
	refused 2 --to safetensors "$(good state_dict)" out
	says "folder"
	refused 2 "$(good state_dict)" out/none/model.safetensors
	says "out/none/model.safetensors"
	refused 2 --to safetensors "$(good state_dict)" ""
	refused 2 --to safetensors "$(good state_dict)" out/.
	refused 2 --to safetensors "$(good state_dict)" out/..
	ln -s nowhere loose.safetensors
	refused 2 "$(good state_dict)" loose.safetensors
	[ -L loose.safetensors ] || fail "the loose link was replaced"
	mkfifo pipe.safetensors
	refused 2 "$(good state_dict)" pipe.safetensors
	[ -p pipe.safetensors ] || fail "the pipe was replaced"
}

story_devices_are_never_replaced() {
	local before after
	before=$(stat -c '%F %t %T' /dev/null)
	refused 2 --to safetensors "$(good state_dict)" /dev/null
	after=$(stat -c '%F %t %T' /dev/null)
	[ "$before" = "$after" ] || fail "/dev/null is now: $after"
	ln -s /dev/null null.safetensors
	refused 2 "$(good state_dict)" null.safetensors
	refused 2 --extras /dev/null "$(good state_dict)" out/model.safetensors
}

story_an_input_that_cannot_be_is_refused() {
	refused 2 out/none.pt out/model.safetensors
	says "out/none.pt"
	refused 2 . out/model.safetensors
	says "folder"
	mkfifo pipe.pt
	refused 2 pipe.pt out/model.safetensors
	says "save what comes out of it to a file"
	refused 2 /dev/null out/model.safetensors
	refused 2 "" out/model.safetensors
}

story_a_long_file_name_fits() {
	local name
	name=$(printf '%0243d' 0).safetensors
	ck 0 "$(good state_dict)" "out/$name"
	same "out/$name" "$(wanted state_dict)"
	only "$name"
}

story_the_umask_is_honoured() {
	umask 027
	ck 0 "$(good state_dict)" out/model.safetensors
	[ "$(stat -c %a out/model.safetensors)" = 640 ] ||
		fail "mode $(stat -c %a out/model.safetensors)"
}

story_a_folder_without_write_permission_is_named() {
	as_nobody "$ckconv" --version >/dev/null 2>&1 || skip "ckconv cannot be run by nobody"
	as_nobody test -r "$(good state_dict)" || skip "nobody cannot read the test data"
	chmod 755 .
	chmod 555 out
	as_nobody "$ckconv" "$(good state_dict)" out/model.safetensors 2>stderr
	[ $? -eq 2 ] || fail "it did not end with status 2: $(cat stderr)"
	one_line
	says "Permission denied"
	only
}

story_an_input_without_read_permission_is_named() {
	as_nobody "$ckconv" --version >/dev/null 2>&1 || skip "ckconv cannot be run by nobody"
	cp "$(good state_dict)" in.pt
	chmod 000 in.pt
	chmod 777 . out
	as_nobody "$ckconv" in.pt out/model.safetensors 2>stderr
	[ $? -eq 2 ] || fail "it did not end with status 2: $(cat stderr)"
	one_line
	says "in.pt"
	says "Permission denied"
	only
}

# ---- stories: bad days ----

story_a_full_disk_leaves_nothing() {
	python "$here/big.py" "$data" big.pt 4
	mount -t tmpfs -o size=1m ckconv-test out 2>/dev/null || skip "tmpfs cannot be mounted here"
	"$ckconv" big.pt out/model.safetensors 2>stderr
	local got=$? left
	left=$(ls -A out)
	umount out
	[ "$got" -eq 2 ] || fail "it did not end with status 2: $(cat stderr)"
	[ -z "$left" ] || fail "left behind: $left"
	one_line
	says "out/model.safetensors"
	says "No space left on device"
}

story_a_full_disk_while_unpacking_leaves_nothing() {
	mount -t tmpfs -o size=1m ckconv-test out 2>/dev/null || skip "tmpfs cannot be mounted here"
	"$ckconv" --disarm "$data/hostile/zeros.pt" out/model.safetensors 2>stderr
	local got=$? left
	left=$(ls -A out)
	umount out
	[ "$got" -eq 2 ] || fail "it did not end with status 2: $(cat stderr)"
	[ -z "$left" ] || fail "left behind: $left"
	one_line
	says "No space left on device"
}

story_a_limit_on_file_size_leaves_nothing() {
	python "$here/big.py" "$data" big.pt 4
	# the messages go through a pipe: the limit would hold for a file too
	(ulimit -f 1024 && "$ckconv" big.pt out/model.safetensors 2>&1) | cat >stderr
	[ "${PIPESTATUS[0]}" -eq 2 ] || fail "it did not end with status 2: $(cat stderr)"
	one_line
	says "File too large"
	only
}

# interrupted SIGNAL NUMBER
interrupted() {
	local got
	python3 "$here/interrupt.py" "$1" out "$ckconv" -j 2 big.pt out/model.safetensors 2>stderr
	got=$?
	[ "$got" -ne 99 ] || skip "the conversion was done before it could be stopped"
	[ "$got" -eq $((128 + $2)) ] || fail "$1 gave status $got, not $((128 + $2))"
	silent stderr
	only
}

story_a_signal_ends_it_and_leaves_nothing() {
	python "$here/big.py" "$data" big.pt 128 transposed
	interrupted SIGINT 2
	interrupted SIGTERM 15
	interrupted SIGHUP 1
}

# Before a byte is written too: the flood of lists keeps --extras busy for a while.
story_a_signal_ends_it_while_it_reads() {
	local got
	timeout --preserve-status -s TERM 0.3 "$ckconv" --disarm --limit visits=1T --limit heap=4G \
		--extras out/extras.json "$data/hostile/laughs.pt" out/model.safetensors 2>stderr
	got=$?
	[ "$got" -eq 143 ] || fail "SIGTERM gave status $got, not 143"
	only
}

story_a_signal_leaves_the_old_output_alone() {
	python "$here/big.py" "$data" big.pt 128 transposed
	echo old >out/model.safetensors
	python3 "$here/interrupt.py" SIGTERM out "$ckconv" big.pt out/model.safetensors 2>/dev/null
	[ $? -ne 99 ] || skip "the conversion was done before it could be stopped"
	[ "$(cat out/model.safetensors)" = old ] || fail "the old output changed"
	only model.safetensors
}

story_two_runs_at_once_leave_one_whole_file() {
	local i pids=()
	python "$here/big.py" "$data" big.pt 8
	ck 0 big.pt out/model.safetensors
	mv out/model.safetensors reference
	for i in 1 2 3 4 5 6; do
		"$ckconv" -q big.pt out/model.safetensors 2>"stderr.$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || fail "one of them failed: $(cat stderr.*)"
	done
	same out/model.safetensors reference
	only model.safetensors
}

story_of_runs_at_once_with_no_clobber_one_wins() {
	local i won=0 pids=()
	python "$here/big.py" "$data" big.pt 8
	for i in 1 2 3 4 5 6; do
		"$ckconv" -n big.pt out/model.safetensors 2>"stderr.$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" && won=$((won + 1))
	done
	[ "$won" -eq 1 ] || fail "$won of 6 succeeded: $(cat stderr.*)"
	ck 0 big.pt reference.safetensors
	same out/model.safetensors reference.safetensors
	only model.safetensors
}

story_the_output_depends_on_nothing_but_the_input() {
	local threads
	python "$here/big.py" "$data" big.pt 24
	ck 0 -j 1 big.pt out/1.safetensors
	for threads in 2 3 8; do
		ck 0 -j $threads --no-fsync big.pt out/$threads.safetensors
		same out/$threads.safetensors out/1.safetensors
	done
	ck 0 big.pt out/default.safetensors
	same out/default.safetensors out/1.safetensors
	mv big.pt other-name.bin
	ck 0 other-name.bin out/renamed.safetensors
	same out/renamed.safetensors out/1.safetensors
}

story_closed_descriptors_do_no_harm() {
	"$ckconv" "$(good training)" out/a.safetensors 2>&-
	[ $? -eq 0 ] || fail "it fails with stderr closed"
	same out/a.safetensors "$(wanted training)"
	"$ckconv" "$(good training)" out/b.safetensors <&- >&- 2>&-
	[ $? -eq 0 ] || fail "it fails with all three closed"
	same out/b.safetensors "$(wanted training)"
	"$ckconv" --extras out/c.json "$(good training)" out/c.safetensors <&- 2>&-
	[ $? -eq 0 ] || fail "it fails with stdin and stderr closed"
	same out/c.safetensors "$(wanted training)"
	"$ckconv" "$data/bad/crc_storage.pt" out/d.safetensors <&- >&- 2>&-
	[ $? -eq 3 ] || fail "an error has another status with all three closed"
	only a.safetensors b.safetensors c.json c.safetensors
}

story_a_full_stdout_is_an_error() {
	local option
	for option in --help --version; do
		"$ckconv" $option >/dev/full 2>stderr
		[ $? -eq 2 ] || fail "$option >/dev/full does not end with status 2"
		one_line
		"$ckconv" $option >&- 2>stderr
		[ $? -eq 2 ] || fail "$option with stdout closed does not end with status 2"
		one_line
	done
}

story_a_broken_pipe_for_messages_does_not_stop_it() {
	"$ckconv" -v "$(good training)" out/model.safetensors 2>&1 </dev/null | true
	[ "${PIPESTATUS[0]}" -eq 0 ] || fail "it ends with status ${PIPESTATUS[0]}"
	same out/model.safetensors "$(wanted training)"
}

# ---- stories: limits ----

# trips LIMIT=VALUE FILE
trips() {
	refused 3 --disarm --limit "$1" "$2" out/model.safetensors
	says "--limit ${1%=*}="
	says "${2##*/}"
}

story_limit_heap() { trips heap=100 "$(good many)"; }
story_limit_members() { trips members=3 "$(good state_dict)"; }
story_limit_ops() { trips ops=10 "$(good state_dict)"; }
story_limit_stack() { trips stack=2 "$(good state_dict)"; }
story_limit_memo() { trips memo=3 "$(good state_dict)"; }
story_limit_text() { trips text=10 "$(good state_dict)"; }
story_limit_depth() { trips depth=1 "$(good cyclic)"; }
story_limit_visits() { trips visits=3 "$(good state_dict)"; }
story_limit_tensors() { trips tensors=7 "$(good state_dict)"; }
story_limit_name() { trips name=4 "$(good state_dict)"; }
story_a_header_over_its_limit_is_refused() {
	# safetensors allows 100,000,000 bytes: a thousand names of a hundred thousand are more
	PYTHONPATH=$data python3 -B -c '
import craft
pairs = [(craft.text("%04d" % i + "n" * 100000), craft.vector("0", 1)) for i in range(1000)]
pickled = craft.pickle(craft.dict_of(*pairs))
open("in.pt", "wb").write(craft.archive(craft.checkpoint(pickled, {"0": craft.floats(1)})))'
	refused 3 in.pt out/model.safetensors
	says "safetensors allows 100000000"
}

story_limit_expand() { trips expand=3 "$data/hostile/expand_bomb.pt"; }
story_limit_inflated() { trips inflated=1K "$data/hostile/zeros.pt"; }
story_limit_ratio() { trips ratio=1000 "$data/hostile/gzip_in_gzip.pt.gz"; }

story_extras_are_no_longer_than_the_file_may_expand_to() {
	refused 3 --disarm --limit heap=4G --extras out/extras.json "$data/hostile/shared_text.pt" \
		out/model.safetensors
	says "--limit expand=N"
}

story_limits_that_just_suffice_do_not_trip() {
	ck 0 --limit tensors=8 --limit members=12 --limit name=24 --limit depth=5 \
		"$(good state_dict)" out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
	ck 0 --disarm --limit inflated=16M --limit ratio=1040 "$data/hostile/zeros.pt" \
		out/model.safetensors
}

story_a_policy_says_what_may_be_converted() {
	echo "allow torch.nn.modules.linear.Linear # ours" >allow
	ck 0 --strict --policy allow "$(good tar_module)" out/model.safetensors
	same out/model.safetensors "$(wanted tar_module)"
	echo "deny torch.nn.modules.linear.*" >deny
	rm out/model.safetensors
	refused 1 --policy deny "$(good tar_module)" out/model.safetensors
	says "is denied by line 1 of the policy"
	echo "allow os.system" >never
	refused 2 --policy never "$(good state_dict)" out/model.safetensors
	refused 2 --policy none "$(good state_dict)" out/model.safetensors
}

story_a_baseline_of_one_call_hides_no_other() {
	printf '\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.' >known.pkl
	printf '\x80\x02cos\nsystem\nX\x05\0\0\0false\x85R.' >other.pkl
	ck 1 scan --json known.pkl >/dev/null
	"$ckconv" scan --json known.pkl >known.json
	ck 0 scan --baseline known.json known.pkl
	ck 1 scan --baseline known.json other.pkl
}

story_forged_dtypes_are_dangerous() {
	python3 - <<-'END'
		def dtype(kind, flags, again=b""):
		    return (b"\x80\x02cnumpy\ndtype\nU\x02" + kind +
		            b"K\0K\1\x87R(K\3U\1|NNNJ\xff\xff\xff\xff"
		            b"J\xff\xff\xff\xffK" + flags + b"tb" + again + b".")
		again = b"(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
		for name, data in (("right", dtype(b"O8", b"?")), ("plain", dtype(b"f4", b"\0")),
		                   ("bytes", dtype(b"O8", b"\0")), ("objects", dtype(b"f4", b"?")),
		                   ("twice", dtype(b"f4", b"\0", again))):
		    open(name + ".pkl", "wb").write(data)
	END
	ck 0 scan right.pkl
	ck 0 scan plain.pkl
	ck 1 scan bytes.pkl
	ck 1 scan objects.pkl
	ck 1 scan twice.pkl
}

story_what_does_harm_cannot_be_allowed() {
	local name
	for name in os.system exceptions.eval torch.hub.load numpy.load thread.start_new_thread; do
		echo "allow $name" >policy
		ck 2 scan --policy policy "$(good state_dict)"
		says "can never be allowed: '$name'"
	done
	echo "allow my.module.Thing" >policy
	ck 0 scan --policy policy "$(good state_dict)"
}

story_a_member_is_judged_for_itself() {
	python3 - "$(good state_dict)" "$data/hostile/eval.pt" <<-'END'
		import sys, zipfile
		with zipfile.ZipFile("both.zip", "w") as both:
		    both.write(sys.argv[1], "good.pt")
		    both.write(sys.argv[2], "evil.pt")
	END
	ck 0 "both.zip!good.pt" out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
	says "in other members of the archive"
	rm out/model.safetensors
	refused 1 "both.zip!evil.pt" out/model.safetensors
	refused 1 both.zip out/model.safetensors
}

# What is found in the archive itself, or in a member that cannot be told from it, is found in it.
story_a_member_is_not_judged_by_others_but_by_its_archive() {
	local escaped
	escaped=$(printf 'e\033vil.pt')
	python3 - "$(good state_dict)" "$data/hostile/eval.pt" <<-'END'
		import sys, zipfile
		good, evil = (open(path, "rb").read() for path in sys.argv[1:])
		with zipfile.ZipFile("names.zip", "w") as names:
		    names.writestr("good.pt", good)
		    names.writestr("good.pt2", evil)
		    names.writestr("e\x1bvil.pt", evil)
		with zipfile.ZipFile("longer.zip", "w") as longer:
		    longer.writestr("good.pt", good)
		open("longer.zip", "ab").write(b"\x80\x02N. and more")
	END
	ck 0 "names.zip!good.pt" out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
	rm out/model.safetensors
	refused 1 "names.zip!good.pt2" out/model.safetensors
	refused 1 "names.zip!$escaped" out/model.safetensors
	refused 3 "longer.zip!good.pt" out/model.safetensors
	says "belong"
}

# A name that nobody knows, but that sounds harmful, may be allowed.
story_what_a_policy_allows_is_converted() {
	python3 - "$data" <<-'END'
		import sys
		sys.path.insert(0, sys.argv[1])
		from craft import *
		value = named(w=vector("0", 2), extra=call(name("own.things", "load_all")))
		open("in.pt", "wb").write(archive(checkpoint(pickle(value), {"0": floats(1, 2)})))
	END
	refused 1 in.pt out/model.safetensors
	echo "allow own.things.load_all # ours" >policy
	ck 0 --policy policy in.pt out/model.safetensors
	ck 0 --policy policy --strict --extras out/x.json in.pt out/model.safetensors
	rm out/*
	printf 'allow own.things.load_all\ndeny own.things.load_all\n' >policy
	refused 1 --policy policy in.pt out/x.safetensors
	printf 'deny own.things.load_all\nallow own.things.load_all\n' >policy
	refused 1 --policy policy in.pt out/x.safetensors
}

story_the_last_of_two_limits_counts() {
	ck 0 --limit tensors=1 --limit tensors=1K "$(good state_dict)" out/model.safetensors
}

# ---- stories: the test data itself ----

story_every_file_of_the_test_data_has_a_case_and_a_sentence() {
	local file
	cd "$data" || fail "no test data"
	for file in good/* bad/* hostile/* hostile/*/* unsupported/*; do
		[ -f "$file" ] || continue
		grep -qE "^$file |\| $file\$" cases.txt views.txt hostile.txt ||
			fail "$file is in no case"
		[ "${file%.pt}" = "$file" ] || grep -qF "\`${file#*/}\`" README.md ||
			grep -qF "\`${file##*/}\`" README.md ||
			fail "$file has no sentence in README.md"
	done
}

# ---- the run ----

cases=$data/cases.txt
if [ -n "${STORIES-}" ]; then
	for story in $(declare -F | sed -n 's/^declare -f \(story_.*\)/\1/p'); do
		unset -f "$story"
	done
	# shellcheck source=/dev/null
	. "$STORIES"
	cases=/dev/null
fi

# attempt NAME FUNCTION ARGUMENTS...
attempt() {
	local name=$1 folder reason status
	shift
	case $name in *"$word"*) ;; *) return ;; esac
	folder=$(mktemp -d "$work/XXXXXX") && mkdir "$folder/out" || exit 2
	reason=$(cd "$folder" && "$@" 2>&1)
	status=$?
	if [ $status -eq 0 ]; then
		passed=$((passed + 1))
	elif [ $status -eq $SKIPPED ]; then
		printf 'skipped %s: %s\n' "$name" "$reason"
	else
		failed=$((failed + 1))
		printf 'FAILED %s: %s\n' "$name" "$reason" | tr '\n' ' '
		echo
	fi
	chmod -R u+rwX "$folder" 2>/dev/null
	rm -rf "$folder"
}

trim() {
	local text=${1#"${1%%[![:space:]]*}"}
	printf '%s' "${text%"${text##*[![:space:]]}"}"
}

while IFS='|' read -r file options status expected; do
	case $file in '' | '#'*) continue ;; esac
	file=$(trim "$file") options=$(trim "$options")
	attempt "$file${options:+ $options}" run_case "$file" "$options" "$(trim "$status")" \
		"$(trim "$expected")"
done <"$cases"

for story in $(declare -F | sed -n 's/^declare -f \(story_.*\)/\1/p'); do
	attempt "${story#story_}" "$story"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
