# Stories of `ckconv scan`: what a baseline tells apart.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets


# known FILE: makes a baseline of what a scan finds in it.
known() {
	"$ckconv" scan --json "$1" >baseline 2>stderr
	ck 0 scan --baseline baseline "$1"
}

# One damage is not another, though both break one rule in one member; where it lies does not count.
story_a_baseline_of_a_damage_hides_no_other() {
	python -c '
import io, tarfile, warnings, zipfile
warnings.simplefilter("ignore")
def tar(name, size, *links):
    with tarfile.open(name, "w") as file:
        info = tarfile.TarInfo("before")
        info.size = size
        file.addfile(info, io.BytesIO(b" " * size))
        for link in links:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "before"
            file.addfile(info)
def zipped(name, size, *twice):
    with zipfile.ZipFile(name, "w") as file:
        file.writestr("before", b" " * size)
        for member in twice * 2:
            file.writestr(member, member)
for make, end in (tar, "tar"), (zipped, "zip"):
    make("known." + end, 100, "link5")
    make("moved." + end, 5000, "link5")
    make("other." + end, 100, "link6")
    make("more." + end, 100, "link5", "link6")'
	for end in tar zip; do
		known known.$end
		ck 0 scan --baseline baseline moved.$end
		ck 3 scan --baseline baseline other.$end
		ck 3 scan --baseline baseline more.$end
	done
}

story_sizes_do_not_make_a_finding_another_one() {
	printf '\x80\x02N.\xff\xfe\xff' >known
	printf '\x80\x02K\x01.\xff\xfe\xff\xfe\xff' >longer
	known known
	prints "safe"
	grep -q '3 bytes from here on' baseline || fail "$(cat baseline)"
	ck 0 scan --baseline baseline longer
}

# What code is given is not told, so that it is known only as a whole.
story_code_is_known_as_a_whole() {
	local name
	printf 'def __setstate__(self, s: int):\n  _0 = torch.save(s, "x")\n' >code
	zip_of known.zip a/code/a.py code
	printf 'def __setstate__(self, s: int):\n  _0 = torch.save(s, "y")\n' >code
	zip_of other.zip a/code/a.py code
	printf 'def __setstate__(self, s: int):\n  _0 = torch.save(s, "x")\n  rpc.rpc_sync()' >code
	zip_of more.zip a/code/a.py code
	known known.zip
	for name in other more; do
		ck 1 scan --baseline baseline $name.zip
	done
}

story_extension_codes_are_told_apart() {
	printf '\x80\x02\x82\x07.' >known
	printf '\x80\x02\x82\x08.' >other
	printf '\x80\x02\x82\x07\x82\x08\x86.' >both
	known known
	ck 4 scan --baseline baseline other
	ck 4 scan --baseline baseline both
}

# Of very many of a kind only the first are told, and those that were not are not known.
story_what_was_left_out_is_not_known() {
	python -c '
import tarfile
with tarfile.open("links.tar", "w") as file:
    for i in range(130):
        info = tarfile.TarInfo("link%d" % i)
        info.type, info.linkname = tarfile.SYMTYPE, "x"
        file.addfile(info)'
	ck 3 scan --json links.tar
	json 'assert (len(lines[0]["findings"]), lines[0]["findings_left_out"]) == (100, 30), lines'
	mv stdout baseline
	ck 3 scan --json --baseline baseline links.tar
	json 'assert (len(lines[0]["findings"]), lines[0]["findings_left_out"]) == (130, 0), lines'
}
