/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json.c - what jv_parse accepts must survive being written and read again. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0}, decoded = {0};
    struct jv *value, *again;
    if (jv_parse((const char *)data, size, &value, &err) < 0) {
        assert(err.code == ERR_CORRUPT && err.message[0]);
        return 0;
    }
    char *text = jv_dump(value);
    assert(jv_parse(text, strlen(text), &again, &err) == 0);
    assert(jv_equal(value, again));
    char *canonical = jv_dump(again);
    assert(strcmp(text, canonical) == 0);
    jv_to_err(value, &decoded);
    free(canonical);
    free(text);
    jv_free(again);
    jv_free(value);
    return 0;
}
