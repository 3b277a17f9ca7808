/* SPDX-License-Identifier: Apache-2.0 */
/* commit.h - the last step of every way into the store: blobs, then the record, then the name, all
 * durable. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "engine/image/layer_set.h"

struct commit {
    const char *name;   /* full reference, or NULL: no name */
    const char *digest; /* it was pulled by; NULL: made here */
    const char *config; /* bytes of the config document … */
    size_t config_size;
    const char *image_id; /* … and their digest */
    const char *manifest; /* bytes of the manifest, NULL: none */
    size_t manifest_size;
    const char *manifest_digest;
    const struct layer_set *layers; /* complete */
};
/* The caller holds layers.lock shared since before it looked which layers exist. */
int commit_image(int lib_fd, const struct commit *commit, struct err *err);
