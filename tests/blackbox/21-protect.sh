#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 21-protect.sh - what a container sees of the kernel: capabilities, masked and read-only paths, mounts, devices, ids.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir protect && cd protect || exit 1
mkdir bound && echo secret >bound/root-only && chmod 600 bound/root-only
cat >compose.yaml <<'YAML'
services:
  a:
    image: busybox
    command: ["probe", "hold"]
    volumes: ["./bound:/bound", "data:/data"]
    stop_grace_period: 0s
  b:
    image: busybox
    command: ["probe", "hold"]
    volumes: ["data:/data"]
  host-ids:
    image: busybox
    command: ["probe", "hold"]
    init: true
    userns_mode: host
    volumes: ["data:/data"]
  net-admin:
    image: busybox
    command: ["probe", "hold"]
    cap_add: [NET_ADMIN]
    stop_grace_period: 0s
volumes:
  data:
YAML
leak_before
t_ok "up" winch up -d || t_abort "nothing to look at"
in_a() { winch exec -T a "$@"; }
in_a probe --syscalls --syscalls32 --syscallsx32 >a.json
t_is "PRO-01 the default capability set" "$(jq -r .CapBnd a.json)" 00000000800405fb
t_is "PRO-01 the same number in ps" "$(w_ps a CapBnd)" 00000000800405fb
t_is "PRO-01 NoNewPrivs off, seccomp filter on" "$(jq -r '"\(.NoNewPrivs) \(.Seccomp)"' a.json)" "0 2"

# PRO-11
for path in /proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/key-users /proc/latency_stats \
    /proc/sched_debug /proc/scsi /proc/timer_list /proc/timer_stats /sys/devices/virtual/powercap /sys/firmware \
    /sys/fs/selinux; do
    [ -e $path ] || continue
    if [ -d $path ]; then
        t_is "PRO-11 $path lists empty" "$(in_a ls -A $path 2>&1)" ""
        t_run in_a touch $path/x
        t_like "PRO-11 $path refuses creation" "$T_OUT" 'Read-only|denied|not permitted|No such'
    else
        t_is "PRO-11 $path reads empty" "$(in_a cat $path 2>/dev/null | head -c 100)" ""
    fi
    t_run in_a umount $path
    t_true "PRO-11 $path cannot be unmounted" test "$T_STATUS" != 0
done
# PRO-12
for path in /proc/sys/kernel/hostname /proc/sys/vm/swappiness /proc/sysrq-trigger /proc/irq/default_smp_affinity; do
    [ -e $path ] || continue
    t_run in_a sh -c "echo 1 > $path"
    t_like "PRO-12 $path is read-only" "$T_OUT" 'Read-only file system|[Pp]ermission denied|nonexistent'
done
for path in /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger; do
    [ -e $path ] || continue
    t_like "PRO-12 $path is a read-only mount" "$(jq -r '.mountinfo[]' a.json)" " $path ro[, ]"
    t_run in_a mount -o remount,rw $path
    t_true "PRO-12 $path cannot be remounted" test "$T_STATUS" != 0
done

