/* SPDX-License-Identifier: Apache-2.0 */
/* map.h - string-keyed map that keeps insertion order (hash index). Keys are copied. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct map; /* opaque */

struct map *map_new(void (*free_value)(void *value)); /* free_value may be NULL */
void map_free(struct map *map);
DEFINE_CLEANUP(struct map *, map_free)
void map_set(struct map *map, const char *key, void *value); /* replaces; frees the old value */
void *map_find(const struct map *map, const char *key);      /* NULL when missing */
bool map_has(const struct map *map, const char *key);
void map_remove(struct map *map, const char *key);
size_t map_count(const struct map *map);
/* Position 0 … map_count-1 in insertion order. */
const char *map_key_at(const struct map *map, size_t index);
void *map_value_at(const struct map *map, size_t index);
