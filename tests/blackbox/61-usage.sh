#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 61-usage.sh - top and stats show what the kernel knows, of every container and nothing else.
# limit: 90
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
lab_registry
mkdir used && cd used || exit 1
cat >compose.yaml <<'YAML'
services:
  busy:
    image: busybox
    command: ["sh", "-c", "while :; do :; done"]
    user: "1234"
    tty: true
    mem_limit: 64m
  idle:
    image: busybox
    command: ["sh", "-c", "sleep 600 & exec sleep 601"]
    deploy: {replicas: 2}
  host:
    image: busybox
    command: ["sleep", "602"]
    network_mode: host
YAML
t_ok "up" winch up -d || t_abort "nothing to look at"
t_ok "top" winch top
t_like "heads" "$T_OUT" '^SERVICE +# +UID +PID +PPID +C +STIME +TTY +TIME +CMD$'
t_like "the user is the container's, the pid the host's" "$T_OUT" "^busy +1 +1234 +$(w_pid busy) +[0-9]+ +[0-9]+ +[0-9:]+ +pts/0 +00:00:[0-9]+ +sh -c while"
t_is "each process of each replica" "$(grep -cE '^idle +[12] +root .* sleep 60[01]$' <<<"$T_OUT")" 4
t_is "and nothing else" "$(wc -l <<<"$T_OUT")" 7
t_ok "top of one service" winch top host
t_is "shows only that" "$(sed 1d <<<"$T_OUT" | awk '{ print $1, $NF }')" "host 602"
winch exec -T host sh -c 'exec sleep 603' &
sees_exec() { winch top host | grep -q 'sleep 603'; }
t_true "what exec started is there, too" wait_for 5 sees_exec
t_exit "an unknown service" 1 winch top nobody

t_ok "stats" winch stats --no-stream
t_like "heads as docker's" "$T_OUT" '^CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +PIDS$'
t_is "all that run" "$(wc -l <<<"$T_OUT")" 5
stat_of() { winch stats --no-stream --format json "$1" | jq -r "$2"; }
cpu=$(stat_of busy .CPUPerc)
t_like "RES-12 a busy container uses a processor" "$cpu" '^[0-9]+\.[0-9]{2}%$'
t_true "or its share of one ($cpu)" [ "${cpu%%.*}" -ge 10 ]
t_like "an idle one none" "$(stat_of idle .CPUPerc | head -1)" '^[0-4]\.'
t_like "RES-12 the limit is the container's" "$(stat_of busy .MemUsage)" '^[0-9.]+[KM]iB / 64MiB$'
t_unlike "without one it is the host's" "$(stat_of host .MemUsage)" '64MiB$'
t_is "processes are counted" "$(stat_of idle .PIDs | sort -u)" 2
t_is "the host's network is nobody's" "$(stat_of host .NetIO)" --
net_before=$(stat_of busy .NetIO)
winch exec -T busy probe get http://idle:1/ >/dev/null 2>&1
winch exec -T busy sh -c "dd if=/dev/zero bs=100k count=1 2>/dev/null | probe connect udp idle 9 x" >/dev/null 2>&1
t_true "traffic is counted ($net_before, then $(stat_of busy .NetIO))" [ "$net_before" != "$(stat_of busy .NetIO)" ]
t_is "a service's name is told" "$(stat_of busy .Service)" busy
t_is "whole ids" "$(winch stats --no-stream --no-trunc --format json busy | jq -r .ID)" "$(winch ps -q busy)"
winch stop -t 0 busy >/dev/null 2>&1
t_is "a stopped one is left out" "$(stat_of busy .Name)" ""
t_is "but with --all" "$(winch stats --no-stream --all --format json busy | jq -r '.Name + .CPUPerc')" used-busy-1--
timeout 3 winch stats --format json host >stream
t_true "a stream goes on ($(wc -l <stream) lines in 3 s)" [ "$(wc -l <stream)" -ge 2 ]
t_exit "another form is refused" 2 winch stats --format '{{.Name}}'
t_exit "an unknown service is an error" 1 winch stats --no-stream nobody
t_ok "down" winch down -v -t 0
t_is "no containers, no lines" "$(winch top | wc -l) $(winch stats --no-stream | wc -l)" "1 1"
t_done
