/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - strict UTF-8 decoding (no overlong forms, surrogates or values over U+10FFFF). Pure, libc only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length in bytes (1-4) of the sequence at the start of text, 0 when it is invalid or cut off (or size is
 * 0). ret_code may be NULL. */
size_t utf8_decode(const char *text, size_t size, uint32_t *ret_code);
bool utf8_is_valid(const char *text); /* all of it */
