#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 38-log-managers.sh - numbered lines on both streams while supervisor and monitor are killed: each once, in order.
# limit: 240
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
lines=${LINES_COUNT:-30000} kills=${KILLS:-6} pause_us=${PAUSE_US:-150}
mkdir numbered && cd numbered || exit 1
cat >compose.yaml <<YAML
services:
  writer:
    image: busybox
    command: ["probe", "lines", "$lines", "$pause_us"]
    restart: "no"
    logging: {options: {max-size: "2g"}}
YAML
leak_before
t_ok "up" winch up -d || t_abort "nothing to look at"
writes() { w_state_is writer running; }
# The kernel keeps an output pipe as long as one of the two has it open: one dies at a time, and is back before the other dies.
one() { [ "$(w_resident "$1" | wc -l)" = 1 ]; }
killed_supervisor=0 killed_monitor=0
while [ $((killed_supervisor + killed_monitor)) -lt $((kills * 2)) ] && writes; do
    kill -9 "$(w_resident supervisor)" 2>/dev/null && killed_supervisor=$((killed_supervisor + 1))
    winch up -d --no-recreate >/dev/null 2>&1
    wait_for 10 one supervisor || break
    wait_for 10 one monitor || break
    sleep 0.1
    kill -9 "$(w_resident monitor)" 2>/dev/null && killed_monitor=$((killed_monitor + 1))
    wait_for 10 one monitor || break
    sleep 0.1
done
t_true "LOG-02 they were killed while it wrote ($killed_supervisor supervisors, $killed_monitor monitors)" \
    test $killed_supervisor -ge $((kills / 2)) -a $killed_monitor -ge $((kills / 2))
t_true "it writes to its end" wait_for "${END_WAIT:-120}" w_state_is writer exited
winch logs --no-color --no-log-prefix writer >log 2>&1
# seen failing: with one line cut out of the log here
for stream in out err; do
    t_is "LOG-02 $stream: each of $lines numbers once, in order" \
        "$(grep "^$stream " log | awk -v want="$lines" '{ n++; if ($2 + 0 != n) { print "line " n " is " $2; exit } } END { if (n != want) print n " lines" }')" ""
done
t_is "nothing else is in the log" "$(grep -vcE '^(out|err) [0-9]{8}$' log)" 0
t_ok "down" winch down -t 1
t_no_leak "nothing is left"
t_done
