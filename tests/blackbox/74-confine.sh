#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 74-confine.sh - keys that narrow or widen what a container may: capabilities, devices, ping, ports, read_only, sysctls, the view
# of its cgroups, privileged; and a table of what the probe sees under each (tests/golden/confine.txt, WINCH_GOLDEN_WRITE=1).
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
in_it() { winch exec -T "$@"; }
all_host=$(awk '/^CapBnd/ { print $2 }' /proc/self/status)

# PRO-02: one rule for names; the answers are bounding sets
mkdir caps && cd caps || exit 1
cat >cases <<'TABLE'
add-plain|cap_add: [NET_RAW]|00000000800425fb
add-prefix|cap_add: [CAP_NET_RAW]|00000000800425fb
add-case|cap_add: [cap_net_raw]|00000000800425fb
add-twice|cap_add: [NET_RAW, CAP_NET_RAW]|00000000800425fb
drop-one|cap_drop: [CHOWN]|00000000800405fa
drop-all|cap_drop: [ALL]|0000000000000000
drop-all-add|cap_drop: [all], cap_add: [CHOWN]|0000000000000001
add-and-drop|cap_add: [NET_RAW], cap_drop: [NET_RAW]|00000000800425fb
add-all|cap_add: [ALL]|000001ffffffffff
add-all-drop|cap_add: [ALL], cap_drop: [SYS_ADMIN]|HOST-SYS_ADMIN
TABLE
{
    echo 'services:'
    while IFS='|' read -r name keys _; do
        echo "  $name: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s, $keys}"
    done <cases
} >compose.yaml
t_ok "PRO-02 up" winch up -d || t_abort "$T_OUT"
while IFS='|' read -r name keys want; do
    case $want in
    HOST-SYS_ADMIN) want=$(printf %016x $((0x$all_host & ~(1 << 21)))) ;;
    esac
    t_is "PRO-02 $keys" "$(awk '/^CapBnd/ { print $2 }' "/proc/$(w_pid "$name")/status")" "$want"
done <cases
winch down -t 0 >/dev/null 2>&1
refused() { # NAME KEYS WANTED
    printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s, %s}\n' "$2" >compose.yaml
    t_exit "$1 is refused" 1 winch up -d
    t_like "$1: the message" "$T_OUT" "$3"
    winch down -t 0 >/dev/null 2>&1
}
refused "PRO-02 a name that is none" 'cap_add: [NET_WAR]' "compose.yaml:2:[0-9]+: error: services.a.cap_add: 'NET_WAR' is no capability"
# PRO-03
if [ $((0x$all_host & 1 << 24)) = 0 ]; then
    refused "PRO-03 a capability that this host has not" 'cap_add: [SYS_RESOURCE]' 'CAP_SYS_RESOURCE is not available on this host'
    refused "PRO-03 a limit above the host's" 'ulimits: {nofile: 1048576}' "ulimit 'nofile': 1048576 is more than this host's hard limit $(ulimit -Hn)"
    refused "PRO-03 a lower oom_score_adj" 'oom_score_adj: -500' 'oom_score_adj to -500 \(needs CAP_SYS_RESOURCE\)'
else
    t_skip "PRO-03" "this host has CAP_SYS_RESOURCE"
fi

# PRO-16, PRO-17
mkdir ../devices && cd ../devices || exit 1
ln -s /dev/null link && mkdir folder
cat >compose.yaml <<YAML
x-base: &base {image: busybox, command: [probe, hold], stop_grace_period: 0s, network_mode: none}
services:
  none: {<<: *base, userns_mode: host, cap_add: [MKNOD]}
  ids: {<<: *base, cap_add: [MKNOD]}
  ruled: {<<: *base, userns_mode: host, cap_add: [MKNOD], device_cgroup_rules: ["c 10:* rwm"]}
  granted: {<<: *base, devices: ["/dev/loop-control:/dev/x:r", "$PWD/link:/dev/linked"]}
