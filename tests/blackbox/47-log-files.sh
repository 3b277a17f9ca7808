#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 47-log-files.sh - rotation under a follower, compression, any bytes, since/until/tail, private files, a full disk.
# limit: 240
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done
lab_registry
mkdir files data && cd files || exit 1
leak_before
log_of() { echo "$WINCH_ROOT/lib/containers/$(winch ps -aq "$1")/log"; }
plain() { winch logs --no-color --no-log-prefix "$@"; }
numbered() { # FILE STREAM COUNT: what is wrong with the numbers of one stream
    grep "^$2 " "$1" | awk -v want="$3" '{ n++; if ($2 + 0 != n) { print "line " n " is " $2; exit } } END { if (n != want) print n " lines" }'
}
ended() { w_state_is "$1" exited; }

# --- LOG-03 -----------------------------------------------------------------------------------------------------------
cat >compose.yaml <<'YAML'
services:
  three: {image: busybox, command: ["sh", "-c", "until [ -e /data/go ]; do sleep 0.1; done; exec probe lines 20000 50"], volumes: ["../data:/data:ro"], logging: {options: {max-size: 10k, max-file: "3"}}}
  one: {image: busybox, command: ["sh", "-c", "until [ -e /data/go ]; do sleep 0.1; done; exec probe lines 20000 50"], volumes: ["../data:/data:ro"], logging: {options: {max-size: 10k, max-file: "1"}}}
YAML
t_ok "create" winch up --no-start || t_abort "nothing to look at"
followed() { ! flock -n -x "$(log_of "$1")" true; }
for name in three one; do
    winch start $name >/dev/null 2>&1
    plain -f $name >$name.followed 2>&1 &
    follower=$!
    wait_for 20 followed $name
    touch ../data/go
    wait_for 60 ended $name
    wait $follower
    rm ../data/go
    for stream in out err; do
        t_is "LOG-03 $name: a follower sees each of 20000 lines of $stream, in order, through every rotation" \
            "$(numbered $name.followed $stream 20000)" ""
    done
    t_is "LOG-03 $name: and nothing else" "$(grep -vcE '^(out|err) [0-9]{8}$' $name.followed)" 0
done
touch ../data/go
t_ok "run again, with nobody following" winch start three
wait_for 60 ended three
t_true "LOG-07 only what was allowed is kept ($(du -sb --apparent-size "$(log_of three)" | cut -f1) bytes)" \
    test "$(find "$(log_of three)" -type f -printf '%s\n' | awk '{ s += $1 } END { print s + 0 }')" -le 30720
t_is "LOG-07 in three files" "$(find "$(log_of three)" -type f | wc -l)" 3
t_like "LOG-09 doctor tells what logs take" "$(winch doctor)" 'logs of 2 containers take [0-9]+ MiB, the largest [0-9]+'
t_is "LOG-09 the files are private" "$(find "$(log_of three)" \( -type f ! -perm 600 -o -type d ! -perm 700 \) | wc -l)" 0
t_ok "down" winch down -t 0

# --- compression, since, until, tail across files and restarts ----------------------------------------------------------
cat >compose.yaml <<'YAML'
services:
  packed: {image: busybox, command: ["probe", "lines", "3000", "100"], logging: {options: {max-size: 50k, max-file: "50", compress: "true"}}}
  plain: {image: busybox, command: ["probe", "lines", "3000", "100"], logging: {options: {max-size: 50k, max-file: "50"}}}
