# Stories of `ckconv scan`: SARIF.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


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

# Paths are long, so that a thousand of them would be too much.
story_sarif_is_short_whatever_could_not_be_read() {
	python -c '
import os
for i in range(1500):
    path = "t/%d" % i + "/" + "/".join(["\xff" * 100] * 10)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink("nothing", path)
    os.symlink(".", path + "x")'
	ck 2 scan --sarif t
	sarif 'assert run["invocations"][0]["executionSuccessful"] is False
notes = run["invocations"][0]["toolExecutionNotifications"]
levels = [n["level"] for n in notes]
assert levels.count("error") > 20 and levels.count("note") > 20, levels
last = notes[levels.count("error") - 1]["message"]["text"]
assert last.startswith("truncated: 0 results"), last
assert "and %d notifications like these" % (3001 - len(notes)) in last, last'
	[ "$(stat -c %s stdout)" -lt $((3 << 20)) ] || fail "$(stat -c %s stdout) bytes"
}

story_sarif_names_links_that_are_not_followed() {
	mkdir -p t elsewhere
	safe t/s.pkl
	ln -s ../elsewhere t/link
	mkfifo t/pipe
	ck 0 scan --sarif t
	sarif 'notes = run["invocations"][0]["toolExecutionNotifications"]
assert run["invocations"][0]["executionSuccessful"] is True
assert [n["level"] for n in notes] == ["note", "note"], notes
assert [n["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for n in notes] == [
    "t/link", "t/pipe"], notes
assert notes[0]["message"]["text"] == "a symbolic link to a folder, not followed", notes'
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
