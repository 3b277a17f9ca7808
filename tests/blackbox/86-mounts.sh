#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 86-mounts.sh - our own /etc files, secrets, volume names, sub-paths, propagation, read-only trees, bind sources.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck canary; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
canary_make
mkdir mounts && cd mounts || exit 1
winch pull -q busybox >/dev/null 2>&1

# MNT-06: /etc of the image is what an attacker makes of it
base_root() { # DIR
    mkdir -p "$1"/{bin,proc,sys,dev,tmp,run}
    cp "$WINCH_PROBE" "$1/bin/probe"
    cp "$(command -v busybox)" "$1/bin/busybox"
    ln -s busybox "$1/bin/sh"
    ln -s busybox "$1/bin/cat"
}
image() { # NAME: from img/NAME
    tar -C "img/$1" --owner=0 --group=0 -cf "img/$1.tar" .
    winch image import "img/$1.tar" "etc:$1" --change 'CMD ["/bin/probe","hold"]' >/dev/null 2>&1
}
mkdir img
for kind in absolute dangling systemd proc dots dir fifo; do
    base_root img/$kind
    mkdir img/$kind/etc
    for file in hosts resolv.conf hostname; do
        case $kind in
        absolute) ln -s "$CANARY/new.$file" img/$kind/etc/$file ;;
        dangling) ln -s "/no/where/$file" img/$kind/etc/$file ;;
        systemd) ln -s ../run/systemd/resolve/stub-$file img/$kind/etc/$file.1 && ln -s $file.1 img/$kind/etc/$file ;;
        proc) ln -s /proc/self/status img/$kind/etc/$file ;;
        dots) ln -s "../../../../../..$CANARY/new.$file" img/$kind/etc/$file ;;
        dir) mkdir img/$kind/etc/$file ;;
        fifo) mkfifo img/$kind/etc/$file ;;
        esac
    done
    image $kind
done
for kind in etc-absolute etc-proc; do
    base_root img/$kind
    case $kind in
    etc-absolute) ln -s "$CANARY" img/$kind/etc ;;
    etc-proc) ln -s /proc/1/cwd img/$kind/etc ;;
    esac
    image $kind
done
leak_before
# seen failing: a link that leads to nothing, as Debian's into /run/systemd, was refused
works=" absolute dangling systemd dots fifo "
for kind in absolute dangling systemd dots fifo proc dir etc-absolute etc-proc; do
    printf 'services: {a: {image: "etc:%s", hostname: own}}\n' $kind >compose.yaml
    t_run timeout 20 winch up -d
    if [[ $works = *" $kind "* ]]; then
        t_is "MNT-06 $kind: the container has our files" \
            "$(winch exec -T a /bin/cat /etc/hostname 2>&1; winch exec -T a /bin/cat /etc/resolv.conf 2>&1 | grep -c nameserver; winch exec -T a /bin/cat /etc/hosts 2>&1 | grep -c own)" $'own\n1\n1'
    else
        t_like "MNT-06 $kind: refused, with the file named" "$T_OUT" '^error: .*/?etc'
    fi
    winch down -t 0 >/dev/null 2>&1
done
t_canary "MNT-06 nothing outside was touched"

# MNT-07
echo "very-secret-$$" >secret.txt
mkdir ids
cat >compose.yaml <<'YAML'
services:
  a:
    image: busybox
    command: ["probe", "hold"]
    secrets: [plain, {source: plain, target: /run/secrets/mine, uid: "1000", gid: "1001", mode: 0400}, env]
    configs: [{source: conf, target: /etc/conf}]
  other: {image: busybox, command: ["probe", "hold"]}
secrets:
  plain: {file: ./secret.txt}
  env: {environment: SECRET_IN_ENV}
configs:
  conf: {content: "text of a config"}
YAML
export SECRET_IN_ENV="env-secret-$$"
t_ok "MNT-07 up with secrets" winch up -d
in_a() { winch exec -T a "$@" 2>&1; }
t_is "MNT-07 the default: root, 0444" "$(in_a stat -c '%u:%g %a' /run/secrets/plain)" "0:0 444"
t_is "MNT-07 owner and mode as asked" "$(in_a stat -c '%u:%g %a' /run/secrets/mine)" "1000:1001 400"
t_is "MNT-07 their values" "$(in_a cat /run/secrets/plain /run/secrets/mine /run/secrets/env)" "very-secret-$$
very-secret-$$
env-secret-$$"
t_is "MNT-07 in memory" "$(in_a stat -f -c %T /run/secrets/plain)" tmpfs
t_exit "MNT-07 root of the container cannot write it" 1 winch exec -T a sh -c 'echo x >/run/secrets/plain'
t_exit "MNT-07 nor remove it" 1 winch exec -T a rm -f /run/secrets/plain
t_is "MNT-07 a config is a file" "$(in_a cat /etc/conf)" "text of a config"
t_exit "MNT-07 another service does not see them" 1 winch exec -T other ls /run/secrets/plain
t_is "MNT-07 the value is in no event, no log, no environment of ours" "$(
    {
        w_events mounts
        winch logs 2>&1
        winch ps -a --format json
        winch config --hash '*' 2>&1
        for pid in $(w_resident supervisor) $(w_resident netd) $(w_resident monitor); do tr '\0' '\n' <"/proc/$pid/environ"; tr '\0' '\n' <"/proc/$pid/cmdline"; done
    } | grep -c -e "very-secret-$$"
)" 0
found() { grep -rlF -e "very-secret-$$" -e "env-secret-$$" "$WINCH_ROOT/lib" 2>/dev/null | sed "s|$WINCH_ROOT/||"; }
t_is "MNT-07 a secret of a file is in nothing that survives a boot" "$(grep -rlF -e "very-secret-$$" "$WINCH_ROOT/lib" 2>/dev/null)" ""
t_note "with either value on disk: $(found | xargs)"
t_is "MNT-07 no core of ours can hold it: not dumpable, or no core" "$(for pid in $(w_resident supervisor); do awk '/Max core file size/ { print $5 }' "/proc/$pid/limits"; done)" \
    "$(awk '/Max core file size/ { print $5 }' /proc/self/limits)"
