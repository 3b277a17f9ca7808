/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.c - edit distance with transpositions, for "did you mean". */
#include "base/suggest.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

#define WORD_MAX 64

static int lower(char c)
{
    return tolower((unsigned char)c);
}

/* Optimal string alignment distance, letters' case ignored; both words are at most WORD_MAX long. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][WORD_MAX + 1]; /* the one before the last, the last, the current */
    for (size_t j = 0; j <= b_size; j++)
        rows[1][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        rows[2][0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t cost = lower(a[i - 1]) != lower(b[j - 1]);
            size_t best = MIN(rows[1][j] + 1, rows[2][j - 1] + 1);
            best = MIN(best, rows[1][j - 1] + cost);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
                best = MIN(best, rows[0][j - 2] + 1);
            rows[2][j] = best;
        }
        memcpy(rows[0], rows[1], sizeof(rows[0]));
        memcpy(rows[1], rows[2], sizeof(rows[0]));
    }
    return rows[1][b_size];
}

const char *suggest_nearest(const char *word, const char *const *words, size_t count)
{
    const char *nearest = NULL;
    size_t size = word ? strlen(word) : 0;
    if (size == 0 || size > WORD_MAX)
        return NULL;
    /* one less than the length: a word of which nothing is left is no suggestion */
    size_t best = MIN(1 + size / 4, size - 1) + 1;
    for (size_t i = 0; i < count; i++) {
        size_t other = words[i] ? strlen(words[i]) : 0;
        if (other == 0 || other > WORD_MAX || other + best <= size || size + best <= other)
            continue;
        size_t d = distance(word, size, words[i], other);
        if (d < best) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}
