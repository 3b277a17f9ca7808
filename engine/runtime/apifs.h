/* SPDX-License-Identifier: Apache-2.0 */
/* apifs.h - mounting kernel file systems on top-level directories of the new root. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "engine/runtime/setup.h"
#include "engine/runtime/tree.h"

/* The directory `name` of the new root, made when missing. ERR_CONFIG when it is no real directory.
 */
int apifs_target(const struct setup *setup, const char *name, int *ret_fd, struct err *err);
/* ret_mount may be NULL. */
int apifs_mount(const struct setup *setup, const char *name, const char *type,
                const struct fs_option *options, uint64_t attrs, int *ret_mount, struct err *err);
