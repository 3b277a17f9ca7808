#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 20-run.sh - entering and starting: descriptors, hostile roots, mount targets, capability sets.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck canary; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry rw
canary_make
push_kit() { # RECIPE: images of the recipe go into the registry; the probe is what they hold
    rm -rf kit-layout
    "$t_lib/imagekit.py" make "$1" --layout kit-layout
    "$t_lib/imagekit.py" push --layout kit-layout --registry "$REGISTRY"
}

mkdir run && cd run || exit 1
cat >compose.yaml <<'YAML'
x-base: &base
  image: busybox
services:
  plain: {<<: *base, command: ["probe"]}
  user: {<<: *base, command: ["probe"], user: "1000:1000"}
  init: {<<: *base, command: ["probe"], init: true}
  more: {<<: *base, command: ["probe"], cap_drop: [ALL], cap_add: [NET_RAW, SYS_NICE]}
  none: {<<: *base, command: ["probe"], cap_drop: [ALL]}
  checked:
    <<: *base
    command: ["probe", "hold"]
    healthcheck: {test: ["CMD-SHELL", "probe > /tmp/check.new && mv /tmp/check.new /tmp/check.json"], interval: 200ms}
YAML
leak_before
# 25 descriptors of all kinds, none close-on-exec
exec 20</ 21<"$CANARY/secret" 22<>/dev/null 23</proc/self/mountinfo 24<"$CANARY"
for fd in $(seq 30 49); do
    eval "exec $fd</etc"
done
t_ok "up with many inherited descriptors" winch up -d || t_abort "nothing to look at"
for fd in 20 21 22 23 24 $(seq 30 49); do
    eval "exec $fd<&-"
done
report() { # SERVICE: what its probe printed
    wait_for 10 w_state_is "$1" exited
    winch logs --no-color --no-log-prefix "$1"
}
sets() { jq -r '"\(.CapInh) \(.CapPrm) \(.CapEff) \(.CapBnd) \(.CapAmb)"' "$1"; }
zero=0000000000000000 eleven=00000000800405fb
for service in plain user init more none; do
    report $service >$service.json
    t_is "RUN-05 $service: descriptors 0, 1, 2 only" "$(jq -c '.fds | keys' $service.json)" '["0","1","2"]'
done
t_is "RUN-18 service: eleven capabilities" "$(sets plain.json)" "$zero $eleven $eleven $eleven $zero"
t_is "RUN-18 user 1000: none, bounded by the eleven" "$(sets user.json)" "$zero $zero $zero $eleven $zero"
t_is "RUN-18 with init" "$(sets init.json)" "$zero $eleven $eleven $eleven $zero"
t_is "RUN-18 cap_drop ALL and two added" "$(sets more.json)" "$zero 0000000000802000 0000000000802000 0000000000802000 $zero"
t_is "RUN-18 cap_drop ALL" "$(sets none.json)" "$zero $zero $zero $zero $zero"
winch exec -T checked probe >exec.json
winch exec -T -u 1000 checked probe >exec-user.json
winch exec -T --privileged checked probe >exec-privileged.json 2>/dev/null
t_is "RUN-05 exec: descriptors 0, 1, 2 only" "$(jq -c '.fds | keys' exec.json)" '["0","1","2"]'
t_is "RUN-18 exec" "$(sets exec.json)" "$zero $eleven $eleven $eleven $zero"
t_is "RUN-18 exec -u 1000" "$(sets exec-user.json)" "$zero $zero $zero $eleven $zero"
if [ -s exec-privileged.json ]; then
    t_like "RUN-18 exec --privileged: all, inheritable and ambient empty" "$(sets exec-privileged.json)" \
        "^$zero (000001ffffffffff|000001fffeffffff) .* $zero$"
else
    t_skip "RUN-18 exec --privileged" "refused"
