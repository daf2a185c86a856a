#!/bin/sh
# Watches real conversions with strace: the process that reads the file has limits, and once its
# filter is loaded, it makes no call that takes a name, makes a descriptor or reaches out; and
# without the sandbox the same watch sees that files are opened.
#
# usage: calls.sh CKCONV TESTDATA

ckconv=$1 data=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

strace -f -o "$tmp/trace" true 2>/dev/null && [ -s "$tmp/trace" ] || {
	echo "skipped: strace is not installed, or may trace nothing here"
	exit 77
}

reaches='open|openat|openat2|creat|stat|lstat|statx|access|faccessat2?|readlink|readlinkat'
reaches="$reaches|unlink|unlinkat|rename|renameat2?|link|linkat|symlink|mkdir|mkdirat|chmod|fchmod"
reaches="$reaches|socket|connect|sendto|sendmsg|pipe2?|dup[23]?|memfd_create|execve|fork|vfork"
reaches="$reaches|kill|ptrace|fcntl|ioctl|prctl"

# watch FILE OPTION...: everything that process does after its filter was loaded
watch() {
	file=$1
	shift
	strace -f -o "$tmp/trace" "$ckconv" -q --no-fsync "$@" "$file" "$tmp/out.safetensors" || {
		echo "$file: the conversion fails under strace"
		failed=$((failed + 1))
		return
	}
	# the filter is loaded by the one seccomp call that gives 0; threads come later
	reader=$(sed -n 's/^\([0-9]*\) *seccomp(.*) = 0$/\1/p' "$tmp/trace")
	[ "$(echo "$reader" | wc -w)" -eq 1 ] || {
		echo "$file: no filter is loaded"
		failed=$((failed + 1))
		return
	}
	# so much as its size allows may be written, and so long may it take
	grep -q "^$reader .*RLIMIT_FSIZE, {rlim_cur=[1-9]" "$tmp/trace" &&
		grep -q "^$reader .*RLIMIT_CPU, {rlim_cur=[1-9]" "$tmp/trace" || {
		echo "$file: no limits are set"
		failed=$((failed + 1))
		return
	}
	# the other walls, and the ends that the two processes have in common
	for wall in 'RLIMIT_NOFILE, {rlim_cur=0, rlim_max=0}' \
		'RLIMIT_CORE, {rlim_cur=0, rlim_max=0}' \
		'landlock_restrict_self(' 'prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE' \
		'prctl(PR_SET_PDEATHSIG, SIGKILL'; do
		grep -q "^$reader .*$wall" "$tmp/trace" || {
			echo "$file: there is no call of $wall"
			failed=$((failed + 1))
			return
		}
	done
	parent=$(head -1 "$tmp/trace" | cut -d ' ' -f 1)
	awk -v parent="$parent" 'loaded && $1 != parent; /seccomp\(.*= 0$/ { loaded = 1 }' \
		"$tmp/trace" >"$tmp/after"
	if found=$(grep -E "^[0-9]+ +($reaches)\(" "$tmp/after"); then
		printf '%s: after the lock-down:\n%s\n' "$file" "$found"
		failed=$((failed + 1))
	elif ! grep -q 'pread64(' "$tmp/after" || ! grep -q 'pwrite64(' "$tmp/after"; then
		echo "$file: nothing was read and written after the lock-down"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
}

for name in state_dict.pt deflated.pt gzip.pt.gz model.tar.gz zips.distcp legacy.pt tar.pt \
	script.pt several.pkl deflated_objects.npz joblib_objects.joblib; do
	watch "$data/good/$name"
done
watch "$data/good/deflated_sparse.pt" --densify
watch "$data/good/training.pt" --extras "$tmp/extras.json"
python3 "$data/../tests/cli/big.py" "$data" "$tmp/big.pt" 16 && watch "$tmp/big.pt" -j 4

strace -f -o "$tmp/trace" "$ckconv" -q --sandbox=off "$data/good/gzip.pt.gz" "$tmp/out.safetensors"
if grep -q 'seccomp(' "$tmp/trace" || ! grep -q 'O_TMPFILE' "$tmp/trace"; then
	echo "the watch is blind, or --sandbox=off is not off"
	failed=$((failed + 1))
else
	passed=$((passed + 1))
fi

# lacking NAME CALL:HOW SHOWN: where the system has no such wall, --sandbox=require does nothing,
# and auto does the work and says under -v what it lacks
lacking() {
	if strace -f -o "$tmp/trace" -e "inject=$2" "$ckconv" -q --sandbox=require \
		"$data/good/state_dict.pt" "$tmp/required.safetensors" 2>"$tmp/said" ||
	   [ -e "$tmp/required.safetensors" ] || ! grep -q "this system has no $1" "$tmp/said" ||
	   ! strace -f -o "$tmp/trace" -e "inject=$2" "$ckconv" -v "$data/good/state_dict.pt" \
		"$tmp/out.safetensors" 2>"$tmp/said" ||
	   ! grep -q "sandbox:.* no $3" "$tmp/said"; then
		echo "without $1: $(head -c 300 "$tmp/said")"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
}

lacking "seccomp filter" seccomp:error=EINVAL seccomp
lacking Landlock landlock_create_ruleset:error=ENOSYS Landlock
lacking Landlock landlock_restrict_self:error=EPERM Landlock
lacking limits prlimit64:error=EPERM:when=2+ rlimits

echo "$passed passed, $failed failed"
[ $failed = 0 ]
