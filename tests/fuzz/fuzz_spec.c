/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_spec.c - specifications as the monitor gets them (packed) and as they lie on disk (JSON): refused with a reason, or a value
 * that packs, unpacks and packs to the same bytes again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/runtime/spec.h"

static void round_trip(const struct container_spec *spec)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    void *first = NULL, *second = NULL;
    size_t first_size = 0, second_size = 0;
    struct container_spec copy;
    struct err err = { 0 };
    if (container_spec_pack(spec, &first, &first_size, &err) == 0 &&
        container_spec_unpack(arena, first, first_size, &copy, &err) == 0) { /* JSON may lack what a start needs */
        assert(container_spec_pack(&copy, &second, &second_size, &err) == 0);
        assert(first_size == second_size && memcmp(first, second, first_size) == 0);
    }
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    _cleanup_jv_ struct jv *value = NULL;
    struct container_spec spec;
    struct exec_spec exec;
    struct err err = { 0 };
    if (container_spec_unpack(arena, data, size, &spec, &err) == 0)
        round_trip(&spec);
    else
        assert(err.code && err.message[0]);
    (void)exec_spec_unpack(arena, data, size, &exec, &err);
    if (jv_parse((const char *)data, size, &value, &err) == 0 && container_spec_from_json(arena, value, &spec, &err) == 0)
        round_trip(&spec);
    return 0;
}
