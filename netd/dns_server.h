/* SPDX-License-Identifier: Apache-2.0 */
/* dns_server.h - the resolver that each container has at 127.0.0.11, and what all of them share. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "netd/state.h"

/* Inside each namespace; an nft rule there makes port 53 of 127.0.0.11 of it. Outside the range of
 * ephemeral ports and of anything assigned, since a container that binds it on all addresses would
 * fail. */
#define RESOLVER_PORT 61053

struct dns;      /* names of all containers, pending questions to upstreams */
struct resolver; /* the sockets of one container */

/* upstream_conf: the host's resolv.conf, read again whenever it changes. */
struct dns *dns_new(struct loop *loop, const char *upstream_conf);
void dns_free(struct dns *dns);
DEFINE_CLEANUP(struct dns *, dns_free)

/* Publishes or withdraws the names of a container. */
void dns_add_names(struct dns *dns, const struct sandbox *sandbox);
void dns_remove_names(struct dns *dns, const struct sandbox *sandbox);

/* Opens the sockets: the caller has entered the container's network namespace. sandbox is borrowed
 * for the life of the resolver. upstreams (strv) replaces the host's name servers; NULL: the
 * host's. */
int resolver_new(struct dns *dns, const struct sandbox *sandbox, char *const *upstreams,
                 struct resolver **ret_resolver, struct err *err);
void resolver_free(struct resolver *resolver);
