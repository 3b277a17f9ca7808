#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 00-guest.sh - the guest is what the other scripts here rely on.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
t_is "systemd is process 1" "$(cat /proc/1/comm)" systemd
t_is "cgroups are pure v2" "$(stat -f -c %T /sys/fs/cgroup)" cgroup2fs
t_like "memory, cpu and pids controllers" "$(cat /sys/fs/cgroup/cgroup.controllers)" 'cpu.* memory.* pids'
t_done
