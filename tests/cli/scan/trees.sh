# Stories of `ckconv scan`: trees.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


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
