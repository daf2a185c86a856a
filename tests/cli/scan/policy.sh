# Stories of `ckconv scan`: policy and baseline.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


story_a_policy_suppresses_what_it_allows() {
	four t
	printf '# ours\nallow own.things.Thing  # reviewed\n\n' >policy
	ck 4 scan t/u.pkl
	ck 0 scan --policy policy t/u.pkl
	ck 0 scan -v --policy policy t/u.pkl
	prints "suppressed by the policy"
	ck 0 scan --json --policy policy t/u.pkl
	json 'assert [f["suppressed"] for f in lines[0]["findings"]] == [True]
assert lines[0]["verdict"] == "safe"'
	ck 0 scan --sarif --policy policy t/u.pkl
	sarif 'assert run["results"][0]["suppressions"] == [{"kind": "external"}]'
	ck 1 scan --policy policy t
	printf 'deny own.things.*\n' >policy
	ck 1 scan --policy policy t/u.pkl
	printf 'allow own.things.Thing expires 2020-01-31\n' >policy
	ck 4 scan --policy policy t/u.pkl
	says "expired"
}

# It may be imported and called; what it is given and what is made of it is looked at all the same.
story_a_policy_allows_no_odd_arguments() {
	printf '\x80\x02cown.things\nThing\nX\x0c\0\0\0touch marker\x85R.' >given.pkl
	printf '\x80\x02cown.things\nThing\n}X\1\0\0\0aNsb.' >changed.pkl
	printf 'allow own.things.Thing\n' >policy
	ck 1 scan --policy policy given.pkl
	prints "odd-arguments"
	ck 1 scan --policy policy changed.pkl
	prints "changed-global"
}

story_what_is_suppressed_shows() {
	four t
	printf 'allow own.things.Thing\n' >policy
	ck 0 scan -q --policy policy t/u.pkl t/s.pkl
	golden <<-'END'
		accepted   t/u.pkl                                 pickle, 21 B
		  suppressed          1 finding, by the policy; -v shows it
	END
	ck 0 scan --json --policy policy t/u.pkl
	json 'assert lines[0]["verdict"] == "safe", lines'
	ck 0 scan --policy policy t/u.pkl t/s.pkl
	says "2 files: 1 accepted, 1 safe; 1 finding suppressed in 1 file"
	ck 0 scan -v --policy policy t/u.pkl
	prints "suppressed by the policy"
	prints_not "baseline"
	"$ckconv" scan --json t/d.pkl >known 2>stderr
	ck 0 scan --baseline known t/d.pkl t/s.pkl
	prints "2 findings, by the baseline; -v shows them"
	ck 0 scan -v --baseline known t/d.pkl
	prints "accepted   t/d.pkl                                 pickle, 26 B"
	prints "2 findings, by the baseline"
	prints "suppressed by the baseline"
	prints_not "policy"
}

story_a_policy_that_cannot_be_understood_is_an_error() {
	safe s.pkl
	printf 'allow a.b\nperhaps c.d\n' >policy
	refused 2 scan --policy policy s.pkl
	says "line 2"
	printf 'allow os.system\n' >policy
	refused 2 scan --policy policy s.pkl
	refused 2 scan --policy nothing s.pkl
	refused 2 scan --baseline nothing s.pkl
}

# Whatever the name: with these everything can be done. The list is that of torch, and more.
story_some_modules_can_never_be_allowed() {
	local name
	safe s.pkl
	for name in sys.x os.x posix.x nt.x builtins.x io.x threading.x types.x inspect.x \
	            platform.x tempfile.x operator.x codecs.x copyreg.x _codecs.x pickle.x \
	            __builtin__.x copy_reg.x cPickle.x sys.own.x os.path.x builtins.own.x \
	            _codecs.encode copyreg.add_extension copy_reg.add_extension builtins.int \
	            __builtin__.int types.SimpleNamespace operator.getitem threading.Lock; do
		echo "allow $name" >policy
		refused 2 scan --policy policy s.pkl
		says "can never be allowed: '$name'"
	done
	echo "allow builtins.x" >policy
	refused 2 scan --policy policy s.pkl
	says "sys, os, posix, nt, builtins"
	echo "allow system.Harmless" >policy
	ck 0 scan --policy policy s.pkl
}

