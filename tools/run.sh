#!/bin/sh
# Installs what is missing, builds ckconv (release) and runs it with the arguments given.
# Relative paths among them mean what they mean where the command was typed.

here=$(pwd)
. "$(dirname "$0")/setup.sh"

# shellcheck disable=SC2086 # a list of words
need $RUN_PACKAGES
build build
program=$(pwd)/build/src/ckconv
cd "$here"
exec "$program" "$@"
