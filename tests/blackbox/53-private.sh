#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 53-private.sh - environment: exact bytes from file to container, nothing of the caller's, nothing in what we write; names.
# limit: 120
# shellcheck disable=SC2016  # dollars are for files
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
shopt -s lastpipe # checks at the end of a pipe are counted
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
lab_registry

# --- CMP-06: the container has the bytes of the file
mkdir bytes && cd bytes || exit 1
printf '\xef\xbb\xbfexport A=1\r\nB="two words # kept"\nC='"'"'$A "as is" \\n'"'"'\nD="x${A}y"\nE=\nF=plain # gone\nG="line\nbreak\\ttab"\nH=\xc3\xbc\x01\nA2: colon\nI=first\nI=last\nJ=$NONE_SUCH.\nK=no newline' >e.env
printf 'RAW="kept" # kept\nRAW2=${A}\n' >raw.env
cat >compose.yaml <<'YAML'
services:
  a:
    image: busybox
    command: ["probe", "hold"]
    env_file: [e.env, {path: raw.env, format: raw}]
YAML
t_ok "CMP-06 up" winch up -d || t_abort "nothing to look at"
tr '\0' '\n' <"/proc/$(w_pid a)/environ" | LC_ALL=C sort >got
printf 'A=1\nB=two words # kept\nC=$A "as is" \\n\nD=x1y\nE=\nF=plain\nG=line\nbreak\ttab\nH=\xc3\xbc\x01\nA2=colon\nI=last\nJ=.\nK=no newline\nRAW="kept" # kept\nRAW2=${A}\n' |
    LC_ALL=C sort >wanted
t_is "CMP-06 each byte arrives" "$(LC_ALL=C grep -vaE '^(PATH|HOSTNAME|HOME)=' got | od -c)" "$(od -c wanted)"
winch down -t 1 >/dev/null 2>&1
cd ..

printf 'A=1\nH=\xff\xfe\n' >latin.env
printf 'services: {a: {image: x, env_file: latin.env}}\nsecrets: {s: {environment: BAD}}\n' >compose.yaml
t_exit "CMP-06 a value that is not UTF-8 is refused" 1 winch config
t_like "CMP-06 not UTF-8: the line" "$T_OUT" "latin.env:2:1: error: the value of H is not UTF-8"
printf 'services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {environment: BAD}}\n' >compose.yaml
BAD=$(printf 'x\xff') t_exit "CMP-06 nor one from the caller" 1 winch config
t_like "CMP-06 nor one from the caller: the place" "$T_OUT" "^compose.yaml:2:11: error: the value of BAD is not UTF-8"

# --- CMP-08: of the caller's environment nothing
mkdir caller && cd caller || exit 1
cat >compose.yaml <<'YAML'
services:
  a:
    image: busybox
    command: [sh, -c, 'env >/tmp/env; exec sleep 1000']
    init: true
    environment: {NAMED: "1", LEAK_7: }
    healthcheck: {test: [CMD-SHELL, 'env >/tmp/health; cat /proc/1/environ >/tmp/init'], interval: 1s, start_interval: 200ms, start_period: 5s}
    post_start: [{command: [sh, -c, 'env >/tmp/hook']}]
YAML
for i in $(seq 200); do export "LEAK_$i=canary-$i"; done
export LD_PRELOAD_X=canary-200 BASH_ENV_X=canary-201
t_ok "CMP-08 up with 200 variables around" winch up -d --wait
winch exec -T a env >exec.env
for i in $(seq 200); do unset "LEAK_$i"; done
unset LD_PRELOAD_X BASH_ENV_X
for what in env health init hook; do
    winch exec -T a cat "/tmp/$what" | tr '\0' '\n' >"$what.env"
done
for what in env health init hook exec; do
    t_is "CMP-08 $what: what the file names, and no other" "$(grep -a canary "$what.env")" "LEAK_7=canary-7"
    t_like "CMP-08 $what: is the container's environment" "$(cat "$what.env")" '^NAMED=1$'
done
winch down -t 1 >/dev/null 2>&1
cd ..

# --- CMP-09: values are not told
mkdir -p secrets && cd secrets || exit 1
secret=s3cr3t-canary-value
printf '%s' "$secret-file" >token
cat >compose.yaml <<YAML
services:
  a:
    image: busybox
    command: ["probe", "hold"]
    environment: {PASSWORD: "$secret-env", DB_URL: "postgres://u:$secret-url@127.0.0.1:9/x"}
    secrets: [token]
    healthcheck: {test: ["CMD", "true"], interval: 1s}
  wrong:
    image: busybox
    command: ["/nowhere"]
    environment: {PASSWORD: "$secret-env"}
secrets: {token: {file: ./token}}
YAML
winch --verbose up -d >up.out 2>&1
winch --verbose --dry-run up >plan.out 2>&1
winch ps -a >ps.out 2>&1
winch ps -a --format json >ps.json 2>&1
winch logs >logs.out 2>&1
timeout 3 winch events --since 1h >events.out 2>&1
winch restart -t 1 a >restart.out 2>&1
winch lint >lint.out 2>&1
winch --verbose down -t 1 >down.out 2>&1
PASSWORD=$secret-caller winch -f /dev/null config >error.out 2>&1
printf 'services: {a: {image: "x${OPEN", environment: {P: "%s"}}}\n' "$secret-x" >wrong.yaml
winch --progress tty -f wrong.yaml config >wrong.out 2>&1
printf 'P=%s\nQ="%s\n' "$secret-y" "$secret-z" >wrong.env
printf 'services: {a: {image: x, env_file: wrong.env}}\n' >wrong2.yaml
winch --progress tty -f wrong2.yaml config >wrong2.out 2>&1
for file in up.out plan.out ps.out ps.json logs.out events.out restart.out lint.out down.out error.out wrong2.out; do
    t_is "CMP-09 $file has no value" "$(grep -ac "$secret" $file)" 0