# What is dangerous by its name, and what is in no module of that kind, but runs code of the file.
story_what_does_harm_can_never_be_allowed() {
	local name
	safe s.pkl
	for name in subprocess.Popen runpy.run_path torch.hub.load \
	            torch.fx.graph_module.reduce_graph_module \
	            torch.fx.graph_module.reduce_deploy_graph_module \
	            torch.fx.graph_module.reduce_package_graph_module \
	            torch_utils.persistence._reconstruct_persistent_obj; do
		echo "allow $name" >policy
		refused 2 scan --policy policy s.pkl
		says "this is known to do harm, and can never be allowed: '$name'"
	done
}

# reconstructor FILE CLASS BASE: copy_reg._reconstructor(CLASS, BASE, None), names as in a pickle.
reconstructor() {
	printf '\x80\x02ccopy_reg\n_reconstructor\nc%b\nc%b\nN\x87R.' "$2" "$3" >"$1"
}

# What is called by them is judged all the same.
story_what_is_unknown_can_be_allowed() {
	printf '\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n.' >joblib.pkl
	ck 4 scan joblib.pkl
	echo "allow joblib.numpy_pickle.NumpyArrayWrapper" >policy
	ck 0 scan --policy policy joblib.pkl
	reconstructor o.pkl 'own.things\nThing' '__builtin__\nobject'
	ck 4 scan o.pkl
	echo "allow copy_reg._reconstructor" >policy
	ck 4 scan --policy policy o.pkl
	echo "allow own.things.Thing" >>policy
	ck 0 scan --policy policy o.pkl
	reconstructor r.pkl 'own.things\nrun_it' '__builtin__\nobject'
	reconstructor b.pkl 'own.things\nThing' 'own.things\nrun_it'
	ck 1 scan b.pkl
	echo "allow own.things.run_it" >>policy
	ck 1 scan --policy policy b.pkl
	reconstructor h.pkl 'os\nsystem' '__builtin__\nobject'
	ck 1 scan --policy policy h.pkl
	prints "dangerous-call      copy_reg._reconstructor"
}

story_allowed_names_show_and_those_that_nothing_names_are_told() {
	unknown u.pkl
	printf 'allow own.things.Thing\n\nallow own.things.Nothing\n' >policy
	ck 0 scan -v --policy policy u.pkl
	prints "  global   allowed    own.things.Thing, imported, 1 time"
	says "policy: line 3: nothing that was scanned names 'own.things.Nothing'"
	says_not "line 1"
	ck 0 scan --policy policy u.pkl
	says_not "line 3"
}

story_names_in_a_policy_have_no_quotes() {
	local name
	safe s.pkl
	for name in '"own.Thing"' "'own.Thing'" 'own."Thing"'; do
		echo "allow $name" >policy
		refused 2 scan --policy policy s.pkl
		says "line 1: names are written without quotes, unlike '"
		echo "deny $name" >policy
		refused 2 scan --policy policy s.pkl
	done
}

# By the name in the pickle, and by that which Python 3 gives it.
story_a_policy_denies_names_old_and_new() {
	local name
	printf '\x80\x02cUserDict\nUserDict\n.' >u.pkl
	ck 4 scan u.pkl
	for name in UserDict.UserDict collections.UserDict 'UserDict.*'; do
		echo "deny $name" >policy
		ck 1 scan --policy policy u.pkl
	done
	echo "allow UserDict.UserDict" >policy
	ck 0 scan --policy policy u.pkl
}

story_a_baseline_of_a_call_hides_no_other_in_the_file() {
	printf '\x80\x02cos\nsystem\nq\0X\x04\0\0\0true\x85R.' >one.pkl
	printf '\x80\x02cos\nsystem\nq\0X\x04\0\0\0true\x85R0h\0X\x05\0\0\0false\x85R.' >one_two.pkl
	ck 1 scan --json one.pkl
	mv stdout known
	ck 0 scan --baseline known one.pkl
	ck 1 scan --baseline known --json one_two.pkl
	json 'calls = [f for f in lines[0]["findings"] if f["rule"] == "dangerous-call"]
assert sorted(f["arguments"] for f in calls) == ["'"'"'false'"'"'", "'"'"'true'"'"'"], lines'
}

story_a_policy_knows_the_calendar() {
	local date
	safe s.pkl
	for date in 2027-13-01 2027-00-01 2027-01-32 2027-01-00 27-01-01 2027-1-1 2027-01-01x \
			2027-02-29 2027-02-31 2027-04-31 2100-02-29 2027-01 2027-01- now; do
		echo "allow own.things.Thing expires $date" >policy
		refused 2 scan --policy policy s.pkl
		says "a date is written like"
	done
	for date in 2027-02-28 2028-02-29 2400-02-29 2027-12-31; do
		echo "allow own.things.Thing expires $date" >policy
		ck 0 scan --policy policy s.pkl
	done
	echo "allow own.things.Thing expires $(date -u +%F)" >policy
	unknown u.pkl
	ck 0 scan --policy policy u.pkl
	echo "allow own.things.Thing expires $(date -u -d yesterday +%F)" >policy
	ck 4 scan --policy policy u.pkl
	says "has expired"
}

