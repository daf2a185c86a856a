#!/bin/sh
# Makes what run.sh needs, once: on this machine python3-torch (Debian 12: 1.13), and a chroot of
# Debian trixie with torch 2.6, safetensors 0.5.2, onnx 1.17 and onnxruntime 1.21. About 1.3 GB.
#
#   setup.sh           installs what is missing; quick where nothing is
#   setup.sh --check   installs nothing
#
# Prints the chroot's folder. Status 77: not there, and could not be made; the reason is on stderr.
# CKCONV_INTEROP_DIR says where the chroot is to be, CKCONV_INTEROP_MIRROR where Debian comes from,
# if not from where debootstrap would take it.

set -eu

HOST_PACKAGES="debootstrap python3-torch python3-numpy python3-joblib python3-onnx"
CHROOT_PACKAGES="python3-torch python3-safetensors python3-numpy python3-onnx python3-onnxruntime"
CHROOT_PACKAGES="$CHROOT_PACKAGES python3-joblib"
root=${CKCONV_INTEROP_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ckconv/trixie}
mirror=${CKCONV_INTEROP_MIRROR:-}

say() {
	echo "setup.sh: $*" >&2
}

give_up() {
	say "$*"
	exit 77
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

need_root() {
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1 ||
		give_up "packages and chroots need root: run as root, or install sudo"
}

# missing FOLDER PACKAGE...: those that the dpkg of FOLDER does not have ready for use.
missing() {
	admindir=$1/var/lib/dpkg
	shift
	for package in "$@"; do
		status=$(dpkg-query --admindir="$admindir" -W -f='${Status}' "$package" \
			2>/dev/null) || status=
		case $status in
		"install ok installed") ;;
		*) printf ' %s' "$package" ;;
		esac
	done
}

# logged WHAT COMMAND...: its output is shown only if it fails.
logged() {
	what=$1
	shift
	"$@" >"$log" 2>&1 </dev/null && return
	tail -n 15 "$log" >&2
	give_up "$what failed"
}

install_on_host() {
	# shellcheck disable=SC2086 # lists of words
	lacking=$(missing / $HOST_PACKAGES)
	[ -n "$lacking" ] || return 0
	[ -z "$check" ] || give_up "not installed:$lacking"
	need_root
	say "installing with apt-get:$lacking"
	logged "apt-get update" as_root apt-get update -q
	# shellcheck disable=SC2086
	logged "apt-get install" as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -q --no-install-recommends $lacking
}

# A proxy is all that is taken over from this machine's apt.
find_proxy() {
	[ -z "${http_proxy:-}" ] || return 0
	eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
	[ -z "${http_proxy:-}" ] || export http_proxy
}

# in_chroot FOLDER COMMAND...
in_chroot() {
	folder=$1
	shift
	as_root chroot "$folder" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		${http_proxy:+"http_proxy=$http_proxy"} "$@"
}

# install_in FOLDER PACKAGE...
install_in() {
	chroot=$1
	shift
	find_proxy
	logged "apt-get update in the chroot" in_chroot "$chroot" apt-get update -q
	logged "apt-get install in the chroot" in_chroot "$chroot" \
		apt-get install -y -q --no-install-recommends "$@"
	in_chroot "$chroot" sh -c 'apt-get clean; rm -rf /var/lib/apt/lists/*'
}

remove_part() {
	# debootstrap mounts these two and may have been killed before it could undo that
	as_root umount "$part/proc" "$part/sys" 2>/dev/null || true
	as_root rm -rf --one-file-system "$part"
}

# Only a chroot that is complete gets its name: half a one can be taken for nothing else.
make_chroot() {
	need_root
	say "making a chroot of Debian trixie in $root (some minutes): $CHROOT_PACKAGES"
	find_proxy
	remove_part
	logged "debootstrap" as_root env ${http_proxy:+"http_proxy=$http_proxy"} \
		debootstrap --variant=minbase trixie "$part" ${mirror:+"$mirror"}
	# shellcheck disable=SC2086 # a list of words
	install_in "$part" $CHROOT_PACKAGES
	logged "a first run of torch in the chroot" in_chroot "$part" \
		python3 -c 'import torch, safetensors.torch, numpy, joblib'
	as_root mv -T "$part" "$root"
}

# An empty folder is as good as none.
is_there() {
	[ -n "$(ls -A "$root" 2>/dev/null)" ]
}

check=
case ${1:-} in
"") ;;
--check) check=yes ;;
*) say "usage: setup.sh [--check]"; exit 2 ;;
esac
command -v dpkg-query >/dev/null 2>&1 || give_up "this is no Debian, whose packages are needed"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install_on_host
part=$root.part
if [ -z "$check" ] && ! is_there; then
	mkdir -p "$(dirname "$root")"
	exec 9>"$root.lock"
	flock 9 # another one may be making it
	is_there || make_chroot
fi
is_there || give_up "there is no chroot $root; setup.sh makes it"
# shellcheck disable=SC2086 # a list of words
lacking=$(missing "$root" $CHROOT_PACKAGES)
if [ -n "$lacking" ] && [ -z "$check" ]; then # made when the list was shorter
	need_root
	say "installing in $root:$lacking"
	# shellcheck disable=SC2086
	install_in "$root" $lacking
	# shellcheck disable=SC2086
	lacking=$(missing "$root" $CHROOT_PACKAGES)
fi
[ -z "$lacking" ] || give_up "$root is no chroot with$lacking; setup.sh installs them"
echo "$root"
