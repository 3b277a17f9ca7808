/* SPDX-License-Identifier: Apache-2.0 */
/* env.c - an ordered map of variables. */
#include "parser/env.h"

#include <stdbool.h>
#include <string.h>

#include "base/units.h"

struct variable {
    char *value, *origin, *shadow; /* shadow: origin of a loser; NULL: none */
};

struct env {
    struct map *variables;
};

static void variable_free(void *memory)
{
    struct variable *variable = memory;
    free(variable->value);
    free(variable->origin);
    free(variable->shadow);
    free(variable);
}

struct env *env_new(void)
{
    struct env *env = xcalloc(1, sizeof(*env));
    env->variables = map_new(variable_free);
    return env;
}

void env_free(struct env *env)
{
    if (!env)
        return;
    map_free(env->variables);
    free(env);
}

void env_set(struct env *env, const char *name, const char *value, const char *origin)
{
    struct variable *variable = xcalloc(1, sizeof(*variable));
    variable->value = xstrdup(value);
    variable->origin = xstrdup(origin);
    map_set(env->variables, name, variable);
}

struct env *env_from_process(char *const *environment)
{
    struct env *env = env_new();
    for (; environment && *environment; environment++) {
        const char *equals = strchr(*environment, '=');
        if (!equals || equals == *environment)
            continue;
        _cleanup_free_ char *name = xstrndup(*environment, (size_t)(equals - *environment));
        env_set(env, name, equals + 1, "environment");
    }
    return env;
}

struct env *env_copy(const struct env *env)
{
    struct env *copy = env_new();
    for (size_t i = 0; i < map_count(env->variables); i++) {
        const struct variable *variable = map_value_at(env->variables, i);
        env_set(copy, map_key_at(env->variables, i), variable->value, variable->origin);
        if (variable->shadow)
            env_shadow(copy, map_key_at(env->variables, i), variable->shadow);
    }
    return copy;
}

const char *env_get(const struct env *env, const char *name)
{
    const struct variable *variable = map_find(env->variables, name);
    return variable ? variable->value : NULL;
}

const char *env_origin(const struct env *env, const char *name)
{
    const struct variable *variable = map_find(env->variables, name);
    return variable ? variable->origin : NULL;
}

void env_shadow(struct env *env, const char *name, const char *origin)
{
    struct variable *variable = map_find(env->variables, name);
    if (!variable || variable->shadow)
        return;
    variable->shadow = xstrdup(origin);
}

char *env_explain(const struct env *env, const char *name)
{
    const struct variable *variable = map_find(env->variables, name);
    if (!variable)
        return xasprintf("%s not set", name);
    return xasprintf("%s from %s%s%s", name, variable->origin, variable->shadow ? ", over " : "",
                     variable->shadow ? variable->shadow : "");
}

bool env_get_bool(const struct env *env, const char *name)
{
    const char *text = env_get(env, name);
    bool value = false;
    return text && (strcmp(text, "1") == 0 || (bool_parse(text, &value) && value));
}

size_t env_count(const struct env *env)
{
    return map_count(env->variables);
}

const char *env_name_at(const struct env *env, size_t index)
{
    return map_key_at(env->variables, index);
}

const char *env_lookup(void *context, const char *name)
{
    return env_get(context, name);
}
