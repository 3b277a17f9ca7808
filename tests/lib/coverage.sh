#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# coverage.sh BUILD FOLDER LEAST - `make coverage`: runs the unit tests of a folder, built with --coverage, and prints
# which part of the lines of each of its files was passed. Fails below LEAST percent of all. COVER_LINES=1 prints the
# lines that were not passed, too.
set -eu
build=$1 folder=$2 least=$3
find "$build" -name '*.gcda' -delete
"$build/tests/unit-$folder" >"$build/unit.log" 2>&1 || {
    tail -20 "$build/unit.log"
    exit 1
}
find "$build/obj/$folder" -name '*.gcda' | sort | while read -r data; do
    gcov -t -o "$(dirname "$data")" "$data" 2>/dev/null
done | awk -F: -v folder="$folder/" -v least="$least" -v show="${COVER_LINES-}" '
    { count = $1; gsub(/ /, "", count) }
    $2 + 0 == 0 {
        if ($3 == "Source")
            source = index($4, folder) == 1 && $4 ~ /[.]c$/ ? $4 : ""
        if (source != "" && !(source in lines)) {
            lines[source] = passed[source] = 0
            order[++files] = source
        }
        next
    }
    source == "" || count == "-" { next }
    { lines[source]++; all++ }
    count !~ /^[#=]/ { passed[source]++; all_passed++; next }
    show { text = $0; sub(/^[^:]*: *[0-9]*:/, "", text); print source ":" $2 + 0 ":" text }
    END {
        for (i = 1; i <= files; i++)
            if (lines[order[i]] > 0)
                printf "%-32s %5d lines %6.1f %%\n", order[i], lines[order[i]], 100 * passed[order[i]] / lines[order[i]]
        printf "%-32s %5d lines %6.1f %%\n", "all", all, all ? 100 * all_passed / all : 0
        exit !all || 100 * all_passed < least * all
    }'
