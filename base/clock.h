/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - reading clocks (thin) and RFC 3339 times (pure). libc only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_monotonic_us(void); /* CLOCK_MONOTONIC: intervals */
int64_t clock_boottime_us(void);  /* CLOCK_BOOTTIME: schedules */
int64_t clock_wall_ns(void);      /* CLOCK_REALTIME: display and logs only */

#define RFC3339_SIZE 40
/* "2026-11-23T21:54:31.123456789Z"; buffer >= RFC3339_SIZE. Returns buffer. */
const char *rfc3339_format_ns(int64_t wall_ns, char *buffer, size_t size);
/* Accepts fractions of 0-9 digits and any numeric offset or Z. */
bool rfc3339_parse_ns(const char *text, int64_t *ret_wall_ns);
