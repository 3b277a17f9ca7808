#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limits.sh - limits_check: memory and process limits hold; the same on cgroup v1 (tests/blackbox) and v2 (tests/vm).
ticks_of() { # PID: processor time so far, in hundredths of a second
    awk '{ print $14 + $15 }' "/proc/$1/stat"
}

limits_check() {
    mkdir limits && cd limits || exit 1
    cat >compose.yaml <<'YAML'
services:
  greedy:
    image: busybox
    command: ["probe", "alloc", "200"]
    mem_limit: 32m
  bomb:
    image: busybox
    command: ["probe", "forkbomb", "200"]
    pids_limit: 20
  slow:
    image: busybox
    command: ["sh", "-c", "while :; do :; done"]
    cpus: 0.2
  modest:
    image: busybox
    command: ["probe", "hold"]
    mem_limit: 32m
    pids_limit: 20
YAML
    t_ok "up" winch up -d || t_abort "nothing to look at"
    t_true "who allocates beyond mem_limit dies" wait_for 20 w_state_is greedy exited
    t_is "by SIGKILL, and OOM is noted" "$(w_ps greedy ExitCode) $(w_ps greedy OOMKilled)" "137 true"
    t_like "ps -a says so" "$(winch ps -a)" 'limits-greedy-1 .*out of memory'
    t_like "it got near its limit" "$(winch logs --no-color --no-log-prefix greedy)" '^allocated (16|24) MiB'
    t_unlike "and not beyond" "$(winch logs --no-color --no-log-prefix greedy)" '^allocated (40|200) MiB'
    t_true "a fork bomb stops at pids_limit" wait_for 20 w_state_is bomb exited
    t_like "with EAGAIN below 20" "$(winch logs --no-color --no-log-prefix bomb)" '^forked 1[0-9] EAGAIN'
    t_is "another container with the same limits lives" "$(w_ps modest State)" running
    local pid before after begin ms
    pid=$(w_pid slow)
    begin=$(now_ms) before=$(ticks_of "$pid")
    sleep 3
    after=$(ticks_of "$pid") ms=$(($(now_ms) - begin))
    t_true "cpus: 0.2 gets at most a fifth of a processor ($((after - before)) ticks in $ms ms)" \
        test $((after - before)) -gt $((ms / 150)) -a $((after - before)) -lt $((ms / 30))
    t_ok "down" winch down -t 1
}
