# Stories of a conversion: what is said.
# shellcheck shell=bash disable=SC2012,SC2016,SC2154,SC2181 # Python in quotes; what run.sh sets


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

# On a terminal between words, with all names whole; elsewhere a message is one line.
story_long_messages_are_broken_for_terminals_alone() {
	local name=a_file_with_a_name_that_is_longer_than_the_lines_of_such_a_narrow_terminal.pt
	cp "$(good training)" $name
	ck 0 $name out/model.safetensors
	cp stderr plain
	[ "$(wc -l <plain)" -eq 3 ] || fail "$(cat plain)"
	python - "$ckconv" $name <<-'END2' >broken
		import fcntl, os, pty, struct, sys, termios
		ours, theirs = pty.openpty()
		fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 25, 64, 0, 0))
		if not os.fork():
		    os.dup2(theirs, 2)
		    os.execv(sys.argv[1], [*sys.argv[1:], "out/model.safetensors"])
		os.close(theirs)
		os.wait()
		said = b""
		try:
		    while piece := os.read(ours, 65536):
		        said += piece
		except OSError:
		    pass
		said = said.replace(b"\r\n", b"\n").decode()
		lines = said.splitlines()
		whole = [sys.argv[2] + ":"]
		for line in lines:
		    assert len(line) <= 64 or line.split() in (whole, ["ckconv:"] + whole), line
		    assert line.startswith(("ckconv: ", "        ")), line
		assert len(lines) > 6, said
		joined = said.replace("\n        ", " ")
		assert joined == open("plain").read(), joined
	END2
}
