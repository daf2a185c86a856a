# Stories of a conversion: what is refused for the harm that it would do.
# shellcheck shell=bash disable=SC2012,SC2016,SC2154,SC2181 # Python in quotes; what run.sh sets

story_a_policy_says_what_may_be_converted() {
	echo "allow torch.nn.modules.linear.Linear # ours" >allow
	ck 0 --strict --policy allow "$(good tar_module)" out/model.safetensors
	same out/model.safetensors "$(wanted tar_module)"
	echo "deny torch.nn.modules.linear.*" >deny
	rm out/model.safetensors
	refused 1 --policy deny "$(good tar_module)" out/model.safetensors
	says "is denied by line 1 of the policy"
	echo "allow os.system" >never
	refused 2 --policy never "$(good state_dict)" out/model.safetensors
	refused 2 --policy none "$(good state_dict)" out/model.safetensors
}

story_a_baseline_of_one_call_hides_no_other() {
	printf '\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R.' >known.pkl
	printf '\x80\x02cos\nsystem\nX\x05\0\0\0false\x85R.' >other.pkl
	ck 1 scan --json known.pkl >/dev/null
	"$ckconv" scan --json known.pkl >known.json
	ck 0 scan --baseline known.json known.pkl
	ck 1 scan --baseline known.json other.pkl
}

story_forged_dtypes_are_dangerous() {
	python3 - <<-'END'
		def dtype(kind, flags, again=b""):
		    return (b"\x80\x02cnumpy\ndtype\nU\x02" + kind +
		            b"K\0K\1\x87R(K\3U\1|NNNJ\xff\xff\xff\xff"
		            b"J\xff\xff\xff\xffK" + flags + b"tb" + again + b".")
		again = b"(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
		for name, data in (("right", dtype(b"O8", b"?")), ("plain", dtype(b"f4", b"\0")),
		                   ("bytes", dtype(b"O8", b"\0")), ("objects", dtype(b"f4", b"?")),
		                   ("twice", dtype(b"f4", b"\0", again))):
		    open(name + ".pkl", "wb").write(data)
	END
	ck 0 scan right.pkl
	ck 0 scan plain.pkl
	ck 1 scan bytes.pkl
	ck 1 scan objects.pkl
	ck 1 scan twice.pkl
}

story_what_does_harm_cannot_be_allowed() {
	local name
	for name in os.system exceptions.eval torch.hub.load numpy.load thread.start_new_thread; do
		echo "allow $name" >policy
		ck 2 scan --policy policy "$(good state_dict)"
		says "can never be allowed: '$name'"
	done
	echo "allow my.module.Thing" >policy
	ck 0 scan --policy policy "$(good state_dict)"
}

story_a_member_is_judged_for_itself() {
	python3 - "$(good state_dict)" "$data/hostile/eval.pt" <<-'END'
		import sys, zipfile
		with zipfile.ZipFile("both.zip", "w") as both:
		    both.write(sys.argv[1], "good.pt")
		    both.write(sys.argv[2], "evil.pt")
	END
	ck 0 "both.zip!good.pt" out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
	says "in other members of the archive"
	rm out/model.safetensors
	refused 1 "both.zip!evil.pt" out/model.safetensors
	refused 1 both.zip out/model.safetensors
}

# What is found in the archive itself, or in a member that cannot be told from it, is found in it.
story_a_member_is_not_judged_by_others_but_by_its_archive() {
	local escaped
	escaped=$(printf 'e\033vil.pt')
	python3 - "$(good state_dict)" "$data/hostile/eval.pt" <<-'END'
		import sys, zipfile
		good, evil = (open(path, "rb").read() for path in sys.argv[1:])
		with zipfile.ZipFile("names.zip", "w") as names:
		    names.writestr("good.pt", good)
		    names.writestr("good.pt2", evil)
		    names.writestr("e\x1bvil.pt", evil)
		with zipfile.ZipFile("longer.zip", "w") as longer:
		    longer.writestr("good.pt", good)
		open("longer.zip", "ab").write(b"\x80\x02N. and more")
	END
	ck 0 "names.zip!good.pt" out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
	rm out/model.safetensors
	refused 1 "names.zip!good.pt2" out/model.safetensors
	refused 1 "names.zip!$escaped" out/model.safetensors
	refused 3 "longer.zip!good.pt" out/model.safetensors
	says "belong"
}

