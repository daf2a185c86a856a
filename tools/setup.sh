# Sourced by run.sh and test.sh: says which Debian packages are missing, installs those, and builds.
# Nothing is done twice: a second call finds everything there.

set -eu
CDPATH='' cd -- "$(dirname "$0")/.."

RUN_PACKAGES="gcc meson ninja-build pkg-config libzip-dev zlib1g-dev libbz2-dev liblzma-dev
	libdeflate-dev libcjson-dev libssl-dev libonnx-dev protobuf-c-compiler libprotobuf-c-dev"
TEST_PACKAGES="check mandoc python3"

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "$(basename "$0"): these packages need root: run as root, or install sudo" >&2
		exit 2
	fi
}

# need PACKAGE...: installs what is not there yet.
need() {
	missing=
	for package in "$@"; do
		case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
		*" installed") ;;
		*) missing="$missing $package" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	echo "$(basename "$0"): installing with apt-get:$missing" >&2
	as_root apt-get update -qq >&2
	# shellcheck disable=SC2086 # a list of words
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		--no-install-recommends $missing >&2
}

# build DIR [MESON OPTION...]: sets up once, and once more where it was set up with other options
# (run.sh builds without the unit tests, for which Check may not have been there); then compiles
# what changed. Talk goes to stderr, and a failed build shows all of it.
build() {
	dir=$1
	shift
	if [ ! -f "$dir/build.ninja" ]; then
		echo "$(basename "$0"): setting up $dir" >&2
		meson setup "$dir" "$@" >&2
	elif [ $# -gt 0 ] && [ "$(cat "$dir/set-up-with" 2>/dev/null)" != "$*" ]; then
		meson setup --reconfigure "$dir" "$@" >&2
	fi
	[ $# = 0 ] || echo "$*" >"$dir/set-up-with"
	if ! log=$(ninja -C "$dir" 2>&1); then
		printf '%s\n' "$log" >&2
		exit 2
	fi
}
