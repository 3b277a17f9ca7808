#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 27-crash.sh - supervisor and monitors die: containers run on, the next command converges.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir crash && cd crash || exit 1
cat >compose.yaml <<'YAML'
services:
  web:
    image: busybox
    command: ["probe", "http", "80"]
    ports: ["8080:80"]
    restart: always
  leaves:
    image: busybox
    command: ["sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.1; done"]
    stop_grace_period: 1s
  checked:
    image: busybox
    command: ["probe", "hold"]
    healthcheck: {test: ["CMD", "test", "!", "-e", "/tmp/bad"], interval: 200ms, retries: 1}
YAML
leak_before
t_ok "up" winch up -d --wait || t_abort "nothing to look at"

# CRS-01
before="$(w_pid web) $(w_pid checked)"
for _ in $(seq 1 20); do
    w_kill supervisor
    sleep "0.$((RANDOM % 10))"
    winch up -d >/dev/null 2>&1
done
t_is "CRS-01 twenty kills of the supervisor: same processes" "$(w_pid web) $(w_pid checked)" "$before"
w_kill supervisor
kill -TERM "$(w_pid leaves)"
t_true "CRS-01 an end during its absence is seen" wait_for 5 w_state_is leaves exited
t_is "CRS-01 with its code" "$(w_ps leaves ExitCode)" 9
web=$(w_pid web)
kill -9 "$web"
t_ok "CRS-01 the next command" winch up -d
t_true "CRS-01 restarts resume within 2 s" wait_for 2 w_is_back web "$web"
winch exec -T checked touch /tmp/bad
t_true "CRS-01 health checks resume" wait_for 3 w_health_is checked unhealthy

# CRS-02
monitor=$(awk '/^PPid:/ { print $2 }' "/proc/$(w_pid web)/status")
web=$(w_pid web)
kill -9 "$monitor"
t_is "CRS-02 a monitor is killed: the container runs on" "$(readlink "/proc/$web/exe" | sed 's/.*\///')" probe
t_true "CRS-02 ps is right within 2 s" wait_for 2 w_state_is web running
t_is "CRS-02 with the same process" "$(w_pid web)" "$web"
t_true "CRS-02 it is adopted" wait_for 5 eval "[ \"\$(w_resident monitor | wc -l)\" -ge 2 ]"
t_is "CRS-02 it still serves" "$(curl -s http://127.0.0.1:8080/x)" "$(winch exec -T web hostname) /x"
w_kill supervisor
w_kill monitor
t_ok "CRS-02 stop while all managers are dead" winch stop -t 1
t_is "CRS-02 nothing runs" "$(winch ps -q)" ""
t_ok "start again" winch start
t_ok "down" winch down -t 0
t_no_leak "LEK-01 nothing is left"
t_done
