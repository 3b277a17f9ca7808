/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - networks and sandboxes made by hand, and texts compared with tests/golden/netd/. */
#pragma once

#include "netd/state.h"

struct net *world_net(const char *name, const char *key, const char *subnet4, const char *subnet6, bool internal);
/* id is one hex digit, repeated. */
struct sandbox *world_sandbox(char id, const char *service, const char *name);
struct endpoint *world_attach(struct sandbox *sandbox, struct net *net, const char *ip4, const char *ip6,
                              const char *alias);
void world_publish(struct sandbox *sandbox, enum port_proto proto, const char *host, uint16_t port, uint16_t target);
/* WINCH_GOLDEN_WRITE=1 writes the file instead. */
void golden_expect_netd(const char *name, const char *text);
