#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 90-oci.sh - containers from OCI bundles: life, namespaces, limits, hooks, terminals, and what is refused.
# limit: 60
# shellcheck disable=SC2016
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/leakcheck.sh
. "$t_lib/leakcheck.sh"
leak_before
oci() { winch oci --root "$LAB/oci" "$@"; }
# a container keeps the runtime's own output open: t_ok would wait for its end
quiet() { "$@" >"$LAB/said" 2>&1; }
status() { oci state "$1" 2>/dev/null | sed -n 's/.*"status": "\(.*\)".*/\1/p'; }

mkdir -p bundle/rootfs/{bin,etc,proc,sys,dev,tmp} && cd bundle || exit 1
chmod 755 "$LAB" "$LAB/run"
cp "$(command -v busybox)" rootfs/bin/busybox
for name in sh cat ls mkdir id sleep mount env echo grep readlink stat test touch true; do ln -s busybox rootfs/bin/$name; done
echo 'root:x:0:0::/root:/bin/sh' >rootfs/etc/passwd
t_ok "spec writes a config.json" oci spec
t_exit "and does not overwrite one" 1 oci spec
config() { # PYTHON: changes c, which is the sample without a terminal
    python3 - "$@" <<'PY'
import json, sys
c = json.load(open("sample.json"))
p, l = c["process"], c["linux"]
p["terminal"] = False
exec(sys.argv[1])
json.dump(c, open("config.json", "w"))
PY
}
mv config.json sample.json

# life
config 'p["args"] = ["sleep", "100"]'
t_ok "create" quiet oci create --pid-file "$LAB/pid" one
t_is "it waits" "$(status one)" created
t_is "its program does not run yet" "$(tr '\0' ' ' <"/proc/$(cat "$LAB/pid")/cmdline" | grep -c sleep)" 0
t_exit "a second of that name is refused" 1 oci create one
t_ok "start" oci start one
t_is "it runs" "$(status one)" running
t_true "the program is there" wait_for 3 grep -q sleep "/proc/$(cat "$LAB/pid")/comm"
t_exit "a second start is refused" 1 oci start one
t_is "list" "$(oci list -q)" one
t_is "ps" "$(oci ps --format json one)" "[$(cat "$LAB/pid")]"
t_exit "exec gives the exit code" 3 oci exec one sh -c 'exit 3'
t_is "exec is inside" "$(oci exec one readlink /proc/1/ns/pid)" "$(readlink "/proc/$(cat "$LAB/pid")/ns/pid")"
t_is "exec --cwd --env --user" "$(oci exec --cwd /tmp -e A=7 -u 5:6 one sh -c 'pwd; echo $A; id -u; id -g' | tr '\n' ' ')" "/tmp 7 5 6 "
t_is "exec with a terminal" "$(oci exec -t one sh -c 'test -t 0 && readlink /proc/self/fd/0' </dev/null | tr -d '\r')" /dev/pts/0
t_ok "pause" oci pause one
t_is "it is paused" "$(status one)" paused
t_exit "exec into it is refused" 1 oci exec one true
t_ok "resume" oci resume one
t_exit "delete of a running one is refused" 1 oci delete one
t_ok "kill" oci kill one KILL
is_stopped() { [ "$(status one)" = stopped ]; }
t_true "it stops" wait_for 3 is_stopped
t_exit "a signal to the dead is refused" 1 oci kill one TERM
t_ok "delete" oci delete one
t_exit "it is gone" 1 oci state one
t_ok "delete --force of nothing" oci delete --force one

# what a process sees
config 'p["args"] = ["sh", "-c", "id -u; id -g; grep -E ^Cap /proc/self/status | tr -s \"[:space:]\" \" \"; cat /proc/self/oom_score_adj; cat /proc/sys/kernel/hostname; stat -c %t:%T /dev/null; touch /file 2>/dev/null || echo read-only; pwd"]
p["user"] = {"uid": 10, "gid": 11}; p["cwd"] = "/tmp"; p["oomScoreAdj"] = 77
p["capabilities"] = {k: ["CAP_KILL"] for k in ("bounding", "permitted", "effective", "inheritable", "ambient")}'
t_is "user, five capability sets, oom score, names, nodes, root" "$(oci run two | tr '\n' '|')" \
    '10|11|CapInh: 0000000000000020 CapPrm: 0000000000000020 CapEff: 0000000000000020 CapBnd: 0000000000000020 CapAmb: 0000000000000020 77|winch|1:3|read-only|/tmp|'
