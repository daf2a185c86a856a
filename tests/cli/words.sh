# What stories are made of: words for what ckconv must do and say. run.sh reads them.
# shellcheck shell=bash disable=SC2086,SC2120,SC2119,SC2154 # what run.sh sets


fail() {
	printf '%s\n' "$*"
	exit 1
}

skip() {
	printf '%s\n' "$*"
	exit $SKIPPED
}

# ck STATUS ARGUMENTS...: runs ckconv, which must end with that status.
ck() {
	local want=$1 got
	shift
	"$ckconv" "$@" </dev/null >stdout 2>stderr
	got=$?
	[ "$got" -eq "$want" ] ||
		fail "ckconv $* ended with status $got, not $want: $(head -c 300 stderr)"
}

says() {
	grep -qF -- "$1" stderr || fail "stderr does not say \"$1\": $(head -c 300 stderr)"
}

says_not() {
	! grep -qF -- "$1" stderr || fail "stderr says \"$1\": $(head -c 300 stderr)"
}

# An error is one line; it begins with the name of the program.
one_line() {
	[ "$(wc -l <stderr)" -eq 1 ] || fail "stderr has not one line: $(head -c 400 stderr)"
	[ "$(head -c 8 stderr)" = "ckconv: " ] || fail "no \"ckconv: \" first: $(cat stderr)"
}

# Text from files must not reach a terminal as it is.
printable() {
	! grep -q '[[:cntrl:]]' stderr || fail "control characters in stderr: $(cat -v stderr)"
}

silent() {
	[ ! -s "$1" ] || fail "$1 is not empty: $(head -c 300 "$1")"
}

same() {
	cmp -s "$1" "$2" || fail "$1 differs from $2: $(cmp "$1" "$2" 2>&1)"
}

# Nothing in out/, hidden files and all, but the files that are named.
only() {
	local left
	left=$(cd out && find . -mindepth 1 | sort | sed 's,^\./,,' | tr '\n' ' ')
	[ "$left" = "${*:+$* }" ] || fail "out/ holds \"$left\", not \"${*:+$* }\""
}

# refused STATUS ARGUMENTS...: one sentence, and no file.
refused() {
	ck "$@"
	one_line
	printable
	silent stdout
	only
}

good() {
	printf '%s/good/%s.pt' "$data" "$1"
}

wanted() {
	printf '%s/good/%s.safetensors' "$data" "$1"
}

# The first error of Python as the reason to fail.
python() {
	python3 "$@" 2>python.log || fail "$(tail -n 1 python.log)"
}

# Lets a command run as somebody who is not root; prints nothing and fails where that is impossible.
as_nobody() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
	else
		setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"
	fi
}
