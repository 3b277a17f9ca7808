/* SPDX-License-Identifier: Apache-2.0 */
/* merge.c - override files, extends and include are all this one operation. */
#include "parser/merge.h"

#include <string.h>

#include "base/map.h"

struct merger {
    struct arena *arena;
    struct diags *diags;
};

static const struct key_row any_row = {"", VALUE_ANY, MERGE_DEEP, .flags = 0};

static struct node *merge(struct merger *merger, const struct key_row *row, struct node *base, struct node *over,
                          const struct path *path);

/* What stands alone: !reset parts go, !override marks are done. */
static struct node *settle(struct node *node)
{
    if (node->tag == NODE_TAG_RESET)
        return NULL;
    node->tag = NODE_TAG_NONE;
    if (node->kind != NODE_LIST && node->kind != NODE_MAP)
        return node;
    NODE_EACH(entry, node)
        entry->value = settle(entry->value);
    node_compact(node);
    return node;
}

/* over stands where base stood. */
static struct node *replace(struct node *base, struct node *over)
{
    struct node *node = settle(over);
    if (node && !node->over) /* one from extends or include keeps its own */
        node->over = base;
    return node;
}

static const struct key_row *row_of(const struct key_row *row, const char *key, struct key_row *ret_item)
{
    if (row->kind == VALUE_OBJECT) {
        const struct key_row *found = table_row(row->table, key);
        return found ? found : &any_row;
    }
    if (row->kind != VALUE_MAP_OF)
        return row->kind == VALUE_SHAPED ? ret_item : &any_row;
    *ret_item = (struct key_row){.name = "", .kind = VALUE_OBJECT, .merge = MERGE_DEEP, .table = row->table};
    return ret_item;
}

static struct node *merge_maps(struct merger *merger, const struct key_row *row, struct node *base, struct node *over,
                               const struct path *path)
{
    /* parts of a SHAPED mapping (ulimits, provider options) are replaced */
    struct key_row item = {.name = "", .kind = VALUE_ANY, .merge = MERGE_REPLACE};
    NODE_EACH(entry, over) {
        struct path step = {.parent = path, .key = entry->key};
        struct node_entry *earlier = node_entry_find(base, entry->key);
        struct node *value = merge(merger, row_of(row, entry->key, &item), earlier ? earlier->value : NULL,
                                   entry->value, &step);
        if (!value && !earlier)
            continue;
        else if (earlier)
            earlier->value = value;
        else
            node_add(merger->arena, base, entry->key, entry->key_pos, value);
    }
    node_compact(base);
    return base;
}

static char *identity_of(const struct key_row *row, const struct node *item)
{
    if (row->table && row->table->identity)
        return item->kind == NODE_MAP ? row->table->identity(item) : NULL;
    if (row->merge != MERGE_UNIQUE && row->merge != MERGE_UNIQUE_KEY)
        return NULL;
    const char *text = node_text(item);
    return text ? xstrndup(text, row->merge == MERGE_UNIQUE_KEY ? strcspn(text, "=") : strlen(text)) : NULL;
}

/* Appends; an item with the identity of an earlier one takes its place. */
static struct node *merge_lists(struct merger *merger, const struct key_row *row, struct node *base, struct node *over,
                                const struct path *path)
{
    const struct key_row item_row = {.name = "", .kind = VALUE_OBJECT, .merge = MERGE_DEEP, .table = row->table};
    struct map *seen = map_new(NULL);
    uint32_t own = base->count;

    for (uint32_t i = 0; i < own; i++) {
        _cleanup_free_ char *identity = identity_of(row, base->items[i].value);
        if (identity)
            map_set(seen, identity, (void *)(uintptr_t)(i + 1));
    }
    for (uint32_t i = 0; i < over->count; i++) {
        struct node *item = settle(over->items[i].value);
        if (!item)
            continue;
        struct path step = {.parent = path, .index = i};
        _cleanup_free_ char *identity = identity_of(row, item);
        uintptr_t earlier = identity ? (uintptr_t)map_find(seen, identity) : 0;
        if (earlier && row->merge == MERGE_BY_ID_DEEP)
            merge(merger, &item_row, base->items[earlier - 1].value, item, &step);
        else if (earlier)
            base->items[earlier - 1].value = replace(base->items[earlier - 1].value, item);
        else
            node_push(merger->arena, base, item);
        if (identity && !earlier)
            map_set(seen, identity, (void *)(uintptr_t)base->count);
    }
    map_free(seen);
    return base;
}

static bool same_driver(const struct node *base, const struct node *over)
{
    const char *a = node_find_text(base, "driver"), *b = node_find_text(over, "driver");
    return !a || !b || strcmp(a, b) == 0;
}

static struct node *merge(struct merger *merger, const struct key_row *row, struct node *base, struct node *over,
                          const struct path *path)
{
    if (!base)
        return settle(over);
    if (over->tag != NODE_TAG_NONE)
        return replace(base, over);
    if (over->kind == NODE_NULL)
        return base;
    if (base->kind == NODE_NULL)
        return settle(over);
    if ((row->merge == MERGE_REPLACE && row->kind != VALUE_OBJECT) ||
        (row->merge == MERGE_LOGGING && !same_driver(base, over)))
        return replace(base, over);
    bool base_scalar = node_is_scalar(base), over_scalar = node_is_scalar(over);
    if (base_scalar != over_scalar || (!base_scalar && base->kind != over->kind)) {
        _cleanup_free_ char *where = path_text(path);
        diag_error(merger->diags, over->pos, NULL, "cannot override %s: %s over %s", where,
                   node_kind_text(over->kind), node_kind_text(base->kind))
            ->other = base->pos;
        return base;
    }
    if (base_scalar)
        return replace(base, over);
    return base->kind == NODE_MAP ? merge_maps(merger, row, base, over, path)
                                  : merge_lists(merger, row, base, over, path);
}

struct node *merge_node(struct arena *arena, struct diags *diags, const struct key_row *row, struct node *base,
                        struct node *over, const struct path *path)
{
    struct merger merger = {.arena = arena, .diags = diags};
    return merge(&merger, row, base, over, path);
}
