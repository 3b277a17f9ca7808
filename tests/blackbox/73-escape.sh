#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 73-escape.sh - ways out that other engines had: our programs through /proc, folders behind descriptors, hostile names in
# images, races on shared volumes, users and groups.
# limit: 240
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck canary; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry rw
canary_make
leak_before
in_it() { winch exec -T "$@"; }

# RUN-01, RUN-06: everything that enters is looked at from inside while it enters
mkdir spy && cd spy || exit 1
cat >compose.yaml <<'YAML'
x-base: &base
  image: busybox
  command: [probe, spy, SECRET-OF-THE-CALLER, "12"]
  stop_grace_period: 0s
  network_mode: none
  healthcheck: {test: ["CMD", "probe", "exit", "0"], interval: 100ms}
services:
  own: {<<: *base, cap_add: [SYS_PTRACE, DAC_READ_SEARCH]}
  host-ids: {<<: *base, userns_mode: host}
YAML
export CANARY_WORD=SECRET-OF-THE-CALLER
t_ok "RUN-01 up" winch up -d || t_abort "nothing to look at: $T_OUT"
entered=0
while [ "$entered" -lt 60 ] && w_state_is own running; do
    in_it own probe exit 0 >/dev/null 2>&1
    in_it host-ids probe exit 0 >/dev/null 2>&1
    entered=$((entered + 1))
done
unset CANARY_WORD
t_true "RUN-06 processes entered while it looked ($entered)" test "$entered" -ge 20
for service in own host-ids; do
    t_true "RUN-06 $service: the spy has ended" wait_for 30 w_state_is $service exited
    t_like "RUN-06 $service: it looked" "$(winch logs --no-log-prefix --no-color $service)" '^looked many times'
    t_unlike "RUN-01 RUN-06 $service: and saw neither our program, environment, descriptors nor folders" \
        "$(winch logs --no-log-prefix --no-color $service)" SEEN
done
winch down -t 0 >/dev/null 2>&1

# RUN-01: an entrypoint whose interpreter is /proc/self/exe
mkdir ../self && cd ../self || exit 1
root='{"name": "probe", "mode": "755", "data_file": "'$WINCH_PROBE'"}'
cat >recipe.json <<JSON
{"images": [
 {"name": "library/self:latest", "config": {"Entrypoint": ["/run-me"]}, "layers": [{"entries": [$root,
   {"name": "run-me", "mode": "755", "data": "#!/proc/self/exe\n"}]}]},
 {"name": "library/sys1:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [$root,
   {"name": "sys", "type": "symlink", "link": "$CANARY"}]}]},
 {"name": "library/sys2:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [$root,
   {"name": "sys", "data": "a file"}]}]},
 {"name": "library/sys3:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [$root,
   {"name": "sys", "type": "fifo"}]}]},
 {"name": "library/dev1:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [$root,
   {"name": "dev", "type": "symlink", "link": "$CANARY"}]}]},
 {"name": "library/dev2:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [$root,
   {"name": "dev", "type": "symlink", "link": "../../../..$CANARY"}]}]},
 {"name": "library/null:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [$root,
   {"name": "dev/", "type": "dir"}, {"name": "dev/null", "type": "symlink", "link": "/proc/sysrq-trigger"}]}]},
 {"name": "library/labels:latest", "config": {"Cmd": ["/probe", "hold"], "User": "", "Env": ["WINCH_ROOT=/", "LD_PRELOAD=/x.so"],
   "Labels": {"winch.privileged": "true", "winch.seccomp": "unconfined", "io.podman.annotations.privileged": "TRUE",
     "com.docker.compose.project": "another", "com.docker.compose.service": "another", "autoheal": "true"}},
  "layers": [{"entries": [$root, {"name": "etc/", "type": "dir"}, {"name": "etc/ld.so.preload", "data": "/x.so\n"}]}]}
]}
JSON
"$t_lib/imagekit.py" make recipe.json --layout kit || t_abort "images not made"
"$t_lib/imagekit.py" push --layout kit --registry "$REGISTRY" || t_abort "images not pushed"
printf 'services:\n  a: {image: self, network_mode: none}\n' >compose.yaml
winch up -d >/dev/null 2>&1
# that is the program which executes it: ours.  It ends at once, and its file cannot be written to (RUN-01 above)
t_true "RUN-01 an interpreter /proc/self/exe leads nowhere" wait_for 5 w_state_is a exited
winch down -t 0 >/dev/null 2>&1
for image in sys1 sys2 sys3 dev1 dev2; do
    printf 'services:\n  a: {image: %s, network_mode: none}\n' $image >compose.yaml
    id=RUN-08 && [[ $image = sys* ]] || id=RUN-09
    t_exit "$id $image: such a root is refused" 1 winch up -d
    t_like "$id $image: the message says so" "$T_OUT" "rootfs: /${image:0:3} is (a symbolic link|not a directory)"
    winch down -t 0 >/dev/null 2>&1
