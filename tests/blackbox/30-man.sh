#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 30-man.sh - the manual page tells what the program tells: every command, every option, nothing else.
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
page=$t_top/docs/man/winch.1
winch=$t_build/bin/winch
# seen failing: with the lines of --tail taken out of the page
t_is "the page is what tests/lib/man.sh makes of --help (make man)" "$(diff "$page" <("$t_lib/man.sh" "$winch") | head -20)" ""
text=$(sed 's/\\-/-/g; s/\\&//g' "$page")
section() { awk -v name="winch $1" '/^\.S[HS] / { on = index($0 " ", ".SS " name " ") == 1 } on' <<<"$text"; }
for command in $("$winch" --help | sed -n '/^Commands:/,/^$/p' | awk 'NF && $1 != "Commands:" { print $1 }'); do
    section "$command" >"${TMPDIR:-/tmp}/man.$$"
    missing=
    for option in $("$winch" "$command" --help | sed -n '/^Options:/,$p' | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
        grep -qE -e "(^|[^a-z-])$option([^a-z-]|\$)" "${TMPDIR:-/tmp}/man.$$" || missing+=" $option"
    done
    t_true "winch $command has its section" test -s "${TMPDIR:-/tmp}/man.$$"
    t_is "winch $command: every option is there" "$missing" ""
done
rm -f "${TMPDIR:-/tmp}/man.$$"
if command -v man >/dev/null; then
    t_is "man has nothing to complain about" "$(man --warnings -l "$page" 2>&1 >/dev/null)" ""
fi
t_done
