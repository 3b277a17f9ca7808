#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh - `make bench`: how long things take, beside the kernel floor and our goals, in at most two minutes.
#
# Each figure is the median of several runs.  "against" names what it is compared with: a goal of ours, or the floor measured in
# the same run by floor.c (no user namespace, no seccomp filter: what the kernel alone needs).  A ratio of 1 or less meets it.
# BENCH_JSON=FILE also writes JSON lines {"name","value","unit","against","ratio"}.  BENCH_RUNS=N runs instead of 3 for 50 services.
# Nothing is deleted between samples: ext4 would walk over the fresh holes and every later sample would pay for it.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
json=${BENCH_JSON:+$(realpath -m "$BENCH_JSON")}
export BENCH_JSON=$json
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
runs=${BENCH_RUNS:-3}
[ -z "$json" ] || : >"$json"

# --- figures ---------------------------------------------------------------------------------------------------------
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'; }
ms() { awk '{ printf "%.2f\n", $1 / 1000 }'; }

report() { # NAME VALUE UNIT [AGAINST VALUE_OF_THAT]
    if [ -z "$2" ]; then
        printf '%-44s %12s\n' "$1" "no figure"
        bench_failed=1
        return
    fi
    awk -v name="$1" -v value="$2" -v unit="$3" -v against="${4-}" -v base="${5-}" -v json="$json" 'BEGIN {
        ratio = base > 0 ? sprintf("%.2f", value / base) : ""
        printf "%-44s %10s %-3s", name, value, unit
        if (ratio != "") printf "  %5s x %s (%s %s)", ratio, against, base, unit
        printf "\n"
        if (json != "") printf "{\"name\":\"%s\",\"value\":%s,\"unit\":\"%s\",\"against\":%s,\"ratio\":%s}\n", name, value, unit,
            against == "" ? "null" : "\"" against " " base " " unit "\"", ratio == "" ? "null" : ratio >> json
    }'
}

laps() { # N COMMAND...: the median, in ms, of N runs
    local n=$1
    shift
    for ((; n > 0; n--)); do
        lap run "$@" 2>>"$LAB/errors" || return 1
    done | median | ms
}

# --- what is measured ------------------------------------------------------------------------------------------------
image() { # one static program that holds on, and one that ends
    mkdir -p image/bin image/etc image/proc image/sys image/dev image/tmp
    cp "$WINCH_PROBE" image/bin/probe
    cp "$(command -v busybox)" image/bin/true
    tar -C image --sort=name --mtime=@0 --owner=0 --group=0 -cf image.tar .
    winch image import image.tar bench:1 --change 'CMD ["/bin/probe","hold"]' >/dev/null 2>>"$LAB/errors"
}

project() { # NAME COUNT LAYERS: a folder with COUNT services, each layer depending on the one before
    local i layer size=$((($2 + $3 - 1) / $3))
    mkdir -p "$1"
    {
        echo "services:"
        for ((i = 1; i <= $2; i++)); do
            layer=$(((i - 1) / size))
            printf '  s%d:\n    image: bench:1\n    restart: always\n' "$i"
            [ $layer = 0 ] || printf '    depends_on: [s%d]\n' $((i - size))
        done
    } >"$1/compose.yaml"
}

cycle() { # FOLDER RUNS: fills up_ms and down_ms with medians
    local n status=0
    : >"$LAB/up" && : >"$LAB/down"
    for ((n = 0; n < $2; n++)); do
        (cd "$1" && lap run winch up -d >>"$LAB/up" && lap run winch down -t 5 >>"$LAB/down") 2>>"$LAB/errors" || status=1
    done
    up_ms=$(median <"$LAB/up" | ms) down_ms=$(median <"$LAB/down" | ms)
    [ $status = 0 ] || echo "# an up or down of $1 failed"
}

pss_of() { # winch-NAME: processes, and the sum of their PSS in KB
    local pid
    for pid in $(w_resident "$1"); do
        awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup"
    done | awk '{ n++; sum += $1 } END { print n + 0, sum + 0 }'
}

per() { awk -v a="$1" -v n="$2" 'BEGIN { if (a != "" && n > 0) printf "%.2f\n", a / n }'; }

