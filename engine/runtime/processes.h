/* SPDX-License-Identifier: Apache-2.0 */
/* processes.h - the processes of a running container as the host sees them. libc only. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/runtime/spec.h"

struct process {
    pid_t pid, parent;
    int64_t uid;        /* inside the container; beyond its range: the host's */
    int terminal;       /* N of pts/N in the container; -1: none, or another sort */
    int64_t cpu_us;     /* used so far */
    int64_t started_ns; /* CLOCK_REALTIME */
    char *command;      /* arguments with blanks between, "[name]" for one without; foreign text, bounded */
};

/* By pid, what is in its cgroups; those that end meanwhile are left out. ERR_NOT_FOUND: the container has no cgroup. */
int processes_list(const struct container_spec *spec, struct process **ret_items, size_t *ret_count, struct err *err);
void processes_free(struct process *items, size_t count);

/* Parses /proc/PID/stat; false for something else. Pure: ticks of a second, and the wall clock at boot, come in. */
bool process_parse(const char *stat, long ticks, int64_t boot_ns, struct process *ret_process);
