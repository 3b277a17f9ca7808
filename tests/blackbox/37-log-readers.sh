#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 37-log-readers.sh - whoever reads a container's output, and however badly: the container goes on at its own rate.
# limit: 120
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir readers && cd readers || exit 1
cat >compose.yaml <<'YAML'
services:
  writer: {image: busybox, command: ["probe", "lines", "0", "500"]}
YAML
leak_before
t_ok "up" winch up -d || t_abort "nothing to look at"
log=$WINCH_ROOT/lib/containers/$(winch ps -q writer)/log/1
position() { tail -c 4000 "$log" | grep -oE 'out [0-9]{8}' | tail -1 | cut -c5- | sed 's/^0*//'; }
rate() { # lines the container writes in a second
    local before after
    before=$(position)
    sleep 1
    after=$(position)
    echo $((after - before))
}
wait_for 5 grep -q 'out 00000100' "$log"
base=$(rate)
t_true "the container writes ($base lines a second)" test "$base" -gt 100
keeps_rate() { # NAME
    local now
    now=$(rate)
    t_true "LOG-01 $1: it keeps its rate ($now of $base)" test "$now" -gt $((base / 2))
}

pids=()
readers_end() {
    kill -CONT "${pids[@]}" 2>/dev/null
    kill -9 "${pids[@]}" 2>/dev/null
    wait "${pids[@]}" 2>/dev/null
    pids=()
}
mkfifo never-read
exec 9<>never-read
winch logs -f >never-read 2>&1 & # fills the pipe and blocks
pids+=($!)
sleep 0.5
keeps_rate "logs -f into a pipe that nobody reads"
readers_end
winch logs -f >/dev/null 2>&1 &
pids+=($!)
sleep 0.3
kill -STOP "${pids[0]}"
keeps_rate "a stopped logs -f"
readers_end
winch logs -f 2>/dev/null | head -1 >/dev/null &
pids+=($!)
keeps_rate "logs -f into a process that ended"
readers_end
for _ in $(seq 100); do
    winch logs -f --tail 1 >/dev/null 2>&1 &
    pids+=($!)
done
sleep 0.5
kill -STOP "${pids[@]}"
keeps_rate "a hundred readers, stopped"
kill -CONT "${pids[@]}"
now=$(rate)
t_true "LOG-01 a hundred readers that read: it goes on ($now of $base)" test "$now" -gt $((base / 10))
readers_end
winch up >never-read 2>&1 & # attached, its output blocked
pids+=($!)
sleep 0.5
keeps_rate "attached up that nobody reads"
readers_end
exec 9>&-

# the same measure sees a container that is held up: with its monitor stopped the counter stands still
monitor=$(w_resident monitor)
kill -STOP "$monitor"
sleep 0.5
now=$(rate)
kill -CONT "$monitor"
t_true "the measure can fail: a stopped monitor is seen ($now of $base)" test "$now" -le $((base / 2))
sleep 0.3
keeps_rate "after that"
t_ok "stop" winch stop -t 1
winch logs --no-color --no-log-prefix writer >lines 2>&1
for stream in out err; do
    t_is "no line of $stream is missing or double" \
        "$(grep "^$stream " lines | awk '{ n++; if ($2 + 0 != n) { print "line " n " is " $2; exit } } END { if (n < 500) print "only " n }')" ""
done
t_ok "down" winch down -t 1
t_no_leak "nothing is left"
t_done
