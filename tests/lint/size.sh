#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# size.sh - lists files over 500 lines and functions over 80, fails on files over 700 and functions over 120. Tables
# do not count: the lines of an initialiser at file level ("static const ... = {" to "};") are left out.
set -eu
cd "$(dirname "$0")/../.."

file_aim=500 file_max=700 function_aim=80 function_max=120

files=$(find base parser engine netd volumes orchestrator cli tests/unit tests/fuzz tests/probe -name '*.[ch]' | sort)
[ -n "$files" ] || exit 0

# shellcheck disable=SC2086 # names without blanks
awk -v file_aim=$file_aim -v file_max=$file_max -v function_aim=$function_aim -v function_max=$function_max '
function report(place, what, size, aim, max) {
    if (size <= aim)
        return
    printf("%s: %s has %d lines%s\n", place, what, size, (size > max) ? " (limit " max ")" : "")
    if (size > max)
        bad = 1
}
function file_end() {
    if (file != "")
        report(file, "file", lines, file_aim, file_max)
}
FNR == 1 { file_end(); file = FILENAME; lines = 0; in_table = 0; in_function = 0; head = "" }
{
    if (!in_table)
        lines++
    if (in_table) {
        if ($0 ~ /^[})].*;[ \t]*(\/\*.*)?$/)
            in_table = 0
        next
    }
    if (!in_function && $0 ~ /=[ \t]*\{[^;]*$/ && $0 !~ /^[ \t]/) { in_table = 1; next }
    if (!in_function && $0 ~ /^\{/) { in_function = 1; start = FNR; name = head; next }
    if (in_function && $0 ~ /^\}/) {
        in_function = 0
        report(file ":" start, name, FNR - start - 1, function_aim, function_max)
        next
    }
    if (!in_function && $0 ~ /^[A-Za-z_].*\(/) {
        head = $0
        sub(/\(.*/, "", head)
        sub(/.*[ *]/, "", head)
    }
}
END { file_end(); exit bad }
' $files
