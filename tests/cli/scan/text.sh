# Stories of `ckconv scan`: text.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


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
		  next                do not load it with Python
		                      ckconv --disarm d.pkl OUT.safetensors
		                      takes tensors out, where it holds any, and runs nothing
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
	printf '\x80\x02K\x010}.' >popped.pkl # an opcode that torch's reader does not know
	ck 0 scan --json popped.pkl
	json 'assert lines[0]["weights_only"] is False and lines[0]["add_safe_globals"] is None'
	ck 0 scan -v "$(good state_dict)"
	prints "  weights_only        yes"
	ck 0 scan --json "$(good state_dict)"
	json 'assert lines[0]["weights_only"] is True and lines[0]["add_safe_globals"] == []'
}

# torch_zip ZIP PICKLE: a zip as torch.save makes one, without tensors.
torch_zip() {
	python -c 'import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z:
    z.write(sys.argv[2], "archive/data.pkl")
    z.writestr("archive/version", "3\n")
    for i in range(3, len(sys.argv)): z.write(sys.argv[i], sys.argv[i])' "$@"
}

# Of a safe file, only that torch.load does not take it is news.
story_safe_files_that_do_not_load_say_why() {
	safe plain.pkl
	printf '\x80\x02}X\x01\x00\x00\x00acbuiltins\nfrozenset\n]\x85Rs.' >listed.pkl
	torch_zip plain.pt plain.pkl
	torch_zip listed.pt listed.pkl
	ck 0 scan plain.pt plain.pkl listed.pkl
	prints_not weights_only
	ck 0 scan listed.pt
	prints "  weights_only        no, would need add_safe_globals([builtins.frozenset])"
	[ "$(wc -l <stdout)" -eq 2 ] || fail "$(cat stdout)"
	ck 0 scan "$data/good/script.pt"
	prints_not weights_only
}

# What is malformed may load all the same, and who knows that may know better than to load it.
story_malformed_files_say_whether_they_load() {
	malformed m.pkl
	ck 3 scan m.pkl
	prints "  weights_only        no: a pickle is broken"
	safe plain.pkl
	torch_zip damaged.pt plain.pkl
	printf 'and more' >>damaged.pt
	ck 3 scan damaged.pt
	prints "  weights_only        yes, where torch reads the file at all"
	printf '7z\274\257\047\034\0\004 and so on' >x.7z
	torch_zip closed.pt plain.pkl x.7z
	ck 3 scan closed.pt
	prints "  weights_only        not known: not all of the file was looked at"
	ck 3 scan x.7z
	prints_not weights_only
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
	[ ! "$(grep -v 'ckconv --disarm' terminal | grep -nE '^.{81}')" ] ||
		fail "it does not fit 80 columns: $(cat terminal)"
}

story_what_is_next_depends_on_what_was_found() {
	local hostile=$data/hostile
	next() {
		sed -n '/^  next/,/^[a-z]/p' stdout | tr -s ' \n' ' ' | grep -qF -- "$1" ||
			fail "next is not \"$1\": $(cat stdout)"
	}
	cp "$hostile/eval.pt" "my model.pt"
	ck 1 scan "my model.pt"
	next "do not load it with Python "
	next "ckconv --disarm 'my model.pt' OUT.safetensors takes its tensors out"
	dangerous "it's"
	ck 1 scan "it's"
	next "ckconv --disarm \"it's\" OUT.safetensors takes tensors out, where it holds any"
	unknown scan
	ck 4 scan ./scan
	next "ckconv ./scan OUT.safetensors takes tensors out, where it holds any, without"
	unknown ./-x
	ck 4 scan -- -x
	next "ckconv ./-x OUT"
	cp "$hostile/zip_7z.zip" .
	ck 3 scan zip_7z.zip
	next "do not load it; unpack it and scan what comes out"
	prints_not "get it again"
	printf 'Nobody knows \x01\x02\xfe\xff\x00\x01 what this is' >odd.bin
	ck 3 scan odd.bin
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

# Whoever copies a line gets a command that works, whatever the width of the terminal.
story_commands_are_whole_on_a_line() {
	local folder command
	folder="$(printf 'a folder with blanks %.0s' 1 2 3 4 5)"
	mkdir "$folder"
	dangerous "$folder/d.pkl"
	unknown "$folder/u.pkl"
	ck 1 scan "$folder"
	command=$(printf "%22sckconv --disarm '%s/d.pkl' OUT.safetensors" '' "$folder")
	grep -qxF "$command" stdout || fail "$(cat stdout)"
	on_terminal "'$folder'"
	grep -qxF "$command" terminal || fail "$(cat terminal)"
	grep -qxF "  next                ckconv '$folder/u.pkl' OUT.safetensors" terminal ||
		fail "$(cat terminal)"
}
