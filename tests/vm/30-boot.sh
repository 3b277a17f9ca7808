#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 30-boot.sh - installed below /usr and enabled in systemd: what comes back after a boot, and who owns which process.
#
# The guest's disk is thrown away with its boot, so the boot is made up: everything of winch in the kernel and in /run goes,
# /var/lib/winch stays, and systemd starts what is enabled.
# limit: 600
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
[ "${VMTEST-}" = 1 ] || t_skip_all "changes the host: only in the guest"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
LAB=$(mktemp -d /var/tmp/boot.XXXXXX)
export LAB LC_ALL=C.UTF-8 HOME=$LAB WINCH_CONFIG=/etc/winch/winch.yaml
unset WINCH_ROOT
mkdir -p /etc/winch
lab_registry
unset WINCH_CONFIG # it is the usual place

cp -a "$t_build/vm-dist/." /
units=(winch-netd.socket winch-netd.service winch-restore.service winch-project@.service winch.slice)
t_run systemd-analyze verify --man=no "${units[@]/@./@x.}"
t_is "systemd-analyze verify has nothing to say" "$T_STATUS $T_OUT" "0 "
t_ok "tmpfiles" systemd-tmpfiles --create winch.conf
t_is "/run/winch" "$(stat -c '%a %U' /run/winch)" "711 root"
t_ok "enable" systemctl enable --now winch-netd.socket winch-restore.service
t_true "the socket listens" systemctl is-active winch-netd.socket

mkdir "$LAB/shop" && cd "$LAB/shop" || exit 1
port=$(w_free_port)
cat >compose.yaml <<YAML
x-base: &base {image: busybox, command: ["probe", "hold"], stop_grace_period: 0s}
services:
  web:
    <<: *base
    command: ["sh", "-c", "echo kept >>/data/index.html; exec httpd -f -p 80 -h /data"]
    ports: ["127.0.0.1:$port:80"]
    volumes: ["data:/data"]
    restart: always
    depends_on: [db]
  db: {<<: *base, restart: unless-stopped, mem_limit: 64m, cpus: 0.5, pids_limit: 50}
  stopped: {<<: *base, restart: unless-stopped}
  once: {<<: *base, restart: "no"}
volumes:
  data:
YAML
t_ok "up" winch up -d --wait || t_abort "nothing to look at"
t_ok "stop one" winch stop stopped
t_true "netd is systemd's" systemctl is-active winch-netd.service
web_ip=$(w_ip web)
limits() { # the kernel's word on the limits of db
    local group
    group=/sys/fs/cgroup$(cut -d: -f3 "/proc/$(w_pid db)/cgroup")
    echo "$(cat "$group/memory.max") $(cat "$group/cpu.max") $(cat "$group/pids.max")"
}
t_is "limits are in the kernel" "$(limits)" "67108864 50000 100000 50"
t_ok "systemd looks at its own groups again" systemctl daemon-reload
t_ok "and makes one with limits" systemd-run -q --wait -p CPUQuota=50% -p TasksMax=20 -p MemoryMax=100M true
t_is "ours stay" "$(limits)" "67108864 50000 100000 50"

mkdir "$LAB/idle" && cd "$LAB/idle" || exit 1
printf 'services: {a: {image: busybox, command: [probe, hold], restart: always, stop_grace_period: 0s}}\n' >compose.yaml
t_ok "up another project" winch up -d
t_ok "which is stopped" winch stop
cd "$LAB/shop" || exit 1

# no power: nothing of it may end in order
systemctl stop winch-restore.service winch-netd.socket
systemctl kill -s KILL winch-netd.service 2>/dev/null
for name in supervisor netd monitor; do
    w_kill $name
done
echo 1 >/sys/fs/cgroup/winch/cgroup.kill
sleep 1
systemctl stop winch-netd.service
systemctl reset-failed
for link in $(ip -o link | awk -F'[ :@]+' '$2 != "lo" { print $2 }'); do
    ip link del "$link" 2>/dev/null
done
nft flush ruleset
find /run/winch -mount -xdev -depth -print0 2>/dev/null | xargs -0 -r -n1 umount -l 2>/dev/null
rm -rf --one-file-system /run/winch
find /sys/fs/cgroup/winch -depth -type d -exec rmdir {} \;
t_true "nothing is left of before" test ! -e /run/winch -a ! -e /sys/fs/cgroup/winch

systemd-tmpfiles --create winch.conf
t_ok "systemd starts what multi-user.target wants" systemctl start winch-netd.socket winch-restore.service
running() { wait_for 60 w_state_is "$1" running; }
t_true "restart: always is back" running web
t_true "restart: unless-stopped is back" running db
t_is "what was stopped stays so" "$(w_ps stopped State)" exited
t_true "restart: no stays ended" test "$(w_ps once State)" != running
t_is "a stopped project stays so" "$(cd ../idle && w_ps a State)" exited
t_is "the address is kept" "$(w_ip web)" "$web_ip"
answer() { curl -s --max-time 10 "http://127.0.0.1:$port/"; }
answers() { [ "$(answer)" = $'kept\nkept' ]; }
t_true "the port answers, with the data of before" wait_for 20 answers
supervisor() { cat /run/winch/projects/shop/supervisor.pid; }
t_like "the supervisor is in the slice" "$(cat "/proc/$(supervisor)/cgroup")" '/winch\.slice/winch-restore\.service$'
t_like "the container is not" "$(cat "/proc/$(w_pid web)/cgroup")" '^0::/winch/shop/'
t_is "nor is it protected from OOM" "$(cat "/proc/$(w_pid web)/oom_score_adj")" 0

# one project as a unit of its own
web=$(w_pid web)
t_ok "a unit for a project that is supervised already" systemctl start winch-project@shop.service
unit_is() { [ "$(systemctl is-active winch-project@shop.service)" = "$1" ]; }
t_true "ends by itself" wait_for 10 unit_is inactive
kill -9 "$(supervisor)"
t_ok "a unit for a project whose supervisor was killed" systemctl start winch-project@shop.service
main() { systemctl show -p MainPID --value winch-project@shop.service; }
is_main() { [ "$(supervisor)" = "$(main)" ] && [ "$(main)" != "${1-}" ]; }
t_true "takes over" wait_for 20 is_main
pid=$(main)
kill -9 "$pid"
t_true "killed, systemd starts it again" wait_for 20 is_main "$pid"
t_is "the container did not notice" "$(w_pid web)" "$web"
t_ok "stop of the unit" systemctl stop winch-project@shop.service
t_true "leaves the container running" kill -0 "$web"
t_true "and it answers" answers
kill -9 "$web"
winch ps >/dev/null
t_ok "down -v" winch down -v
t_ok "down of the other" winch --project-directory ../idle down -v
t_is "no cgroup" "$(find /sys/fs/cgroup -path '*/winch/*' -type d)" ""
t_is "no link" "$(ip -o link | awk -F'[ :@]+' '$2 != "lo" { print $2 }')" ""
t_is "no rule" "$(nft list ruleset)" ""
t_is "no mount" "$(grep -E ' /(run|var/lib)/winch' /proc/self/mountinfo)" ""
gone() { [ -z "$(w_resident supervisor)$(w_resident monitor)$(w_resident netd)" ]; }
t_true "no process" wait_for 10 gone
t_true "the socket still listens" systemctl is-active winch-netd.socket
registry_stop
t_done
