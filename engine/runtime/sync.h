/* SPDX-License-Identifier: Apache-2.0 */
/* sync.h - what the process that becomes the container's tells its monitor on the way: one
 * fixed-size struct a message over SOCK_SEQPACKET. The socket closes itself at a successful execve:
 * end of stream means "it runs". */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum sync_kind {
    SYNC_FAILED = 1, /* the last message: error */
    SYNC_NOTE,       /* something was done in a lesser way; text */
    SYNC_TTY,        /* the pty's master as descriptor */
    SYNC_KEEP, /* descriptors to close when there is time: the last close of a detached mount waits
                * for an RCU grace period of up to 5 ms */
};
#define SYNC_KEEP_MAX 512

struct sync_message {
    uint32_t kind;
    int32_t code, sys_errno;
    char text[ERR_MESSAGE_MAX];
};

int sync_pair(int ret_fds[2], struct err *err); /* [0] monitor's, [1] child's */
void sync_failed(int sock, const struct err *error);
void sync_note(int sock, const char *format, ...) __attribute__((format(printf, 2, 3)));
int sync_tty(int sock, int master, struct err *err);
void sync_keep(int sock, const int *fds, size_t count);
struct sync_result {
    char notes[512];         /* "; "-separated, cut */
    int master;              /* of a pty, or -1 */
    int kept[SYNC_KEEP_MAX]; /* the caller closes them after whatever is urgent */
    size_t kept_count;
};
/* Reads until the end of the stream. 0 when the process runs, -1 with its error; *ret_result is
 * filled either way. */
int sync_wait(int sock, struct sync_result *ret_result, struct err *err);
void sync_result_done(struct sync_result *result);
