# Stories of `ckconv scan`: usage.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


story_verbs_have_a_help_of_their_own() {
	local verb
	for verb in scan dis; do
		ck 0 $verb --help
		silent stderr
		prints "usage: ckconv $verb [OPTIONS]"
		prints_not "--dequantize"
		mv stdout long
		ck 0 $verb -h
		same stdout long
		ck 0 $verb --version
		prints "ckconv "
		ck 2 $verb
		one_line
		silent stdout
	done
	ck 0 --help
	prints "ckconv scan"
	prints "ckconv dis"
	prints_not "--sarif"
}

story_typos_are_answered() {
	safe s.pkl
	refused 2 scan --jsn s.pkl
	says "did you mean '--json'?"
	refused 2 scan --root a s.pkl
	says "'--root' is an option of ckconv IN OUT"
	refused 2 --sarif a b
	says "'--sarif' is an option of ckconv scan; see ckconv scan --help"
	refused 2 --json scan s.pkl
	says "see ckconv scan --help"
	refused 2 scan --json=yes s.pkl
	says "'--json' takes no argument"
	refused 2 scan --nothing-like-it s.pkl
	says "see ckconv scan --help"
	refused 2 scan -x s.pkl
	says "'-x'"
	refused 2 scan --fail-on safe s.pkl
	says "dangerous, malformed or unknown, not 'safe'"
	refused 2 scan --fail-on
	says "needs an argument"
	refused 2 scan --json --sarif s.pkl
	refused 2 scan --limit nonsense=1 s.pkl
	says "no limit 'nonsense'"
	refused 2 dis s.pkl s.pkl
}

story_arguments_that_are_no_files_are_explained() {
	safe s.pkl
	ck 2 scan -q 's.pkl!a'
	one_line
	says "s.pkl!a: scan takes whole files"
	says "ckconv scan s.pkl"
	ck 2 scan -q -
	one_line
	says "pipes and the standard input are not read"
	ck 2 scan -q ''
	one_line
	says "an empty name"
	cp s.pkl 's.pkl!a'
	ck 0 scan 's.pkl!a'
	cp s.pkl ./-
	ck 0 scan -
}

story_one_policy_and_one_baseline_are_taken() {
	safe s.pkl
	printf 'deny a.b\n' >p
	refused 2 scan --policy p --policy p s.pkl
	says "--policy was given twice"
	refused 2 scan --baseline p --baseline p s.pkl
	says "--baseline was given twice"
	refused 2 --policy p --policy p "$(good state_dict)" out/x.safetensors
	says "--policy was given twice"
}

story_the_verb_comes_first() {
	safe s.pkl
	refused 2 -q scan s.pkl
	says "the verb comes first"
	says "ckconv scan [OPTIONS] PATH..."
	refused 2 Scan s.pkl
	says "ckconv scan [OPTIONS] PATH..."
	refused 2 -q dis s.pkl out/x.safetensors
	says "ckconv dis [OPTIONS]"
}

story_help_has_its_texts_in_one_column() {
	local verb
	for verb in scan dis ""; do
		ck 0 $verb --help
		grep -A 1 -- '--sandbox' stdout | tail -n 1 | grep -qE '^ {25}confine' ||
			fail "$(cat stdout)"
		grep -qE '^  -h, --help {13}show' stdout || fail "$(cat stdout)"
	done
	ck 0 scan --help
	prints "--fail-on dangerous|malformed|unknown"
	safe s.pkl
	ck 0 dis -q s.pkl
	silent stderr
	ck 0 dis -v s.pkl
	says "sandbox: "
}

# The page has the rules of the program, in its order, with its verdicts and sentences.
story_every_rule_is_in_the_manual() {
	safe s.pkl
	ck 0 scan --sarif s.pkl
	python -c '
import json, os, re
page = open(os.path.join(os.environ["PAGES"], "ckconv-scan.1")).read()
part = page[page.index("\n.Sh RULES"):page.index("\n.Sh POLICY")]
part = re.sub(r"\n\.Fn (\w+)\n", r" \1() ", part)
items = re.finditer(r"^\.It (\S+) Pq \w+\n((?:[^.].*\n)+)", part, re.M)
told = [(m[1], m[2].replace("\n", " ").strip()) for m in items]
rules = json.load(open("stdout"))["runs"][0]["tool"]["driver"]["rules"]
assert told == [(r["id"], r["shortDescription"]["text"]) for r in rules], (told, rules)
verdicts = dict(re.findall(r"^\.It (\S+) Pq (\w+)", part, re.M))
levels = {"dangerous": "error", "malformed": "warning", "unknown": "warning", "safe": "note"}
for r in rules:
    assert r["defaultConfiguration"]["level"] == levels[verdicts[r["id"]]], (r, verdicts[r["id"]])
'
}

story_a_file_called_scan_is_named_with_a_dot() {
	cp "$(good state_dict)" scan
	ck 0 ./scan out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
}
