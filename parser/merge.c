/* SPDX-License-Identifier: Apache-2.0 */
/* merge.c - override files, extends and include are all this one operation. */
#include "parser/merge.h"

#include <string.h>

#include "base/map.h"
#include "parser/node_json.h"

struct merger {
    struct arena *arena;
    struct diags *diags;
    bool keep_marks;
    struct node *removed; /* path → what !reset it; NULL: not wanted */
};

static const struct key_row any_row = {"", VALUE_ANY, MERGE_DEEP, .flags = 0};
static const struct key_row kv_item_row = {"", VALUE_ANY, MERGE_REPLACE, .flags = KEY_NULL_WINS};

static struct node *merge(struct merger *merger, const struct key_row *row, struct node *base, struct node *over,
                          const struct path *path);

struct node *merge_settle(struct node *node)
{
    if (node->tag == NODE_TAG_RESET)
        return NULL;
    node->tag = NODE_TAG_NONE;
    if (node->kind != NODE_LIST && node->kind != NODE_MAP)
        return node;
    NODE_EACH(entry, node)
        entry->value = merge_settle(entry->value);
    node_compact(node);
    return node;
}

/* What stands alone: !reset parts go, !override marks are done. */
static struct node *settle(const struct merger *merger, struct node *node)
{
    return merger->keep_marks ? node : merge_settle(node);
}

static void note_removed(const struct merger *merger, const struct node *base, struct node *over,
                         const struct path *path)
{
    _cleanup_free_ char *where = path_text(path);
    node_add_loser(merger->arena, over, base);
    node_set(merger->arena, merger->removed, arena_strdup(merger->arena, where), over);
}

/* over stands where base stood. */
static struct node *replace(const struct merger *merger, struct node *base, struct node *over, const struct path *path)
{
    if (over->tag == NODE_TAG_RESET && merger->removed)
        note_removed(merger, base, over, path);
    struct node *node = settle(merger, over);
    if (node)
        node_add_loser(merger->arena, node, base);
    return node;
}

static const struct key_row *row_of(const struct key_row *row, const char *key, struct key_row *ret_item)
{
    if (row->kind == VALUE_OBJECT) {
        const struct key_row *found = table_row(row->table, key);
        return found ? found : &any_row;
    }
    if (row->kind == VALUE_KV)
        return &kv_item_row;
    if (row->kind == VALUE_MAP_OF)
        *ret_item = (struct key_row){.name = "", .kind = VALUE_OBJECT, .merge = MERGE_DEEP, .table = row->table};
    else
        *ret_item = (struct key_row){.name = "", .kind = VALUE_ANY, .merge = MERGE_DEEP};
    if (row->kind == VALUE_SHAPED)
        ret_item->merge = row->merge == MERGE_FORM ? MERGE_FORM : MERGE_REPLACE;
    return ret_item;
}

