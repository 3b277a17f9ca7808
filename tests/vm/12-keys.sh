#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 12-keys.sh - keys of tests/blackbox/70-keys.sh that are written otherwise under cgroup v2, and storage_opt on a file system with
# project quotas.
# limit: 300
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
leak_before
group_file() { # SERVICE FILE
    cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(w_pid "$1")/cgroup")/$2"
}
in_it() { winch exec -T "$@"; }
block=$(lsblk -dno NAME | head -1)
mkdir keys && cd keys || exit 1
cat >compose.yaml <<YAML
x-base: &base {image: busybox, command: [probe, hold], stop_grace_period: 0s, network_mode: none}
services:
  limits:
    <<: *base
    mem_limit: 64m
    mem_reservation: 32m
    memswap_limit: 80m
    cpu_shares: 512
    cpus: 0.5
    cpuset: "0"
    pids_limit: 77
    blkio_config: {device_read_bps: [{path: /dev/$block, rate: 1m}], device_write_iops: [{path: /dev/$block, rate: 50}]}
  parent: {<<: *base, cgroup_parent: winch-$(lab_instance)-outer.slice}
  host-cgroup: {<<: *base, cgroup: host}
  devices: {<<: *base, userns_mode: host, cap_add: [MKNOD], device_cgroup_rules: ["c 10:* rwm"]}
YAML
t_ok "up" winch up -d || t_abort "$T_OUT"
t_unlike "every limit is in force" "$T_OUT" 'not in force|keeps|no equal'
for row in "memory.max=$((64 << 20))" "memory.low=$((32 << 20))" "memory.swap.max=$((16 << 20))" cpu.weight=20 "cpu.max=50000 100000" \
    cpuset.cpus=0 pids.max=77; do
    t_is "RES-12 ${row%%=*}" "$(group_file limits "${row%%=*}")" "${row#*=}"
done
t_like "RES-12 io.max" "$(group_file limits io.max)" 'rbps=1048576 wbps=max riops=max wiops=50'
t_like "cgroup_parent as systemd names it" "$(sed -n 's/^0:://p' "/proc/$(w_pid parent)/cgroup")" \
    "^/winch.slice/winch-$(lab_instance).slice/winch-$(lab_instance)-outer.slice/winch-$(lab_instance)-[0-9a-f]{64}\$"
t_true "cgroup: host shows the host's tree" in_it host-cgroup test -e "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(w_pid host-cgroup)/cgroup")/pids.max"
t_like "read-only" "$(in_it host-cgroup sh -c 'mkdir /sys/fs/cgroup/mine' 2>&1)" 'Read-only'
t_is "cgroup: private shows the container's own" "$(in_it limits cat /sys/fs/cgroup/pids.max)" 77
t_like "PRO-16 the device program denies what is not listed" "$(in_it devices sh -c 'mknod /dev/mem c 1 1' 2>&1)" 'not permitted'
t_ok "PRO-17 and allows a range" in_it devices sh -c 'mknod /dev/lc c 10 237'
winch down -t 0 >/dev/null 2>&1
loud() { # NAME KEYS WARNING
    printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s, %s}\n' "$2" >compose.yaml
    t_ok "$1 is no reason to stay away" winch up -d
    t_like "$1: but a warning" "$T_OUT" "[Ww]arn.*$3"
    winch down -t 0 >/dev/null 2>&1
    t_exit "$1: with --strict an error" 1 winch up -d --strict
    t_like "$1: which says the same" "$T_OUT" "rror.*$3"
    winch down -t 0 >/dev/null 2>&1
}
loud mem_swappiness 'mem_swappiness: 10' 'mem_swappiness has no equal under cgroup v2'
loud oom_kill_disable 'mem_limit: 64m, oom_kill_disable: true' 'oom_kill_disable has no equal under cgroup v2'
loud cpu_rt_runtime 'cpu_rt_runtime: 1000' 'real-time cpu budget has no equal'
[ -e /sys/fs/cgroup/init.scope/io.weight ] || loud blkio_config.weight 'blkio_config: {weight: 300}' 'io.weight = 2930 is not in force'

# storage_opt: an instance whose state lies on a file system with project quotas
truncate -s 200M "$LAB/disk" && mkdir "$LAB/disk.d"
if mkfs.ext4 -q -O project,quota -E quotatype=prjquota "$LAB/disk" && mount -o loop,prjquota "$LAB/disk" "$LAB/disk.d"; then
    export WINCH_ROOT=$LAB/disk.d/root
    printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s, storage_opt: {size: 5m}}\n  b: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s}\n' >compose.yaml
    t_ok "storage_opt: up" winch up -d || t_note "$T_OUT"
    t_like "storage_opt: size ends at its size" "$(in_it a dd if=/dev/zero of=/big bs=1M count=20 2>&1)" 'No space|quota'
    t_true "storage_opt: near it" in_it a sh -c "test \$(stat -c %s /big) -gt 3000000 -a \$(stat -c %s /big) -le 5242880"
    t_ok "storage_opt: another container has room" in_it b dd if=/dev/zero of=/big bs=1M count=20
    winch down -t 0 >/dev/null 2>&1
    w_kill supervisor
    w_kill netd
    sleep 1
    umount "$LAB/disk.d"
    export WINCH_ROOT=$LAB/root
else
    t_skip "storage_opt" "no ext4 with project quotas"
fi
printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, storage_opt: {size: 5m}}\n' >compose.yaml
t_exit "storage_opt without quotas is refused" 1 winch up -d
t_like "storage_opt without quotas: the message" "$T_OUT" 'project quota'
winch down -t 0 >/dev/null 2>&1
find "/sys/fs/cgroup/winch.slice/winch-$(lab_instance).slice" -depth -type d -exec rmdir {} + 2>/dev/null # the file's own
t_no_leak "LEK-01 nothing is left"
t_done
