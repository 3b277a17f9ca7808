#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 11-stack-data.sh - documents outlive down and up; down -v takes the volume; each down leaves nothing.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
# shellcheck source=tests/lib/leakcheck.sh
. "$t_lib/leakcheck.sh"
lab_registry
cp -r "$t_top/examples/compose/nginx-uwsgi-mongo" stack && cd stack || exit 1
leak_before

t_ok "up" winch up -d --wait || t_abort "nothing to look at"
t_ok "ten documents" ./test.sh http://127.0.0.1:8080 10
t_ok "down" winch down
t_no_leak "LEK-01 the first down leaves nothing"
registry_stop # what was pulled is here: the second up asks nobody
leak_before   # (the registry's socket is gone)
t_ok "up again, without the registry" winch up -d --wait
t_is "the documents are still there" "$(curl -s http://127.0.0.1:8080/documents)" '{"count": 10}'
t_ok "ten more" ./test.sh http://127.0.0.1:8080 10
t_like "counted on" "$T_OUT" '10 documents before, 20 now'
t_ok "down -v" winch down -v
t_true "the volume is gone" test ! -e "$WINCH_ROOT/lib/volumes/stack_documents"
t_is "volume ls agrees" "$(winch volume ls | grep -c stack_documents)" 0
t_no_leak "LEK-01 down -v leaves nothing"
t_ok "up from an empty volume" winch up -d --wait
t_is "no document" "$(curl -s http://127.0.0.1:8080/documents)" '{"count": 0}'
t_ok "down -v from another folder, by the project's name" bash -c 'cd / && winch -p stack down -v'
t_no_leak "LEK-01 and leaves nothing"
t_done
