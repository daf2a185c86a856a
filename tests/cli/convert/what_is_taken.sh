# Stories of a conversion: what is taken.
# shellcheck shell=bash disable=SC2012,SC2016,SC2154,SC2181 # Python in quotes; what run.sh sets


story_ties_dropped_are_recorded_in_the_metadata() {
	ck 0 --ties drop "$(good shared)" out/model.safetensors
	python -c '
import json, struct
data = open("out/model.safetensors", "rb").read()
head = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
wanted = {"encoder.weight": "decoder.weight", "format": "pt", "lm_head.weight": "embed.weight"}
assert head["__metadata__"] == wanted, head["__metadata__"]
assert list(head["__metadata__"]) == sorted(wanted), "the keys are not sorted"
assert "lm_head.weight" not in head and "embed.weight" in head, "the wrong name was kept"
'
}

story_strict_fails_rather_than_leave_anything_out() {
	refused 3 --strict "$(good list_root)" out/model.safetensors
	says "(--strict)"
	ck 0 --strict --extras out/extras.json "$(good list_root)" out/model.safetensors
	same out/model.safetensors "$(wanted list_root)"
	rm out/*
	refused 3 --strict "$(good home_and_ema)" out/model.safetensors
	says "ema (2)"
	refused 3 --strict --root . --extras out/extras.json "$(good objects)" out/model.safetensors
	says "(--strict)"
}

story_root_that_is_not_there_is_named() {
	refused 2 -q --root optimizer.stat "$(good training)" out/model.safetensors
	says "optimizer.stat"
	refused 2 -q --root "" "$(good training)" out/model.safetensors
}

story_nothing_in_a_pickle_is_run() {
	python "$here/canary.py" "$data" in.pt
	ck 0 --disarm --extras out/extras.json in.pt out/model.safetensors
	"$ckconv" in.pt out/again.safetensors 2>/dev/null
	[ -z "$(find . -name ran-here)" ] || fail "the pickle was run"
}

# From version 6 of the format on, PyTorch writes it to another member.
story_the_version_may_lie_in_data() {
	python - "$data/good/state_dict.pt" <<-'EOF'
		import sys, zipfile
		old = zipfile.ZipFile(sys.argv[1])
		for name, version in (("six", b"6\n"), ("eleven", b"11\n")):
		    with zipfile.ZipFile(name + ".pt", "w") as new:
		        for info in old.infolist():
		            top, _, last = info.filename.partition("/")
		            if last != "version":
		                new.writestr(info.filename, old.read(info))
		        new.writestr(top + "/.data/version", version)
	EOF
	ck 0 six.pt out/model.safetensors
	same out/model.safetensors "$data/good/state_dict.safetensors"
	ck 3 eleven.pt out/eleven.safetensors
	says "from 1 to 10, not '11"
	only model.safetensors
}
