#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 28-supervise.sh - restart policies and their delays, stop, signals and exit codes, reaping, hanging probes.
# limit: 240
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
leak_before

# SUP-01: policy x exit; WANTED: state restarts
mkdir policy && cd policy || exit 1
{
    echo 'services:'
    for policy in no always on-failure on-failure:2 unless-stopped; do
        for code in 0 1 143; do
            name=${policy%%:*}-${policy##*:}-$code
            echo "  $name: {image: busybox, command: [sh, -c, 'exit $code'], restart: \"$policy\", network_mode: none}"
        done
    done
} >compose.yaml
t_ok "SUP-01 up of fifteen that end at once" winch up -d
sleep 3
while read -r service wanted; do
    case $wanted in
    ends) t_is "SUP-01 $service: not restarted" "$(w_ps "$service" State) $(w_ps "$service" RestartCount)" "exited 0" ;;
    goes-on) t_true "SUP-01 $service: restarted again and again ($(w_ps "$service" RestartCount))" \
        test "$(w_ps "$service" RestartCount)" -ge 3 ;;
    twice) t_is "SUP-01 $service: two restarts" "$(w_ps "$service" State) $(w_ps "$service" RestartCount)" "exited 2" ;;
    esac
done <<'TABLE'
no-no-0 ends
no-no-1 ends
always-always-0 goes-on
always-always-1 goes-on
on-failure-on-failure-0 ends
on-failure-on-failure-1 goes-on
on-failure-2-0 ends
on-failure-2-1 twice
on-failure-2-143 twice
unless-stopped-unless-stopped-0 goes-on
unless-stopped-unless-stopped-1 goes-on
TABLE
# SUP-02: no restart, then 100 ms, 200 ms, ... : in three seconds at most a handful
t_true "SUP-02 restarts slow down ($(w_ps always-always-1 RestartCount) in 3 s)" test "$(w_ps always-always-1 RestartCount)" -le 8
t_ok "SUP-01 stop" winch stop -t 0
count=$(w_ps always-always-1 RestartCount)
sleep 1.5
t_is "SUP-01 stopped by the user: stays stopped" "$(w_ps always-always-1 State) $(w_ps always-always-1 RestartCount)" "exited $count"
t_ok "down" winch down -t 0

# SUP-10, SUP-15
mkdir ../stop && cd ../stop || exit 1
cat >compose.yaml <<'YAML'
x-b: &b {image: busybox, network_mode: none}
services:
  obeys: {<<: *b, command: ["probe", "hold"]}
  ignores: {<<: *b, command: ["probe", "ignore-term"], stop_grace_period: 1s}
  quits: {<<: *b, command: ["probe", "signals"], stop_signal: SIGQUIT}
  number: {<<: *b, command: ["probe", "signals"], stop_signal: "12"}
  with-init: {<<: *b, command: ["probe", "signals"], init: true}
  sleeps: {<<: *b, command: ["sleep", "1000"], init: true}
  code: {<<: *b, command: ["probe", "exit", "37"]}
  crash: {<<: *b, command: ["probe", "crash", "11"], init: true}
  zombies: {<<: *b, command: ["probe", "zombies", "200"], init: true}
YAML
t_ok "up" winch up -d
for service in code crash; do wait_for 5 w_state_is $service exited; done
t_is "SUP-15 an exit code is kept" "$(w_ps code ExitCode)" 37
t_is "SUP-15 128 + SIGSEGV through init" "$(w_ps crash ExitCode)" 139
zombies_of() { winch exec -T "$1" sh -c 'cat /proc/[0-9]*/stat 2>/dev/null' | grep -c ' Z '; }
zombies_at_most() { [ "$(zombies_of "$1")" -le "$2" ]; }
t_true "SUP-14 init reaps orphans" wait_for 3 zombies_at_most zombies 0
for service in quits with-init; do
    for sig in HUP USR1; do
        t_ok "kill -s $sig $service" winch kill -s $sig $service
    done
done
stop_takes() { # SERVICE MIN_MS MAX_MS CODE
    local begin
    begin=$(now_ms)
    t_run winch stop "$1"
    local took=$(($(now_ms) - begin))
    t_true "SUP-10 stop of $1 took $took ms ($2 to $3)" test "$T_STATUS" = 0 -a $took -ge "$2" -a $took -le "$3"
    t_is "SUP-15 $1 ended with $4" "$(w_ps "$1" State) $(w_ps "$1" ExitCode)" "exited $4"
}
stop_takes obeys 0 800 0
stop_takes ignores 950 2000 137
stop_takes quits 0 800 0
stop_takes number 0 800 0
stop_takes with-init 0 800 0
stop_takes sleeps 0 800 143
for service in quits with-init; do
    wanted="got SIGHUP got SIGUSR1 got SIG$([ $service = quits ] && echo QUIT || echo TERM)"
    t_is "SUP-15 $service got each signal" "$(winch logs --no-color --no-log-prefix $service | grep ^got | tr '\n' ' ')" "$wanted "
done
t_like "SUP-15 signal 12 by number" "$(winch logs number)" 'got SIGUSR2'
t_ok "start" winch start ignores
begin=$(now_ms)
t_ok "SUP-10 stop -t 0" winch stop -t 0 ignores
t_true "SUP-10 kills at once" test $(($(now_ms) - begin)) -lt 800
t_ok "down" winch down -t 0

# SUP-06, SUP-08
mkdir ../hang && cd ../hang || exit 1
cat >compose.yaml <<'YAML'
x-h: &h {interval: 300ms, timeout: 300ms, retries: 2}
services:
  hangs:
    image: busybox
    network_mode: none
    command: ["probe", "hold"]
    healthcheck: {<<: *h, test: ["CMD-SHELL", "trap '' TERM; (setsid sleep 777 &) ; sleep 778 & wait"]}
  plain:
    image: busybox
    network_mode: none
    command: ["probe", "hold"]
    pids_limit: 30
    healthcheck: {<<: *h, test: ["CMD", "true"], interval: 50ms}
YAML
t_ok "up" winch up -d
t_true "SUP-06 a hanging probe makes unhealthy" wait_for 8 w_health_is hangs unhealthy
sleep 1
sleepers=$(grep -lE '^sleep.77[78]' /proc/[0-9]*/cmdline 2>/dev/null | wc -l)
t_true "SUP-06 what probes started is gone ($sleepers of one probe)" test "$sleepers" -le 2
t_true "SUP-08 many probes, no zombies" zombies_at_most plain 1
t_is "SUP-08 and still healthy" "$(w_ps plain Health)" healthy
t_ok "down" winch down -t 0
t_no_leak "LEK-01 nothing is left"
t_done
