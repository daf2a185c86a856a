# Stories of `ckconv scan` and `ckconv dis`, told by run.sh, whose words they use. $PAGES is the
# folder of the manual pages.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets
#
# The files are made here, so that what must be said of them is known: each of the first four gets
# the verdict that it is named for by what the manual page says of verdicts.

dangerous() { printf "cposix\nsystem\n(S'true'\ntR." >"$1"; }
unknown() { printf '\x80\x02cown.things\nThing\n.' >"$1"; }
malformed() { printf '\x80\x02ccollections\nOrderedDict\n' >"$1"; }
safe() { printf '\x80\x02}X\x01\x00\x00\x00aK\x01s.' >"$1"; }

four() {
	mkdir -p "$1"
	dangerous "$1/d.pkl"
	unknown "$1/u.pkl"
	malformed "$1/m.pkl"
	safe "$1/s.pkl"
}

# A zip with one stored member of that name and the bytes of a file.
zip_of() { # zip_of ZIP MEMBER FILE
	python -c 'import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z: z.write(sys.argv[3], sys.argv[2])' "$@"
}

# json CODE: runs Python over the lines of stdout, as a list of objects called `lines`.
json() {
	python -c "import json, sys
lines = [json.loads(line) for line in open('stdout', 'rb').read().decode('utf-8').splitlines()]
$1"
}

# sarif CODE: the same with the SARIF document, checked first, as `document` and its `run`.
sarif() {
	python "$here/sarif.py" stdout >checked
	python -c "import json, sys, urllib.parse
document = json.load(open('stdout'))
run, = document['runs']
$1"
}

prints() {
	grep -qF -- "$1" stdout || fail "stdout does not say \"$1\": $(head -c 600 stdout)"
}

prints_not() {
	! grep -qF -- "$1" stdout || fail "stdout says \"$1\": $(head -c 600 stdout)"
}

# The standard output, to the byte, but for blanks at the ends of lines.
golden() {
	sed 's/ *$//' stdout >got
	cat >want
	diff want got >difference || fail "it prints otherwise: $(cat difference)"
}

# ---- usage ----

story_verbs_have_a_help_of_their_own() {
	local verb
	for verb in scan dis; do
		ck 0 $verb --help
		silent stderr
		prints "usage: ckconv $verb [OPTIONS]"
		prints_not "--dequantize"
		mv stdout long
		ck 0 $verb -h
		same stdout long
		ck 0 $verb --version
		prints "ckconv "
		ck 2 $verb
		one_line
		silent stdout
	done
	ck 0 --help
	prints "ckconv scan"
	prints "ckconv dis"
	prints_not "--sarif"
}

story_typos_are_answered() {
	safe s.pkl
	refused 2 scan --jsn s.pkl
	says "did you mean '--json'?"
	refused 2 scan --root a s.pkl
	says "'--root' is an option of ckconv IN OUT"
	refused 2 --sarif a b
	says "'--sarif' is an option of ckconv scan"
	refused 2 scan --json=yes s.pkl
	says "'--json' takes no argument"
	refused 2 scan --nothing-like-it s.pkl
	says "see ckconv scan --help"
	refused 2 scan -x s.pkl
	says "'-x'"
	refused 2 scan --fail-on safe s.pkl
	says "dangerous, malformed or unknown, not 'safe'"
	refused 2 scan --fail-on
	says "needs an argument"
	refused 2 scan --json --sarif s.pkl
	refused 2 scan --limit nonsense=1 s.pkl
	says "no limit 'nonsense'"
	refused 2 dis s.pkl s.pkl
}

story_arguments_that_are_no_files_are_explained() {
	safe s.pkl
	ck 2 scan -q 's.pkl!a'
	one_line
	says "s.pkl!a: scan takes whole files"
	says "ckconv scan s.pkl"
	ck 2 scan -q -
	one_line
	says "pipes and the standard input are not read"
	ck 2 scan -q ''
	one_line
	says "an empty name"
	cp s.pkl 's.pkl!a'
	ck 0 scan 's.pkl!a'
	cp s.pkl ./-
	ck 0 scan -
}

story_one_policy_and_one_baseline_are_taken() {
	safe s.pkl
	printf 'deny a.b\n' >p
	refused 2 scan --policy p --policy p s.pkl
	says "--policy was given twice"
	refused 2 scan --baseline p --baseline p s.pkl
	says "--baseline was given twice"
	refused 2 --policy p --policy p "$(good state_dict)" out/x.safetensors
	says "--policy was given twice"
}

story_the_verb_comes_first() {
	safe s.pkl
	refused 2 -q scan s.pkl
	says "the verb comes first"
	says "ckconv scan [OPTIONS] PATH..."
	refused 2 Scan s.pkl
	says "ckconv scan [OPTIONS] PATH..."
	refused 2 -q dis s.pkl out/x.safetensors
	says "ckconv dis [OPTIONS]"
}

story_help_has_its_texts_in_one_column() {
	local verb
	for verb in scan dis ""; do
		ck 0 $verb --help
		grep -A 1 -- '--sandbox' stdout | tail -n 1 | grep -qE '^ {25}confine' ||
			fail "$(cat stdout)"
		grep -qE '^  -h, --help {13}show' stdout || fail "$(cat stdout)"
	done
	ck 0 scan --help
	prints "--fail-on dangerous|malformed|unknown"
	safe s.pkl
	ck 0 dis -q s.pkl
	silent stderr
	ck 0 dis -v s.pkl
	says "sandbox: "
}

