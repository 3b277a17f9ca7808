/* SPDX-License-Identifier: Apache-2.0 */
/* attach.h - this terminal on one process of a container. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Descriptors 0-2 for a process without a terminal: ours, but pipes where ours is a terminal, which stays out of the
 * container's reach. */
struct attach_pipes {
    int ours[3];   /* our ends; -1: passed as it is, or (2) together with 1 */
    int theirs[3]; /* to be passed; 0-2: ours itself */
};
/* files: pipes for regular files, too. */
int attach_pipes_open(struct attach_pipes *ret_pipes, bool files, struct err *err);
/* After they were passed. */
void attach_pipes_sent(struct attach_pipes *pipes);
void attach_pipes_close(struct attach_pipes *pipes);

/* Waits for the process's end. master >= 0: relays this terminal (raw mode, window size) to the pty master and back; takes
 * master; else relays pipes. Signals that reach us are passed on when there is no terminal. Returns the process's exit code as
 * shells show it. */
int attach_exec(int control, uint32_t exec_id, int master, struct attach_pipes *pipes);

/* The same for a container's first process, whose end somebody else tells. look is called when fd is readable: gives the
 * descriptor to watch from now on, or -1: *ret_code is the exit code, or *err says why there is none. */
struct attach_end {
    int fd;
    int (*look)(void *arg, int *ret_code, struct err *err);
    void *arg;
};
/* control: the monitor, for signals, or -1. -1 with *err when the end was not told. */
int attach_first(int control, int master, struct attach_pipes *pipes, const struct attach_end *end, struct err *err);
