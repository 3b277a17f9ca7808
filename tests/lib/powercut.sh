#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# powercut.sh - what is on the disk when the power fails; source it after lab_enter.
#
# The state root lies on a small ext4 image that writes nothing out by itself (commit=600, noauto_da_alloc).  A cut copies
# the image as it is and mounts the copy, whose journal is replayed: what was not made durable is not there.
#
#   powercut_begin [MB]        mounts $LAB/disk and makes WINCH_ROOT=$LAB/disk/root
#   powercut_cut NAME          copies the image now and mounts the copy at $LAB/cut-NAME; sets CUT_ROOT to the root in it
#   powercut_end NAME          unmounts and deletes that copy
powercut_begin() {
    local options=loop,commit=600,noauto_da_alloc
    truncate -s "${1:-256}M" "$LAB/disk.img"
    mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$LAB/disk.img"
    mkdir -p "$LAB/disk"
    mount -o "$options" "$LAB/disk.img" "$LAB/disk" || return 1
    mkdir "$LAB/disk/root"
    sync -f "$LAB/disk"
    export WINCH_ROOT=$LAB/disk/root
}

powercut_cut() {
    cp --sparse=always "$LAB/disk.img" "$LAB/cut-$1.img"
    mkdir -p "$LAB/cut-$1"
    mount -o loop "$LAB/cut-$1.img" "$LAB/cut-$1" || return 1
    # shellcheck disable=SC2034   # for the caller
    CUT_ROOT=$LAB/cut-$1/root
}

powercut_end() {
    umount "$LAB/cut-$1"
    rm -rf "$LAB/cut-$1" "$LAB/cut-$1.img"
}
