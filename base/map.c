/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - string-keyed map: entries in insertion order, found through an open-addressed index of entry
 * numbers. Removing costs O(count), because positions stay dense. */
#include "base/map.h"

#include <stdint.h>

#define EMPTY UINT32_MAX

struct entry {
    char *key;
    void *value;
    uint64_t hash;
};

struct map {
    struct entry *entries;
    size_t count, capacity;
    uint32_t *index; /* entry numbers or EMPTY */
    size_t index_size; /* a power of two, at least twice the count */
    void (*free_value)(void *value);
};

static uint64_t hash_key(const char *key)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

/* The index slot that holds key, or the empty one where it belongs. */
static size_t find_slot(const struct map *map, const char *key, uint64_t hash)
{
    size_t slot = hash & (map->index_size - 1);
    while (map->index[slot] != EMPTY) {
        const struct entry *entry = &map->entries[map->index[slot]];
        if (entry->hash == hash && strcmp(entry->key, key) == 0)
            break;
        slot = (slot + 1) & (map->index_size - 1);
    }
    return slot;
}

static void rebuild_index(struct map *map, size_t index_size)
{
    if (index_size != map->index_size)
        map->index = xreallocarray(map->index, index_size, sizeof(*map->index));
    map->index_size = index_size;
    memset(map->index, 0xff, index_size * sizeof(*map->index));
    for (size_t i = 0; i < map->count; i++)
        map->index[find_slot(map, map->entries[i].key, map->entries[i].hash)] = (uint32_t)i;
}

static struct entry *find(const struct map *map, const char *key)
{
    if (!map || !key)
        return NULL;
    uint32_t at = map->index[find_slot(map, key, hash_key(key))];
    return at == EMPTY ? NULL : &map->entries[at];
}

static void free_entry(struct map *map, struct entry *entry)
{
    free(entry->key);
    if (map->free_value && entry->value)
        map->free_value(entry->value);
}

struct map *map_new(void (*free_value)(void *value))
{
    struct map *map = xcalloc(1, sizeof(*map));
    map->free_value = free_value;
    rebuild_index(map, 16);
    return map;
}

void map_free(struct map *map)
{
    if (!map)
        return;
    for (size_t i = 0; i < map->count; i++)
        free_entry(map, &map->entries[i]);
    free(map->entries);
    free(map->index);
    free(map);
}

void map_set(struct map *map, const char *key, void *value)
{
    struct entry *old = find(map, key);
    if (old) {
        if (map->free_value && old->value && old->value != value)
            map->free_value(old->value);
        old->value = value;
        return;
    }
    if (map->count == map->capacity) {
        map->capacity = map->capacity ? map->capacity * 2 : 8;
        map->entries = xreallocarray(map->entries, map->capacity, sizeof(*map->entries));
    }
    if ((map->count + 1) * 2 > map->index_size)
        rebuild_index(map, map->index_size * 2);
    uint64_t hash = hash_key(key);
    map->index[find_slot(map, key, hash)] = (uint32_t)map->count;
    map->entries[map->count++] = (struct entry){.key = xstrdup(key), .value = value, .hash = hash};
}

void *map_find(const struct map *map, const char *key)
{
    const struct entry *entry = find(map, key);
    return entry ? entry->value : NULL;
}

bool map_has(const struct map *map, const char *key)
{
    return find(map, key) != NULL;
}

void map_remove(struct map *map, const char *key)
{
    struct entry *entry = find(map, key);
    if (!entry)
        return;
    struct entry gone = *entry;
    size_t at = (size_t)(entry - map->entries);
    memmove(entry, entry + 1, (map->count - at - 1) * sizeof(*entry));
    map->count--;
    rebuild_index(map, map->index_size);
    free_entry(map, &gone); /* last: key may be the entry's own */
}

size_t map_count(const struct map *map)
{
    return map ? map->count : 0;
}

const char *map_key_at(const struct map *map, size_t index)
{
    return index < map_count(map) ? map->entries[index].key : NULL;
}

void *map_value_at(const struct map *map, size_t index)
{
    return index < map_count(map) ? map->entries[index].value : NULL;
}