# The page has the rules of the program, in its order, with its verdicts and sentences.
story_every_rule_is_in_the_manual() {
	safe s.pkl
	ck 0 scan --sarif s.pkl
	python -c '
import json, os, re
page = open(os.path.join(os.environ["PAGES"], "ckconv-scan.1")).read()
part = page[page.index("\n.Sh RULES"):page.index("\n.Sh POLICY")]
part = re.sub(r"\n\.Fn (\w+)\n", r" \1() ", part)
items = re.finditer(r"^\.It (\S+) Pq \w+\n((?:[^.].*\n)+)", part, re.M)
told = [(m[1], m[2].replace("\n", " ").strip()) for m in items]
rules = json.load(open("stdout"))["runs"][0]["tool"]["driver"]["rules"]
assert told == [(r["id"], r["shortDescription"]["text"]) for r in rules], (told, rules)
verdicts = dict(re.findall(r"^\.It (\S+) Pq (\w+)", part, re.M))
levels = {"dangerous": "error", "malformed": "warning", "unknown": "warning", "safe": "note"}
for r in rules:
    assert r["defaultConfiguration"]["level"] == levels[verdicts[r["id"]]], (r, verdicts[r["id"]])
'
}

story_a_file_called_scan_is_named_with_a_dot() {
	cp "$(good state_dict)" scan
	ck 0 ./scan out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
}

# ---- verdicts and statuses ----

story_each_verdict_has_its_status() {
	four t
	ck 1 scan t/d.pkl
	prints "dangerous"
	ck 3 scan t/m.pkl
	prints "malformed"
	ck 4 scan t/u.pkl
	prints "unknown"
	ck 0 scan t/s.pkl
	prints "safe"
	ck 2 scan t/nothing.pkl
	silent stdout
	says "t/nothing.pkl: "
}

story_the_worst_status_of_several_wins() {
	four t
	ck 1 scan t/s.pkl t/u.pkl t/m.pkl t/nothing t/d.pkl
	ck 1 scan t/d.pkl t/nothing t/m.pkl t/u.pkl t/s.pkl
	ck 2 scan t/s.pkl t/nothing t/m.pkl t/u.pkl
	ck 3 scan t/s.pkl t/m.pkl t/u.pkl
	ck 3 scan t/u.pkl t/m.pkl t/s.pkl
	ck 4 scan t/s.pkl t/u.pkl t/s.pkl
	ck 0 scan t/s.pkl t/s.pkl
}

story_fail_on_says_from_where_the_status_is_not_0() {
	local from file status
	four t
	while read -r from file status; do
		ck "$status" scan --fail-on "$from" "t/$file"
	done <<-'END'
		dangerous d.pkl 1
		dangerous m.pkl 0
		dangerous u.pkl 0
		dangerous s.pkl 0
		dangerous nothing 2
		malformed d.pkl 1
		malformed m.pkl 3
		malformed u.pkl 0
		malformed s.pkl 0
		malformed nothing 2
		unknown d.pkl 1
		unknown m.pkl 3
		unknown u.pkl 4
		unknown s.pkl 0
	END
}

story_formats_do_not_change_the_status() {
	local how
	four t
	for how in --json --sarif -q -v --sandbox=off; do
		ck 1 scan $how t
		ck 4 scan $how t/u.pkl
		ck 2 scan $how t/nothing
	done
}

# ---- what is no checkpoint ----

story_what_is_called_a_checkpoint_must_be_one() {
	local file name
	mkdir t
	for file in empty html xml json text one_byte other_zip; do
		for name in t/x.pt t/x.BIN t/x.pkl; do
			cp "$data/unsupported/$file.pt" "$name"
			ck 3 scan "$name"
			prints "it is called a checkpoint and is none"
			rm "$name"
		done
	done
	printf '<html></html>' | gzip >t/x.pt.gz
	ck 3 scan t/x.pt.gz
}

# One byte of a file of any kind is a text, an empty file is one of any kind.
story_what_was_cut_to_nothing_is_no_archive() {
	local name
	for name in model.tar model.pth.tar model.tar.gz model.zip model.onnx model.gguf model.h5 \
	            model.pt.Z model.safetensors model.npz model.7z; do
		printf P >$name
		ck 3 scan $name
		prints "and is none: "
		: >$name
		ck 3 scan $name
		prints "and is none: the file is empty"
	done
	printf P >notes
	ck 0 scan notes
}

story_what_cannot_be_looked_through_is_not_safe() {
	safe s.pkl
	ck 0 scan s.pkl
	ck 3 scan --limit heap=1K s.pkl
	says "1 malformed"
	ck 3 scan --json --limit heap=1K s.pkl
	json 'assert lines[0]["verdict"] == "malformed" and not lines[0]["complete"], lines'
}

story_what_follows_packed_data_is_told() {
	local pack
	safe s.pkl
	for pack in gzip bzip2; do
		$pack -c s.pkl >s.pkl.$pack
		ck 0 scan s.pkl.$pack
		cat s.pkl >>s.pkl.$pack
		ck 3 scan --json s.pkl.$pack
		json 'assert [f["rule"] for f in lines[0]["findings"]] == ["unaccounted-bytes"], lines'
	done
}

# To know that a file was not scanned does not scan it.
story_a_baseline_makes_no_scan_complete() {
	printf '7z\274\257\047\034\0\004 and so on' >x.7z
	ck 3 scan --json x.7z
	mv stdout known
	ck 3 scan --baseline known x.7z
	ck 3 scan --sandbox=off --baseline known --json x.7z
	json 'assert lines[0]["findings"][0]["suppressed"] and not lines[0]["complete"], lines'
}

