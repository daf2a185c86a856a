# Stories of what `ckconv inspect` prints for programs, and of its arguments.
# shellcheck shell=bash disable=SC2154,SC2016 # what run.sh sets; no expansion is meant


story_inspect_lists_all_tensors() {
	layers 2 3 | model m.safetensors
	ck 0 inspect --tensors m.safetensors
	layers 2 3 | cut -d' ' -f1 >names
	cut -d' ' -f1 stdout | diff names - >/dev/null || fail "other names: $(cat stdout)"
	grep -qE '^model.layers.1.moe.experts.2.w2.weight +F16 +\[64, 8\] +1024$' stdout ||
		fail "not as it is: $(cat stdout)"
	# all columns in line
	[ "$(awk '{ print index($0, "F16") }' stdout | sort -u | wc -l)" -eq 1 ] ||
		fail "not aligned: $(cat stdout)"
}

story_inspect_prints_json_that_is_true() {
	local file
	for file in state_dict.pt:state_dict legacy.pt:state_dict views.pt:views \
		dtypes.pt:dtypes containers.pt:containers script.pt:script \
		quantized.pt:quantized nested.tar:state_dict arrays5.pkl:arrays \
		shards:shards shards/pytorch_model.bin.index.json:shards typed.onnx:typed; do
		ck 0 inspect --json "$data/good/${file%:*}"
		python3 - "$data/good/${file#*:}.safetensors" <<-'END' || fail "$file"
			import json, struct, sys
			data = open(sys.argv[1], 'rb').read()
			size, = struct.unpack('<Q', data[:8])
			header = json.loads(data[8:8 + size])
			header.pop('__metadata__', None)
			j = json.load(open('stdout', encoding='utf-8'))
			want = {}
			for name, x in header.items():
			    begin, end = x['data_offsets']
			    want[name] = (x['dtype'], x['shape'], end - begin)
			got = {x['name']: (x['dtype'], x['shape'], x['bytes'])
			       for x in j['tensors']}
			assert got == want, (got, want)
			assert j['bytes'] == sum(x[2] for x in want.values())
			assert j['tensor_count'] == len(want)
			assert sum(d['tensors'] for d in j['dtypes']) == len(want)
			assert sum(d['bytes'] for d in j['dtypes']) == j['bytes']
			assert sum(x['tensors'] for x in j['tree']
			           if x['dtype'] or x['like']) == len(want)
		END
	done
}

story_inspect_prints_json_of_every_kind() {
	ck 0 inspect --json "$data/good/views.pt"
	[ "$(wc -l <stdout)" -eq 1 ] || fail "more than a line"
	asked 'j["schema"] == 1 and j["format"] == "torch zip" and j["error"] is None'
	asked 'j["torch_since"] == "1.6" and j["path_hex"] is None and j["complete"]'
	asked 'all(len({t[n]["storage"] for n in x["names"]}) == 1 for x in j["ties"])'
	asked 'all(len({t[n]["storage"] for n in x["names"]}) == 1 for x in j["shared_storages"])'
	asked 'j["shared_storages"] and j["storage_bytes"] < j["bytes"]'
	ck 0 inspect --json "$data/hostile/eval.pt"
	asked 'j["verdict"] == "dangerous" and j["values"][0]["key"] == "x"'
	asked '["builtins", "eval", "dangerous"] in [[g["module"], g["name"], g["verdict"]]
	       for g in j["globals"]]'
	asked 'j["ties"] == [{"bytes": 8, "names": ["w", "y"]}]'
	layers 2 0 | model m.safetensors
	ck 0 inspect --json m.safetensors
	asked '[m["key"] for m in j["metadata"]] == ["format", "made by"]'
	asked '[m["value"] for m in j["metadata"]] == ["pt", "a story"]'
	printf 'no checkpoint' >x.pt
	ck 3 inspect --json x.pt
	asked 'j["error"] and not j["complete"] and j["tensors"] == []'
}

