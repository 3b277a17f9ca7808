#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 72-seccomp.sh - the system call filter from inside: the default, custom profiles, none; and its cache.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
[ "$(uname -m)" = x86_64 ] || t_skip_all "the numbers are those of x86_64"
lab_registry
leak_before

mkdir filters && cd filters || exit 1
cat >profile.json <<'JSON'
{"defaultAction": "SCMP_ACT_ALLOW", "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
 "syscalls": [
  {"names": ["mkdirat", "mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28},
  {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 15, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]},
  {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 71, "includes": {"caps": ["CAP_CHOWN"]}},
  {"names": ["setdomainname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 71, "excludes": {"caps": ["CAP_CHOWN"]}},
  {"names": ["sched_yield"], "action": "SCMP_ACT_ERRNO", "errnoRet": 71, "includes": {"minKernel": "3.0"}},
  {"names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 71, "includes": {"minKernel": "999.0"}},
  {"names": ["statmount", "nobody_knows_this"], "action": "SCMP_ACT_ERRNO", "errnoRet": 71}]}
JSON
cat >compose.yaml <<'YAML'
x-base: &base {image: busybox, command: [probe, hold], stop_grace_period: 0s, network_mode: none}
services:
  own: *base
  admin: {<<: *base, cap_add: [SYS_ADMIN]}
  free: {<<: *base, security_opt: ["seccomp=unconfined"]}
  custom: {<<: *base, security_opt: ["seccomp=profile.json"]}
YAML
sed -i "s|seccomp=profile.json|seccomp=$PWD/profile.json|" compose.yaml
t_ok "up" winch up -d || t_abort "nothing to look at: $T_OUT"
in_it() { winch exec -T "$@"; }
call() { in_it "$1" probe call "${@:2}"; }
in_it own probe --syscalls >own.json
in_it free probe --syscalls >free.json
in_it admin probe --syscalls >admin.json

# name numbers from the kernel's own table; those that the policy denies without a capability
denied="keyctl:250 add_key:248 request_key:249 io_uring_setup:425 io_uring_enter:426 io_uring_register:427 bpf:321 perf_event_open:298
userfaultfd:323 mount:165 umount2:166 setns:308 unshare:272 pivot_root:155 open_by_handle_at:304 kexec_load:246 kexec_file_load:320
init_module:175 finit_module:313 delete_module:176 swapon:167 swapoff:168 move_pages:279 migrate_pages:256 quotactl:179 quotactl_fd:443
lsm_get_self_attr:459 lsm_set_self_attr:460 lsm_list_modules:461 nfsservctl:180 fsopen:430 fsconfig:431 fsmount:432 fspick:433
open_tree:428 move_mount:429 mount_setattr:442 reboot:169 settimeofday:164 clock_settime:227 iopl:172 ioperm:173 acct:163 syslog:103
sethostname:170 setdomainname:171 lookup_dcookie:212 fanotify_init:300 mbind:237 set_mempolicy:238 get_mempolicy:239 kcmp:312
pidfd_getfd:438 process_madvise:440 set_mempolicy_home_node:450"
for entry in $denied; do
    got=$(jq -r ".syscalls[\"${entry#*:}\"]" own.json)
    [ "$got" = EPERM ] || wrong="${wrong-} ${entry%:*}=$got"
done
t_is "PRO-04 each denied call gives EPERM" "${wrong-}" ""
# shellcheck disable=SC2086
numbers=$(printf '%s\n' $denied | sed 's/.*://' | sort -n | tr '\n' ' ')
changed=$(jq -rn --slurpfile a own.json --slurpfile b free.json '$a[0].syscalls | to_entries[] |
    select(.value != $b[0].syscalls[.key] and (.value == "EPERM" or .value == "ENOSYS")) | .key' | sort -n)
for number in $changed; do
    # clone and personality, which depend on arguments; clone3; and calls that Linux has no more: uselib ustat sysfs _sysctl create_module get_kernel_syms query_module getpmsg
    # putpmsg afs_syscall tuxcall security vserver
    case " $numbers 56 135 435 134 136 139 156 174 177 178 181 182 183 184 185 236 " in *" $number "*) ;; *) [ "$(jq -r ".syscalls[\"$number\"]" own.json)" = ENOSYS ] || extra="${extra-} $number" ;; esac
done
t_is "PRO-04 and no other call differs from a container without a filter" "${extra-}" ""
t_like "PRO-04 many calls were compared" "$(wc -w <<<"$changed")" '^[3-9][0-9]$'
for value in 0 8 0x20000 0x20008; do
    t_is "PRO-04 personality($value)" "$(call own 64 135 $value)" 0
done
t_is "PRO-04 personality(0xffffffff) asks" "$(call own 64 135 0xffffffff)" 0
t_is "PRO-04 other personalities" "$(call own 64 135 0x40000) $(call own 64 135 0x100000008)" "EPERM EPERM"
t_is "PRO-04 socket of AF_ALG and AF_VSOCK" "$(call own 64 41 38 5 0) $(call own 64 41 40 1 0)" "EPERM EPERM"
t_is "PRO-04 also with high bits that the kernel does not see" "$(call own 64 41 0x100000026 5 0)" EPERM
t_is "PRO-04 socket of AF_UNIX and AF_INET" "$(call own 64 41 1 1 0) $(call own 64 41 2 1 0)" "0 0"
t_is "PRO-04 by the 32-bit entry, too" "$(call own 32 359 38 5 0) $(call own 32 21 0 0 0) $(call own 32 136 0x40000)" "EPERM EPERM EPERM"
t_is "PRO-04 by the x32 entry, too" "$(call own x32 165) $(call own x32 41 38 5 0)" "EPERM EPERM"

for flag in 0x20000 0x2000000 0x4000000 0x8000000 0x10000000 0x20000000 0x40000000; do
    t_is "PRO-05 clone with $flag" "$(call own 64 56 $((flag | 17)))" EPERM
done
t_is "PRO-05 clone without a namespace" "$(call own 64 56 17)" 0
t_is "PRO-05 clone3 is unknown" "$(call own 64 435)" ENOSYS
t_is "PRO-05 threads and processes" "$(in_it own probe threads)" "thread, spawn"
t_is "PRO-07 holes and numbers to come are unknown" "$(call own 64 337) $(call own 64 423) $(call own 64 500) $(call own 64 100000)" \
    "ENOSYS ENOSYS ENOSYS ENOSYS"
# statmount, listmount, mseal, uretprobe and the xattrat four are allowed, three lsm_ calls are not: as without a filter, and EPERM
for number in 457 458 462 463 464 465 466; do
    [ "$(jq -r ".syscalls[\"$number\"]" own.json)" = "$(jq -r ".syscalls[\"$number\"]" free.json)" ] || unruled="${unruled-} $number"
done
t_is "PRO-08 calls that the library has no name for are allowed" "${unruled-}" ""
t_is "PRO-08 or denied" "$(call own 64 459) $(call own 64 460) $(call own 64 461)" "EPERM EPERM EPERM"
t_is "PRO-09 SYS_ADMIN unlocks mount, unshare, setns, bpf and clone3" \
    "$(jq -r '[.syscalls["165","272","308","321","435"]] | map(select(. == "EPERM" or . == "ENOSYS")) | length' admin.json)" 0
t_is "PRO-09 and not keyctl, io_uring, kexec" "$(jq -r '[.syscalls["250","425","246"]] | join(" ")' admin.json)" "EPERM EPERM EPERM"

t_is "PRO-10 a custom profile with an errno" "$(call custom 64 83 /x 0)" ENOSPC
t_is "PRO-10 with a masked argument" "$(call custom 64 135 8) $(call custom 64 135 0x20008) $(call custom 64 135 0)" "EPERM EPERM 0"
t_is "PRO-10 includes and excludes by capability" "$(call custom 64 170 0 0) $(call custom 64 171 0 0)" "EPROTO EPERM"
t_is "PRO-10 minKernel" "$(call custom 64 24) $(call custom 64 110)" "EPROTO 0"
t_is "PRO-10 names that the library does not know" "$(call custom 64 457)" EPROTO
t_is "PRO-10 by the 32-bit entry that it names" "$(call custom 32 39 0 0)" ENOSPC
t_is "PRO-10 what it does not deny is allowed" "$(call custom 64 250 0xffff)" "$(call free 64 250 0xffff)"
t_run in_it custom probe call x32 39
t_is "PRO-10 an entry that it does not name kills" "$T_STATUS" 159
t_is "PRO-10 unconfined is unconfined" "$(in_it free probe | jq -r .Seccomp)" 0
t_like "PRO-10 and shown by ps" "$(winch ps free)" 'seccomp unconfined'
t_unlike "PRO-10 only there" "$(winch ps own)" 'seccomp|unconfined'

# RUN-25: files of the cache
cache=$WINCH_ROOT/lib/cache/seccomp
tamper() { # NAME COMMAND: the cached filters are changed, a new container still has the right one
    local file
    # shellcheck disable=SC2034 # the command uses it
    for file in "$cache"/*.bpf; do
        eval "$2"
    done
    t_run winch up -d --force-recreate own
    t_is "RUN-25 $1: the filter is the right one, or none starts" "$([ "$T_STATUS" != 0 ] || call own 64 250)" EPERM
}
# an allow-all program: BPF_RET | BPF_K, SECCOMP_RET_ALLOW
# shellcheck disable=SC2016
{
    tamper "allow-all program" 'printf "\x06\x00\x00\x00\x00\x00\xff\x7f" >"$file"'
    tamper "cut off" 'truncate -s 16 "$file"'
    tamper "empty" ': >"$file"'
    tamper "a link" 'mv "$file" "$file.old"; ln -s /etc/passwd "$file"'
    tamper "gone" 'rm -f "$file"'
}
rm -f "$cache"/*.old
winch down -t 0 >/dev/null 2>&1

refused() { # NAME JSON WANTED
    printf '%s' "$2" >bad.json
    printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, security_opt: ["seccomp=%s/bad.json"]}\n' "$PWD" >compose.yaml
    t_exit "PRO-10 $1 is refused" 1 winch up -d
    t_like "PRO-10 $1: the message" "$T_OUT" "$3"
    winch down -t 0 >/dev/null 2>&1
}
refused "broken JSON" '{' 'seccomp profile'
refused "an unknown action" '{"defaultAction": "SCMP_ACT_MAYBE"}' "SCMP_ACT_MAYBE"
refused "an unknown key" '{"defaultAction": "SCMP_ACT_ALLOW", "sycalls": []}' "key 'sycalls'"
refused "a value of another type" '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": "1"}]}' 'errnoRet is no integer'
printf 'services:\n  a: {image: busybox, security_opt: ["seccomp=%s/nope.json"]}\n' "$PWD" >compose.yaml
t_exit "PRO-10 a missing file is refused" 1 winch up -d
t_like "PRO-10 which names it" "$T_OUT" 'nope.json'
winch down -t 0 >/dev/null 2>&1
t_no_leak "LEK-01 nothing is left"
t_done
