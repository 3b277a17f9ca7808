/* SPDX-License-Identifier: Apache-2.0 */
/* layer_index.h - what a layer's regular files held when they were unpacked: layers/<chain>/files,
 * records
 * "<16 hex digits of content_sum> <size> <path>" each ended by a zero byte. The later record of a
 * path counts. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct layer_index {
    int fd; /* borrowed; -1: nothing is kept */
    struct str buffer;
};
int layer_index_add(struct layer_index *index, uint64_t sum, int64_t size, const char *path,
                    struct err *err);
int layer_index_end(struct layer_index *index, struct err *err); /* writes the rest */

/* Compares layer_fd/diff with layer_fd/files. on_damage is called for each file that is not what it
 * was. */
typedef void layer_damage_fn(void *arg, const char *path, const char *what);
int layer_index_verify(int layer_fd, layer_damage_fn *on_damage, void *arg, struct err *err);
