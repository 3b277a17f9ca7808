/* SPDX-License-Identifier: Apache-2.0 */
/* dns_server.c - sockets of the resolvers, and the way of one query: zone first, then perhaps
 * upstream. A few datagrams are taken from one container, then it is the others' turn. */
#include "netd/dns_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "netd/dns_server_internal.h"

#define BATCH   16 /* datagrams in a row from one container */
#define TTL     0  /* addresses move with replicas: nobody shall keep them */
#define BACKLOG 64

struct dns *dns_new(struct loop *loop, const char *upstream_conf)
{
    struct dns *dns = xcalloc(1, sizeof(*dns));
    dns->loop = loop;
    dns->zone = zone_new();
    dns->forwarder = forwarder_new(loop, upstream_conf);
    return dns;
}

void dns_free(struct dns *dns)
{
    if (!dns)
        return;
    zone_free(dns->zone);
    forwarder_free(dns->forwarder);
    free(dns);
}

void dns_add_names(struct dns *dns, const struct sandbox *sandbox)
{
    zone_add(dns->zone, sandbox);
}

void dns_remove_names(struct dns *dns, const struct sandbox *sandbox)
{
    zone_remove(dns->zone, sandbox);
}

size_t resolver_answer(struct resolver *resolver, const struct dns_query *query,
                       enum dns_verdict verdict, bool tcp, uint8_t *buffer, bool *ret_forward)
{
    size_t max = tcp ? DNS_MESSAGE_MAX : MIN(query->udp_size, (uint16_t)4096);
    struct zone_answer answer = {0};
    size_t size = 0;

    *ret_forward = false;
    if (verdict != DNS_GOOD)
        return dns_answer_empty(query, verdict == DNS_BAD ? DNS_FORMERR : DNS_NOTIMP, buffer, max);
    switch (zone_lookup(resolver->dns->zone, resolver->sandbox, query, &answer)) {
    case ZONE_ADDRS:
        size = dns_answer_addrs(query, answer.addrs.items, answer.addrs.count, TTL, buffer, max);
        break;
    case ZONE_PTR:
        size = query->type == DNS_PTR || query->type == DNS_ANY
                   ? dns_answer_ptr(query, answer.name, TTL, buffer, max)
                   : dns_answer_empty(query, DNS_NOERROR, buffer, max);
        break;
    case ZONE_NXDOMAIN:
        size = dns_answer_empty(query, DNS_NXDOMAIN, buffer, max);
        break;
    case ZONE_REFUSED:
        size = dns_answer_empty(query, DNS_REFUSED, buffer, max);
        break;
    case ZONE_FORWARD:
        *ret_forward = true;
        break;
    }
    VEC_DONE(&answer.addrs);
    return size;
}

/* ---- UDP ---- */

/* A datagram that waits for an upstream. */
struct asker {
    struct resolver *resolver;
    struct sockaddr_storage from;
    socklen_t from_size;
    uint16_t id;
    uint8_t *data; /* the query, for a failure of our own */
    struct dns_query query;
    LIST_ENTRY(asker) link;
};

static void asker_free(struct asker *asker)
{
    LIST_REMOVE(asker, link);
    free(asker->data);
    free(asker);
}

static void send_udp(const struct resolver *resolver, const struct sockaddr_storage *to,
                     socklen_t to_size, const uint8_t *data, size_t size)
{
    /* a full socket buffer loses the answer: the asker asks again */
    (void)sendto(resolver->udp_fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                 (const struct sockaddr *)to, to_size);
}

static void on_udp_reply(const uint8_t *reply, size_t size, void *arg)
{
    struct asker *asker = arg;
    uint8_t failure[DNS_NAME_SIZE];

    if (reply) {
        _cleanup_free_ uint8_t *copy = xmemdup(reply, size);
        copy[0] = (uint8_t)(asker->id >> 8);
        copy[1] = (uint8_t)asker->id;
        send_udp(asker->resolver, &asker->from, asker->from_size, copy, size);
    } else {
        size = dns_answer_empty(&asker->query, DNS_SERVFAIL, failure, 512);
        send_udp(asker->resolver, &asker->from, asker->from_size, failure, size);
    }
    asker_free(asker);
}

