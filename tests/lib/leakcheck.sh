#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154   # t_lib and t_build are set by tap.sh
# leakcheck.sh - the leak check as shell functions (see leakcheck.py); source it after lab_enter.
#
#   leak_before [FILE]                          note what there is now
#   t_no_leak NAME [--allow REGEX]... [--wait S]   a check: nothing is more than noted (waits up to 3 s for it)
#   leak_residents                              name, pid, descriptors, RSS and PSS in kB of each process of winch
leak_before() {
    leak_file=${1:-$LAB/leak.json}
    "$t_lib/leakcheck.py" snapshot "$leak_file"
}

t_no_leak() {
    t_ok "$1" "$t_lib/leakcheck.py" diff "$leak_file" --wait 3 "${@:2}"
}

leak_residents() { "$t_lib/leakcheck.py" residents; }
