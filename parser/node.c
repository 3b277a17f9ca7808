/* SPDX-License-Identifier: Apache-2.0 */
/* node.c - the value tree. Maps keep the order of first appearance; above INDEX_MIN entries they carry a
 * hash index, so that a generated file with thousands of services is read in linear time. */
#include "parser/node.h"

#include <string.h>

#include "base/str.h"
#include "parser/scalar.h"

#define INDEX_MIN 16

char *path_text(const struct path *path)
{
    const struct path *steps[96];
    size_t count = 0;
    struct str text = {0};

    for (; path && count < ARRAY_LEN(steps); path = path->parent)
        steps[count++] = path;
    while (count > 0) {
        const struct path *step = steps[--count];
        if (step->key)
            str_addf(&text, "%s%s", text.size ? "." : "", step->key);
        else
            str_addf(&text, "[%zu]", step->index);
    }
    return str_take(&text);
}

struct node *node_new(struct arena *arena, enum node_kind kind, struct pos pos)
{
    struct node *node = arena_alloc(arena, sizeof(*node));
    node->kind = kind;
    node->pos = pos;
    node->text = "";
    return node;
}

struct node *node_string_ref(struct arena *arena, const char *text, struct pos pos)
{
    struct node *node = node_new(arena, NODE_STRING, pos);
    node->text = text;
    return node;
}

struct node *node_string(struct arena *arena, const char *text, struct pos pos)
{
    return node_string_ref(arena, arena_strdup(arena, text), pos);
}

struct node *node_int(struct arena *arena, int64_t value, struct pos pos)
{
    struct node *node = node_new(arena, NODE_INT, pos);
    node->integer = value;
    node->text = arena_printf(arena, "%lld", (long long)value);
    return node;
}

struct node *node_bool(struct arena *arena, bool value, struct pos pos)
{
    struct node *node = node_new(arena, NODE_BOOL, pos);
    node->boolean = value;
    node->text = value ? "true" : "false";
    return node;
}

struct node *node_float(struct arena *arena, double value, struct pos pos)
{
    struct node *node = node_new(arena, NODE_FLOAT, pos);
    char text[SCALAR_FLOAT_SIZE];
    node->number = value;
    scalar_float_format(value, text);
    node->text = arena_strdup(arena, text);
    return node;
}

static uint32_t key_hash(const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    return hash;
}

static void index_put(struct node *map, uint32_t position)
{
    uint32_t slot = key_hash(map->items[position].key) & (map->index_size - 1);
    while (map->index[slot])
        slot = (slot + 1) & (map->index_size - 1);
    map->index[slot] = position + 1;
}

static void index_build(struct arena *arena, struct node *map)
{
    uint32_t size = 64;
    while (size < map->count * 2)
        size *= 2;
    map->index = arena_alloc(arena, size * sizeof(*map->index));
    map->index_size = size;
    for (uint32_t i = 0; i < map->count; i++)
        index_put(map, i);
}

/* After entries have moved. */
static void index_again(struct node *map)
{
    if (!map->index)
        return;
    memset(map->index, 0, map->index_size * sizeof(*map->index));
    for (uint32_t i = 0; i < map->count; i++)
        index_put(map, i);
}

struct node_entry *node_entry_find(const struct node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP)
        return NULL;
    if (map->index) {
        uint32_t slot = key_hash(key) & (map->index_size - 1);
        for (; map->index[slot]; slot = (slot + 1) & (map->index_size - 1))
            if (strcmp(map->items[map->index[slot] - 1].key, key) == 0)
                return &map->items[map->index[slot] - 1];
        return NULL;
    }
    for (uint32_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i].key, key) == 0)
            return &map->items[i];
    return NULL;
}

struct node *node_find(const struct node *map, const char *key)
{
    const struct node_entry *entry = node_entry_find(map, key);
    return entry ? entry->value : NULL;
}

static void grow(struct arena *arena, struct node *node)
{
    if (node->count < node->capacity)
        return;
    uint32_t capacity = node->capacity ? node->capacity * 2 : 4;
    struct node_entry *items = arena_alloc(arena, capacity * sizeof(*items));
    if (node->count)
        memcpy(items, node->items, node->count * sizeof(*items));
    node->items = items;
    node->capacity = capacity;
}