# However a member is written, and whatever is packed around it: what is found in it counts.
story_a_member_is_judged_under_all_of_its_names() {
	python3 - "$(good state_dict)" "$data/hostile/eval.pt" <<-'END'
		import bz2, gzip, io, sys, tarfile, zipfile
		good, evil = (open(path, "rb").read() for path in sys.argv[1:])
		def zipped(**members):
		    out = io.BytesIO()
		    with zipfile.ZipFile(out, "w") as archive:
		        for name, data in members.items():
		            archive.writestr(name, data)
		    return out.getvalue()
		def write(name, data):
		    open(name, "wb").write(data)
		both = zipped(**{"good.pt": good, "evil.pt": evil})
		write("twice.zip.gz.gz", gzip.compress(gzip.compress(both)))
		write("packed.zip.bz2.gz", gzip.compress(bz2.compress(both)))
		write("inner.zip", zipped(**{"good.pt": good, "a.zip.gz": gzip.compress(both)}))
		write("named.zip", zipped(**{"gzip!evil.pt": evil, "good.pt": good}))
		write("folder.zip", zipped(**{"./evil.pt": evil, "good.pt": good}))
		write("behind.zip", zipped(**{"good.pt": good, "a.zip": both + b"\x80\x02N. and"}))
		with tarfile.open("dots.tar", "w") as dots:
		    for name, data in ("./good.pt", good), ("./evil.pt", evil):
		        info = tarfile.TarInfo(name)
		        info.size = len(data)
		        dots.addfile(info, io.BytesIO(data))
	END
	local member
	for member in twice.zip.gz.gz!evil.pt packed.zip.bz2.gz!evil.pt \
		inner.zip!a.zip.gz!evil.pt named.zip!gzip!evil.pt folder.zip!./evil.pt \
		dots.tar!evil.pt dots.tar!./evil.pt; do
		refused 1 "$member" out/model.safetensors
	done
	refused 3 "behind.zip!a.zip!good.pt" out/model.safetensors
	for member in twice.zip.gz.gz packed.zip.bz2.gz inner.zip named.zip folder.zip dots.tar; do
		ck 0 "$member!good.pt" out/model.safetensors
		same out/model.safetensors "$(wanted state_dict)"
		rm out/model.safetensors
	done
	ck 0 "inner.zip!a.zip.gz!good.pt" out/model.safetensors
}

# Where not all findings are kept, nobody knows which member they were about.
story_a_member_is_not_taken_where_findings_are_left_out() {
	python3 - "$data" "$data/hostile/eval.pt" <<-'END'
		import sys, zipfile
		sys.path.insert(0, sys.argv[1])
		from craft import *
		calls = {"k%d" % i: call(name("os", "f%d" % i)) for i in range(5100)}
		with zipfile.ZipFile("many.zip", "w") as out:
		    out.writestr("a.pkl", pickle(named(**calls)))
		    out.write(sys.argv[2], "z.pt")
	END
	refused 1 "many.zip!z.pt" out/model.safetensors
}

# What scan calls unknown is told, and is too much for --strict, also where it is no global or one
# too many for a report.
story_strict_takes_nothing_that_scan_calls_unknown() {
	python3 - "$data" <<-'END'
		import sys
		sys.path.insert(0, sys.argv[1])
		from craft import *
		def write(path, odd):
		    body = odd + b"0" + named(w=vector("0", 2))
		    open(path, "wb").write(archive(checkpoint(pickle(body), {"0": floats(1, 2)})))
		write("code.pt", b"\x82\5")
		write("id.pt", list_of(integer(1)) + b"Q")
		harmless = b"".join(name("torch", "per_%d" % i) + b"0" for i in range(5000))
		write("many.pt", harmless + name("own.things", "Box") + tuple_of() + b"\x81")
		write("full.pt", harmless + b"N")
	END
	local file
	for file in code id many full; do
		refused 3 --strict $file.pt out/model.safetensors
		says "(--strict)"
		[ $file = full ] || ck 4 scan $file.pt
		ck 0 $file.pt out/model.safetensors
		[ $file = full ] || says "not known to be harmless"
		rm out/model.safetensors
	done
}

# A name that nobody knows, but that sounds harmful, may be allowed.
story_what_a_policy_allows_is_converted() {
	python3 - "$data" <<-'END'
		import sys
		sys.path.insert(0, sys.argv[1])
		from craft import *
		value = named(w=vector("0", 2), extra=call(name("own.things", "load_all")))
		open("in.pt", "wb").write(archive(checkpoint(pickle(value), {"0": floats(1, 2)})))
	END
	refused 1 in.pt out/model.safetensors
	echo "allow own.things.load_all # ours" >policy
	ck 0 --policy policy in.pt out/model.safetensors
	ck 0 --policy policy --strict --extras out/x.json in.pt out/model.safetensors
	rm out/*
	printf 'allow own.things.load_all\ndeny own.things.load_all\n' >policy
	refused 1 --policy policy in.pt out/x.safetensors
	printf 'deny own.things.load_all\nallow own.things.load_all\n' >policy
	refused 1 --policy policy in.pt out/x.safetensors
}