story_files_beside_a_model_need_not_be_one() {
	mkdir t
	cp "$data/unsupported/text.pt" t/README.md
	cp "$data/unsupported/json.pt" t/config.json
	cp "$data/unsupported/html.pt" t/index.html
	cp "$data/unsupported/other_zip.pt" t/docs.zip
	: >t/__init__.py
	ck 0 scan t
	says "5 files: 5 safe"
}

story_what_a_pointer_stands_for_was_not_scanned() {
	cp "$data/unsupported/git_lfs.pt" pointer
	ck 3 scan pointer
	prints "this is a Git LFS pointer"
}

# compress(1) writes the first; there are programs that read the second, too.
story_what_compress_packed_was_not_scanned() {
	local start
	for start in '\x1f\x9d\x90ab' '\x1f\x9d\x00ab'; do
		printf "$start" >packed
		zip_of z.zip a.Z packed
		tar -cf t.tar --transform s,packed,a.Z, packed
		ck 3 scan z.zip t.tar
		says "2 files: 2 malformed"
		prints "this is a file of compress, which cannot be opened here"
	done
	zip_of z.zip archive/data/0 packed
	ck 0 scan z.zip
}

# ---- trees ----

story_trees_are_scanned_whatever_files_are_called() {
	mkdir -p t/a/b/c
	dangerous t/a/b/c/readme.txt
	safe t/a/z
	safe t/model.pt
	ck 1 scan --json t
	says "3 files: 1 dangerous, 2 safe"
	json 'paths = [l["path"] for l in lines]
assert paths == ["t/a/b/c/readme.txt", "t/a/z", "t/model.pt"], lines'
	ck 1 scan --json t/
	json 'assert lines[0]["path"] == "t/a/b/c/readme.txt", lines'
}

# The folders of a hub's cache: all names are links, all files are called by a hash.
story_links_to_files_are_followed() {
	mkdir -p hub/blobs hub/snapshots/one hub/snapshots/two
	dangerous hub/blobs/7f3a
	: >hub/blobs/e3b0
	ln -s ../../blobs/7f3a hub/snapshots/one/training_args.bin
	ln -s ../../blobs/7f3a hub/snapshots/two/training_args.bin
	ln -s ../../blobs/e3b0 hub/snapshots/one/pytorch_model.bin
	ck 1 scan --json hub/snapshots
	says "2 files: 1 dangerous, 1 malformed; 1 link to files scanned before"
	json 'assert [(l["path"], l["verdict"]) for l in lines] == [
    ("hub/snapshots/one/pytorch_model.bin", "malformed"),
    ("hub/snapshots/one/training_args.bin", "dangerous")], lines'
	ck 1 scan -v hub/snapshots/two hub/snapshots
	says "hub/snapshots/one/training_args.bin: "
	says ": a symbolic link to a file that was scanned before"
	# whatever it is called elsewhere, its name says what it must be
	ck 1 scan --json hub
	json 'assert [(l["path"], l["verdict"]) for l in lines] == [
    ("hub/blobs/7f3a", "dangerous"), ("hub/blobs/e3b0", "safe"),
    ("hub/snapshots/one/pytorch_model.bin", "malformed"),
    ("hub/snapshots/one/training_args.bin", "dangerous")], lines'
	# a file is not passed over because a link of its name came first
	mkdir t
	ln -s z/s t/s
	mkdir t/z
	safe t/z/s
	ck 0 scan --json t
	json 'assert [l["path"] for l in lines] == ["t/s", "t/z/s"], lines'
}

story_links_to_folders_are_followed_only_as_arguments() {
	mkdir t elsewhere
	dangerous elsewhere/d
	ln -s ../elsewhere t/link
	ln -s . t/loop
	ck 2 scan t
	says "there is no file in t"
	safe t/s
	ck 0 scan t
	says "t/link: a symbolic link to a folder, not followed"
	says "1 file: 1 safe; 2 links to folders not followed"
	ck 0 scan -q t
	silent stderr
	ck 1 scan t/link
	ln -s t folder
	ck 0 scan folder
}

story_links_to_nothing_are_not_passed_over() {
	mkdir t
	safe t/s
	ln -s ../gone t/dangling
	ck 2 scan --json t
	says "t/dangling: a symbolic link to a file that is not there"
	says "2 files: 1 safe, 1 could not be read"
	json 'assert lines[0]["path"] == "t/dangling" and lines[0]["error"], lines
assert lines[0]["complete"] is False and lines[1]["verdict"] == "safe", lines'
	rm t/dangling
	ln -s circle t/circle
	ck 2 scan t
	says "t/circle: "
	rm t/circle
	mkfifo fifo
	ln -s ../fifo t/fifo
	ck 2 scan t
	says "t/fifo: a symbolic link to a pipe or a device"
	rm t/fifo
	ln -s /dev/zero t/zero
	ck 2 scan t
	ck 0 scan t/s
}

story_pipes_and_devices_are_passed_over() {
	mkdir t
	mkfifo t/fifo
	safe t/s
	ck 0 scan t
	says "t/fifo: a pipe or a device, passed over"
	ck 2 scan t/fifo
	ck 2 scan /dev/zero
}

story_an_empty_set_of_files_is_an_error() {
	mkdir -p t/empty/deep u
	ck 2 scan t
	one_line
	says "there is no file in t"
	ck 2 scan t u
	one_line
	ck 2 scan --json t
	silent stdout
}

