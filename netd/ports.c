/* SPDX-License-Identifier: Apache-2.0 */
/* ports.c - binding. SO_REUSEADDR stays off: with it another program that sets it too could bind
 * beside us. Only when nothing but dead connections of an earlier server (TIME_WAIT) is in the way
 * it is used for the one call. */
#include "netd/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"

#define EPHEMERAL_TRIES 16

static const struct addr any4 = {.family = 4}, any6 = {.family = 6};

static socklen_t to_sockaddr(const struct addr *host, uint16_t port,
                             struct sockaddr_storage *ret_address)
{
    memset(ret_address, 0, sizeof(*ret_address));
    if (host->family == 4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, host->bytes, 4);
        return sizeof(*v4);
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    memcpy(&v6->sin6_addr, host->bytes, 16);
    return sizeof(*v6);
}

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value));
}

/* 0 with *ret_fd and *ret_port, or an errno. */
static int bind_port(enum port_proto proto, const struct addr *host, uint16_t port, int *ret_fd,
                     uint16_t *ret_port)
{
    struct sockaddr_storage address;
    socklen_t size = to_sockaddr(host, port, &address);
    int type = proto == PORT_TCP ? SOCK_STREAM : SOCK_DGRAM;
    _cleanup_close_ int fd = socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return errno;
    if (host->family == 6)
        (void)set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1); /* IPv4 has a socket of its own */
    if (proto == PORT_UDP)
        (void)set_option(fd, SOL_SOCKET, SO_RCVBUF, 0); /* nobody reads it */
    if (bind(fd, (struct sockaddr *)&address, size) < 0) {
        if (errno != EADDRINUSE || proto != PORT_TCP || port == 0)
            return errno;
        (void)set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (bind(fd, (struct sockaddr *)&address, size) < 0)
            return errno;
        (void)set_option(fd, SOL_SOCKET, SO_REUSEADDR, 0);
    }
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return errno;
    *ret_port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                                   : ((struct sockaddr_in6 *)&address)->sin6_port);
    *ret_fd = take_fd(&fd);
    return 0;
}

static void add_hold(struct sandbox *sandbox, const struct port_publish *publish,
                     const struct addr *host, uint16_t port, int fd)
{
    struct port_hold hold = {.host = *host, .fd = fd};
    hold.bound.proto = publish->proto;
    hold.bound.host = port;
    hold.bound.target = publish->target;
    addr_format(host, hold.bound.host_ip);
    VEC_ADD(&sandbox->ports, hold);
}

/* One port on one or two addresses, all or nothing. Returns 0 or an errno. */
static int reserve_at(struct sandbox *sandbox, const struct port_publish *publish,
                      const struct addr *hosts, size_t count, uint16_t port)
{
    int fds[2] = {-1, -1};
    uint16_t bound = port;
    int failure = 0;

    for (size_t i = 0; i < count && !failure; i++)
        failure = bind_port(publish->proto, &hosts[i], bound, &fds[i], &bound);
    for (size_t i = 0; i < count; i++)
        if (failure)
            close_fdp(&fds[i]);
        else
            add_hold(sandbox, publish, &hosts[i], bound, fds[i]);
    return failure;
}

static int busy(const struct port_publish *publish, const struct addr *host, uint16_t port,
                int failure, const struct ports_context *context, struct err *err)
{
    char text[ADDR_TEXT_SIZE];
    bool v6 = host->family == 6;

    addr_format(host, text);
    if (failure != EADDRINUSE)
        return err_sysno(err, failure, "Bind for %s%s%s:%u failed", v6 ? "[" : "", text,
                         v6 ? "]" : "", port);
    _cleanup_free_ char *holder =
        context->find_own ? context->find_own(publish->proto, host, port, context->arg) : NULL;
    if (!holder)
        holder = port_holder_find(publish->proto, host->family, port);
    return err_set(err, ERR_BUSY, "Bind for %s%s%s:%u failed: port is already allocated%s%s",
                   v6 ? "[" : "", text, v6 ? "]" : "", port, holder ? " by " : "",
                   holder ? holder : "");
}

static int choose_hosts(const struct port_publish *publish, const struct ports_context *context,
                        struct addr hosts[2], size_t *ret_count, struct err *err)
{
    size_t count = 0;
    if (publish->host_ip && publish->host_ip[0]) {
        if (!addr_parse(publish->host_ip, &hosts[0]))
            return err_set(err, ERR_CONFIG, "'%s' is not an address to publish on",
                           publish->host_ip);
        count = 1;
    } else if (context->host_default.family) {
        hosts[count++] = context->host_default;
    } else {
        if (context->v4)
            hosts[count++] = any4;
        if (context->v6)
            hosts[count++] = any6;
    }
    for (size_t i = 0; i < count; i++)
        if (!(hosts[i].family == 4 ? context->v4 : context->v6))
            return err_set(
                err, ERR_CONFIG,
                "cannot publish port %u on IPv%d: the container has no such address on a network "
                "with a way out",
                publish->target, hosts[i].family);
    if (count == 0)
        return err_set(
            err, ERR_CONFIG,
            "cannot publish port %u: the container has no address on a network with a way out",
            publish->target);
    if (count == 1 && hosts[0].family == 6 && addr_is_loopback(&hosts[0]))
        return err_set(
            err, ERR_UNSUPPORTED,
            "publishing on [::1] is not supported: the kernel does not route IPv6 loopback");
    *ret_count = count;
    return 0;
}

int ports_reserve(struct sandbox *sandbox, const struct port_publish *publish,
                  const struct ports_context *context, struct err *err)
{
    struct addr hosts[2];
    size_t count = 0;
    int failure = EADDRINUSE;

    if (publish->proto == PORT_SCTP)
        return err_set(err, ERR_UNSUPPORTED, "publishing sctp port %u is not supported",
                       publish->target);
    if (choose_hosts(publish, context, hosts, &count, err) < 0)
        return -1;
    uint16_t first = publish->host_first;
    uint16_t last = publish->host_last > first ? publish->host_last : first;
    if (first == 0) {
        for (int i = 0; i < EPHEMERAL_TRIES && failure == EADDRINUSE; i++)
            failure = reserve_at(sandbox, publish, hosts, count, 0);
        last = 0;
    } else {
        for (unsigned port = first; port <= last && failure == EADDRINUSE; port++)
            failure = reserve_at(sandbox, publish, hosts, count, (uint16_t)port);
    }
    return failure ? busy(publish, &hosts[0], first, failure, context, err) : 0;
}

void ports_release(struct sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->ports.count; i++)
        close_fdp(&sandbox->ports.items[i].fd);
    sandbox->ports.count = 0;
}

bool ports_collide(const struct port_hold *hold, enum port_proto proto, const struct addr *host,
                   uint16_t port)
{
    if (hold->bound.proto != proto || hold->bound.host != port || hold->host.family != host->family)
        return false;
    const struct addr *any = host->family == 4 ? &any4 : &any6;
    return addr_equal(&hold->host, host) || addr_equal(&hold->host, any) || addr_equal(host, any);
}
