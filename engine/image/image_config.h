/* SPDX-License-Identifier: Apache-2.0 */
/* image_config.h - the config document of an image (OCI image-spec config.md, Docker image v1) as
 * struct image. Pure. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "engine/engine.h"

/* Fills everything of *ret_image but id, digest, names, layers and size_bytes. Nonsense that would
 * surprise a container (a volume "..", a signal that is none, a user with a newline) is ERR_CORRUPT
 * and names the field. */
int image_config_parse(const struct jv *config, struct image *ret_image, struct err *err);
/* rootfs.diff_ids: NULL-terminated, each a valid digest, 1 … 256 of them. Owned. */
int image_config_diff_ids(const struct jv *config, char ***ret_diff_ids, struct err *err);
