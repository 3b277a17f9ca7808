/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - images out of an archive: docker-archive (docker save) or OCI image layout, compressed
 * or not. */
#pragma once

#include "base/err.h"
#include "engine/image/unpack.h"

struct load {
    int lib_fd;
    const char *file; /* path, or "-" for standard input */
    struct unpack_limits limits;
};
int load_run(const struct load *load, struct err *err);
