# Stories of a conversion: the test data itself.
# shellcheck shell=bash disable=SC2012,SC2016,SC2154,SC2181 # Python in quotes; what run.sh sets


story_every_file_of_the_test_data_has_a_case_and_a_sentence() {
	local file
	cd "$data" || fail "no test data"
	for file in good/* bad/* hostile/* hostile/*/* unsupported/*; do
		[ -f "$file" ] || continue
		grep -qE "^$file |\| $file\$" cases.txt views.txt hostile.txt ||
			fail "$file is in no case"
		[ "${file%.pt}" = "$file" ] || grep -qF "\`${file#*/}\`" README.md ||
			grep -qF "\`${file##*/}\`" README.md ||
			fail "$file has no sentence in README.md"
	done
}
