#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 75-setuid.sh - setuid programs, file capabilities and huge ids of an image, keyrings.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry rw
leak_before
mkdir setuid && cd setuid || exit 1
# version 2 of the attribute, effective, permitted: NET_BIND_SERVICE (10)
zeros=$(printf '\\u0000%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
capability="\\u0001\\u0000\\u0000\\u0002\\u0000\\u0004$zeros"
cat >recipe.json <<JSON
{"images": [{"name": "library/setuid:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": [{"entries": [
  {"name": "probe", "mode": "755", "data_file": "$WINCH_PROBE"},
  {"name": "su", "mode": "4755", "data_file": "$WINCH_PROBE"},
  {"name": "capable", "mode": "755", "data_file": "$WINCH_PROBE", "pax": {"SCHILY.xattr.security.capability": "$capability"}},
  {"name": "huge", "mode": "644", "uid": 1516583083, "gid": 197609, "data": "x"},
  {"name": "edge", "mode": "644", "uid": 65535, "gid": 65535, "data": "x"}]}]}]}
JSON
"$t_lib/imagekit.py" make recipe.json --layout kit || t_abort "image not made"
"$t_lib/imagekit.py" push --layout kit --registry "$REGISTRY" || t_abort "image not pushed"
cat >compose.yaml <<'YAML'
x-base: &base {image: setuid, stop_grace_period: 0s, network_mode: none}
services:
  a: *base
  strict: {<<: *base, security_opt: ["no-new-privileges:true"]}
YAML
t_ok "PRO-23 an image with ids beyond the range comes up" winch up -d || t_abort "$T_OUT"
in_it() { winch exec -T "$@"; }
sets() { jq -r '"\(.CapPrm) \(.CapEff)"'; }
zero=0000000000000000 eleven=00000000800405fb bind=0000000000000400
t_is "PRO-24 a setuid program of root's has root's capabilities" "$(in_it -u 1000 a /su | sets)" "$eleven $eleven"
t_is "PRO-24 a program with a file capability has it" "$(in_it -u 1000 a /capable | sets)" "$bind $bind"
t_is "PRO-24 another one has none" "$(in_it -u 1000 a /probe | sets)" "$zero $zero"
t_is "PRO-24 with no-new-privileges neither gives any" "$(in_it -u 1000 strict /su | sets) $(in_it -u 1000 strict /capable | sets)" \
    "$zero $zero $zero $zero"
root=/proc/$(w_pid a)/root
base=$(awk '{ print $2; exit }' "/proc/$(w_pid a)/uid_map")
t_is "PRO-23 the last id of the range is itself" "$(stat -c %u:%g "$root/edge")" $((base + 65535)):$((base + 65535))
t_like "PRO-23 one beyond it belongs to nobody inside" "$(stat -c %u:%g "$root/huge")" '^(65534:65534|4294967295:4294967295)$'
# PRO-29: each start makes a session keyring of its own
ring() { grep -c . "/proc/$(w_pid "$1")/root/proc/keys" 2>/dev/null; }
t_is "PRO-29 /proc/keys shows nothing" "$(ring a)" 0
t_is "PRO-29 keyctl is denied" "$(in_it a /probe call 64 250 0 0xfffffffd 0)" EPERM
t_ok "PRO-23 removed" winch down -t 0
t_ok "PRO-23 and its image" winch image rm setuid
t_no_leak "LEK-01 nothing is left"
t_done
