#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What could leak, before and after.  Run inside the lab: its namespaces bound what is seen.

  leakcheck.py snapshot FILE
  leakcheck.py diff FILE [--allow REGEX]... [--wait SECONDS]     prints "KIND: ITEM" for each thing more or less
  leakcheck.py residents                                         "NAME PID FDS RSS_KB PSS_KB" for each process of winch

Kinds: mount, link, addr, route, rule, nft, process, namespace, cgroup, loop, shm, socket, sysctl, file, fds.
Of the state root only what must go with a project counts as file: all but the stores named in KEPT and the empty folders
named in SKELETON.  An allowed line is one that a REGEX matches somewhere.
"""
import argparse
import glob
import hashlib
import json
import os
import re
import subprocess
import sys
import time

KEPT = re.compile(r"^lib/(blobs|layers|images|cache|volumes|projects|trash)(/|$|\.json$)")
# the trees themselves, made once and empty without a project
SKELETON = re.compile(r"^(lib|run|(lib|run)/(containers|networks|projects|netns|netd(/[a-z]+)?|tmp|deleting)|lib/[a-z]+\.lock|winch\.yaml)$")
SYSCTLS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/route_localnet",
           "net/ipv4/conf/default/route_localnet", "net/bridge/bridge-nf-call-iptables", "kernel/core_pattern",
           "kernel/modprobe", "kernel/hotplug")
RESIDENT = re.compile(r"/winch-[a-z]+$|/winch$")


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read().decode("utf-8", "replace")
    except OSError:
        return ""


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False).stdout.splitlines()


def pids():
    me = {os.getpid()}
    pid = os.getppid()
    while pid > 0:  # our own ancestors are the test, not the tested
        me.add(pid)
        fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        pid = int(fields[1]) if len(fields) > 1 else 0
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and int(p) not in me]


def command_line(pid):
    return read(f"/proc/{pid}/cmdline").replace("\0", " ").strip()


def processes():
    for pid in pids():
        words = command_line(pid)
        state = read(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1]
        if state == ["Z"]:
            yield f"{pid} zombie {read(f'/proc/{pid}/comm').strip()}"
        elif words:
            yield f"{pid} {words}"


def namespaces():
    found = {}
    for pid in ["self"] + pids():
        for kind in ("net", "mnt", "user", "pid", "ipc", "uts", "cgroup"):
            try:
                found.setdefault(os.readlink(f"/proc/{pid}/ns/{kind}"), f"process {pid} {command_line(pid)}")
            except OSError:
                pass
        for fd in glob.glob(f"/proc/{pid}/fd/*"):
            try:
                target = os.readlink(fd)
            except OSError:
                continue
            if re.fullmatch(r"(net|mnt|user|pid|ipc|uts|cgroup|time):\[\d+\]", target):
                found.setdefault(target, f"descriptor of {pid} {command_line(pid)}")
    return [f"{name} ({why})" for name, why in found.items()]


def mounts():
    for line in read("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split()
        yield f"{fields[4]} {right.split()[0]} {fields[3]}"


def cgroups(root):
    instance = "winch-" + hashlib.sha256(root.encode()).hexdigest()[:8]
    for folder, dirs, _ in os.walk("/sys/fs/cgroup"):
        yield from (os.path.join(folder, d) for d in dirs if instance in os.path.join(folder, d))


def files(root):
    for folder, dirs, names in os.walk(root):
        for name in dirs + names:
            path = os.path.relpath(os.path.join(folder, name), root)
            if not KEPT.match(path) and not SKELETON.match(path):
                yield path
        dirs[:] = [d for d in dirs if not KEPT.match(os.path.relpath(os.path.join(folder, d), root))]


def sockets():
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        for line in read(f"/proc/net/{kind}").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" or (kind.startswith("udp") and fields[3] == "07"):
                yield f"{kind} {fields[1]}"
    for line in read("/proc/net/unix").splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[3] == "00010000":
            yield f"unix {fields[7]}"


def loops(root):
    for path in glob.glob("/sys/block/loop*/loop/backing_file"):
        backing = read(path).strip()
        if backing.startswith((root, os.environ.get("LAB", root))):
            yield f"{path.split('/')[3]} {backing}"


def without_counters(lines):
    return [re.sub(r"(expires|counter packets) [^}]*", r"\1", line).strip() for line in lines]


def snapshot():
    root = os.environ["WINCH_ROOT"]
    return {
        "mount": sorted(mounts()),
        "link": [re.sub(r"^\d+: ([^:]*):.*", r"\1", line) for line in output("ip", "-o", "link")],
        "addr": [" ".join(line.split()[1:4]) for line in output("ip", "-o", "addr")],
        "route": output("ip", "route", "show", "table", "all") + output("ip", "-6", "route", "show", "table", "all"),
        "rule": output("ip", "rule") + output("ip", "-6", "rule"),
        "nft": without_counters(output("nft", "list", "ruleset")),
        "process": list(processes()),
        "namespace": namespaces(),
        "cgroup": list(cgroups(root)),
        "loop": list(loops(root)),
        "shm": [n for n in os.listdir("/dev/shm") if "winch" in n] if os.path.isdir("/dev/shm") else [],
        "socket": list(sockets()),
        "sysctl": [f"{name} = {read('/proc/sys/' + name).strip()}" for name in SYSCTLS],
        "file": list(files(root)) + ["tmp: " + n for n in os.listdir(os.environ.get("TMPDIR", "/nonexistent"))
                                     if "winch" in n],
        "fds": residents_fds(),
    }


def residents():
    for pid in pids():
        try:
            program = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            continue
        if not RESIDENT.search(program):
            continue
        roll = read(f"/proc/{pid}/smaps_rollup")
        pss = re.search(r"^Pss: *(\d+)", roll, re.M)
        rss = re.search(r"^Rss: *(\d+)", roll, re.M)
        yield (os.path.basename(program), pid, len(glob.glob(f"/proc/{pid}/fd/*")), int(rss[1]) if rss else 0,
               int(pss[1]) if pss else 0)


def residents_fds():
    return [f"{name} {pid} has {fds} descriptors" for name, pid, fds, _, _ in residents()]


def difference(before, after, allowed):
    for kind, items in after.items():
        old = list(before.get(kind, []))
        keys = [re.sub(r" \(.*", "", o) if kind == "namespace" else o for o in old]
        for item in items:
            key = re.sub(r" \(.*", "", item) if kind == "namespace" else item
            if key in keys:
                keys.remove(key)
            elif not any(a.search(f"{kind}: {item}") for a in allowed):
                yield f"{kind}: {item}"
        if kind in ("mount", "link", "addr", "route", "rule", "nft", "sysctl"):
            for item in keys:
                if not any(a.search(f"{kind}: gone: {item}") for a in allowed):
                    yield f"{kind}: gone: {item}"


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("verb", choices=("snapshot", "diff", "residents"))
    options.add_argument("file", nargs="?")
    options.add_argument("--allow", action="append", default=[])
    options.add_argument("--wait", type=float, default=0)
    args = options.parse_args()
    if args.verb == "residents":
        for line in residents():
            print(*line)
        return 0
    if args.verb == "snapshot":
        with open(args.file, "w", encoding="utf-8") as f:
            json.dump(snapshot(), f)
        return 0
    with open(args.file, encoding="utf-8") as f:
        before = json.load(f)
    allowed = [re.compile(a) for a in args.allow]
    end = time.monotonic() + args.wait
    while True:
        found = list(difference(before, snapshot(), allowed))
        if not found or time.monotonic() >= end:
            break
        time.sleep(0.1)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
