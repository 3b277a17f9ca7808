/* SPDX-License-Identifier: Apache-2.0 */
/* copy_in.h - a tar archive → files below a path: `cp` into and out of containers. Rules as docker's: a directory and something
 * else never replace each other; nothing is written outside of the target, no link is followed below it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum copy_owner {
    COPY_OWNER_ARCHIVE, /* as the archive says */
    COPY_OWNER_OURS,    /* the process's own: root inside, the caller on the host */
};

struct copy_in {
    int root_fd, archive_fd;
    const char *path; /* inside the root: a directory to copy into, or the new name of the top */
    const char *name; /* the top's name for copying into a directory; NULL: the archive is spread below path, which must be a
                         directory (a stream), compressed with gzip, bzip2, xz or zstd if it likes */
    bool contents;    /* of a directory: spread what lies in it, when path exists */
    bool plain_modes; /* set-id bits are dropped: what comes from a container is no threat to the host */
    enum copy_owner owner;
    void (*warn)(const char *text); /* left out: devices, FIFOs, sockets */
};

/* ERR_CORRUPT: the archive; ERR_EXISTS: something of another sort is in the way; ERR_NOT_FOUND: path's directory. What was
 * written before a failure stays. umask must be 0. */
int copy_in_run(const struct copy_in *copy, struct err *err);
