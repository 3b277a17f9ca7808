/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.c - making the planned legs. Two batches outside (all pairs, then the settings of their
 * ports) and one inside, because most of the time is waiting for the kernel. */
#include "netd/endpoint.h"

#include <errno.h>
#include <net/if.h>

#include "netd/nft_render.h"
#include "netd/sysctl.h"

/* hairpin: a container reaches its own published port through the host's address */
static void add_port(struct rtnl *rtnl, const struct endpoint *endpoint, unsigned ifindex)
{
    rtnl_add_bridge_port(rtnl, ifindex, true, !endpoint->net->icc);
}

int endpoints_create(struct netd *netd, const struct sandbox *sandbox, int netns_fd,
                     struct err *err)
{
    struct rtnl *rtnl = netd->rtnl;

    if (sandbox->endpoints.count == 0)
        return 0;
    for (size_t i = 0; i < sandbox->endpoints.count; i++) {
        const struct endpoint *endpoint = &sandbox->endpoints.items[i];
        unsigned master = if_nametoindex(endpoint->net->interface);
        unsigned stale = if_nametoindex(endpoint->veth);
        if (!master)
            return err_set(err, ERR_NOT_FOUND, "bridge '%s' of network '%s' is gone",
                           endpoint->net->interface, endpoint->net->name);
        if (stale) /* of a namespace that is still dying */
            rtnl_add_delete(rtnl, stale, ENODEV);
        rtnl_add_veth(rtnl, &(struct rtnl_veth){.name = endpoint->veth,
                                                .master = master,
                                                .mtu = endpoint->net->mtu,
                                                .group = bridge_group(endpoint->net),
                                                .peer_name = endpoint->ifname,
                                                .peer_mac = endpoint->mac,
                                                .peer_netns_fd = netns_fd});
    }
    if (rtnl_run(rtnl, err) < 0)
        return -1;
    for (size_t i = 0; i < sandbox->endpoints.count; i++) {
        const struct endpoint *endpoint = &sandbox->endpoints.items[i];
        add_port(rtnl, endpoint, if_nametoindex(endpoint->veth));
        /* a port of a bridge needs no address; fails where the kernel has no IPv6 */
        (void)sysctl_write("1", NULL, "ipv6/conf/%s/disable_ipv6", endpoint->veth);
    }
    return rtnl_run(rtnl, err);
}

int endpoints_attach(struct netd *netd, const struct sandbox *sandbox, const struct net *net,
                     struct err *err)
{
    for (size_t i = 0; i < sandbox->endpoints.count; i++) {
        const struct endpoint *endpoint = &sandbox->endpoints.items[i];
        unsigned ifindex = if_nametoindex(endpoint->veth);
        unsigned master = if_nametoindex(endpoint->net->interface);
        if ((net && endpoint->net != net) || !ifindex || !master)
            continue;
        rtnl_add_master(netd->rtnl, ifindex, master);
        add_port(netd->rtnl, endpoint, ifindex);
    }
    return rtnl_run(netd->rtnl, err);
}

/* The endpoint that owns the default route of the family, or NULL. */
static bool has_default_route(const struct sandbox *sandbox, const struct endpoint *endpoint,
                              uint8_t family)
{
    return sandbox_gateway_endpoint(sandbox, family) == endpoint;
}

static int configure_one(struct rtnl *rtnl, const struct sandbox *sandbox,
                         const struct endpoint *endpoint, struct err *err)
{
    unsigned ifindex = if_nametoindex(endpoint->ifname);
    const struct addr *addrs[] = {&endpoint->ip4, &endpoint->ip6};

    if (!ifindex)
        return err_sys(err, "interface '%s' of network '%s'", endpoint->ifname,
                       endpoint->net->name);
    /* IPv6 off means off: not even a link-local address */
    (void)sysctl_write(endpoint->net->ipv6 ? "0" : "1", NULL, "ipv6/conf/%s/disable_ipv6",
                       endpoint->ifname);
    if (endpoint->net->ipv6) /* addresses are ours to give: no second of waiting for a duplicate */
        (void)sysctl_write("0", NULL, "ipv6/conf/%s/accept_dad", endpoint->ifname);
    for (size_t i = 0; i < ARRAY_LEN(addrs); i++)
        if (addr_is_set(addrs[i])) {
            struct cidr cidr = {*addrs[i], net_subnet(endpoint->net, addrs[i]->family)->net.prefix};
            rtnl_add_addr(rtnl, ifindex, &cidr, EEXIST);
        }
    for (size_t i = 0; i < endpoint->extra.count; i++)
        rtnl_add_addr(rtnl, ifindex, &endpoint->extra.items[i], EEXIST);
    rtnl_add_up(rtnl, ifindex);
    for (size_t i = 0; i < ARRAY_LEN(addrs); i++)
        if (addr_is_set(addrs[i]) && has_default_route(sandbox, endpoint, addrs[i]->family))
            rtnl_add_default_route(rtnl, ifindex,
                                   &net_subnet(endpoint->net, addrs[i]->family)->gateway);
    return 0;
}

int endpoints_configure(const struct sandbox *sandbox, struct err *err)
{
    _cleanup_(rtnl_closep) struct rtnl *rtnl = NULL;

    if (rtnl_open(&rtnl, err) < 0)
        return -1;
    rtnl_add_up(rtnl, 1); /* lo */
    for (size_t i = 0; i < sandbox->endpoints.count; i++)
        if (configure_one(rtnl, sandbox, &sandbox->endpoints.items[i], err) < 0)
            return -1;
    return rtnl_run(rtnl, err);
}

struct indexes {
    unsigned *items;
    size_t count, capacity;
};

static void delete_ours(const struct rtnl_link *link, void *arg)
{
    struct indexes *list = arg;
    if (bridge_group_is_ours(link->group))
        VEC_ADD(list, link->index);
}

int endpoints_clear(struct err *err)
{
    _cleanup_(rtnl_closep) struct rtnl *rtnl = NULL;
    struct indexes list = {0};

    if (rtnl_open(&rtnl, err) < 0 || rtnl_each_link(rtnl, delete_ours, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        rtnl_add_delete(rtnl, list.items[i], ENODEV);
    VEC_DONE(&list);
    return rtnl_run(rtnl, err);
}

bool endpoints_exist(const struct sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->endpoints.count; i++)
        if (!if_nametoindex(sandbox->endpoints.items[i].veth))
            return false;
    return true;
}
