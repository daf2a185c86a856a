#!/usr/bin/env bash
# Holds the command line of ckconv to its word.
#
# usage: run.sh CKCONV TESTDATA [WORD]
#
# Runs every case of TESTDATA/cases.txt, and every story in the folder convert (a function named
# for the behaviour that it shows); with WORD, only those whose name contains it. Each runs in a
# fresh folder that has an empty folder `out`. Prints a line for each that fails or must be
# skipped, and at the end "N passed, N failed". With $STORIES, the stories of that folder are run,
# and nothing else.
# shellcheck disable=SC2034 # what the stories use
set -u
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

[ $# -ge 2 ] || { echo "usage: run.sh CKCONV TESTDATA [WORD]" >&2; exit 2; }
ckconv=$(realpath "$1") || exit 2
data=$(realpath "$2") || exit 2
word=${3-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # stories that give up their rights must get in
passed=0 failed=0
SKIPPED=77

cases=$data/cases.txt
stories=$here/convert
if [ -n "${STORIES-}" ]; then
	cases=/dev/null
	stories=$STORIES
fi
for file in "$here/words.sh" "$stories"/*.sh; do
	# shellcheck source=/dev/null
	. "$file" || exit 2
done

# run_case FILE OPTIONS STATUS EXPECTED
run_case() {
	local file=$1 status=$3 expected=$4 options
	read -ra options <<<"$2"
	ck "$status" "${options[@]}" "$data/$file" out/model.safetensors
	silent stdout
	printable
	if [ "$status" -eq 0 ]; then
		same out/model.safetensors "$data/$expected"
		only model.safetensors
	else
		one_line
		says "${file%%!*}"
		says "$expected"
		only
	fi
}

# attempt NAME FUNCTION ARGUMENTS...
attempt() {
	local name=$1 folder reason status
	shift
	case $name in *"$word"*) ;; *) return ;; esac
	folder=$(mktemp -d "$work/XXXXXX") && mkdir "$folder/out" || exit 2
	reason=$(cd "$folder" && "$@" 2>&1)
	status=$?
	if [ $status -eq 0 ]; then
		passed=$((passed + 1))
	elif [ $status -eq $SKIPPED ]; then
		printf 'skipped %s: %s\n' "$name" "$reason"
	else
		failed=$((failed + 1))
		printf 'FAILED %s: %s\n' "$name" "$reason" | tr '\n' ' '
		echo
	fi
	chmod -R u+rwX "$folder" 2>/dev/null
	rm -rf "$folder"
}

trim() {
	local text=${1#"${1%%[![:space:]]*}"}
	printf '%s' "${text%"${text##*[![:space:]]}"}"
}

while IFS='|' read -r file options status expected; do
	case $file in '' | '#'*) continue ;; esac
	file=$(trim "$file") options=$(trim "$options")
	attempt "$file${options:+ $options}" run_case "$file" "$options" "$(trim "$status")" \
		"$(trim "$expected")"
done <"$cases"

for story in $(declare -F | sed -n 's/^declare -f \(story_.*\)/\1/p'); do
	attempt "${story#story_}" "$story"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
