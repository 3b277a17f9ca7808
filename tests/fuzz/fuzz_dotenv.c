/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dotenv.c - dotenv files from any bytes. */
#include <assert.h>
#include <stdint.h>

#include "parser/dotenv.h"

static const char *lookup(void *context, const char *name)
{
    (void)context;
    return name[0] == 'A' ? "value" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dotenv_options options = {.lookup = lookup, .file = "f"};
    struct err err = {0};
    struct env *env = env_new(), *raw = env_new();
    if (dotenv_parse((const char *)data, size, &options, env, &err) < 0)
        assert(err.code == ERR_CONFIG || err.code == ERR_LIMIT);
    for (size_t i = 0; i < env_count(env); i++)
        assert(*env_name_at(env, i));
    (void)dotenv_parse_raw((const char *)data, size, &options, raw, &err);
    env_free(env);
    env_free(raw);
    return 0;
}
