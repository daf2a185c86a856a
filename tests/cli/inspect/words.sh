# Words for the stories of `ckconv inspect`: files that are made here, and what must be printed.
# shellcheck shell=bash disable=SC2154 # what run.sh sets

# model FILE: a safetensors file of zeros, from lines "NAME DTYPE SIZE..." on the standard input; by
# code of its own.
model() {
	python3 - "$1" 3<&0 <<-'END'
		import json, os, struct, sys
		sizes = {'F32': 4, 'F16': 2, 'BF16': 2, 'I64': 8, 'U8': 1, 'F8_E4M3': 1}
		header, at = {'__metadata__': {'format': 'pt', 'made by': 'a story'}}, 0
		for line in os.fdopen(3):
		    name, dtype, *shape = line.split()
		    size = sizes[dtype]
		    for number in shape:
		        size *= int(number)
		    header[name] = {'dtype': dtype, 'shape': [int(n) for n in shape],
		                    'data_offsets': [at, at + size]}
		    at += size
		text = json.dumps(header, separators=(',', ':')).encode()
		text += b' ' * (-len(text) % 8)
		with open(sys.argv[1], 'wb') as file:
		    file.write(struct.pack('<Q', len(text)) + text)
		    file.truncate(8 + len(text) + at)
	END
}

# layers COUNT EXPERTS: the names of a language model; of one with experts if there are any.
layers() {
	local l e p
	echo "model.embed_tokens.weight F16 320 64"
	for ((l = 0; l < $1; l++)); do
		p=model.layers.$l
		echo "$p.self_attn.q_proj.weight F16 64 64"
		echo "$p.self_attn.k_proj.weight F16 16 64"
		echo "$p.self_attn.v_proj.weight F16 16 64"
		echo "$p.self_attn.o_proj.weight F16 64 64"
		[ "$2" -eq 0 ] && printf '%s\n' "$p.mlp.gate_proj.weight F16 176 64" \
			"$p.mlp.up_proj.weight F16 176 64" "$p.mlp.down_proj.weight F16 64 176"
		[ "$2" -eq 0 ] || echo "$p.moe.gate.weight F16 $2 64"
		for ((e = 0; e < $2; e++)); do
			printf '%s\n' "$p.moe.experts.$e.w1.weight F16 8 64" \
				"$p.moe.experts.$e.w2.weight F16 64 8" \
				"$p.moe.experts.$e.w3.weight F16 8 64"
		done
		echo "$p.input_layernorm.weight F16 64"
		echo "$p.post_attention_layernorm.weight F16 64"
	done
	printf '%s\n' "model.norm.weight F16 64" "lm_head.weight F16 320 64"
}

# tree: what was printed below the first empty line must be the text on the standard input.
tree() {
	sed '1,/^$/d' stdout >tree
	diff - tree >difference || fail "the tree is different: $(cat difference)"
}

prints() {
	grep -qF -- "$1" stdout || fail "it does not print \"$1\": $(head -c 900 stdout)"
}

prints_not() {
	! grep -qF -- "$1" stdout || fail "it prints \"$1\": $(head -c 900 stdout)"
}

# on_terminal COLUMNS ARGUMENTS...: what is printed there, without colours, to the file `stdout`.
on_terminal() {
	local columns=$1
	shift
	command -v script >/dev/null || skip "there is no script(1)"
	TERM=xterm script -qec "stty cols $columns; '$ckconv' inspect $*" /dev/null </dev/null |
		tr -d '\r' >coloured
	sed 's/\x1b\[[0-9;]*m//g' coloured >stdout
}

# narrow COLUMNS: no line of stdout has more.
narrow() {
	python3 - "$1" <<-'END' || fail "a line is too long: $(cat stdout)"
		import sys
		lines = open('stdout', encoding='utf-8').read().split('\n')
		sys.exit(max(map(len, lines)) > int(sys.argv[1]))
	END
}

# asked EXPRESSION: true of the JSON object that was printed, `j`.
asked() {
	python3 -c "
import json, sys
j = json.load(open('stdout', encoding='utf-8'))
t = {x['name']: x for x in j['tensors']}
sys.exit(not ($1))" || fail "not so: $1: $(head -c 900 stdout)"
}
