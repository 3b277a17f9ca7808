/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - bump allocator: one for each loaded project; everything in it is freed at once. */
#pragma once

#include <stddef.h>

#include "base/mem.h"

struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *arena);
DEFINE_CLEANUP(struct arena *, arena_free)
void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for any type */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t size);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *arena_memdup(struct arena *arena, const void *data, size_t size);
size_t arena_used(const struct arena *arena); /* bytes handed out so far, for limits */
