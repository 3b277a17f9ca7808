/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of blobs, over libcrypto's EVP interface. Its failures are lack of memory or a broken
 * library: we abort. */
#include "engine/image/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct digest {
    EVP_MD_CTX *context;
};

static void require(int ok)
{
    if (ok != 1)
        abort();
}

struct digest *digest_new(void)
{
    struct digest *digest = xcalloc(1, sizeof(*digest));
    digest->context = EVP_MD_CTX_new();
    require(digest->context != NULL);
    digest_reset(digest);
    return digest;
}

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void digest_reset(struct digest *digest)
{
    require(EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL));
}

void digest_update(struct digest *digest, const void *data, size_t size)
{
    require(EVP_DigestUpdate(digest->context, data, size));
}

void digest_finish(struct digest *digest, char ret_text[DIGEST_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    require(EVP_DigestFinal_ex(digest->context, raw, &size));
    memcpy(ret_text, "sha256:", 7);
    for (unsigned i = 0; i < 32; i++) {
        ret_text[7 + 2 * i] = hex[raw[i] >> 4];
        ret_text[8 + 2 * i] = hex[raw[i] & 15];
    }
    ret_text[DIGEST_SIZE - 1] = '\0';
}

void digest_of(const void *data, size_t size, char ret_text[DIGEST_SIZE])
{
    _cleanup_(digest_freep) struct digest *digest = digest_new();
    digest_update(digest, data, size);
    digest_finish(digest, ret_text);
}