YAML
t_ok "PRO-16 up" winch up -d || t_abort "$T_OUT"
while read -r name type major minor; do
    t_run in_it none sh -c "mknod /dev/$name $type $major $minor && cat /dev/$name"
    t_like "PRO-16 $name ($type $major:$minor) with MKNOD and the host's ids" "$T_OUT" 'not permitted'
    t_run in_it ids mknod "/dev/$name" "$type" "$major" "$minor"
    t_like "PRO-16 $name in a user namespace" "$T_OUT" 'not permitted'
done <<'TABLE'
mem c 1 1
kmsg c 1 11
sda b 8 0
loop0 b 7 0
tun c 10 200
fuse c 10 229
TABLE
t_is "PRO-16 what every container has can be made" "$(in_it none sh -c 'mknod /dev/null2 c 1 3 && echo x >/dev/null2 && echo ok')" ok
t_ok "PRO-17 device_cgroup_rules with a range allow it" in_it ruled sh -c 'mknod /dev/lc c 10 237 && : </dev/lc'
t_run in_it ruled sh -c 'mknod /dev/mem c 1 1'
t_like "PRO-17 and nothing else" "$T_OUT" 'not permitted'
t_is "PRO-17 devices with r can be read from" "$(in_it granted sh -c ': </dev/x && echo ok' 2>&1)" ok
t_like "PRO-17 and not written to" "$(in_it granted sh -c ': >/dev/x' 2>&1)" 'not permitted'
t_is "PRO-17 a link is followed to its device" "$(in_it granted stat -c %t:%T /dev/linked)" 1:3
winch down -t 0 >/dev/null 2>&1
refused "PRO-17 a missing device" 'devices: [/dev/nope]' "device '/dev/nope'"
refused "PRO-17 a folder" "devices: [\"$PWD/folder:/dev/folder\"]" "folder' is not a device"
refused "PRO-17 letters that are no permissions" 'devices: ["/dev/null:/dev/x:rx"]' "permissions 'rx'"

# PRO-21, PRO-22
mkdir ../net && cd ../net || exit 1
cat >compose.yaml <<'YAML'
services:
  a: {image: busybox, command: [probe, hold], stop_grace_period: 0s}
  web: {image: busybox, user: "1000", cap_drop: [ALL], command: [httpd, -f, -p, "80"], stop_grace_period: 0s}
YAML
t_ok "PRO-21 up" winch up -d
for user in 0 1000; do
    t_is "PRO-21 uid $user has ping sockets" "$(in_it -u $user a probe call 64 41 2 2 1)$(in_it -u $user a probe call 64 41 10 2 58)" 00
    t_is "PRO-21 uid $user has neither raw nor packet sockets" "$(in_it -u $user a probe call 64 41 2 3 1) $(in_it -u $user a probe call 64 41 17 3 0)" "EPERM EPERM"
done
t_like "PRO-21 the range of groups" "$(in_it a cat /proc/sys/net/ipv4/ping_group_range)" '^0[[:space:]]+65535$'
t_is "PRO-22 uid 1000 without a capability listens on 80" "$(awk '/^Uid/ { print $2 }' "/proc/$(w_pid web)/status" | grep -c 1000; w_ps web State)" "$(printf '%s\nrunning' "$(awk '/^Uid/ { print $2 }' "/proc/$(w_pid web)/status" | grep -c 1000)")"
t_like "PRO-22 and is heard" "$(in_it a wget -qO- http://web/ 2>&1)" '404'
winch down -t 0 >/dev/null 2>&1

# shellcheck disable=SC2016 # expanded inside
written() { in_it a sh -c 'for d in /data /bound /tmp /dev/shm; do : >$d/x || echo $d; done'; }
# shellcheck disable=SC2016
writable_groups() { in_it default sh -c 'for f in $(find /sys/fs/cgroup -type f 2>/dev/null); do { : >>$f; } 2>/dev/null && echo $f; done'; }

