# Stories of a conversion: bad days.
# shellcheck shell=bash disable=SC2012,SC2016,SC2154,SC2181 # Python in quotes; what run.sh sets


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
