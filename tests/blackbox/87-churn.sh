#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 87-churn.sh - up and down again and again, starts that fail in every way, mounts that others hold: nothing stays behind.
# limit: 150
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
rounds=${ROUNDS:-12} fails=${FAILS:-24}
winch pull -q busybox >/dev/null 2>&1
mkdir churn && cd churn || exit 1

# LEK-02
cat >compose.yaml <<'YAML'
x-b: &b {image: busybox, command: ["probe", "hold"]}
services:
  a: {<<: *b, ports: ["8080:80"], volumes: ["data:/data", "/anonymous"]}
  b: {<<: *b, depends_on: [a], secrets: [s], tmpfs: [/t]}
  c: {<<: *b, init: true, healthcheck: {test: ["CMD", "true"], interval: 1s}}
  d: {<<: *b, networks: [other, default]}
  e: {<<: *b, network_mode: "service:a"}
networks: {other: {}}
volumes: {data: {}}
secrets: {s: {environment: HOME}}
YAML
winch up -d >/dev/null 2>&1 && winch down -v -t 0 >/dev/null 2>&1 # what is made once stays
leak_before
: >round.ms
errors=0
for _ in $(seq "$rounds"); do
    begin=$(now_ms)
    winch up -d >out 2>&1 || errors=$((errors + 1))
    winch down -v -t 0 >out 2>&1 || errors=$((errors + 1))
    echo $(($(now_ms) - begin)) >>round.ms
    # seen failing: with LEAK=1
    [ -z "${LEAK-}" ] || mkdir "$WINCH_ROOT/run/leak.$RANDOM$RANDOM"
done
t_is "LEK-02 $rounds up and down of five services: all succeed" "$errors" 0
t_no_leak "LEK-02 nothing is left"
half() { awk -v from="$1" -v to="$2" 'NR >= from && NR <= to' round.ms | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
first=$(half 1 $((rounds / 2))) last=$(half $((rounds / 2 + 1)) "$rounds")
t_true "LEK-02 the time of a round does not grow ($first ms, then $last ms)" test "$last" -lt $((first * 3 / 2 + 50))

# LEK-03: each way to fail, over and over, beside a project that keeps supervisor and netd alive
mkdir ../steady && cd ../steady || exit 1
printf 'services: {s: {image: busybox, command: [probe, hold], ports: ["8090:80"]}}\n' >compose.yaml
t_ok "a steady project" winch up -d
cd ../churn || exit 1
ways=('command: [/no/such]' 'command: [/etc/passwd]' 'command: [probe, hold], ports: ["8090:80"]' 'command: [probe, hold], working_dir: /etc/passwd/x'
    'command: [probe, hold], user: nobody-there' 'command: [probe, hold], volumes: [{type: bind, source: /no/such, target: /x, bind: {create_host_path: false}}]'
    'command: [probe, hold], devices: ["/dev/no-such:/dev/x"]' 'command: [probe, hold], sysctls: {net.no.such: "1"}' 'image: "no-such-image:1"')
one_way() { # N
    printf 'services: {a: {image: busybox, %s}}\n' "${ways[$1 % ${#ways[@]}]}" | sed 's/image: busybox, image/image/' >compose.yaml
    timeout 30 winch up -d >out 2>&1 && worked+="${ways[$1 % ${#ways[@]}]};"
    winch down -v -t 0 >out 2>&1
}
worked=''
for n in $(seq 0 $((${#ways[@]} - 1))); do one_way "$n"; done # warm-up: what is made once
leak_before
memory() { for pid in $(w_resident supervisor) $(w_resident netd); do awk '/^RssAnon:/ { print $2 }' "/proc/$pid/status"; done | awk '{ s += $1 } END { print s }'; }
before=$(memory)
for n in $(seq 1 "$fails"); do one_way "$n"; done
t_is "LEK-03 $fails starts fail, each in its way" "$worked" ""
t_no_leak "LEK-03 nothing is left"
after=$(memory)
t_true "LEK-03 memory of what stays is flat ($before kB, then $after kB)" test "$after" -le $((before + 128 + fails))
(cd ../steady && winch down -t 0 >/dev/null 2>&1)

# LEK-04: others hold what is a container's
cat >compose.yaml <<'YAML'
services: {a: {image: busybox, command: ["probe", "hold"], volumes: ["data:/data"]}}
volumes: {data: {}}
YAML
leak_before
t_ok "LEK-04 up" winch up -d
pid=$(w_pid a)
unshare --mount --propagation private sleep 300 & # a copy of all mounts, pinned namespaces too
holder=$!
sh -c "cd /proc/$pid/root/data && exec sleep 300" &
inside=$!
exec 9<"/proc/$pid/root/bin/busybox"
wait_for 5 sh -c "[ \"\$(readlink /proc/$inside/exe | grep -c sleep)\" = 1 ]"
t_ok "LEK-04 down, while others hold its mounts" timeout 30 winch down -v -t 0
t_is "LEK-04 no container is listed" "$(winch ps -aq)" ""
t_ok "LEK-04 the same project starts beside them" winch up -d
t_ok "LEK-04 and goes" winch down -v -t 0
kill $holder $inside
exec 9<&-
wait $holder $inside 2>/dev/null
t_no_leak "LEK-04 nothing is left when they are gone" --wait 5
t_done
