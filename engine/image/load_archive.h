/* SPDX-License-Identifier: Apache-2.0 */
/* load_archive.h - an unpacked image archive in lib/tmp: what images it holds, and its members. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "engine/image/manifest.h"

/* One image as the archive describes it. Owned by the list. */
struct archived_image {
    char **names;                     /* full references; NULL or empty: none */
    char *config;                     /* member that is the config */
    char *config_digest;              /* "" when the archive does not say */
    char **layers;                    /* members, bottom first */
    char **layer_digests;             /* of the members' bytes; NULL: the archive does not say */
    char *manifest, *manifest_digest; /* member and digest; NULL in docker-archives */
};
struct archived_images {
    struct archived_image *items;
    size_t count, capacity;
};
void archived_images_done(struct archived_images *images);

/* root_fd: the unpacked archive. ERR_CORRUPT, ERR_UNSUPPORTED. */
int archived_images_read(int root_fd, struct archived_images *ret_images, struct err *err);
/* Opens a member; links inside of the archive are followed, and none leads out of it. */
int archive_member_open(int root_fd, const char *member, int *ret_fd, int64_t *ret_size,
                        struct err *err);
int archive_member_read(int root_fd, const char *member, size_t max_bytes, char **ret_data,
                        size_t *ret_size, struct err *err);
