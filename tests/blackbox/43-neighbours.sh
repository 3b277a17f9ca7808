#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 43-neighbours.sh - what one service has of another or of the host: links, a shared network or volume, volumes_from, IPv6, hooks,
# devices, extra hosts.
# limit: 120
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
leak_before

mkdir stack && cd stack || exit 1
cat >compose.yaml <<'YAML'
services:
  db:
    image: busybox
    command: [sh, -c, 'echo kept >/shared/file; exec httpd -f -p 80 -h /shared']
    init: true
    volumes: ["shared:/shared"]
    networks: {back: {aliases: [store]}}
    post_start:
      - {command: [sh, -c, 'echo "$$WORD by $$(id -u)" >/shared/hook'], environment: {WORD: started}, user: root}
      - {command: [touch, /shared/second]}
    pre_stop:
      - {command: [sh, -c, 'echo stopping >/shared/stopped']}
  web:
    image: busybox
    command: [sleep, infinity]
    init: true
    links: [db]
    networks: [back]
    extra_hosts: ["elsewhere=192.0.2.7", "gateway:host-gateway"]
    devices: ["/dev/null:/dev/nothing:rw"]
    volumes: ["shared:/shared:ro"]
  beside:
    image: busybox
    command: [sleep, infinity]
    init: true
    network_mode: service:web
    pid: service:web
  old:
    image: busybox
    command: [sleep, infinity]
    init: true
    networks: [back]
    volumes: ["shared:/shared"]
  reader:
    image: busybox
    command: [sleep, infinity]
    init: true
    network_mode: none
    volumes: ["./own:/own"]
    volumes_from: ["db:ro"]
  writer:
    image: busybox
    command: [sleep, infinity]
    init: true
    network_mode: none
    volumes: ["./own:/shared/own"]
    volumes_from: [old]
  third:
    image: busybox
    command: [sleep, infinity]
    init: true
    network_mode: none
    volumes_from: [reader]
networks:
  back:
    enable_ipv6: true
    ipam: {config: [{subnet: 10.203.0.0/24}, {subnet: "fd00:203::/64"}]}
volumes: {shared: {}}
YAML
t_ok "up" winch up -d --wait
t_is "both post_start hooks ran, in the container, with their environment" \
    "$(winch exec db sh -c 'cat /shared/hook; ls /shared/second')" $'started by 0\n/shared/second'
t_is "a link is the other service's name" "$(winch exec web wget -qO- http://db/file)" kept
t_is "so is the alias of the network" "$(winch exec web wget -qO- http://store/file)" kept
t_is "one volume in two services" "$(winch exec web cat /shared/file)" kept
t_exit "read-only in one of them" 1 winch exec web touch /shared/new
t_like "extra_hosts are in /etc/hosts" "$(winch exec web cat /etc/hosts)" '^192\.0\.2\.7[[:space:]]+elsewhere$'
t_like "host-gateway is the bridge's address" "$(winch exec web cat /etc/hosts)" '^10\.203\.0\.1[[:space:]]+gateway$'
t_is "a device under another name" "$(winch exec web stat -c '%F %t:%T' /dev/nothing)" "character special file 1:3"
t_is "network_mode service: one network for both" \
    "$(winch exec beside readlink /proc/self/ns/net)" "$(winch exec web readlink /proc/self/ns/net)"
t_is "pid service: one process tree for both" \
    "$(winch exec beside readlink /proc/self/ns/pid)" "$(winch exec web readlink /proc/self/ns/pid)"

# volumes_from: the other's volumes and binds, below one's own mounts, and those the other has from a third
t_is "volumes_from shows the same files" "$(winch exec reader cat /shared/file)" kept
t_exit "and :ro is obeyed" 1 winch exec reader touch /shared/new
t_ok "a mount of one's own lies above" winch exec writer touch /shared/own/mine
t_is "and is on the host" "$(ls own)" mine
t_is "what the other has from a third comes along" "$(winch exec third sh -c 'cat /shared/file; ls /own')" $'kept\nmine'
t_exit "read-only as the other has it" 1 winch exec third touch /shared/new

# IPv6: an address of the subnet, reachable, and found by name
address=$(winch exec db ip -6 -o addr show dev eth0 scope global | grep -oE 'fd00:203::[0-9a-f:]+' | head -1)
t_like "IPv6 address of the subnet" "$address" '^fd00:203::'
t_is "reachable" "$(winch exec web wget -qO- "http://[$address]/file")" kept
t_like "and found by name" "$(winch exec web nslookup -type=aaaa db 2>&1)" "$address"

t_ok "a second up" winch up -d
t_unlike "does nothing" "$T_OUT" 'Recreate|Starting'
t_ok "stop" winch stop db
t_is "pre_stop ran before the end" "$(winch exec old cat /shared/stopped)" stopping
t_ok "down" winch down -v -t 0
t_no_leak "nothing is left"
t_done
