#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154   # t_lib and T_DIST are set by tap.sh
# canary.sh - a tree outside every root that must stay as it is (see canary.py); source it after lab_enter.
#
#   canary_make            makes $CANARY and notes it, our executables, /etc and some sysctls
#   t_canary NAME          a check: all of it is as noted
canary_make() {
    CANARY=$LAB/canary
    export CANARY
    "$t_lib/canary.py" make "$CANARY"
    canary_print >"$LAB/canary.before"
}

canary_print() { "$t_lib/canary.py" print "$CANARY" "$T_DIST" /etc; }

t_canary() {
    canary_print >"$LAB/canary.after"
    t_ok "$1" diff "$LAB/canary.before" "$LAB/canary.after"
}