config 'p["args"] = ["sh", "-c", "mkdir /tmp/x 2>/dev/null || echo refused; grep -E ^Seccomp: /proc/self/status"]; c["root"]["readonly"] = False
l["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}'
t_is "a seccomp profile is obeyed" "$(oci run two | tr -s '[:space:]' ' ')" "refused Seccomp: 2 "
config 'p["args"] = ["sh", "-c", "id -u; cat /proc/self/uid_map; echo x >/dev/null && echo wrote"]; l["namespaces"].append({"type": "user"})
l["uidMappings"] = l["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
t_is "a user namespace of its own" "$(oci run two | tr -s '[:space:]' ' ')" "0 0 100000 65536 wrote "
config 'p["args"] = ["readlink", "/proc/self/ns/net"]
l["namespaces"] = [n if n["type"] != "network" else {"type": "network", "path": "/proc/self/ns/net"} for n in l["namespaces"]]'
t_is "a namespace by path" "$(oci run two)" "$(readlink /proc/self/ns/net)"
config 'p["args"] = ["sh", "-c", "cat /tmp/in; touch /tmp/in 2>/dev/null || echo read-only"]
c["mounts"].append({"destination": "/tmp/in", "type": "bind", "source": "sample.json", "options": ["bind", "ro"]})'
t_is "a bind of a file beside config.json, read-only" "$(oci run two | tail -1)" "}read-only"
config 'p["args"] = ["cat", "/proc/sys/kernel/shmmax", "/proc/sys/net/ipv4/ip_forward"]; l["sysctl"] = {"kernel.shmmax": "4242", "net.ipv4.ip_forward": "1"}'
t_is "sysctls" "$(oci run two | tr '\n' ' ')" "4242 1 "
config 'l["resources"].update({"pids": {"limit": 33}, "memory": {"limit": 64000000 // 4096 * 4096}}); l["cgroupsPath"] = "/winch-oci-test-'"$$"'/inner"; p["args"] = ["sleep", "100"]'
t_ok "create with limits" quiet oci run -d two
cgroup=$(sed -n 's/^[0-9]*:\(pids\|\):\(.*inner\)$/\2/p' "/proc/$(oci ps --format json two | tr -d '[]')/cgroup" | head -1)
t_like "in the group that was asked for" "$cgroup" "/winch-oci-test-$$/inner$"
t_is "the limit of pids" "$(cat "/sys/fs/cgroup/pids$cgroup/pids.max" 2>/dev/null || cat "/sys/fs/cgroup$cgroup/pids.max")" 33
t_ok "delete --force" oci delete --force two
find /sys/fs/cgroup -depth -type d -name "winch-oci-test-$$" -exec rmdir {} +

# hooks: in order, with the state on stdin; one that fails undoes the container
config 'p["args"] = ["true"]
c["hooks"] = {k: [{"path": "/bin/sh", "args": ["sh", "-c", "echo " + k + " $(grep -o status....[a-z]*) >>'"$LAB"'/hooks"]}]
              for k in ("prestart", "createRuntime", "createContainer", "poststart", "poststop")}'
t_ok "run with hooks" oci run two
t_is "hooks in their order" "$(tr -d '":' <"$LAB/hooks" | tr '\n' ';')" \
    "prestart statuscreating;createRuntime statuscreating;createContainer statuscreated;poststart statusrunning;poststop statusstopped;"
config 'c["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}'
t_exit "a hook that fails" 1 oci run two
t_like "is named" "$T_OUT" 'hook #0 \(/bin/false\).*exit status 1'
config 'c["hooks"] = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}]}'
t_exit "a hook that hangs is killed" 1 oci run two
t_like "and named" "$T_OUT" 'killed after 1 s'

# what cannot be
config 'p["args"] = ["nowhere"]'
t_exit "a program that is not there" 1 oci create two
t_like "is said at create" "$T_OUT" '"nowhere": executable file not found'
config 'p["args"] = ["/etc/passwd"]'
t_exit "one that is no program" 1 oci create two
config 'l["sysctl"] = {"kernel.panic": "1"}'
t_exit "a sysctl of the host" 1 oci create two
t_like "is refused by name" "$T_OUT" 'kernel.panic'
config 'p["terminal"] = True'
t_exit "a terminal that nobody gets" 1 oci create two
t_exit "a bundle without config.json" 1 oci create --bundle / two
echo '{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "process": {"args": 1}}' >config.json
t_exit "a config.json that is wrong" 1 oci --log "$LAB/log" --log-format json create two
t_like "the log has it as JSON" "$(cat "$LAB/log")" '"level":"error","msg":"config.json: process.args must be a list"'
t_exit "an id with a slash" 1 oci create ../two
t_is "nothing is left of all that" "$(oci list -q)$(ls "$LAB/oci")" ""
t_no_leak "nothing is left"
t_done
