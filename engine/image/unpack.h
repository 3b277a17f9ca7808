/* SPDX-License-Identifier: Apache-2.0 */
/* unpack.h - one compressed layer archive → a directory, in one pass: inflate, hash, extract. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/image/ref.h"

/* Bounds against bombs. */
struct unpack_limits {
    int64_t bytes; /* unpacked, of one layer */
    int64_t entries;
    int64_t ratio; /* unpacked : packed, once unpacked passes ratio_floor */
    int64_t ratio_floor;
};
#define UNPACK_LIMITS_DEFAULT                                                                      \
    (struct unpack_limits)                                                                         \
    {                                                                                              \
        .bytes = INT64_C(64) << 30, .entries = 5000000, .ratio = 100,                              \
        .ratio_floor = INT64_C(256) << 20                                                          \
    }

struct unpack_result {
    char diff_id[DIGEST_SIZE]; /* of the unpacked archive */
    int64_t size;              /* bytes of file content */
    int64_t entries;
    bool root_opaque;
    unsigned dropped_devices;
};

/* Asked once when layers below are needed (see extract.h); gives their diff directories, top first,
 * borrowed. */
typedef int unpack_lower_fn(void *arg, const int **ret_fds, size_t *ret_count, struct err *err);
/* Packed bytes that were read so far. */
typedef void unpack_progress_fn(void *arg, int64_t done);

struct unpack {
    int archive_fd;      /* positioned at its start; may be a pipe */
    int root_fd;         /* empty directory */
    int index_fd;        /* gets the record of the files (layer_index.h); -1: none */
    bool whiteouts;      /* false: an archive that is no layer */
    const char *diff_id; /* expected; NULL: any. Compared before unpack_lower_fn is asked */
    struct unpack_limits limits;
    unpack_lower_fn *lower;
    unpack_progress_fn *progress;
    void *arg;
};

/* ERR_CORRUPT, ERR_LIMIT, ERR_SYSTEM; what was made so far stays and is the caller's to remove.
 * umask must be 0. */
int unpack_run(const struct unpack *unpack, struct unpack_result *ret_result, struct err *err);
