/* SPDX-License-Identifier: Apache-2.0 */
/* vec.h - typed growable array. `VEC(struct op) ops = {0}; VEC_ADD(&ops, (struct op){…});` */
#pragma once

#include <stddef.h>

#include "base/mem.h"

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

/* Appends a copy of the value; evaluates to a pointer to the new element (valid until the next add). */
#define VEC_ADD(vec, ...)                                                                          \
    ({                                                                                             \
        __typeof__(vec) vec_ = (vec);                                                              \
        if (vec_->count == vec_->capacity) {                                                       \
            vec_->capacity = vec_->capacity ? vec_->capacity * 2 : 8;                              \
            vec_->items = xreallocarray(vec_->items, vec_->capacity, sizeof(*vec_->items));        \
        }                                                                                          \
        vec_->items[vec_->count] = (__VA_ARGS__);                                                  \
        &vec_->items[vec_->count++];                                                               \
    })

#define VEC_DONE(vec)                                                                              \
    ({                                                                                             \
        free((vec)->items);                                                                        \
        (vec)->items = NULL;                                                                       \
        (vec)->count = (vec)->capacity = 0;                                                        \
    })
