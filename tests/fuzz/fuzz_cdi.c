/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cdi.c - device descriptions of vendors: refused with a reason, or edits that are whole: absolute paths, KEY=VALUE, lists
 * with an end. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "engine/runtime/cdi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_jv_ struct jv *document = NULL;
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct container_spec spec = { 0 };
    struct err err = { 0 };
    bool hooks = false;
    if (jv_parse((const char *)data, size, &document, &err) < 0)
        return 0;
    const struct jv *device = cdi_device(document, "0");
    const struct jv *edits[] = { jv_find(document, "containerEdits"), jv_find(device, "containerEdits") };
    for (size_t i = 0; i < ARRAY_LEN(edits); i++)
        if (cdi_edit(arena, edits[i], true, &spec, &hooks, &err) < 0) {
            assert(err.code && err.message[0]);
            return 0;
        }
    for (size_t i = 0; i < spec.devices.count; i++)
        assert(spec.devices.items[i].target[0] == '/' && spec.devices.items[i].source);
    for (size_t i = 0; i < spec.mounts.count; i++)
        assert(spec.mounts.items[i].target[0] == '/' && spec.mounts.items[i].source[0] == '/');
    for (size_t i = 0; i < spec.process.env.count; i++)
        assert(strchr(spec.process.env.items[i], '='));
    assert(!spec.process.env.count || !spec.process.env.items[spec.process.env.count]);
    return 0;
}