# PRO-14: mountinfo against the table
mount_of() { jq -r '.mountinfo[]' a.json | awk -v t="$1" '$5 == t { line = $0 } END { print line }'; }
while read -r target type flags; do
    line=$(mount_of "$target")
    t_like "PRO-14 $target is $type" "$line" " - $type "
    for flag in ${flags//,/ }; do
        t_like "PRO-14 $target: $flag" "$line" "(^| |,)$flag(,| |\$)"
    done
done <<'TABLE'
/ overlay nodev
/proc proc nosuid,nodev,noexec
/sys sysfs ro,nosuid,nodev,noexec
/dev tmpfs nosuid,noexec
/dev/pts devpts nosuid,noexec,ptmxmode=666,mode=620
/dev/shm tmpfs nosuid,nodev,noexec,size=65536k
/dev/mqueue mqueue nosuid,nodev,noexec
TABLE
for target in /etc/hosts /etc/hostname /etc/resolv.conf; do
    t_like "PRO-14 $target" "$(mount_of $target)" ' [rw,a-z]*nosuid,nodev,noexec'
done

# PRO-15
t_is "PRO-15 /dev holds the tabled nodes" \
    "$(jq -r '.dev[] | select(.path | test("^/dev/(pts|shm|mqueue)/") | not) | select(.type == "char") |
        "\(.path) \(.major):\(.minor) \(.mode)"' a.json | sort)" \
    "/dev/full 1:7 0666
/dev/null 1:3 0666
/dev/random 1:8 0666
/dev/tty 5:0 0666
/dev/urandom 1:9 0666
/dev/zero 1:5 0666"
t_is "PRO-15 and these links" "$(jq -r '.dev[] | select(.type == "symlink") | .path' a.json | sort | tr '\n' ' ')" \
    "/dev/fd /dev/ptmx /dev/stderr /dev/stdin /dev/stdout "
t_is "PRO-15 no block device" "$(jq '[.dev[] | select(.type == "block")] | length' a.json)" 0
t_run in_a mknod /tmp/sda b 8 0
t_true "PRO-15 no node can be made" test "$T_STATUS" != 0

# PRO-18
start=$(jq -r '.uid_map[0]' a.json | awk '{ print $2 }')
t_true "PRO-18 root inside is $start outside" test "$start" -gt 0
t_is "PRO-18 65536 ids" "$(jq -r '.uid_map[0]' a.json | awk '{ print $1, $3 }')" "0 65536"
t_is "PRO-18 the kernel agrees" "$(awk '/^Uid:/ { print $2 }' "/proc/$(w_pid a)/status")" "$start"
t_is "PRO-18 userns_mode: host is obeyed" "$(winch exec -T host-ids probe | jq -r '.uid_map[0]' | awk '{ print $2, $3 }')" \
    "$(awk '{ print $2, $3 }' /proc/self/uid_map)"
t_like "PRO-18 and shown by ps" "$(winch ps)" 'host-ids.*host user namespace'
t_unlike "PRO-18 only there" "$(winch ps a)" 'host user namespace'
t_is "PRO-18 with AUDIT_WRITE, which works there" "$(w_ps host-ids CapBnd)" 00000000a00405fb
t_is "PRO-18 files of a volume belong to the same ids there" \
    "$(in_a sh -c 'echo 7 >/data/seven; chown 7:7 /data/seven'; winch exec -T host-ids stat -c %u:%g /data/seven)" 7:7
t_run in_a ip addr add 10.9.8.7/32 dev lo
t_true "PRO without NET_ADMIN no address can be added" test "$T_STATUS" != 0
t_ok "PRO cap_add: NET_ADMIN lets it" winch exec -T net-admin ip addr add 10.9.8.7/32 dev lo
t_like "PRO and it is there" "$(winch exec -T net-admin ip addr show lo)" '10\.9\.8\.7/32'
# what a process inside could reach of us by /proc/PID/exe while it is being started
monitor=$(awk '/^PPid:/ { print $2 }' "/proc/$(w_pid host-ids)/status")
t_is "PRO with the host's ids our program lies on a read-only mount" \
    "$(python3 -c 'import os, sys; print(os.statvfs(sys.argv[1]).f_flag & os.ST_RDONLY)' "/proc/$monitor/exe")" 1
t_like "PRO and is found by its name" "$(readlink "/proc/$monitor/exe")" '/winch-monitor$'
# a pin of another range, as it would be there if the project's record had been lost
pin=$WINCH_ROOT/run/projects/protect/userns
while umount "$pin" 2>/dev/null; do :; done
unshare --user bash -c 'sleep 10' &
other=$!
# shellcheck disable=SC2016 # evaluated later
wait_for 5 eval '[ "$(readlink /proc/$other/ns/user)" != "$(readlink /proc/self/ns/user)" ]'
echo "0 200000 65536" >"/proc/$other/uid_map"
echo "0 200000 65536" >"/proc/$other/gid_map"
mount --bind "/proc/$other/ns/user" "$pin"
kill $other
w_kill supervisor
t_ok "PRO-18 a user namespace of another range in its place" winch up -d --force-recreate -t 1 b
t_is "PRO-18 is replaced" "$(awk '/^Uid:/ { print $2 }' "/proc/$(w_pid b)/status")" "$start"
w_syscall() { jq -r ".syscalls[\"$1\"]" a.json; }
t_is "PRO mount, unshare, keyctl, io_uring, bpf are denied" \
    "$(w_syscall 165) $(w_syscall 272) $(w_syscall 250) $(w_syscall 425) $(w_syscall 321)" "EPERM EPERM EPERM EPERM EPERM"
t_is "PRO clone3 and unknown numbers are ENOSYS" "$(w_syscall 435) $(w_syscall 600)" "ENOSYS ENOSYS"

# PRO-19
in_a sh -c 'echo 0 >/data/zero; echo 999 >/data/u999; echo 1000 >/data/u1000; chown 999:999 /data/u999; chown 1000:1000 /data/u1000'
owners() { winch exec -T "$1" stat -c '%u:%g' /data/zero /data/u999 /data/u1000 | tr '\n' ' '; }
t_is "PRO-19 owners as written" "$(owners a)" "0:0 999:999 1000:1000 "
t_is "PRO-19 the same in another container" "$(owners b)" "0:0 999:999 1000:1000 "
data=$WINCH_ROOT/lib/volumes/protect_data/_data
t_is "PRO-19 on disk as inside" "$(stat -c '%u:%g' "$data/zero" "$data/u999" "$data/u1000" | tr '\n' ' ')" "0:0 999:999 1000:1000 "
t_ok "recreated" winch up -d --force-recreate -t 1
t_is "PRO-19 the same after that" "$(owners b)" "0:0 999:999 1000:1000 "

# MNT-12
in_a sh -c 'mkdir -p /bound/inside' 2>/dev/null
mkdir -p bound/outside
mount -t tmpfs none bound/outside && touch bound/outside/made-outside
t_is "MNT-12 a mount made outside is not seen inside" "$(in_a ls /bound/outside)" ""
umount bound/outside
t_unlike "MNT-12 propagation is private" "$(in_a cat /proc/self/mountinfo)" ' shared:'
t_ok "down" winch down -v -t 1
t_no_leak "LEK-01 nothing is left"
t_done