# PRO-27
mkdir ../readonly && cd ../readonly && mkdir bound || exit 1
cat >compose.yaml <<'YAML'
services:
  a: {image: busybox, command: [probe, hold], read_only: true, stop_grace_period: 0s, tmpfs: [/tmp], volumes: ["./bound:/bound", "data:/data"]}
volumes: {data: {}}
YAML
t_ok "PRO-27 up" winch up -d
for path in /x /etc/x /bin/x /root/x /var/x /proc/1/root/x; do
    t_like "PRO-27 $path cannot be made" "$(in_it a touch $path 2>&1)" 'Read-only|No such file'
done
t_is "PRO-27 volumes, binds, tmpfs and /dev/shm can be written to" "$(written)" ""
t_like "PRO-27 /etc/hosts is right" "$(in_it a cat /etc/hosts)" '^127\.0\.0\.1[[:space:]]+localhost'
t_like "PRO-27 it cannot be remounted" "$(in_it a mount -o remount,rw / 2>&1)" 'not permitted|denied'
winch down -v -t 0 >/dev/null 2>&1

# PRO-28
mkdir ../sysctls && cd ../sysctls || exit 1
cat >compose.yaml <<'YAML'
services:
  a:
    image: busybox
    command: [probe, hold]
    stop_grace_period: 0s
    sysctls: {net.ipv4.ip_default_ttl: 77, kernel.msgmax: 9000, kernel.shmmax: 123456, fs.mqueue.msg_max: 20, net.ipv4.ip_unprivileged_port_start: 1024}
YAML
t_ok "PRO-28 up" winch up -d
t_is "PRO-28 the keys have their values" \
    "$(in_it a sh -c 'cd /proc/sys; cat net/ipv4/ip_default_ttl kernel/msgmax kernel/shmmax fs/mqueue/msg_max net/ipv4/ip_unprivileged_port_start' | tr '\n' ' ')" \
    "77 9000 123456 20 1024 "
t_is "PRO-28 the host's are untouched" "$(cat /proc/sys/kernel/msgmax)" 8192
winch down -t 0 >/dev/null 2>&1
for key in kernel.hostname vm.swappiness kernel.core_pattern kernel.shm_next_id net/../kernel/core_pattern kernel.msgmax.. fs.file-max; do
    refused "PRO-28 $key" "sysctls: {$key: 1}" "compose.yaml:2:[0-9]+: error: services.a.sysctls: '$key'"
done
printf 'services:\n  a: {image: busybox, network_mode: host, sysctls: {net.ipv4.ip_forward: 1}}\n' >compose.yaml
t_exit "PRO-28 net.* with the host's network is refused" 1 winch up -d
t_like "PRO-28 which is the reason" "$T_OUT" 'network_mode: host'

# PRO-30, PRO-32 and the table
mkdir ../table && cd ../table || exit 1
cat >compose.yaml <<'YAML'
x-base: &base {image: busybox, command: [probe, hold], stop_grace_period: 0s, network_mode: none, hostname: "box"}
services:
  default: *base
  user: {<<: *base, user: "1000:1000", group_add: ["7"]}
  read-only: {<<: *base, read_only: true}
  no-new-privileges: {<<: *base, security_opt: ["no-new-privileges:true"]}
  unmasked: {<<: *base, security_opt: ["systempaths=unconfined"]}
  no-filter: {<<: *base, security_opt: ["seccomp=unconfined"]}
  admin: {<<: *base, cap_add: [SYS_ADMIN]}
  bare: {<<: *base, cap_drop: [ALL]}
  host-ids: {<<: *base, userns_mode: host}
  tmpfs: {<<: *base, tmpfs: ["/run:size=1m,mode=700,uid=5"], shm_size: 2m}
  tty: {<<: *base, tty: true}
  init: {<<: *base, init: true, working_dir: /tmp, oom_score_adj: 100}
  privileged: {<<: *base, privileged: true}
