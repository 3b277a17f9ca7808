#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 48-log-drivers.sh - journald and syslog get every line in their form; a peer that is slow or away holds nothing up.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir drivers && cd drivers || exit 1
leak_before
mount -t tmpfs -o mode=755 none /run # a journal of our own
mkdir -p /run/systemd/journal
peer() { # KIND ADDRESS NAME
    rm -f "$LAB/$3" "$LAB/$3.ready"
    "$t_lib/logpeer.py" "$1" "$2" "$LAB/$3" &
    eval "peer_$3=$!"
    wait_for 10 test -e "$LAB/$3.ready" || t_abort "no peer $3"
}
entries() { # datagrams of the journal as JSON lines
    python3 - "$LAB/$1" <<'PY'
import json, sys
data, at = open(sys.argv[1], "rb").read(), 0
while at < len(data):
    end = data.index(b"\n", at)
    size = int(data[at:end])
    part, at, entry = data[end + 1:end + 1 + size], end + 2 + size, {}
    assert len(part) == size
    while part:
        line, _, rest = part.partition(b"\n")
        if b"=" in line:
            key, _, value = line.partition(b"=")
        else:
            key, length = line, int.from_bytes(rest[:8], "little")
            value, rest = rest[8:8 + length], rest[8 + length + 1:]
        entry[key.decode()], part = value.decode("latin1"), rest
    print(json.dumps(entry))
PY
}

# --- journald ---------------------------------------------------------------------------------------------------------
peer unixgram /run/systemd/journal/socket journal
cat >compose.yaml <<'YAML'
services:
  web:
    image: busybox
    labels: {com.example.team: blue, other: x}
    environment: {STAGE: test}
    command: ["sh", "-c", "echo hello; echo oops >&2; head -c 20000 /dev/zero | tr '\\0' x"]
    logging:
      driver: journald
      options: {tag: "{{.ImageName}}/{{.Name}}/{{.ID}}", labels: com.example.team, env: STAGE}
YAML
t_ok "up" winch up -d
ended() { w_state_is "$1" exited; }
wait_for 20 ended web
sleep 0.2
entries journal >seen
id=$(winch ps -aq --no-trunc web)
first=$(grep '"hello"' seen)
field() { jq -r ".$2 // empty" <<<"$1"; }
while read -r name wanted; do
    t_is "journald: $name" "$(field "$first" "$name")" "$wanted"
done <<LIST
MESSAGE hello
PRIORITY 6
CONTAINER_NAME drivers-web-1
CONTAINER_ID ${id:0:12}
CONTAINER_ID_FULL $id
IMAGE_NAME busybox
CONTAINER_TAG busybox/drivers-web-1/${id:0:12}
SYSLOG_IDENTIFIER busybox/drivers-web-1/${id:0:12}
COM_EXAMPLE_TEAM blue
STAGE test
LIST
t_is "journald: what was not asked for is not sent" "$(field "$first" OTHER)" ""
t_is "journald: standard error is an error" "$(field "$(grep oops seen)" PRIORITY)" 3
t_is "journald: pieces of a long line say so" "$(grep -c '"CONTAINER_PARTIAL_MESSAGE": "true"' seen)" 2
t_is "journald: the long line is whole" "$(grep xxx seen | jq -r '.MESSAGE' | tr -d '\n' | wc -c)" 20000
t_is "winch logs shows the same" "$(winch logs --no-log-prefix web | grep -c -e hello -e oops)" 2
t_ok "down" winch down -t 0

# --- a journal that does not read -----------------------------------------------------------------------------------------
cat >compose.yaml <<'YAML'
services:
  many: {image: busybox, command: ["probe", "lines", "100000", "0"], logging: {driver: journald, options: {cache-max-size: 100m}}}
YAML
# shellcheck disable=SC2154 # set by peer
kill -USR1 "$peer_journal"
begin=$(now_ms)
winch up -d >/dev/null 2>&1
wait_for 60 ended many
t_true "journald: a journal that stands still: 200,000 lines in $(($(now_ms) - begin)) ms" test $(($(now_ms) - begin)) -lt 30000
lost=$(w_ps many LogLinesLost)
t_true "journald: ps tells the $lost lines that it did not get" test "$lost" -gt 1000
t_is "journald: the file has them all" "$(winch logs --no-log-prefix many | wc -l)" 200000
kill -USR1 "$peer_journal"
sleep 1
got=$(entries journal | grep -c '"CONTAINER_NAME": "drivers-many-1"')
marks=$(entries journal | grep -c 'lines of output were lost')
t_is "journald: what it got and what was lost is all" "$((got - marks + lost))" 200000
t_ok "down" winch down -t 0
kill "$peer_journal"

