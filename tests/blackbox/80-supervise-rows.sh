#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 80-supervise-rows.sh - restart policies for every kind of end, delays, dependencies in every verb, jobs, OOM, a crash of our own.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
winch pull -q busybox >/dev/null 2>&1
mkdir ends && cd ends || exit 1
leak_before
facts() { echo "$(w_ps "$1" State) $(w_ps "$1" ExitCode) $(w_ps "$1" RestartCount)"; }

# SUP-01: what 28-supervise.sh has not: ends by signal and by OOM, and the same answers from a supervisor that came later
cat >compose.yaml <<'YAML'
x-b: &b {image: busybox, network_mode: none}
services:
  killed: {<<: *b, command: ["probe", "crash", "9"], init: true, restart: "on-failure:2"}
  crashed: {<<: *b, command: ["probe", "crash", "11"], init: true, restart: "on-failure:1"}
  term: {<<: *b, command: ["probe", "exit", "143"], restart: "on-failure:1"}
  oom: {<<: *b, command: ["probe", "alloc", "200"], mem_limit: 32m, restart: "on-failure:1"}
  oom-no: {<<: *b, command: ["probe", "alloc", "200"], mem_limit: 32m}
  child: {<<: *b, command: ["sh", "-c", "probe alloc 200; echo child $$?; exec probe hold"], mem_limit: 32m}
  late: {<<: *b, command: ["probe", "hold"], restart: always}
  late-no: {<<: *b, command: ["probe", "hold"]}
  late-failure: {<<: *b, command: ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done"], restart: "on-failure:1"}
  unless: {<<: *b, command: ["probe", "hold"], restart: unless-stopped}
YAML
t_ok "SUP-01 up" winch up -d || t_abort "nothing to look at"
has() { [ "$(facts "$1")" = "$2" ]; }
while read -r service wanted; do
    wait_for 10 has "$service" "$wanted"
    t_is "SUP-01 $service" "$(facts "$service")" "$wanted"
done <<'TABLE'
killed exited 137 2
crashed exited 139 1
term exited 143 1
oom exited 137 1
oom-no exited 137 0
TABLE
t_is "SUP-18 the process was killed for memory: flagged" "$(w_ps oom-no OOMKilled)" true
child_lost() { winch logs --no-log-prefix child 2>/dev/null | grep -q '^child 137'; }
t_true "SUP-18 a child is killed, PID 1 lives" wait_for 10 child_lost
t_is "SUP-18 it runs on" "$(w_ps child State)" running
oom_told() { w_events ends | jq -r 'select(.action == "oom") | .service' | grep -qx "$1"; }
t_true "SUP-18 the event names who was killed for memory" wait_for 3 oom_told oom-no
# seen failing: v1 tells of the shortage before it has killed and counted
t_true "SUP-18 also where PID 1 lives" wait_for 3 oom_told child
t_like "SUP-18 and ps says so while it runs" "$(winch ps child)" 'Up .*out of memory'

w_kill supervisor
for service in late late-no late-failure; do kill -TERM "$(w_pid $service)"; done
sleep 0.3
t_ok "SUP-01 stop of one while no supervisor lives" winch stop -t 1 unless
w_kill supervisor
t_ok "the next command" winch up -d --no-recreate late
t_true "SUP-01 always: back, though it ended while nobody looked" wait_for 5 w_state_is late running
t_is "SUP-01 no: not" "$(facts late-no)" "exited 0 0"
exited_again() { [ "$(w_ps late-failure State) $(w_ps late-failure RestartCount)" = "running 1" ]; }
t_true "SUP-01 on-failure: back" wait_for 5 exited_again
t_is "SUP-01 stopped by the user: not, whatever supervisor" "$(w_ps unless State)" exited
t_ok "down" winch down -t 0

# SUP-02: the delays, from the journal: between an end and the next start
cat >compose.yaml <<'YAML'
x-b: &b {image: busybox, network_mode: none, restart: always}
services:
  quick: {<<: *b, command: ["false"]}
  mount: {<<: *b, command: ["sh", "-c", "sleep 0.3"], volumes: ["./here:/here"]}
  bystander: {<<: *b, command: ["probe", "hold"]}
YAML
mkdir -p here
t_ok "SUP-02 up" winch up -d
wait_for 5 w_state_is mount running
rm -r here && echo file >here # a folder was mounted; /here is one in the container, so this start fails
sleep 4
supervisor=$(w_resident supervisor)
ticks=$(awk '{ print $14 + $15 }' "/proc/$supervisor/stat")
sleep 3
ticks=$(($(awk '{ print $14 + $15 }' "/proc/$supervisor/stat") - ticks))
delays() { # SERVICE: milliseconds between each end and the next start
    w_events ends | jq -r "select(.service == \"$1\" and (.action == \"die\" or .action == \"start\")) | \"\\(.action) \\(.time)\"" |
        while read -r action time; do echo "$action $(date -d "$time" +%s%3N)"; done |
        awk '$1 == "die" { end = $2 } $1 == "start" && end { printf "%d ", $2 - end; end = 0 }'
}
quick=$(delays quick)
t_note "delays in ms: $quick"
t_true "SUP-02 each delay about twice the one before" awk -v d="$quick" 'BEGIN {
    n = split(d, v, " "); if (n < 5) exit 1
    for (i = 3; i <= n; i++) if (v[i] < 1.4 * v[i - 1] || v[i] > 2.8 * v[i - 1]) exit 1 }'
