/* SPDX-License-Identifier: Apache-2.0 */
/* dns_forward.h - asking other name servers. The query goes on whole, under a random id of ours and
 * from a port that the kernel picks at random, over the transport it came by; only an answer that
 * matches is believed. */
#pragma once

#include <sys/socket.h>

#include "base/loop.h"
#include "base/mem.h"
#include "netd/dns_wire.h"

struct forwarder;

struct forwarder *forwarder_new(struct loop *loop, const char *upstream_conf);
void forwarder_free(struct forwarder *forwarder);
DEFINE_CLEANUP(struct forwarder *, forwarder_free)

/* One asking party; queries of one can be taken back together, and no party may starve the others.
 */
struct forward_party;
/* upstreams (strv) or NULL for the host's. */
struct forward_party *forward_party_new(struct forwarder *forwarder, char *const *upstreams);
void forward_party_free(struct forward_party *party); /* pending questions are forgotten */

/* Called exactly once unless the party is freed before; reply NULL: no server answered. The id in
 * reply is ours: the receiver puts the asker's in. */
typedef void forward_reply_fn(const uint8_t *reply, size_t size, void *arg);
/* query is copied. false: too many questions are pending, nothing will be called. */
bool forward_query(struct forward_party *party, const struct dns_query *query, bool tcp,
                   forward_reply_fn *fn, void *arg);
