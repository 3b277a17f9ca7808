/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd_exit.h - the wait status of a process that is no child of ours, where the kernel tells it (PIDFD_GET_INFO with
 * PIDFD_INFO_EXIT, Linux 6.15). libc only. */
#pragma once

/* As waitpid(2); -1: unknown. */
int pidfd_exit_status(int pidfd);
