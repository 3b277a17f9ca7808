/* SPDX-License-Identifier: Apache-2.0 */
/* content_sum.h - a fast 64-bit sum of a file's content that finds damage (not malice: that is what
 * digests are for). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct content_sum {
    uint64_t state;
    unsigned char tail[8];
    size_t tail_size;
    uint64_t size;
};
#define CONTENT_SUM_INIT                                                                           \
    {                                                                                              \
        .state = UINT64_C(0x9e3779b97f4a7c15)                                                      \
    }
void content_sum_add(struct content_sum *sum, const void *data, size_t size);
uint64_t content_sum_end(struct content_sum *sum);
