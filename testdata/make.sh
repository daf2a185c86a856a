#!/bin/sh
# Writes all of testdata anew, with the PyTorch of Debian 12 here and that of Debian 13 in a chroot.
#
# usage: make.sh CHROOT
#
# CHROOT is a Debian 13 with python3-torch, python3-safetensors and python3-joblib; here
# python3-torch and python3-joblib are needed. The files are the same bytes on every run, but for
# some: torch names storages by chance in the layout before 1.6 (legacy*.pt, arrays_in_legacy.pt,
# plain_model*.pkl, stylegan.pkl, and lzma.pt.lzma, zlib.pt and model.tar.gz, where legacy.pt is
# packed), and puts paths and numbers of its own into what torch.jit, torch.package and torch.export
# write (script*.pt, torchscript.pt, package_script*.pt, export2.pt).
set -eu

[ $# -eq 1 ] || { echo "usage: make.sh CHROOT" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
chroot=$1
work=$(mktemp -d "$chroot/tmp/testdata.XXXXXX")
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2016 # the inner shell expands them
in_chroot() {
	chroot "$chroot" sh -c 'cd "/tmp/$1" && PYTHONHASHSEED=0 python3 -B "$2"' \
		sh "${work##*/}" "$1"
}

cp "$here"/*.py "$here/cases.txt" "$work"
mkdir "$work/good" "$work/bad" "$work/hostile" "$work/unsupported" "$work/odd"
/usr/bin/python3 -B "$here/make_torch.py" "$work"
in_chroot make_torch2.py
/usr/bin/python3 -B "$here/make_numpy.py" "$work"
in_chroot make_numpy.py
(cd "$here" && /usr/bin/python3 -B - "$work" <make_archives.py)
chroot "$chroot" sh -c 'cd "/tmp/$1" && python3 -B - . <make_archives.py' sh "${work##*/}"
/usr/bin/python3 -B "$here/make_crafted.py" "$work"
/usr/bin/python3 -B "$here/make_bad.py" "$work"
/usr/bin/python3 -B "$here/make_tables.py" "$work"
/usr/bin/python3 -B "$here/make_wrapped.py" "$work"
/usr/bin/python3 -B "$here/make_bad_numpy.py" "$work"
/usr/bin/python3 -B "$here/make_hostile.py" "$work" >/dev/null
/usr/bin/python3 -B "$here/make_views.py" "$work"
/usr/bin/python3 -B "$here/make_models.py" "$work"
in_chroot make_expected.py

for kind in good bad hostile unsupported odd; do
	rm -rf "${here:?}/$kind"
	cp -R "$work/$kind" "$here/"
done
cp "$work/hostile.txt" "$here/"
du -sh "$here"
