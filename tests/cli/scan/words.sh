# What the stories of `ckconv scan` and `ckconv dis` share; words.sh of the folder above has the
# rest. $PAGES is the folder of the manual pages.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets
#
# The files are made here, so that what must be said of them is known: each of the first four gets
# the verdict that it is named for by what the manual page says of verdicts.

dangerous() { printf "cposix\nsystem\n(S'true'\ntR." >"$1"; }
unknown() { printf '\x80\x02cown.things\nThing\n.' >"$1"; }
malformed() { printf '\x80\x02ccollections\nOrderedDict\n' >"$1"; }
safe() { printf '\x80\x02}X\x01\x00\x00\x00aK\x01s.' >"$1"; }

four() {
	mkdir -p "$1"
	dangerous "$1/d.pkl"
	unknown "$1/u.pkl"
	malformed "$1/m.pkl"
	safe "$1/s.pkl"
}

# A zip with one stored member of that name and the bytes of a file.
zip_of() { # zip_of ZIP MEMBER FILE
	python -c 'import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z: z.write(sys.argv[3], sys.argv[2])' "$@"
}

# json CODE: runs Python over the lines of stdout, as a list of objects called `lines`.
json() {
	python -c "import json, sys
lines = [json.loads(line) for line in open('stdout', 'rb').read().decode('utf-8').splitlines()]
$1"
}

# sarif CODE: the same with the SARIF document, checked first, as `document` and its `run`.
sarif() {
	python "$here/sarif.py" stdout >checked
	python -c "import json, sys, urllib.parse
document = json.load(open('stdout'))
run, = document['runs']
$1"
}

prints() {
	grep -qF -- "$1" stdout || fail "stdout does not say \"$1\": $(head -c 600 stdout)"
}

prints_not() {
	! grep -qF -- "$1" stdout || fail "stdout says \"$1\": $(head -c 600 stdout)"
}

# The standard output, to the byte, but for blanks at the ends of lines.
golden() {
	sed 's/ *$//' stdout >got
	cat >want
	diff want got >difference || fail "it prints otherwise: $(cat difference)"
}
