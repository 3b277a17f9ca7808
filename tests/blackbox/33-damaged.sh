#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 33-damaged.sh - each state file damaged in each way: no crash, the file is named, other projects go on, and when the file is
# good again everything is.  (doctor --repair does not exist yet; the remedy is what the message's hint says.)
# limit: 300
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
lab_registry
for project in one two; do
    mkdir $project
    cat >$project/compose.yaml <<'YAML'
services:
  a: {image: busybox, command: ["probe", "hold"], restart: always, volumes: ["data:/data"]}
volumes: {data: }
YAML
    (cd $project && winch up -d --wait) >up.log 2>&1 || t_abort "nothing to look at: $(tail -3 up.log)"
done
cd one || exit 1
first=$(w_pid a) second=$(winch -p two ps --format json | jq -r .Pid)
id=$(winch ps -q a)

runs_once() { # a second one would write to the same volume
    local pid found=0
    for pid in $(pgrep -fx 'probe hold'); do
        [ "$pid" = "$second" ] || found=$((found + 1))
    done
    [ "$found" -le 1 ]
}
supervisor_dies() { # the next command has to read everything again
    local pid
    pid=$(cat "$WINCH_ROOT/run/projects/one/supervisor.pid" 2>/dev/null)
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
}

damage() { # KIND FILE
    case $1 in
    empty) : >"$2" ;;
    half) truncate -s $(($(stat -c %s "$2") / 2)) "$2" ;;
    bit-flip) python3 -c 'import sys
data = bytearray(open(sys.argv[1], "rb").read()); data[len(data) // 2] ^= 8; open(sys.argv[1], "wb").write(data)' "$2" ;;
    nul-tail) head -c 100 /dev/zero >>"$2" ;;
    garbage) head -c 3000 /dev/urandom >"$2" ;;
    newer-part) sed -i -E 's/"version": ?[0-9]+/"version":99/' "$2" ;;
    newer-version) sed -i -E 's/"version": ?[0-9]+/"version":99/g; s/^version=.*/version=99/' "$2" ;;
    missing) rm -f "$2" ;;
    directory) rm -f "$2" && mkdir "$2" ;;
    symlink) rm -f "$2" && ln -s /etc/passwd "$2" ;;
    huge) truncate -s 2G "$2" ;;
    esac
}

crashed() { # STATUS: ended by a signal, or a sanitizer spoke
    { [ "$1" -ge 128 ] && [ "$1" != 130 ]; } || grep -qE 'AddressSanitizer|runtime error:|Assertion' <<<"$T_OUT"
}

passwd=$(sha256sum /etc/passwd)
each_damage() { # NAME FILE FLAGS (named: the damage must be told; shared: the other project depends on it, too)
    local kind name=$1 file=$2 bad='' unnamed='' foreign='' twice='' afterwards='' status
    if [ ! -f "$file" ]; then
        t_not "CRS-17 $name" "no such file: $file"
        return
    fi
    cp -p "$file" "$LAB/kept"
    for kind in empty half bit-flip nul-tail garbage newer-part newer-version missing directory symlink huge; do
        supervisor_dies
        damage $kind "$file"
        for command in "ps -a" "up -d" "ps -a"; do
            # shellcheck disable=SC2086
            t_run timeout 20 winch $command
            status=$T_STATUS
            ! crashed "$status" || bad+=" $kind:$command:$status"
            [ "$status" != 124 ] || bad+=" $kind:$command:hangs"
            said+=$T_OUT
        done
        if [[ $3 == *named* ]] && [[ $kind != @(missing|bit-flip|newer-part) ]] && ! grep -qF "$(basename "$file")" <<<"$said"; then
            unnamed+=" $kind"
        fi
        said=
        runs_once || twice+=" $kind"
        if [[ $3 != *shared* ]]; then
            (cd ../two && timeout 20 winch up -d >/dev/null 2>&1) || foreign+=" $kind"
        fi
        [ "$(cd ../two && w_pid a)" = "$second" ] || foreign+=" $kind:restarted"
        supervisor_dies
        rm -rf "$file"
        cp -p "$LAB/kept" "$file"
        timeout 20 winch up -d >"$LAB/again" 2>&1 || afterwards+=" $kind: $(tail -1 "$LAB/again")"
    done
    t_is "CRS-17 $name: no crash, no hang" "$bad" ""
    t_is "CRS-17 $name: the file is named" "$unnamed" ""
    t_is "CRS-17 $name: nothing runs twice" "$twice" ""
    t_is "CRS-17 $name: the other project goes on" "$foreign" ""
    t_is "CRS-17 $name: good again, all is well" "$afterwards" ""
    t_is "CRS-17 $name: /etc/passwd was not written through a link" "$(sha256sum /etc/passwd)" "$passwd"
}
said=
# seen failing: before unreadable records were refused, up started a second container beside the first
each_damage "container.json" "$WINCH_ROOT/lib/containers/$id/container.json" named
each_damage "project.json" "$WINCH_ROOT/lib/projects/one/project.json" named
generation=$(find "$WINCH_ROOT/lib/projects/one/generations/" -type f | sort -V | tail -1)
each_damage "the stored model" "$generation" ""
each_damage "images.json" "$WINCH_ROOT/lib/images.json" named,shared
each_damage "the network" "$(find "$WINCH_ROOT/lib/networks" -name 'one*.json' | head -1)" ""
each_damage "a volume's meta.json" "$WINCH_ROOT/lib/volumes/one_data/meta.json" named
id=$(winch ps -q a)
each_damage "status" "$WINCH_ROOT/run/containers/$id/status" ""
each_damage "supervise" "$WINCH_ROOT/run/containers/$id/supervise" ""
each_damage "the journal" "$WINCH_ROOT/lib/projects/one/events" ""
t_note "first process of one: $first before, $(w_pid a) after"
t_is "the other project's container was never touched" "$(winch -p two ps --format json | jq -r .Pid)" "$second"
t_ok "down one" winch down -v -t 1
t_ok "down two" winch -p two down -v -t 1
none_runs() { [ -z "$(w_resident supervisor)$(w_resident monitor)" ]; }
t_true "nothing of ours runs" wait_for 5 none_runs
t_done
