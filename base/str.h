/* SPDX-License-Identifier: Apache-2.0 */
/* str.h - growing string buffer and small string helpers. libc only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

/* Always terminated once anything was added; data is NULL while empty. Initialise with {0}. */
struct str {
    char *data;
    size_t size;     /* bytes without the terminator */
    size_t capacity; /* bytes allocated */
};

void str_done(struct str *str);
#define _cleanup_str_ _cleanup_(str_done)
void str_add(struct str *str, const char *text);
void str_add_bytes(struct str *str, const void *data, size_t size);
void str_add_char(struct str *str, char c);
void str_addf(struct str *str, const char *format, ...) __attribute__((format(printf, 2, 3)));
void str_clear(struct str *str);
/* Gives the buffer away (never NULL: "" when empty); the str is empty afterwards. */
char *str_take(struct str *str);
const char *str_text(const struct str *str); /* "" when empty */

/* Splits like strsep at any of the characters; *ret_parts is a NULL-terminated array (strv_free). */
char **strv_split(const char *text, const char *separators);
void strv_free(char **strv);
void strv_freep(char ***strv);
size_t strv_len(char *const *strv);
/* Appends a copy and returns the (moved) array. */
char **strv_add(char **strv, const char *text);
bool strv_has(char *const *strv, const char *text);
char **strv_dup(char *const *strv);

/* Strict decimal parse of the whole text (no sign unless min < 0, no blanks). False when not in range. */
bool parse_i64(const char *text, long long min, long long max, long long *ret_value);

/* text with control characters, invalid UTF-8 and bidi overrides shown as \xNN, for terminals. Owned. */
char *str_printable(const char *text);
