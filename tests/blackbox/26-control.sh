#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 26-control.sh - state trees are closed, sockets are named files that ask who calls.
# limit: 60
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
lab_registry
mkdir control && cd control || exit 1
printf 'secret\n' >value
cat >compose.yaml <<'YAML'
services:
  a:
    image: busybox
    command: ["probe", "hold"]
    environment: {PASSWORD: hidden}
    volumes: ["data:/data"]
    secrets: [s]
    configs: [{source: c, target: /etc/c}]
volumes: {data: }
secrets: {s: {file: ./value}}
configs: {c: {file: ./value}}
YAML
chmod 755 "$LAB" "$LAB/run"
umask 0
t_ok "up with umask 0" winch up -d || t_abort "nothing to look at"
umask 022
ours() { # what is not inside an image, a volume or a container's own layer
    find "$WINCH_ROOT" \( -path '*/layers/*/diff' -o -path '*/_data' -o -path '*/upper' -o -path '*/work' -o -path '*/root' \
        -o -path '*/secrets/*' -o -path '*/configs/*' \) -prune -o "$@" -print
}
t_is "CTL-01 no folder is open to others" "$(ours -type d -perm /066)" ""
t_is "CTL-01 no folder is writable by the group" "$(ours -type d -perm /022)" ""
t_is "CTL-01 no file is readable by others" "$(ours -type f -perm /077 ! -name hosts ! -name hostname ! -name resolv.conf)" ""
t_is "CTL-01 no socket or FIFO is open to others" "$(ours \( -type s -o -type p \) -perm /077 ! -name out ! -name err)" ""
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
t_exit "CTL-01 nobody lists nothing" 1 as_nobody sh -c "ls '$WINCH_ROOT/lib' || ls '$WINCH_ROOT/run' || ls '$WINCH_ROOT/lib/containers' || exit 1"
id=$(winch ps -q a)
t_exit "CTL-01 nobody reads no intent" 1 as_nobody cat "$WINCH_ROOT/lib/containers/$id/container.json"
t_exit "CTL-01 nobody reads no log" 1 as_nobody cat "$WINCH_ROOT/lib/containers/$id/log/current"
t_is "CTL-02 no abstract socket" "$(awk 'NR > 1 && $8 ~ /^@/ { print $8 }' /proc/net/unix)" ""
sockets=$(find "$WINCH_ROOT/run" -type s)
t_like "there are sockets" "$sockets" 'supervisor.sock'
for socket in $sockets; do
    name=${socket##*/}
    t_exit "CTL-02 $name: nobody cannot connect" 1 as_nobody /usr/bin/python3 -c 'import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
os.chdir(os.path.dirname(sys.argv[1])) # a longer name than this does not fit into an address
s.connect(os.path.basename(sys.argv[1]))' "$socket"
done
# with the door held open, each of them still asks who calls, before it reads: a question, too much, and nothing sensible
asks() { # SOCKET: what root or nobody is answered
    /usr/bin/python3 -c 'import os, socket, struct, sys
os.chdir(os.path.dirname(sys.argv[1]))
status = struct.pack("<IIII", 0x77696e63, 1, 1, 1)
for text in (b"{\"v\":1,\"id\":1,\"call\":\"status\",\"args\":{}}", status + bytes(int(sys.argv[2]) - len(status)), b"x" * 60000, b""):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(3)
    try:
        s.connect(os.path.basename(sys.argv[1]))
        s.send(text)
        answer = s.recv(65536)
        print("answer:" if answer else "closed", answer[:60])
    except OSError as error:
        print("refused:", error)' "$1" 4184
}
for socket in $sockets; do
    name=${socket##*/}
    t_run asks "$socket"
    t_like "$name answers root" "$T_OUT" '^answer:'
    dir=$(dirname "$socket")
    until [ "$dir" = "$LAB" ]; do
        chmod o+x "$dir"
        dir=$(dirname "$dir")
    done
    chmod 666 "$socket"
    export -f asks
    t_run as_nobody timeout 20 bash -c "asks '$socket'"
    t_unlike "CTL-02 $name: another uid gets no answer" "$T_OUT" '^answer:'
    t_is "CTL-02 $name: and is told so at once" "$(grep -c . <<<"$T_OUT") $(grep -c 'timed out' <<<"$T_OUT")" "4 0"
done
t_ok "the sockets still serve" winch ps
t_unlike "nothing secret in arguments" "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ')" 'hidden'
t_ok "down" winch down -v -t 1
t_done