t_true "SUP-02 supervisor below 2 % of a processor ($ticks ticks in 3 s)" test "$ticks" -le 6
t_like "SUP-02 ps shows that and when it comes back" "$(winch ps -a quick)" 'Restarting \(1\) .*restarted [0-9]+ times, again in [1-9][0-9]* s'
t_true "SUP-02 the count goes up ($(w_ps quick RestartCount))" test "$(w_ps quick RestartCount)" -ge 4
t_is "SUP-02 the neighbour was left alone" "$(facts bystander)" "running 0 0"
t_note "mount: $(facts mount); $(winch ps -a mount | tail -1)"
# seen failing: after a supervisor's death between two tries nobody tried again, and ps said "Restarting" for ever
w_kill supervisor
t_ok "another supervisor comes" winch kill quick
rm -f here && mkdir here
t_true "SUP-02 a start that failed is tried again: the source is back" wait_for 12 w_state_is mount running
t_ok "down" winch down -t 0
t_no_leak "SUP-02 nothing is left"

# SUP-16: a dependency's condition holds in every verb
cat >compose.yaml <<'YAML'
x-b: &b {image: busybox, network_mode: none}
services:
  job: {<<: *b, command: ["sh", "-c", "echo run >>/marks/job; sleep 0.4"], volumes: ["./marks:/marks"]}
  db:
    <<: *b
    command: ["sh", "-c", "sleep 0.7; touch /tmp/ready; exec probe hold"]
    depends_on: {job: {condition: service_completed_successfully}}
    healthcheck: {test: ["CMD", "test", "-e", "/tmp/ready"], interval: 100ms, retries: 100}
    restart: always
  app: {<<: *b, command: ["probe", "hold"], depends_on: {db: {condition: service_healthy, restart: true}}, restart: always}
  side: {<<: *b, command: ["probe", "hold"], depends_on: [app]}
YAML
mkdir -p marks && chmod 777 marks
events_since() { # LINES: "service action" of what matters, one line
    w_events ends | tail -n "+$(($1 + 1))" |
        jq -r 'select(.action == "start" or .action == "die" or .action == "health_status") | "\(.service) \(.action)"' | tr '\n' ';'
}
in_order() { # TEXT WORD...: each after the one before
    local rest=$1 word
    shift
    for word in "$@"; do
        [[ $rest = *"$word"* ]] || return 1
        rest=${rest#*"$word"}
    done
}
verb() { # NAME COMMAND...: afterwards app was started after db was healthy, db after the job had ended
    local from
    from=$(w_events ends | wc -l)
    t_ok "SUP-16 $1" "${@:2}"
    wait_for 10 w_state_is side running
    local seen
    seen=$(events_since "$from")
    t_true "SUP-16 $1: job, then db healthy, then app, then side ($seen)" in_order "$seen" "${order[@]}"
}
order=("job start" "job die" "db start" "db health_status" "app start" "side start")
verb "up" winch up -d
order=("db start" "db health_status" "app start" "side start")
winch stop -t 0 >/dev/null 2>&1
verb "start" winch start
# seen failing: app was restarted beside db, without waiting for its health
verb "restart" winch restart -t 0
verb "force-recreate" winch up -d --force-recreate -t 0
from=$(w_events ends | wc -l)
t_ok "stop" winch stop -t 0
t_true "SUP-16 stop goes backwards ($(events_since "$from"))" in_order "$(events_since "$from")" "side die" "app die" "db die"
winch start >/dev/null 2>&1
jobs_before=$(wc -l <marks/job)
# SUP-17 and a boot: everything is dead and /run is empty
sleep 0.3
w_kill supervisor
w_kill netd
w_kill monitor
pkill -9 -f '^(probe hold|sh -c)'
sleep 0.2
awk -v root="$WINCH_ROOT/run/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | sort -r | xargs -r -n1 umount -l
rm -rf --one-file-system "$WINCH_ROOT/run"
from=$(w_events ends | wc -l)
t_ok "SUP-16 boot" "$T_DIST/libexec/winch/winch-supervisor" --root "$WINCH_ROOT" --restore
t_true "SUP-16 boot: app is back" wait_for 10 w_state_is app running
seen=$(events_since "$from")
t_true "SUP-16 boot: db healthy, then app ($seen)" in_order "$seen" "db start" "db health_status" "app start"
t_is "SUP-17 a job that was done is not done again by a boot" "$(wc -l <marks/job)" "$jobs_before"
winch down -t 0 >/dev/null 2>&1

# SUP-17: the supervisor dies between the job's end and its dependant's start
rm -f marks/job
winch up -d >/dev/null 2>&1 &
upper=$!
job_ran() { [ -s marks/job ]; }
wait_for 10 job_ran
w_kill supervisor
wait $upper
sleep 0.6
t_ok "SUP-17 the next up" winch up -d
t_true "SUP-17 the dependants run" wait_for 5 w_state_is side running
t_is "SUP-17 the job ran once" "$(wc -l <marks/job)" 1

# SUP-26: a crash of our own
for signal in SEGV ABRT; do
    pid=$(w_pid app)
    kill -$signal "$(w_resident supervisor)"
    t_ok "SUP-26 SIG$signal to the supervisor: the next command works" winch up -d
    t_is "SUP-26 no container was touched" "$(w_pid app)" "$pid"
done
t_is "SUP-26 and no core was left" "$(find . "$WINCH_ROOT/run" -xdev -name 'core*' 2>/dev/null)" ""
t_ok "down" winch down -t 0
t_no_leak "SUP-17 nothing is left"
t_done
