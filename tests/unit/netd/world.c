/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/str.h"

static void add_subnet(struct net *net, const char *text)
{
    struct subnet subnet = {0};
    if (!text)
        return;
    cr_assert(cidr_parse(text, &subnet.net));
    subnet.gateway = addr_add(subnet.net.addr, 1);
    VEC_ADD(&net->subnets, subnet);
}

struct net *world_net(const char *name, const char *key, const char *subnet4, const char *subnet6, bool internal)
{
    struct net *net = xcalloc(1, sizeof(*net));
    net->name = xstrdup(name);
    net->key = xstrdup(key);
    snprintf(net->interface, sizeof(net->interface), "wb-%.12s", key);
    net->internal = internal;
    net->masquerade = net->icc = true;
    net->ipv4 = subnet4 != NULL;
    net->ipv6 = subnet6 != NULL;
    add_subnet(net, subnet4);
    add_subnet(net, subnet6);
    return net;
}

struct sandbox *world_sandbox(char id, const char *service, const char *name)
{
    struct sandbox *sandbox = xcalloc(1, sizeof(*sandbox));
    sandbox->id = xmalloc(65);
    memset(sandbox->id, id, 64);
    sandbox->id[64] = '\0';
    sandbox->service = xstrdup(service);
    sandbox->name = xstrdup(name);
    sandbox->internal_only = true;
    return sandbox;
}

struct endpoint *world_attach(struct sandbox *sandbox, struct net *net, const char *ip4, const char *ip6,
                              const char *alias)
{
    struct endpoint *endpoint = VEC_ADD(&sandbox->endpoints, (struct endpoint){.net = net});
    if (ip4)
        cr_assert(addr_parse(ip4, &endpoint->ip4));
    if (ip6)
        cr_assert(addr_parse(ip6, &endpoint->ip6));
    if (alias)
        endpoint->aliases = strv_add(NULL, alias);
    sandbox->internal_only &= net->internal;
    return endpoint;
}

void world_publish(struct sandbox *sandbox, enum port_proto proto, const char *host, uint16_t port, uint16_t target)
{
    struct port_hold hold = {.fd = -1};
    cr_assert(addr_parse(host, &hold.host));
    hold.bound = (struct port_bound){.proto = proto, .host = port, .target = target};
    snprintf(hold.bound.host_ip, sizeof(hold.bound.host_ip), "%s", host);
    VEC_ADD(&sandbox->ports, hold);
}

void golden_expect_netd(const char *name, const char *text)
{
    _cleanup_free_ char *path = xasprintf("tests/golden/netd/%s", name);
    _cleanup_free_ char *expected = NULL;
    struct err err = {0};
    bool write_it = getenv("WINCH_GOLDEN_WRITE") != NULL;
    _cleanup_close_ int fd = open(path, write_it ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0644);

    cr_assert_geq(fd, 0, "%s: %m", path);
    if (write_it) {
        cr_assert_eq(fd_write_all(fd, text, strlen(text)), 0);
        return;
    }
    cr_assert_eq(fd_read_all(fd, 1 << 20, &expected, NULL, &err), 0, "%s", err.message);
    cr_expect_str_eq(text, expected, "%s differs:\n%s", path, text);
}