void node_add(struct arena *arena, struct node *map, const char *key, struct pos key_pos, struct node *value)
{
    grow(arena, map);
    map->items[map->count++] = (struct node_entry){.key = key, .key_pos = key_pos, .value = value};
    if (map->index && map->count * 4 < map->index_size * 3)
        index_put(map, map->count - 1);
    else if (map->index || map->count == INDEX_MIN)
        index_build(arena, map);
}

void node_set(struct arena *arena, struct node *map, const char *key, struct node *value)
{
    struct node_entry *entry = node_entry_find(map, key);
    if (entry)
        entry->value = value;
    else
        node_add(arena, map, arena_strdup(arena, key), value->pos, value);
}

void node_remove_at(struct node *node, size_t index)
{
    memmove(&node->items[index], &node->items[index + 1],
            (node->count - index - 1) * sizeof(*node->items));
    node->count--;
    index_again(node);
}

void node_compact(struct node *node)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->count; i++)
        if (node->items[i].value)
            node->items[kept++] = node->items[i];
    bool moved = kept < node->count;
    node->count = kept;
    if (moved)
        index_again(node);
}

bool node_remove(struct node *map, const char *key)
{
    struct node_entry *entry = node_entry_find(map, key);
    if (!entry)
        return false;
    node_remove_at(map, (size_t)(entry - map->items));
    return true;
}

static int entry_compare(const void *a, const void *b)
{
    return strcmp(((const struct node_entry *)a)->key, ((const struct node_entry *)b)->key);
}

void node_sort(struct node *map)
{
    if (map->count > 1)
        qsort(map->items, map->count, sizeof(*map->items), entry_compare);
    index_again(map);
}

void node_push(struct arena *arena, struct node *list, struct node *value)
{
    grow(arena, list);
    list->items[list->count++] = (struct node_entry){.key_pos = value->pos, .value = value};
}

struct node *node_copy(struct arena *arena, const struct node *node)
{
    struct node *copy = arena_memdup(arena, node, sizeof(*node));
    if (node->kind != NODE_LIST && node->kind != NODE_MAP)
        return copy;
    copy->items = NULL;
    copy->count = copy->capacity = 0;
    copy->index = NULL;
    copy->index_size = 0;
    NODE_EACH(entry, node) {
        struct node *value = node_copy(arena, entry->value);
        if (node->kind == NODE_MAP)
            node_add(arena, copy, entry->key, entry->key_pos, value);
        else
            node_push(arena, copy, value);
    }
    return copy;
}

void node_add_loser(struct arena *arena, struct node *node, const struct node *loser)
{
    for (unsigned i = 0; loser && node->over && i < NODE_LOSERS_MAX; i++) {
        if (node->over == loser)
            return;
        struct node *copy = arena_memdup(arena, node->over, sizeof(*copy));
        node->over = copy;
        node = copy;
    }
    if (loser && !node->over && node != loser)
        node->over = loser;
}

bool node_is_scalar(const struct node *node)
{
    return node && node->kind != NODE_LIST && node->kind != NODE_MAP;
}

const char *node_text(const struct node *node)
{
    return node_is_scalar(node) && node->kind != NODE_NULL ? node->text : NULL;
}

const char *node_find_text(const struct node *map, const char *key)
{
    return node_text(node_find(map, key));
}

bool node_find_bool(const struct node *map, const char *key, bool fallback)
{
    const struct node *node = node_find(map, key);
    return node && node->kind == NODE_BOOL ? node->boolean : fallback;
}

bool node_equal(const struct node *a, const struct node *b)
{
    if (!a || !b || a->kind != b->kind)
        return a == b;
    if (node_is_scalar(a))
        return str_eq(a->text, b->text);
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct node *other = a->kind == NODE_MAP ? node_find(b, a->items[i].key) : b->items[i].value;
        if (!other || !node_equal(a->items[i].value, other))
            return false;
    }
    return true;
}

const char *node_kind_text(enum node_kind kind)
{
    static const char *const words[] = {
        [NODE_NULL] = "nothing",    [NODE_BOOL] = "a boolean",  [NODE_INT] = "a number", [NODE_FLOAT] = "a number",
        [NODE_STRING] = "a string", [NODE_LIST] = "a list", [NODE_MAP] = "a mapping",
    };
    return words[kind];
}
