#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 62-cp.sh - cp into and out of containers: names as docker's, owners as the container sees them, and no way out.
# limit: 180
# shellcheck disable=SC2016
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
# shellcheck source=tests/lib/winch.sh
. "$t_lib/winch.sh"
# shellcheck source=tests/lib/canary.sh
. "$t_lib/canary.sh"
# shellcheck source=tests/lib/leakcheck.sh
. "$t_lib/leakcheck.sh"
lab_registry
mkdir move && cd move || exit 1
cat >compose.yaml <<'YAML'
services:
  a:
    image: busybox
    command: ["sh", "-c", "mkdir -p /d/e; echo inner >/d/e/f; ln -s e /d/l; ln -s /etc/hostname /d/abs; exec sleep 600"]
    volumes: ["data:/data", "./shared:/shared"]
  two:
    image: busybox
    command: ["sleep", "600"]
    scale: 2
  host:
    image: busybox
    command: ["sleep", "600"]
    userns_mode: host
  ro:
    image: busybox
    command: ["sleep", "600"]
    read_only: true
    tmpfs: ["/tmp"]
volumes: {data: }
YAML
mkdir shared
winch pull -q >/dev/null 2>&1
leak_before
t_ok "up" winch up -d || t_abort "nothing to copy"
in_a() { winch exec -T a "$@" </dev/null; }

# ---- names ----
echo one >one
mkdir -p tree/sub && echo two >tree/sub/two && ln -s sub/two tree/link && ln tree/sub/two tree/hard && chmod 750 tree
t_ok "a file into a directory" winch cp one a:/tmp/
t_is "keeps its name" "$(in_a cat /tmp/one)" one
t_ok "a file under a new name" winch cp one a:/tmp/first
t_is "has it" "$(in_a cat /tmp/first)" one
t_ok "over a file" winch cp compose.yaml a:/tmp/first
t_is "replaces it" "$(in_a cat /tmp/first | head -1)" services:
t_exit "a file where no directory is" 1 winch cp one a:/none/one
t_like "is told" "$T_OUT" 'no such directory: /none'
t_exit "a file to what should be a directory" 1 winch cp one a:/none/
t_ok "a directory into a directory" winch cp tree a:/tmp
t_is "lies below it" "$(in_a find /tmp/tree | sort | xargs)" "/tmp/tree /tmp/tree/hard /tmp/tree/link /tmp/tree/sub /tmp/tree/sub/two"
t_is "links stay links" "$(in_a readlink /tmp/tree/link)" sub/two
t_is "hard links, too" "$(in_a stat -c %h /tmp/tree/hard)" 2
t_is "modes are kept" "$(in_a stat -c %a /tmp/tree)" 750
t_ok "a directory under a new name" winch cp tree a:/tmp/new
t_is "is it" "$(in_a cat /tmp/new/sub/two)" two
t_ok "what lies in it" winch cp tree/. a:/data
t_is "goes into an existing one" "$(in_a ls /data | xargs)" "hard link sub"
t_exit "a directory over a file" 1 winch cp tree a:/tmp/one
t_like "is refused" "$T_OUT" 'no directory and is not replaced'
in_a mkdir -p /tmp/x/one
t_exit "a file over a directory" 1 winch cp one a:/tmp/x/
t_like "is refused, too" "$T_OUT" 'is a directory and is not replaced'
t_ok "a file out" winch cp a:/d/e/f .
t_is "comes" "$(cat f)" inner
t_ok "a directory out, under a new name" winch cp a:/d out
t_is "with its links" "$(readlink out/l) $(cat out/e/f)" "e inner"
t_ok "a link out" winch cp a:/d/l link
t_is "is a link" "$(readlink link)" e
t_ok "what it stands for, with -L" winch cp -L a:/d/l followed
t_is "is the directory" "$(cat followed/f)" inner
t_exit "what is not there" 1 winch cp a:/nothing .
t_like "is told" "$T_OUT" 'no such file or directory: /nothing'
t_exit "an unknown service" 1 winch cp nobody:/etc/passwd .
t_exit "from service to service" 2 winch cp a:/etc/passwd two:/tmp
t_exit "from host to host" 2 winch cp one two
in_a ln -s /tmp/x /tmp/way
t_ok "through a link in the container" winch cp compose.yaml a:/tmp/way
t_is "into where it leads inside" "$(in_a ls /tmp/x | xargs)" "compose.yaml one"

