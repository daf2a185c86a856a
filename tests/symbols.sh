#!/bin/sh
# The shared library exports the functions of ckconv.h and nothing else, and each public header
# compiles alone, as C and as C++ where there is a compiler for it.
#
# usage: symbols.sh LIBRARY INCLUDE_DIR

library=$1 include=$2
failed=0 passed=0

exported=$(nm -D --defined-only "$library" | awk '{ print $3 }' | sed 's/@.*//' | sort)
declared=$(grep -hoE 'CK_API [^;(]*\(' "$include"/ckconv/*.h |
	grep -oE 'ck_[a-z_0-9]+\($' | tr -d '(' | sort)
if [ "$exported" = "$declared" ]; then
	passed=$((passed + 1))
else
	echo "exported:" $exported
	echo "declared:" $declared
	failed=$((failed + 1))
fi

for header in "$include"/ckconv/*.h; do
	for how in "cc -x c -std=c11" "c++ -x c++ -std=c++11"; do
		command -v "${how%% *}" >/dev/null 2>&1 || continue
		if $how -Wall -Wextra -Werror -I "$include" -fsyntax-only "$header"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
	done
done

echo "$passed passed, $failed failed"
[ $failed = 0 ]