done
t_canary "RUN-08 RUN-09 nothing outside was touched"

# RUN-11
printf 'services:\n  a: {image: "null", network_mode: none, stop_grace_period: 0s}\n' >compose.yaml
t_ok "RUN-11 a /dev/null of the image's own" winch up -d
pid=$(w_pid a)
t_is "RUN-11 is covered by ours" "$(stat -c %t:%T "/proc/$pid/root/dev/null")" 1:3
for path in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; do
    [ -e $path ] || continue
    t_is "RUN-11 $path is masked by the null device" "$(stat -c %t:%T "/proc/$pid/root$path")" 1:3
done
winch down -t 0 >/dev/null 2>&1

# RUN-21
printf 'services:\n  a: {image: labels, network_mode: none, stop_grace_period: 0s}\n' >compose.yaml
t_ok "RUN-21 an image with settings of ours in its labels" winch up -d
in_it a /probe >labels.json
t_is "RUN-21 is confined as any other" "$(jq -r '"\(.CapBnd) \(.Seccomp) \(.NoNewPrivs)"' labels.json)" "00000000800405fb 2 0"
t_is "RUN-21 is where it belongs" "$(winch ps -a --format json a | jq -r '"\(.Project) \(.Service)"')" "self a"
t_unlike "RUN-21 is not privileged" "$(winch ps)" 'privileged|unconfined|host user'
winch down -t 0 >/dev/null 2>&1

# RUN-03
mkdir ../cwd && cd ../cwd || exit 1
for dir in /proc/self/fd/3 /proc/self/fd/4 /proc/self/fd/7 /proc/self/fd/9 /proc/thread-self/fd/5 /proc/1/cwd/../.. /proc/self/root/../..; do
    printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s, working_dir: "%s"}\n' $dir >compose.yaml
    if winch up -d >up.log 2>&1; then
        t_is "RUN-03 working_dir $dir leads nowhere outside" "$(in_it a sh -c 'pwd; cat ../../../../../canary/secret 2>/dev/null' | sed 's|^/.*|inside|')" inside
    else
        t_like "RUN-03 working_dir $dir is refused" "$(cat up.log)" 'working directory'
    fi
    winch down -t 0 >/dev/null 2>&1
done
printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s}\n' >compose.yaml
winch up -d >/dev/null 2>&1
for fd in $(seq 3 40); do
    got=$(in_it -w "/proc/self/fd/$fd" a sh -c 'readlink /proc/self/cwd' 2>/dev/null)
    [ -z "$got" ] || leaked="${leaked-} $fd:$got"
done
t_is "RUN-03 exec -w /proc/self/fd/3 to 40 never enters" "${leaked-}" ""
winch down -t 0 >/dev/null 2>&1

# RUN-13
mkdir -p ../proc/fake && cd ../proc && echo "lies" >meminfo || exit 1
for keys in 'tmpfs: [/proc/self]' 'volumes: ["./fake:/proc"]' 'volumes: ["./fake:/proc/sys/net"]' 'volumes: ["./fake:/proc/self/attr"]' \
    'tmpfs: [/proc]' 'volumes: ["data:/proc/1"]'; do
    printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s, %s}\nvolumes: {data: {}}\n' "$keys" >compose.yaml
    t_exit "RUN-13 $keys is refused" 1 winch up -d
    t_like "RUN-13 $keys: the message names the place" "$T_OUT" '/proc'
    winch down -v -t 0 >/dev/null 2>&1
done
printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s, volumes: ["./meminfo:/proc/meminfo:ro"]}\n' >compose.yaml
t_ok "RUN-13 a meminfo in the manner of lxcfs is allowed" winch up -d
t_is "RUN-13 and shown" "$(in_it a cat /proc/meminfo)" lies
winch down -t 0 >/dev/null 2>&1

# RUN-15
mkdir ../race && cd ../race || exit 1
cat >compose.yaml <<YAML
services:
  swap:
    image: busybox
    command: [sh, -c, "mkdir -p /vol/d /vol/real && rm -rf /vol/e && ln -s / /vol/e && exec probe swap /vol/d /vol/e"]
    network_mode: none
    stop_grace_period: 0s
    volumes: ["vol:/vol"]
  victim:
    image: busybox
    command: [probe, exit, "0"]
    network_mode: none
    volumes: ["vol:/vol"]
    tmpfs: ["/vol/d/x"]
volumes: {vol: {}}
YAML
t_ok "RUN-15 a container that exchanges a folder and a link to /" winch up -d swap
t_true "RUN-15 it does" wait_for 5 eval "winch logs swap | grep -q swapping"
find / -xdev -maxdepth 1 | sort >before.root
for _ in $(seq 1 30); do
    winch up -d --force-recreate --no-deps victim >>up.log 2>&1
