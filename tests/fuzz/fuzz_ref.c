/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ref.c - a text that is a reference has a full form that is a fixed point, in plain
 * characters only. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "engine/registry/challenge.h"
#include "engine/registry/host_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = xstrndup((const char *)data, size), *full = NULL, *again = NULL;
    struct err err = {0};
    struct challenge challenge = {0};
    struct host_config config = {0};
    if (image_ref_normalize(text, &full, &err) == 0) {
        assert(
            full[strspn(
                full, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@[]")] ==
            '\0');
        assert(!strstr(full, "/.") && !strstr(full, "//"));
        assert(image_ref_normalize(full, &again, &err) == 0 && strcmp(full, again) == 0);
        _cleanup_free_ char *familiar = image_ref_familiar(full), *back = NULL;
        assert(image_ref_normalize(familiar, &back, &err) == 0 && strcmp(full, back) == 0);
    }
    (void)challenge_parse(text, &challenge);
    challenge_done(&challenge);
    if (host_config_parse("fuzz", text, &config, &err) == 0)
        host_config_done(&config);
    return 0;
}