measure_cycles() {
    local n layers goal_up goal_down
    while read -r n layers samples goal_up goal_down; do
        project "p$n" "$n" "$layers"
        cycle "p$n" "$samples"
        report "up -d, $n services in $layers layers" "$up_ms" ms goal "$goal_up"
        report "up -d, $n services, per container" "$(per "$up_ms" "$n")" ms floor "$floor_execve"
        report "down, $n services" "$down_ms" ms goal "$goal_down"
        report "down, $n services, per container" "$(per "$down_ms" "$n")" ms
    done <<TABLE
1 1 7 20 20
20 1 $runs 150 160
50 5 $runs 370 400
TABLE
}

generated() { # NAME COUNT: a folder with COUNT services of twenty values each
    mkdir -p "$1"
    awk -v n="$2" 'BEGIN {
        print "services:"
        for (i = 0; i < n; i++) {
            printf "  s%d:\n    image: registry.example.org/s%d:${TAG:-1.27}\n    restart: always\n", i, i
            printf "    environment: {A: b, C: \"d\", E: \"${HOME}/x\"}\n    ports: [\"%d:80\"]\n", 10000 + i
            printf "    volumes: [\"./d%d:/data\", \"v:/v\"]\n    labels: {x: y}\n    networks: [front]\n", i
            if (i > 0)
                printf "    depends_on: {s%d: {condition: service_healthy}}\n", int((i - 1) / 2)
            print "    healthcheck: {test: [CMD, \"true\"], interval: 5s, retries: 3}"
        }
        print "volumes: {v: }\nnetworks: {front: }"
    }' >"$1/compose.yaml"
}

measure_config() { # the time for one service stays the same
    local n goal ms us first=
    while read -r n goal; do
        generated "c$n" "$n"
        ms=$(cd "c$n" && laps $((n < 5000 ? 9 : 3)) winch config -q)
        report "config, $n generated services" "$ms" ms ${goal:+goal "$goal"}
        if [ "$n" -ge 500 ]; then
            us=$(awk -v ms="$ms" -v n="$n" 'BEGIN { if (ms != "") printf "%.1f", ms * 1000 / n }')
            report "config, $n services, per service" "$us" us ${first:+"500 services" "$first"}
            first=${first:-$us}
        fi
    done <<TABLE
50 15
500
1000
5000
TABLE
}

measure_resident() { # 50 services are up
    local count sum
    read -r count sum < <(pss_of monitor)
    report "PSS per container (winch-monitor)" "$(per "$sum" "$count")" KB goal 100
    read -r _ sum < <(pss_of supervisor)
    report "PSS of winch-supervisor, 50 containers" "$sum" KB
    read -r _ sum < <(pss_of netd)
    report "PSS of winch-netd, 50 containers" "$sum" KB
    read -r _ sum < <(for name in monitor supervisor netd; do pss_of $name; done | awk '{ s += $2 } END { print 0, s }')
    report "PSS of everything resident, 50 containers" "$(awk -v s="$sum" 'BEGIN { printf "%.2f", s / 1024 }')" MiB goal 9
}

measure_restart() { # each service once, so that no backoff is in it
    local i
    for i in 2 3 4 5 6 7 8 9 10; do
        lap restart "$WINCH_ROOT/run/containers/$(winch ps -q "s$i")" || return 1
    done 2>>"$LAB/errors" | median | ms
}

measure_start() { # begin of `winch start` to state=running, and to its end
    local i id
    for i in 11 12 13 14 15 16 17 18 19; do
        id=$(winch ps -q "s$i")
        winch stop -t 1 "s$i" >/dev/null 2>>"$LAB/errors"
        sleep 0.2 # the kernel takes the old network namespace apart, holding the lock that a new one needs
        lap start "$WINCH_ROOT/run/containers/$id" winch start "s$i" || return 1
    done 2>>"$LAB/errors" >"$LAB/starts"
}

