/* SPDX-License-Identifier: Apache-2.0 */
/* rtnl.h - links, addresses and routes over libnl. Thin.
 *
 * A struct rtnl belongs to the network namespace in which it was opened. Changes are collected in a
 * batch and sent as one datagram: most of the time of a change is the way to the kernel and back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "netd/addr.h"

struct rtnl;

int rtnl_open(struct rtnl **ret_rtnl, struct err *err);
void rtnl_close(struct rtnl *rtnl);
DEFINE_CLEANUP(struct rtnl *, rtnl_close)

/* Each adds one change. allow_errno (0: none) is a failure that counts as success: EEXIST, ENODEV.
 */
void rtnl_add_bridge(struct rtnl *rtnl, const char *name, const uint8_t mac[6], unsigned mtu,
                     uint32_t group);
struct rtnl_veth {
    const char *name; /* on our side */
    unsigned master;  /* ifindex of the bridge */
    unsigned mtu;     /* 0: default */
    uint32_t group;   /* of both sides; the group of the network */
    const char *peer_name;
    const uint8_t *peer_mac; /* 6 bytes */
    int peer_netns_fd;
};
/* The pair, our side up and on the bridge, the peer born in its namespace. */
void rtnl_add_veth(struct rtnl *rtnl, const struct rtnl_veth *veth);
void rtnl_add_up(struct rtnl *rtnl, unsigned ifindex);
void rtnl_add_master(struct rtnl *rtnl, unsigned ifindex, unsigned master);
/* What the port of a bridge does: hairpin sends frames back, isolated ports do not see each other.
 */
void rtnl_add_bridge_port(struct rtnl *rtnl, unsigned ifindex, bool hairpin, bool isolated);
void rtnl_add_addr(struct rtnl *rtnl, unsigned ifindex, const struct cidr *cidr, int allow_errno);
void rtnl_add_default_route(struct rtnl *rtnl, unsigned ifindex, const struct addr *gateway);
void rtnl_add_delete(struct rtnl *rtnl, unsigned ifindex, int allow_errno);
/* All links of the group in one transaction of the kernel: one wait instead of one for each. */
void rtnl_add_delete_group(struct rtnl *rtnl, uint32_t group, int allow_errno);
/* Sends what was added and reads all acknowledgements; the first failure is reported with the
 * kernel's words. The batch is empty afterwards. */
int rtnl_run(struct rtnl *rtnl, struct err *err);

struct rtnl_link {
    unsigned index, master;
    uint32_t group;
    char name[16], kind[16]; /* kind "" when the kernel names none */
    bool up;
};
typedef void rtnl_link_fn(const struct rtnl_link *link, void *arg);
int rtnl_each_link(struct rtnl *rtnl, rtnl_link_fn *fn, void *arg, struct err *err);
/* Addresses of links and destinations of routes in the main table (without default routes). */
typedef void rtnl_cidr_fn(const struct cidr *cidr, unsigned ifindex, void *arg);
int rtnl_each_addr(struct rtnl *rtnl, rtnl_cidr_fn *fn, void *arg, struct err *err);
int rtnl_each_route(struct rtnl *rtnl, rtnl_cidr_fn *fn, void *arg, struct err *err);