# --- syslog ---------------------------------------------------------------------------------------------------------------
port=$(w_free_port)
for kind in unixgram unix udp tcp; do
    case $kind in
    unix*) target=unix://$LAB/sock address=$LAB/sock ;;
    *) target=$kind://localhost:$port address=$port ;;
    esac
    peer $kind "$address" syslog
    cat >compose.yaml <<YAML
services:
  web:
    image: busybox
    labels: {team: 'a "b"]'}
    command: ["sh", "-c", "echo hello; echo oops >&2; sleep 0.2"]
    logging:
      driver: syslog
      options: {syslog-address: "$target", syslog-facility: local3, syslog-format: rfc5424micro, tag: "my tag", labels: team}
YAML
    winch up -d >/dev/null 2>&1
    wait_for 20 ended web
    wait_for 5 grep -q oops "$LAB/syslog"
    t_like "syslog over $kind: RFC 5424, info" "$(cat "$LAB/syslog")" \
        "^<158>1 [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z $(hostname) my_tag [0-9]+ my_tag \[winch@32473 team=\"a \\\\\"b\\\\\"\\\\\\]\"\] hello$"
    t_like "syslog over $kind: and error" "$(cat "$LAB/syslog")" '^<155>1 .* oops$'
    winch down -t 0 >/dev/null 2>&1
    # shellcheck disable=SC2154 # set by peer
    kill "$peer_syslog"
done
cat >compose.yaml <<YAML
services:
  away: {image: busybox, command: ["probe", "lines", "500", "1000"], logging: {driver: syslog, options: {syslog-address: "tcp://127.0.0.1:$port"}}}
YAML
t_ok "syslog: a peer that is away is no reason not to start" winch up -d
sleep 0.2
peer tcp "$port" syslog
wait_for 20 ended away
last() { grep -q 'err 00000500$' "$LAB/syslog"; }
t_true "syslog: it gets everything when it is back" wait_for 10 last
t_is "syslog: each line, in order" "$(grep -o 'out [0-9]*$' "$LAB/syslog" | awk '{ n++; if ($2 + 0 != n) exit } END { print n }')" 500
t_like "syslog: in the form of local daemons" "$(head -1 "$LAB/syslog")" '^<30>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} [0-9a-f]{12}\[[0-9]+\]: out 00000001$'
t_is "syslog: nothing lost" "$(w_ps away LogLinesLost)" 0
t_ok "down" winch down -t 0
kill "$peer_syslog"

# --- what is refused, at its place -----------------------------------------------------------------------------------------
refused() { # LOGGING WHAT
    printf 'services:\n  a:\n    image: busybox\n    logging: %s\n' "$1" >compose.yaml
    t_run winch up --no-start
    t_like "refused: $2" "$T_OUT" "compose.yaml:4:[0-9]+: .*$2"
}
refused '{driver: gelf}' "logging.driver: 'gelf' is not supported"
refused '{driver: syslog, options: {syslog-address: "tcp+tls://1.2.3.4"}}' 'logging.options.syslog-address'
refused '{driver: syslog, options: {syslog-address: "udp://logs.example.com"}}' 'numeric address'
refused '{driver: syslog, options: {syslog-format: rfc9}}' 'logging.options.syslog-format'
refused '{driver: syslog, options: {max-size: 1m}}' 'logging.options.max-size'
refused '{driver: journald, options: {mode: blocking}}' 'logging.options.mode'
refused '{driver: none, options: {max-size: 1m}}' 'no options'
refused '{options: {tag: "{{.Nope}}"}}' 'logging.options.tag'
refused '{options: {max-file: "0"}}' 'a number from 1 to 1000'
refused '{options: {max-sise: 1m}}' 'logging.options.max-sise'

# --- attributes, none, no cache ---------------------------------------------------------------------------------------------
cat >compose.yaml <<'YAML'
services:
  tagged: {image: busybox, labels: {team: blue}, command: ["echo", "one"], logging: {options: {tag: "{{.Name}}", labels: team}}}
  quiet: {image: busybox, command: ["echo", "two"], logging: {driver: none}}
YAML
t_ok "up" winch up -d
wait_for 20 ended tagged
t_is "json-file: attributes" "$(jq -rS '.attrs | tojson' "$WINCH_ROOT/lib/containers/$(winch ps -aq tagged)/log/1")" '{"tag":"drivers-tagged-1","team":"blue"}'
t_is "json-file: which winch logs reads over" "$(winch logs --no-log-prefix tagged)" one
t_like "none: winch logs says so" "$(winch logs quiet 2>&1)" 'quiet-1 keeps no log here'
t_ok "down" winch down -t 0
umount /run
t_no_leak "nothing is left"
t_done
