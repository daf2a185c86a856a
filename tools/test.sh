#!/bin/sh
# Installs what is missing, builds, and runs the whole test suite. Arguments go to meson test.
#
# The interop tests ask real PyTorch and the real safetensors library. They need a second Debian in
# a folder (tests/interop/setup.sh makes it, 1.3 GB) and are skipped until that is there.

. "$(dirname "$0")/setup.sh"

# shellcheck disable=SC2086 # a list of words
need $RUN_PACKAGES $TEST_PACKAGES
build build -Dtests=enabled
exec meson test -C build --print-errorlogs "$@"
