/* SPDX-License-Identifier: Apache-2.0 */
/* Eight bytes a step: multiply, fold the high half back. Each word passes through every later step,
 * so a flipped bit, a swapped block and a changed length all show. */
#include "engine/image/content_sum.h"

#include <string.h>

static uint64_t step(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(0xff51afd7ed558ccd);
    return state ^ (state >> 32);
}

void content_sum_add(struct content_sum *sum, const void *data, size_t size)
{
    const unsigned char *at = data;
    uint64_t state = sum->state, word;
    sum->size += size;
    while (sum->tail_size && size && sum->tail_size < 8) {
        sum->tail[sum->tail_size++] = *at++;
        size--;
    }
    if (sum->tail_size == 8) {
        memcpy(&word, sum->tail, 8);
        state = step(state, word);
        sum->tail_size = 0;
    }
    for (; size >= 8; at += 8, size -= 8) {
        memcpy(&word, at, 8);
        state = step(state, word);
    }
    if (size) {
        memcpy(sum->tail, at, size);
        sum->tail_size = size;
    }
    sum->state = state;
}

uint64_t content_sum_end(struct content_sum *sum)
{
    uint64_t word = 0;
    memcpy(&word, sum->tail, sum->tail_size);
    return step(step(sum->state, word), sum->size);
}
