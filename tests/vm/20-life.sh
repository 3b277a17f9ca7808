#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 20-life.sh - the life of a project on Debian's kernel, pure cgroup v2 and systemd: up, exec, restart, port, down.
# limit: 300
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir life && cd life || exit 1
port=$(w_free_port)
cat >compose.yaml <<YAML
services:
  web:
    image: busybox
    command: ["sh", "-c", "echo hello >/data/index.html; exec httpd -f -p 80 -h /data"]
    ports: ["127.0.0.1:$port:80"]
    volumes: ["data:/data"]
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 50
    restart: always
    stop_grace_period: 0s
    healthcheck: {test: ["CMD", "wget", "-qO", "/dev/null", "http://127.0.0.1/"], interval: 1s, timeout: 20s}
  client:
    image: busybox
    command: ["probe", "hold"]
    depends_on: {web: {condition: service_healthy}}
    stop_grace_period: 0s
volumes:
  data:
YAML
leak_before
t_ok "up" winch up -d --wait || t_abort "nothing to look at"
t_run winch doctor
t_is "doctor: this host is fit" "$T_STATUS" 0
for row in 'kernel +6\.' 'cgroups +v2' 'user namespaces +containers run in a user namespace' 'seccomp ' 'systemd +systemd is running'; do
    t_like "doctor: ok $row" "$T_OUT" "^ok +$row"
done

t_is "the published port answers" "$(curl -s --max-time 10 "http://127.0.0.1:$port/")" hello
t_is "exec, and the name of another service" "$(winch exec -T client wget -qO- http://web/)" hello
t_is "the exit status of exec" "$(winch exec -T client sh -c 'exit 7' >/dev/null 2>&1; echo $?)" 7
t_is "stdin of exec" "$(echo through | winch exec -T client cat)" through

client=$(w_pid client)
t_like "a user namespace of 65536 ids, not the host's" "$(cat "/proc/$client/uid_map")" '^ +0 +[1-9][0-9]+ +65536$'
t_is "id-mapped layers: the image's files are root's inside" "$(winch exec -T client stat -c %u:%g /bin/busybox)" 0:0
t_is "and still root's in the store" "$(find "$WINCH_ROOT/lib/layers" -name busybox -path '*/bin/*' -printf '%U:%G\n' | sort -u)" 0:0
t_is "its own cgroup namespace" "$(winch exec -T client cat /proc/1/cgroup)" 0::/
t_like "which /sys/fs/cgroup shows" "$(winch exec -T client cat /sys/fs/cgroup/cgroup.procs)" '^1$'
t_run winch exec -T client sh -c 'echo 1 >/sys/fs/cgroup/pids.max'
t_like "and does not let change" "$T_OUT" 'Read-only|denied|nonexistent'

limits() { # the kernel's word on the limits of web
    local group
    group=/sys/fs/cgroup$(cut -d: -f3 "/proc/$(w_pid web)/cgroup")
    echo "$(cat "$group/memory.max") $(cat "$group/cpu.max") $(cat "$group/pids.max")"
}
t_is "limits are in the kernel" "$(limits)" "67108864 50000 100000 50"

web=$(w_pid web) ip=$(w_ip web)
kill -9 "$web"
t_true "killed, it is back" wait_for 60 w_is_back web "$web"
t_is "with its address" "$(w_ip web)" "$ip"
t_is "its limits" "$(limits)" "67108864 50000 100000 50"
t_is "and its port" "$(curl -s --max-time 10 "http://127.0.0.1:$port/")" hello
t_is "counted" "$(w_ps web RestartCount)" 1
t_ok "a second up has nothing to do" winch up -d --wait
t_is "and does nothing" "$(w_pid client)" "$client"
t_ok "down -v" winch down -v -t 1
t_no_leak "LEK-01 nothing is left"
t_done