t_ok "MNT-07 down" winch down -t 0
t_is "MNT-07 gone after down" "$(grep -rlF -e "very-secret-$$" -e "env-secret-$$" "$WINCH_ROOT" 2>/dev/null)" ""
t_no_leak "MNT-07 nothing is left"

# MNT-08
refused() { # NAME REGEX YAML
    printf '%s\n' "$3" >compose.yaml
    t_exit "MNT-08 $1: refused" 1 timeout 20 winch up -d
    t_like "MNT-08 $1: named" "$T_OUT" "$2"
    winch down -v -t 0 >/dev/null 2>&1
}
long=$(printf 'v%.0s' $(seq 256))
for name in '..' 'a/b' '-rf' "$long" $'a\\nb' '../../../etc' 'a b'; do
    refused "volume name '${name:0:20}'" '^error|error:' "services: {a: {image: busybox, command: [probe, hold], volumes: [\"v:/v\"]}}
volumes: {v: {name: \"$name\"}}"
done
refused "an external volume that is missing" 'gone' 'services: {a: {image: busybox, command: [probe, hold], volumes: ["v:/v"]}}
volumes: {v: {external: true, name: gone}}'
refused "an unknown driver" 'driver' 'services: {a: {image: busybox, command: [probe, hold], volumes: ["v:/v"]}}
volumes: {v: {driver: sshfs}}'
refused "a bind volume whose folder is missing" 'no/such/dir' 'services: {a: {image: busybox, command: [probe, hold], volumes: ["v:/v"]}}
volumes: {v: {driver_opts: {type: none, o: bind, device: /no/such/dir}}}'
t_is "MNT-08 no folder was made for them" "$(find "$WINCH_ROOT/lib/volumes" -mindepth 1 -maxdepth 1 ! -name '.*' ! -name '*.lock' 2>/dev/null)" ""
t_canary "MNT-08 nothing outside was touched"

# MNT-10: a sub-path that is a way out
subpath() { # SUBPATH
    cat >compose.yaml <<YAML
services:
  fill: {image: busybox, command: [sh, -c, "cd /v; mkdir -p good; echo inside >good/file; ln -sfn /etc abs; ln -sfn ../../../../../../etc dots; echo x >file; ln -sfn good link"], volumes: ["v:/v"]}
  a:
    image: busybox
    command: [probe, hold]
    depends_on: {fill: {condition: service_completed_successfully}}
    volumes: [{type: volume, source: v, target: /s, volume: {subpath: "$1"}}]
volumes: {v: {}}
YAML
    t_run timeout 30 winch up -d
}
subpath good
t_is "MNT-10 a folder of the volume" "$(winch exec -T a cat /s/file 2>&1)" inside
for path in abs dots abs/passwd missing ../.. /etc good/../..; do
    winch down -t 0 >/dev/null 2>&1
    subpath $path
    if [ "$T_STATUS" = 0 ]; then
        t_unlike "MNT-10 $path: nothing of the host" "$(winch exec -T a sh -c 'ls /s; cat /s/passwd /s 2>/dev/null' 2>&1)" 'root:|shadow|hostname'
    else
        t_like "MNT-10 $path: refused, and named" "$T_OUT" 'subpath|sub-path'
    fi
done
winch down -v -t 0 >/dev/null 2>&1
t_canary "MNT-10 nothing outside was touched"

# MNT-12, MNT-13: a tree with another mount in it
mkdir -p tree/sub && mount -t tmpfs tmpfs tree/sub && echo host >tree/sub/file && chmod -R 777 tree
cat >compose.yaml <<'YAML'
services:
  ro: {image: busybox, command: [probe, hold], volumes: ["./tree:/t:ro"]}
  rw: {image: busybox, command: [probe, hold], volumes: ["./tree:/t"]}
YAML
t_ok "MNT-13 up" winch up -d
t_is "MNT-13 the mount inside is seen" "$(winch exec -T ro cat /t/sub/file)" host
for path in /t/new /t/sub/new; do
    t_exit "MNT-13 :ro, writing $path fails" 1 winch exec -T ro touch $path
    t_like "MNT-13 :ro, $path: read-only file system" "$T_OUT" 'Read-only file system'
done
t_ok "MNT-13 without :ro both can be written" winch exec -T rw touch /t/new /t/sub/new
mkdir tree/later && mount -t tmpfs tmpfs tree/later && touch tree/later/marker
t_exit "MNT-12 a mount made outside later is not seen inside" 1 winch exec -T rw test -e /t/later/marker
umount tree/later
t_ok "down" winch down -t 0
t_ok "MNT-12 the host's mount can be unmounted: nobody holds it" umount tree/sub

# MNT-14
cat >compose.yaml <<'YAML'
services:
  a: {image: busybox, command: [probe, hold], volumes: [{type: bind, source: ./missing, target: /m, bind: {create_host_path: false}}]}
YAML
t_exit "MNT-14 a missing source: refused" 1 winch up -d
t_like "MNT-14 named" "$T_OUT" '^compose.yaml:2:.*missing.*no such file'
t_true "MNT-14 and not made" test ! -e missing
winch down -t 0 >/dev/null 2>&1
t_no_leak "MNT-14 nothing is left"
t_done
