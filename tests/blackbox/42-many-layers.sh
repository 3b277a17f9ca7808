#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 42-many-layers.sh - an image of 127 layers, as many as others allow, runs; every layer is seen.
# limit: 120
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/images.sh
. "$t_lib/images.sh"
mkdir many && cd many || exit 1
python3 - "$WINCH_PROBE" >recipe.json <<'PY'
import json, sys
layers = [{"entries": [{"name": "probe", "data_file": sys.argv[1], "mode": 0o755}]}]
layers += [{"entries": [{"name": "last", "data": str(n)}, {"name": "layer-%d" % n, "data": "x"}]} for n in range(1, 127)]
print(json.dumps({"images": [{"name": "library/many:latest", "config": {"Cmd": ["/probe", "hold"]}, "layers": layers}]}))
PY
"$t_lib/imagekit.py" make recipe.json --layout layout || t_abort "no image"
lab_kit layout
lab_mirror "$KIT"
echo 'services: {web: {image: many}}' >compose.yaml
t_ok "IMG an image of 127 layers starts" winch up -d
pid=$(winch ps --format json | jq -rs '.[0].Pid // 1')
t_is "IMG the topmost layer wins" "$(cat "/proc/$pid/root/last")" 126
t_is "IMG all layers are there" "$(find "/proc/$pid/root/" -maxdepth 1 -name 'layer-*' | wc -l)" 126
t_ok "down" winch down -t 1
t_done
