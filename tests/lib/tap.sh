#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tap.sh - what every script in tests/blackbox/ stands on: a lab of its own, and checks that print ok / not ok.
#
#   #!/bin/bash
#   # 10-name.sh - what is shown.        Header lines that tests/run.sh reads:
#   # limit: 300                         seconds (default 120)
#   # long: why                          only in `make check-long`
#   # shellcheck source=tests/lib/tap.sh
#   . "$(dirname "$0")/../lib/tap.sh"
#   lab_enter "$@"
#   lab_registry
#   t_ok "RUN-05 no descriptor is inherited" winch up -d
#   t_done
#
# The lab: network, mount and process namespaces of its own, loopback up, $LAB an empty folder, WINCH_ROOT=$LAB/root,
# HOME and TMPDIR inside $LAB, in PATH our programs ($T_DIST, links to what is built) and build/tests.  When the script
# ends, everything in the process namespace dies with it; then its cgroups and $LAB are removed.  KEEP=1 leaves $LAB.
#
# Checks take a name that begins with the catalogue's id where there is one.  Output of the command under test is in
# $T_OUT (both streams), its exit status in $T_STATUS.
t_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
t_top=$(dirname "$(dirname "$t_lib")")
t_build=${BUILD:-build}
[ "${t_build#/}" != "$t_build" ] || t_build=$t_top/$t_build
t_passed=0 t_failed=0 t_skipped=0
T_OUT='' T_STATUS=0

# --- checks --------------------------------------------------------------------------------------------------------------
t_pass() {
    t_passed=$((t_passed + 1))
    echo "ok $((t_passed + t_failed + t_skipped)) - $1"
}

t_not() { # NAME DETAIL
    t_failed=$((t_failed + 1))
    echo "not ok $((t_passed + t_failed + t_skipped)) - $1"
    printf '%s\n' "${2-}" | head -c 8000 | sed 's/^/#   /'
}

t_skip() { # NAME WHY
    t_skipped=$((t_skipped + 1))
    echo "ok $((t_passed + t_failed + t_skipped)) - $1 # SKIP ${2-}"
}

t_note() { printf '# %s\n' "$*"; }

t_run() { # COMMAND...: sets T_OUT and T_STATUS
    T_STATUS=0
    T_OUT=$("$@" 2>&1 </dev/null) || T_STATUS=$?
}

t_ok() { # NAME COMMAND...: exits 0
    t_exit "$1" 0 "${@:2}"
}

t_exit() { # NAME STATUS COMMAND...
    t_run "${@:3}"
    if [ "$T_STATUS" = "$2" ]; then
        t_pass "$1"
        return 0
    fi
    t_not "$1" "${*:3}: exit status $T_STATUS, wanted $2
$T_OUT"
    return 1
}

t_is() { # NAME GOT WANTED
    if [ "$2" = "$3" ]; then
        t_pass "$1"
        return 0
    fi
    t_not "$1" "got:    $2
wanted: $3"
    return 1
}

t_like() { # NAME GOT EXTENDED_REGEX (lines apart)
    if grep -qE -e "$3" <<<"$2"; then
        t_pass "$1"
        return 0
    fi
    t_not "$1" "no line fits: $3
$2"
    return 1
}

t_unlike() { # NAME GOT EXTENDED_REGEX
    if ! grep -qE -e "$3" <<<"$2"; then
        t_pass "$1"
        return 0
    fi
    t_not "$1" "a line fits: $3
$2"
    return 1
}

t_true() { # NAME COMMAND...: like t_ok, for shell conditions; T_OUT stays
    if "${@:2}" >/dev/null 2>&1; then
        t_pass "$1"
        return 0
    fi
    t_not "$1" "failed: ${*:2}
$T_OUT"
    return 1
}

t_done() {
    echo "$t_passed passed, $t_failed failed, $t_skipped skipped"
    [ "$t_failed" = 0 ]
    exit
}

t_skip_all() { # WHY
    t_skip "$(basename "$0")" "$1"
    t_done
}

# Tries COMMAND every 50 ms until it succeeds or SECONDS are over.
wait_for() { # SECONDS COMMAND...
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "${EPOCHREALTIME/./}" -lt $end ] || return 1
        sleep 0.05
    done
}

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# --- the lab -------------------------------------------------------------------------------------------------------------
lab_instance() { # what winch calls this instance: 8 digits of the root path's hash
    printf %s "$LAB/root" | sha256sum | cut -c1-8
}

lab_cgroups() { # all cgroup folders of this instance, deepest first
    find /sys/fs/cgroup -depth -type d -path "*/winch-$(lab_instance)*" 2>/dev/null
}

lab_sweep() { # from outside, when everything in the lab is dead
    local dir
    lab_cgroups | while read -r dir; do # a group may be busy for a moment after its last process
        for _ in $(seq 1 40); do
            if [ ! -d "$dir" ] || rmdir "$dir" 2>/dev/null; then
                break
            fi
            sleep 0.05
        done
    done
    [ -n "${KEEP-}" ] || rm -rf --one-file-system "$LAB"
}

