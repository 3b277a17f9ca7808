#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 31-failed-start.sh - starts that fail for the image's or the machine's reasons (20-run.sh has the user's): nothing is left.
# limit: 180
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
lab_enter "$@"
for part in winch leakcheck; do
    # shellcheck disable=SC1090
    . "$t_lib/$part.sh"
done

# an image of programs that cannot be executed, each for another reason
mkdir -p image/{bin,etc,proc,sys,dev,tmp}
cp "$WINCH_PROBE" image/bin/probe
cp "$WINCH_PROBE" image/bin/foreign
printf '\xb7\x00' | dd of=image/bin/foreign bs=1 seek=18 conv=notrunc status=none # e_machine: AArch64
[ "$(uname -m)" != aarch64 ] || printf '\x3e\x00' | dd of=image/bin/foreign bs=1 seek=18 conv=notrunc status=none
printf '#!/no/such/interpreter\n' >image/bin/script
printf 'neither ELF nor script\n' >image/bin/text
head -c 100 "$WINCH_PROBE" >image/bin/cut
: >image/bin/empty
chmod 755 image/bin/*
cp "$WINCH_PROBE" image/bin/noexec && chmod 644 image/bin/noexec
mkfifo image/bin/fifo && chmod 755 image/bin/fifo
ln -s loop image/bin/loop
tar -C image --owner=0 --group=0 -cf image.tar .
t_ok "import" winch image import image.tar bad:1 --change 'CMD ["/bin/probe","hold"]' || t_abort "no image"

mkdir fail && cd fail || exit 1
leak_before
fails() { # NAME REGEX YAML
    printf 'services:\n  a: {image: "bad:1", %s}\n' "$3" >compose.yaml
    t_exit "RUN-27 $1: exit 1" 1 winch up -d
    t_like "RUN-27 $1: the message names it" "$T_OUT" "$2"
    t_is "RUN-27 $1: ps does not call it running" "$(w_ps a State | grep -x running)" ""
    winch down -t 1 >/dev/null 2>&1
    t_no_leak "RUN-27 $1: nothing is left"
}
# seen failing: with a monitor and a sweep that left the cgroup of a failed start
fails "wrong architecture" '/bin/foreign.*[Ee]xec format' 'command: ["/bin/foreign"]'
fails "missing interpreter" '/bin/script.*(No such file|not found)' 'command: ["/bin/script"]'
fails "a text file" '/bin/text.*[Ee]xec format' 'command: ["/bin/text"]'
fails "a cut program" '/bin/cut' 'command: ["/bin/cut"]'
fails "an empty file" '/bin/empty.*[Ee]xec format' 'command: ["/bin/empty"]'
fails "no exec bit" '/bin/noexec.*[Pp]ermission denied' 'command: ["/bin/noexec"]'
fails "a FIFO" '/bin/fifo.*[Pp]ermission denied' 'command: ["/bin/fifo"]'
fails "a loop of links" '/bin/loop.*[Ss]ymbolic links' 'command: ["/bin/loop"]'

# exec has exit codes of its own
printf 'services:\n  a: {image: "bad:1"}\n' >compose.yaml
t_ok "up" winch up -d || t_abort "nothing to look at"
t_exit "RUN-27 exec of nothing: 127" 127 winch exec -T a /no/such/program
t_exit "RUN-27 exec without exec bit: 126" 126 winch exec -T a /bin/noexec
t_exit "RUN-27 exec of a wrong architecture: 126" 126 winch exec -T a /bin/foreign
t_ok "exec works afterwards" winch exec -T a /bin/probe exit 0
t_exit "exec: its own exit status" 41 winch exec -T a /bin/probe exit 41
t_ok "down" winch down -t 1
t_no_leak "RUN-27 exec: nothing is left"

# no room left: the state root on a file system that is full but for a little
cd "$LAB/run" && mkdir -p small
truncate -s 256M small.ext4
mkfs.ext4 -q -m 0 small.ext4
if mount -o loop small.ext4 small 2>/dev/null; then
    export WINCH_ROOT=$LAB/run/small/root
    t_ok "import into the small root" winch image import image.tar bad:1 --change 'CMD ["/bin/probe","hold"]'
    cd fail || exit 1
    winch up -d >/dev/null 2>&1 && winch down -t 1 >/dev/null 2>&1
    leak_before
    dd if=/dev/zero of=../small/filler bs=64k status=none 2>/dev/null
    dd if=/dev/zero of=../small/rest bs=1k status=none 2>/dev/null # what is left of a 64k that did not fit
    t_exit "RUN-27 no space left: exit 1" 1 winch up -d
    t_like "RUN-27 no space left: the message says so" "$T_OUT" 'No space left'
    rm ../small/filler ../small/rest
    winch down -t 1 >/dev/null 2>&1
    t_no_leak "RUN-27 no space left: nothing is left"
    t_ok "with space again: up" winch up -d
    t_ok "and down" winch down -t 1
    t_no_leak "and nothing is left"
    wait_for 5 umount "$LAB/run/small"
else
    t_skip "RUN-27 no space left" "no loop mounts here"
fi
t_done
