#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 83-socket-activation.sh - netd's socket belongs to somebody else (systemd): netd comes with the first call, ends when idle, comes again.
# limit: 60
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir activated && cd activated || exit 1
cat >compose.yaml <<'YAML'
services:
  web: {image: busybox, command: ["probe", "http", "80"], restart: always, ports: ["8080:80"]}
  client: {image: busybox, command: ["probe", "hold"]}
YAML
winch pull -q >/dev/null 2>&1
# what systemd does for winch-netd.socket: listens, starts the service when a connection waits, and again after its end
mkdir -p "$WINCH_ROOT/run"
cat >"$LAB/starter.py" <<'PY'
import os, select, socket, sys
os.chdir(sys.argv[1])
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind("netd.sock")
os.chmod("netd.sock", 0o600)
listener.listen(128)
open(sys.argv[3], "w").write("0\n")
starts = 0
while True:
    select.select([listener], [], [])
    pid = os.fork()
    if pid == 0:
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="winch-netd.socket")
        os.execv(sys.argv[2], [sys.argv[2], "--root", os.environ["WINCH_ROOT"]])
    starts += 1
    open(sys.argv[3], "w").write(f"{starts}\n")
    os.waitpid(pid, 0)
PY
python3 "$LAB/starter.py" "$WINCH_ROOT/run" "$T_DIST/libexec/winch/winch-netd" "$LAB/starts" &
starter=$!
wait_for 5 test -s "$LAB/starts"
leak_before
parents() { for pid in $(w_resident netd); do awk '/^PPid:/ { print $2 }' "/proc/$pid/status"; done | tr '\n' ' '; }
answers() { curl -fs -o /dev/null --max-time 2 http://127.0.0.1:8080/; }
none_left() { [ -z "$(w_resident netd)" ]; }

t_ok "up" winch up -d --wait || t_abort "nothing to look at"
t_is "the one netd is the starter's child" "$(parents)" "$starter "
t_is "started once" "$(cat "$LAB/starts")" 1
t_true "a published port answers" wait_for 5 answers
t_ok "names are answered" winch exec -T client probe resolve web
w_kill netd
t_true "killed: traffic goes on" answers
t_true "killed: the supervisor's call brings it back through the socket" wait_for 5 winch exec -T client probe resolve web
t_is "again as the starter's child" "$(parents)" "$starter "
t_ok "down" winch down -t 0
t_true "idle, it ends" wait_for 5 none_left
t_true "and leaves the socket to its owner" test -S "$WINCH_ROOT/run/netd.sock"
t_ok "up again" winch up -d
t_is "through the same socket" "$(parents)" "$starter "
t_ok "down again" winch down -t 0
wait_for 5 none_left
t_no_leak "LEK-01 nothing is left" --allow '^file: run/netd\.(log|lock)$'
kill $starter
wait $starter 2>/dev/null
rm "$WINCH_ROOT/run/netd.sock"

# seen failing: any descriptor was taken, and then nobody served
cat >"$LAB/exec.py" <<'PY'
import os, sys
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.dup2(os.open("/dev/null", os.O_RDONLY), 3)
os.set_inheritable(3, True)
os.execv(sys.argv[1], [sys.argv[1], "--root", os.environ["WINCH_ROOT"]])
PY
t_exit "a descriptor that is no socket: refused" 1 timeout 5 python3 "$LAB/exec.py" "$T_DIST/libexec/winch/winch-netd"
t_like "and named" "$T_OUT" 'descriptor 3'

# variables meant for another process are not believed
export LISTEN_PID=1 LISTEN_FDS=1
t_ok "LISTEN_PID of somebody else: up" winch up -d
t_true "with a socket of its own" test -S "$WINCH_ROOT/run/netd.sock"
t_unlike "and the containers do not see the variables" "$(winch exec -T client env)" '^LISTEN_'
t_ok "down" winch down -t 0
t_done
