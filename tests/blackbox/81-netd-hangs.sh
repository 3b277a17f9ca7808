#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 81-netd-hangs.sh - netd is there and does nothing, or never comes up: nobody waits for it for ever, and nobody else stops.
# limit: 120
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir hang && cd hang || exit 1
cat >compose.yaml <<'YAML'
services:
  a: {image: busybox, command: ["probe", "hold"]}
  b:
    image: busybox
    command: ["probe", "hold"]
    volumes: ["./marks:/marks"]
    healthcheck: {test: ["CMD", "sh", "-c", "echo x >>/marks/probes"], interval: 200ms}
YAML
mkdir marks && chmod 777 marks
leak_before
t_ok "up" winch up -d --wait || t_abort "nothing to look at"
within() { # NAME MS COMMAND...
    local begin
    begin=$(now_ms)
    t_run timeout 60 "${@:3}"
    t_true "$1: $(($(now_ms) - begin)) ms, exit $T_STATUS" test "$T_STATUS" = 0 -a $(($(now_ms) - begin)) -lt "$2"
}
probes() { wc -l <marks/probes; }

netd=$(w_resident netd)
kill -STOP "$netd"
within "SUP-10 netd hangs: ps" 1000 winch ps
within "SUP-10 netd hangs: stop" 2000 winch stop -t 1 a
before=$(probes) begin=$(now_ms)
# seen failing: without a bound on netd's silence `up` waited for ever
t_exit "SUP-10 netd hangs: up ends with an error" 1 timeout 40 winch up -d a
took=$(($(now_ms) - begin))
t_true "SUP-10 after 15 s, not at once and not never ($took ms)" test $took -gt 10000 -a $took -lt 22000
t_like "SUP-10 it names who does not answer" "$T_OUT" 'winch-netd does not answer'
t_like "SUP-10 and what to do" "$T_OUT" 'hint: end the process winch-netd'
t_true "SUP-10 meanwhile the other service was probed ($before, $(probes))" test $(($(probes) - before)) -gt $((took / 1000))
within "SUP-10 found hanging, the next call waits less" 8000 sh -c '! winch up -d a'

# connections that nobody takes fill the queue of the socket
python3 - "$WINCH_ROOT/run/netd.sock" <<'PY' &
import os, socket, sys, time
os.chdir(os.path.dirname(sys.argv[1]))
held = []
try:
    while len(held) < 400:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(0.2)
        s.connect("netd.sock")
        held.append(s)
except OSError:
    pass
open("full", "w").close()
time.sleep(60)
PY
filler=$!
wait_for 10 test -e "$WINCH_ROOT/run/full"
w_kill supervisor
# seen failing: connect(2) waited in the supervisor's loop; and `up` took the network whose removal netd had not read yet
within "SUP-10 netd takes no connections: a new supervisor works" 4000 winch stop -t 1 b
t_exit "SUP-10 netd takes no connections: up ends with an error" 1 timeout 40 winch up -d a
t_like "SUP-10 and says so" "$T_OUT" 'takes no connections'
t_is "SUP-10 a container in a network that is about to go is not started" "$(w_ps a State)" exited
kill $filler
wait $filler 2>/dev/null
rm -f "$WINCH_ROOT/run/full"
kill -CONT "$netd"
t_ok "netd goes on: up" winch up -d --wait

# a netd that never comes up: somebody holds its lock
w_kill netd
flock "$WINCH_ROOT/run/netd.lock" sleep 60 &
holder=$!
wait_for 5 sh -c "! flock -n '$WINCH_ROOT/run/netd.lock' true"
before=$(probes)
within "SUP-10 netd does not come up: stop" 5000 winch stop -t 1 a
sleep 2
t_true "SUP-10 the loop goes on ($before, $(probes))" test $(($(probes) - before)) -ge 6
pkill -P $holder
wait $holder 2>/dev/null
t_ok "free again: up" winch up -d --wait
t_true "and names are answered" wait_for 5 winch exec -T a probe resolve b

# why it cannot serve is told by itself
winch down -t 0 >/dev/null 2>&1
wait_for 5 test ! -e "$WINCH_ROOT/run/netd.sock"
mkdir -p "$WINCH_ROOT/run/netd.sock/x"
begin=$(now_ms)
t_exit "a netd that fails at its start: up ends" 1 timeout 40 winch up -d
t_true "at once" test $(($(now_ms) - begin)) -lt 5000
t_like "with the reason" "$T_OUT" 'netd.sock'
rm -r "$WINCH_ROOT/run/netd.sock"
# seen failing: without a container down found nothing to do, and the user namespace stayed mounted
t_ok "down" winch down -t 0
t_no_leak "LEK-01 nothing is left" --allow '^file: run/netd\.(log|lock)$'
t_is "and nothing is wanted at the next boot" "$(ls "$WINCH_ROOT/lib/projects")" ""
t_done
