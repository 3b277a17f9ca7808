/* SPDX-License-Identifier: Apache-2.0 */
/* nft_load.c - the only door to libnftables. Output and errors are kept in the library's buffers: a
 * daemon has no terminal. */
#include "netd/nft_load.h"

#include <nftables/libnftables.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct nft {
    struct nft_ctx *context;
};

int nft_open(struct nft **ret_nft, struct err *err)
{
    struct nft_ctx *context = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!context)
        return err_set(err, ERR_SYSTEM, "libnftables cannot start");
    if (nft_ctx_buffer_error(context) || nft_ctx_buffer_output(context)) {
        nft_ctx_free(context);
        return err_set(err, ERR_SYSTEM, "libnftables has no buffers");
    }
    struct nft *nft = xcalloc(1, sizeof(*nft));
    nft->context = context;
    *ret_nft = nft;
    return 0;
}

void nft_close(struct nft *nft)
{
    if (!nft)
        return;
    nft_ctx_free(nft->context);
    free(nft);
}

int nft_load(struct nft *nft, const char *text, struct err *err)
{
    if (!text[0])
        return 0;
    if (nft_run_cmd_from_buffer(nft->context, text) == 0)
        return 0;
    const char *message = nft_ctx_get_error_buffer(nft->context);
    _cleanup_free_ char *first =
        xstrndup(message ? message : "", message ? strcspn(message, "\n") : 0);
    /* the library has no codes, only texts */
    bool exists = strstr(first, "File exists") != NULL;
    return err_set(err, exists ? ERR_EXISTS : ERR_SYSTEM, "load firewall rules: %s",
                   first[0] ? first : "unknown failure");
}
