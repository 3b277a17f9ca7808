#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# logpeer.py KIND ADDRESS OUT - plays a log daemon. KIND: unixgram or unix (ADDRESS: path), udp or tcp (ADDRESS: port on
# loopback). Datagrams are written to OUT as "LENGTH\n", their bytes and "\n", streams as they are. SIGUSR1: reads no more until
# the next one. OUT.ready exists when it listens.
import os, select, signal, socket, sys

kind, address, out = sys.argv[1:4]
family = socket.AF_UNIX if kind.startswith("unix") else socket.AF_INET
stream = kind in ("unix", "tcp")
sock = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
if family == socket.AF_UNIX:
    if os.path.exists(address):
        os.unlink(address)
    sock.bind(address)
else:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", int(address)))
reads = True


def toggle(signo, frame):
    global reads
    reads = not reads


signal.signal(signal.SIGUSR1, toggle)
sinks = [sock]
if stream:
    sock.listen(8)
open(out + ".ready", "w").close()
with open(out, "ab", buffering=0) as file:
    while True:
        ready, _, _ = select.select(sinks if reads else [], [], [], 0.1)
        for one in ready:
            if stream and one is sock:
                sinks.append(sock.accept()[0])
                continue
            data = one.recv(1 << 20)
            if stream:
                if not data:
                    sinks.remove(one)
                file.write(data)
            else:
                file.write(b"%d\n" % len(data) + data + b"\n")
