#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 70-keys.sh - keys of a service that the engine obeys, each by what the container or the kernel shows of it.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
leak_before

cgroup_file() { # SERVICE CONTROLLER FILE: of the service's first process
    local dir
    dir=$(awk -F: -v c="$2" '$2 == c { print $3 }' "/proc/$(w_pid "$1")/cgroup")
    cat "/sys/fs/cgroup/$2$dir/$3"
}
v1=$([ -d /sys/fs/cgroup/memory ] && echo yes)

mkdir keys && cd keys || exit 1
cat >compose.yaml <<'YAML'
x-base: &base {image: busybox, command: [probe, hold], stop_grace_period: 0s, network_mode: none}
services:
  cwd: {<<: *base, read_only: true, working_dir: /made/for/it}
  limits:
    <<: *base
    mem_limit: 64m
    mem_reservation: 32m
    mem_swappiness: 0
    oom_kill_disable: true
    cpu_shares: 512
    cpuset: "0"
    pids_limit: 77
    ulimits: {nofile: {soft: 100, hard: 200}, core: 0}
    oom_score_adj: 321
  realtime: {<<: *base, cpu_rt_runtime: 2000, cpu_rt_period: 1000000, cap_add: [SYS_NICE], privileged: true}
  weight:
    <<: *base
    blkio_config:
      weight: 300
      device_read_bps: [{path: /dev/loop0, rate: 1m}]
      device_write_iops: [{path: /dev/loop0, rate: 50}]
  parent: {<<: *base, cgroup_parent: /CGROUP_PARENT/inner}
  shm: {<<: *base, ipc: shareable, shm_size: 1m}
  shm-too: {<<: *base, ipc: "service:shm", depends_on: [shm]}
  shm-named: {<<: *base, ipc: "container:keys-shm-1", depends_on: [shm]}
  no-shm: {<<: *base, ipc: none}
  host-ipc: {<<: *base, ipc: host}
  host-uts: {<<: *base, uts: host}
  host-pid: {<<: *base, pid: host}
  host-net: {<<: *base, network_mode: host}
  host-cgroup: {<<: *base, cgroup: host}
  notes: {<<: *base, annotations: {com.example.owner: somebody}}
  notes-net: {<<: *base, network_mode: "service:notes", depends_on: [notes]}
  notes-pid: {<<: *base, pid: "container:keys-notes-1", depends_on: [notes]}
YAML
sed -i "s/CGROUP_PARENT/winch-$(lab_instance)-parent/" compose.yaml
[ -n "$v1" ] || sed -i '/^  realtime/d; /^  weight/,/^  parent/{/^  parent/!d}' compose.yaml
t_ok "up" winch up -d || t_abort "nothing to look at: $T_OUT"
t_unlike "every limit is in force, so nobody is warned" "$T_OUT" 'not in force|keeps'
in_it() { winch exec -T "$@"; }
ns() { readlink "/proc/$(w_pid "$1")/ns/$2"; }

t_is "working_dir that does not exist is made, read_only or not" "$(in_it cwd pwd)" /made/for/it
t_like "and the root stays read-only" "$(in_it cwd touch /made/x 2>&1)" 'Read-only'
if [ -n "$v1" ]; then
    t_is "mem_limit" "$(cgroup_file limits memory memory.limit_in_bytes)" $((64 << 20))
    t_is "mem_reservation" "$(cgroup_file limits memory memory.soft_limit_in_bytes)" $((32 << 20))
    t_is "mem_swappiness: 0" "$(cgroup_file limits memory memory.swappiness)" 0
    t_like "oom_kill_disable" "$(cgroup_file limits memory memory.oom_control)" 'oom_kill_disable 1'
    t_is "cpu_shares" "$(cgroup_file limits cpu cpu.shares)" 512
    t_is "cpuset" "$(cgroup_file limits cpuset cpuset.cpus)" 0
    t_is "pids_limit" "$(cgroup_file limits pids pids.max)" 77
    t_is "cpu_rt_runtime" "$(cgroup_file realtime cpu cpu.rt_runtime_us)" 2000
    t_ok "cpu_rt_runtime lets a process be real-time" chrt -f -p 5 "$(w_pid realtime)"
    t_true "and no other" test "$(chrt -f -p 5 "$(w_pid limits)" >/dev/null 2>&1 && echo yes)" = ""
    t_is "blkio_config.weight" "$(cgroup_file weight blkio blkio.bfq.weight)" 300
    t_is "device_read_bps, device_write_iops" "$(cgroup_file weight blkio blkio.throttle.read_bps_device
        cgroup_file weight blkio blkio.throttle.write_iops_device)" "7:0 1048576
7:0 50"
    t_like "cgroup_parent" "$(echo "/sys/fs/cgroup/memory/winch-$(lab_instance)-parent/inner/winch-$(lab_instance)-$(w_ps parent ID)"*)" '[0-9a-f]{64}$'
fi
t_like "cgroup_parent, by the process" "$(cat "/proc/$(w_pid parent)/cgroup")" ":/winch-$(lab_instance)-parent/inner/"
t_is "the processor is the one of cpuset" "$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$(w_pid limits)/status")" 0
t_is "ulimits" "$(in_it limits sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c' | tr '\n' ' ')" "100 200 0 "
t_is "oom_score_adj" "$(in_it limits cat /proc/1/oom_score_adj)" 321
t_is "oom_score_adj is 0 without the key" "$(in_it cwd cat /proc/1/oom_score_adj)" 0

