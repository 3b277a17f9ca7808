/* SPDX-License-Identifier: Apache-2.0 */
/* import.h - a root filesystem as a tar archive → an image of one layer. */
#pragma once

#include "base/err.h"
#include "engine/image/unpack.h"

struct import {
    int lib_fd;
    const char *file;      /* path, or "-" for standard input */
    const char *reference; /* its name */
    char *const *changes;  /* instructions (changes.h), or NULL */
    struct unpack_limits limits;
};
int import_run(const struct import *import, struct err *err);
/* Opens FILE or standard input (for "-"); *ret_size is 0 for what has none. */
int archive_open(const char *file, int *ret_fd, int64_t *ret_size, struct err *err);
