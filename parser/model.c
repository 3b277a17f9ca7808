/* SPDX-License-Identifier: Apache-2.0 */
/* model.c - lookups in a loaded project. */
#include "parser/model.h"

#include <string.h>

/* Services and resources are sorted by the name at offset. */
static const void *find(const void *items, size_t count, size_t size, size_t offset, const char *name)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *item = (const char *)items + middle * size;
        const char *key = *(const char *const *)(item + offset);
        int order = strcmp(name, key);
        if (order == 0)
            return item;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

#define FIND(list, type, member, name)                                                             \
    find((list).items, (list).count, sizeof(struct type), offsetof(struct type, member), name)

const struct service *project_service(const struct project *project, const char *name)
{
    return FIND(project->services, service, name, name);
}

const struct network *project_network(const struct project *project, const char *key)
{
    return FIND(project->networks, network, key, key);
}

const struct volume *project_volume(const struct project *project, const char *key)
{
    return FIND(project->volumes, volume, key, key);
}

const struct file_object *project_config(const struct project *project, const char *key)
{
    return FIND(project->configs, file_object, key, key);
}

const struct file_object *project_secret(const struct project *project, const char *key)
{
    return FIND(project->secrets, file_object, key, key);
}

const char *kv_find(const struct kv_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].key, key) == 0)
            return list->items[i].value;
    return NULL;
}

const char *depends_condition_text(enum depends_condition condition)
{
    static const char *const words[] = {
#define X(id, text) [DEPENDS_##id] = text,
        DEPENDS_CONDITIONS(X)
#undef X
    };
    return words[condition];
}

const char *restart_condition_text(enum restart_condition condition)
{
    static const char *const words[] = {
#define X(id, text) [RESTART_##id] = text,
        RESTART_CONDITIONS(X)
#undef X
    };
    return words[condition];
}

void project_free(struct project *project)
{
    if (project)
        arena_free(project->arena); /* the project itself lives there */
}
