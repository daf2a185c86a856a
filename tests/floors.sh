#!/bin/sh
# An include that runs up a floor, or across to a neighbour, must not compile.
#
# usage: floors.sh SRC NINJA_DIR. For each room and each header of another room, a file that
# includes it is compiled with the very flags of the room; what the floor plan in src/meson.build
# allows must compile, and nothing else.

src=$1 build=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

# What each room may see besides itself: the plan once more, floor by floor.
sees() {
	case $1 in
	base) echo "" ;;
	io | sign | fold) echo "base" ;;
	pack | pickle | model) echo "base io" ;;
	load) echo "base io pack pickle model" ;;
	audit) echo "base io sign pack pickle model load" ;;
	edit | save | diff) echo "base io model" ;;
	cli) echo "" ;;
	esac
}

# The -I flags with which the first file of a room is compiled.
flags_of() {
	python3 - "$build/compile_commands.json" "$src/$1/" <<'EOF'
import json, os, shlex, sys
commands, room = sys.argv[1], os.path.realpath(sys.argv[2])
for c in json.load(open(commands)):
    path = os.path.realpath(os.path.join(c['directory'], c['file']))
    if path.startswith(room + os.sep):
        print(' '.join('-I' + os.path.join(c['directory'], a[2:])
                       for a in shlex.split(c['command']) if a.startswith('-I')))
        break
EOF
}

rooms="base io sign fold pack pickle model load audit edit save diff cli"
for room in $rooms; do
	flags=$(flags_of "$room")
	[ -n "$flags" ] || { echo "no flags found for $room"; failed=$((failed + 1)); continue; }
	for other in $rooms; do
		[ "$other" = "$room" ] && continue
		printf '#include "%s.h"\n' "$other" >"$tmp/t.c"
		allowed=no compiled=no
		for seen in $(sees "$room"); do
			[ "$seen" = "$other" ] && allowed=yes
		done
		# shellcheck disable=SC2086 # a list of flags
		cc -std=c11 -D_GNU_SOURCE $flags -fsyntax-only "$tmp/t.c" 2>/dev/null &&
			compiled=yes
		if [ $allowed = $compiled ]; then
			passed=$((passed + 1))
		else
			echo "$room includes $other.h: allowed: $allowed, compiles: $compiled"
			failed=$((failed + 1))
		fi
	done
done

# Nor is there a way around: no path in an include, and third-party headers in their one file only.
alone() {
	found=$(grep -rlE "#[[:space:]]*include[[:space:]]*[<\"]$1" "$src" | grep -v "^$src/$2$")
	if [ -z "$found" ]; then
		passed=$((passed + 1))
	else
		echo "<$1> belongs to $2 alone, and is included in $found"
		failed=$((failed + 1))
	fi
}
alone '\.\.' none
alone 'zip\.h' pack/zip.c
alone 'cjson/' io/json.c
alone 'bzlib\.h' pack/bzip2.c
alone 'lzma\.h' pack/xz.c
alone 'libdeflate\.h' io/digest.c
alone 'openssl/' sign/sha256.c

echo "$passed passed, $failed failed"
[ $failed = 0 ]