YAML
t_ok "PRO-32 up" winch up -d || t_abort "$T_OUT"
t_is "PRO-30 the cgroup path is /" "$(in_it default cat /proc/1/cgroup | sed 's/.*://' | sort -u)" /
t_is "PRO-30 nothing of it can be written to" \
    "$(writable_groups)" ""
t_is "PRO-30 there is no release_agent" "$(in_it default find /sys/fs/cgroup -name release_agent)" ""
t_is "PRO-32 privileged: every capability that the host has" "$(awk '/^CapBnd/ { print $2 }' "/proc/$(w_pid privileged)/status")" "$all_host"
t_is "PRO-32 privileged: no filter, no masks" "$(in_it privileged probe | jq -r .Seccomp) $(in_it privileged sh -c 'head -c 4 /proc/keys | wc -c')" "0 $(head -c 4 /proc/keys | wc -c)"
t_is "PRO-32 privileged: the host's devices" "$(in_it privileged find /dev -type c -o -type b | grep -vE '^/dev/(pts|shm|mqueue|console)' | sort | tr '\n' ' ')" \
    "$(find /dev -xdev \( -type c -o -type b \) | grep -vE '^/dev/(pts|shm|mqueue|console|ptmx)' | sort | tr '\n' ' ')"
for ns in mnt pid ipc uts; do
    t_true "PRO-32 privileged: still a $ns namespace of its own" \
        test "$(readlink "/proc/$(w_pid privileged)/ns/$ns")" != "$(readlink /proc/self/ns/$ns)"
done
t_like "PRO-32 ps says so" "$(winch ps privileged)" 'privileged$|, privileged'
base=$(awk '{ print $2; exit }' "/proc/$(w_pid default)/uid_map")
table() { # what the probe sees, without what differs from host to host
    local service
    for service in default user read-only no-new-privileges unmasked no-filter admin bare host-ids tmpfs tty init privileged; do
        echo "== $service"
        in_it "$service" probe | jq -r --arg host "$all_host" --arg base "$base" '
            def cap: if . == $host then "(all the host has)" else . end;
            "capabilities inh \(.CapInh) prm \(.CapPrm | cap) eff \(.CapEff | cap) bnd \(.CapBnd | cap) amb \(.CapAmb)",
            "no_new_privs \(.NoNewPrivs) seccomp \(.Seccomp) descriptors \(.fds | keys | join(" "))",
            "cwd \(.cwd) hostname \(.hostname) oom_score_adj \(.oom_score_adj[0])",
            "uid_map \(.uid_map[0] | gsub(" +"; " ") | sub($base + "(?= )"; "BASE"))",
            ([.mountinfo[] | capture("^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ (?<target>[^ ]+) (?<flags>[^ ]+).* - (?<type>[^ ]+) [^ ]+ (?<super>.*)") |
                select(.target | test("^/(|proc|sys|dev|dev/pts|dev/shm|dev/mqueue|dev/console|run|etc/hosts|proc/sys|proc/keys|proc/kcore|sys/firmware)$")) |
                "mount \(.target) \(if .target == "/etc/hosts" then "(bound)" else .type end) \(.flags)" + (if .type == "tmpfs" and (.target | test("shm|run")) then " \(.super | [scan("size=[0-9]+k|mode=[0-9]+")] | join(","))" else "" end)] | sort | .[])' |
            sed 's/,relatime//; s/,idmapped//'
        awk '/^(Uid|Gid|Groups):/' "/proc/$(w_pid "$service")/status" | while read -r key first rest; do
            [ "$key" != Groups: ] || first="$first $rest"
            for id in $first; do [ "$id" -lt "$base" ] || id=$((id - base)); echo "$key $id"; done
        done
    done
}
golden=$t_top/tests/golden/confine.txt
table >table.txt 2>&1
[ -z "${WINCH_GOLDEN_WRITE-}" ] || cp table.txt "$golden"
t_ok "PRO-14 PRO-18 PRO-32 what the probe sees under each key" diff "$golden" table.txt
winch down -t 0 >/dev/null 2>&1
t_no_leak "LEK-01 nothing is left"
t_done
