#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# faults.sh - kill or fail a command at its Nth system call, for every N; source it after lab_enter.
#
#   fault_loop FAMILY ACTION CHECK COMMAND...
# runs COMMAND under strace with ACTION (signal=KILL, error=ENOSPC, retval=1, delay_enter=100000) at the Nth call of
# FAMILY (files mounts processes network, or a list of system calls), N = 1, 2, 3, … until a run completes untouched, and
# calls the function CHECK N STATUS after each, whose failure ends the loop.  FAULT_STEP skips (default 1), FAULT_MAX
# bounds N (default 400).  Sets FAULT_RUNS.  Background processes that COMMAND leaves are not followed after it ends.
fault_family() {
    case $1 in
    files) echo openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,linkat,unlink,unlinkat,mkdirat,ftruncate ;;
    mounts) echo mount,open_tree,move_mount,mount_setattr,fsopen,fsconfig,fsmount,umount2,pivot_root ;;
    processes) echo clone,clone3,vfork,execve,wait4,waitid,pidfd_open,pidfd_send_signal ;;
    network) echo socket,sendmsg,sendto,connect,bind ;;
    *) echo "$1" ;;
    esac
}

fault_loop() {
    local set action=$2 check=$3 n status trace
    set=$(fault_family "$1")
    trace=$LAB/fault.trace
    shift 3
    FAULT_RUNS=0
    for ((n = 1; n <= ${FAULT_MAX:-400}; n += ${FAULT_STEP:-1})); do
        status=0
        strace -f -q -o "$trace" -e trace="$set" -e inject="$set:$action:when=$n" "$@" \
            >"$LAB/fault.out" 2>&1 </dev/null || status=$?
        FAULT_RUNS=$((FAULT_RUNS + 1))
        "$check" "$n" "$status" || return 1
        if ! grep -qE 'INJECTED|killed by SIG' "$trace"; then
            return 0
        fi
    done
}
