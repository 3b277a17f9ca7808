/* SPDX-License-Identifier: Apache-2.0 */
/* mem.h - allocators that abort when memory is out, cleanup attributes and ownership transfer. libc only.
 *
 * Running out of memory aborts (state is on disk, processes are restartable), therefore any size that
 * comes from a file or a peer is bounded before it is allocated. */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *memory, size_t size);
void *xreallocarray(void *memory, size_t count, size_t size);
char *xstrdup(const char *text);              /* NULL stays NULL */
char *xstrndup(const char *text, size_t max); /* NULL stays NULL */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *xmemdup(const void *memory, size_t size);

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)        ((a) < (b) ? (a) : (b))
#define MAX(a, b)        ((a) > (b) ? (a) : (b))

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _unused_            __attribute__((unused))

/* Frees what a pointer variable holds; for any pointer type. */
static inline void freep(void *pointer)
{
    free(*(void **)pointer);
}
#define _cleanup_free_ _cleanup_(freep)

/* Moves a pointer out of an owned local: `*ret = take_ptr(&local);` */
#define take_ptr(pointer)                                                                          \
    ({                                                                                             \
        __typeof__(*(pointer)) taken_ = *(pointer);                                                \
        *(pointer) = NULL;                                                                         \
        taken_;                                                                                    \
    })

/* Defines static inline void NAMEp(TYPE **p) { NAME(*p); } for _cleanup_(NAMEp). */
#define DEFINE_CLEANUP(type, function)                                                             \
    static inline void function##p(type *pointer)                                                  \
    {                                                                                              \
        if (*pointer)                                                                              \
            function(*pointer);                                                                    \
    }

static inline int str_eq(const char *a, const char *b) /* NULL equals only NULL */
{
    return a == b || (a && b && strcmp(a, b) == 0);
}
static inline int str_has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}
