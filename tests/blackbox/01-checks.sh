#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 01-checks.sh - a check that never fails proves nothing: leak check, canary, power cut and fault loop catch what is planted.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in leakcheck canary powercut faults; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
mkdir -p "$WINCH_ROOT/lib" "$WINCH_ROOT/run"

planted() { # the kinds found; no pipe, whose processes would be found too
    "$t_lib/leakcheck.py" diff "$LAB/leak.json" "$@" >found
    cut -d: -f1 found | sort -u | tr '\n' ' '
}
leak_before
t_no_leak "nothing planted, nothing found"
mkdir m && mount -t tmpfs none m
t_is "a mount is found" "$(planted)" "mount "
umount m
ip link add planted type bridge
ip addr add 10.9.9.1/24 dev planted
t_like "a link and its address are found" "$(planted)" '^addr link '
ip link del planted
nft add table inet planted
t_is "an nft table is found" "$(planted)" "nft "
nft delete table inet planted
unshare -n sleep 50 &
wait_for 2 test -d "/proc/$!"
sleep 0.1
t_is "a process and its namespace are found" "$(planted)" "namespace process "
kill "$!"
wait "$!" 2>/dev/null
mkdir "/sys/fs/cgroup/pids/winch-$(lab_instance)" 2>/dev/null || mkdir "/sys/fs/cgroup/winch-$(lab_instance)"
t_is "a cgroup of the instance is found" "$(planted)" "cgroup "
rmdir /sys/fs/cgroup/*/"winch-$(lab_instance)" 2>/dev/null || rmdir "/sys/fs/cgroup/winch-$(lab_instance)"
mkfifo "$WINCH_ROOT/run/out"
t_is "a FIFO is found" "$(planted)" "file "
t_is "what is allowed is not" "$(planted --allow 'file: run/out')" ""
rm "$WINCH_ROOT/run/out"
python3 -c 'import socket,time; s=socket.socket(socket.AF_UNIX); s.bind("\0planted"); s.listen(); time.sleep(50)' &
wait_for 2 grep -q @planted /proc/net/unix
t_like "an abstract socket is found" "$(planted)" 'socket '
kill "$!"
wait "$!" 2>/dev/null
t_no_leak "all taken away again"

canary_make
t_canary "an untouched canary passes"
: >>"$CANARY/dir/file"
touch -d @1000000001 "$CANARY/passwd"
t_true "a touched one is found" bash -c "! diff -q <('$t_lib/canary.py' print '$CANARY') <(grep '$CANARY' '$LAB/canary.before')"

if powercut_begin 64; then
    echo old >"$WINCH_ROOT/a" && echo old >"$WINCH_ROOT/b" && sync -f "$WINCH_ROOT"
    python3 - "$WINCH_ROOT" <<'PY'
import os, sys
os.chdir(sys.argv[1])
def put(name, durable):
    with open(name + ".new", "w") as f:
        f.write("new\n"); f.flush()
        if durable: os.fsync(f.fileno())
    os.rename(name + ".new", name)
put("a", False)
put("b", True)
os.fsync(os.open(".", os.O_RDONLY))
PY
    powercut_cut one
    t_is "power cut: replaced with all fsyncs is new" "$(cat "$CUT_ROOT/b")" new
    powercut_end one
    echo half >"$WINCH_ROOT/c"
    powercut_cut two
    t_true "power cut: a file without fsync is not there" test ! -s "$CUT_ROOT/c"
    powercut_end two
    umount "$LAB/disk"
else
    t_skip "power cut" "no loop devices"
fi

# not atomic on purpose: a kill at the rename must leave a half-done file
printf 'echo one >state\nmv state saved\n' >naive
broken=0
look() {
    [ ! -e state ] || broken=$((broken + 1))
    rm -f state saved
}
fault_loop rename,renameat2 signal=KILL look bash naive
t_true "the fault loop tried every call" test "$FAULT_RUNS" -ge 2
t_true "and caught a naive program in the middle" test "$broken" -ge 1
t_done
