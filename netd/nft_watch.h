/* SPDX-License-Identifier: Apache-2.0 */
/* nft_watch.h - notices that somebody else took rules of ours away (`nft flush ruleset`, a reloaded
 * firewall). */
#pragma once

#include "base/loop.h"
#include "base/mem.h"

struct nft_watch;

/* changed is called soon after the last of a burst of deletions in the table of that name. NULL
 * where the kernel tells nothing. */
struct nft_watch *nft_watch_new(struct loop *loop, const char *table, void (*changed)(void *arg),
                                void *arg);
void nft_watch_free(struct nft_watch *watch);
DEFINE_CLEANUP(struct nft_watch *, nft_watch_free)
/* To be called right after a change of our own: what the kernel told about it is forgotten. */
void nft_watch_forget(struct nft_watch *watch);
