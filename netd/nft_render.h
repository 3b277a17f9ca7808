/* SPDX-License-Identifier: Apache-2.0 */
/* nft_render.h - our rules as nft text. Pure; golden-tested.
 *
 * One table `inet <instance name>` holds everything: fixed chains that read sets and maps, so that
 * a network or a published port is one element more and never a rule more. No text of a user gets
 * into a ruleset: only interface names, addresses and numbers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "netd/state.h"

/* The whole table in one transaction: whatever it held before is replaced. guard_forward: we
 * switched forwarding on, so the host must not become a router for strangers. */
void nft_render_table(struct str *out, const char *table, bool guard_forward,
                      struct net *const *nets, size_t net_count, struct sandbox *const *sandboxes,
                      size_t sandbox_count);
/* The elements of one network; add or delete. */
void nft_render_net(struct str *out, const char *table, const struct net *net, bool add);
/* The published ports of one sandbox; add or delete. Nothing when it has none. */
void nft_render_ports(struct str *out, const char *table, const struct sandbox *sandbox, bool add);
void nft_render_delete(struct str *out, const char *table);

/* Inside a container: port 53 of 127.0.0.11 is port of our resolver, both ways, without connection
 * tracking (which would cost each packet of the container). Fails with ERR_EXISTS where it is
 * loaded already: replacing it would wait 10 ms for the old one to die. */
void nft_render_resolver(struct str *out, uint16_t port);

/* The endpoint to which ports are published in that family, or NULL: the one with the default
 * route. */
const struct endpoint *sandbox_gateway_endpoint(const struct sandbox *sandbox, uint8_t family);
