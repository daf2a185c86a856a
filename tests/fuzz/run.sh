#!/bin/sh
# Fuzzes for real: builds a target for a fuzzer and lets it search; ends with a status other than 0
# if it found something, which then lies in BUILD_DIR.
#
# usage: run.sh TARGET SECONDS [ENGINE [BUILD_DIR]]
#
# TARGET is one of the files fuzz_TARGET.c, or "all": each of them, two at a time.
# ENGINE is libfuzzer (clang, libclang-rt-14-dev; the default) with AddressSanitizer and
# UndefinedBehaviorSanitizer, or afl (AFL++), which runs without them, and some times faster. What
# they find on the way goes to BUILD_DIR/corpus-TARGET, or to that of the folder CKCONV_FUZZ_FOUND,
# and the next run begins there.
# CKCONV_CORPUS names a folder of further seeds: real checkpoints of less than 64 kB.

set -eu
cd "$(dirname "$0")/../.."
[ $# -ge 2 ] || { sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
target=$1 seconds=$2 engine=${3:-libfuzzer} build=${4:-build-fuzz-${3:-libfuzzer}}
found=${CKCONV_FUZZ_FOUND:-$build}/corpus-$target

case $engine in
libfuzzer) compiler=clang sanitize=address,undefined extra=-fno-sanitize-recover=all ;;
afl) compiler=afl-clang-fast sanitize=none extra= ;;
*)
	echo "there is no engine '$engine': libfuzzer, afl" >&2
	exit 2
	;;
esac

[ -f "$build/build.ninja" ] ||
	CC=$compiler meson setup "$build" -Dfuzz=true -Dtests=disabled -Db_sanitize=$sanitize \
		-Db_lundef=false -Dbuildtype=debugoptimized -Dc_args=$extra >&2

if [ "$target" = all ]; then
	ninja -C "$build" >"$build/ninja.log" || { cat "$build/ninja.log" >&2; exit 2; }
	# one log each, shown where something was found
	# shellcheck disable=SC2016 # the inner shell expands them
	printf '%s\n' tests/fuzz/fuzz_*.c | sed 's/.*fuzz_\(.*\)\.c/\1/' | xargs -P 2 -I@ sh -c '
		if "$0" @ "$1" "$2" "$3" >"$3/fuzz-@.log" 2>&1; then
			runs="^(stat::)?(execs_done|number_of_executed_units)"
			echo "@: $(grep -E "$runs" "$3/fuzz-@.log" | tr -s " ")"
		else
			cat "$3/fuzz-@.log"
			echo "@: something was found, or it did not run"
			exit 1
		fi' "$0" "$seconds" "$engine" "$build"
	exit
fi

export TZ=UTC0 # or libzip has the C library look for the time zone for each member
ninja -C "$build" "tests/fuzz_$target" >&2
mkdir -p "$found" "$build/seeds-$target"
# shellcheck disable=SC2086 # there may be no further seeds
python3 -B tests/fuzz/seeds.py "$target" "$build/seeds-$target" testdata \
	${CKCONV_CORPUS:+"$CKCONV_CORPUS"}

if [ "$engine" = libfuzzer ]; then
	# freed memory is kept for a while to catch its use: less of it is faster, and enough here
	ASAN_OPTIONS=quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS} \
		exec "$build/tests/fuzz_$target" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=2048 -max_len=65536 -dict=tests/fuzz/words.dict -print_final_stats=1 \
		-artifact_prefix="$build/$target-" "$found" "$build/seeds-$target"
fi

out=$build/afl-$target
rm -rf "$out"
mkdir -p "$out/in"
for from in "$build/seeds-$target" "$found"; do
	find "$from" -type f -exec cp -t "$out/in" {} +
done
AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
	afl-fuzz -V "$seconds" -t 5000 -m none -i "$out/in" -o "$out" -x tests/fuzz/words.dict \
	-- "$build/tests/fuzz_$target" >"$out/log" || { cat "$out/log"; exit 2; }
keep() { # FILE WHERE PREFIX: under the hash of its bytes, as libFuzzer does
	cp "$1" "$2/$3$(sha1sum <"$1" | cut -d' ' -f1)"
}
for input in "$out"/default/queue/id:*; do
	keep "$input" "$found" ""
done
cat "$out/default/fuzzer_stats"
bad=0
for input in "$out"/default/crashes/id:* "$out"/default/hangs/id:*; do
	[ -e "$input" ] || continue
	keep "$input" "$build" "$target-afl-"
	bad=1
done
exit $bad