fi
# script(1) gives all three descriptors a terminal
# shellcheck disable=SC2016 # expanded inside
{
    terminal() { script -qec "$1" /dev/null | tr -d '\r'; }
    t_is "RUN-23 exec -T at a terminal: the container gets pipes" \
        "$(terminal 'winch exec -T checked sh -c "for i in 0 1 2; do readlink /proc/self/fd/\$i; done"' </dev/null |
            sed 's/:.*//' | tr '\n' ' ')" "pipe pipe pipe "
    t_is "RUN-23 exec with output to a file: neither" \
        "$(script -qec 'winch exec checked sh -c "for i in 0 2; do readlink /proc/self/fd/\$i; done" >"$LAB/exec-fds"' /dev/null </dev/null
            sed 's/:.*//' "$LAB/exec-fds" | tr '\n' ' ')" "pipe pipe "
    t_like "RUN-23 what is typed arrives" "$(printf 'typed\n' | terminal 'winch exec -T checked sh -c "read x; echo got \$x"')" '^got typed$'
    t_like "RUN-23 exit status" "$(terminal 'winch exec -T checked sh -c "echo to-error >&2; exit 7"; echo status $?' </dev/null |
        tr '\n' ' ')" '^to-error status 7'
    t_like "RUN-23 at a terminal the process has one of its own" \
        "$(terminal 'winch exec checked sh -c "tty"' </dev/null)" '/dev/pts/0$'
}
t_true "a check has run" wait_for 5 winch exec -T checked test -s /tmp/check.json
winch exec -T checked cat /tmp/check.json >check.json
t_is "RUN-05 health check: descriptors 0, 1, 2 only" "$(jq -c '.fds | keys - ["10"]' check.json)" '["0","1","2"]'
t_is "RUN-18 health check" "$(sets check.json)" "$zero $eleven $eleven $eleven $zero"
t_ok "down" winch down -t 1
t_no_leak "LEK-01 nothing is left"

# RUN-07 and RUN-17: roots made to mislead
mkdir ../roots && cd ../roots || exit 1
root='{"name": "probe", "mode": "755", "data_file": "'$WINCH_PROBE'"}'
long=$(for n in $(seq 1 41); do printf ', {"name": "chain%s", "type": "symlink", "link": "chain%s"}' "$n" $((n + 1)); done)
cat >recipe.json <<JSON
{"images": [
 {"name": "library/proc1:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [$root,
   {"name": "proc", "type": "symlink", "link": "/tmp/x"}, {"name": "tmp/", "type": "dir"}, {"name": "tmp/x/", "type": "dir"}]}]},
 {"name": "library/proc2:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [$root,
   {"name": "proc", "type": "symlink", "link": "$CANARY"}]}]},
 {"name": "library/proc3:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [$root,
   {"name": "proc", "data": "a file"}]}]},
 {"name": "library/links:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [$root,
   {"name": "etc/", "type": "dir"}, {"name": "abs", "type": "symlink", "link": "/etc"},
   {"name": "up", "type": "symlink", "link": "../../../../../../etc"}, {"name": "out", "type": "symlink", "link": "$CANARY"}
   $long]}]}
]}
JSON
push_kit recipe.json || t_abort "images not pushed"
for image in proc1 proc2 proc3; do
    printf 'services:\n  a: {image: %s}\n' $image >compose.yaml
    t_exit "RUN-07 $image: a root whose /proc is no directory is refused" 1 winch up -d
    t_like "RUN-07 $image: the message says so" "$T_OUT" '/proc'
    winch down -t 1 >/dev/null 2>&1
done
mkdir data && echo mine >data/file
for target in abs up out; do
    printf 'services:\n  a: {image: links, volumes: ["./data:/%s/sub"]}\n' $target >compose.yaml
    if winch up -d >up.log 2>&1; then
        t_like "RUN-17 mount below /$target lands inside" "$(cat "/proc/$(w_pid a)/mountinfo")" \
            ' /(etc|.*canary)/sub '
        t_is "RUN-17 /$target: the host has no such folder" "$(find /etc/sub "$CANARY/sub" 2>/dev/null)" ""
    else
        t_like "RUN-17 mount below /$target is refused with its target" "$(cat up.log)" "/$target"
    fi
    winch down -t 1 >/dev/null 2>&1
done
printf 'services:\n  a: {image: links, volumes: ["./data:/chain1/x"]}\n' >compose.yaml
t_exit "RUN-17 a chain of 41 links is refused" 1 winch up -d
winch down -t 1 >/dev/null 2>&1
t_canary "RUN-07 RUN-17 nothing outside was touched"
t_no_leak "RUN-07 RUN-17 nothing is left"
t_done
