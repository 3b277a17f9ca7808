#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 63-run.sh - one-off containers: their streams, codes, options, what they start, and that they go when they should.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
# shellcheck source=tests/lib/leakcheck.sh
. "$t_lib/leakcheck.sh"
lab_registry
mkdir once && cd once || exit 1
port=$(w_free_port) other=$(w_free_port)
cat >compose.yaml <<YAML
services:
  db:
    image: busybox
    command: ["probe", "hold"]
    healthcheck: {test: ["CMD", "true"], interval: 200ms}
  job:
    image: busybox
    command: ["sh", "-c", "echo own command"]
    environment: {A: "1", B: "2"}
    working_dir: /tmp
    restart: always
    ports: ["$port:80"]
    depends_on: {db: {condition: service_healthy}}
    volumes: ["/anonymous"]
    stop_grace_period: 1s
YAML
winch pull -q >/dev/null 2>&1
leak_before
run() { winch run -T --rm --quiet "$@"; }
left() { winch ps -a -q | wc -l; }

t_is "RUN the service's command" "$(run job </dev/null)" "own command"
t_is "its dependency runs, and was waited for" "$(w_ps db Health)" healthy
t_is "the service itself was not started" "$(w_ps job Name)" ""
t_is "--rm leaves no container" "$(left)" 1
t_is "nor its anonymous volume" "$(winch volume ls -q 2>/dev/null | wc -l)" 0
t_exit "the exit code is the command's" 42 run job sh -c 'exit 42'
t_exit "137 for a killed one" 137 run job sh -c 'sh -c "kill -9 \$\$"; exit $?'
t_exit "127 for one that is not there" 127 run job /none
t_exit "126 for one that cannot be executed" 126 run job /etc
t_is "and nothing of them is left" "$(left)" 1
t_is "standard input comes" "$(echo typed | run job cat)" typed
t_is "its end, too" "$(printf 'a\nb\n' | run job wc -l)" 2
t_is "nothing of it with --interactive=false" "$(echo typed | run --interactive=false job cat)" ""
t_is "output and errors stay apart" "$(run job sh -c 'echo out; echo err >&2' 2>/dev/null </dev/null)" out
run job sh -c 'head -c 30000000 /dev/urandom | tee /dev/stderr | sha256sum | cut -d" " -f1 >/tmp/x; cat /tmp/x' 2>bytes >sum </dev/null
t_is "30 MB arrive whole" "$(sha256sum <bytes | cut -d' ' -f1)" "$(cat sum)"
# shellcheck disable=SC2016 # nobody is to expand them
t_is "words with \$ are no templates" "$(run job echo '$HOME ${A} $$' </dev/null)" '$HOME ${A} $$'
# shellcheck disable=SC2016
t_is "-e and its likes" "$(C=3 run -e A=x -e C job sh -c 'echo $A$B$C' </dev/null)" x23
printf 'A=file\nD="four four"\n' >vars
# shellcheck disable=SC2016
t_is "--env-from-file" "$(run --env-from-file vars -e B=b job sh -c 'echo $A $B $D' </dev/null)" "file b four four"
t_is "-u" "$(run -u 12:34 job id -u </dev/null)" 12
t_is "-w" "$(run -w /etc job pwd </dev/null)" /etc
t_is "--entrypoint drops the command" "$(run --entrypoint 'echo other' job </dev/null)" other
t_is "and takes arguments" "$(run --entrypoint echo job some words </dev/null)" "some words"
mkdir shared && echo inside >shared/file
t_is "-v" "$(run -v ./shared:/s job cat /s/file </dev/null)" inside
t_is "--cap-drop" "$(run --cap-drop ALL job grep CapBnd /proc/self/status </dev/null | awk '{ print $2 }')" 0000000000000000
t_exit "an unknown service" 1 run nobody
t_like "is named" "$T_OUT" 'no such service: nobody'
t_exit "a bad volume" 1 run -v nonsense:x:y:z job
t_exit "--build says that there is none" 1 run --build job

# ---- in the background ----
t_ok "-d" winch run -d --name once-bg -l color=red job sleep 600
t_like "prints its name" "$T_OUT" '^once-bg$'
t_is "ps does not show it" "$(winch ps --format json | jq -r .Name | xargs)" once-db-1
t_like "ps -a does" "$(winch ps -a --format json | jq -r '.Name + " " + .State + " " + .Labels' | grep once-bg)" 'once-bg running .*color=red.*oneoff=True'
t_exit "its name is taken" 1 winch run -d --name once-bg job sleep 1
t_like "and that is told" "$T_OUT" 'already in use'
t_exit "exec means the service" 1 winch exec -T job true
t_is "no port is published" "$(winch ps -a --format json | jq -r 'select(.Name == "once-bg") | .Ports')" ""
t_ok "stop leaves it alone" winch stop -t 0
t_is "it runs" "$(winch ps -a --format json | jq -r 'select(.Name == "once-bg") | .State')" running
w_kill supervisor
t_ok "up, with another supervisor" winch up -d
t_like "has the service and it" "$(winch ps -a --format json | jq -r '.Name + ":" + .State' | sort | xargs)" \
    '^once-bg:running once-db-1:running once-job-1:(restarting|running|exited)$' # it ends at once, again and again
