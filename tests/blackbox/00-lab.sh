#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 00-lab.sh - the test machinery itself: the lab is alone, images are served, neighbours reach each other.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"

t_is "the lab has no link but loopback" "$(ip -o link | wc -l)" 1
t_like "the lab has processes of its own" "$(tr '\0' ' ' </proc/1/cmdline)" 'lab bash .*00-lab.sh'
lab_registry
t_like "registry answers" "$(curl -s "http://$REGISTRY/v2/_catalog")" '"library/nginx"'
t_like "config names the registry" "$(cat "$WINCH_CONFIG")" "$REGISTRY"
registry_stop

# the image maker's honest and dishonest sides
cat >recipe.json <<'JSON'
{"images": [{"name": "kit:latest", "config": {"Cmd": ["/x"]}, "layers": [
  {"entries": [{"name": "dir/", "type": "dir"}, {"name": "dir/x", "data": "hello"},
               {"name": "../escape", "data": "bad"}, {"name": "l", "type": "hardlink", "link": "../../etc/passwd"}]},
  {"compress": "zstd", "entries": [{"name": "y", "fill": 2000, "pax": {"SCHILY.xattr.user.a": "b"}}]},
  {"compress": "none", "entries": [{"name": "z", "data": "z", "size": 7}], "digest":
   "sha256:0000000000000000000000000000000000000000000000000000000000000000"}]}]}
JSON
"$t_lib/imagekit.py" make recipe.json --layout layout
echo '[{"match": "GET .*/blobs/", "do": "truncate", "times": 1}, {"match": "/v2/$", "do": "unauthorized"}]' >script.json
lab_kit layout script.json
t_is "401 with a realm" "$(curl -s -o /dev/null -w '%{http_code}' "http://$KIT/v2/")" 401
manifest=$(curl -s "http://$KIT/v2/library/kit/manifests/latest")
layer=$(jq -r '.layers[0].digest' <<<"$manifest")
t_exit "first blob is truncated" 18 curl -s -o blob "http://$KIT/v2/kit/blobs/$layer"
t_ok "second try gets it whole" curl -s -o blob "http://$KIT/v2/kit/blobs/$layer"
t_is "the digest is true" "sha256:$(sha256sum <blob | cut -d' ' -f1)" "$layer"
t_like "the hostile entry is in the archive" "$(tar -tzPf blob)" '^\.\./escape$'
t_is "a false digest is served under its name" "$(curl -s "http://$KIT/v2/kit/blobs/$(jq -r '.layers[2].digest' <<<"$manifest")" |
    head -c 1)" z
t_like "requests are recorded" "$(cat "$LAB/kit.log")" '"path": "/v2/library/kit/manifests/latest"'

# the neighbourhood
lan_lab
probe listen tcp 7000 host-says-hi >listen.log 2>&1 &
wait_for 5 grep -q listening listen.log
t_ok "peer reaches the host" on_peer probe connect tcp 192.0.2.1 7000
t_is "and hears its answer" "$T_OUT" host-says-hi
t_ok "peer2 reaches it over IPv6" on_peer2 probe connect tcp 2001:db8::1 7000
t_like "the host saw who called" "$(cat listen.log)" '^192.0.2.2: hello'
t_ok "probe prints JSON" jq -e .uid <(probe)
t_done
