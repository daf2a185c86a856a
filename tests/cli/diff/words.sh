# What the stories of `ckconv diff` share; words.sh of the folder above has the rest.
# shellcheck shell=bash disable=SC2016,SC2154 # Python in quotes; what run.sh sets

# st FILE CODE: a safetensors file with the tensors that CODE puts into the dict `t`: each is
# (dtype, shape, bytes). f32(1, 2) and i64(1, 2) are such, of one dimension.
st() {
	python -c 'import json, struct, sys
def f32(*v): return "F32", [len(v)], struct.pack("<%df" % len(v), *v)
def f16(*v): return "F16", [len(v)], struct.pack("<%de" % len(v), *v)
def i64(*v): return "I64", [len(v)], struct.pack("<%dq" % len(v), *v)
nan, inf, t = float("nan"), float("inf"), {}
exec(sys.argv[2])
header, data = {}, b""
for name, (dtype, shape, raw) in t.items():
    place = [len(data), len(data) + len(raw)]
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": place}
    data += raw
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)' "$@"
}

# json CODE: runs Python over the object on stdout, called `d`.
json() {
	python -c "import json
d = json.load(open('stdout', encoding='utf-8'))
names = [x['name'] for x in d['differences']]
$1"
}

prints() {
	grep -qF -- "$1" stdout || fail "stdout does not say \"$1\": $(head -c 600 stdout)"
}

prints_not() {
	! grep -qF -- "$1" stdout || fail "stdout says \"$1\": $(head -c 600 stdout)"
}

# The standard output, to the byte.
golden() {
	cat >want
	diff want stdout >difference || fail "it prints otherwise: $(cat difference)"
}

# A failure: one sentence, and nothing on stdout.
fails() {
	ck "$@"
	one_line
	printable
	silent stdout
}
