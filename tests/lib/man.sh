#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# man.sh [WINCH] - prints the manual page winch(1): the texts below, and from `winch --help` and `winch COMMAND --help` every
# command and option, so that the page cannot tell anything else than the program.  `make man` writes docs/man/winch.1.
set -euo pipefail
winch=${1:-$(dirname "$0")/../../build/bin/winch}

roff() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^[.']/\\\\\&&/"; }

# Lines "  -x, --name VALUE   what it does" (a wide left side has its text on the next line) → .TP entries
options() {
    awk '
        function escaped(s) { gsub(/\\/, "\\e", s); gsub(/-/, "\\-", s); return s ~ /^[.\x27]/ ? "\\&" s : s }
        function flush() { if (left != "") printf ".TP\n.B %s\n%s\n", escaped(left), text == "" ? "\\&" : escaped(text); left = text = "" }
        { line = $0; sub(/^ +/, "", line) }
        line ~ /^-/ {
            flush()
            at = match(line, /   +/)
            left = at ? substr(line, 1, at - 1) : line
            text = at ? substr(line, at + RLENGTH) : ""
            next
        }
        text == "" { text = line }
        END { flush() }'
}

command_section() { # NAME
    local help
    help=$("$winch" help "$1")
    printf '.SS %s\n' "$(sed -n '1s/^Usage: //p' <<<"$help" | roff)"
    sed -n '3p' <<<"$help" | roff
    # its own words: one command is a program that is handed over to, with commands of its own
    help=$("$winch" "$1" --help)
    sed -n '/^Options:/,/^Commands:/p' <<<"$help" | sed -e 1d -e '/^Commands:/d' | options
    sed -n '/^Commands:/,$p' <<<"$help" | sed -nE 's/^  ([a-z-]+) +(.*)$/.TP\n.B \1\n\2/p'
}

printf '.\\" made by tests/lib/man.sh from the output of winch --help\n'
printf '.TH WINCH 1 "" "%s" "User commands"\n' "$("$winch" --version | head -1 | roff)"
cat <<'TEXT'
.SH NAME
winch \- run compose files on this host
.SH SYNOPSIS
.B winch
.RI [ OPTIONS ]
.I COMMAND
.RI [ ARGS ]
.SH DESCRIPTION
.B winch
reads a compose file, compares it with what runs, prints and carries out the difference, and keeps the result running.
It brings an engine of its own: images, containers, networks, names and volumes need no other daemon.
.PP
The compose file is the first of
.IR compose.yaml ", " compose.yml ", " docker\-compose.yml ", " docker\-compose.yaml
in the current folder or one of its parents, with the override file beside it.
What the file says is obeyed or refused with its place (file:line:column); nothing is ignored in silence.
.SH OPTIONS
TEXT
"$winch" --help | sed -n '/^Options:/,/^$/p' | sed 1d | options
echo '.SH COMMANDS'
for name in $("$winch" --help | sed -n '/^Commands:/,/^$/p' | awk 'NF && $1 != "Commands:" { print $1 }'); do
    command_section "$name"
done
cat <<'TEXT'
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
failed; the reason is the line on standard error that begins with "error:", and a line "hint:" says how to go on
.TP
.B 2
wrong usage
.TP
.B 126, 127
.BR exec :
the command cannot be executed, is not found; otherwise its own exit status
.TP
.B 130
interrupted
.SH ENVIRONMENT
.TP
.B WINCH_ROOT
as
.B \-\-root
.TP
.B WINCH_CONFIG
the host's configuration instead of
.I /etc/winch/winch.yaml
.TP
.B COMPOSE_FILE, COMPOSE_PROJECT_NAME, COMPOSE_PROFILES
defaults of
.BR \-\-file ", " \-\-project\-name ", " \-\-profile
.TP
.B NO_COLOR
no colours
.SH FILES
.TP
.I /etc/winch/winch.yaml
registries: mirrors and registries without TLS
.TP
.I /var/lib/winch
images, containers, volumes, networks, projects; survives a reboot
.TP
.I /run/winch
sockets, status, mounts; dies with the boot
.SH EXAMPLES
.nf
winch up \-d \-\-wait
winch ps
winch logs \-f web
winch exec web sh
winch down
.fi
TEXT
