#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 46-log-kill.sh - the monitor is killed at each of its system calls between pipe and log: no line is lost, doubled or torn.
# limit: 240
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir killed && cd killed || exit 1
cat >compose.yaml <<'YAML'
services:
  writer:
    image: busybox
    command: ["probe", "lines", "0", "300"]
    logging: {options: {max-size: 20k, max-file: "1000"}}
    stop_grace_period: 0s
YAML
leak_before
t_ok "up" winch up -d || t_abort "nothing to look at"
log=$WINCH_ROOT/lib/containers/$(winch ps -q writer)/log
replaced() { # OLD: another monitor runs
    local now
    now=$(w_resident monitor)
    [ -n "$now" ] && [ "$now" != "$1" ]
}
grows() { # SIZE
    [ "$(du -sb "$log" | cut -f1)" -gt "$1" ]
}
kills=0
# the calls on the way from pipe to log; openat and close are those of a rotation.  strace kills at their beginning, so the
# next call of another kind stands for the end of the one before.
for call in splice write openat close epoll_wait; do
    for when in 1 2 5 9; do
        monitor=$(w_resident monitor)
        timeout 10 strace -q -p "$monitor" -e trace="$call" -e inject="$call:signal=KILL:when=$when" >/dev/null 2>&1
        wait_for 10 replaced "$monitor" && kills=$((kills + 1))
        wait_for 5 grows "$(du -sb "$log" | cut -f1)" || break 2
    done
done
# and at any instant
for _ in $(seq 1 20); do
    monitor=$(w_resident monitor)
    kill -9 "$monitor" && wait_for 10 replaced "$monitor" && kills=$((kills + 1))
done
t_true "LOG-04 the monitor was killed, and came back each time ($kills times)" test $kills -ge 38
t_ok "stop" winch stop -t 0
winch logs --no-color --no-log-prefix writer >lines 2>&1
for stream in out err; do
    t_is "LOG-04 $stream: every number once, in order" \
        "$(grep "^$stream " lines | awk '{ n++; if ($2 + 0 != n) { print "line " n " is " $2; exit } } END { if (n < 1000) print "only " n }')" ""
done
t_is "LOG-04 no record is torn, no file holds anything else" \
    "$(cat "$log"/* | python3 -c '
import json, sys
for line in sys.stdin:
    record = json.loads(line)
    assert sorted(record) == ["log", "stream", "time"], line
print("ok")' 2>&1 | tail -1)" ok
t_is "LOG-04 the files are numbered without a hole" \
    "$(find "$log" -type f -printf '%f\n' | sort -n | awk '$1 != NR { print "file " NR " is " $1; exit }')" ""
t_true "LOG-04 it was rotated" test "$(find "$log" -type f | wc -l)" -gt 10
t_ok "down" winch down -t 0
t_no_leak "nothing is left"
t_done
