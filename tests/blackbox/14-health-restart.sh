#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 14-health-restart.sh - failing health checks, on-failure:3, restart: "no", and a dependency that never becomes healthy.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
# shellcheck source=tests/lib/leakcheck.sh
. "$t_lib/leakcheck.sh"
lab_registry
mkdir health && cd health || exit 1
cat >compose.yaml <<'YAML'
services:
  flips:
    image: busybox
    command: ["sh", "-c", "touch /tmp/ok; exec probe hold"]
    healthcheck:
      test: ["CMD", "test", "-e", "/tmp/ok"]
      interval: 200ms
      timeout: 2s
      retries: 2
  fails:
    image: busybox
    command: ["sh", "-c", "echo attempt; exit 7"]
    restart: on-failure:3
  stays-down:
    image: busybox
    command: ["probe", "hold"]
    restart: "no"
  succeeds:
    image: busybox
    command: ["true"]
    restart: on-failure:3
YAML
leak_before
t_ok "up -d" winch up -d || t_abort "nothing to look at"
t_true "healthy at first" wait_for 10 w_health_is flips healthy
t_ok "its check is made to fail" winch exec -T flips rm /tmp/ok
t_true "SUP unhealthy is seen" wait_for 10 w_health_is flips unhealthy
t_like "ps says so" "$(winch ps)" 'health-flips-1 .*\(unhealthy\)'
t_is "an unhealthy container is not restarted" "$(w_ps flips RestartCount)" 0
t_ok "its check is made to succeed" winch exec -T flips touch /tmp/ok
t_true "healthy again" wait_for 10 w_health_is flips healthy

gave_up() { [ "$(w_ps fails State) $(w_ps fails RestartCount)" = "exited 3" ]; }
t_true "SUP on-failure:3 stops after three restarts" wait_for 15 gave_up
t_is "four attempts in the log" "$(winch logs --no-color --no-log-prefix fails | grep -c '^attempt$')" 4
t_is "with its own exit code" "$(w_ps fails ExitCode)" 7
sleep 1
t_true "and stays stopped" gave_up
t_is "SUP on-failure and exit 0: not restarted" "$(w_ps succeeds State) $(w_ps succeeds RestartCount)" "exited 0"
kill -9 "$(w_pid stays-down)"
t_true "SUP restart: no stays down" wait_for 5 w_state_is stays-down exited
sleep 0.5
t_is "with 137, not restarted" "$(w_ps stays-down ExitCode) $(w_ps stays-down RestartCount)" "137 0"
t_ok "down" winch down -t 1
t_no_leak "LEK-01 nothing is left"

mkdir ../edge && cd ../edge || exit 1
cat >compose.yaml <<'YAML'
services:
  web:
    image: busybox
    command: ["probe", "hold"]
    depends_on:
      db: {condition: service_healthy}
  db:
    image: busybox
    command: ["probe", "hold"]
    healthcheck:
      test: ["CMD-SHELL", "echo the disk is on fire; exit 1"]
      interval: 100ms
      retries: 3
YAML
t_exit "a dependency that never becomes healthy: exit 1" 1 winch up -d --wait
t_like "the message names who waits" "$T_OUT" 'web'
t_like "and for whom" "$T_OUT" 'db.*unhealthy|unhealthy.*db'
t_like "with the probe's last output" "$T_OUT" 'the disk is on fire'
t_is "web was not started" "$(w_ps web State)" "$(w_ps web State | grep -v running)"
t_ok "down" winch down -t 1
t_no_leak "LEK-01 nothing is left of that either"

mkdir ../job && cd ../job || exit 1
cat >compose.yaml <<'YAML'
services:
  web:
    image: busybox
    command: ["probe", "hold"]
    depends_on:
      job: {condition: service_completed_successfully}
  job:
    image: busybox
    command: ["sh", "-c", "echo cannot migrate >&2; exit 4"]
YAML
t_exit "a job that fails: exit 1" 1 winch up -d --wait
t_like "named with its exit code" "$T_OUT" 'job.*4'
t_ok "down" winch down -t 1
t_done
