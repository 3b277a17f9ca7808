/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - the observed state of one container, from run/containers/<id>/status
 * (engine/monitor/protocol.h) checked against the kernel. libc only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/layout.h"

#define CONTAINER_STATES(X)                                                                        \
    X(CREATED, "created")                                                                          \
    X(RUNNING, "running")                                                                          \
    X(PAUSED, "paused")                                                                            \
    X(RESTARTING,                                                                                  \
      "restarting") /* set by readers from the supervisor's file, never by the monitor */          \
    X(REMOVING, "removing")                                                                        \
    X(EXITED, "exited")                                                                            \
    X(DEAD, "dead") /* the monitor is gone and the process too: exit code unknown */

enum container_state {
#define X(id, text) STATE_##id,
    CONTAINER_STATES(X)
#undef X
        STATE_COUNT_,
};
const char *container_state_text(enum container_state state);

struct container_status {
    enum container_state state;
    pid_t pid; /* first process, host id; 0 when not running */
    uint64_t start_time;
    pid_t monitor_pid;      /* 0: none alive */
    uint64_t monitor_start; /* start time of the monitor, as start_time */
    bool monitor_alive;
    int64_t started_ns, finished_ns; /* 0: never */
    int exit_code;                   /* as shells show it; -1 unknown */
    int signo;                       /* that ended it, or 0 */
    bool oom;
    uint64_t log_lost; /* lines of output that could not be logged, or sent on, in this run */
    char error[512]; /* why the start failed, or "" */
};

/* A missing file, or one of another boot, gives STATE_CREATED or STATE_EXITED with zeros; a dead
 * pid whose monitor is dead too gives STATE_DEAD. ERR_CORRUPT for an unreadable file (treated as
 * DEAD by callers). */
int container_status_read(const struct layout *layout, const char *id,
                          struct container_status *ret_status, struct err *err);
int container_status_parse(const char *text, struct container_status *ret_status, char ret_boot[37],
                           struct err *err);
