#!/bin/sh
# Fuzzes for real: builds a target with clang's libFuzzer and sanitizers and lets it search.
#
# usage: run.sh TARGET SECONDS [BUILD_DIR]     TARGET: pickle, torch, load, pack

set -eu
cd "$(dirname "$0")/../.."
target=$1 seconds=$2 build=${3:-build-fuzz}

[ -d "$build" ] || CC=clang meson setup "$build" -Dfuzz=true -Db_sanitize=address,undefined \
	-Db_lundef=false -Dbuildtype=debugoptimized -Dc_args=-fno-sanitize-recover=all >&2
ninja -C "$build" "tests/fuzz_$target" >&2
mkdir -p "$build/corpus-$target"
exec "$build/tests/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
	-max_len=65536 -dict=tests/fuzz/words.dict -artifact_prefix="$build/" \
	"$build/corpus-$target" \
	testdata/good testdata/bad testdata/hostile testdata/unsupported
