/* SPDX-License-Identifier: Apache-2.0 */
/* usage.h - what the logs of all containers take. */
#pragma once

#include <stdint.h>

#include "base/layout.h"

struct log_usage {
    uint64_t logs, bytes;
    uint64_t largest; /* bytes of one container's log */
};
/* What cannot be read counts nothing. */
void log_usage_sum(const struct layout *layout, struct log_usage *ret_usage);
