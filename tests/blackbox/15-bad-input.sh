#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 15-bad-input.sh - each mistake ends with one clear error with its place, exit 1, and nothing left behind.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
# shellcheck source=tests/lib/leakcheck.sh
. "$t_lib/leakcheck.sh"
lab_registry
mkdir bad && cd bad || exit 1
leak_before

bad() { # NAME REGEX: compose.yaml from standard input fails with a message that fits
    cat >compose.yaml
    t_exit "$1: exit 1" 1 winch up -d
    t_like "$1: the message" "$(tr '\n' ' ' <<<"$T_OUT")" "$2"
    t_is "$1: one error" "$(grep -cE '^([^ ]*:[0-9]+:[0-9]+: )?error: ' <<<"$T_OUT")" 1 || t_note "$T_OUT"
    t_is "$1: nothing runs" "$(winch ps -q 2>/dev/null)" ""
    if [ -n "$(ls "$WINCH_ROOT/lib/projects/bad" 2>/dev/null)" ]; then # what was created goes with down, as ever
        winch -p bad down >/dev/null 2>&1
    fi
    t_no_leak "$1: nothing is left"
}

bad "wrong type" 'compose.yaml:4:12: .*ports' <<'YAML'
services:
  web:
    image: busybox
    ports: {"80": x y}
YAML
bad "unknown key" "compose.yaml:4:5: .*commandd.*command" <<'YAML'
services:
  web:
    image: busybox
    commandd: ["true"]
YAML
bad "not YAML" "compose.yaml:3:.*" <<'YAML'
services:
  web: {image: busybox
  other: [
YAML
bad "undefined network" "compose.yaml:[0-9]+:[0-9]+: .*backend" <<'YAML'
services:
  web:
    image: busybox
    networks: [backend]
YAML
bad "undefined volume" "compose.yaml:[0-9]+:[0-9]+: .*data" <<'YAML'
services:
  web:
    image: busybox
    volumes: ["data:/data"]
YAML
bad "undefined dependency" "compose.yaml:[0-9]+:[0-9]+: .*nobody" <<'YAML'
services:
  web:
    image: busybox
    depends_on: [nobody]
YAML
bad "dependency cycle" "compose.yaml:[0-9]+:[0-9]+: .*cycle.*a.*b|cycle.*b.*a" <<'YAML'
services:
  a: {image: busybox, depends_on: [b]}
  b: {image: busybox, depends_on: [a]}
YAML
bad "not a port" "compose.yaml:4:[0-9]+: .*eighty" <<'YAML'
services:
  web:
    image: busybox
    ports: ["eighty:80"]
YAML
bad "missing image" "no-such-image" <<'YAML'
services:
  web: {image: no-such-image}
YAML
bad "missing config file" "compose.yaml:4:13: .*nowhere.conf" <<'YAML'
services:
  web: {image: busybox, command: ["probe", "hold"], configs: [c]}
configs:
  c: {file: ./nowhere.conf}
YAML
bad "missing secret file" "compose.yaml:4:13: .*nowhere.key" <<'YAML'
services:
  web: {image: busybox, command: ["probe", "hold"], secrets: [s]}
secrets:
  s: {file: ./nowhere.key}
YAML
bad "missing bind source" "compose.yaml:5:30: .*nowhere" <<'YAML'
services:
  web:
    image: busybox
    volumes:
      - {type: bind, source: ./nowhere, target: /x, bind: {create_host_path: false}}
YAML
cat >compose.yaml <<'YAML'
services:
  web: {image: busybox, secrets: [s]}
  other: {image: busybox}
secrets:
  s: {file: ./nowhere.key}
YAML
t_ok "a file that only another service needs may be missing" winch up --dry-run other

winch pull busybox >/dev/null 2>&1
probe listen tcp 8080 taken >/dev/null &
holder=$!
wait_for 5 eval 'ss -ltnH | grep -q :8080'
leak_before
bad "port already taken" "8080" <<'YAML'
services:
  web: {image: busybox, command: ["probe", "hold"], ports: ["8080:80"]}
YAML
kill $holder
wait $holder 2>/dev/null
registry_stop

# images that lie
cat >recipe.json <<'JSON'
{"images": [
  {"name": "library/dotdot:latest", "config": {"Cmd": ["/x"]}, "layers": [
    {"entries": [{"name": "x", "data": "x"}, {"name": "../../escape", "data": "out"}]}]},
  {"name": "library/hard:latest", "config": {"Cmd": ["/x"]}, "layers": [
    {"entries": [{"name": "x", "data": "x"}, {"name": "l", "type": "hardlink", "link": "../../../../../../../etc/passwd"}]}]},
  {"name": "library/digest:latest", "config": {"Cmd": ["/x"]}, "layers": [
    {"entries": [{"name": "x", "data": "some content"}], "flip": 30}]},
  {"name": "library/diffid:latest", "config": {"Cmd": ["/x"]}, "layers": [
    {"entries": [{"name": "x", "data": "other content"}],
     "diff_id": "sha256:1111111111111111111111111111111111111111111111111111111111111111"}]}
]}
JSON
"$t_lib/imagekit.py" make recipe.json --layout layout
lab_kit layout
lab_mirror "$KIT"
cp -a /etc/passwd "$LAB/passwd.before"
links=$(stat -c %h /etc/passwd)
leak_before
while read -r image words; do
    bad "IMG $image" "$words" <<YAML
services:
  web: {image: $image}
YAML
    t_is "IMG $image: no image of that name" "$(winch image ls | grep -c "$image")" 0
done <<'LIST'
dotdot \.\./\.\./escape
hard hard link.*outside
digest and the digest sha256:
diffid digest|diff
LIST
t_is "the host's file is untouched" "$(diff /etc/passwd "$LAB/passwd.before") $(stat -c %h /etc/passwd)" " $links"
t_is "nothing escaped" "$(find "$LAB" -name 'escape*' | wc -l)" 0
t_is "no half-done layer" "$(find "$WINCH_ROOT/lib/layers" -mindepth 1 -maxdepth 1 -name '*tmp*' 2>/dev/null | wc -l)" 0
t_done
