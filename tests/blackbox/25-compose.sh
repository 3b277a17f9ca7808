#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 25-compose.sh - compose files that are wrong or wicked: bombs, unknown keys, cycles.
# limit: 60
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
shopt -s lastpipe # checks at the end of a pipe are counted

check() { # SECONDS KB: winch reads the file within limits, and would go on
    # AddressSanitizer reserves terabytes of address space
    (case $t_build in */asan) ;; *) ulimit -v "$2" ;; esac; timeout "$1" winch --dry-run up -d)
}
refused() { # NAME REGEX
    cat >compose.yaml
    t_exit "$1 is refused" 1 check 1 400000
    t_like "$1: position and reason" "$(tr '\n' ' ' <<<"$T_OUT")" "compose.yaml:[0-9]+(:[0-9]+)?: .*($2)"
}
# CMP-01
{
    echo 'a: &a ["x","x","x","x","x","x","x","x","x"]'
    last=a
    for level in b c d e f g h i; do
        echo "$level: &$level [*$last,*$last,*$last,*$last,*$last,*$last,*$last,*$last,*$last]"
        last=$level
    done
    echo 'services: {web: {image: x, command: *i}}'
} | sed 's/^\([a-i]\):/x-\1:/' | refused "CMP-01 nine levels of nine aliases" '.'
{
    echo 'x-env: &env {A: "1", B: "2"}'
    echo 'services:'
    for n in $(seq 1 500); do
        echo "  s$n: {image: x, environment: *env}"
    done
} >compose.yaml
t_ok "CMP-01 500 honest aliases pass" timeout 5 winch config -q

# CMP-12
refused "CMP-12 priviledged" 'privileged' <<'YAML'
services: {web: {image: x, priviledged: true}}
YAML
refused "CMP-12 cap_dorp" 'cap_drop' <<'YAML'
services: {web: {image: x, cap_dorp: [ALL]}}
YAML
refused "CMP-12 readonly" 'read_only' <<'YAML'
services: {web: {image: x, readonly: true}}
YAML
refused "CMP-12 an unknown capability" 'NET_RAWW' <<'YAML'
services: {web: {image: x, cap_add: [NET_RAWW]}}
YAML
refused "CMP-12 an unknown security option" 'secure' <<'YAML'
services: {web: {image: x, security_opt: ["be:secure"]}}
YAML
refused "CMP-12 restart: sometimes" 'sometimes' <<'YAML'
services: {web: {image: x, restart: sometimes}}
YAML
refused "CMP-12 two mistakes at once: the first" 'imagee' <<'YAML'
services:
  web: {imagee: x}
  db: {image: x, portss: []}
YAML
t_like "CMP-12 two mistakes at once: the second" "$T_OUT" 'compose.yaml:3:.*portss'
printf 'x-anything: {goes: here}\nservices: {web: {image: x, x-mine: 1}}\n' >compose.yaml
t_ok "CMP-12 x- keys are free" winch config -q

# CMP-17
refused "CMP-17 a service that needs itself" 'web' <<'YAML'
services: {web: {image: x, depends_on: [web]}}
YAML
refused "CMP-17 a missing dependency" 'nobody' <<'YAML'
services: {web: {image: x, depends_on: [nobody]}}
YAML
for n in 1 2 3 4 5 6; do echo "  s$n: {image: x, depends_on: [s$((n % 6 + 1))]}"; done |
    sed '1i services:' | refused "CMP-17 a long cycle" 's1.*s2.*s3.*s4.*s5.*s6|s6.*s5.*s4.*s3.*s2.*s1|s[1-6].*s[1-6].*s[1-6].*s[1-6].*s[1-6].*s[1-6]'
refused "CMP-17 a cycle by links" 'a.*b|b.*a' <<'YAML'
services: {a: {image: x, links: [b]}, b: {image: x, depends_on: [a]}}
YAML
refused "CMP-17 a cycle by network_mode" 'a.*b|b.*a' <<'YAML'
services: {a: {image: x, network_mode: "service:b"}, b: {image: x, depends_on: [a]}}
YAML
t_done
