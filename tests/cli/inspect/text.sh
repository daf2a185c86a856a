# Stories of what `ckconv inspect` shows to people.
# shellcheck shell=bash disable=SC2154,SC2016 # what run.sh sets; no expansion is meant


story_inspect_folds_a_language_model() {
	layers 22 0 | model m.safetensors
	ck 0 inspect m.safetensors
	silent stderr
	tree <<-'END'
		  model                                        200 tensors, 2.0 MB
		    embed_tokens.weight                        F16  [320, 64]
		    layers.0-21                                198 tensors, 1.9 MB
		      self_attn.{q,o}_proj.weight              F16  [64, 64]   ×44
		      self_attn.{k,v}_proj.weight              F16  [16, 64]   ×44
		      mlp.{gate,up}_proj.weight                F16  [176, 64]  ×44
		      mlp.down_proj.weight                     F16  [64, 176]  ×22
		      {input,post_attention}_layernorm.weight  F16  [64]       ×44
		    norm.weight                                F16  [64]
		  lm_head.weight                               F16  [320, 64]
	END
	prints "F16         201 tensors, 1,012,544 elements, 2.0 MB"
	prints "made by: a story"
}

story_inspect_folds_a_mixture_of_experts_to_less_than_a_screen() {
	layers 32 64 | model m.safetensors
	on_terminal 80 m.safetensors
	narrow 80
	[ "$(wc -l <stdout)" -le 24 ] || fail "it takes $(wc -l <stdout) lines: $(cat stdout)"
	prints "experts.0-63.w{1,3}.weight             F16  [8, 64]    ×4096"
	prints "experts.0-63.w2.weight                 F16  [64, 8]    ×2048"
	prints "F16         6,371 tensors"
}

story_inspect_keeps_layers_apart_that_differ() {
	{
		layers 6 0 | sed '/layers.3.mlp.up_proj/s/F16/F32/'
		echo "model.layers.4.extra F16 1"
	} | model m.safetensors
	ck 0 inspect m.safetensors
	tr -s ' ' <stdout >squeezed
	sed 's/^/ /' >wanted <<-'END'
		layers 55 tensors, 552.5 kB
		0-2,5 36 tensors, 353.3 kB
		self_attn.{q,o}_proj.weight F16 [64, 64] ×8
		self_attn.{k,v}_proj.weight F16 [16, 64] ×8
		mlp.{gate,up}_proj.weight F16 [176, 64] ×8
		mlp.down_proj.weight F16 [64, 176] ×4
		{input,post_attention}_layernorm.weight F16 [64] ×8
		3 9 tensors, 110.8 kB
		self_attn.{q,o}_proj.weight F16 [64, 64] ×2
		self_attn.{k,v}_proj.weight F16 [16, 64] ×2
		mlp 3 tensors, 90.1 kB
		gate_proj.weight F16 [176, 64]
		up_proj.weight F32 [176, 64]
		down_proj.weight F16 [64, 176]
		{input,post_attention}_layernorm.weight F16 [64] ×2
		4 10 tensors, 88.3 kB
		self_attn.{q,o}_proj.weight F16 [64, 64] ×2
		self_attn.{k,v}_proj.weight F16 [16, 64] ×2
		mlp.{gate,up}_proj.weight F16 [176, 64] ×2
		mlp.down_proj.weight F16 [64, 176]
		{input,post_attention}_layernorm.weight F16 [64] ×2
		extra F16 [1]
		norm.weight F16 [64]
		lm_head.weight F16 [320, 64]
	END
	tail -n 24 squeezed | diff - wanted >difference || fail "not apart: $(cat difference)"
}

story_inspect_says_danger_first_and_runs_nothing() {
	ck 0 inspect "$data/hostile/eval.pt"
	[ "$(head -c 10 stdout)" = "dangerous " ] || fail "the verdict is not first: $(cat stdout)"
	prints "dangerous-call      builtins.eval"
	prints "builtins.eval, called, dangerous"
	prints "{w,y}  F32  [2]  ×2"
}

# What a part is like can be looked up in the tree, on terminals of any width.
story_what_a_part_is_like_is_never_cut_within_words() {
	local columns p i
	local whole='(model\.)?(encoder\.)?(block_of_many_layers\.)?(first_and_foremost\.)?att'
	for p in encoder.block_of_many_layers.first_and_foremost.attention.output decoder.second; do
		for i in 1 3 5 7; do
			echo "model.$p.dense_$i.weight F16 $i 4"
			echo "model.$p.bias_of_$i F16 $i"
		done
	done | model m.safetensors
	ck 0 inspect m.safetensors
	prints "like model.encoder.block_of_many_layers.first_and_foremost.attention.output, 8"
	for columns in 60 64 70 80 100; do
		on_terminal $columns m.safetensors
		narrow $columns
		grep -o 'like .*' stdout >like || fail "nothing is like another: $(cat stdout)"
		grep -qE "^like (\.\.\.)?$whole" like || fail "at $columns: $(cat like)"
	done
}

