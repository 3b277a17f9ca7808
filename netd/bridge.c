/* SPDX-License-Identifier: Apache-2.0 */
/* bridge.c - the link of one network. The link group marks what is ours: bridge and ports of a
 * network share one, derived from the interface name, and the kernel deletes a whole group in one
 * go. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/hash.h"
#include "netd/daemon.h"
#include "netd/sysctl.h"

uint32_t bridge_group(const struct net *net)
{
    char hex[HASH_HEX_SIZE];
    uint32_t group = 0;

    hash_hex(net->interface, strlen(net->interface), hex);
    for (int i = 0; i < 8; i++)
        group = group << 4 | (uint32_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    return (group & 0x3fffffffu) |
           0x40000000u; /* far away from the small numbers that people use */
}

bool bridge_group_is_ours(uint32_t group)
{
    return group >> 30 == 1;
}

struct find {
    const char *name;
    struct rtnl_link found;
};

static void find_link(const struct rtnl_link *link, void *arg)
{
    struct find *find = arg;
    if (strcmp(link->name, find->name) == 0)
        find->found = *link;
}

static int create(struct netd *netd, const struct net *net, struct err *err)
{
    uint32_t group = bridge_group(net);
    uint8_t mac[6] = {0x02, 0x57};

    memcpy(mac + 2, &group, 4);
    rtnl_add_bridge(netd->rtnl, net->interface, mac, net->mtu, group);
    return rtnl_run(netd->rtnl, err);
}

int bridge_ensure(struct netd *netd, const struct net *net, struct err *err)
{
    const char *name = net->interface;
    unsigned ifindex = if_nametoindex(name);

    if (ifindex) {
        struct find find = {.name = name};
        if (rtnl_each_link(netd->rtnl, find_link, &find, err) < 0)
            return -1;
        if (find.found.index &&
            (strcmp(find.found.kind, "bridge") != 0 || find.found.group != bridge_group(net)))
            return err_set(err, ERR_BUSY, "network '%s': interface '%s' exists and is not ours",
                           net->name, name);
    } else if (create(netd, net, err) < 0 || !(ifindex = if_nametoindex(name))) {
        return err_wrap(err, "network '%s': bridge '%s'", net->name, name);
    }
    /* before the addresses: without IPv6 not even a link-local one shall appear */
    if (sysctl_write(net->ipv6 ? "0" : "1", net->ipv6 ? err : NULL, "ipv6/conf/%s/disable_ipv6",
                     name) < 0 &&
        net->ipv6)
        return err_wrap(err, "network '%s'", net->name);
    /* best effort: a kernel without IPv6 has none of these */
    (void)sysctl_write("0", NULL, "ipv6/conf/%s/accept_ra", name);
    if (net->ipv6)
        (void)sysctl_write("0", NULL, "ipv6/conf/%s/accept_dad", name);
    /* ports published on loopback are sent on from 127.0.0.1; the guard chain keeps containers out
     * of it */
    if (sysctl_write("1", err, "ipv4/conf/%s/route_localnet", name) < 0)
        return err_wrap(err, "network '%s'", net->name);
    for (size_t i = 0; i < net->subnets.count; i++) {
        const struct subnet *subnet = &net->subnets.items[i];
        struct cidr cidr = {subnet->gateway, subnet->net.prefix};
        rtnl_add_addr(netd->rtnl, ifindex, &cidr, EEXIST);
    }
    rtnl_add_up(netd->rtnl, ifindex);
    if (rtnl_run(netd->rtnl, err) < 0)
        return err_wrap(err, "network '%s': bridge '%s'", net->name, name);
    return 0;
}

int bridge_remove(struct netd *netd, const struct net *net, struct err *err)
{
    if (!if_nametoindex(net->interface))
        return 0;
    /* with the bridge go the ports of namespaces that the kernel has not yet cleaned up */
    rtnl_add_delete_group(netd->rtnl, bridge_group(net), ENODEV);
    if (rtnl_run(netd->rtnl, err) < 0)
        return err_wrap(err, "network '%s': bridge '%s'", net->name, net->interface);
    return 0;
}
