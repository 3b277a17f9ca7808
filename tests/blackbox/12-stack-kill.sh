#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 12-stack-kill.sh - kill -9 of each service's first process: restarted by policy, same address, nginx needs no reload.
# limit: 240
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
lab_registry
cp -r "$t_top/examples/compose/nginx-uwsgi-mongo" stack && cd stack || exit 1
t_ok "up" winch up -d --wait || t_abort "nothing to look at"
t_ok "a document" ./test.sh http://127.0.0.1:8080 1

answers() { curl -fsS --max-time 5 http://127.0.0.1:8080/documents; }
declare -A kills=([web]=0 [app]=0 [db]=0)
for round in 1 2 3 4 5 6 7 8 9 10; do
    for service in web app db; do
        [ $((round % 3)) = "$(case $service in web) echo 1 ;; app) echo 2 ;; db) echo 0 ;; esac)" ] || continue
        pid=$(w_pid $service) address=$(w_ip $service) web=$(w_pid web)
        kill -9 "$pid"
        kills[$service]=$((kills[$service] + 1))
        t_true "round $round: $service is back and healthy" wait_for 30 w_is_back $service "$pid"
        t_is "round $round: at the same address" "$(w_ip $service)" "$address"
        [ $service = web ] || t_is "round $round: nginx was left alone" "$(w_pid web)" "$web"
        t_true "round $round: the stack answers" wait_for 10 answers
    done
done
for service in web app db; do
    t_is "$service: restarts are counted" "$(w_ps $service RestartCount)" "${kills[$service]}"
done
t_like "ps shows it" "$(winch ps)" 'stack-db-1 .*restarted [0-9]+ time'
t_ok "nothing was lost" ./test.sh http://127.0.0.1:8080 1
t_like "both documents" "$T_OUT" '1 documents before, 2 now'
t_ok "down" winch down
t_done
