/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_manifest.c - manifests and configs of strangers: accepted with every bound kept, or refused
 * with a reason. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/image_config.h"
#include "engine/image/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {NULL, "application/vnd.oci.image.manifest.v1+json",
                                        "application/vnd.oci.image.index.v1+json"};
    struct jv *config;
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct manifest manifest = {0};
        if (manifest_parse((const char *)data, size, types[i], &manifest, &err) < 0) {
            assert(err.code && err.message[0]);
            continue;
        }
        assert(manifest.list.count <= MANIFEST_ENTRIES_MAX);
        for (size_t k = 0; k < manifest.list.count; k++)
            assert(digest_is_valid(manifest.list.items[k].digest) &&
                   manifest.list.items[k].size > 0);
        manifest_done(&manifest);
    }
    if (jv_parse((const char *)data, size, &config, &err) == 0) {
        struct image image = {0};
        char **diff_ids = NULL;
        if (image_config_parse(config, &image, &err) == 0)
            image_done(&image);
        if (image_config_diff_ids(config, &diff_ids, &err) == 0)
            strv_free(diff_ids);
        jv_free(config);
    }
    return 0;
}
