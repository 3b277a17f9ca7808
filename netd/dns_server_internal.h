/* SPDX-License-Identifier: Apache-2.0 */
/* dns_server_internal.h - what dns_server.c (UDP, decisions) and dns_tcp.c share. */
#pragma once

#include <sys/queue.h>

#include "netd/dns_forward.h"
#include "netd/dns_server.h"
#include "netd/dns_zone.h"

struct dns {
    struct loop *loop;
    struct zone *zone;
    struct forwarder *forwarder;
};

struct asker;
struct connection;

struct resolver {
    struct dns *dns;
    const struct sandbox *sandbox;
    int udp_fd, tcp_fd;
    struct loop_source *udp_source, *tcp_source;
    struct forward_party *party;
    LIST_HEAD(, asker) askers;
    LIST_HEAD(, connection) connections;
    size_t connection_count;
};

/* Our own answer in buffer (DNS_MESSAGE_MAX bytes), or *ret_forward. */
size_t resolver_answer(struct resolver *resolver, const struct dns_query *query,
                       enum dns_verdict verdict, bool tcp, uint8_t *buffer, bool *ret_forward);

/* dns_tcp.c */
void resolver_on_accept(int fd, unsigned events, void *arg);
void resolver_close_connections(struct resolver *resolver);
