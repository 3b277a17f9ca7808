/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c - allocators that abort when memory is out. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void *must(void *memory)
{
    if (!memory) {
        static const char text[] = "error out of memory\n";
        ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);
        (void)written; /* nothing left to be done about it */
        abort();
    }
    return memory;
}

void *xmalloc(size_t size)
{
    return must(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
    return must(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *memory, size_t size)
{
    return must(realloc(memory, size ? size : 1));
}

void *xreallocarray(void *memory, size_t count, size_t size)
{
    return must(reallocarray(memory, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
    return text ? must(strdup(text)) : NULL;
}

char *xstrndup(const char *text, size_t max)
{
    return text ? must(strndup(text, max)) : NULL;
}

char *xasprintf(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    return must(size < 0 ? NULL : text);
}

void *xmemdup(const void *memory, size_t size)
{
    void *copy = xmalloc(size);
    if (size > 0)
        memcpy(copy, memory, size);
    return copy;
}