story_files_that_cannot_be_read_are_named() {
	mkdir -p t/locked
	safe t/a
	safe t/b
	chmod 0 t/b t/locked
	chmod 777 . t
	as_nobody "$ckconv" scan --json t >stdout 2>stderr
	local got=$?
	chmod 755 t/locked
	[ $got -eq 2 ] || fail "it ended with status $got"
	says "t/b: "
	says "t/locked: "
	json 'assert [l["path"] for l in lines] == ["t/a", "t/b", "t/locked"], lines
assert lines[0]["verdict"] == "safe" and "error" not in lines[0]
for l in lines[1:]:
    assert l["schema"] == 1 and l["verdict"] == "malformed", l
    assert l["complete"] is False and l["error"], l'
}

story_ten_thousand_files_are_scanned() {
	mkdir t
	safe one
	python -c 'import os
data = open("one", "rb").read()
for i in range(10000):
    os.makedirs(f"t/{i % 100}", exist_ok=True)
    open(f"t/{i % 100}/{i}", "wb").write(data)'
	dangerous t/50/bad
	ck 1 scan -q t
	[ "$(grep -c '^dangerous' stdout)" -eq 1 ] || fail "$(head -c 300 stdout)"
	[ "$(grep -c '^safe' stdout)" -eq 0 ] || fail "safe files are shown with -q"
	silent stderr
}

story_the_order_is_always_the_same() {
	four t
	four t/T
	ck 1 scan --json t
	mv stdout first
	ck 1 scan --json t
	same stdout first
	json 'assert [l["path"] for l in lines] == sorted(l["path"] for l in lines), lines'
	ck 1 scan t
	[ "$(cut -d' ' -f1 stdout | grep -E '^[a-z]' | uniq | tr '\n' ' ')" = \
		"dangerous malformed unknown safe " ] || fail "not the worst first: $(cat stdout)"
}

# ---- text ----

story_a_report_says_what_where_and_what_to_do() {
	dangerous d.pkl
	safe s.pkl
	ck 1 scan d.pkl s.pkl
	[ "$(cat stderr)" = "ckconv: 2 files: 1 dangerous, 1 safe" ] || fail "$(cat stderr)"
	prints "dangerous  d.pkl"
	prints "  dangerous-call      posix.system, called with ('true')"
	prints "byte 24, REDUCE"
	prints "  weights_only        no"
	prints "--disarm"
	prints "safe       s.pkl"
	[ "$(grep -c s.pkl stdout)" -eq 1 ] && [ "$(tail -n 1 stdout | cut -c1-4)" = safe ] ||
		fail "a safe file has not one line, the last: $(cat stdout)"
	[ ! "$(grep -nE '^.{81}' stdout)" ] || fail "it does not fit 80 columns: $(cat stdout)"
	[ ! "$(grep -n ' $' stdout)" ] || fail "blanks at the end of lines: $(cat -A stdout)"
}

story_a_report_is_laid_out_like_this() {
	dangerous d.pkl
	safe s.pkl
	zip_of z.zip a/data.pkl d.pkl
	ck 1 scan d.pkl s.pkl
	golden <<-'END'
		dangerous  d.pkl                                   pickle, 26 B
		  dangerous-import    posix.system, imported
		                      byte 0, GLOBAL
		                      posix.system reaches the operating system and its
		                      processes
		  dangerous-call      posix.system, called with ('true')
		                      byte 24, REDUCE
		                      posix.system reaches the operating system and its
		                      processes
		  weights_only        no
		  next                do not load it with Python; where it holds tensors, ckconv
		                      --disarm d.pkl OUT.safetensors takes them out and runs
		                      nothing
		safe       s.pkl                                   pickle, 13 B
	END
	ck 1 scan z.zip
	prints "                      a/data.pkl, byte 24 (64 in the file), REDUCE"
}

story_what_weights_only_would_need_is_told() {
	unknown u.pkl
	ck 4 scan u.pkl
	prints "no, would need add_safe_globals([own.things.Thing])"
	ck 4 scan --json u.pkl
	json 'assert lines[0]["weights_only"] is False
assert lines[0]["add_safe_globals"] == ["own.things.Thing"]'
	dangerous d.pkl
	ck 1 scan --json d.pkl
	json 'assert lines[0]["weights_only"] is False and lines[0]["add_safe_globals"] is None'
	ck 0 scan -v "$(good state_dict)"
	prints "  weights_only        yes"
	ck 0 scan --json "$(good state_dict)"
	json 'assert lines[0]["weights_only"] is True and lines[0]["add_safe_globals"] == []'
}

story_quiet_leaves_safe_files_out() {
	four t
	ck 0 scan -q t/s.pkl
	silent stdout
	silent stderr
	ck 1 scan -q t
	prints_not "safe  "
	silent stderr
}

# What scan prints on a terminal of 80 columns, without \r.
on_terminal() {
	command -v script >/dev/null || skip "script(1) is not installed"
	TERM=dumb script -qec "stty cols 80; '$ckconv' scan $*" /dev/null </dev/null |
		tr -d '\r' >terminal
}

story_prose_is_wrapped_and_words_are_whole() {
	local long
	long=$(printf 'module_with_a_long_name.%.0s' 1 2 3 4)
	printf '\x80\x02c%s\nThing\n.' "${long%.}" >long.pkl
	ck 4 scan long.pkl
	prints "add_safe_globals([${long}Thing])"
	[ ! "$(grep -v module_with stdout | grep -nE '^.{81}')" ] ||
		fail "it does not fit 80 columns: $(cat stdout)"
	on_terminal long.pkl
	grep -qF "add_safe_globals([${long}Thing])" terminal || fail "$(cat terminal)"
	[ ! "$(grep -v add_safe terminal | grep -nE '^.{81}')" ] ||
		fail "it does not fit 80 columns: $(cat terminal)"
}