t_is "shm_size" "$(in_it shm df -k /dev/shm | awk 'END { print $2 }')" 1024
in_it shm sh -c 'echo shared >/dev/shm/word'
t_is "ipc: service: has its /dev/shm" "$(in_it shm-too cat /dev/shm/word)" shared
t_is "ipc: service: has its namespace" "$(ns shm-too ipc)" "$(ns shm ipc)"
t_is "ipc: container: has both" "$(in_it shm-named cat /dev/shm/word) $(ns shm-named ipc)" "shared $(ns shm ipc)"
t_unlike "and is confined there, too" "$(in_it shm-too cat /proc/self/mountinfo)" ' /dev/shm [^ ]*(,exec|,suid|,dev)'
t_is "ipc: none has no /dev/shm" "$(in_it no-shm sh -c 'ls -d /dev/shm 2>/dev/null')" ""
t_is "ipc: host is the host's" "$(ns host-ipc ipc)" "$(readlink /proc/self/ns/ipc)"
t_is "uts: host" "$(ns host-uts uts)" "$(readlink /proc/self/ns/uts)"
t_is "pid: host" "$(ns host-pid pid)" "$(readlink /proc/self/ns/pid)"
t_is "network_mode: host" "$(ns host-net net)" "$(readlink /proc/self/ns/net)"
t_is "cgroup: host" "$(ns host-cgroup cgroup)" "$(readlink /proc/self/ns/cgroup)"
t_true "cgroup: private without the key" test "$(ns cwd cgroup)" != "$(readlink /proc/self/ns/cgroup)"
t_is "network_mode: service:" "$(ns notes-net net)" "$(ns notes net)"
t_is "pid: container:" "$(ns notes-pid pid)" "$(ns notes pid)"
t_like "annotations are kept with the container" "$(cat "$WINCH_ROOT/lib/containers/$(w_ps notes ID)"*/container.json)" 'com\.example\.owner'

# a container of another project is joined by its name
mkdir ../other && cd ../other || exit 1
cat >compose.yaml <<'YAML'
services:
  guest: {image: busybox, command: [probe, hold], stop_grace_period: 0s, network_mode: "container:keys-notes-1",
    ipc: "container:keys-shm-1", pid: "container:keys-notes-1"}
YAML
t_ok "container: of another project" winch up -d
t_is "joined are its network, ipc and pid namespaces" "$(ns guest net) $(ns guest ipc) $(ns guest pid)" \
    "$(cd ../keys && echo "$(ns notes net) $(ns shm ipc) $(ns notes pid)")"
t_is "and the /dev/shm of that one" "$(in_it guest cat /dev/shm/word)" shared
winch down -t 0 >/dev/null 2>&1
sed -i 's/keys-notes-1/nobody-1/' compose.yaml
t_exit "container: that nobody has is an error" 1 winch up -d
t_like "which names it" "$T_OUT" "nobody-1.*not running"
winch down -t 0 >/dev/null 2>&1
cd ../keys && winch down -t 0 >/dev/null 2>&1

# what cannot be done is said aloud
mkdir ../refused && cd ../refused || exit 1
refused() { # NAME KEYS WANTED: one service with these keys cannot come up, and says why
    printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s, %s}\n' "$2" >compose.yaml
    t_exit "$1 is refused" 1 winch up -d
    t_like "$1: the message" "$T_OUT" "$3"
    winch down -t 0 >/dev/null 2>&1
}
refused "blkio weight out of range" 'blkio_config: {weight: 5}' 'blkio_config.*5.* (10|from 10)'
refused "blkio limit of no device" 'blkio_config: {device_read_bps: [{path: /dev/nope, rate: 1m}]}' "/dev/nope"
refused "a storage option that is not known" 'storage_opt: {colour: red}' 'storage_opt\.colour'
refused "cgroup_parent that leads out" 'cgroup_parent: ../x' "cgroup_parent: '../x'"
refused "a device that is none" 'devices: ["/etc/passwd:/dev/x"]' "/etc/passwd.* is not a device"
refused "a runtime that is not there" 'runtime: nope' 'runtime'
refused "a device rule that is none" 'device_cgroup_rules: ["c x:y rwm"]' "c x:y rwm"
loud() { # NAME KEYS WARNING: up goes on with a warning, and with --strict it does not
    printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s, %s}\n' "$2" >compose.yaml
    t_ok "$1 is no reason to stay away" winch up -d
    t_like "$1: but a warning" "$T_OUT" "[Ww]arn.*$3"
    winch down -t 0 >/dev/null 2>&1
    t_exit "$1: with --strict an error" 1 winch up -d --strict
    t_like "$1: which says the same" "$T_OUT" "rror.*$3"
    winch down -t 0 >/dev/null 2>&1
}
if [ -n "$v1" ]; then
    mount -t tmpfs none /sys/fs/cgroup/blkio # in the lab
    loud "a limit without its controller" 'blkio_config: {weight: 300}' 'limits of blkio are not in force'
    umount /sys/fs/cgroup/blkio
fi
find /sys/fs/cgroup -depth -type d -path "*/winch-$(lab_instance)-parent*" -exec rmdir {} + 2>/dev/null # the file's own
t_no_leak "LEK-01 nothing is left"
t_done
