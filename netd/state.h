/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - what winch-netd holds in memory: networks with their leases, sandboxes with their
 * endpoints.
 *
 * Both are heap objects owned by struct netd (methods.h). The stored form on disk is in store.h,
 * the wire form in network.h. Strings are owned. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/vec.h"
#include "netd/addr.h"
#include "netd/network.h"

#define IFNAME_SIZE 16

struct lease {
    char *key; /* "<project>/<service>/<index>" */
    struct addr addr;
};

struct subnet {
    struct cidr net;           /* host bits clear */
    struct cidr range;         /* family 0: the whole subnet */
    struct addr gateway;       /* the bridge's address */
    VEC(struct addr) reserved; /* aux addresses: never leased */
    struct addr next; /* where the search for a free address goes on; family 0: at the start */
};

struct net {
    char *name, *project, *key, *fingerprint, *created;
    char interface[IFNAME_SIZE];
    bool internal, ipv4, ipv6, attachable;
    bool masquerade, icc;  /* driver options, default true */
    bool custom_interface; /* the name comes from a driver option */
    unsigned mtu;          /* 0: the kernel's */
    struct addr host_bind; /* default host address of published ports; family 0: all */
    VEC(struct subnet) subnets;
    VEC(struct lease) leases;
    struct jv *options, *labels; /* objects */
    bool dirty;                  /* leases not yet on disk */
    size_t endpoint_count;       /* sandboxes attached now */
};

struct endpoint {
    struct net *net;
    char ifname[IFNAME_SIZE]; /* inside: eth0 */
    char veth[IFNAME_SIZE];   /* on the bridge */
    uint8_t mac[6];
    struct addr ip4, ip6;   /* family 0: none */
    VEC(struct cidr) extra; /* link-local and other additional addresses */
    char **aliases;         /* strv or NULL */
    int gw_priority;
};

/* A reserved host port: our socket keeps it from everybody else, the nft maps carry the traffic. */
struct port_hold {
    struct port_bound bound;
    struct addr host; /* family 0 never; 0.0.0.0 and :: mean all */
    int fd;           /* bound, never listening */
};

struct resolver; /* dns_server.h */

struct sandbox {
    char *id, *name, *project, *service, *key; /* key: of the leases */
    struct jv *request;                        /* as it came, for comparing and for repair */
    VEC(struct endpoint) endpoints;            /* in order of attachment */
    VEC(struct port_hold) ports;
    char *netns; /* path of the pin */
    bool ready;  /* the kernel side was made to the end */
    struct resolver *resolver;
    bool internal_only; /* no network with a way out: nothing is asked upstream */
};

void net_free(struct net *net);
DEFINE_CLEANUP(struct net *, net_free)
void sandbox_free(
    struct sandbox *sandbox); /* closes ports, frees the resolver; the kernel side stays */
DEFINE_CLEANUP(struct sandbox *, sandbox_free)
/* First subnet of that family (4, 6), or NULL. */
struct subnet *net_subnet(const struct net *net, uint8_t family);
