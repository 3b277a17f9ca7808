#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trees that nobody may touch.

  canary.py make DIR         a tree with known names, contents, modes, times, attributes
  canary.py print PATH...    one line for each entry below the paths: everything about it but the access time (of
                             the first path's also the link count); and the sysctls that an escape would write
"""
import hashlib
import os
import stat
import sys

SYSCTLS = ("kernel/core_pattern", "kernel/modprobe", "kernel/hotplug")


def make(folder):
    os.makedirs(os.path.join(folder, "dir/deep"))
    os.chmod(folder, 0o755)
    for name, content, mode in (("passwd", "canary:x:0:0\n", 0o644), ("secret", "canary secret\n", 0o600),
                                ("dir/file", "canary file\n", 0o640), ("dir/deep/x", "", 0o755),
                                ("suid", "#!/bin/sh\n", 0o4755)):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(content)
        os.chmod(path, mode)
    os.symlink("passwd", os.path.join(folder, "link"))
    os.link(os.path.join(folder, "secret"), os.path.join(folder, "dir/hard"))
    try:
        os.setxattr(os.path.join(folder, "passwd"), "user.canary", b"alive")
    except OSError:
        pass
    for base, dirs, names in os.walk(folder, topdown=False):
        for name in dirs + names + ["."]:
            os.utime(os.path.join(base, name), (1000000000, 1000000000), follow_symlinks=False)


def entry(path, with_links):
    st = os.lstat(path)
    facts = [path, oct(st.st_mode), st.st_uid, st.st_gid, st.st_mtime_ns, st.st_ino]
    if with_links:
        facts.append(st.st_nlink)
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            facts.append(hashlib.sha256(f.read()).hexdigest())
    elif stat.S_ISLNK(st.st_mode):
        facts.append(os.readlink(path))
    try:
        facts += [f"{a}={os.getxattr(path, a, follow_symlinks=False).hex()}"
                  for a in sorted(os.listxattr(path, follow_symlinks=False))]
    except OSError:
        pass
    return " ".join(str(f) for f in facts)


def show(paths):
    for top in paths:
        found = [top]
        for base, dirs, names in os.walk(top):
            found += [os.path.join(base, n) for n in dirs + names]
        for path in sorted(found):
            try:
                print(entry(path, top is paths[0]))
            except OSError as error:
                print(path, error.strerror)
    for name in SYSCTLS:
        try:
            with open("/proc/sys/" + name, encoding="ascii") as f:
                print(name, f.read().strip())
        except OSError:
            pass


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    show(sys.argv[2:])
