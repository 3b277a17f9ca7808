#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 71-cdi.sh - devices described by CDI files: nodes, mounts, environment, groups; gpus and device reservations.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
# an /etc and a /var/run of the lab's own
mkdir "$LAB/layers" && mount -t tmpfs none "$LAB/layers" && mkdir "$LAB/layers"/{etc,work}
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$LAB/layers/etc,workdir=$LAB/layers/work" /etc || t_skip_all "no overlay over /etc"
mkdir -p /etc/cdi "$LAB/vendor" && echo driver >"$LAB/vendor/libmade-up.so" && chmod 600 "$LAB/vendor/libmade-up.so"
leak_before

cat >/etc/cdi/made-up.json <<JSON
{"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu",
 "containerEdits": {"env": ["MADE_UP_DRIVER=550"],
   "mounts": [{"hostPath": "$LAB/vendor/libmade-up.so", "containerPath": "/usr/lib/libmade-up.so", "options": ["ro", "nosuid", "nodev", "bind"]}]},
 "devices": [
  {"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/gpu0", "hostPath": "/dev/zero", "permissions": "rw", "fileMode": 416, "uid": 7, "gid": 9}],
    "env": ["GPU=0"], "additionalGids": [4242]}},
  {"name": "1", "containerEdits": {"deviceNodes": [{"path": "/dev/gpu1", "hostPath": "/dev/full"}], "env": ["GPU=1"]}},
  {"name": "all", "containerEdits": {"deviceNodes": [{"path": "/dev/gpu0", "hostPath": "/dev/zero"}, {"path": "/dev/gpu1", "hostPath": "/dev/full"}],
    "hooks": [{"hookName": "createContainer", "path": "/bin/true"}]}},
  {"name": "0:1", "containerEdits": {"env": ["GPU=slice"]}}
 ]}
JSON
echo '{"cdiVersion": "0.6.0", "kind": "example.com/odd", "devices": [{"name": "a", "containerEdits": {"netDevices": []}}]}' >/etc/cdi/odd.json
mkdir cdi && cd cdi || exit 1
cat >compose.yaml <<'YAML'
x-base: &base {image: busybox, command: [probe, hold], stop_grace_period: 0s, network_mode: none}
services:
  named: {<<: *base, devices: ["nvidia.com/gpu=0"], environment: {GPU: mine}}
  slice: {<<: *base, devices: ["nvidia.com/gpu=0:1"]}
  every: {<<: *base, gpus: all}
  second: {<<: *base, gpus: [{device_ids: ["1"], capabilities: [gpu]}]}
  reserved: {<<: *base, deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]}}}}
YAML
t_ok "up" winch up -d || t_abort "nothing to look at: $T_OUT"
t_like "hooks are not run, and that is said" "$T_OUT" 'container cdi-every-1: the hooks of its CDI devices are not run'
in_it() { winch exec -T "$@"; }
t_is "a node by its own name, with the mode and owner of the file" "$(in_it named stat -c '%n %t:%T %a %u:%g' /dev/gpu0)" '/dev/gpu0 1:5 640 7:9'
t_is "that node alone" "$(in_it named sh -c 'ls /dev/gpu*')" /dev/gpu0
t_is "it can be read and written" "$(in_it named sh -c 'head -c 3 /dev/gpu0 | wc -c; echo x >/dev/gpu0 && echo ok' | tr '\n' ' ')" "3 ok "
t_is "environment of the device and of the file" "$(tr '\0' '\n' <"/proc/$(w_pid named)/environ" | grep -E '^(GPU|MADE_UP)' | sort | tr '\n' ' ')" \
    "GPU=0 MADE_UP_DRIVER=550 "
t_like "its groups" "$(in_it named cat /proc/1/status)" '^Groups:.* 4242 '
t_is "the mount, with the ids of the host" "$(in_it named sh -c 'cat /usr/lib/libmade-up.so; stat -c %u /usr/lib/libmade-up.so' | tr '\n' ' ')" "driver 0 "
t_like "read-only, nosuid, nodev" "$(in_it named cat /proc/self/mountinfo)" ' /usr/lib/libmade-up.so ro,nosuid,nodev'
t_like "a name with a colon" "$(tr '\0' '\n' <"/proc/$(w_pid slice)/environ")" '^GPU=slice$'
t_is "gpus: all" "$(in_it every sh -c 'ls /dev/gpu*' | tr '\n' ' ')" "/dev/gpu0 /dev/gpu1 "
t_is "gpus by id" "$(in_it second sh -c 'ls /dev/gpu*' | tr '\n' ' ')" "/dev/gpu1 "
t_is "deploy.resources.reservations.devices" "$(in_it reserved sh -c 'ls /dev/gpu*' | tr '\n' ' ')" "/dev/gpu0 "
winch down -t 0 >/dev/null 2>&1
refused() { # NAME KEYS WANTED
    printf 'services:\n  a: {image: busybox, command: [probe, hold], network_mode: none, stop_grace_period: 0s, %s}\n' "$2" >compose.yaml
    t_exit "$1 is refused" 1 winch up -d
    t_like "$1: the message" "$T_OUT" "$3"
    winch down -t 0 >/dev/null 2>&1
}
refused "a device that no file has" 'devices: ["nvidia.com/gpu=9"]' "device 'nvidia.com/gpu=9': no file in /etc/cdi"
refused "a key that is not known" 'devices: ["example.com/odd=a"]' "example.com/odd=a': key 'netDevices' is unknown"
refused "another driver" 'gpus: [{driver: other, capabilities: [gpu]}]' "driver 'other' is not supported"
refused "a name without a kind" 'devices: ["gpu0"]' "expected a path or a CDI name"
touch /etc/cdi/vendor.yaml
refused "a device of a YAML file" 'devices: ["vendor.com/x=1"]' 'vendor.yaml is not read'
rm /etc/cdi/vendor.yaml && echo '{' >/etc/cdi/broken.json
refused "a broken file" 'devices: ["nvidia.com/gpu=0"]' 'CDI file /etc/cdi/broken.json'
rm /etc/cdi/broken.json && cp /etc/cdi/made-up.json /etc/cdi/twice.json
refused "a device that is described twice" 'devices: ["nvidia.com/gpu=0"]' 'two files in /etc/cdi describe it'
rm /etc/cdi/twice.json
t_no_leak "LEK-01 nothing is left"
t_done
