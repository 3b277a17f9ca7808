/* SPDX-License-Identifier: Apache-2.0 */
/* start.h - the monitor's side of starting processes: clone, wait for the child's step list, answer
 * with a pidfd. libc only. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "engine/runtime/cgroup.h"
#include "engine/runtime/confine.h"
#include "engine/runtime/spec.h"
#include "engine/runtime/sync.h"

struct start {
    const struct container_spec *spec;
    const struct spec_process *process; /* spec's own, or an exec's */
    const struct cgroup *cgroup;
    const struct filter *filter; /* NULL: unconfined */
    int stdio[3];                /* borrowed; -1 with a tty */
    int init_fd;                 /* -1: none */
    int target;                  /* exec: pidfd of the first process; else -1 */
    bool foreign_stdio;          /* stdio is the caller's caller's, as with an exec */
    int cgroup_fd;               /* v2 group to be born in; -1: the caller's */
};

struct started {
    pid_t pid; /* host id */
    int pidfd;
    struct sync_result
        sync; /* notes, tty; the rest goes with started_done, when nothing urgent is left to do */
};
void started_done(struct started *started);

/* Blocks until the program runs or failed; on failure nothing of the child is left. */
int start_process(const struct start *start, struct started *ret_started, struct err *err);
/* A sealed copy of winch-init, so that our file on disk cannot be reached from inside. */
int start_init_open(int *ret_fd, struct err *err);
