#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--unit | --blackbox] [--long] [PATTERN...] - runs the tests side by side; the last line says how it went.
#
# Unit tests are the programs build/tests/unit-*, black-box tests the scripts tests/blackbox/NN-*.sh (PATTERN: part of a
# name).  JOBS of them at a time (default: processors).  What each printed is kept below build/test-logs/PID/ and shown
# if something failed.  BUILD names another build folder.  LONG_BUDGET=SECONDS runs long scripts, too, as long as their limits
# end within that many seconds.  What fails beside others is run once more alone, and said to be: many promises are about
# time, and a busy machine breaks them.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
export BUILD=$build WINCH_PROBE=${WINCH_PROBE:-$PWD/$build/tests/probe}
jobs=${JOBS:-$(nproc)} unit=1 blackbox=1 long='' patterns=()
for arg in "$@"; do
    case $arg in
    --unit) blackbox='' ;;
    --blackbox) unit='' ;;
    --long) long=1 ;;
    -*)
        sed -n '3,/^set/s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    *) patterns+=("$arg") ;;
    esac
done
logs=$build/test-logs/$$ # several runs may go on at once
mkdir -p "$logs"
find "$build/test-logs" -mindepth 1 -maxdepth 1 -mmin +600 -exec rm -rf {} + 2>/dev/null

wanted() { # NAME
    local p
    [ ${#patterns[@]} -gt 0 ] || return 0
    for p in "${patterns[@]}"; do
        [[ $1 != *$p* ]] || return 0
    done
    return 1
}

header() { # FILE KEY: the value of "# key: value" among the first lines
    sed -n "1,20s/^# $2: *//p" "$1" | head -1
}

# Runs one test and writes "passed failed skipped seconds" to its result file.
run_one() { # NAME LIMIT COMMAND...
    local name=$1 limit=$2 log=$logs/$1.log begin=$EPOCHSECONDS status=0 line p=0 f=0 s=0
    shift 2
    timeout --kill-after=15 "$limit" "$@" >"$log" 2>&1 </dev/null || status=$?
    if [[ $name == unit-* ]]; then
        line=$(sed 's/\x1b\[[0-9;]*m//g' "$log" | grep 'Synthesis:' | tail -1)
        p=$(sed -n 's/.*Passing: \([0-9]*\).*/\1/p' <<<"$line")
        f=$(sed -n 's/.*Failing: \([0-9]*\).*Crashing: \([0-9]*\).*/\1+\2/p' <<<"$line")
        f=$((${f:-0}))
    else
        line=$(tail -1 "$log")
        if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
            p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
        else
            line=
            p=$(grep -c '^ok ' "$log")
            f=$(grep -c '^not ok ' "$log")
        fi
    fi
    if [ -z "$line" ] || { [ $status != 0 ] && [ "$f" = 0 ]; }; then
        f=$((f + 1))
        if [ $status = 124 ] || [ $status = 137 ]; then
            echo "not ok - $name: stopped after $limit s" >>"$log"
        else
            echo "not ok - $name: ended early with status $status" >>"$log"
        fi
    fi
    echo "${p:-0} $f $s $((EPOCHSECONDS - begin))" >"$logs/$name.result"
    printf '%-40s %3d passed %3d failed %3d skipped %4d s\n' "$name" "${p:-0}" "$f" "$s" $((EPOCHSECONDS - begin))
}

running=0
start() { # NAME LIMIT COMMAND...
    if [ $running -ge "$jobs" ]; then
        wait -n
        running=$((running - 1))
    fi
    run_one "$@" &
    running=$((running + 1))
}

left_out=() long_scripts=()
if [ -n "$unit" ]; then
    for program in "$build"/tests/unit-*; do
        name=$(basename "$program")
        [ -x "$program" ] && [[ $name != *.* ]] && wanted "$name" && start "$name" 300 "$program" --color=never
    done
fi
if [ -n "$blackbox" ]; then
    scripts=()
    for script in tests/blackbox/*.sh; do
        name=$(basename "$script" .sh)
        if [ ! -e "$script" ] || ! wanted "$name"; then
            continue
        fi
        why=$(header "$script" long)
        if [ -n "$why" ] && [ -z "$long" ] && [ ${#patterns[@]} = 0 ]; then
            long_scripts+=("$script")
        else
            scripts+=("$script")
        fi
    done
    if [ ${#scripts[@]} -gt 0 ] && [ "$(id -u)" = 0 ]; then
        tests/lib/images.sh build >"$logs/images.txt" 2>&1 || cat "$logs/images.txt"
    fi
    for script in "${scripts[@]}"; do
        limit=$(header "$script" limit)
        start "$(basename "$script" .sh)" "${limit:-120}" bash "$script"
    done
    wait
    running=0
    for script in "${long_scripts[@]}"; do
        limit=$(header "$script" limit)
        if [ $((SECONDS + ${limit:-120})) -le "${LONG_BUDGET:-0}" ]; then
            start "$(basename "$script" .sh)" "${limit:-120}" bash "$script"
        else
            left_out+=("$(basename "$script" .sh): $(header "$script" long)")
        fi
    done
fi
wait

again=()
for result in "$logs"/*.result; do
    name=$(basename "$result" .result)
    read -r _ f _ _ <"$result" 2>/dev/null || continue
    if [ "$f" != 0 ] && [ -e "tests/blackbox/$name.sh" ] && [ "$jobs" -gt 1 ]; then
        mv "$logs/$name.log" "$logs/$name.first"
        limit=$(header "tests/blackbox/$name.sh" limit)
        again+=("$name: $(grep -m 3 '^not ok' "$logs/$name.first" | tr '\n' ';')")
        run_one "$name" "${limit:-120}" bash "tests/blackbox/$name.sh"
    fi
done

passed=0 failed=0 skipped=0
for result in "$logs"/*.result; do
    [ -e "$result" ] || continue
    read -r p f s _ <"$result"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$f" != 0 ]; then
        echo "---- $(basename "$result" .result)"
        tail -n 200 "${result%.result}.log"
    fi
done
if [ $((passed + failed)) -gt 200 ]; then
    echo "---- the slowest, in seconds, of $SECONDS"
    awk '{ name = FILENAME; sub(".*/", "", name); sub("[.]result$", "", name); print $4, name }' "$logs"/*.result | sort -rn | head -10
fi
if [ "$skipped" != 0 ]; then
    echo "---- skipped"
    grep -h '# SKIP' "$logs"/*.log | sed 's/^ok [0-9]* - //'
fi
if [ ${#again[@]} -gt 0 ]; then
    echo "---- failed beside others, so run again alone; the counts are of the second run"
    printf '%s\n' "${again[@]}"
fi
if [ ${#left_out[@]} -gt 0 ]; then
    echo "---- left out here, part of make check-long"
    printf '%s\n' "${left_out[@]}"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ $((passed + failed)) -gt 0 ]
