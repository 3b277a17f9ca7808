#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# all.sh [PATTERN...] - runs tests/vm/NN-*.sh, all in one boot of the virtual machine; the last line says how it went.
#
# For what this kind of host cannot show: systemd as process 1, pure cgroup v2, Debian's own kernel.  The scripts use
# tests/lib/tap.sh like those in tests/blackbox/ and find the tree, its build and the image cache where they are outside.
# The first run makes the guest (about a minute), each run boots it (7 to 15 s).  VM_TIMEOUT: limit in seconds.
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD

if [ "${1-}" != --inside ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "tests/vm/all.sh: needs root" >&2
        exit 1
    fi
    cache=${WINCH_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/winch-tests}
    mkdir -p "$cache"
    export WINCH_TEST_CACHE=$cache
    tests/lib/images.sh build >/dev/null || exit 1
    export VMTEST_PACKAGES=docker-registry,libevent-core-2.1-7,libmd0,e2fsprogs${VMTEST_PACKAGES:+,$VMTEST_PACKAGES}
    exec tests/vm/vmtest --share "$top" --share "$cache" --env WINCH_TEST_CACHE --env BUILD="${BUILD:-build}" \
        --timeout "${VM_TIMEOUT:-900}" -- bash tests/vm/all.sh --inside "$@"
fi
shift

passed=0 failed=0 skipped=0
for script in tests/vm/[0-9][0-9]-*.sh; do
    name=$(basename "$script" .sh)
    [ $# = 0 ] || [[ " $* " == *" $name "* ]] || [[ $name == *$1* ]] || continue
    limit=$(sed -n '1,20s/^# limit: *//p' "$script" | head -1)
    log=$(mktemp)
    begin=$SECONDS status=0
    timeout --kill-after=15 "${limit:-180}" bash "$script" >"$log" 2>&1 </dev/null || status=$?
    p=0 f=0 s=0
    if [[ $(tail -1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
    else
        f=1
        echo "not ok - $name: ended early with status $status" >>"$log"
    fi
    printf '%-40s %3d passed %3d failed %3d skipped %4d s\n' "$name" "$p" "$f" "$s" $((SECONDS - begin))
    [ "$f" = 0 ] || tail -n 200 "$log"
    grep -h '# SKIP' "$log"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