done
t_like "CMP-09 config prints it, as asked" "$(winch config)" "$secret-env"
t_is "CMP-09 config does not print what a secret holds" "$(winch config | grep -c "$secret-file")" 0
winch up -d >/dev/null 2>&1
t_is "CMP-09 files of the state with values are for root only" \
    "$(grep -rlaE "$secret" "$WINCH_ROOT" 2>/dev/null | while read -r file; do
        [ "$(stat -c %A "$file" | cut -c5-10)" = ------ ] || [ "$(stat -c %A "$(dirname "$file")" | cut -c5-10)" = ------ ] || echo "$file"
    done)" ""
t_true "CMP-09 there are such files" grep -rqa "$secret" "$WINCH_ROOT"
winch down -t 1 >/dev/null 2>&1
cd ..

# --- CMP-14: names
name_of() { # DIRECTORY: the project's name
    mkdir -p -- "./$1" && (cd -- "./$1" && printf 'services: {a: {image: x}}\n' >compose.yaml && winch config --format json 2>&1 | jq -r .name 2>&1)
}
t_is "CMP-14 capitals and blanks" "$(name_of 'My App')" myapp
t_is "CMP-14 dots" "$(name_of '..a.b')" ab
t_is "CMP-14 a leading dash" "$(name_of '-x-y')" x-y
t_is "CMP-14 other letters are left out" "$(name_of 'grüße_1')" gre_1
long=$(printf 'n%.0s' $(seq 255))
t_is "CMP-14 255 bytes" "$(name_of "$long")" "$long"
mkdir -p 日本 && cd 日本 || exit 1
printf 'services: {a: {image: x}}\n' >compose.yaml
t_exit "CMP-14 nothing is left of a name" 1 winch config
t_like "CMP-14 nothing is left: reason" "$T_OUT" 'project name must not be empty'
cd ..
for name in .. ../x a/b -x 'a b' 'A' $'a\nb'; do
    t_exit "CMP-14 -p '$name' is refused" 1 winch -p "$name" -f bytes/compose.yaml config
    t_like "CMP-14 -p '$name': reason" "$T_OUT" 'invalid project name'
done
for name in '../x' 'a/b' 'a b' 'ü' "$(printf '\033')"; do
    NAME=$name python3 -c 'import json, os; print(json.dumps({"services": {os.environ["NAME"]: {"image": "x"}}}))' >compose.yaml
    t_exit "CMP-14 a service '$(printf %q "$name")' is refused" 1 winch config
    t_like "CMP-14 a service: reason" "$T_OUT" '^compose.yaml:1:[0-9]+: error: services: additional properties'
done
for name in '../x' '-x' 'a b' '.x' '/x'; do
    NAME=$name python3 -c 'import json, os; print(json.dumps({"services": {"a": {"image": "x", "container_name": os.environ["NAME"]}}}))' >compose.yaml
    t_exit "CMP-14 container_name '$name' is refused" 1 winch --dry-run up
    t_like "CMP-14 container_name: reason" "$T_OUT" '^compose.yaml:1:[0-9]+: error: services.a.container_name: .* is no (container )?name'
done
mkdir names && cd names || exit 1
long=$(printf 's%.0s' $(seq 50))
cat >compose.yaml <<YAML
name: $long-123456789012
services:
  $long-a: {image: busybox, command: ["probe", "hold"], networks: [$long-1, $long-2]}
  $long-b.x_Y: {image: busybox, command: ["probe", "hold"], networks: [$long-1]}
networks: {$long-1: , $long-2: }
YAML
if t_ok "CMP-14 names of 52 and 63 bytes" winch up -d; then
    t_is "CMP-14 both run" "$(winch ps -q | wc -l)" 2
    t_is "CMP-14 bridges are apart" "$(ip -o link show type bridge | awk '{ print $2 }' | sort -u | wc -l)" 2
    t_is "CMP-14 and have names of a kernel's length" "$(ip -o link show type bridge | awk '{ sub(":", "", $2); if (length($2) > 15) print $2 }')" ""
    t_ok "CMP-14 neighbours are found by these names" winch exec -T "$long-a" nslookup "$long-b.x_Y"
fi
t_ok "CMP-14 down" winch down -t 1
cat >compose.yaml <<YAML
name: $long-$long
services: {$long$long: {image: x}}
networks: {default: {name: ../x}}
YAML
t_exit "CMP-14 names that are too long are refused" 1 winch --dry-run up
t_like "CMP-14 a project" "$T_OUT" '^compose.yaml:1:7: error: the project.s name has more than 63 bytes'
t_like "CMP-14 a service" "$T_OUT" '^compose.yaml:2:12: error: .*more than 128 bytes'
t_like "CMP-14 a network outside" "$T_OUT" "^compose.yaml:3:12: error: networks.default: '../x' is no name"
t_is "CMP-14 nothing is left" "$(winch ps -aq) $(ip -o link show type bridge)" " "
t_done
