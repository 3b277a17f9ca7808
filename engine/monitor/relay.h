/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h - from a container's output to its log, by way of the spool (spool.h): a monitor killed at any
 * instant loses no line of a pipe and logs none twice. An incomplete line waits in the spool for its
 * end. What a terminal gave in the very instant of a death may be lost. libc only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/monitor/logfile.h"
#include "engine/monitor/sink.h"
#include "engine/monitor/spool.h"

struct relay {
    int fd;          /* FIFO (read-write) or pty master; -1: closed */
    unsigned stream; /* of the spool */
    bool is_tty, is_stderr;
    struct sink *sink; /* gets every line, too */
    bool ready; /* there may be more to read */
    int64_t armed_us, woken_us; /* when its readiness was last asked for, and told; CLOCK_MONOTONIC */
    int64_t due_us;             /* to be looked at again then, without being told; 0: not */
};

/* Takes fd. */
void relay_init(struct relay *relay, int fd, bool is_tty, bool is_stderr, struct sink *sink);
void relay_done(struct relay *relay);
/* Moves what is there, in bounded portions; clears ready when it has all. final: the writers are
 * gone, so that an incomplete line is logged too. True when there was anything. */
bool relay_pump(struct relay *relay, struct spool *spool, struct logfile *log, bool final);
/* Gives the memory of the last burst back to the system. */
void relay_idle(struct spool *spool);
