/* SPDX-License-Identifier: Apache-2.0 */
/* dotenv.h - .env, --env-file, env_file and label_file. Pure.
 *
 * Source: compose-reference b.3. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "parser/env.h"
#include "parser/limits.h"

struct dotenv_options {
    /* Looked at first for ${…} and for keys without a value; then what the file set so far. NULL: none. */
    const char *(*lookup)(void *context, const char *name);
    void *context;
    /* Called for a variable that is unset in a value; may be NULL. */
    void (*unset)(void *context, const char *name, unsigned line);
    const char *file; /* for messages and origins */
};

/* Sets each variable in env (which may hold those of earlier files). ERR_CONFIG: "FILE:LINE: what". ERR_LIMIT: too big
 * (parser/limits.h). */
int dotenv_parse(const char *text, size_t size, const struct dotenv_options *options, struct env *env,
                 struct err *err);
/* `format: raw`: KEY=VALUE lines as they are; KEY alone takes the surrounding value. */
int dotenv_parse_raw(const char *text, size_t size, const struct dotenv_options *options, struct env *env,
                     struct err *err);
