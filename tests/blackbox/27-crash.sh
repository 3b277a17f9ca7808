#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 27-crash.sh - managers die, files are damaged, keys are pressed: the next command converges.
# limit: 300
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
    command: ["sh", "-c", "probe hold; exit 9"]
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

# CRS-16
rm -rf "$WINCH_ROOT/run/projects" 2>/dev/null
w_kill supervisor
t_ok "CRS-16 the run tree of projects is gone: up converges" winch up -d
t_is "CRS-16 no doubles" "$(winch ps -q | wc -l)" 3
t_is "CRS-16 one process of each" "$(grep -l probe /proc/[0-9]*/comm 2>/dev/null | xargs -r -n1 dirname | xargs -r -I{} sh -c 'tr "\0" " " <{}/cmdline; echo' | grep -c 'probe http 80')" 1

# CRS-19
t_ok "down" winch down -t 0
for delay in 0.02 0.04 0.06 0.08 0.1 0.15 0.2; do
    timeout --preserve-status -s INT "$delay" winch up -d >/dev/null 2>&1
done
t_ok "CRS-19 after seven interrupted ups, up works" winch up -d
for delay in 0.02 0.05 0.1; do
    timeout --preserve-status -s INT "$delay" winch down -t 0 >/dev/null 2>&1
done
t_ok "CRS-19 after three interrupted downs, down works" winch down -t 0
t_no_leak "CRS-19 LEK-01 nothing is left"
(winch up -d; winch ps) 2>&1 | head -c 1 >/dev/null
t_ok "CRS-19 a closed output does no harm" winch up -d
t_ok "down" winch down -t 0

# CRS-17
mkdir ../bystander && cd ../bystander || exit 1
printf 'services:\n  b: {image: busybox, command: ["probe", "hold"]}\n' >compose.yaml
t_ok "a bystander is up" winch up -d
cd ../crash || exit 1
t_ok "up" winch up -d
id=$(winch ps -q web)
w_kill supervisor
damage() { # FILE KIND
    case $2 in
    empty) : >"$1" ;;
    half) truncate -s $(($(stat -c %s "$1") / 2)) "$1" ;;
    nul) head -c 200 /dev/zero >>"$1" ;;
    garbage) head -c 300 /dev/urandom >"$1" ;;
    newer) sed -i 's/"version": *[0-9]*/"version":9999/' "$1" ;;
    missing) rm -f "$1" ;;
    dir) rm -f "$1" && mkdir "$1" ;;
    esac
}
for file in "containers/$id/container.json" projects/crash/project.json networks/crash_default.json images.json; do
    path=$WINCH_ROOT/lib/$file
    [ -e "$path" ] || continue
    cp -a "$path" "$LAB/saved"
    for kind in empty half nul garbage newer missing dir; do
        damage "$path" $kind
        t_run timeout 20 winch ps -a
        t_true "CRS-17 $file $kind: ps ends by itself, no crash ($T_STATUS)" test "$T_STATUS" -lt 124
        t_is "CRS-17 $file $kind: the bystander is shown" "$(winch -f ../bystander/compose.yaml ps -q 2>/dev/null | wc -l)" 1
        rm -rf "$path"
        cp -a "$LAB/saved" "$path"
    done
done
t_ok "restored, up works" winch up -d
t_ok "down" winch down -t 0
t_ok "down of the bystander" winch -f ../bystander/compose.yaml down -t 0
t_no_leak "LEK-01 nothing is left"
t_done
