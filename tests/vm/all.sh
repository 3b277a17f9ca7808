#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# all.sh [PATTERN...] - runs tests/vm/NN-*.sh, all in one boot of the virtual machine; the last line says how it went.
#
# For what this kind of host cannot show: systemd as process 1, pure cgroup v2, Debian's own kernel.  The scripts use
# tests/lib/tap.sh like those in tests/blackbox/ and find the tree, its build and the image cache where they are outside.
# After them come the scripts of tests/blackbox/ that depend most on the kernel ($borrowed).  PATTERN: part of a name.
# The first run makes the guest (about a minute), each run boots it (7 to 20 s).  VM_TIMEOUT: limit in seconds.
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
borrowed=(14-health-restart 20-run 21-protect)

if [ "${1-}" != --inside ]; then
    export BUILD=${BUILD:-build}
    why=
    if [ "$(id -u)" != 0 ]; then
        why="needs root"
    elif ! out=$(tests/vm/vmtest host 2>&1); then
        why="no virtual machine here: $(tail -1 <<<"$out")"
    fi
    if [ -n "$why" ]; then
        printf 'ok 1 - vm # SKIP %s\n0 passed, 0 failed, 1 skipped\n' "$why"
        exit 0
    fi
    cache=${WINCH_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/winch-tests}
    mkdir -p "$cache"
    export WINCH_TEST_CACHE=$cache
    dist=$(realpath -m "$BUILD/vm-dist")
    rm -rf "$dist"
    if ! tests/lib/images.sh build >/dev/null || ! out=$(make -s install PREFIX=/usr DESTDIR="$dist" 2>&1); then
        printf '%s\nnot ok 1 - images and installation\n0 passed, 1 failed, 0 skipped\n' "${out-}"
        exit 1
    fi
    export VMTEST_PACKAGES=docker-registry,libevent-core-2.1-7,libmd0,e2fsprogs${VMTEST_PACKAGES:+,$VMTEST_PACKAGES}
    share=(--share "$top" --share "$cache")
    [ "${BUILD#/}" = "$BUILD" ] || share+=(--share "$BUILD")
    status=0
    tests/vm/vmtest --quiet "${share[@]}" --env WINCH_TEST_CACHE --env BUILD --timeout "${VM_TIMEOUT:-1800}" \
        -- bash tests/vm/all.sh --inside "$@" || status=$?
    case $status in
    124 | 125) printf 'not ok - the virtual machine ended with status %s\n0 passed, 1 failed, 0 skipped\n' $status ;;
    esac
    exit $status
fi
shift

wanted() { # NAME PATTERN...
    local name=$1 pattern
    shift
    [ $# -gt 0 ] || return 0
    for pattern in "$@"; do
        [[ $name != *$pattern* ]] || return 0
    done
    return 1
}

passed=0 failed=0 skipped=0
for script in tests/vm/[0-9][0-9]-*.sh "${borrowed[@]/#/tests/blackbox/}"; do
    script=${script%.sh}.sh name=$(basename "$script" .sh)
    wanted "$name" "$@" || continue
    limit=$(sed -n '1,20s/^# limit: *//p' "$script" | head -1)
    limit=${limit:-120}
    [[ $script == tests/vm/* ]] || limit=$((limit * 3)) # theirs are for a host without emulation
    log=$(mktemp)
    begin=$SECONDS status=0
    timeout --kill-after=15 "$limit" bash "$script" >"$log" 2>&1 </dev/null || status=$?
    p=0 f=0 s=0
    if [[ $(tail -1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
    else
        p=$(grep -c '^ok ' "$log") f=$(($(grep -c '^not ok ' "$log") + 1))
        echo "not ok - $name: ended early with status $status" >>"$log"
    fi
    printf '%-40s %3d passed %3d failed %3d skipped %4d s\n' "$name" "$p" "$f" "$s" $((SECONDS - begin))
    [ "$f" = 0 ] || tail -n 200 "$log"
    grep -h '# SKIP' "$log"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
