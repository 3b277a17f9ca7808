/* SPDX-License-Identifier: Apache-2.0 */
/* pull.h - getting an image from a registry. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/layout.h"
#include "engine/image/platform.h"
#include "engine/image/unpack.h"
#include "engine/registry/host_config.h"

struct pull {
    const struct layout *layout;
    int lib_fd;
    const struct host_config *config;
    const char *reference; /* as written: the id in progress lines */
    const struct platform
        *platform;     /* NULL: this host's, and a single manifest for another is refused */
    bool only_missing; /* an image that is there is not asked for again */
    struct unpack_limits limits;
};
/* Says progress on standard output, the last line included on success. */
int pull_run(const struct pull *pull, struct err *err);
