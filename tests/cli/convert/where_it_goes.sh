# Stories of a conversion: where it goes.
# shellcheck shell=bash disable=SC2012,SC2016,SC2154,SC2181 # Python in quotes; what run.sh sets


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

# As after cp: who could read it can read it, and nobody else.
story_a_replaced_output_keeps_its_mode() {
	local mode
	umask 022
	for mode in 600 640 666 700 444; do
		echo old >out/model.safetensors
		chmod $mode out/model.safetensors
		echo old >out/more.json
		chmod $mode out/more.json
		ck 0 --extras out/more.json "$(good training)" out/model.safetensors
		[ "$(stat -c %a%a out/model.safetensors out/more.json | tr -d '\n')" = \
			$mode$mode$mode$mode ] || fail "not $mode: $(ls -l out)"
		rm out/*
	done
	ck 0 "$(good training)" out/model.safetensors
	[ "$(stat -c %a out/model.safetensors)" = 644 ] || fail "a new one: $(ls -l out)"
}

# A member of the old group and one of the new group may be others now: neither gets more.
story_a_replaced_output_lends_no_rights_to_another_group() {
	local mode wanted other
	other=65534
	[ "$(id -u)" -eq 0 ] || other=$(id -G | tr ' ' '\n' | grep -vx "$(id -g)" | head -n 1)
	[ -n "$other" ] || skip "there is only one group"
	umask 022
	while read -r mode wanted; do
		echo old >out/model.safetensors
		chgrp "$other" out/model.safetensors
		chmod "$mode" out/model.safetensors
		ck 0 "$(good state_dict)" out/model.safetensors
		[ "$(stat -c '%a %g' out/model.safetensors)" = "$wanted $(id -g)" ] ||
			fail "of $mode: $(stat -c '%a %g' out/model.safetensors), not $wanted"
	done <<-'END'
		640 600
		660 600
		644 644
		664 644
		666 666
		604 600
	END
}

# Where a file has a list of rights, what stands for the group is the most that anybody on it has.
story_a_replaced_output_takes_no_list_of_rights_for_those_of_a_group() {
	echo old >out/model.safetensors
	chmod 600 out/model.safetensors
	python3 - out/model.safetensors <<-'END' || skip "the file system has no lists of rights"
		import os, struct, sys
		entries = [(1, 6, -1), (2, 4, 65533), (4, 0, -1), (16, 4, -1), (32, 0, -1)]
		os.setxattr(sys.argv[1], "system.posix_acl_access", struct.pack("<I", 2) +
		            b"".join(struct.pack("<HHi", *entry) for entry in entries))
	END
	[ "$(stat -c %a out/model.safetensors)" = 640 ] || fail "$(ls -l out)"
	ck 0 "$(good state_dict)" out/model.safetensors
	[ "$(stat -c %a out/model.safetensors)" = 600 ] || fail "$(ls -l out)"
}
