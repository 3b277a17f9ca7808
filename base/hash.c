/* SPDX-License-Identifier: Apache-2.0 */
/* hash.c - SHA-256 of small data: the only door to libmd. */
#include "base/hash.h"

#include <stdint.h>
#include <sys/types.h>

#include <sha2.h>

void hash_hex(const void *data, size_t size, char ret_hex[HASH_HEX_SIZE])
{
    SHA256Data(data, size, ret_hex);
}