story_inspect_reads_models_of_several_files() {
	ck 0 inspect "$data/good/shards"
	prints "torch zip in "
	prints "layer.1.bias  F32  [2]"
	ck 0 inspect "$data/good/external.onnx"
	prints "{second,inside}  I16  [2]     ×2"
	mkdir two
	cp "$data"/good/shards/*.index.json two
	ck 3 inspect two
	one_line
}

story_inspect_looks_into_archives() {
	ck 0 inspect --json "$data/good/nested.tar"
	asked 'len(t) == 8'
	ck 2 inspect 'm.zip!a'
	says "m.zip"
}

story_inspect_of_what_cannot_be_read_is_an_error() {
	ck 2 inspect missing.pt
	one_line
	says "missing.pt: cannot open the file"
	silent stdout
	ck 2 inspect .
	one_line
	ck 3 inspect --limit tensors=2 "$data/good/state_dict.pt"
	prints "not read"
	prints "--limit tensors=N"
	prints "what follows was found before that"
	"$ckconv" inspect "$data/good/state_dict.pt" >/dev/full 2>stderr
	[ $? -eq 2 ] || fail "a full disk is no error"
	one_line
	says "cannot write to the standard output"
}

story_inspect_ends_quietly_when_nobody_reads_on() {
	layers 40 64 | model m.safetensors
	"$ckconv" inspect --tensors m.safetensors 2>stderr | head -1 >/dev/null
	silent stderr
	"$ckconv" inspect --json m.safetensors 2>stderr | head -c 10 >/dev/null
	silent stderr
}

story_inspect_takes_one_file() {
	ck 2 inspect
	says "one file is needed: ckconv inspect FILE"
	ck 2 inspect a b
	ck 2 inspect --json --tensors a
	says "--json and --tensors cannot be given together"
	ck 2 inspect --root a b
	says "'--root' is an option of ckconv IN OUT"
	ck 2 inspct "$data/good/state_dict.pt"
	says "did you mean ckconv inspect"
	ck 0 inspect --help
	prints "usage: ckconv inspect [OPTIONS] FILE[!MEMBER]"
}

story_inspect_is_confined() {
	"$ckconv" inspect -v "$data/good/state_dict.pt" >stdout 2>stderr
	says "sandbox: "
	if grep -q "built without" stderr; then
		return
	fi
	ck 0 inspect --sandbox=require "$data/good/state_dict.pt"
}

# A child that hangs ends some time, unless it waits for who reads what it prints.
story_inspect_has_so_much_time_and_no_more() {
	layers 40 64 | model m.safetensors
	"$ckconv" inspect -v --sandbox=auto "$data/good/state_dict.pt" 2>&1 >/dev/null |
		grep -q rlimits || skip "there are no limits of resources here"
	python3 - "$ckconv" <<-'END' || fail "no limit of time"
		import glob, subprocess, sys, time
		with subprocess.Popen([sys.argv[1], 'inspect', '--json', 'm.safetensors'],
		                      stdout=subprocess.PIPE) as run:
		    run.stdout.read(1)
		    name = '/proc/%d/task/%d/children' % (run.pid, run.pid)
		    child, = open(name).read().split()
		    limits = dict((line[:26].strip(), line[26:].split()[0])
		                  for line in open('/proc/%s/limits' % child))
		    run.stdout.close()
		sys.exit(limits['Max cpu time'] == 'unlimited')
	END
}

# What is too much for a tree is not too much for all else.
story_inspect_needs_no_tree() {
	local option
	python3 - <<-'PY' | model m.safetensors
		import random
		random.seed(1)
		for i in range(20000):
		    print(''.join(random.choices('a1_', k=300)), 'F32 1')
	PY
	ck 0 inspect m.safetensors
	prints "F32         20,000 tensors, 20,000 elements, 80.0 kB"
	says "--tensors lists them all"
	one_line
	ck 0 inspect --tensors m.safetensors
	silent stderr
	[ "$(wc -l <stdout)" -eq 20000 ] || fail "not all tensors"
	ck 0 inspect --json m.safetensors
	asked 'len(t) == 20000 and j["tree"] == [] and j["complete"] and j["error"] is None'
}

story_inspect_json_cannot_harm_a_terminal() {
	printf 'a\0\xe2\x80\xae F32 1\n' | model m.safetensors
	ck 0 inspect --json m.safetensors
	asked 'len(t) == 1 and "\u202e" in list(t)[0]'
	! LC_ALL=C grep -q '[^ -~]' stdout || fail "raw characters: $(cat -v stdout)"
}

story_inspect_calls_an_input_as_it_was_called() {
	mkdir two
	echo "w F32 1" | model two/model-00001-of-00001.safetensors
	printf '{"metadata": {}, "weight_map": {"w": "model-00001-of-00001.safetensors"}}' \
		>two/model.safetensors.index.json
	ck 0 inspect two/model.safetensors.index.json
	[[ $(head -n 1 stdout) == "safe       two/model.safetensors.index.json "* ]] ||
		fail "it is called otherwise: $(head -n 1 stdout)"
	ck 0 inspect two
	[[ $(head -n 1 stdout) == "safe       two "* ]] ||
		fail "it is called otherwise: $(head -n 1 stdout)"
	rm two/*.json
	mv two/*.safetensors two/model.safetensors
	ck 0 inspect two
	[[ $(head -n 1 stdout) == "safe       two "* ]] ||
		fail "it is called otherwise: $(head -n 1 stdout)"
}
