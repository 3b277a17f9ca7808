/* SPDX-License-Identifier: Apache-2.0 */
/* variables.c - which variables the files ask for, and the environment they get: `config --variables`, `--environment`. */
#include <stdlib.h>
#include <string.h>

#include "parser/env.h"
#include "parser/loading.h"
#include "parser/template.h"

static void note(void *context, const char *name, char operator_char, const char *operand)
{
    struct loading *loading = context;
    struct variable_use *use = map_find(loading->variables, name);

    if (!use) {
        use = arena_alloc(loading->arena, sizeof(*use));
        *use = (struct variable_use){.name = arena_strdup(loading->arena, name), .fallback = "", .alternate = ""};
        map_set(loading->variables, name, use);
    }
    if (operator_char == '?')
        use->required = true;
    else if (operator_char == '-' && !*use->fallback)
        use->fallback = arena_strdup(loading->arena, operand);
    else if (operator_char == '+' && !*use->alternate)
        use->alternate = arena_strdup(loading->arena, operand);
}

void variables_note(struct loading *loading, const struct node *document)
{
    if (document->kind == NODE_STRING)
        template_scan(document->text, note, loading);
    for (uint32_t i = 0; document->kind >= NODE_LIST && i < document->count; i++)
        variables_note(loading, document->items[i].value);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct variable_use *)a)->name, ((const struct variable_use *)b)->name);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct kv *)a)->key, ((const struct kv *)b)->key);
}

void variables_list(struct loading *loading, struct project *project)
{
    struct arena *arena = loading->arena;
    size_t used = map_count(loading->variables), count = env_count(loading->env);

    project->variables.items = arena_alloc(arena, (used + 1) * sizeof(*project->variables.items));
    project->variables.count = used;
    for (size_t i = 0; i < used; i++)
        memcpy(&project->variables.items[i], map_value_at(loading->variables, i), sizeof(struct variable_use));
    qsort(project->variables.items, used, sizeof(*project->variables.items), by_name);

    project->environment.items = arena_alloc(arena, (count + 1) * sizeof(*project->environment.items));
    project->environment.count = count;
    for (size_t i = 0; i < count; i++) {
        const char *name = env_name_at(loading->env, i);
        project->environment.items[i] =
            (struct kv){.key = arena_strdup(arena, name), .value = arena_strdup(arena, env_get(loading->env, name))};
    }
    qsort(project->environment.items, count, sizeof(*project->environment.items), by_key);
}
