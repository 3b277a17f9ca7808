/* SPDX-License-Identifier: Apache-2.0 */
/* proc.h - starting and watching processes. libc only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* A child process. File descriptors: child fd i is fds[i] for i < fd_count (-1 opens /dev/null); every other
 * descriptor is closed in the child. Signals are reset, the mask is empty. */
struct proc_spawn {
    const char *path;        /* absolute; no search in PATH */
    char *const *argv;       /* argv[0] included, NULL-terminated */
    char *const *envp;       /* NULL: the caller's environment */
    const int *fds;
    size_t fd_count;
    bool new_session;        /* setsid: survives the terminal */
    const char *cwd;         /* NULL: "/" with new_session, else unchanged */
};

/* vfork + execve; a failure of execve is reported here with its errno. ret_pid may be reaped by the
 * caller (or handed to loop_child). */
int proc_spawn(const struct proc_spawn *spawn, pid_t *ret_pid, struct err *err);
/* As proc_spawn, but the process is nobody's child: double fork, new session. */
int proc_spawn_detached(const struct proc_spawn *spawn, struct err *err);
int proc_pidfd_open(pid_t pid);
int proc_pidfd_signal(int pidfd, int signo); /* 0 or -1 with errno */
/* Start time in clock ticks since boot (field 22 of /proc/PID/stat), 0 when the process is gone: together
 * with the pid it names a process for good within one boot. */
uint64_t proc_start_time(pid_t pid);
/* true when the pid exists and has that start time. */
bool proc_is(pid_t pid, uint64_t start_time);
/* /proc/sys/kernel/random/boot_id, 36 characters; "" when unreadable. */
void proc_boot_id(char ret_id[37]);
/* Exit status as shells show it: code, or 128 + signal. */
int proc_exit_code(int wait_status);
/* Directory of helper executables: $WINCH_LIBEXEC, else relative to our executable
 * (../libexec/winch/NAME). Owned by the caller. */
int proc_libexec(const char *name, char **ret_path, struct err *err);
/* Every signal of the calling process back to its default, also those that libc keeps for itself (32, 33):
 * what starts a process of somebody else's gives it nothing of its own caller's. Async-signal-safe. */
void signals_default(void);
/* "SIGTERM", "TERM", "15", "SIGRTMIN+3" → number; -1 when it is none. */
int signal_parse(const char *text);
const char *signal_name(int signo); /* "SIGTERM"; "SIG?" when unknown */
