/* SPDX-License-Identifier: Apache-2.0 */
/* staging.h - half-made things in lib/tmp: named by their process, swept by the next worker when
 * that is gone. */
#pragma once

#include <stddef.h>

#include "base/err.h"

/* Opens lib/tmp, after removing what dead workers left. */
int staging_open(int lib_fd, int *ret_tmp_fd, struct err *err);
/* A name for something new of this process: "<pid>-<start time>-<n>". Owned. */
char *staging_name(void);
/* Opens the partial download of a blob, locked; its content so far may be continued. When another
 * worker has it, or for digest NULL, a nameless file. */
int staging_open_part(int tmp_fd, const char *digest, int *ret_fd, struct err *err);
/* The part is whole or useless: removes its name. */
void staging_drop_part(int tmp_fd, const char *digest);
