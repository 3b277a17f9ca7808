/* SPDX-License-Identifier: Apache-2.0 */
/* layer_job.h - unpacking one layer in a child process: no network, bounded memory, killed with its
 * parent. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/image/unpack.h"

enum job_word { JOB_PROGRESS, JOB_NEEDS_LOWER, JOB_DONE, JOB_FAILED };

/* Child to parent, one datagram each. */
struct job_message {
    enum job_word word;
    int64_t value; /* of JOB_PROGRESS: packed bytes read */
    struct unpack_result result;
    struct err err;
};

struct layer_job {
    int lib_fd;             /* borrowed */
    int archive_fd;         /* borrowed, positioned at 0 by the child; may be a pipe */
    const char *staging;    /* the directory below lib/tmp that the child makes and fills: diff/ and
                               meta.json */
    const char *diff_id;    /* expected; NULL: any (then the layer is a base) */
    const char *parent_hex; /* chain id of the layer below, or NULL */
    char *const *lower;     /* chain ids, top first, NULL-terminated */
    bool whiteouts;
    bool is_durable; /* false: what is made is thrown away again */
    struct unpack_limits limits;
};

/* *ret_sock: JOB messages; when all lower layers are in place the parent sends one byte in answer
 * to JOB_NEEDS_LOWER. */
int layer_job_start(const struct layer_job *job, pid_t *ret_pid, int *ret_sock, struct err *err);
