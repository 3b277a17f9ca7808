#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 44-variables.sh - the COMPOSE_ variables that stand for options, from the environment and from .env.
# limit: 60
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
x-one: &one {image: busybox, command: [sleep, infinity], init: true}
services: {a: *one, b: *one, c: *one, d: *one}
YAML
# the most operations that were under way at once, by the progress lines
most() {
    python3 -c '
import json, sys
busy, most = set(), 0
for line in sys.stdin:
    e = json.loads(line)
    if "word" not in e and "text" not in e: continue
    key = (e.get("id") or e.get("resource"), e.get("name"))
    (busy.discard if e.get("status") in ("Done", "Error") or e.get("done") else busy.add)(key)
    most = max(most, len(busy))
print(most)'
}
winch up --no-start >/dev/null 2>&1
winch --progress json up -d 2>progress
t_true "without a limit several start at once ($(most <progress))" test "$(most <progress)" -ge 2
winch --progress json stop -t 0 2>/dev/null
winch --parallel 1 --progress json up -d 2>progress
t_is "--parallel 1: one at a time" "$(most <progress)" 1
winch --progress json stop -t 0 2>/dev/null
COMPOSE_PARALLEL_LIMIT=1 COMPOSE_PROGRESS=json winch up -d 2>progress
t_is "COMPOSE_PARALLEL_LIMIT and COMPOSE_PROGRESS do the same" "$(most <progress)" 1
t_exit "a limit that is none" 2 env COMPOSE_PARALLEL_LIMIT=many winch up -d
t_like "is named with its place" "$T_OUT" "COMPOSE_PARALLEL_LIMIT \(environment\): 'many'"
t_exit "--progress knows its words" 2 winch --progress loud ps
t_exit "what is not done is refused" 1 env COMPOSE_COMPATIBILITY=true winch up -d

# orphans
sed -i 's/, d: \*one//' compose.yaml
t_ok "up with an orphan" winch up -d
t_like "warns" "$T_OUT" 'orphan'
t_ok "up with COMPOSE_IGNORE_ORPHANS" env COMPOSE_IGNORE_ORPHANS=1 winch up -d
t_unlike "does not" "$T_OUT" 'orphan'
echo COMPOSE_REMOVE_ORPHANS=true >.env
t_ok "up with COMPOSE_REMOVE_ORPHANS in .env" winch up -d
t_is "removes it" "$(winch ps -a --services | sort | tr '\n' ' ')" "a b c "
# shellcheck disable=SC2016
t_is "an env file that is a pipe is read once" "$(winch --env-file <(echo V=piped) -f <(echo 'services: {a: {image: "x:$V"}}') config --images)" x:piped
t_ok "down" winch down -t 0
t_no_leak "nothing is left"
t_done
