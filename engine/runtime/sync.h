/* SPDX-License-Identifier: Apache-2.0 */
/* sync.h - what the process that becomes the container's tells its monitor on the way: one fixed-size struct a
 * message over SOCK_SEQPACKET. The socket closes itself at a successful execve: end of stream means "it runs". */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum sync_kind {
    SYNC_FAILED = 1, /* the last message: error */
    SYNC_NOTE,       /* something was done in a lesser way; text */
    SYNC_TTY,        /* the pty's master as descriptor */
};

struct sync_message {
    uint32_t kind;
    int32_t code, sys_errno;
    char text[ERR_MESSAGE_MAX];
};

int sync_pair(int ret_fds[2], struct err *err); /* [0] monitor's, [1] child's */
void sync_failed(int sock, const struct err *error);
void sync_note(int sock, const char *format, ...) __attribute__((format(printf, 2, 3)));
int sync_tty(int sock, int master, struct err *err);
/* Reads until the end of the stream. Notes are gathered in ret_notes ("; "-separated, cut at size); a pty's master goes to
 * *ret_master (may be NULL). 0 when the process runs, -1 with its error. */
int sync_wait(int sock, char *ret_notes, unsigned notes_size, int *ret_master, struct err *err);
