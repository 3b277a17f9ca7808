#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# winch.sh - what scripts ask of a running project; source it after lab_enter, use it in the project's folder.
#
#   w_ps SERVICE FIELD         a field of `winch ps -a --format json` (of the first replica)
#   w_pid SERVICE              its first process; w_ip SERVICE: its address on eth0, as the kernel has it
#   w_resident NAME            the processes of winch-NAME (supervisor, netd, monitor)
#   w_kill NAME                kill -9 of all of these
#   w_events PROJECT           the journal, one JSON object a line
#   w_free_port                a TCP port that nobody has
w_ps() { winch ps -a --format json "$1" | jq -rs ".[0].$2 // empty"; }
w_pid() { w_ps "$1" Pid; }

w_ip() {
    local pid
    pid=$(w_pid "$1")
    [ "${pid:-0}" -gt 0 ] && nsenter -t "$pid" -n ip -o -4 addr show eth0 | awk '{ sub("/.*", "", $4); print $4 }'
}

w_state_is() { [ "$(w_ps "$1" State)" = "$2" ]; }
w_health_is() { [ "$(w_ps "$1" Health)" = "$2" ]; }

# SERVICE runs, healthy where it has a check, with another first process than OLD_PID
w_is_back() { # SERVICE OLD_PID
    local facts
    facts=$(winch ps -a --format json "$1" | jq -rs '.[0] | "\(.Pid) \(.State) \(.Health)"')
    case $facts in
    "$2 "* | "0 "*) return 1 ;;
    *" running healthy" | *" running ") return 0 ;;
    esac
    return 1
}

w_resident() {
    local exe
    for exe in /proc/[0-9]*/exe; do
        case $(readlink "$exe") in
        */winch-"$1") basename "$(dirname "$exe")" ;;
        esac
    done
}

w_kill() {
    local pid
    for pid in $(w_resident "$1"); do
        kill -9 "$pid" 2>/dev/null
    done
    return 0
}

w_events() { cat "$WINCH_ROOT/lib/projects/$1/events.1" "$WINCH_ROOT/lib/projects/$1/events" 2>/dev/null; }

w_free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
