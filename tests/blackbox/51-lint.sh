#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 51-lint.sh - findings as people and programs get them: the line and its mark, JSON, both places of a conflict, and
# what lint says, its exit status, and the comments that silence it.
# limit: 60
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"

# --- findings of a load
cat >compose.yaml <<'YAML'
services:
  wéb: {image: "üü", imagee: x}
  db:
    image: a
	image: b
YAML
t_run winch --progress tty config
t_like "a tab: its line is shown" "$T_OUT" '^    5 \| 	image: b$'
t_is "a tab: the mark stands below it" "$(tail -1 <<<"$T_OUT")" '      | ^'
sed -i 's/^\t/    /' compose.yaml
t_run winch config
t_is "a pipe gets a line for each place" "$(grep -c . <<<"$T_OUT")" "$(grep -cE '^compose.yaml:[0-9]+:[0-9]+: (error|note): |^hint: ' <<<"$T_OUT")"
t_like "two entries: where the second is" "$T_OUT" "^compose.yaml:5:5: error: .*'image'"
t_like "two entries: where the first is" "$T_OUT" "^compose.yaml:4:5: note: "
t_run winch --progress tty config
t_like "a terminal: the first entry's line" "$T_OUT" '^    4 \|     image: a$'
t_like "a terminal: the second entry's line" "$T_OUT" '^    5 \|     image: b$'
t_run winch --progress json config
t_like "JSON: both places" "$T_OUT" '^\{"column":5,"error":true,"file":"compose.yaml",.*"line":5,.*"other":\{"column":5,"file":"compose.yaml","line":4\}\}$'
t_is "JSON: one object a line" "$(python3 -c 'import json, sys; print(sum(json.loads(l)["error"] for l in sys.stdin) > 0)' <<<"$T_OUT")" True
sed -i '$d' compose.yaml
t_exit "an unknown key is refused" 1 winch --progress tty config
t_is "columns are characters, not bytes" "$(grep -B1 -F '| ' <<<"$T_OUT" | tail -2)" '    2 |   wéb: {image: "üü", imagee: x}
      |                      ^'
printf 'services:\n  web: {image: "\033[31mx", imagee: x}\n' >compose.yaml
t_run winch --progress tty config
t_is "nothing in a file steers the terminal" "$(grep -c $'\033' <<<"$T_OUT")" 0

t_exit "JSON: no file at all" 1 winch --progress json -f nowhere.yaml config
t_like "JSON: is an object, too" "$T_OUT" '^\{"error":true,"level":"error","message":".*nowhere.yaml.*"\}$'

# --- lint
cat >compose.yaml <<'YAML'
services:
  web:
    image: nginx:1
    restart: no
YAML
t_ok "a warning alone is no failure" winch lint
t_is "one finding and its remedy" "$T_OUT" "compose.yaml:4:14: warning: services.web.restart: 'no' is a boolean for many readers of YAML, here it is text [unquoted-boolean]
hint: put it in quotes, or write true or false"
t_exit "--strict: it is" 1 winch lint --strict
t_is "findings are the result: standard error is empty" "$(winch lint 2>&1 >/dev/null)" ""
sed -i 's/restart: no/& # winch-lint: ignore=unquoted-boolean/' compose.yaml
t_ok "a comment silences it" winch lint --strict
t_is "nothing is left to say" "$T_OUT" ""
cat >>compose.yaml <<'YAML'
    ports: ["5432:5432"]
    environment: {API_TOKEN: hunter2, HOME_TOKEN: "${NOWHERE:-hunter2}"}
    command: sh -c "migrate && serve"
volumes: {old: }
YAML
t_exit "an error is a failure" 1 winch lint
t_is "their ids, by place" "$(grep -o '\[[a-z-]*\]$' <<<"$T_OUT" | tr -d '\n')" "[published-database][secret-in-environment][shell-signals][unused-resource]"
t_is "the secret is not told" "$(winch --progress tty lint | grep -c hunter2)" 0
t_run winch lint --format json
t_is "JSON: one array" "$(python3 -c '
import json, sys
for f in json.load(sys.stdin): print(f["level"], f["line"], f["id"])' <<<"$T_OUT" | tr '\n' ';')" \
    "error 5 published-database;warning 6 secret-in-environment;warning 7 shell-signals;warning 8 unused-resource;"
t_is "standard input can be linted" "$(winch -f - lint <compose.yaml | sed -n 's/^-:\([0-9]*\):.*\[\(.*\)\]$/\1 \2/p' | head -1)" "5 published-database"
printf 'include: [more.yaml]\nservices: {web: {image: "x:1"}}\n' >compose.yaml
printf '# winch-lint: ignore=image-tag\nservices:\n  a: {image: a}\n  b: {image: b}\n  c: {image: "c:1", user: 010}\n' >more.yaml
t_exit "an included file is linted, at its place" 1 winch lint
t_is "its findings" "$(sed -n 's/^[^ ]*more.yaml:\([0-9]*\):.*\[\(.*\)\]$/\1 \2/p' <<<"$T_OUT" | tr '\n' ';')" "3 image-tag;4 image-tag;5 number-octal;"
printf 'services: {web: {imagee: x}}\n' >compose.yaml
t_exit "a file that is wrong is a failure" 1 winch lint
t_like "and says where" "$T_OUT" '^compose.yaml:1:18: error: '
t_exit "an unknown form is wrong usage" 2 winch lint --format sarif
t_done
