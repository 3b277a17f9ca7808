#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 40-every-syscall.sh - `up` is killed: each of its processes at its Nth system call of a family. The next up converges.
# limit: 900
# long: one run for every third system call of a family (FAULT_STEP=1: for each)
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck faults; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir every && cd every || exit 1
echo token >token
cat >compose.yaml <<'YAML'
services:
  web:
    image: busybox
    command: ["probe", "http", "80"]
    ports: ["8080:80"]
    volumes: ["data:/data"]
    secrets: [token]
    depends_on: {db: {condition: service_healthy}}
  db:
    image: busybox
    command: ["probe", "hold"]
    healthcheck: {test: ["CMD", "true"], interval: 100ms}
    stop_grace_period: 0s
volumes: {data: }
secrets: {token: {file: ./token}}
YAML
t_ok "an untouched run" winch up -d --wait || t_abort "nothing to look at"
t_ok "down" winch down -t 0
leak_before

# strace follows into the supervisor, which stays: wait for the command itself, then let go of the rest.  Not with
# --seccomp-bpf: its filter stays with the supervisor, whose system calls fail without a tracer.
command_known() { # or it has ended
    tracer=$(pgrep -P "$shell") && command=$(pgrep -P "$tracer" | head -1)
    [ -n "$command" ] || ! kill -0 "$shell" 2>/dev/null
}
killed_up() { # SET N: exits 1 when nothing was killed
    local shell tracer='' command=''
    (strace -I2 -f -q -o "$LAB/trace" -e trace="$1" -e inject="$1:signal=KILL:when=$2" \
        winch up -d --wait --wait-timeout 15 >"$LAB/out" 2>&1 </dev/null
    :) 2>/dev/null & # strace dies of the same signal, about which the shell would talk
    shell=$!
    wait_for 5 command_known
    wait_for 20 test ! -e "/proc/${command:-none}/cmdline"
    sleep 0.2
    tracer=$(pgrep -P "$shell") && kill "$tracer" 2>/dev/null
    wait $shell 2>/dev/null
    grep -q 'killed by SIGKILL' "$LAB/trace"
}
for family in files mounts processes network; do
    set=$(fault_family $family)
    bad=0 runs=0 missed=0
    for ((n = 1; n <= ${FAULT_MAX:-300}; n += ${FAULT_STEP:-3})); do
        if killed_up "$set" $n; then
            runs=$((runs + 1)) missed=0
        else # strace does not count the first ones of each process alike: one miss is not the end
            missed=$((missed + 1))
            [ $missed -lt 3 ] || break
        fi
        if ! winch up -d --wait --wait-timeout 20 >again 2>&1; then
            bad=$((bad + 1))
            t_note "$family, call $n: up does not converge: $(tail -2 again)"
        elif ! wait_for 2 curl -fs -o /dev/null http://127.0.0.1:8080/; then
            bad=$((bad + 1))
            t_note "$family, call $n: up says 0, but there is no answer"
        fi
        winch down -t 0 >again 2>&1 || t_note "$family, call $n: down: $(tail -2 again)"
        if ! "$t_lib/leakcheck.py" diff "$LAB/leak.json" --wait 3 >leaks; then
            bad=$((bad + 1))
            t_note "$family, call $n: left behind: $(head -5 leaks)"
        fi
    done
    t_is "CRS-05 $family: $runs kills, all converged" "$bad" 0
    winch down -t 0 >/dev/null 2>&1
done
t_done
