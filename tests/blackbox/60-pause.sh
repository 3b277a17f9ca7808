#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 60-pause.sh - pause and unpause, and everything that meets a paused container.
# limit: 90
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
# shellcheck source=tests/lib/leakcheck.sh
. "$t_lib/leakcheck.sh"
lab_registry
mkdir frost && cd frost || exit 1
cat >compose.yaml <<'YAML'
services:
  a:
    image: busybox
    command: ["sh", "-c", "trap 'exit 7' TERM; i=0; while :; do echo $$i; i=$$((i+1)); usleep 10000; done"]
    volumes: ["marks:/marks"]
    healthcheck: {test: ["CMD", "sh", "-c", "echo x >>/marks/probes"], interval: 200ms, timeout: 5s}
    stop_grace_period: 5s
  b:
    image: busybox
    command: ["probe", "hold"]
volumes: {marks: }
YAML
winch pull -q >/dev/null 2>&1 # what an image leaves is no leak
leak_before
t_ok "up" winch up -d --wait || t_abort "nothing to pause"
lines() { winch logs --no-log-prefix a | wc -l; }
probes() { wc -c <"$WINCH_ROOT/lib/volumes/frost_marks/_data/probes"; }
t_ok "SUP-11 pause" winch pause a
t_like "and says so" "$T_OUT" 'Container frost-a-1  ?Paused'
t_is "ps shows it" "$(w_ps a State)" paused
t_like "with its age" "$(w_ps a Status)" '^Up .*\(Paused\)'
t_is "the other one runs on" "$(w_ps b State)" running
sleep 0.3
lines_before=$(lines) probes_before=$(probes)
sleep 1
t_is "SUP-11 a paused container does nothing" "$(lines)" "$lines_before"
t_is "SUP-09 and is not probed" "$(probes)" "$probes_before"
t_is "and stays healthy" "$(w_ps a Health)" healthy
t_ok "pausing it again changes nothing" winch pause a
t_exit "SUP-11 exec is refused" 1 winch exec -T a true
t_like "and says why" "$T_OUT" 'is paused'
t_ok "SUP-11 logs can be read" winch logs --tail 1 a
t_exit "an unknown service is an error" 1 winch pause nobody
t_like "that names it" "$T_OUT" 'no such service: nobody'
w_kill supervisor
t_ok "SUP-11 another supervisor finds it paused" winch pause a
t_is "as it was" "$(w_ps a State)" paused
w_kill monitor
wait_for 10 w_state_is a paused
t_ok "SUP-11 unpause, after supervisor and monitor died" winch unpause
t_like "and says so" "$T_OUT" 'Container frost-a-1  ?Unpaused'
t_is "it runs" "$(w_ps a State)" running
goes_on() { [ "$(lines)" -gt "$lines_before" ]; }
t_true "and goes on where it was" wait_for 5 goes_on
probed() { [ "$(probes)" -gt "$probes_before" ]; }
t_true "and is probed again" wait_for 5 probed
t_like "events tell it" "$(w_events frost | jq -r .action)" '^pause$'
t_like "events tell its end, too" "$(w_events frost | jq -r .action)" '^unpause$'
t_ok "all of them" winch pause
t_is "are paused" "$(w_ps a State) $(w_ps b State)" "paused paused"
t_ok "SUP-11 a signal to a paused container waits for it" winch kill -s WINCH b
t_is "it is paused still" "$(w_ps b State)" paused
before=$(now_ms)
t_ok "SUP-11 stop ends paused containers" winch stop -t 20
t_true "without waiting for the grace" [ $(($(now_ms) - before)) -lt 4000 ]
t_is "SUP-11 and they hear the stop signal" "$(w_ps a ExitCode)" 7
t_ok "start" winch start
t_is "is not paused any more" "$(w_ps a State)" running
t_ok "pause, for kill" winch pause
t_ok "SUP-11 kill ends paused containers" winch kill
t_is "by force" "$(w_ps a ExitCode) $(w_ps b ExitCode)" "137 137"
t_ok "pausing what does not run does nothing" winch pause
t_is "the plan of a dry run" "$(winch start >/dev/null 2>&1 && winch pause --dry-run b | awk '{ print $2, $3 }')" "pause frost-b-1"
t_ok "pause, for down" winch pause
t_ok "SUP-11 down" winch down -v -t 5
t_no_leak "LEK-01 nothing is left"
t_done