story_paths_are_whole_in_pipes_and_cut_in_the_middle_on_terminals() {
	local folder
	folder=$(printf 'a folder with blanks/%.0s' 1 2 3 4 5 6)
	mkdir -p "$folder"
	dangerous "$folder/model file.pkl"
	zip_of "$folder/z.zip" "$folder/data file.pkl" "$folder/model file.pkl"
	ck 1 scan "$folder"
	grep -qF "dangerous  ${folder}model file.pkl  pickle, 26 B" stdout || fail "$(cat stdout)"
	prints "'${folder}model file.pkl'"
	prints "${folder}data file.pkl,"
	on_terminal "'$folder'"
	grep -qE '^dangerous  a folder .*\.\.\..*/model file\.pkl$' terminal ||
		fail "$(cat terminal)"
	grep -qE '^ {22}a folder .*\.\.\..*/data file\.pkl,$' terminal || fail "$(cat terminal)"
	[ ! "$(grep -nE '^.{81}' terminal)" ] || fail "it does not fit 80 columns: $(cat terminal)"
}

story_what_is_next_depends_on_what_was_found() {
	local hostile=$data/hostile
	next() {
		sed -n '/^  next/,/^[a-z]/p' stdout | tr -s ' \n' ' ' | grep -qF -- "$1" ||
			fail "next is not \"$1\": $(cat stdout)"
	}
	cp "$hostile/eval.pt" "my model.pt"
	ck 1 scan "my model.pt"
	next "do not load it with Python; "
	next "ckconv --disarm 'my model.pt' OUT.safetensors takes its tensors out"
	dangerous "it's"
	ck 1 scan "it's"
	next "where it holds tensors, ckconv --disarm \"it's\" OUT.safetensors takes them out"
	unknown scan
	ck 4 scan ./scan
	next "ckconv ./scan OUT.safetensors takes them out, without the classes"
	unknown ./-x
	ck 4 scan -- -x
	next "ckconv ./-x OUT"
	cp "$hostile/zip_7z.zip" .
	ck 3 scan zip_7z.zip
	next "do not load it; unpack it and scan what comes out"
	prints_not "get it again"
	printf 'Nobody knows \x01\x02\xfe\xff\x00\x01 what this is' >odd
	ck 3 scan odd
	next "before you know what it is"
	prints_not "get it again"
	prints_not "damage"
	python -c 'import zipfile
with zipfile.ZipFile("members.zip", "w") as z:
    for i in range(9): z.writestr(f"m{i}", "")'
	ck 3 scan --limit members=3 members.zip
	prints over-limit
	next "raise the limit"
	prints_not "get it again"
	malformed m.pkl
	ck 3 scan m.pkl
	next "get it again from where it was made"
}

story_equal_sentences_are_counted() {
	ck 3 scan "$data/hostile/zip_flood.zip"
	prints "more like it; -v shows all of them"
	[ "$(grep -c "by its local" stdout)" -eq 1 ] || fail "$(cat stdout)"
	ck 3 scan -v "$data/hostile/zip_flood.zip"
	prints_not "more like it"
	[ "$(grep -c "by its local" stdout)" -gt 9 ] || fail "$(cat stdout)"
}

story_torchscript_is_for_another_function() {
	ck 0 scan -v "$data/good/script.pt"
	prints "no: a TorchScript archive, for torch.jit.load"
	ck 0 scan --json "$data/good/script.pt"
	json 'assert lines[0]["weights_only"] is None and lines[0]["add_safe_globals"] is None'
}

story_colours_are_for_terminals() {
	dangerous d.pkl
	ck 1 scan d.pkl
	! grep -q $'\e' stdout || fail "colours in a file"
	command -v script >/dev/null || skip "script(1) is not installed"
	TERM=xterm script -qec "'$ckconv' scan d.pkl" /dev/null </dev/null >terminal
	grep -q $'\e\\[1;31mdangerous' terminal || fail "no colours: $(cat -v terminal)"
	NO_COLOR=1 TERM=xterm script -qec "'$ckconv' scan d.pkl" /dev/null </dev/null >terminal
	! grep -q $'\e\\[[0-9;]*m' terminal || fail "colours against NO_COLOR"
	TERM=dumb script -qec "'$ckconv' scan d.pkl" /dev/null </dev/null >terminal
	! grep -q $'\e\\[[0-9;]*m' terminal || fail "colours for TERM=dumb"
}

# ---- JSON ----

story_json_is_one_object_a_line() {
	four t
	ck 1 scan --json t
	json 'assert len(lines) == 4
d, m, s, u = lines
assert [l["verdict"] for l in lines] == ["dangerous", "malformed", "safe", "unknown"]
assert all(l["schema"] == 1 for l in lines)
assert s["findings"] == [] and s["complete"] is True and s["size"] == 13 and s["pickles"] == 1
call = [f for f in d["findings"] if f["how"] == "called"]
assert len(call) == 1, d
call = call[0]
assert call["rule"] == "dangerous-call" and call["verdict"] == "dangerous"
assert not call["suppressed"]
assert (call["module"], call["name"], call["opcode"]) == ("posix", "system", "REDUCE")
assert call["offset"] == call["stream_offset"] == 24
assert call["stream"] == 0 and call["member"] is None
assert "true" in call["arguments"] and call["why"] and len(call["fingerprint"]) == 32
uses = [(g["module"], g["name"], g["how"], g["count"]) for g in d["globals"]]
assert uses == [("posix", "system", "called", 1)]
assert u["globals"][0]["verdict"] == "unknown" and u["globals"][0]["weights_only"] is False
assert m["weights_only"] is False, m'
}

