/* SPDX-License-Identifier: Apache-2.0 */
/* image_users.h - which containers refer to images and layers, read from their records. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"

struct image_users {
    struct map *names; /* image id → name of a container made from it (char *) */
    struct map
        *words; /* every 64-digit word of every record: layers and images, wherever they stand */
};
/* An unreadable record is an error: what it refers to is unknown. */
int image_users_read(int lib_fd, struct image_users *ret_users, struct err *err);
void image_users_done(struct image_users *users);