YAML
t_ok "up" winch up -d
wait_for 30 ended packed
wait_for 30 ended plain
sleep 1.1
middle=$(date -u +%Y-%m-%dT%H:%M:%S.%NZ)
winch start packed plain >/dev/null 2>&1
wait_for 30 ended packed
wait_for 30 ended plain
log=$(log_of packed)
all_packed() { [ "$(find "$log" -name '*[0-9]' | wc -l)" = 1 ]; }
t_true "compress: all finished files are compressed" wait_for 20 all_packed
t_true "and there are many" test "$(find "$log" -name '*.gz' | wc -l)" -ge 8
t_true "gzip reads them" gzip -t "$log"/*.gz
for name in packed plain; do
    plain $name >$name.all
    t_is "LOG-08 $name: both runs, from the first line" "$(grep -c '^out 0000' $name.all) $(head -1 $name.all)" "6000 out 00000001"
    for n in 0 1 7 999 5000 11999 12000 99999; do
        t_is "LOG-08 $name: --tail $n" "$(plain --tail $n $name | md5sum)" "$(tail -n $n $name.all | md5sum)"
    done
    t_is "LOG-08 $name: --until, the first run" "$(plain --until "$middle" $name | md5sum)" "$(head -6000 $name.all | md5sum)"
    t_is "LOG-08 $name: --since, the second" "$(plain --since "$middle" $name | md5sum)" "$(tail -n 6000 $name.all | md5sum)"
done
cut_at=$(plain -t plain | sed -n 3000p | cut -d' ' -f1)
t_is "LOG-08 a time in the middle divides the lines" \
    "$(($(plain --since "$cut_at" plain | wc -l) + $(plain --until "$cut_at" plain | wc -l) - $(plain -t plain | grep -c "^$cut_at")))" 12000
# a clock that was set back: the last lines have the times of the day before
next=$(find "$(log_of plain)" -type f -printf '%f\n' | sort -n | tail -1)
for i in 1 2 3; do
    printf '{"log":"yesterday %s\\n","stream":"stdout","time":"2020-01-0%sT00:00:00.000000000Z"}\n' $i $i
done >>"$(log_of plain)/$next"
t_is "LOG-08 after the clock went back: --until finds what is older, wherever it is" \
    "$(plain --until 2020-01-02T12:00:00Z plain | tr '\n' ' ')" "yesterday 1 yesterday 2 "
t_is "LOG-08 and --since leaves it out" "$(plain --since 2021-01-01T00:00:00Z plain | grep -c yesterday)" 0
t_is "LOG-08 --tail counts lines as they were written" "$(plain --tail 2 plain | tr '\n' ' ')" "yesterday 2 yesterday 3 "
t_ok "down" winch down -t 0

# --- LOG-06 -----------------------------------------------------------------------------------------------------------
head -c 3000000 /dev/urandom >../data/random
printf 'first\r\nsec\0ond\n\033[31mred\nhalf \xff\xc3 gr\xc3\xbc\xc3\x9f "quoted\\n"' >../data/odd
python3 -c 'import sys; sys.stdout.write("x" * (64 << 20) + "\nend\n")' >../data/long
cat >compose.yaml <<'YAML'
services:
  random: {image: busybox, command: ["cat", "/data/random"], volumes: ["../data:/data:ro"], logging: &all {options: {max-size: 2g}}}
  odd: {image: busybox, command: ["cat", "/data/odd"], volumes: ["../data:/data:ro"], logging: *all}
  long: {image: busybox, command: ["sh", "-c", "cat /data/long; sleep 1000"], volumes: ["../data:/data:ro"], stop_grace_period: 0s, logging: *all}
  empty: {image: busybox, command: ["sh", "-c", "yes '' | head -n 2000000"], logging: *all}
YAML
t_ok "up" winch up -d
for name in random odd empty; do
    wait_for 60 ended $name
done
t_is "LOG-06 three megabytes of anything come back to the byte" "$(plain random | cmp - ../data/random 2>&1)" ""
t_is "LOG-06 control characters, NUL, bad UTF-8, no final newline" "$(plain odd | cmp - ../data/odd 2>&1)" ""
t_is "LOG-06 two million empty lines" "$(plain empty | wc -lc | xargs)" "2000000 2000000"
whole() { [ "$(plain --tail 1 long)" = end ]; }
wait_for 60 whole
t_is "LOG-06 a line of 64 MiB" "$(plain long | cmp - ../data/long 2>&1)" ""
t_is "LOG-06 its end is the last line but one" "$(plain --tail 2 long | cmp - ../data/long 2>&1)" ""
rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$(w_resident monitor)/status")
case $t_build in */asan) most=32768 ;; *) most=4096 ;; esac # the sanitizer's own memory
t_true "LOG-06 the monitor took $rss KiB at most" test "$rss" -lt "$most"
t_is "LOG-06 every record is JSON" "$(cat "$(log_of random)"/* "$(log_of odd)"/* | python3 -c '
import json, sys
for line in sys.stdin.buffer:
    json.loads(line)
print("ok")' 2>&1 | tail -1)" ok
t_ok "down" winch down -t 0

# --- LOG-09, RES: a name that is a link, a disk that is full -------------------------------------------------------------
cat >compose.yaml <<'YAML'
services:
  full: {image: busybox, command: ["probe", "lines", "0", "200"], stop_grace_period: 0s, logging: {options: {max-size: 64k, max-file: "5"}}}
YAML
t_ok "create" winch up --no-start
log=$(log_of full)
mkdir -p "$log" && mount -t tmpfs -o size=256k,mode=700 none "$log"
winch start full >/dev/null 2>&1
wait_for 10 test -s "$log/1"
echo untouched >../victim && ln -s "$PWD/../victim" "$log/2"
longer() { [ "$(stat -c %s "$log/1")" -gt 70000 ]; }
t_true "LOG-09 a link in the place of the next file: the old one goes on" wait_for 20 longer
t_is "LOG-09 and it is not followed" "$(cat ../victim)" untouched
rm "$log/2"
t_true "LOG-09 without it, there is a next file" wait_for 20 test -s "$log/2"
dd if=/dev/zero of="$log/ballast" bs=4k >/dev/null 2>&1
lost() { [ "$(w_ps full LogLinesLost)" -gt 0 ]; }
t_true "the disk is full: ps tells that lines were lost" wait_for 20 lost
t_like "in words, too" "$(winch ps full)" '[0-9]+ log lines lost'
rm "$log/ballast"
told() { plain full | grep -qE '^winch: [0-9]+ lines of output were lost: No space left on device$'; }
t_true "with space again, the log goes on and says how many" wait_for 20 told
t_is "what is there is in order" \
    "$(plain full | grep '^out ' | awk '{ if ($2 + 0 <= last) { print $2 " after " last; exit } last = $2 + 0 }')" ""
t_ok "stop" winch stop -t 0
umount "$log"
t_ok "down" winch down -t 0
t_no_leak "nothing is left"
t_done
