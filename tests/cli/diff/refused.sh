# Stories of `ckconv diff`: files that cannot be compared, and usage.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets

story_damage_is_an_error_and_no_difference() {
	fails 3 diff "$data/bad/crc_storage.pt" "$(wanted state_dict)"
	says "bad/crc_storage.pt"
	fails 3 diff "$(wanted state_dict)" "$data/bad/cut_in_data.pt"
	says "bad/cut_in_data.pt"
	fails 3 diff "$(wanted state_dict)" "$data/bad/deflated_damaged.pt"
}

story_a_dangerous_file_is_compared_only_when_it_is_disarmed() {
	fails 3 diff "$data/hostile/eval.pt" "$(wanted state_dict)"
	says "eval.pt"
	says "--disarm"
}

story_files_that_are_not_there_end_with_status_2() {
	fails 2 diff none "$(good state_dict)"
	says "none: cannot open the file"
	fails 2 diff "$(good state_dict)" none
	says "none: cannot open the file"
	fails 2 diff . "$(good state_dict)"
	fails 2 diff "$(good state_dict)"
	says "two files are needed"
	fails 2 diff a b c
	fails 2 diff "" b
	fails 2 diff --strict a b
}

story_notes_say_which_file_they_are_about() {
	ck 0 diff "$data/good/tar.pt" "$(wanted tar)"
	says "good/tar.pt: 1 value that is no tensor was left out: epoch"
	ck 0 diff -q "$data/good/tar.pt" "$(wanted tar)"
	silent stderr
}

story_a_full_stdout_is_an_error() {
	[ -e /dev/full ] || skip "there is no /dev/full"
	"$ckconv" diff "$(good state_dict)" "$(wanted state_dict)" >/dev/full 2>stderr
	[ $? -eq 2 ] || fail "status"
	says "standard output"
}

story_a_file_that_asks_for_too_much_is_refused() {
	fails 3 diff --limit tensors=1 "$(good state_dict)" "$(wanted state_dict)"
	says "--limit tensors=N"
	fails 3 diff --disarm "$data/hostile/expand_bomb.pt" "$data/hostile/expand_bomb.pt"
	says "--limit expand="
}
