/* SPDX-License-Identifier: Apache-2.0 */
/* units.h - sizes, durations and booleans as the Compose Specification writes them. Pure.
 *
 * bytes: integer or fraction plus b k kb kib m mb mib g … p (any case), powers of 1024.
 * duration: Go form "1h5m30s20ms", units us ms s m h and d w; result in microseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

bool bytes_parse(const char *text, int64_t *ret_bytes);
bool duration_parse(const char *text, int64_t *ret_us);
/* "1m30s", "10s", "1h0m0s", "500ms": as Go's time.Duration prints. Owned by the caller. */
char *duration_format(int64_t us);
/* "1.5MiB" for people, three significant digits, binary units. buffer >= 16 bytes. */
const char *bytes_human(int64_t bytes, char *buffer, size_t size);
/* "1.5MB", powers of 1000, as docker shows traffic. buffer >= 16 bytes. */
const char *bytes_decimal(int64_t bytes, char *buffer, size_t size);
/* "3 seconds", "About a minute", "2 hours": the words that ps of docker uses. buffer >= 32 bytes. */
const char *age_human(int64_t seconds, char *buffer, size_t size);
/* true false yes no on off y n (any case); false when the word is none. */
bool bool_parse(const char *text, bool *ret_value);