# An allowance that ends shows by its findings, a denial that ends would show by nothing.
story_a_denial_that_has_expired_is_told_to_the_quiet() {
	unknown u.pkl
	echo "deny own.things.Thing expires $(date -u +%F)" >policy
	ck 1 scan -q --policy policy u.pkl
	echo "deny own.things.Thing expires $(date -u -d yesterday +%F)" >policy
	ck 4 scan -q --policy policy u.pkl
	says "line 1: 'deny own.things.Thing' has expired and does not count"
	echo "allow own.things.Thing" >>policy
	ck 0 scan --policy policy u.pkl
}

story_a_baseline_is_a_former_scan() {
	four t
	ck 1 scan --json t
	mv stdout known
	ck 0 scan --baseline known t/d.pkl t/u.pkl
	ck 1 scan --baseline known "$data/hostile/eval.pt"
}

# Whoever may change a file cannot hide behind what is known of it: another command in another
# pickle, beside the known one, within other brackets, or where only its length is shown.
story_a_baseline_knows_only_what_it_saw() {
	python -c '
import pickle
class Call:
    def __init__(self, *args): self.args = args
    def __reduce__(self): return eval, self.args
def write(name, *calls):
    with open(name, "wb") as file: file.write(pickle.dumps(list(calls), 2))
write("known", Call("1", {"a": [[1], 2]}), Call("x" * 99, {}))
write("other", Call("2", {"a": [[1], 2]}))
write("beside", Call("1", {"a": [[1], 2]}), Call("2", {}))
write("brackets", Call("1", {"a": [[1, 2]]}))
write("long", Call("x" * 98 + "y", {}))
write("floats", Call("1", {"a": [[1.0], 2]}))
write("flags", Call("1", {"a": [[True], 2]}))
write("huge", Call("x" * (20 << 20), {}))'
	ck 1 scan --json known
	mv stdout baseline
	ck 0 scan --baseline baseline known
	for file in other beside brackets long floats flags huge; do
		ck 1 scan --baseline baseline $file
	done
	ck 1 scan --json huge
	mv stdout baseline
	ck 1 scan --baseline baseline huge
	prints "dangerous-call"
	prints_not "dangerous-import"
}

story_changes_are_known_with_what_they_change() {
	local value
	for value in 1 2; do
		printf "\x80\x02cbuiltins\nint\n}X\x01\x00\x00\x00aK\x0$value" >$value.pkl
		printf 'sb.' >>$value.pkl
	done
	ck 1 scan --json 1.pkl
	json 'assert [f["rule"] for f in lines[0]["findings"]] == ["changed-global"], lines'
	mv stdout baseline
	ck 0 scan --baseline baseline 1.pkl
	ck 1 scan --baseline baseline 2.pkl
}

story_a_baseline_that_cannot_be_understood_is_an_error() {
	dangerous d.pkl
	printf '0123456789abcdef\n' >b
	refused 2 scan --baseline b d.pkl
	says "line 1: a fingerprint has 32 hexadecimal digits, unlike '0123456789abcdef'"
	printf '{"schema":1,"findings":[{"fingerprint":"0123456789abcdef"}]}\n' >b
	refused 2 scan --baseline b d.pkl
	says "unlike '0123456789abcdef'"
	printf '%s\n' '# of today' 0123456789abcdef0123456789abcdef >b
	ck 1 scan --baseline b d.pkl
}

story_nobody_is_told_to_add_what_a_baseline_hides() {
	printf 'cbuiltins\neval\n.' >a.pkl
	ck 1 scan --json a.pkl
	cp stdout base.json
	ck 0 scan --json --baseline base.json a.pkl
	prints '"add_safe_globals":null'
	ck 0 scan -v --baseline base.json a.pkl
	prints_not add_safe_globals
}

story_a_baseline_of_other_json_is_refused() {
	printf 'cbuiltins\neval\n(S"1"\ntR.' >a.pkl
	ck 1 scan --sarif a.pkl
	cp stdout base.json
	ck 2 scan --baseline base.json a.pkl
	says "this is JSON, but no line of ckconv scan --json"
	printf '{}\n' >base.json
	ck 2 scan --baseline base.json a.pkl
	printf '[\n]\n' >base.json
	ck 2 scan --baseline base.json a.pkl
}
