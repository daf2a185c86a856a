#!/bin/sh
# run.sh CKCONV: real torch writes checkpoints, ckconv converts them, torch and the reference
# library judge the result; see README.md. Needs what setup.sh makes: without, all is skipped
# (status 77), which CKCONV_INTEROP_REQUIRED=1 makes a failure. CKCONV_INTEROP_SEED=TEXT gives other
# values; CKCONV_INTEROP_ONLY=REGEX runs only the cases that are named so.

# shellcheck disable=SC2317 # what stage calls is not seen to be called
set -eu

here=$(cd "$(dirname "$0")" && pwd)
passed=0 failed=0

fail() {
	echo "FAILED $*"
	failed=$((failed + 1))
}

finish() {
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && exit 0
	exit 1
}

skip() {
	if [ "${CKCONV_INTEROP_REQUIRED:-}" = 1 ]; then
		fail "$* (CKCONV_INTEROP_REQUIRED)"
		finish
	fi
	echo "skipped: $*"
	exit 77
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Python with the old torch, and with the new one; both see the same files under other names. Which
# bits a NaN gets depends on the processor, unless torch is told to use nothing special of it.
old() {
	script=$1
	shift
	env PYTHONDONTWRITEBYTECODE=1 ATEN_CPU_CAPABILITY=default \
		CKCONV_INTEROP_SEED="${CKCONV_INTEROP_SEED:-}" \
		CKCONV_INTEROP_ONLY="${CKCONV_INTEROP_ONLY:-}" /usr/bin/python3 "$work/$script" "$@"
}

# A library behind torch complains on stdout that there is no /proc, unless told not to.
new() {
	script=$1
	shift
	as_root chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 \
		HOME="$inside" TMPDIR="$inside" PYTHONDONTWRITEBYTECODE=1 UCX_LOG_LEVEL=fatal \
		ATEN_CPU_CAPABILITY=default \
		CKCONV_INTEROP_SEED="${CKCONV_INTEROP_SEED:-}" \
		CKCONV_INTEROP_ONLY="${CKCONV_INTEROP_ONLY:-}" python3 "$inside/$script" "$@"
}

# ckconv with the C library of the chroot; what else it is linked with comes along.
ckconv_inside() {
	as_root chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin LD_LIBRARY_PATH="$inside/bin" \
		"$inside/bin/ckconv" "$@"
}

# The sandbox holds for the calls that the newer C library makes: files of testdata are converted
# there, unpacked on the way, and one by several threads; and scanned.
confined() {
	good=0 bad=0 data=$here/../../testdata
	mkdir "$work/bin" "$work/in"
	ldd "$ckconv" | awk '$3 ~ /^\// && $1 !~ /^lib(c|m|dl|rt|pthread)\.so/ { print $3 }' |
		xargs cp -L -t "$work/bin" "$ckconv"
	cp "$data"/good/*.pt "$data"/good/*.gz "$work/in"
	python3 "$here/../cli/big.py" "$data" "$work/in/big.pt" 16
	for file in big.pt state_dict.pt deflated.pt legacy.pt tar.pt gzip.pt.gz model.tar.gz \
		script.pt; do
		"$ckconv" -q "$work/in/$file" "$work/outside.safetensors"
		if ckconv_inside -q -j 4 --sandbox=require "$inside/in/$file" \
			"$inside/in/x.safetensors" &&
		   ckconv_inside scan -q --sandbox=require --fail-on dangerous \
			"$inside/in/$file" &&
		   cmp "$work/outside.safetensors" "$work/in/x.safetensors"; then
			good=$((good + 1))
		else
			echo "FAILED $file with the C library of the chroot"
			bad=$((bad + 1))
		fi
		as_root rm -f "$work/in/x.safetensors"
	done
	echo "$good passed, $bad failed"
}

# onnxruntime does not start where it cannot read what the processor is; torch reckons otherwise
# where it can, so that only onnxruntime sees it.
show_processor() {
	[ ! -s "$root/proc/cpuinfo" ] || return 0
	as_root mkdir -p "$root/proc" "$root/sys/devices/system/cpu" &&
		as_root cp /proc/cpuinfo "$root/proc/cpuinfo" &&
		as_root cp /sys/devices/system/cpu/possible /sys/devices/system/cpu/present \
			"$root/sys/devices/system/cpu"
}

hide_processor() {
	! mountpoint -q "$root/proc" && ! mountpoint -q "$root/sys" || return 0
	as_root rm -f "$root/proc/cpuinfo" "$root/sys/devices/system/cpu/possible" \
		"$root/sys/devices/system/cpu/present" || true
}

# stage NAME COMMAND...: its output goes to a file, to be counted later.
stage() {
	name=$1
	shift
	"$@" >"$work/$name.log" 2>&1 || echo "it ended with status $?" >>"$work/$name.log"
}

# Adds up what the checks of a stage say on their last line. A stage without one broke down.
count() {
	sums=$(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$work/$1.log")
	if [ -z "$sums" ]; then
		tail -n 15 "$work/$1.log"
		fail "$1 broke down, see above"
		return
	fi
	grep '^FAILED' "$work/$1.log" || true
	passed=$((passed + ${sums% *})) failed=$((failed + ${sums#* }))
}

if [ $# != 1 ] || [ ! -x "$1" ]; then
	echo "usage: run.sh CKCONV" >&2
	exit 2
fi
ckconv=$(realpath "$1")
root=$("$here/setup.sh" --check) || skip "tests/interop/setup.sh did not run, or made no chroot"
[ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1 ||
	skip "a chroot needs root: run as root, or install sudo"

work=$(mktemp -d "$root/tmp/ckconv-interop.XXXXXX")
trap 'rm -rf "$work"; hide_processor' EXIT
hide_processor
trap 'exit 130' INT TERM
inside=/tmp/$(basename "$work")
mkdir -p "$work/old/out" "$work/new/out" "$work/old/diff" "$work/new/diff" "$work/several"
cp "$here"/*.py "$work"

stage write-old old write.py "$work/old" &
stage write-new new write.py "$inside/new"
wait
count write-old
count write-new
stage confined confined
count confined
stage convert-old old convert.py "$ckconv" "$work/old"
stage convert-new old convert.py "$ckconv" "$work/new"
count convert-old
count convert-new
stage judge-old new judge.py "$inside/old" &
stage judge-new new judge.py "$inside/new"
wait
count judge-old
count judge-new
stage diff-write-old old diff_write.py "$work/old/diff" &
stage diff-write-new new diff_write.py "$inside/new/diff"
wait
stage diff-old old diff_judge.py "$ckconv" "$work/old/diff"
stage diff-new old diff_judge.py "$ckconv" "$work/new/diff"
for name in diff-write-old diff-write-new diff-old diff-new; do
	count "$name"
done
stage several-write-old old several.py write "$work/several/old" &
stage several-write-new new several.py write "$inside/several/new"
wait
stage several-convert-old old several.py convert "$ckconv" "$work/several/old" &
stage several-convert-new old several.py convert "$ckconv" "$work/several/new"
wait
stage several-old new several.py judge "$inside/several/old" &
stage several-new new several.py judge "$inside/several/new"
wait
for name in write-old write-new convert-old convert-new old new; do
	count "several-$name"
done
if ! "$ckconv" --to onnx "$work/none" "$work/none.onnx" 2>&1 | grep -q "without ONNX"; then
	stage onnx-write-old old onnx_write.py "$ckconv" "$work/old" &
	stage onnx-write-new old onnx_write.py "$ckconv" "$work/new"
	wait
	stage onnx-old old onnx_judge.py onnx "$work/old" &
	stage onnx-new new onnx_judge.py onnx "$inside/new"
	wait
	for name in onnx-write-old onnx-write-new onnx-old onnx-new; do
		count "$name"
	done
	if show_processor && new onnx_judge.py onnxruntime --starts >/dev/null 2>&1; then
		stage onnxruntime-old new onnx_judge.py onnxruntime "$inside/old" &
		stage onnxruntime-new new onnx_judge.py onnxruntime "$inside/new"
		wait
		count onnxruntime-old
		count onnxruntime-new
	else
		echo "skipped: onnxruntime does not start in the chroot"
	fi
fi
finish
