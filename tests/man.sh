#!/bin/sh
# The man page and --help say the same: the same options with the same arguments, the same limits
# with the same defaults and words; and the page is clean.
#
# usage: man.sh CKCONV PAGE [VERB]
#
# The page of a verb has no table of limits, but sends to ckconv.1 for it.

ckconv=$1 page=$2 verb=${3-}
failed=0 passed=0

check() { # check WHAT FROM_HELP FROM_MAN
	if [ "$2" = "$3" ] && [ -n "$2" ]; then
		passed=$((passed + 1))
	else
		printf '%s differ:\n--- help\n%s\n--- man\n%s\n' "$1" "$2" "$3"
		failed=$((failed + 1))
	fi
}

help=$("$ckconv" $verb --help)
text=$(sed 's/\\&//g' "$page")

help_options=$(printf '%s\n' "$help" |
	sed -n 's/^  *\(-., \)\{0,1\}--\([a-z0-9-]*\)\( .*\)\{0,1\}$/\2/p' | sort)
man_options=$(printf '%s\n' "$text" | sed -n 's/^\.It .*Fl -\([a-z0-9-]*\).*/\1/p' | sort)
check "long options" "$help_options" "$man_options"

help_letters=$(printf '%s\n' "$help" | sed -n 's/^  -\(.\), .*/\1/p' | sort)
man_letters=$(printf '%s\n' "$text" | sed -n 's/^\.It Fl \([a-zA-Z]\)[ ,].*/\1/p' | sort)
check "letters" "$help_letters" "$man_letters"

help_args=$(printf '%s\n' "$help" |
	sed -nE 's/^ .*--([a-z0-9-]*) ([A-Z][^ ]*|[a-z]+\|[a-z|]+)( .*)?$/\1 \2/p' | sort)
man_args=$(printf '%s\n' "$text" | sed -n 's/^\.It .*Fl -\([a-z0-9-]*\) \(Ar\|Cm\) \(.*\)/\1 \3/p' |
	sed 's/ Ns //g; s/ *Ar *//g; s/ *Cm *//g; s/ *| */|/g; s/  */ /g' | sort)
check "arguments" "$help_args" "$man_args"

help_limits=$(printf '%s\n' "$help" |
	sed -n '/^limits/,/^$/s/^  \([a-z]*\)  *\([0-9]*\)  \(.*\)/\1 \2 \3/p')
man_limits=$(printf '%s\n' "$text" | sed -n 's/^\.It \([a-z]*\) Ta \([0-9]*\) Ta \(.*\)/\1 \2 \3/p')
[ -n "$verb" ] || check "limits" "$help_limits" "$man_limits"

if [ -z "$(printf '%s\n' "$help" | grep -E '^.{80}')" ]; then
	passed=$((passed + 1))
else
	echo "a line of --help does not fit 79 columns"
	failed=$((failed + 1))
fi

# the pages that it refers to are not installed here
lint=$(mandoc -Tlint "$page" 2>&1 | grep -v 'STYLE: referenced manual not found: Xr ckconv')
if command -v mandoc >/dev/null && [ -z "$lint" ]; then
	passed=$((passed + 1))
else
	printf '%s\n' "$lint"
	failed=$((failed + 1))
fi

echo "$passed passed, $failed failed"
[ $failed = 0 ]
