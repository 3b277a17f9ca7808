#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 49-log-flood.sh - two containers write as fast as they can: bounded disk, bounded memory, others are served.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
seconds=${FLOOD_SECONDS:-6}
mkdir flood && cd flood || exit 1
leak_before
cat >compose.yaml <<'YAML'
services:
  large: {image: busybox, command: ["probe", "flood", "0", "100", "65536"], stop_grace_period: 0s}
  small: {image: busybox, command: ["probe", "flood", "0", "40", "40"], stop_grace_period: 0s}
  other:
    image: busybox
    command: ["probe", "lines", "0", "100000"]
    stop_grace_period: 0s
    healthcheck: {test: ["CMD", "true"], interval: 500ms, timeout: 5s, retries: 2}
YAML
t_ok "up" winch up -d --wait || t_abort "nothing to look at"
id=$(winch ps -q other)
size_of() { find "$WINCH_ROOT/lib/containers/$1/log" -type f -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }'; }
before=$(grep -c 'out ' "$WINCH_ROOT/lib/containers/$id/log/1")
most=0 checks=0 slowest=0
end=$(($(now_ms) + seconds * 1000))
while [ "$(now_ms)" -lt $end ]; do
    for name in large small; do
        now=$(size_of "$(winch ps -q $name)")
        [ "$now" -le "$most" ] || most=$now
    done
    begin=$(now_ms)
    winch exec -T other true >/dev/null 2>&1 && checks=$((checks + 1))
    took=$(($(now_ms) - begin))
    [ $took -le $slowest ] || slowest=$took
    sleep 0.2
done
# four files for the instant between making the next and removing the last
t_true "LOG-07 neither log is larger than its three files of 10 MiB ($most bytes at most)" test "$most" -le $((4 * 10485760))
t_true "LOG-07 both were filled" test "$most" -ge $((2 * 10485760))
for pid in $(w_resident monitor); do
    rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")
    t_true "LOG-07 a monitor took $rss KiB at most" test "$rss" -lt 4096
done
t_true "LOG-07 commands in a third container worked ($checks, the slowest $slowest ms)" test $checks -ge 2 -a $slowest -lt 3000
t_true "LOG-07 it is healthy" w_health_is other healthy
after=$(grep -c 'out ' "$WINCH_ROOT/lib/containers/$id/log/1")
t_true "LOG-07 and its lines go on ($((after - before)))" test $((after - before)) -ge $((seconds * 3))
t_ok "down" winch down -t 0
t_no_leak "nothing is left"
t_done
