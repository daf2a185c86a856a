#!/bin/sh
# Lets every single allocation, read, write and rename of a conversion fail, one run for each: ckconv
# must end with status 2 and a sentence, and leave no file; or, where it has another way, with the
# right file.
#
# usage: run.sh CKCONV FAULT_LIBRARY INPUT EXPECTED [OPTION...]

ckconv=$1 library=$2 input=$3 expected=$4
shift 4
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/out"
passed=0 failed=0

bad() {
	failed=$((failed + 1))
	echo "$1"
}

for name in malloc calloc realloc pthread_create pread64 pwrite64 fallocate64 fsync fork pipe2 linkat renameat2 openat64 open64; do
	n=0
	while :; do
		n=$((n + 1))
		rm -f "$tmp"/out/* "$tmp"/out/.[!.]*
		head -c 128 /dev/zero >"$tmp/mark"
		CK_FAULT=$name:$n CK_FAULT_MARK=$tmp/mark LD_PRELOAD=$library \
			"$ckconv" "$@" --extras "$tmp/out/extras.json" "$input" "$tmp/out/out.safetensors" 2>"$tmp/err"
		status=$?
		[ "$(head -c 1 "$tmp/mark")" = x ] || break # there is no n-th call
		left=$(ls -A "$tmp/out")
		if [ $status = 0 ] && ! cmp -s "$expected" "$tmp/out/out.safetensors"; then
			bad "$name:$n: status 0, but the output is wrong"
		elif [ $status = 127 ]; then
			continue # the loader itself ran out of memory
		elif [ $status != 0 ] && [ $status != 2 ]; then
			bad "$name:$n: status $status: $(cat "$tmp/err")"
		elif [ $status = 2 ] && ! grep -q '^ckconv: .' "$tmp/err"; then
			bad "$name:$n: failed without a sentence: $(cat "$tmp/err")"
		elif grep -q 'in its place, but its folder' "$tmp/err" &&
			cmp -s "$expected" "$tmp/out/out.safetensors"; then
			passed=$((passed + 1)) # renamed before the last fsync failed
		elif [ $status = 2 ] && [ -n "$left" ]; then
			bad "$name:$n: left behind: $left ($(cat "$tmp/err"))"
		else
			passed=$((passed + 1))
		fi
	done
	case $name in
	realloc | pthread_create) ;; # libraries and large files only
	fork | pipe2) case " $* " in *" --sandbox=off "*) continue ;; esac; [ $n -gt 1 ] || bad "$name is never called" ;;
	*) [ $n -gt 1 ] || bad "$name is never called: the sweep tests nothing" ;;
	esac
done

echo "$passed passed, $failed failed"
[ $failed = 0 ]
