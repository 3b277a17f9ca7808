#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 24-network-kill.sh - netd dies fifty times: traffic goes on, names are back within a second; addresses are never lost.
# limit: 600
# long: fifty kills and hundreds of starts (KILLS and ROUNDS make it shorter)
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir netkill && cd netkill || exit 1
cat >compose.yaml <<'YAML'
services:
  web: {image: busybox, command: ["probe", "http", "80"], ports: ["8080:80"]}
  client: {image: busybox, command: ["probe", "hold"]}
YAML
leak_before
t_ok "up" winch up -d || t_abort "nothing to look at"
before="$(w_pid web) $(w_pid client)" address=$(w_ip web)
lost=0 slow=0
for kill in $(seq 1 "${KILLS:-50}"); do
    w_kill netd
    curl -fs -o /dev/null --max-time 2 http://127.0.0.1:8080/ || lost=$((lost + 1))
    if ! wait_for 1 winch exec -T client probe resolve web; then
        slow=$((slow + 1))
        t_note "kill $kill: no name within a second: $(winch exec -T client probe resolve web 2>&1 | tail -1)"
    fi
done
t_is "NET-21 no request was lost" "$lost" 0
t_is "NET-21 names were back within a second each time" "$slow" 0
t_is "NET-21 no container was restarted, no address changed" "$(w_pid web) $(w_pid client) $(w_ip web)" "$before $address"
t_ok "down" winch down -t 0
t_no_leak "LEK-01 nothing is left"

cat >compose.yaml <<'YAML'
services:
  a: {image: busybox, command: ["probe", "hold"], networks: [small]}
  b: {image: busybox, command: ["probe", "hold"], networks: [small]}
networks:
  small: {ipam: {config: [{subnet: 10.77.0.0/29}]}}
YAML
t_ok "up in a /29" winch up -d
double=0 failed=0
for round in $(seq 1 "${ROUNDS:-100}"); do
    who=nobody
    case $((RANDOM % 3)) in
    0) who=netd ;;
    1) who=supervisor ;;
    esac
    w_kill $who
    if ! winch up -d --force-recreate -t 0 >up.out 2>&1; then
        failed=$((failed + 1))
        t_note "round $round, $who killed: $(tail -3 up.out)"
    fi
    [ "$(w_ip a)" != "$(w_ip b)" ] || double=$((double + 1))
done
t_is "NET-27 each start got an address" "$failed" 0
t_is "NET-27 never two containers with one" "$double" 0
t_ok "down" winch down -t 0
t_no_leak "LEK-01 nothing is left"
t_done
