/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - streaming SHA-256 with the CPU's instructions: the only door to libcrypto. */
#pragma once

#include <stddef.h>

#include "base/mem.h"
#include "engine/image/ref.h"

struct digest; /* opaque */
struct digest *digest_new(void);
void digest_free(struct digest *digest);
DEFINE_CLEANUP(struct digest *, digest_free)
void digest_reset(struct digest *digest);
void digest_update(struct digest *digest, const void *data, size_t size);
/* "sha256:<hex>" of what was added; the digest may be reset afterwards. */
void digest_finish(struct digest *digest, char ret_text[DIGEST_SIZE]);
void digest_of(const void *data, size_t size, char ret_text[DIGEST_SIZE]);
