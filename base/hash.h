/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h - SHA-256 of small data (fingerprints, cache keys, instance names) over libmd. Blobs of images are
 * hashed by engine/image/digest.h, which uses the CPU's instructions through libcrypto. */
#pragma once

#include <stddef.h>

#define HASH_HEX_SIZE 65

void hash_hex(const void *data, size_t size, char ret_hex[HASH_HEX_SIZE]);