# BYTES LINE WRITE: a container writes so much, nobody follows.  Prints bytes, microseconds it took the writer, and the
# monitor's processor time in hundredths of a second (read while the container waits for its input).
flood_ended() { grep -qsE '"log":"flood [0-9]+ bytes' "$1"/*; }
flood_run() {
    local id monitor cpu
    mkdir -p flood
    cat >flood/compose.yaml <<YAML
services:
  w: {image: "bench:1", command: ["/bin/probe","flood","$1","$2","$3","hold"], stop_grace_period: 0s}
YAML
    (
        cd flood && winch up -d || exit 1
        id=$(winch ps -q w)
        wait_for 60 flood_ended "$WINCH_ROOT/lib/containers/$id/log" || exit 1
        monitor=$(sed -n 's/^monitor_pid=//p' "$WINCH_ROOT/run/containers/$id/status")
        cpu=$(awk '{ print $14 + $15 }' "/proc/$monitor/stat")
        winch logs --no-log-prefix --tail 50 w | awk -v cpu="$cpu" '/^flood/ { print $2, $4, cpu }' >&3
        winch down
    ) 3>&1 >/dev/null 2>>"$LAB/errors"
}

measure_logs() {
    local bytes us cpu
    read -r bytes us cpu < <(flood_run 1000000000 100 65536)
    report "log, lines of 100 bytes in large writes" "$(awk -v b="$bytes" -v u="$us" 'BEGIN { if (u) printf "%.0f", b / u }')" MB/s
    report "log, large writes, processor for a GB" "$(awk -v b="$bytes" -v c="$cpu" 'BEGIN { if (b) printf "%.2f", c / 100 / (b / 1e9) }')" s goal 2
    read -r bytes us cpu < <(flood_run 100000000 50 50)
    report "log, one write a line of 50 bytes" "$(awk -v b="$bytes" -v u="$us" 'BEGIN { if (u) printf "%.0f", b / 50 / u * 1000 }')" k/s
    report "log, one write a line, share of a processor" "$(awk -v u="$us" -v c="$cpu" 'BEGIN { if (u) printf "%.2f", c / 100 / (u / 1e6) }')" "" goal 1
    mkdir -p flood
    cat >flood/compose.yaml <<YAML
services:
  w: {image: "bench:1", command: ["/bin/probe","flood","200000000","100","65536"], logging: {options: {max-size: 1g}}}
YAML
    (cd flood && winch up -d --wait --wait-timeout 1
        wait_for 30 sh -c 'winch logs --tail 5 w | grep -q flood') >/dev/null 2>&1
    report "logs, two million lines" "$(cd flood && laps 5 winch logs w)" ms goal 500
    (cd flood && winch down) 2>>"$LAB/errors"
}

# --- the run ---------------------------------------------------------------------------------------------------------
bench_failed=0
# as on a real host: /run is a tmpfs, /var/lib is not
mkdir -p "$WINCH_ROOT/run"
mount -t tmpfs -o mode=711 run "$WINCH_ROOT/run" || t_abort "no tmpfs"
image || t_abort "the image could not be imported: $(tail -3 "$LAB/errors")"
mkdir scratch
for what in start exec; do
    floor $what -r image -w scratch -n 40 >floor.$what || t_abort "floor $what"
done
floor_execve=$(jq '.execve.median_us' floor.start | ms) floor_exec=$(jq '.exec.median_us' floor.exec | ms)
echo "# load average $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) processors"
report "floor: start to execve" "$floor_execve" ms
report "floor: start to reaped" "$(jq '.start.median_us' floor.start | ms)" ms
report "floor: exec true" "$floor_exec" ms

measure_cycles
cd p50 || exit 1
winch up -d 2>>"$LAB/errors" || t_abort "50 services do not come up: $(tail -3 "$LAB/errors")"
report "up -d, nothing to do, 50 services" "$(laps 9 winch up -d)" ms goal 30
report "ps, 50 services" "$(laps 9 winch ps)" ms goal 10
report "config, 50 services" "$(laps 9 winch config -q)" ms goal 15
report "exec true" "$(laps 15 winch exec -T s1 /bin/true)" ms floor "$floor_exec"
measure_resident
report "restart, kill -9 to the new process 1" "$(measure_restart)" ms floor "$floor_execve"
if measure_start; then
    report "start, to the process running" "$(awk '{ print $1 }' "$LAB/starts" | median | ms)" ms floor "$floor_execve"
    report "start, to the command's end" "$(awk '{ print $2 }' "$LAB/starts" | median | ms)" ms floor "$floor_execve"
else
    report "start, to the process running" ""
fi
winch down -t 5 2>>"$LAB/errors"
cd ../p1 || exit 1
report "config, 1 service" "$(laps 9 winch config -q)" ms goal 5
cd ..
measure_config
report "winch version" "$(laps 9 winch version)" ms
measure_logs
[ -z "$json" ] || echo "# written to $json"
if [ $bench_failed != 0 ]; then
    tail -5 "$LAB/errors"
    exit 1
fi
exit 0
