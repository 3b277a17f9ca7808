#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""within.py OUTPUT COMMAND... - runs a command for at most 10 s, writes both its streams to OUTPUT and prints
"STATUS MILLISECONDS KILOBYTES": exit status (-N: by signal N), processor time, and the most memory it had at once. Processor
time, so that a busy machine changes nothing; counted for the command and what it waited for."""
import os
import signal
import sys

pid = os.fork()
if pid == 0:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(out)
    os.execvp(sys.argv[2], sys.argv[2:])
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(10)
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), int((usage.ru_utime + usage.ru_stime) * 1000), usage.ru_maxrss)
