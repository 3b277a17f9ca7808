#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 23-network.sh - who reaches whom: the LAN, other projects, the host; and who knows which names.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
lan_lab
ip addr add 127.0.0.2/8 dev lo 2>/dev/null
leak_before
mkdir net && cd net || exit 1
cat >compose.yaml <<'YAML'
services:
  udp:
    image: busybox
    command: ["probe", "listen", "udp", "5000", "udp-answer"]
    ports: ["127.0.0.2:5000:5000/udp"]
  tcp:
    image: busybox
    command: ["probe", "listen", "tcp", "80", "tcp-answer"]
    ports: ["8080:80", "127.0.0.1:8081:80"]
  closed:
    image: busybox
    command: ["probe", "listen", "tcp", "81", "closed-answer"]
  closed-udp:
    image: busybox
    command: ["probe", "listen", "udp", "82", "closed-answer"]
    networks: {default: {aliases: [Example.com, other-name]}}
YAML
mkdir ../other && cat >../other/compose.yaml <<'YAML'
services:
  tcp:
    image: busybox
    command: ["probe", "listen", "tcp", "80", "other-answer"]
  alone:
    image: busybox
    command: ["probe", "hold"]
    networks: [second]
networks: {second: }
YAML
t_ok "up" winch up -d || t_abort "nothing to look at"
t_ok "up of the other project" winch -f ../other/compose.yaml up -d || t_abort "nothing to look at"
other() { winch -f ../other/compose.yaml "$@"; }
other_ip() { nsenter -t "$(other ps -a --format json "$1" | jq -r .Pid)" -n ip -o -4 addr show eth0 | awk '{ sub("/.*", "", $4); print $4 }'; }
udp=$(w_ip udp) tcp=$(w_ip tcp) closed=$(w_ip closed) closed_udp=$(w_ip closed-udp)
gateway=$(nsenter -t "$(w_pid tcp)" -n ip route | awk '/^default/ { print $3 }')
no_answer() { # NAME COMMAND...
    t_run "${@:2}"
    t_true "$1" test "$T_STATUS" != 0
}

# what was published is there
t_is "the host reaches 127.0.0.2:5000/udp" "$(probe connect udp 127.0.0.2 5000 from-host)" udp-answer
t_is "the host reaches 127.0.0.1:8080" "$(probe connect tcp 127.0.0.1 8080)" tcp-answer
t_is "the host reaches 127.0.0.1:8081" "$(probe connect tcp 127.0.0.1 8081)" tcp-answer
t_is "the host reaches its own LAN address:8080" "$(probe connect tcp 192.0.2.1 8080)" tcp-answer
t_is "the LAN reaches 192.0.2.1:8080" "$(on_peer probe connect tcp 192.0.2.1 8080)" tcp-answer
t_is "a container reaches another by name" "$(winch exec -T udp probe connect tcp tcp 80)" tcp-answer
t_is "a container reaches itself through the published port" "$(winch exec -T tcp probe connect tcp "$gateway" 8080)" tcp-answer

# NET-01: published on loopback is for this machine only
on_peer ip route add 127.0.0.2/32 via 192.0.2.1 2>/dev/null
on_peer ip route add 127.0.0.1/32 via 192.0.2.1 table 100 2>/dev/null
on_peer sh -c "echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet"
on_peer ip route add "${tcp%.*}.0/24" via 192.0.2.1
for target in "127.0.0.2 5000" "192.0.2.1 5000" "$udp 5000" "$gateway 5000"; do
    # shellcheck disable=SC2086
    no_answer "NET-01 the LAN gets no answer from $target/udp" on_peer probe connect udp $target from-peer
done
t_unlike "NET-01 and no datagram arrived" "$(winch logs udp)" 'from-peer'
no_answer "NET-01 the LAN does not reach 8081" on_peer probe connect tcp 192.0.2.1 8081

