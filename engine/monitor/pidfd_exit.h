/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd_exit.h - the wait status of a process that is no child of ours: from /proc while it is a
 * zombie (field 52 of /proc/PID/stat, visible to root), from its pidfd after it was reaped
 * (PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15). libc only. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* As waitpid(2); -1: unknown. pidfd may be -1. */
int foreign_exit_status(pid_t pid, uint64_t start_time, int pidfd);
