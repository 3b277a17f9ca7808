#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 50-config.sh - what winch config prints with each of its options.
# limit: 60
# shellcheck disable=SC2016,SC2086  # dollars are for the compose file; $two is several words
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
unset TAG PASS
export SHELL_VALUE=from-shell
cat >.env <<'ENV'
TAG=1.2
SHELL_VALUE=from-file
ENV
printf 'E=e\nOWN=file\n' >web.env
cat >compose.yaml <<'YAML'
name: ${PROJECT:-demo}
services:
  web:
    image: nginx:${TAG}
    command: ["echo", "$$HOME"]
    environment:
      OWN: ${SHELL_VALUE}
      MODE: ${MODE:-${FALLBACK:-dev}}
      FLAG: ${FLAG:+on}
      PASSED:
    env_file: web.env
    depends_on: [db]
    volumes: ["./data:/data", "v:/v"]
  db:
    image: postgres:16
    networks: [back]
  tools:
    build: ./tools
    profiles: [debug]
  other:
    image: other
    models: [llm]
volumes: {v: , unused: }
networks: {back: }
models: {llm: {model: ai/some}, idle: {model: ai/idle}}
YAML
t_ok "plain" winch config
t_like "variables are filled in, .env below the environment" "$T_OUT" 'image: nginx:1.2'
t_like "the shell wins over .env" "$T_OUT" 'OWN: from-shell'
t_like "nested defaults" "$T_OUT" 'MODE: dev'
t_like "dollars are doubled" "$T_OUT" '- \$\$HOME'
t_is "convert is another name" "$(winch convert)" "$(winch config)"
t_is "the output is its own fixed point" "$(winch config | winch --project-directory . -f - config)" "$(winch config)"
t_is "JSON is JSON" "$(winch config --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["services"]["web"]["image"])')" nginx:1.2
cat >json.yaml <<'YAML'
services:
  a:
    image: i
    blkio_config: {weight_device: [{path: /dev/x, weight: 9}], device_read_bps: [{path: /dev/x, rate: 1k}]}
    ulimits: {core: 0, nofile: {soft: 0, hard: 5}}
    cpus: 0.333333333
    develop: {watch: [{path: ., action: rebuild}]}
YAML
t_is "JSON has the names and the gaps of the reference" \
    "$(winch -f json.yaml config --format json | python3 -c 'import json, sys
a = json.load(sys.stdin)["services"]["a"]
print(json.dumps([a["blkio_config"], a["ulimits"], a["cpus"], a["develop"]["watch"][0]["exec"]]))')" \
    '[{"device_read_bps": [{"Path": "/dev/x", "Rate": "1024"}], "weight_device": [{"Path": "/dev/x", "Weight": 9}]}, {"core": {}, "nofile": {"hard": 5}}, 0.33333334, {"command": null}]'
t_exit "another format is a usage error" 2 winch config --format xml

t_is "--services" "$(winch config --services)" $'db\nother\nweb'
t_is "--services with a profile" "$(winch --profile debug config --services)" $'db\nother\ntools\nweb'
t_is "--images, built ones by their name to be" "$(winch --profile debug config --images)" $'postgres:16\nother\ndemo-tools\nnginx:1.2'
t_is "--volumes" "$(winch config --volumes)" v
t_is "--networks" "$(winch config --networks)" $'back\ndefault'
t_is "--profiles" "$(winch config --profiles)" debug
t_is "--models, those that are used" "$(winch config --models)" ai/some
t_like "--hash '*'" "$(winch config --hash '*' | tr '\n' ' ')" '^db [0-9a-f]{64} other [0-9a-f]{64} web [0-9a-f]{64} $'
t_like "--hash of one" "$(winch config --hash db)" '^db [0-9a-f]{64}$'
t_exit "--hash of a service that is not there" 1 winch config --hash nope
t_like "--hash: message" "$T_OUT" 'no such service: nope'

t_is "--environment: the shell, then .env, then the project's name" \
    "$(winch config --environment | grep -E '^(TAG|SHELL_VALUE|COMPOSE_PROJECT_NAME)=')" \
    $'COMPOSE_PROJECT_NAME=demo\nSHELL_VALUE=from-shell\nTAG=1.2'
t_is "--variables is a table" "$(winch config --variables | head -1 | tr -s ' ')" "NAME REQUIRED DEFAULT VALUE ALTERNATE VALUE"
t_is "--variables has them all, sorted" "$(winch config --variables | awk 'NR > 1 { print $1 }' | tr '\n' ' ')" \
    "FALLBACK FLAG MODE PROJECT SHELL_VALUE TAG "
t_is "--variables --format json" "$(winch config --variables --format json |
    python3 -c 'import json, sys; v = json.load(sys.stdin); print(v["MODE"]["DefaultValue"], v["FLAG"]["PresenceValue"], v["TAG"]["Required"])')" \
    '${FALLBACK:-dev} on False'
printf 'services: {a: {image: "${NEED:?say it}"}}\n' >need.yaml
t_exit "a required variable is missing" 1 winch -f need.yaml config
t_like "a required variable: message" "$T_OUT" 'need.yaml:1:[0-9]+: error: .*services.a.image: required variable NEED is missing a value: say it'
t_like "--variables tells of it all the same" "$(winch -f need.yaml config --variables)" '^NEED +true'