# NET-03: unpublished ports, by routing the container's subnet through the host
for policy in accept drop; do
    nft add table inet lab
    nft "add chain inet lab forward { type filter hook forward priority 10; policy $policy; }"
    no_answer "NET-03 tcp, forward policy $policy" on_peer probe connect tcp "$closed" 81
    no_answer "NET-03 udp, forward policy $policy" on_peer probe connect udp "$closed_udp" 82 from-peer
    no_answer "NET-03 icmp, forward policy $policy" on_peer ping -c 1 -W 1 "$closed"
    no_answer "NET-03 the published port's own address, forward policy $policy" on_peer probe connect tcp "$tcp" 80
    nft delete table inet lab
done
t_unlike "NET-03 and no datagram arrived" "$(winch logs closed-udp)" 'from-peer'

# NET-07: the other project
there=$(other_ip tcp)
no_answer "NET-07 another project's address" winch exec -T udp probe connect tcp "$there" 80
no_answer "NET-07 another project's address by ping" winch exec -T udp ping -c 1 -W 1 "$there"
no_answer "NET-07 another project's gateway" winch exec -T udp probe connect tcp "${there%.*}.1" 80
for value in 0 1; do
    [ -w /proc/sys/net/bridge/bridge-nf-call-iptables ] || continue
    echo $value >/proc/sys/net/bridge/bridge-nf-call-iptables
    no_answer "NET-07 the same with bridge-nf-call-iptables=$value" winch exec -T udp probe connect tcp "$there" 80
    t_is "names and neighbours work with bridge-nf-call-iptables=$value" "$(winch exec -T udp probe connect tcp tcp 80)" tcp-answer
done
no_answer "NET-07 another network of the same project" other exec -T alone probe connect tcp "$there" 80

# NET-14: nothing of ours listens where containers reach it
scan() { # what answers among the ports of the gateway
    winch exec -T udp sh -c "for p in 22 53 80 111 443 2375 2376 4789 7946 8080 8081 9323; do probe connect tcp $gateway \$p >/dev/null 2>&1 && echo \$p; done"
}
t_is "NET-14 ports of the gateway: the published one only" "$(scan)" 8080
t_is "NET-14 nothing of ours listens on the host" "$(ss -ltunH | awk '{ print $5 }' | grep -v "^${REGISTRY}$" | grep -vE ':(8080|8081|5000)$')" ""
t_is "NET-14 no abstract socket" "$(awk 'NR > 1 && $8 ~ /^@/ { print $8 }' /proc/net/unix)" ""
t_is "NET-14 nor inside" "$(winch exec -T udp cat /proc/net/unix | awk 'NR > 1 && $8 ~ /^@/')" ""

# NET-15: names
resolve() { winch exec -T udp probe resolve "$1" 127.0.0.11 a; }
t_is "NET-15 a service of the project" "$(resolve tcp)" "$tcp"
t_is "NET-15 its container's name" "$(resolve net-tcp-1)" "$tcp"
t_is "NET-15 an alias, whatever the case" "$(resolve OTHER-name)" "$closed_udp"
t_is "NET-15 an alias equal to a public domain" "$(resolve example.com)" "$closed_udp"
t_is "NET-15 the other project's tcp is its own" "$(other exec -T tcp probe resolve tcp 127.0.0.11 a)" "$there"
t_is "NET-15 another project's container is not known" "$(resolve other-tcp-1)" NXDOMAIN
t_is "NET-15 a service of another network is not known" "$(other exec -T alone probe resolve tcp 127.0.0.11 a)" NXDOMAIN
for name in com _ nosuchname "$(printf 'a%.0s' $(seq 1 63))"; do
    t_like "NET-15 single label ${name:0:12} is not sent upstream" "$(resolve "$name")" '^(NXDOMAIN|REFUSED)$'
done
t_is "NET-15 localhost is not resolved elsewhere" "$(resolve localhost | grep -vE '^(127.0.0.1|NXDOMAIN)$')" ""
t_like "resolv.conf names our resolver" "$(winch exec -T udp cat /etc/resolv.conf)" '^nameserver 127\.0\.0\.11$'
t_ok "down" winch down -t 0
t_ok "down of the other" other down -t 0
t_no_leak "LEK-01 nothing is left" --allow '^sysctl: .*bridge-nf-call' --allow '^sysctl: gone: .*bridge-nf-call'
t_done
