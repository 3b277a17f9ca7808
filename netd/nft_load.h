/* SPDX-License-Identifier: Apache-2.0 */
/* nft_load.h - hands nft text to the kernel: one call is one transaction. */
#pragma once

#include "base/err.h"
#include "base/mem.h"

struct nft; /* belongs to the network namespace in which it was opened */

int nft_open(struct nft **ret_nft, struct err *err);
void nft_close(struct nft *nft);
DEFINE_CLEANUP(struct nft *, nft_close)
/* All of text or nothing. The error names the first line that failed; ERR_EXISTS: a "create" found
 * it there. */
int nft_load(struct nft *nft, const char *text, struct err *err);