# ---- owners ----
chown 1234:1235 one tree tree/sub/two
t_ok "owners: plain" winch cp one a:/tmp/owner1
t_is "the container's root" "$(in_a stat -c %u:%g /tmp/owner1)" 0:0
t_ok "owners: -a" winch cp -a one a:/tmp/owner2
t_is "as on the host, with the container's ids" "$(in_a stat -c %u:%g /tmp/owner2)" 1234:1235
in_a chown 77:78 /tmp/owner2
t_ok "owners: out" winch cp a:/tmp/owner2 plain
t_ok "owners: out with -a" winch cp -a a:/tmp/owner2 kept
t_is "the caller's, or the container's" "$(stat -c %u:%g plain) $(stat -c %u:%g kept)" "0:0 77:78"
t_ok "without a user namespace" winch cp -a one host:/tmp/o
t_is "the same" "$(winch exec -T host stat -c %u:%g /tmp/o)" 1234:1235

# ---- streams ----
t_ok "a stream out" bash -c 'winch cp a:/d - >d.tar'
t_is "is a tar archive" "$(tar tf d.tar | sort | xargs)" "d/ d/abs d/e/ d/e/f d/l"
t_ok "a stream in, compressed" bash -c 'tar cz --owner=55 --group=56 -f - tree | winch cp - a:/data'
t_is "is spread, with its owners" "$(in_a stat -c %u:%g /data/tree/sub/two)" 55:56
t_exit "a stream to what is no directory" 1 bash -c 'tar cf - tree | winch cp - a:/nowhere'
t_exit "a stream that is no archive" 1 bash -c 'head -c 100000 /dev/urandom | winch cp - a:/tmp'
t_ok "to all replicas" winch cp one two:/tmp/one
t_is "all have it" "$(winch exec -T two cat /tmp/one) $(winch exec -T --index 2 two cat /tmp/one)" "one one"
t_ok "to one of them" winch cp --index 2 compose.yaml two:/tmp/only
t_exit "the other has it not" 1 winch exec -T --index 1 two test -e /tmp/only
t_exit "a stream to several" 2 bash -c 'tar cf - one | winch cp - two:/tmp'

# ---- places ----
t_ok "a volume" winch cp one a:/data/v
t_is "is written to" "$(stat -c %u "$WINCH_ROOT/lib/volumes/move_data/_data/v")" 0
t_ok "a bind" winch cp one a:/shared/v
t_is "is written to, too" "$(cat shared/v)" one
t_exit "a read-only root" 1 winch cp one ro:/etc/one
t_like "is not" "$T_OUT" 'Read-only file system'
t_ok "its tmpfs is" winch cp one ro:/tmp/one
t_ok "/etc/hosts, which is mounted" winch cp one a:/etc/hosts
t_is "is filled in place" "$(in_a cat /etc/hosts)" one

# ---- stopped ----
winch stop -t 0 a two >/dev/null 2>&1
t_ok "out of a stopped container" winch cp a:/tmp/first stopped-out
t_is "what it wrote" "$(head -1 stopped-out)" services:
t_ok "out of its image" winch cp a:/bin/busybox busybox
t_true "whole" cmp -s busybox <(winch exec -T host cat /bin/busybox)
t_ok "out of its volume" bash -c "winch cp a:/data/v - >v.tar"
t_ok "into a stopped container" winch cp -a one a:/tmp/stopped-in
t_ok "into its volume" winch cp one a:/data/stopped-in
winch start a >/dev/null 2>&1
t_is "it is there, and its owner" "$(in_a stat -c %u:%g /tmp/stopped-in)" 1234:1235
t_is "in the volume, too" "$(in_a cat /data/stopped-in)" one
t_is "and what was there" "$(in_a cat /tmp/tree/sub/two)" two

