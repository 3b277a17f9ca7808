/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - bump allocator over zeroed chunks that grow; a large request gets a chunk of its own. */
#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CHUNK_MIN 4096
#define CHUNK_MAX (256 * 1024)
#define ALIGNMENT _Alignof(max_align_t)

struct chunk {
    struct chunk *next;
    size_t size, used; /* of data */
    _Alignas(max_align_t) char data[];
};

struct arena {
    struct chunk *chunks; /* the first one is being filled */
    size_t next_size;
    size_t used;
};

static struct chunk *chunk_new(size_t size)
{
    struct chunk *chunk = xcalloc(1, sizeof(*chunk) + size);
    chunk->size = size;
    return chunk;
}

struct arena *arena_new(void)
{
    struct arena *arena = xcalloc(1, sizeof(*arena));
    arena->next_size = CHUNK_MIN;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        abort(); /* a size nobody bounded: the same as being out of memory */
    size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    struct chunk *chunk = arena->chunks;
    arena->used += size;
    if (size > CHUNK_MAX / 4) { /* goes behind the chunk being filled, whose rest stays usable */
        struct chunk *large = chunk_new(size);
        large->used = size;
        large->next = chunk ? chunk->next : NULL;
        if (chunk)
            chunk->next = large;
        else
            arena->chunks = large;
        return large->data;
    }
    if (!chunk || chunk->size - chunk->used < size) {
        while (arena->next_size < size)
            arena->next_size *= 2;
        chunk = chunk_new(arena->next_size);
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        arena->next_size = MIN(arena->next_size * 2, (size_t)CHUNK_MAX);
    }
    void *memory = chunk->data + chunk->used;
    chunk->used += size;
    return memory;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text ? arena_memdup(arena, text, strlen(text) + 1) : NULL;
}

char *arena_strndup(struct arena *arena, const char *text, size_t size)
{
    if (!text)
        return NULL;
    size = strnlen(text, size);
    char *copy = arena_alloc(arena, size + 1); /* zeroed: terminated */
    memcpy(copy, text, size);
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0)
        abort(); /* only for an invalid format */
    char *text = arena_alloc(arena, (size_t)size + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    return text;
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
