#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 13-resident-kill.sh - kill -9 of supervisor, netd and monitors under load: no request fails, no line is lost, all come back.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
# shellcheck source=tests/lib/leakcheck.sh
. "$t_lib/leakcheck.sh"
lab_registry
mkdir kills && cd kills || exit 1
cat >compose.yaml <<'YAML'
services:
  web:
    image: busybox
    command: ["probe", "http", "80"]
    restart: always
    ports: ["8080:80"]
  writer:
    image: busybox
    command: ["probe", "lines", "0", "2000"]
    restart: always
  screen:
    image: busybox
    command: ["sh", "-c", "i=0; while :; do i=$$((i + 1)); echo tick $$i; sleep 0.1; done"]
    tty: true
    restart: always
YAML
leak_before
t_ok "up" winch up -d --wait || t_abort "nothing to look at"
t_true "a request is answered" wait_for 5 curl -fsS http://127.0.0.1:8080/
writer=$(w_pid writer) web=$(w_pid web) screen=$(w_pid screen)

requests() { # one after another; each line is a status, 000 for a failure, then when it ended and why
    while :; do
        curl -s -o /dev/null --max-time 3 -w "%{http_code} $EPOCHREALTIME %{time_total} %{errormsg}\n" http://127.0.0.1:8080/ \
            >>"$LAB/requests"
        sleep 0.02
    done
}
requests &
loop=$!

monitor_of() { # SERVICE: the process whose child is the container's first process
    awk '/^PPid:/ { print $2 }' "/proc/$(w_pid "$1")/status"
}
kill_and_expect() { # NAME PID COMMAND...: the command works at once
    echo "$EPOCHREALTIME killed: $1" >>"$LAB/kills"
    kill -9 "$2"
    t_ok "kill -9 of the $1: the next command works" "${@:3}"
}

count_is() { [ "$(w_resident "$1" | wc -l)" = "$2" ]; }

for round in 1 2 3; do
    kill_and_expect "supervisor ($round)" "$(w_resident supervisor)" winch ps
    t_ok "up -d brings the supervisor back" winch up -d
    t_true "there is one supervisor" wait_for 5 count_is supervisor 1
    netd=$(w_resident netd)
    if [ -n "$netd" ]; then
        kill_and_expect "network daemon ($round)" "$netd" winch up -d
        t_true "NET-21 names answer within a second" wait_for 1 winch exec -T web probe resolve writer
    fi
    kill_and_expect "monitor of the writer ($round)" "$(monitor_of writer)" winch ps
    t_true "the monitor is back" wait_for 10 count_is monitor 3
    kill_and_expect "monitor of the web server ($round)" "$(monitor_of web)" winch ps
    t_true "the monitor is back" wait_for 10 count_is monitor 3
done
kill_and_expect "monitor of the terminal" "$(monitor_of screen)" winch ps
t_true "the monitor is back" wait_for 10 count_is monitor 3
kill_and_expect "supervisor" "$(w_resident supervisor)" winch up -d
kill_and_expect "monitor of the terminal, after that" "$(monitor_of screen)" winch ps
t_true "the monitor is back" wait_for 10 count_is monitor 3
ticks() { winch logs --no-color --no-log-prefix screen | tr -d '\r' | awk '/^tick/ { n++; if ($2 != n) exit 1 } END { print n + 0 }'; }
before=$(ticks)
more_ticks() { [ "$(ticks)" -gt "$before" ]; }
t_true "what the terminal shows goes on being logged, without a gap" wait_for 5 more_ticks
t_true "names answer after all that" wait_for 5 winch exec -T web probe resolve writer
sleep 0.5
kill $loop
wait $loop 2>/dev/null
t_is "no container was restarted" "$(w_pid writer) $(w_pid web) $(w_pid screen)" "$writer $web $screen"
t_true "requests were made ($(wc -l <"$LAB/requests"))" test "$(wc -l <"$LAB/requests")" -gt 20
t_is "no request failed" "$(grep -v '^200 ' "$LAB/requests")" "" || t_note "$(cat "$LAB/kills")"

t_ok "stop" winch stop -t 2
winch logs --no-color --no-log-prefix writer >log 2>&1
for stream in out err; do
    t_is "no numbered line of $stream is missing or double" \
        "$(grep "^$stream " log | awk '{ n++; if ($2 + 0 != n) { print "line " n " is " $2; exit } } END { if (n < 500) print "only " n }')" ""
done
t_ok "down" winch down
t_no_leak "LEK-01 nothing is left"
t_done