# What the page lists is what is there, and the other way round.
story_every_key_of_json_is_in_the_manual() {
	four t
	zip_of t/z.zip a/data.pkl t/d.pkl
	ck 1 scan --json t t/nothing
	python -c '
import json, os, re
page = open(os.path.join(os.environ["PAGES"], "ckconv-scan.1")).read()
part = page[page.index("\n.Sh JSON"):page.index("\n.Sh EXIT STATUS")]
parts = re.split(r"\nFor a file that could not|\nIn\n\.Dq findings|\nIn\n\.Dq globals", part)
def keys(text):
    return [k for line in re.findall(r"^\.It (.*)$", text, re.M) for k in line.split(" , ")]
lines = [json.loads(line) for line in open("stdout")]
for line in lines[:-1]:
    assert list(line) == keys(parts[0]), (list(line), keys(parts[0]))
    for finding in line["findings"]:
        assert list(finding) == keys(parts[2]), (list(finding), keys(parts[2]))
    for use in line["globals"]:
        told = re.findall(r"module|name|mapped|how|verdict|count|weights_only", parts[3])
        assert set(use) == set(told), use
assert list(lines[-1]) == ["schema", "path", "path_hex", "verdict", "complete", "error"], lines[-1]
'
}

story_odd_names_of_files_are_valid_json() {
	local name=$'a"\\\e[31m\n\xe2\x80\xae\xff.pkl'
	dangerous "$name"
	ck 1 scan --json "$name"
	[ "$(wc -l <stdout)" -eq 1 ] || fail "not one line: $(cat -v stdout)"
	! grep -q '[[:cntrl:]]' stdout || fail "control characters: $(cat -v stdout)"
	json 'assert lines[0]["path"] == "a\"\\\x1b[31m\n\u202e\ufffd.pkl", lines
assert bytes.fromhex(lines[0]["path_hex"]) == b"a\"\\\x1b[31m\n\xe2\x80\xae\xff.pkl"'
	ck 2 scan --json "$name.missing"
	printable
	json 'assert lines[0]["error"]'
	ck 1 scan "$name"
	prints 'a"\\x1b[31m\x0a\u202e\xff.pkl' || prints 'a"\'
	grep -q $'\e\|\xe2\x80\xae\|\xff' stdout && fail "raw bytes: $(cat -v stdout)"
	ck 1 scan --sarif "$name"
	sarif 'result = run["results"][0]
uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
assert urllib.parse.unquote_to_bytes(uri) == b"a\"\\\x1b[31m\n\xe2\x80\xae\xff.pkl", uri'
}

story_odd_names_in_files_are_escaped() {
	dangerous d.pkl
	printf '\x80\x02cown\e[31m\xe2\x80\xae\nThing\n.' >u.pkl
	python -c 'import zipfile
with zipfile.ZipFile("z.zip", "w") as z:
    z.write("d.pkl", "a/\x1b[31m\n\u202edata.pkl")'
	for file in u.pkl z.zip; do
		"$ckconv" scan --json $file >stdout 2>stderr
		[ "$(wc -l <stdout)" -eq 1 ] || fail "not one line: $(cat -v stdout)"
		! grep -q $'[[:cntrl:]]\|\xe2\x80\xae' stdout || fail "raw: $(cat -v stdout)"
		json 'assert lines[0]["findings"]'
		"$ckconv" scan $file >stdout 2>stderr
		! grep -q $'\e\|\xe2\x80\xae' stdout || fail "raw: $(cat -v stdout)"
		printable
	done
}

# ---- policy and baseline ----

story_a_policy_suppresses_what_it_allows() {
	four t
	printf '# ours\nallow own.things.Thing  # reviewed\n\n' >policy
	ck 4 scan t/u.pkl
	ck 0 scan --policy policy t/u.pkl
	ck 0 scan -v --policy policy t/u.pkl
	prints "suppressed by the policy"
	ck 0 scan --json --policy policy t/u.pkl
	json 'assert [f["suppressed"] for f in lines[0]["findings"]] == [True]
assert lines[0]["verdict"] == "safe"'
	ck 0 scan --sarif --policy policy t/u.pkl
	sarif 'assert run["results"][0]["suppressions"] == [{"kind": "external"}]'
	ck 1 scan --policy policy t
	printf 'deny own.things.*\n' >policy
	ck 1 scan --policy policy t/u.pkl
	printf 'allow own.things.Thing expires 2020-01-31\n' >policy
	ck 4 scan --policy policy t/u.pkl
	says "expired"
}

story_what_is_suppressed_shows() {
	four t
	printf 'allow own.things.Thing\n' >policy
	ck 0 scan -q --policy policy t/u.pkl t/s.pkl
	prints "safe       t/u.pkl"
	prints "pickle, 21 B, 1 finding suppressed"
	prints_not t/s.pkl
	ck 0 scan --policy policy t/u.pkl t/s.pkl
	says "2 files: 2 safe; 1 finding suppressed in 1 file"
	ck 0 scan -v --policy policy t/u.pkl
	prints "suppressed by the policy"
	prints_not "baseline"
	"$ckconv" scan --json t/d.pkl >known 2>stderr
	ck 0 scan -v --baseline known t/d.pkl
	prints "2 findings suppressed"
	prints "suppressed by the baseline"
	prints_not "policy"
}

