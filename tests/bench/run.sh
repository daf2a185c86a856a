#!/bin/sh
# Times ckconv and cp in turn on one large checkpoint; prints both and their ratio, pair by pair.
#
# usage: run.sh CKCONV FOLDER [RUNS] [TENSORS]
#
# FOLDER needs three times the size of the checkpoint (12.5 MB a tensor, 201 of them), which is made
# there without PyTorch. Outputs are removed and the disk is left to settle before each run.

set -eu
ckconv=$(realpath "$1") folder=$2 runs=${3:-7} tensors=${4:-201}
here=$(cd "$(dirname "$0")" && pwd)
model=$folder/bench-$tensors.pt copy=$folder/bench-copy.pt out=$folder/bench-out.safetensors
trap 'rm -f "$copy" "$out"' EXIT

[ -f "$model" ] || python3 "$here/make_model.py" "$model" "$tensors"

timed() { # timed COMMAND...: seconds of wall clock, and peak memory in KB
	rm -f "$copy" "$out"
	sync
	/usr/bin/time -f '%e %M' "$@" 2>&1 >/dev/null | tail -1
}

timed cp "$model" "$copy" >/dev/null # brings the model into the page cache
for run in $(seq "$runs"); do
	echo "$(timed cp "$model" "$copy") $(timed "$ckconv" -q --no-fsync "$model" "$out")"
done | awk '
	{ printf "cp %.2f s, %d KB   ckconv %.2f s, %d KB   ratio %.2f\n", $1, $2, $3, $4, $3 / $1
	  ratio[NR] = $3 / $1 }
	END {
		for (i = 2; i <= NR; i++)
			for (k = i; k > 1 && ratio[k - 1] > ratio[k]; k--) {
				t = ratio[k]; ratio[k] = ratio[k - 1]; ratio[k - 1] = t
			}
		printf "ratio ckconv/cp: min %.2f, median %.2f, max %.2f\n", ratio[1],
			ratio[int((NR + 1) / 2)], ratio[NR]
	}'