story_lines_are_whole_in_pipes() {
	ck 3 inspect "$data/hostile/deep.pt"
	prints "; if the file can be trusted to need it, raise the limit with --limit depth=N"
	on_terminal 80 "$data/hostile/deep.pt"
	narrow 80
}

story_inspect_and_scan_judge_alike() {
	local file status
	for file in "$data"/hostile/* "$data"/bad/*.pt; do
		[ -f "$file" ] || continue
		"$ckconv" inspect --json "$file" >>inspected 2>stderr
		status=$?
		[ $status -eq 0 ] || [ $status -eq 3 ] || fail "$file: status $status"
		printf '%s\0' "$file"
	done >files
	xargs -0 "$ckconv" scan --json <files >scanned 2>/dev/null
	python - <<-'PY'
		import json
		told, wanted = ({j["path"]: j["verdict"] for j in map(json.loads, open(name))}
		                for name in ("inspected", "scanned"))
		files = open("files").read().split("\0")[:-1]
		assert len(files) > 300 and sorted(told) == sorted(files), len(told)
		wrong = {path: told[path] for path in files if told[path] != wanted[path]}
		assert not wrong, str(wrong)[:300]
	PY
}

story_inspect_shows_what_could_be_read_of_a_broken_file() {
	head -c 900 "$data/good/legacy.pt" >cut.pt
	ck 3 inspect cut.pt
	[ "$(head -c 10 stdout)" = "malformed " ] || fail "no verdict: $(cat stdout)"
	prints "not read"
	echo "this is no checkpoint" >text.pt
	ck 3 inspect text.pt
	prints "not read    text.pt: "
	printf '' >empty.pt
	ck 3 inspect empty.pt
	prints "not read    empty.pt: "
}

story_inspect_says_who_wrote_a_file() {
	ck 0 inspect "$data/good/state_dict.pt"
	prints "as PyTorch 1.6 and later versions write it"
	prints "version 3, pickle protocol 2"
	ck 0 inspect "$data/good/legacy.pt"
	prints "as PyTorch 0.1.10 to 1.5"
	ck 0 inspect "$data/good/tar.pt"
	prints "as PyTorch before 0.1.10 wrote it"
	ck 0 inspect -v "$data/good/big_endian.pt"
	prints "byteorder big: as PyTorch 2.1 and later write it"
}

story_inspect_tells_ties_and_shared_storages() {
	ck 0 inspect "$data/good/views.pt"
	prints "  shared      "
	prints "  storages    "
	ck 0 inspect "$data/hostile/eval.pt"
	prints "  tied        w = y  (8 B)"
}

story_inspect_tells_what_a_conversion_takes() {
	ck 0 inspect "$data/good/home_and_ema.pt"
	prints "root        a conversion takes the 2 tensors below 'state_dict'; --root ."
	prints "{state_dict,ema}.a.w  F32  [2]  ×2"
	ck 0 inspect "$data/good/state_dict.pt"
	prints_not "a conversion"
}

story_inspect_shows_values_and_what_has_no_data() {
	ck 0 inspect -v "$data/good/containers.pt"
	prints "24 that are no tensors, which --extras keeps"
	prints "counter (2): {'x': 3, 'y': 1}"
	prints "storage: storage, which state_dict() does not hold"
	ck 0 inspect "$data/good/meta.pt"
	prints "there: meta tensor, without data"
}

story_inspect_escapes_names_and_values() {
	local file option
	python3 - <<-'END'
		import json, pickle, struct
		name = 'a\x1b[31m\u202e\n'
		header = json.dumps({'__metadata__': {name: name},
		                     name: {'dtype': 'F64', 'shape': [2], 'data_offsets': [0, 16]}})
		with open('h.safetensors', 'wb') as file:
		    file.write(struct.pack('<Q', len(header)) + header.encode() + bytes(16))
		with open('h.pkl', 'wb') as file:
		    pickle.dump({'ok': {'x': name}, name: 7}, file, 2)
	END
	for file in h.safetensors h.pkl; do
		for option in -q -v --tensors --json; do
			ck 0 inspect $option $file
			! tr -d '\n' <stdout | grep -q '[[:cntrl:]]' ||
				fail "control characters: $(cat -v stdout)"
			! grep -q $'\xe2\x80\xae' stdout || fail "the text runs backwards"
		done
	done
	ck 0 inspect --json h.safetensors
	asked 'list(t) == ["a\x1b[31m\u202e\n"] and j["metadata"][0]["key"] == list(t)[0]'
	ck 0 inspect h.safetensors
	prints 'a\x1b[31m\u202e\x0a  F64  [2]'
	ck 0 inspect h.pkl
	prints "ok: {'x': 'a\\x1b[31m\\u202e\\n'}"
	prints 'a\x1b[31m\u202e\x0a: 7'
}

story_inspect_fits_the_terminal() {
	local columns
	{
		layers 3 0
		for i in 1 3 4 7 9 11 12 15 17 19 21 25 27 29 31 33 35 37 39; do
			echo "optimizer.state.$i.exp_avg_of_a_name_that_is_long_enough F32 $i"
			echo "very_long_name_$i""_$(printf 'x%.0s' {1..90})_end.w F32 2 3"
		done
	} | model m.safetensors
	for columns in 60 80 100 200; do
		on_terminal $columns m.safetensors
		narrow $columns
		prints "layers.0-2"
	done
	# in a pipe nothing is cut
	ck 0 inspect m.safetensors
	prints "very_long_name_{1,3,4,7,9,11,12,15,17,19,21,25,27,29,31,33,35,37,39}_xxxx"
	prints_not ...
}

# Characters of three bytes, in lines that are longer than any buffer.
story_inspect_cuts_nothing_but_on_terminals() {
	python3 - <<-'END'
		import json, struct
		long = '\u4e00' * 3000
		header = {'__metadata__': {'k': long, 'x': 'x' + long, 'y': 'yy' + long},
		          'w': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}}
		text = json.dumps(header).encode()
		with open('h.safetensors', 'wb') as file:
		    file.write(struct.pack('<Q', len(text)) + text + bytes(4))
	END
	ck 0 inspect h.safetensors
	python3 - <<-'END' || fail "not whole: $(head -c 900 stdout)"
		long = '\u4e00' * 3000
		text = open('stdout', encoding='utf-8').read().split('\n')
		for line in 'k: ' + long, 'x: x' + long, 'y: yy' + long:
		    assert any(l.endswith(' ' + line) for l in text), line[:5]
	END
	on_terminal 80 h.safetensors
	python3 - <<-'END' || fail "not cut: $(head -c 900 stdout)"
		text = open('stdout', encoding='utf-8').read().split('\n')
		for n, line in enumerate(['k: ', 'x: x', 'y: yy']):
		    assert any(l.endswith(' ' + line + '\u4e00' * (30 - (n > 0)) + '...')
		               for l in text), line
	END
}

story_inspect_tells_whole_names_of_ties() {
	python3 - <<-'END'
		import collections, io, pickle, sys, types, zipfile
		class Storage:
		    pass
		class Call:
		    def __init__(self, *a):
		        self.a = a
		    def __reduce__(self):
		        return self.a[0], self.a[1:]
		torch, utils = types.ModuleType('torch'), types.ModuleType('torch._utils')
		def rebuild(*a):
		    pass
		rebuild.__module__, rebuild.__qualname__ = 'torch._utils', '_rebuild_tensor_v2'
		rebuild.__name__ = '_rebuild_tensor_v2'
		utils._rebuild_tensor_v2 = rebuild
		FloatStorage = type('FloatStorage', (), {'__module__': 'torch'})
		torch.FloatStorage = FloatStorage
		sys.modules.update({'torch': torch, 'torch._utils': utils})
		class Pickler(pickle.Pickler):
		    def persistent_id(self, o):
		        return ('storage', FloatStorage, '0', 'cpu', 1) if o is Storage else None
		made = {'\u4e00' * 700 + end:
		        Call(rebuild, Storage, 0, (1,), (1,), False, collections.OrderedDict())
		        for end in 'ab'}
		out = io.BytesIO()
		Pickler(out, 2).dump(made)
		with zipfile.ZipFile('t.pt', 'w') as zip:
		    zip.writestr('t/data.pkl', out.getvalue())
		    zip.writestr('t/data/0', bytes(4))
		    zip.writestr('t/version', '3\n')
	END
	ck 0 inspect t.pt
	python3 - <<-'END' || fail "not whole: $(head -c 9000 stdout)"
		name = '\u4e00' * 700
		text = open('stdout', encoding='utf-8').read().split()
		at = text.index('tied')
		assert text[at + 1:at + 4] == [name + 'a', '=', name + 'b']
	END
	on_terminal 80 t.pt
	prints "...$(printf '\xe4\xb8\x80')"
	narrow 80
}

# Names as long as a safetensors reader takes them: seconds are for slow machines.
story_inspect_is_done_with_long_names_at_once() {
	local long
	long=$(printf 'n%.0s' {1..130900})
	for name in "$long" pa pb pc; do
		printf "$name.%s\n" "sub.w F32 1" "sub.x F32 2" "sub.y F32 3" "sub.z F32 4" \
			"other.${#name}.a F32 7" "zzz F32 2 ${#name}"
	done | model m.safetensors
	(
		ulimit -t 10
		on_terminal 80 m.safetensors
		cp stdout ..
	)
	mv ../stdout .
	narrow 80
	prints "sub"
	prints "pa"
}

story_inspect_has_colours_on_terminals_only() {
	on_terminal 80 "$data/good/state_dict.pt"
	grep -q $'\x1b\[1;32msafe' coloured || fail "no colours: $(cat -v coloured)"
	ck 0 inspect "$data/good/state_dict.pt"
	! grep -q $'\x1b' stdout || fail "colours in a pipe"
	NO_COLOR=1 on_terminal 80 "$data/good/state_dict.pt"
	! grep -q $'\x1b' coloured || fail "colours against NO_COLOR"
}