story_a_policy_that_cannot_be_understood_is_an_error() {
	safe s.pkl
	printf 'allow a.b\nperhaps c.d\n' >policy
	refused 2 scan --policy policy s.pkl
	says "line 2"
	printf 'allow os.system\n' >policy
	refused 2 scan --policy policy s.pkl
	refused 2 scan --policy nothing s.pkl
	refused 2 scan --baseline nothing s.pkl
}

story_a_baseline_is_a_former_scan() {
	four t
	ck 1 scan --json t
	mv stdout known
	ck 0 scan --baseline known t/d.pkl t/u.pkl
	ck 1 scan --baseline known "$data/hostile/eval.pt"
}

# Whoever may change a file cannot hide behind what is known of it: another command in another
# pickle, beside the known one, within other brackets, or where only its length is shown.
story_a_baseline_knows_only_what_it_saw() {
	python -c '
import pickle
class Call:
    def __init__(self, *args): self.args = args
    def __reduce__(self): return eval, self.args
def write(name, *calls):
    with open(name, "wb") as file: file.write(pickle.dumps(list(calls), 2))
write("known", Call("1", {"a": [[1], 2]}), Call("x" * 99, {}))
write("other", Call("2", {"a": [[1], 2]}))
write("beside", Call("1", {"a": [[1], 2]}), Call("2", {}))
write("brackets", Call("1", {"a": [[1, 2]]}))
write("long", Call("x" * 98 + "y", {}))
write("floats", Call("1", {"a": [[1.0], 2]}))
write("flags", Call("1", {"a": [[True], 2]}))
write("huge", Call("x" * (20 << 20), {}))'
	ck 1 scan --json known
	mv stdout baseline
	ck 0 scan --baseline baseline known
	for file in other beside brackets long floats flags huge; do
		ck 1 scan --baseline baseline $file
	done
	ck 1 scan --json huge
	mv stdout baseline
	ck 1 scan --baseline baseline huge
	prints "dangerous-call"
	prints_not "dangerous-import"
}

story_changes_are_known_with_what_they_change() {
	local value
	for value in 1 2; do
		printf "\x80\x02cbuiltins\nint\n}X\x01\x00\x00\x00aK\x0$value" >$value.pkl
		printf 'sb.' >>$value.pkl
	done
	ck 1 scan --json 1.pkl
	json 'assert [f["rule"] for f in lines[0]["findings"]] == ["changed-global"], lines'
	mv stdout baseline
	ck 0 scan --baseline baseline 1.pkl
	ck 1 scan --baseline baseline 2.pkl
}

story_a_baseline_that_cannot_be_understood_is_an_error() {
	dangerous d.pkl
	printf '0123456789abcdef\n' >b
	refused 2 scan --baseline b d.pkl
	says "line 1: a fingerprint has 32 hexadecimal digits, unlike '0123456789abcdef'"
	printf '{"schema":1,"findings":[{"fingerprint":"0123456789abcdef"}]}\n' >b
	refused 2 scan --baseline b d.pkl
	says "unlike '0123456789abcdef'"
	printf '%s\n' '# of today' 0123456789abcdef0123456789abcdef >b
	ck 1 scan --baseline b d.pkl
}

# ---- SARIF ----

story_sarif_is_valid() {
	four t
	zip_of t/z.zip 'a/data.pkl' t/d.pkl
	mkdir t/inner
	zip_of t/inner/'with space%.zip' z.zip t/z.zip
	ck 1 scan --sarif t t/nothing
	sarif 'assert run["invocations"][0]["executionSuccessful"] is False
uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]}
assert uris == {"t/d.pkl", "t/m.pkl", "t/u.pkl", "t/z.zip", "t/inner/with%20space%25.zip"}, uris
members = {m["fullyQualifiedName"] for r in run["results"]
           for m in r["locations"][0].get("logicalLocations", [])}
assert members == {"a/data.pkl", "z.zip!a/data.pkl"}, members
places = [r for r in run["results"] if r["ruleId"] == "dangerous-call" and
          r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "t/d.pkl"]
assert places[0]["locations"][0]["physicalLocation"]["region"]["byteOffset"] == 24, places
assert places[0]["level"] == "error"'
	grep -q '^schema' checked || skip "only its structure was looked at: $(head -n 1 checked)"
}

story_sarif_of_safe_files_is_successful() {
	safe s.pkl
	ck 0 scan --sarif s.pkl
	sarif 'assert run["results"] == [] and run["invocations"][0]["executionSuccessful"] is True'
}

# 6000 unknown names come before the dangerous one, in the order of files and of bytes.
story_sarif_keeps_the_worst_of_many() {
	python -c '
for name in "a", "b":
    with open(name, "wb") as file:
        file.write(b"\x80\x02(")
        for i in range(4000):
            file.write(b"cown.things\nThing%s%d\n" % (name.encode(), i))
        if name == "b":
            file.write(b"cposix\nsystem\n(X\x04\x00\x00\x00truetR")
        file.write(b"l.")'
	ck 1 scan --sarif a b
	sarif 'assert len(run["results"]) == 5000, len(run["results"])
assert run["results"][0]["level"] == "error", run["results"][0]
notes = run["invocations"][0]["toolExecutionNotifications"]
assert any(n["message"]["text"].startswith("truncated: ") for n in notes), notes'
}

story_fingerprints_stay_when_a_file_moves() {
	dangerous a.pkl
	{ cat a.pkl; printf '\n'; } >b.pkl
	mkdir elsewhere
	cp a.pkl elsewhere/c.pkl
	ck 1 scan --json a.pkl elsewhere
	json 'a, c = lines
assert [f["fingerprint"] for f in a["findings"]] == [f["fingerprint"] for f in c["findings"]]
assert len({f["fingerprint"] for f in a["findings"]}) == len(a["findings"])'
}

