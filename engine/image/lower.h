/* SPDX-License-Identifier: Apache-2.0 */
/* lower.h - what a path is in a stack of unpacked layers, read-only, by overlayfs' rules. */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* Opens (O_PATH | O_NOFOLLOW) what path is in the merged view of layers (diff directories, top
 * first); links are never followed. *ret_fd -1 when there is nothing. path: clean, relative, not
 * "". */
int lower_open(const int *layer_fds, size_t count, const char *path, int *ret_fd, struct err *err);

#define OVERLAY_OPAQUE "trusted.overlay.opaque"
