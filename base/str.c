/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - growing string buffer, string vectors, strict numbers, text made safe for terminals. */
#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/utf8.h"

static void reserve(struct str *str, size_t extra)
{
    size_t need = str->size + extra + 1;
    if (need <= str->capacity)
        return;
    size_t capacity = str->capacity ? str->capacity : 32;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    str->data = xrealloc(str->data, capacity);
    str->capacity = capacity;
}

void str_done(struct str *str)
{
    free(str->data);
    *str = (struct str){0};
}

void str_add(struct str *str, const char *text)
{
    if (text)
        str_add_bytes(str, text, strlen(text));
}

void str_add_bytes(struct str *str, const void *data, size_t size)
{
    reserve(str, size);
    if (size > 0)
        memcpy(str->data + str->size, data, size);
    str->size += size;
    str->data[str->size] = '\0';
}

void str_add_char(struct str *str, char c)
{
    str_add_bytes(str, &c, 1);
}

void str_addf(struct str *str, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0)
        return; /* only for an invalid format */
    reserve(str, (size_t)size);
    va_start(args, format);
    vsnprintf(str->data + str->size, (size_t)size + 1, format, args);
    va_end(args);
    str->size += (size_t)size;
}

void str_clear(struct str *str)
{
    str->size = 0;
    if (str->data)
        str->data[0] = '\0';
}

char *str_take(struct str *str)
{
    char *data = str->data ? str->data : xstrdup("");
    *str = (struct str){0};
    return data;
}

const char *str_text(const struct str *str)
{
    return str->data ? str->data : "";
}

char **strv_split(const char *text, const char *separators)
{
    size_t count = 0;
    for (const char *c = text; c && *c; c++)
        count += strchr(separators, *c) != NULL;
    char **parts = xcalloc(count + 2, sizeof(*parts));
    if (!text)
        return parts;
    for (size_t i = 0;; i++) {
        size_t size = strcspn(text, separators);
        parts[i] = xstrndup(text, size);
        if (text[size] == '\0')
            return parts;
        text += size + 1;
    }
}

void strv_free(char **strv)
{
    for (size_t i = 0; strv && strv[i]; i++)
        free(strv[i]);
    free(strv);
}

void strv_freep(char ***strv)
{
    strv_free(*strv);
}

size_t strv_len(char *const *strv)
{
    size_t count = 0;
    while (strv && strv[count])
        count++;
    return count;
}

char **strv_add(char **strv, const char *text)
{
    size_t count = strv_len(strv);
    strv = xreallocarray(strv, count + 2, sizeof(*strv));
    strv[count] = xstrdup(text);
    strv[count + 1] = NULL;
    return strv;
}

bool strv_has(char *const *strv, const char *text)
{
    for (; strv && *strv; strv++)
        if (str_eq(*strv, text))
            return true;
    return false;
}

char **strv_dup(char *const *strv)
{
    size_t count = strv_len(strv);
    char **copy = xcalloc(count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = xstrdup(strv[i]);
    return copy;
}

bool parse_i64(const char *text, long long min, long long max, long long *ret_value)
{
    const char *digits = text;
    if (!text)
        return false;
    if (*digits == '-' && min < 0)
        digits++;
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return false;
    errno = 0;
    long long value = strtoll(text, NULL, 10);
    if (errno != 0 || value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

/* Characters that change how the rest of a line is shown: controls, bidirectional marks and overrides. */
static bool is_harmless(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } bad[] = {{0, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (code >= bad[i].first && code <= bad[i].last)
            return false;
    return true;
}

char *str_printable(const char *text)
{
    struct str out = {0};
    size_t left = text ? strlen(text) : 0;
    while (left > 0) {
        uint32_t code;
        size_t size = utf8_decode(text, left, &code);
        if (size > 0 && is_harmless(code)) {
            str_add_bytes(&out, text, size);
        } else {
            size = size ? size : 1;
            for (size_t i = 0; i < size; i++)
                str_addf(&out, "\\x%02x", (unsigned char)text[i]);
        }
        text += size;
        left -= size;
    }
    return str_take(&out);
}