t_run winch config --no-interpolate
t_like "--no-interpolate keeps variables" "$T_OUT" 'image: nginx:\$\{TAG\}'
t_like "--no-interpolate keeps dollars" "$T_OUT" '- \$\$HOME'
t_run winch config --no-normalize
t_like "--no-normalize names nothing" "$T_OUT" '^  v: \{\}'
t_is "--no-normalize: no default network" "$(grep -c 'default' <<<"$T_OUT")" 0
t_run winch config --no-path-resolution
t_like "--no-path-resolution" "$T_OUT" 'source: ./data'
t_run winch config --no-env-resolution
t_like "--no-env-resolution keeps env_file" "$T_OUT" 'env_file:'
t_is "--no-env-resolution: nothing of the file" "$(grep -c 'E: e' <<<"$T_OUT")" 0
printf 'services: {a: {image: i, depends_on: [nobody]}}\n' >odd.yaml
t_exit "a missing dependency" 1 winch -f odd.yaml config
t_ok "--no-consistency" winch -f odd.yaml config --no-consistency
printf 'services: {a: {image: "i:$UNSET_ONE"}}\n' >unset.yaml
t_ok "an unset variable is a warning" winch -f unset.yaml config
t_like "an unset variable: message" "$T_OUT" 'The "UNSET_ONE" variable is not set. Defaulting to a blank string.'
t_exit "--strict makes it an error" 1 winch -f unset.yaml config --strict
t_like "--strict: message" "$T_OUT" 'unset.yaml:1:[0-9]+: error: services.a.image: the "UNSET_ONE" variable is not set'

printf 'services: {web: {image: "other:$TAG"}}\n' >over.yaml
two="winch -f compose.yaml -f over.yaml"
t_run $two config --origins
t_like "--origins: file, line and variable" "$T_OUT" 'image: other:1.2 # over.yaml:1:[0-9]+ \(TAG from .*/.env:1\)'
t_like "--origins: a variable that beats .env" "$T_OUT" 'OWN: from-shell # compose.yaml:7:12 \(SHELL_VALUE from environment, over .*/.env:2\)'
t_like "--origins: an env file" "$T_OUT" 'E: e # .*/web.env:1:'
t_like "--origins: what nobody wrote" "$T_OUT" 'name: demo_back # default'
t_is "--origins is still the same project" "$($two config --origins | winch --project-directory . -f - config)" "$($two config)"
t_like "--origins --format json" "$($two config --origins --format json)" '"services.web.image": "over.yaml:1:[0-9]+ \(TAG from '
t_ok "explain" $two explain services.web.image services.web.environment.OWN
t_like "explain: the winner" "$(tr '\n' ' ' <<<"$T_OUT")" 'services.web.image = other:1.2   from over.yaml:1:'
t_like "explain: the loser" "$T_OUT" 'over compose.yaml:4:12 .* = nginx:1.2'
t_like "explain: the loser of an env file" "$T_OUT" 'over .*/web.env:2:1 = file'
t_exit "explain: nothing there" 1 winch explain services.web.nope
t_like "explain: nothing there, message" "$T_OUT" "nothing at 'services.web.nope'"
t_exit "explain: says what it wants" 2 winch explain

t_is "a service and what it depends on" "$(winch config --services web)" $'db\nweb'
t_is "resources of the others are left out" "$(winch config --volumes db)" ""
t_exit "a service that is not there" 1 winch config nope
t_like "a service that is not there: message" "$T_OUT" 'no such service: nope'

winch config -o out.yaml
t_is "-o writes the same" "$(cat out.yaml)" "$(winch config)"
t_is "-q prints nothing" "$(winch config -q)" ""

digest=sha256:$(printf x | sha256sum | cut -d' ' -f1)
t_exit "--resolve-image-digests: an image that is not here" 1 winch config --resolve-image-digests
t_like "--resolve-image-digests: message and remedy" "$(tr '\n' ' ' <<<"$T_OUT")" 'digest of image .* is not known.*hint: winch pull'
printf 'services: {a: {image: "busybox@%s", tty: true}}\n' "$digest" >pinned.yaml
t_is "--lock-image-digests: only images" "$(winch -f pinned.yaml config --lock-image-digests)" \
    "services:
  a:
    image: docker.io/library/busybox@$digest"

echo '{"images": [{"name": "t/good:latest", "config": {"Cmd": ["x"]}, "layers": [{"entries": [{"name": "f", "data": "x"}]}]}]}' >recipe.json
"$t_lib/imagekit.py" make recipe.json --layout layout || t_abort "the image could not be made"
lab_kit layout
lab_mirror "$KIT"
printf 'services: {a: {image: t/good, tty: true}}\n' >stored.yaml
t_ok "an image of a registry" winch pull t/good
stored=$(winch image ls --format json | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["Digest"])')
t_is "--lock-image-digests: a stored image" "$(winch -f stored.yaml config --lock-image-digests)" \
    "services:
  a:
    image: docker.io/t/good:latest@$stored"
t_like "--resolve-image-digests prints the rest, too" "$(winch -f stored.yaml config --resolve-image-digests)" '    tty: true'
# what the language drops is told
echo 'services: {a: {image: x, volumes: ["/a:/b:rw,roo", "/c:/d:ro,z,cached"]}}' >dropped.yaml
t_ok "an unknown word of a volume is no error" winch -f dropped.yaml config
t_like "but a warning with its place" "$T_OUT" "dropped.yaml:1:36: warning: services.a.volumes\\[0\\]: option 'roo' is unknown and is left out"
t_like "and the nearest word" "$T_OUT" "did you mean 'ro'"
t_unlike "known ones are none" "$T_OUT" "'(rw|z|cached)' is unknown"

t_done
