/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h - from a container's output to its log.
 *
 * A FIFO is *peeked* (tee), logged, and only then emptied by as much: a monitor killed at any
 * instant loses nothing, and may at most log one batch twice. An incomplete line stays in the FIFO
 * until its end comes. A terminal cannot be peeked; its incomplete line is kept in memory. libc
 * only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "engine/monitor/logfile.h"

#define RELAY_TTY_KEPT 4096

struct relay {
    int fd; /* FIFO (read-write) or pty master; -1: closed */
    bool is_tty, is_stderr;
    bool ready;       /* there may be more to read: edge-triggered */
    int peek[2];      /* FIFO: the copy */
    size_t kept_size; /* tty: of an incomplete line; there is one terminal, so its bytes lie in
                         relay.c */
};

/* Takes fd. */
int relay_open(struct relay *relay, int fd, bool is_tty, bool is_stderr, struct err *err);
void relay_done(struct relay *relay);
/* Moves what is there, in bounded portions; clears ready when it has all. final: the writers are
 * gone, so that an incomplete line is logged too. */
void relay_pump(struct relay *relay, struct logfile *log, bool final);
/* Gives the memory of the last burst back to the system. */
void relay_idle(void);