lab_enter() { # SCRIPT_ARGUMENTS...
    local status=0
    if [ -z "${WINCH_LAB-}" ]; then
        [ "$(id -u)" = 0 ] || t_skip_all "needs root"
        LAB=$(mktemp -d "${TMPDIR:-/tmp}/wt.XXXXXX")
        export LAB
        chmod 711 "$LAB"
        [ -z "${KEEP-}" ] || echo "# the lab will be left at $LAB"
        trap lab_sweep EXIT
        trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
        # the first bash is process 1 of the namespace: it outlives the script's own death and reaps orphans
        # shellcheck disable=SC2016
        WINCH_LAB=1 unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private \
            bash -c '"$@"; exit $?' lab bash "$0" "$@" &
        pid=$!
        wait "$pid" || status=$?
        exit "$status"
    fi
    mkdir -p "$LAB"/{home,tmp,run}
    export WINCH_TEST_CACHE=${WINCH_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/winch-tests}
    export TMPDIR=$LAB/tmp HOME=$LAB/home WINCH_ROOT=$LAB/root WINCH_CONFIG=$LAB/winch.yaml LC_ALL=C.UTF-8
    # links to this very build: a `make` beside us does not change what is tested
    T_DIST=$LAB/dist
    mkdir "$T_DIST"
    cp -al "$t_build/bin" "$t_build/libexec" "$T_DIST/" 2>/dev/null || cp -a "$t_build/bin" "$t_build/libexec" "$T_DIST/" 2>/dev/null
    export PATH=$T_DIST/bin:$t_build/tests:$PATH T_DIST
    export WINCH_PROBE=${WINCH_PROBE:-$t_build/tests/probe}
    unset COMPOSE_FILE COMPOSE_PROJECT_NAME COMPOSE_PROFILES DOCKER_CONFIG DOCKER_HOST XDG_CONFIG_HOME
    umask 022
    ip link set lo up
    : >"$WINCH_CONFIG"
    cd "$LAB/run" || exit 1
    trap lab_end EXIT
}

lab_end() { # a script that stops without t_done must not look like a success
    local status=$?
    [ "$status" = 0 ] || [ "$t_failed" != 0 ] || echo "# ended with status $status"
    exit "$status"
}

# Starts the registry of tests/lib/images.sh and points winch at it: `image: nginx` comes from there.
lab_registry() { # [rw]
    # shellcheck source=tests/lib/images.sh
    . "$t_lib/images.sh"
    registry_start "$LAB/registry" "$@" || t_abort "no registry"
    lab_mirror "$REGISTRY"
}

lab_mirror() { # HOST:PORT
    cat >"$WINCH_CONFIG" <<YAML
registries:
  mirrors: {docker.io: ["$1"]}
  insecure: ["$1"]
YAML
}

# A registry of imagekit.py over the layout DIR, misbehaving as SCRIPT says; sets KIT=127.0.0.1:PORT, log in $LAB/kit.log
lab_kit() { # DIR [SCRIPT]
    rm -f "$LAB/kit.port"
    "$t_lib/imagekit.py" serve --dir "$1" ${2:+--script "$2"} --port-file "$LAB/kit.port" --log "$LAB/kit.log" &
    KIT_PID=$!
    wait_for 10 test -s "$LAB/kit.port" || t_abort "imagekit.py serve did not start"
    KIT=127.0.0.1:$(cat "$LAB/kit.port")
    export KIT KIT_PID
}

t_abort() {
    t_not "$*" "the test cannot go on"
    t_done
}

# --- a neighbourhood -----------------------------------------------------------------------------------------------------
# The lab's own network namespace is the host; PEER and PEER2 are neighbours on its LAN, all joined by a bridge that is in
# a namespace of its own.  host 192.0.2.1 and 2001:db8::1 (link lan0), peer .2, peer2 .3.  winch always runs in the lab's
# own namespaces; only neighbours are entered.
lan_lab() {
    local name pid n=1
    LAN_PID=$(lan_namespace)
    nsenter -t "$LAN_PID" -n ip link add lan type bridge
    nsenter -t "$LAN_PID" -n ip link set lan up
    PEER_PID=$(lan_namespace)
    PEER2_PID=$(lan_namespace)
    for name in $$ "$PEER_PID" "$PEER2_PID"; do
        pid=$name
        nsenter -t "$LAN_PID" -n ip link add "port$n" type veth peer name lan0 netns "$pid"
        nsenter -t "$LAN_PID" -n ip link set "port$n" master lan up
        nsenter -t "$pid" -n ip link set lan0 addrgenmode none
        nsenter -t "$pid" -n ip addr add "192.0.2.$n/24" dev lan0
        nsenter -t "$pid" -n ip -6 addr add "2001:db8::$n/64" dev lan0 nodad
        nsenter -t "$pid" -n ip link set lan0 up
        n=$((n + 1))
    done
    for pid in "$PEER_PID" "$PEER2_PID"; do
        nsenter -t "$pid" -n ip link set lo up
    done
}

lan_namespace() { # prints the process that holds a new network namespace
    local pid
    unshare -n sleep infinity >/dev/null 2>&1 &
    pid=$!
    while [ "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/self/ns/net)" ]; do
        sleep 0.01
    done
    echo "$pid"
}

on_peer() { nsenter -t "$PEER_PID" -n -- "$@"; }
on_peer2() { nsenter -t "$PEER2_PID" -n -- "$@"; }
