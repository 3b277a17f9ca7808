/* SPDX-License-Identifier: Apache-2.0 */
/* env.h - variables by name, with the place each one came from: the project environment. */
#pragma once

#include "base/map.h"
#include "base/str.h"

struct env; /* opaque; copies what it is given */

struct env *env_new(void);
void env_free(struct env *env);
DEFINE_CLEANUP(struct env *, env_free)
struct env *env_from_process(char *const *environment); /* NAME=VALUE strings */
struct env *env_copy(const struct env *env);
/* origin: "environment", or FILE:LINE; copied. */
void env_set(struct env *env, const char *name, const char *value, const char *origin);
const char *env_get(const struct env *env, const char *name); /* NULL when unset */
const char *env_origin(const struct env *env, const char *name);
/* A value that lost against the one that is set, for explanations. */
void env_shadow(struct env *env, const char *name, const char *origin);
/* "A from environment, over .env:3"; owned. */
char *env_explain(const struct env *env, const char *name);
bool env_get_bool(const struct env *env, const char *name);
size_t env_count(const struct env *env);
const char *env_name_at(const struct env *env, size_t index);
/* lookup for struct template_scope; context is a const struct env * */
const char *env_lookup(void *context, const char *name);
