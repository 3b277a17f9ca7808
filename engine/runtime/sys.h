/* SPDX-License-Identifier: Apache-2.0 */
/* sys.h - system calls that this libc has no (or no convenient) wrapper for. */
#pragma once

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define TREE_RECURSIVE 0x8000u /* AT_RECURSIVE */

/* As fork(2) with flags. cgroup_fd < 0: the caller's cgroups. ret_pidfd may be NULL. */
static inline pid_t sys_clone3(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
    struct clone_args args = {.flags = flags, .exit_signal = 17 /* SIGCHLD */};
    if (cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup_fd;
    }
    if (ret_pidfd) {
        args.flags |= CLONE_PIDFD;
        args.pidfd = (uint64_t)(uintptr_t)ret_pidfd;
    }
    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline int sys_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static inline int sys_pidfd_signal(int pidfd, int signo)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0);
}