done
find / -xdev -maxdepth 1 | sort >after.root
t_ok "RUN-15 30 starts with a mount below it put nothing into the host's /" diff before.root after.root
t_is "RUN-15 nor into its mounts" "$(grep -cE ' (/x|/vol/d/x) ' /proc/self/mountinfo)" 0
winch down -v -t 0 >/dev/null 2>&1
t_canary "RUN-15 nothing outside was touched"

# RUN-19, RUN-20
mkdir ../users && cd ../users || exit 1
cat >passwd <<'EOF'
root:x:0:0::/root:/bin/sh
app:x:1:7::/home/app:/bin/sh
123:x:0:0::/:/bin/sh
with blank:x:0:0::/:/bin/sh
broken:x:nonsense:0::/:/bin/sh
big:x:4294967296:0::/:/bin/sh
EOF
printf 'root:x:0:\nappgroup:x:7:\none:x:101:app,root\ntwo:x:102:other,app\nthree:x:103:app\nfour:x:104:apple\nadded:x:109:\n' >group
cat >compose.yaml <<'YAML'
x-base: &base {image: busybox, command: [probe, hold], stop_grace_period: 0s, network_mode: none, volumes: ["./passwd:/etc/passwd:ro", "./group:/etc/group:ro"]}
services:
  a: *base
  groups: {<<: *base, user: app, group_add: [added, "77", "102"]}
  explicit: {<<: *base, user: "app:109"}
  numeric: {<<: *base, user: "1"}
YAML
t_ok "RUN-19 up" winch up -d || t_abort "$T_OUT"
# shellcheck disable=SC2016 # expanded inside
while read -r word want; do
    got=$(in_it -u "$word" a sh -c 'echo "$(id -u):$(id -g)"' 2>/dev/null || echo refused)
    t_is "RUN-19 user '$word'" "$got" "$want"
done <<'TABLE'
1 1:7
1:2 1:2
app 1:7
app:two 1:102
0:0 0:0
01 1:7
123 123:0
:5 refused
+1 refused
-1 refused
0x1 refused
1: refused
broken refused
big refused
nobody-here refused
1:no-such-group refused
65535:65535 65535:65535
65536 refused
2147483648 refused
4294967295 refused
4294967296 refused
4294967296:0 refused
1000000000000 refused
18446744073709551616 refused
TABLE
groups_of() { awk '/^Groups:/ { $1 = ""; print }' "/proc/$(w_pid "$1")/status" | tr ' ' '\n' | grep . | while read -r g; do echo $((g - base)); done | sort -n | tr '\n' ' '; }
base=$(awk '{ print $2 }' "/proc/$(w_pid a)/gid_map")
t_is "RUN-20 groups of the image's user, its primary and those added" "$(groups_of groups)" "7 77 101 102 103 109 "
t_is "RUN-20 an explicit group is the only one" "$(groups_of explicit)" "109 "
t_is "RUN-20 a number that has a name has its groups" "$(groups_of numeric)" "7 101 102 103 "
t_is "RUN-20 nobody's groups come from us" "$(groups_of a)" "0 101 "
in_it -u 0 groups sh -c 'echo secret >/tmp/f; chown 0:102 /tmp/f; chmod 0604 /tmp/f'
t_run in_it groups cat /tmp/f
t_true "RUN-20 a file that keeps a group out stays closed to its member" test "$T_STATUS" != 0
winch down -t 0 >/dev/null 2>&1

# RUN-24
mkdir ../share && cd ../share || exit 1
cat >compose.yaml <<'YAML'
x-base: &base {image: busybox, command: [probe, hold], stop_grace_period: 0s}
services:
  one: {<<: *base, network_mode: none, ipc: shareable, cap_add: [SYS_ADMIN], security_opt: ["seccomp=unconfined"]}
  two: {<<: *base, network_mode: "service:one", pid: "service:one", ipc: "service:one", depends_on: [one]}
YAML
t_ok "RUN-24 up" winch up -d
in_it two probe >two.json
t_is "RUN-24 who joins keeps its own capabilities and filter" "$(jq -r '"\(.CapBnd) \(.Seccomp)"' two.json)" "00000000800405fb 2"
t_is "RUN-24 and its masks, in the other's process namespace" "$(in_it two sh -c 'cat /proc/keys /proc/timer_list /proc/kcore 2>/dev/null | wc -c; ls -A /sys/firmware | wc -l' | tr '\n' ' ')" "0 0 "
t_like "RUN-24 /proc/sys stays read-only" "$(jq -r '.mountinfo[]' two.json)" ' /proc/sys ro[, ]'
t_run in_it two sh -c 'kill -0 1 && cat /proc/1/environ'
t_true "RUN-24 and cannot read a process with more capabilities" test "$T_STATUS" != 0
winch down -t 0 >/dev/null 2>&1
t_canary "nothing outside was touched"
t_no_leak "LEK-01 nothing is left"
t_done
