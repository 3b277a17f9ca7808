/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - what the rest of winch says to and hears from winch-netd about networks: plain data.
 *
 * A *network* is a bridge (or macvlan, …) with subnets; an *endpoint* is one container's leg in one network;
 * a *sandbox* is a pinned network namespace with all endpoints, names and published ports of one container.
 * A *lease* binds an address to a key "<project>/<service>/<index>" within a network: it outlives the sandbox, so a
 * recreated container has the address of its predecessor.
 * All strings are borrowed for the call; results are owned by the caller (…_done). Addresses are text as
 * inet_ntop(3) prints it. Source: Compose Specification "networks", "ports"; docker's libnetwork for names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

#define NETWORK_NAME_MAX 128

struct label {
    const char *key, *value;
};

struct subnet_request {
    const char *subnet;   /* CIDR, or NULL: from the pool */
    const char *ip_range; /* CIDR inside subnet, or NULL */
    const char *gateway;  /* address, or NULL: the first of the subnet */
    const struct label *aux_addresses; /* name → address that is never leased */
    size_t aux_count;
};

struct network_request {
    const char *name;    /* full name "proj_default"; the identity */
    const char *project; /* owner, or NULL */
    const char *key;     /* key in the compose file, or NULL */
    const char *driver;  /* "bridge" (NULL), "macvlan", "ipvlan", "none" */
    bool internal;       /* no way out */
    bool enable_ipv4;    /* default true: set it */
    bool enable_ipv6;
    bool attachable;
    const struct subnet_request *subnets;
    size_t subnet_count;
    const struct label *options; /* driver_opts */
    size_t option_count;
    const struct label *labels;
    size_t label_count;
    const char *fingerprint; /* of the definition: a differing one means "changed" (network.fingerprint) */
};

struct network_info {
    char *name, *project, *key, *driver, *fingerprint, *created; /* created: RFC 3339 */
    char *interface;                                             /* bridge name, at most 15 bytes */
    char **subnets, **gateways;                                  /* CIDR; addresses; same length, strv */
    bool internal, enable_ipv6;
    size_t endpoint_count;
    struct jv *labels; /* object */
};

enum port_proto { PORT_TCP, PORT_UDP, PORT_SCTP };

/* One published port. host_ip NULL or "": all addresses. host_first == 0: any free port; host_first < host_last
 * with one target: any free port of the range. Ranges of ports are expanded before they get here. */
struct port_publish {
    enum port_proto proto;
    const char *host_ip;
    uint16_t host_first, host_last;
    uint16_t target;
};

/* A port as it was really bound. */
struct port_bound {
    enum port_proto proto;
    char host_ip[46]; /* "0.0.0.0", "::", or the address asked for */
    uint16_t host, target;
};

struct endpoint_request {
    const char *network;           /* full name; must exist */
    const char *const *aliases;    /* names on that network beside service and container name */
    size_t alias_count;
    const char *ipv4, *ipv6;       /* static address, or NULL: the lease */
    const char *mac;               /* NULL: derived from the lease */
    const char *interface_name;    /* NULL: eth0, eth1 … in order of attachment */
    const char *const *link_local; /* further addresses, CIDR or plain */
    size_t link_local_count;
    int priority;    /* order of attachment: highest first, ties by name; the first is the main network */
    int gw_priority; /* highest owns the default route */
};

struct sandbox_request {
    const char *id;             /* container id: 64 hex */
    const char *container_name; /* a name on every network */
    const char *project, *service;
    unsigned index;             /* replica number, from 1 */
    const char *hostname, *domainname;
    const char *userns; /* path of the pinned user namespace that shall own the net namespace; NULL: host's */
    const struct endpoint_request *endpoints;
    size_t endpoint_count;      /* 0: loopback only (network_mode: none) */
    const struct port_publish *ports;
    size_t port_count;
    const char *const *dns, *const *dns_search, *const *dns_opt; /* NULL-terminated, or NULL */
    const struct label *extra_hosts;                             /* host → address; "host-gateway" is resolved */
    size_t extra_host_count;
    const struct label *sysctls; /* net.* of the container */
    size_t sysctl_count;
};

struct endpoint_info {
    char *network, *interface; /* full network name; name inside: eth0 */
    char *ipv4, *ipv6;         /* without prefix; NULL when the family is off */
    char *mac, *gateway;
    unsigned prefix4;
};

struct sandbox_info {
    char *netns; /* path of the pinned namespace: /run/winch/netns/<id> */
    struct endpoint_info *endpoints;
    size_t endpoint_count;
    struct port_bound *ports;
    size_t port_count;
    char *hosts, *resolv_conf, *hostname_file; /* contents of the three files in /etc */
};

void network_info_done(struct network_info *info);
void sandbox_info_done(struct sandbox_info *info);
const char *port_proto_text(enum port_proto proto); /* "tcp" */
bool port_proto_parse(const char *text, enum port_proto *ret_proto);

/* Wire form (docs/ipc.md), both sides use the same functions. from_json gives ERR_PROTOCOL for a wrong shape; the
 * strings of a *_request read from JSON are borrowed from the value, arrays are freed by *_request_done. */
struct jv *network_request_to_json(const struct network_request *request);
int network_request_from_json(const struct jv *value, struct network_request *ret_request, struct err *err);
void network_request_done(struct network_request *request);
struct jv *sandbox_request_to_json(const struct sandbox_request *request);
int sandbox_request_from_json(const struct jv *value, struct sandbox_request *ret_request, struct err *err);
void sandbox_request_done(struct sandbox_request *request);
struct jv *network_info_to_json(const struct network_info *info);
int network_info_from_json(const struct jv *value, struct network_info *ret_info, struct err *err);
struct jv *sandbox_info_to_json(const struct sandbox_info *info);
int sandbox_info_from_json(const struct jv *value, struct sandbox_info *ret_info, struct err *err);