# ---- pipes and signals ----

story_a_broken_pipe_is_an_error() {
	local how
	mkdir t
	for i in 1 2 3; do safe t/$i; done
	for how in --json --sarif -v; do
		"$ckconv" scan $how t >/dev/full 2>stderr
		[ $? -eq 2 ] || fail "a full disk is not noticed with $how"
		says "cannot write to the standard output"
	done
	for how in on off; do
		"$ckconv" dis --sandbox=${how/on/auto} t/1 >/dev/full 2>stderr
		[ $? -eq 2 ] || fail "a full disk is not noticed by dis"
		one_line
	done
	dangerous t/4
	"$ckconv" scan --json t >/dev/full 2>stderr
	[ $? -ne 0 ] || fail "a dangerous file is forgotten"
}

story_a_signal_ends_a_scan() {
	mkdir t
	python -c '
with open("t/big", "wb") as file:
    file.write(b"\x80\x02(" + b"K\x01" * 20_000_000 + b"l.")'
	"$ckconv" scan --limit stack=100M t >stdout 2>stderr &
	local pid=$!
	sleep 0.3
	kill -TERM $pid 2>/dev/null || skip "it was over before it could be interrupted"
	wait $pid
	local got=$?
	[ $got -eq 143 ] || fail "it ended with status $got"
	! pgrep -P $pid >/dev/null || fail "a child is left"
	says "interrupted after 0 files; the rest was not scanned"
}

# ---- dis ----

story_dis_shows_what_each_opcode_does() {
	dangerous d.pkl
	ck 0 dis d.pkl
	silent stderr
	golden <<-'END'
		pickle 0, byte 0
		      byte  stack  opcode           argument
		         0      1  GLOBAL           'posix' 'system'
		                   ; imports posix.system  DANGEROUS
		        14      1  MARK
		        15      2  STRING           'true'
		        23      2  TUPLE
		        24      1  REDUCE
		                   ; calls posix.system('true')  DANGEROUS
		        25      0  STOP
	END
}

story_dis_finds_the_pickle() {
	dangerous d.pkl
	zip_of z.zip a/data.pkl d.pkl
	ck 0 dis z.zip
	prints "pickle 0 of a/data.pkl, byte 0 ("
	prints "calls posix.system('true')  DANGEROUS"
	ck 0 dis 'z.zip!a/data.pkl'
	prints "calls posix.system('true')  DANGEROUS"
	zip_of outer.zip z.zip z.zip
	ck 0 dis 'outer.zip!z.zip!a/data.pkl'
	prints "of z.zip!a/data.pkl"
	gzip -k z.zip
	ck 0 dis z.zip.gz
	prints "calls posix.system('true')  DANGEROUS"
	ck 0 dis 'z.zip.gz!gzip!a/data.pkl'
	prints "calls posix.system('true')  DANGEROUS"
	ck 0 dis 'z.zip.gz!gzip'
	ck 2 dis 'z.zip.gz!gzip!b'
	ck 2 dis 'z.zip!b'
	says "no member 'b'"
	ck 2 dis 'd.pkl!b'
	says "no archive"
	ck 2 dis nothing
}

story_dis_shows_all_pickles_of_a_legacy_file() {
	ck 0 dis "$(good legacy)"
	[ "$(grep -c '^pickle' stdout)" -eq 5 ] || fail "$(grep '^pickle' stdout)"
	prints "more follows the last pickle: "
	cat "$(good legacy)" >l
}

story_dis_goes_on_behind_errors() {
	printf '\x80\x02K\x01aK\x02cposix\nsystem\n.' >e.pkl
	ck 3 dis e.pkl
	prints "malformed"
	prints "GLOBAL           'posix' 'system'"
	prints "STOP"
	printf '\x80\x02K\x01\xff' >f.pkl
	ck 3 dis f.pkl
	prints "BININT1"
	[ "$(grep -c 0xff stdout)" -eq 1 ] || fail "it is said twice: $(cat stdout)"
	ck 3 dis --limit heap=1 f.pkl
	one_line
	says "f.pkl: "
}

# The opcodes and offsets are those of Python's pickletools.
story_dis_agrees_with_pickletools() {
	local file
	for file in pickle0.pkl pickle5.pkl several.pkl objects_pickle.pkl; do
		[ -e "$data/good/$file" ] && cp "$data/good/$file" .
	done
	python -c 'import collections, pickle
value = {"a": [1, 2.5, (3, b"x" * 300, -7, 2**70)], "b": collections.OrderedDict(c={1, 2}),
         "d": [None, True] * 40}
value["self"] = value["a"]
for protocol in range(6):
    open(f"p{protocol}.pkl", "wb").write(pickle.dumps(value, protocol))'
	for file in *.pkl; do
		"$ckconv" dis "$file" >stdout 2>stderr || continue
		python - "$file" <<-'END'
			import pickletools, re, sys
			data = open(sys.argv[1], "rb").read()
			mine = [(int(m[1]), m[2]) for line in open("stdout")
			        for m in [re.match(r" *(\d+) +\d+  ([A-Z_0-9]+)", line)] if m]
			want, at = [], 0
			while at < len(data) and len(want) < len(mine):
			    for op, _, pos in pickletools.genops(data[at:]):
			        want.append((at + pos, op.name))
			    at += pos + 1
			assert mine == want, [p for p in zip(mine, want) if p[0] != p[1]][:3]
			assert len(mine) > 5
		END
	done
	[ -e p5.pkl ] || fail "nothing was compared"
}
