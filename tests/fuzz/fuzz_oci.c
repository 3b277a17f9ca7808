/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_oci.c - config.json of strangers' bundles: read within its bounds, or refused with a reason. */
#include <assert.h>
#include <stdint.h>

#include "engine/oci/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oci_bundle *bundle = NULL;
    struct jv *config = NULL;
    struct err err = {0};
    if (jv_parse((const char *)data, size, &config, &err) < 0)
        return 0;
    if (oci_bundle_parse(config, "/bundle", "fuzz", &bundle, &err) < 0) {
        assert(err.code && err.message[0]);
        return 0;
    }
    assert(bundle->rootfs[0] == '/' && bundle->ns[OCI_NS_MOUNT].set && bundle->spec.cgroup_path[0] != '/');
    for (size_t i = 0; i < bundle->mounts.count; i++)
        assert(bundle->mounts.items[i].destination[0] == '/');
    oci_bundle_free(bundle);
    return 0;
}