static struct node *merge_maps(struct merger *merger, const struct key_row *row, struct node *base, struct node *over,
                               const struct path *path)
{
    struct key_row item;
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

/* What two items of a list must share to be one; without a rule of its own: everything. */
static char *identity_of(const struct key_row *row, const struct node *item)
{
    if (row->table && row->table->identity)
        return item->kind == NODE_MAP ? row->table->identity(item) : NULL;
    const char *text = node_text(item);
    if (row->merge == MERGE_UNIQUE || row->merge == MERGE_UNIQUE_KEY)
        return text ? xstrndup(text, row->merge == MERGE_UNIQUE_KEY ? strcspn(text, "=") : strlen(text)) : NULL;
    _cleanup_jv_ struct jv *value = node_to_jv(item);
    return jv_dump(value);
}

/* Appends; an item with the identity of an earlier one takes its place. */
static struct node *merge_lists(struct merger *merger, const struct key_row *row, struct node *base, struct node *over)
{
    struct map *seen = map_new(NULL);
    uint32_t own = base->count;

    for (uint32_t i = 0; i < own; i++) {
        _cleanup_free_ char *identity = identity_of(row, base->items[i].value);
        if (identity)
            map_set(seen, identity, (void *)(uintptr_t)(i + 1));
    }
    for (uint32_t i = 0; i < over->count; i++) {
        if (over->items[i].value->tag == NODE_TAG_RESET)
            continue;
        struct node *item = settle(merger, over->items[i].value);
        _cleanup_free_ char *identity = identity_of(row, item);
        uintptr_t earlier = identity ? (uintptr_t)map_find(seen, identity) : 0;
        if (earlier)
            base->items[earlier - 1].value = replace(merger, base->items[earlier - 1].value, item, NULL);
        else
            node_push(merger->arena, base, item);
        if (identity && !earlier)
            map_set(seen, identity, (void *)(uintptr_t)base->count);
    }
    map_free(seen);
    return base;
}

/* The later list counts; an item with the identity of an earlier one is merged over it. */
static struct node *merge_by_identity(struct merger *merger, const struct key_row *row, struct node *base,
                                      struct node *over, const struct path *path)
{
    const struct key_row item_row = {.name = "", .kind = VALUE_OBJECT, .merge = MERGE_DEEP, .table = row->table};
    _cleanup_(map_freep) struct map *earlier = map_new(NULL);

    NODE_EACH(entry, base) {
        _cleanup_free_ char *identity = identity_of(row, entry->value);
        if (identity)
            map_set(earlier, identity, entry->value);
    }
    for (uint32_t i = 0; i < over->count; i++) {
        struct path step = {.parent = path, .index = i};
        _cleanup_free_ char *identity = identity_of(row, over->items[i].value);
        struct node *below = identity ? map_find(earlier, identity) : NULL;
        over->items[i].value = merge(merger, &item_row, below, over->items[i].value, &step);
    }
    node_compact(over);
    return over;
}

/* A mapping or list of variables as a list of KEY=VALUE. */
static void add_pairs(struct merger *merger, struct node *list, const struct node *from)
{
    struct node *sorted = node_copy(merger->arena, from);
    if (sorted->kind == NODE_MAP)
        node_sort(sorted);
    NODE_EACH(entry, sorted) {
        const char *text = node_text(entry->value);
        const char *pair = !entry->key ? text : text ? arena_printf(merger->arena, "%s=%s", entry->key, text) : entry->key;
        if (pair)
            node_push(merger->arena, list, node_string_ref(merger->arena, pair, entry->value->pos));
    }
}

/* What is merged has no form of one file any more; variables become a list. */
static struct node *merge_written(struct merger *merger, const struct key_row *row, const struct node *base,
                                  const struct node *over)
{
    static const struct key_row pairs = {"", VALUE_LIST, MERGE_UNIQUE_KEY, .flags = 0};
    if (row->kind != VALUE_KV || row->flags & KEY_MAP_ONLY || !base->written || !over->written)
        return NULL;
    struct node *first = node_new(merger->arena, NODE_LIST, base->pos);
    struct node *second = node_new(merger->arena, NODE_LIST, over->pos);
    add_pairs(merger, first, base->written);
    add_pairs(merger, second, over->written);
    return merge_lists(merger, &pairs, first, second);
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
        return settle(merger, over);
    if (over->tag != NODE_TAG_NONE)
        return replace(merger, base, over, path);
    if (over->kind == NODE_NULL)
        return row->flags & KEY_NULL_WINS ? replace(merger, base, over, path) : base;
    if (base->kind == NODE_NULL)
        return settle(merger, over);
    bool base_scalar = node_is_scalar(base), over_scalar = node_is_scalar(over);
    if ((row->merge == MERGE_REPLACE && row->kind != VALUE_OBJECT) ||
        (row->merge == MERGE_LOGGING && !same_driver(base, over)) ||
        (row->merge == MERGE_FORM && base->kind != over->kind) || (row->kind == VALUE_ANY && base_scalar))
        return replace(merger, base, over, path);
    if (base_scalar != over_scalar || (!base_scalar && base->kind != over->kind)) {
        _cleanup_free_ char *where = path_text(path);
        diag_error(merger->diags, over->pos, NULL, "cannot override %s: %s over %s", where,
                   node_kind_text(over->kind), node_kind_text(base->kind))
            ->other = base->pos;
        return base;
    }
    if (base_scalar)
        return replace(merger, base, over, path);
    base->written = merge_written(merger, row, base, over);
    if (base->kind == NODE_MAP)
        return merge_maps(merger, row, base, over, path);
    return row->merge == MERGE_BY_ID_DEEP ? merge_by_identity(merger, row, base, over, path)
                                          : merge_lists(merger, row, base, over);
}

struct node *merge_node(struct loading *loading, const struct key_row *row, struct node *base, struct node *over,
                        const struct path *path)
{
    struct merger merger = {.arena = loading->arena, .diags = loading->diags, .removed = loading->removed};
    return merge(&merger, row, base, over, path);
}

struct node *merge_node_marked(struct loading *loading, const struct key_row *row, struct node *base,
                               struct node *over, const struct path *path)
{
    struct merger merger = {.arena = loading->arena, .diags = loading->diags, .keep_marks = true,
                            .removed = loading->removed};
    return merge(&merger, row, base, over, path);
}