# ---- hostile ----
canary_make
# shellcheck disable=SC2016 # the container's dollars
in_a sh -c 'mkdir -p /h; cp /bin/busybox /h/suid; chmod 6755 /h/suid; mkfifo /h/fifo; mknod /h/null c 1 3 2>/dev/null; printf x >"/h/$(printf "esc\033[31m")"'
t_ok "MNT-04 strange things out" timeout 30 winch cp a:/h strange
t_is "set-id bits are off" "$(stat -c %a strange/suid)" 755
t_is "MNT-04 no nodes arrive" "$(find strange ! -type f ! -type d ! -type l | wc -l)" 0
t_like "MNT-05 and it is told" "$T_OUT" "fifo' is left out"
t_unlike "MNT-04 without the container's control characters" "$T_OUT" $'\033'
for file in /dev/zero /h/fifo /proc/kcore /proc/cpuinfo /proc/1/environ; do
    t_exit "MNT-05 $file is refused" 1 timeout 20 winch cp "a:$file" strange/
done
in_a sh -c 'truncate -s 1099511627776 /data/huge && echo end >>/data/huge'
t_ok "MNT-05 a sparse file of 1 TiB" timeout 60 winch cp a:/data/huge huge
t_true "MNT-05 stays sparse" [ "$(stat -c '%b' huge)" -lt 1000 ]
t_is "MNT-05 and whole" "$(stat -c %s huge) $(tail -c 4 huge)" "$(in_a stat -c %s /data/huge) $(in_a tail -c 4 /data/huge)"
rm -f huge
python3 - <<'PY'
import io, tarfile
def archive(name, *entries):
    with tarfile.open(name, "w") as tar:
        for path, kind, link in entries:
            info = tarfile.TarInfo(path)
            info.type, info.linkname = kind, link
            data = b"evil" if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
archive("dotdot.tar", ("../../evil", tarfile.REGTYPE, ""))
archive("absolute.tar", ("/evil", tarfile.REGTYPE, ""))
archive("link.tar", ("l", tarfile.SYMTYPE, "/"), ("l/evil", tarfile.REGTYPE, ""))
archive("hard.tar", ("h", tarfile.LNKTYPE, "../../../etc/passwd"))
PY
for file in dotdot absolute link hard; do
    t_exit "MNT-04 archive '$file' is refused" 1 bash -c "winch cp - a:/tmp <$file.tar"
done
# shellcheck disable=SC2016 # the container's dollars
in_a sh -c 'mkdir -p /bin2; for p in xz unpigz gzip bzip2 zstd tar sh; do printf "#!/bin/busybox sh\n/bin/busybox touch /tmp/ran\n" >/bin2/$p; chmod 755 /bin2/$p; cp /bin2/$p /usr/local/bin/ 2>/dev/null; done'
for pack in gzip xz bzip2 zstd; do
    command -v $pack >/dev/null || continue
    t_ok "MNT-03 an archive of $pack" bash -c "tar cf - tree | $pack -c | winch cp - a:/data"
done
t_exit "MNT-03 ran nothing of the container" 1 winch exec -T a test -e /tmp/ran

# MNT-01: /r/d is a directory and a link to / by turns
cat >race.py <<'PY'
import ctypes, os, sys
libc = ctypes.CDLL(None)
os.chdir(sys.argv[1])
os.makedirs("d", exist_ok=True)
open("d/passwd", "w").write("inner\n")
if not os.path.islink("l"):
    os.symlink("/" + "../" * 20 + sys.argv[2].lstrip("/"), "l")
while True:
    libc.renameat2(-100, b"d", -100, b"l", 2)
PY
mkdir -p "$LAB/outside" && echo host >"$LAB/outside/passwd"
in_a mkdir -p "/data/r"
python3 race.py "$WINCH_ROOT/lib/volumes/move_data/_data/r" "$LAB/outside" &
racer=$!
bad=0 good=0
for _ in $(seq 120); do
    rm -f got
    if winch cp a:/data/r/d/passwd got >/dev/null 2>&1; then
        good=$((good + 1))
        [ "$(cat got)" = inner ] || bad=$((bad + 1))
    fi
    winch cp one a:/data/r/d/in >/dev/null 2>&1
done
kill $racer
wait $racer 2>/dev/null
t_is "MNT-01 a race leads nowhere ($good times something came)" "$bad" 0
t_is "MNT-01 nothing was written outside" "$(ls "$LAB/outside")" passwd
t_true "MNT-01 something came, and something did not" [ "$good" -gt 0 ]
t_canary "nothing outside was touched"
t_ok "down" winch down -v -t 0
t_no_leak "LEK-01 nothing is left"
t_done
