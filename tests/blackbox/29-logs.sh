#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 29-logs.sh - readers never stop a container; no line is lost or doubled while managers die; restarts leak nothing.
# limit: 240
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir logs && cd logs || exit 1
cat >compose.yaml <<'YAML'
services:
  steady: {image: busybox, network_mode: none, command: ["probe", "lines", "0", "1000"]}
YAML
leak_before
t_ok "up" winch up -d || t_abort "nothing to look at"
last() { winch logs --no-color --no-log-prefix --tail 2 steady | awk '/^out/ { n = $2 + 0 } END { print n + 0 }'; }
winch logs -f steady | (kill -STOP "$BASHPID"; cat >/dev/null) &
readers=($!)
winch logs -f steady | head -1 >/dev/null &
readers+=($!)
for _ in $(seq 1 20); do
    winch logs -f steady >/dev/null 2>&1 &
    readers+=($!)
done
sleep 0.5
first=$(last)
sleep 2
second=$(last)
t_true "LOG-01 stopped, failing and many readers: the writer keeps its rate ($((second - first)) lines in 2 s)" \
    test $((second - first)) -gt 600
kill -9 "${readers[@]}" 2>/dev/null
t_ok "down" winch down -t 0
t_no_leak "LEK-01 nothing is left" --allow 'process: .*(cat|bash)' --allow 'namespace: '

cat >compose.yaml <<'YAML'
services:
  many:
    image: busybox
    network_mode: none
    command: ["probe", "lines", "200000"]
    logging: {options: {max-size: 100m}}
YAML
t_ok "up with 200,000 lines a stream" winch up -d
for _ in 1 2 3 4 5; do
    w_kill supervisor
    winch ps >/dev/null
    w_kill monitor
    winch up -d --no-recreate >/dev/null 2>&1
    sleep 0.2
done
t_true "the writer ends" wait_for 60 w_state_is many exited
winch logs --no-color --no-log-prefix many >log
for stream in out err; do
    t_is "LOG-02 $stream: every number once, in order" \
        "$(grep "^$stream " log | awk '{ n++; if ($2 + 0 != n) { print "line " n " is " $2; exit } } END { if (n != 200000) print n " lines" }')" ""
done
t_ok "down" winch down -t 0

# LEK-01, a short form: what is resident does not grow with restarts
cat >compose.yaml <<'YAML'
services:
  a: {image: busybox, command: ["probe", "hold"], ports: ["8080:80"]}
YAML
t_ok "up" winch up -d
restarts() { for _ in $(seq 1 "$1"); do winch restart -t 0 a >/dev/null 2>&1; done; }
restarts 10
leak_residents | awk '{ print $1, $3 }' | sort >before
rss_before=$(leak_residents | awk '{ s += $4 } END { print s }')
"$t_lib/leakcheck.py" snapshot "$LAB/restarts.json"
restarts 60
leak_residents | awk '{ print $1, $3 }' | sort >after
t_ok "LEK-01 sixty restarts: as many descriptors" diff before after
rss_after=$(leak_residents | awk '{ s += $4 } END { print s }')
t_true "LEK-01 sixty restarts: RSS $rss_before kB, then $rss_after kB" test "$rss_after" -lt $((rss_before * 11 / 10 + 512))
t_ok "LEK-01 sixty restarts: nothing else grew" "$t_lib/leakcheck.py" diff "$LAB/restarts.json" --wait 3 \
    --allow '^process: .*(probe hold|winch-monitor)' --allow '^namespace: ' --allow '^fds: ' --allow '^mount: ' --allow '^file: '
t_is "LEK-01 as many mounts" "$(wc -l </proc/self/mountinfo)" "$(python3 -c 'import json, sys
print(len(json.load(open(sys.argv[1]))["mount"]))' "$LAB/restarts.json")"
t_ok "down" winch down -t 0
t_no_leak "LEK-01 nothing is left"
t_done
