# Stories of `ckconv scan`: JSON.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


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

# Each pair of names is spelled as the other one where a newline or a NUL stands between the two.
story_where_a_module_ends_and_its_name_begins_is_kept() {
	local between
	for between in '\n' '\0'; do
		printf "\x80\4\x8c\7own${between}oddU\5Thing\x930" >a.pkl
		printf "\x8c\3ownU\x09odd${between}Thing\x93." >>a.pkl
		ck 1 scan --json a.pkl
		json 'd, = lines
assert [(len(g["module"]), g["count"]) for g in d["globals"]] == [(3, 1), (10, 1)], d["globals"]'
	done
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

# The list is what PyTorch itself says.
story_weights_only_means_what_torch_knows() {
	python -c 'import os, sys
os.mkdir("t")
for i, line in enumerate(open(sys.argv[1])):
    name = line.split()[-1].encode()
    with open("t/%03d" % i, "wb") as file:
        if not line.startswith("#"):
            file.write(b"\x80\x02c" + b"\n".join(name.rsplit(b".", 1)) + b"\n.")' \
		"$here/../hostile/weights_only.txt"
	"$ckconv" scan --json t >stdout 2>stderr
	json 'names = open("'"$here"'/../hostile/weights_only.txt").read().splitlines()
checked = 0
for report in lines:
    line = names[int(report["path"][2:])]
    if not line.startswith("#"):
        wanted = not line.startswith("not ")
        assert report["weights_only"] is wanted, (line, report)
        assert report["verdict"] == "safe" or not wanted, (line, report)
        checked += 1
assert checked > 150, checked'
}

story_the_sum_of_a_file_is_told_to_those_who_ask() {
	local sum box
	dangerous d.pkl
	: >empty
	sum=$(sha256sum d.pkl | cut -d' ' -f1)
	ck 1 scan --json d.pkl
	json 'assert lines[0]["sha256"] is None, lines'
	for box in auto off; do
		ck 1 scan --sandbox=$box --sha256 --json d.pkl empty
		json 'import hashlib
assert [r["sha256"] for r in lines] == ["'"$sum"'", hashlib.sha256().hexdigest()], lines'
		ck 1 scan --sandbox=$box --sha256 d.pkl
		prints "  sha256              $sum"
		ck 1 scan --sandbox=$box --sha256 --sarif d.pkl
		sarif 'sums = {r["properties"]["sha256"] for r in run["results"]}
assert sums == {"'"$sum"'"}, sums'
	done
}
