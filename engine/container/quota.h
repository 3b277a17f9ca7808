/* SPDX-License-Identifier: Apache-2.0 */
/* quota.h - a bound on what one container writes into its own layer. Inside engine/ only. */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* Marks upper/ and work/ below the container's state directory and sets their limit. ERR_UNSUPPORTED where the file system
 * keeps no project quota. */
int quota_set(int state_dirfd, const char *id, int64_t bytes, struct err *err);
/* Takes the limit away, where there is one. */
void quota_clear(int state_dirfd, const char *id);
