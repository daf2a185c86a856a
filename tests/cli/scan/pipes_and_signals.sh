# Stories of `ckconv scan`: pipes and signals.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


story_a_broken_pipe_is_an_error() {
	local how
	mkdir t
	for i in 1 2 3; do safe t/$i; done
	for how in --json --sarif -v; do
		"$ckconv" scan $how t >/dev/full 2>stderr
		[ $? -eq 2 ] || fail "a full disk is not noticed with $how"
		says "cannot write to the standard output: No space left on device"
	done
	for how in on off; do
		"$ckconv" dis --sandbox=${how/on/auto} t/1 >/dev/full 2>stderr
		[ $? -eq 2 ] || fail "a full disk is not noticed by dis"
		one_line
		says "cannot write to the standard output: No space left on device"
	done
	"$ckconv" scan --json t >/dev/full 2>stderr
	says "stopped after 1 file, and the rest was not scanned"
	says_not "safe"
	dangerous t/4
	"$ckconv" scan --json t >/dev/full 2>stderr
	[ $? -ne 0 ] || fail "a dangerous file is forgotten"
}

# head(1) takes a line and goes.
story_who_has_seen_enough_may_go() {
	mkdir t
	for i in 1 2 3 4 5 6 7 8 9; do dangerous t/$i; done
	"$ckconv" scan --json t 2>stderr | head -n 1 >stdout
	[ "${PIPESTATUS[0]}" -eq 1 ] || fail "a dangerous file is forgotten"
	json 'assert len(lines) == 1'
	python -c 'open("big.pkl", "wb").write(b"\x80\x02(" + b"K\x01" * 300000 + b"l.")'
	local sandbox
	for sandbox in auto off; do
		"$ckconv" dis --sandbox=$sandbox big.pkl 2>stderr | head -n 1 >stdout
		[ "${PIPESTATUS[0]}" -eq 2 ] || fail "that not all was shown is forgotten"
		silent stderr
	done
}

story_dis_says_who_sees_more() {
	ck 3 dis "$data/bad/cut_in_data.pt"
	says "ckconv scan looks at what any reader could see in it"
	ck 3 dis -q "$data/bad/cut_in_data.pt"
	one_line
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
