/* SPDX-License-Identifier: Apache-2.0 */
/* ipam.h - which subnet a network gets and which address an endpoint gets. Pure: what the kernel
 * and the other networks use comes in as a list. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "netd/state.h"

/* Something that must not be overlapped. */
struct ipam_taken {
    struct cidr cidr;
    char owner[160]; /* for the message: "host route on eth0", "network 'a_default'" */
};

/* Makes a network of a valid request: subnets parsed or chosen, gateways set, options read; nothing
 * leased yet. instance is part of the interface name. created is RFC 3339. ERR_CONFIG: a value is
 * wrong. ERR_BUSY: an explicit subnet overlaps, naming both sides. ERR_LIMIT: pools are exhausted.
 * ERR_UNSUPPORTED: a driver or option we do not have. */
int ipam_plan_network(const struct network_request *request, const char *instance,
                      const char *created, const struct ipam_taken *taken, size_t taken_count,
                      struct net **ret_net, struct err *err);

/* The address of key in that family: wanted (may be NULL), else the one leased before, else the
 * next free one. Marks the network dirty when the lease is new. ERR_BUSY: wanted belongs to another
 * key. ERR_CONFIG: outside the subnet. ERR_LIMIT: no address left. */
int ipam_lease(struct net *net, uint8_t family, const char *key, const struct addr *wanted,
               struct addr *ret_addr, struct err *err);
/* true when something was released (the network is dirty then). */
bool ipam_release(struct net *net, const char *key);
