# Stories of `ckconv scan`: verdicts and statuses.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


story_each_verdict_has_its_status() {
	four t
	ck 1 scan t/d.pkl
	prints "dangerous"
	ck 3 scan t/m.pkl
	prints "malformed"
	ck 4 scan t/u.pkl
	prints "unknown"
	ck 0 scan t/s.pkl
	prints "safe"
	ck 2 scan t/nothing.pkl
	silent stdout
	says "t/nothing.pkl: "
}

story_the_worst_status_of_several_wins() {
	four t
	ck 1 scan t/s.pkl t/u.pkl t/m.pkl t/nothing t/d.pkl
	ck 1 scan t/d.pkl t/nothing t/m.pkl t/u.pkl t/s.pkl
	ck 2 scan t/s.pkl t/nothing t/m.pkl t/u.pkl
	ck 3 scan t/s.pkl t/m.pkl t/u.pkl
	ck 3 scan t/u.pkl t/m.pkl t/s.pkl
	ck 4 scan t/s.pkl t/u.pkl t/s.pkl
	ck 0 scan t/s.pkl t/s.pkl
}

# What was found until the books on it are full is told, however much of the file is left.
story_what_was_found_outlives_the_limit_of_memory() {
	python3 - "$data" <<-'END'
		import sys, zipfile
		sys.path.insert(0, sys.argv[1])
		from craft import *
		with zipfile.ZipFile("full.zip", "w") as out:
		    out.writestr("a.pkl", pickle(call(name("os", "system"), text("true"))))
		    for i in range(300):
		        names = [name("m" * 90, "x%d_%d" % (i, j)) for j in range(15)]
		        out.writestr("b%d.pkl" % i, pickle(list_of(*names)))
	END
	ck 1 scan full.zip
	ck 1 scan --limit heap=1M --json full.zip
	prints '"rule":"dangerous-call"'
	prints '"rule":"over-limit"'
	prints '"complete":false'
	ck 1 scan --limit heap=1M --sandbox=off --fail-on dangerous full.zip
	ck 1 --limit heap=1M full.zip out/model.safetensors
	says "os.system"
}

story_fail_on_says_from_where_the_status_is_not_0() {
	local from file status
	four t
	while read -r from file status; do
		ck "$status" scan --fail-on "$from" "t/$file"
	done <<-'END'
		dangerous d.pkl 1
		dangerous m.pkl 0
		dangerous u.pkl 0
		dangerous s.pkl 0
		dangerous nothing 2
		malformed d.pkl 1
		malformed m.pkl 3
		malformed u.pkl 0
		malformed s.pkl 0
		malformed nothing 2
		unknown d.pkl 1
		unknown m.pkl 3
		unknown u.pkl 4
		unknown s.pkl 0
	END
}

story_formats_do_not_change_the_status() {
	local how
	four t
	for how in --json --sarif -q -v --sandbox=off; do
		ck 1 scan $how t
		ck 4 scan $how t/u.pkl
		ck 2 scan $how t/nothing
	done
}

# A reason names what is wrong, which may be what a harmless function is given.
story_a_reason_names_what_is_unknown() {
	local start='\x80\x02cnumpy.core.multiarray\n_reconstruct\n'
	printf "${start}cown.things\nArray\nK\0\x85U\1b\x87R." >u.pkl
	ck 4 scan --json u.pkl
	prints "numpy.core.multiarray._reconstruct is given own.things.Array,"
	printf "${start}cposix\nsystem\nK\0\x85U\1b\x87R." >d.pkl
	ck 1 scan --json d.pkl
	prints "numpy.core.multiarray._reconstruct is given posix.system, which"
	printf '\x80\x02ccloudpickle.cloudpickle\nsubimport\nX\2\0\0\0os\x85R.' >c.pkl
	ck 1 scan --json c.pkl
	prints "cloudpickle.cloudpickle.subimport loads or installs other code"
}

# As Python writes them, so that nobody reads an end where there is none.
story_arguments_are_quoted_as_python_does() {
	python -c '
import pickle, json
class Call:
    def __init__(self, *args): self.args = args
    def __reduce__(self): return eval, self.args
cases = [("it'"'"'s",), ("say \"x\"",), ("it'"'"'s \"x\"",), (b"it'"'"'s",), ((2,),), ((),),
         ((2, 3),), ([2],), (("a",), "b")]
for i, args in enumerate(cases):
    with open("%d.pkl" % i, "wb") as file: file.write(pickle.dumps(Call(*args), 4))
json.dump([", ".join(map(repr, args)) for args in cases], open("wanted", "w"))'
	ck 1 scan --json ?.pkl
	json 'told = [f["arguments"] for line in lines for f in line["findings"] if f["arguments"]]
assert told == json.load(open("wanted")), told'
}

# What refuses it, and what does not: both are told.
story_a_tar_that_begins_with_no_header_says_who_reads_it() {
	ck 1 scan --json "$data/hostile/tar_first_wrong.tar"
	prints "begins with bytes that are no header: Python and torch refuse it, but GNU tar"
	ck 1 scan --json "$data/hostile/tar_behind_noise.tar"
	prints "an entry follows bytes that are no header; GNU tar goes on and finds it"
	head -c 1536 "$data/hostile/tar_first_wrong.tar" >first.tar
	ck 3 scan --json first.tar
	prints "the checksum of the first tar header is wrong, and none follows"
}