static void forward_udp(struct resolver *resolver, const struct dns_query *query,
                        const struct sockaddr_storage *from, socklen_t from_size)
{
    struct asker *asker = xcalloc(1, sizeof(*asker));
    asker->resolver = resolver;
    asker->from = *from;
    asker->from_size = from_size;
    asker->id = query->id;
    asker->data = xmemdup(query->data, query->size);
    asker->query = *query;
    asker->query.data = asker->data;
    LIST_INSERT_HEAD(&resolver->askers, asker, link);
    if (!forward_query(resolver->party, query, false, on_udp_reply, asker))
        on_udp_reply(NULL, 0, asker);
}

static void on_udp(int fd, unsigned events, void *arg)
{
    struct resolver *resolver = arg;
    static uint8_t data[DNS_MESSAGE_MAX + 1], answer[DNS_MESSAGE_MAX];
    (void)events;

    for (int i = 0; i < BATCH; i++) {
        struct sockaddr_storage from;
        socklen_t from_size = sizeof(from);
        struct dns_query query;
        bool forward;
        ssize_t size =
            recvfrom(fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);
        if (size < 0)
            return;
        enum dns_verdict verdict = dns_query_parse(data, (size_t)size, &query);
        if (verdict == DNS_IGNORE)
            continue;
        size_t answer_size = resolver_answer(resolver, &query, verdict, false, answer, &forward);
        if (forward)
            forward_udp(resolver, &query, &from, from_size);
        else
            send_udp(resolver, &from, from_size, answer, answer_size);
    }
}

/* ---- life cycle ---- */

static int open_socket(int type, int *ret_fd, struct err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(RESOLVER_PORT),
                                  .sin_addr.s_addr = htonl(0x7f00000b)}; /* 127.0.0.11 */
    _cleanup_close_ int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd < 0)
        return err_sys(err, "open a resolver socket");
    /* TCP only: connections of a former netd may be dying */
    if (type == SOCK_STREAM)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return err_sys(err, "bind the resolver to 127.0.0.11:%d", RESOLVER_PORT);
    if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
        return err_sys(err, "listen on the resolver's port");
    *ret_fd = take_fd(&fd);
    return 0;
}

int resolver_new(struct dns *dns, const struct sandbox *sandbox, char *const *upstreams,
                 struct resolver **ret_resolver, struct err *err)
{
    _cleanup_close_ int udp_fd = -1, tcp_fd = -1;

    if (open_socket(SOCK_DGRAM, &udp_fd, err) < 0 || open_socket(SOCK_STREAM, &tcp_fd, err) < 0)
        return -1;
    struct resolver *resolver = xcalloc(1, sizeof(*resolver));
    resolver->dns = dns;
    resolver->sandbox = sandbox;
    resolver->udp_fd = take_fd(&udp_fd);
    resolver->tcp_fd = take_fd(&tcp_fd);
    resolver->party = forward_party_new(dns->forwarder, upstreams);
    LIST_INIT(&resolver->askers);
    LIST_INIT(&resolver->connections);
    resolver->udp_source = loop_fd(dns->loop, resolver->udp_fd, LOOP_READ, on_udp, resolver);
    resolver->tcp_source =
        loop_fd(dns->loop, resolver->tcp_fd, LOOP_READ, resolver_on_accept, resolver);
    *ret_resolver = resolver;
    return 0;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    forward_party_free(resolver->party); /* first: nobody calls back any more */
    while (!LIST_EMPTY(&resolver->askers))
        asker_free(LIST_FIRST(&resolver->askers));
    resolver_close_connections(resolver);
    loop_source_free(resolver->udp_source);
    loop_source_free(resolver->tcp_source);
    close_fdp(&resolver->udp_fd);
    close_fdp(&resolver->tcp_fd);
    free(resolver);
}
