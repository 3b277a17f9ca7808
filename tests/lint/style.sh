#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# style.sh - what no compiler checks: licence lines, calls we do without, paths of one machine, unfinished work.
# Prints "file:line: reason" and exits 1 when it finds something.
set -eu
cd "$(dirname "$0")/../.."

bad=0
# find_bad REASON PATTERN FILE... - matching lines are findings; a line with "lint: allow" is left alone
find_bad() {
    local reason=$1 pattern=$2 found
    shift 2
    [ $# -gt 0 ] || return 0
    found=$(grep -nHE -- "$pattern" "$@" | grep -v 'lint: allow' || true)
    [ -n "$found" ] || return 0
    while IFS= read -r line; do
        printf '%s   <- %s\n' "$line" "$reason"
    done <<<"$found"
    bad=1
}

mapfile -t sources < <(find base parser engine netd volumes orchestrator cli -name '*.[ch]' | sort)
mapfile -t test_sources < <(find tests -name '*.[ch]' | sort)
mapfile -t scripts < <(find tests examples -name '*.sh' | sort)
mapfile -t texts < <(find docs examples systemd README.md Makefile Makefile.targets -type f \
    \( -name '*.md' -o -name '*.yaml' -o -name '*.service' -o -name '*.socket' -o -name 'Makefile*' \) 2>/dev/null | sort)

for file in "${sources[@]}" "${test_sources[@]}"; do
    IFS= read -r first <"$file" || true
    if [ "$first" != '/* SPDX-License-Identifier: Apache-2.0 */' ]; then
        printf '%s:1: the first line is not the SPDX line\n' "$file"
        bad=1
    fi
done
for file in "${scripts[@]}"; do
    if ! head -n 2 "$file" | grep -q '^# SPDX-License-Identifier: Apache-2.0$'; then
        printf '%s:2: the SPDX line is missing\n' "$file"
        bad=1
    fi
done

call='(^|[^A-Za-z0-9_>."])'
find_bad 'banned call' "${call}(strtok|strtok_r|atoi|atol|atoll|atof|sprintf|vsprintf|system|popen|strcpy|stpcpy|strcat|strncat|alloca|gets|mktemp|tmpnam|setjmp|longjmp)\(" \
    "${sources[@]}"
find_bad 'threads' "${call}pthread_[a-z_]+\(" "${sources[@]}"
find_bad 'typedef of a struct' '^typedef struct' "${sources[@]}"

# the words are split so that this file does not find itself
find_bad 'unfinished work: refuse it with an error instead' "\\b(TO""DO|FIX""ME|X""XX|HA""CK)\\b" \
    "${sources[@]}" "${test_sources[@]}" "${scripts[@]}" "${texts[@]}"
find_bad 'a path of one machine' "(^|[^A-Za-z0-9_.])/(wo""rk|home/[a-z]+)/[A-Za-z]" \
    "${sources[@]}" "${test_sources[@]}" "${scripts[@]}" "${texts[@]}"
find_bad 'something outside the checkout' "\\.\\./sha""red/" \
    "${sources[@]}" "${test_sources[@]}" "${scripts[@]}" "${texts[@]}"
find_bad 'tabs or blanks at the end of the line' "[ 	]+\$" "${sources[@]}" "${test_sources[@]}" "${scripts[@]}"
find_bad 'tab' '	' "${sources[@]}" "${test_sources[@]}"
exit "$bad"