t_ok "down without orphans" winch down -t 0
t_is "leaves it" "$(winch ps -a --format json | jq -r .Name)" once-bg
t_ok "down with orphans" winch down -t 0 --remove-orphans
t_is "does not" "$(left)" 0

# ---- ports and names ----
serve() { winch run -d --rm "$@" job sh -c 'mkdir -p /tmp/w; echo page >/tmp/w/index.html; httpd -f -p 80 -h /tmp/w'; }
t_ok "-P" serve -P --no-deps
page() { [ "$(curl -s --max-time 2 "http://127.0.0.1:$1")" = page ]; }
t_true "publishes the service's port" wait_for 5 page "$port"
t_is "--no-deps starts nothing else" "$(winch ps --format json | wc -l)" 0
winch down -t 0 --remove-orphans >/dev/null 2>&1
t_ok "-p" serve -p "$other:80" --no-deps
t_true "publishes that port" wait_for 5 page "$other"
t_exit "but not the service's" 7 curl -s --max-time 2 "http://127.0.0.1:$port"
t_exit "it does not answer to the service's name" 1 run --no-deps job probe resolve job
winch down -t 0 --remove-orphans >/dev/null 2>&1
t_ok "--use-aliases" serve --use-aliases
t_ok "it does with aliases" run --no-deps job probe resolve job
winch kill >/dev/null 2>&1
winch down -t 0 --remove-orphans >/dev/null 2>&1

# ---- who goes when ----
winch run -T --rm --no-deps --quiet --name once-a job sh -c 'trap "exit 5" TERM; echo ready; while :; do usleep 20000; done' >out 2>&1 &
client=$!
ready() { grep -q ready out; }
wait_for 10 ready
kill -TERM $client
wait $client
t_is "a signal is passed on, and its code comes back" $? 5
: >out
winch run -T --rm --no-deps --quiet --name once-b job sh -c 'echo ready; sleep 2' >out 2>&1 </dev/null &
client=$!
wait_for 10 ready
kill -KILL $client
wait $client 2>/dev/null
t_like "the caller dies, its container goes on" "$(winch ps -a --format json | jq -r '.Name + " " + .State')" 'once-b running'
gone() { [ "$(left)" = 0 ]; }
t_true "SUP and --rm happens all the same" wait_for 8 gone
: >out
winch run -T --rm --no-deps --quiet --name once-c job sh -c 'echo ready; sleep 2; exit 9' >out 2>&1 </dev/null &
client=$!
wait_for 10 ready
w_kill supervisor
wait $client
t_is "the supervisor dies, the code comes all the same" $? 9
t_true "and the container goes" wait_for 5 gone
winch run -T --rm --no-deps --quiet --name once-d job sh -c 'sleep 1' >out 2>&1 </dev/null &
client=$!
runs() { winch ps -a --format json | jq -r .State | grep -q running; }
wait_for 10 runs
w_kill supervisor
kill -9 $client
wait $client 2>/dev/null
t_true "both die, --rm happens" wait_for 10 gone

# ---- a terminal ----
cat >term.py <<'PY'
import os, pty, select, sys, time
words, script = sys.argv[1:-1], sys.argv[-1]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(words[0], words)
text, sent, end = b"", False, time.time() + 8
while time.time() < end:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        text += data
    if not sent and b"# " in text:
        os.write(fd, script.encode() + b"\n")
        sent = True
if time.time() >= end:
    os.kill(pid, 9)
status = os.waitpid(pid, 0)[1]
print(text.decode(errors="replace").replace("\r", ""))
print("code", os.waitstatus_to_exitcode(status))
PY
t_run python3 term.py winch run --rm --no-deps --quiet -e "PS1=# " job sh "tty; exit 3"
t_like "there is one" "$T_OUT" '^/dev/pts/0$'
t_like "and the code comes" "$T_OUT" '^code 3$'
t_run python3 term.py winch run --rm --no-deps --quiet job echo "quick" "x"
t_like "nothing is lost of a short one" "$T_OUT" '^quick$'
t_run python3 term.py winch run -T --rm --no-deps --quiet job sh -c "tty; echo T" "x"
t_like "with -T there is none" "$T_OUT" '^not a tty$'
t_true "all are gone" wait_for 5 gone

# whoever reads the terminal dies: somebody else reads on.  A known defect: in one of two runs nobody does, and a program that writes
# more than the terminal holds waits until the next signal.
t_skip "a terminal's caller is killed" "the monitor misses the rest of the output in one of two runs"

t_exit "without --rm" 4 winch run -T --no-deps --name once-kept job sh -c "exit 4"
t_is "it stays, with its code" "$(winch ps -a --format json | jq -r '.Name + " " + .State + " " + (.ExitCode | tostring)')" "once-kept exited 4"
t_ok "rm" winch rm -f -v
t_is "removes it" "$(left)" 0
t_ok "down" winch down -v -t 0 --remove-orphans
t_no_leak "LEK-01 nothing is left"
t_done
