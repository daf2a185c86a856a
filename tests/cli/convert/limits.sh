# Stories of a conversion: limits.
# shellcheck shell=bash disable=SC2012,SC2016,SC2154,SC2181 # Python in quotes; what run.sh sets


# trips LIMIT=VALUE FILE
trips() {
	refused 3 --disarm --limit "$1" "$2" out/model.safetensors
	says "--limit ${1%=*}="
	says "${2##*/}"
}

story_limit_heap() { trips heap=100 "$(good many)"; }
story_limit_members() { trips members=3 "$(good state_dict)"; }
story_limit_ops() { trips ops=10 "$(good state_dict)"; }
story_limit_stack() { trips stack=2 "$(good state_dict)"; }
story_limit_memo() { trips memo=3 "$(good state_dict)"; }
story_limit_globals() { trips globals=2 "$(good state_dict)"; }
story_limit_text() { trips text=10 "$(good state_dict)"; }
story_limit_depth() { trips depth=1 "$(good cyclic)"; }
story_limit_visits() { trips visits=3 "$(good state_dict)"; }
story_limit_tensors() { trips tensors=7 "$(good state_dict)"; }
story_limit_name() { trips name=4 "$(good state_dict)"; }
story_a_header_over_its_limit_is_refused() {
	# safetensors allows 100,000,000 bytes: a thousand names of a hundred thousand are more
	PYTHONPATH=$data python3 -B -c '
import craft
pairs = [(craft.text("%04d" % i + "n" * 100000), craft.vector("0", 1)) for i in range(1000)]
pickled = craft.pickle(craft.dict_of(*pairs))
open("in.pt", "wb").write(craft.archive(craft.checkpoint(pickled, {"0": craft.floats(1)})))'
	refused 3 in.pt out/model.safetensors
	says "safetensors allows 100000000"
}

story_limit_expand() { trips expand=3 "$data/hostile/expand_bomb.pt"; }
story_limit_inflated() { trips inflated=1K "$data/hostile/zeros.pt"; }
story_limit_ratio() { trips ratio=1000 "$data/hostile/gzip_in_gzip.pt.gz"; }

story_extras_are_no_longer_than_the_file_may_expand_to() {
	refused 3 --disarm --limit heap=4G --extras out/extras.json "$data/hostile/shared_text.pt" \
		out/model.safetensors
	says "--limit expand=N"
}

story_limits_that_just_suffice_do_not_trip() {
	ck 0 --limit tensors=8 --limit members=12 --limit name=24 --limit depth=5 \
		"$(good state_dict)" out/model.safetensors
	same out/model.safetensors "$(wanted state_dict)"
	ck 0 --disarm --limit inflated=16M --limit ratio=1040 "$data/hostile/zeros.pt" \
		out/model.safetensors
}

story_the_last_of_two_limits_counts() {
	ck 0 --limit tensors=1 --limit tensors=1K "$(good state_dict)" out/model.safetensors
}
