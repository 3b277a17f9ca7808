/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.h - the nearest known word for a typo. Pure. */
#pragma once

#include <stddef.h>

/* NULL when nothing is near (edit distance with transposition <= 1 + length/4). words[i] may be NULL (skipped). */
const char *suggest_nearest(const char *word, const char *const *words, size_t count);
