/* SPDX-License-Identifier: Apache-2.0 */
/* caps.h - capability sets of the calling thread, by plain system calls. libc only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define CAP_BIT(number) (1ULL << (number))

/* permitted and effective to the bits, inheritable empty. */
int caps_set(uint64_t permitted, uint64_t effective, struct err *err);
int caps_set_all(uint64_t permitted, uint64_t effective, uint64_t inheritable, struct err *err);
/* Everything permitted becomes effective (after a change of fsuid dropped the file capabilities).
 */
int caps_raise(struct err *err);
/* Drops from the bounding set what is not in keep, and empties the ambient set. */
int caps_bound(uint64_t keep, struct err *err);
/* What this thread may have at all. */
uint64_t caps_bounding(void);
