/* SPDX-License-Identifier: Apache-2.0 */
/* download.h - the layers of a manifest that are not here yet: fetched a few at a time, checked,
 * handed to the layer set. */
#pragma once

#include "base/err.h"
#include "engine/image/layer_set.h"
#include "engine/image/manifest.h"
#include "engine/registry/remote.h"

struct download_set {
    int lib_fd;
    struct remote *remote;
    const struct descriptor *descriptors; /* as many as the layer set has */
    struct layer_set *layers;
    layer_status_fn *on_status;
    void *arg;
};
/* Returns when all layers are in the store. ERR_CORRUPT names the blob. */
int download_run(const struct download_set *set, struct err *err);
