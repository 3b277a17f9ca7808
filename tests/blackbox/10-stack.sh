#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 10-stack.sh - nginx, uWSGI and the database come up from an empty root, in order, healthy, and answer.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
# shellcheck source=tests/lib/leakcheck.sh
. "$t_lib/leakcheck.sh"
lab_registry
cp -r "$t_top/examples/compose/nginx-uwsgi-mongo" stack && cd stack || exit 1
project=stack
leak_before

t_ok "up -d --wait from an empty root" winch up -d --wait || t_abort "nothing to look at"
t_like "all images came from the registry" "$(cat "$LAB/registry/registry.log"; ls "$WINCH_ROOT/lib/blobs/sha256")" '^[0-9a-f]{64}$'

# order, from the journal: each edge's condition was met before the dependent started
w_events $project >events
t_is "the journal's numbers have no gap" "$(jq -s '[.[].seq] | . == [range(.[0]; .[0] + length)]' events)" true
met() { # SERVICE ACTION: seq of the first event that fits
    jq -rs --arg s "$1" --arg a "$2" '[.[] | select(.service == $s and
        (.action == $a or ($a == "healthy" and (.action | startswith("health_status")) and (tojson | test("\"healthy\"|: ?healthy")))
         or ($a == "completed" and .action == "die" and .attributes.exitCode == "0")))][0].seq // 0' events
}
edge() { # SERVICE NEEDS CONDITION
    local first second
    first=$(met "$2" "$3") second=$(met "$1" start)
    t_true "$1 started ($second) after $2 was $3 ($first)" test "$first" -gt 0 -a "$first" -lt "$second"
}
edge db-init db healthy
edge app db healthy
edge app db-init completed
edge web app healthy

for service in web app db; do
    t_is "$service is healthy" "$(w_ps $service Health)" healthy
done
t_is "the job ended with 0" "$(w_ps db-init State) $(w_ps db-init ExitCode)" "exited 0"
t_ok "ten documents through the published port" ./test.sh http://127.0.0.1:8080 10
t_like "they were counted" "$T_OUT" '^10 documents stored and read back; 0 documents before, 10 now$'

# ps agrees with the kernel
winch ps >table
t_like "ps: a table" "$(head -1 table)" '^NAME +IMAGE +COMMAND +SERVICE +CREATED +STATUS +PORTS$'
t_is "ps shows what runs" "$(wc -l <table)" 4
t_like "ps: port and health" "$(cat table)" 'stack-web-1 .*Up .*\(healthy\).* 0\.0\.0\.0:8080->80/tcp'
winch ps -a --format json >json
t_is "ps -a --format json: one object a line" "$(jq -s length json)" 4
while read -r service pid; do
    t_like "$service: process $pid is what the kernel runs" "$(tr '\0' ' ' <"/proc/$pid/cmdline")" \
        "$(case $service in web) echo nginx ;; app) echo uwsgi ;; db) echo mongod ;; esac)"
    t_true "$service has a network of its own" test "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)"
    t_true "$service has a user namespace of its own" test "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/self/ns/user)"
done < <(jq -r 'select(.State == "running") | "\(.Service) \(.Pid)"' json)
t_is "the database runs as its own user in its volume" \
    "$(stat -c %u "$WINCH_ROOT/lib/volumes/stack_documents/_data/journal.bson")" 999
t_like "logs: what the application wrote" "$(winch logs app)" '^app-1 +\| stored doc-'
t_is "exec" "$(winch exec -T app python3 -c 'import os; print(os.getuid())' 2>&1)" 33
t_ok "a second up does nothing" winch up -d --wait
t_is "and nobody was restarted" "$(jq -r 'select(.State == "running") | .Pid' json | sort)" \
    "$(winch ps --format json | jq -r .Pid | sort)"

t_ok "down" winch down
t_is "ps -a is empty" "$(winch ps -aq)" ""
t_no_leak "LEK-01 down leaves nothing of ours"
t_true "but the volume" test -d "$WINCH_ROOT/lib/volumes/stack_documents/_data"
t_done
