/* SPDX-License-Identifier: Apache-2.0 */
/* network_ops.c - making and removing networks. The choice of subnets sees what the host uses at
 * this moment: addresses, routes and all stored networks. */
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "netd/daemon.h"
#include "netd/endpoint.h"
#include "netd/ipam.h"
#include "netd/store.h"

struct taken {
    struct netd *netd;
    const char *what;
    VEC(struct ipam_taken) list;
};

static bool is_our_interface(const struct netd *netd, const char *name)
{
    for (size_t i = 0; i < map_count(netd->nets); i++)
        if (str_eq(((const struct net *)map_value_at(netd->nets, i))->interface, name))
            return true;
    return false;
}

static void take_cidr(const struct cidr *cidr, unsigned ifindex, void *arg)
{
    struct taken *taken = arg;
    char name[IF_NAMESIZE] = "?", text[CIDR_TEXT_SIZE];
    struct ipam_taken item = {.cidr = *cidr};

    if (ifindex)
        if_indextoname(ifindex, name);
    if (is_our_interface(taken->netd, name)) /* named better by the network itself */
        return;
    snprintf(item.owner, sizeof(item.owner), "host %s %s on %s", taken->what,
             cidr_format(cidr, text), name);
    VEC_ADD(&taken->list, item);
}

static int find_taken(struct netd *netd, struct taken *taken, struct err *err)
{
    taken->netd = netd;
    taken->what = "address";
    if (rtnl_each_addr(netd->rtnl, take_cidr, taken, err) < 0)
        return -1;
    taken->what = "route";
    if (rtnl_each_route(netd->rtnl, take_cidr, taken, err) < 0)
        return -1;
    for (size_t i = 0; i < map_count(netd->nets); i++) {
        const struct net *net = map_value_at(netd->nets, i);
        for (size_t j = 0; j < net->subnets.count; j++) {
            struct ipam_taken item = {.cidr = net->subnets.items[j].net};
            char text[CIDR_TEXT_SIZE];
            snprintf(item.owner, sizeof(item.owner), "subnet %s of network '%.80s'",
                     cidr_format(&item.cidr, text), net->name);
            VEC_ADD(&taken->list, item);
        }
    }
    return 0;
}

static int plan(struct netd *netd, const struct network_request *request, struct net **ret_net,
                struct err *err)
{
    struct taken taken = {0};
    char created[RFC3339_SIZE];
    struct net *net = NULL;

    rfc3339_format_ns(clock_wall_ns(), created, sizeof(created));
    int result = find_taken(netd, &taken, err);
    if (result == 0)
        result = ipam_plan_network(request, netd->layout->instance, created, taken.list.items,
                                   taken.list.count, &net, err);
    VEC_DONE(&taken.list);
    if (result < 0)
        return -1;
    if (is_our_interface(netd, net->interface)) {
        err_set(err, ERR_BUSY, "interface '%s' belongs to another network", net->interface);
        net_free(net);
        return -1;
    }
    *ret_net = net;
    return 0;
}

/* Makes the kernel agree with a network that is stored. */
static int apply(struct netd *netd, struct net *net, bool is_new, struct err *err)
{
    bool was_there = if_nametoindex(net->interface) != 0;

    if (bridge_ensure(netd, net, err) < 0 || forwarding_enable(netd, net->ipv6, err) < 0)
        return -1;
    for (size_t i = 0; !was_there && i < map_count(netd->sandboxes); i++)
        if (endpoints_attach(netd, map_value_at(netd->sandboxes, i), net, err) < 0)
            return -1;
    return is_new || !netd->table_loaded ? rules_change_net(netd, net, true, err) : 0;
}

int network_ensure(struct netd *netd, const struct network_request *request, struct net **ret_net,
                   struct err *err)
{
    struct net *net = map_find(netd->nets, request->name);

    if (!net && strv_has(netd->damaged, request->name))
        return err_set(err, ERR_CORRUPT, "network '%s': its stored state cannot be read",
                       request->name);
    if (net) {
        if (!str_eq(net->fingerprint, request->fingerprint))
            return err_set(err, ERR_EXISTS, "network '%s' exists with another definition",
                           net->name);
        if (apply(netd, net, false, err) < 0)
            return -1;
        *ret_net = net;
        return 0;
    }
    if (plan(netd, request, &net, err) < 0)
        return err_wrap(err, "network '%s'", request->name);
    if (store_save_net(netd->layout, net, err) < 0) {
        net_free(net);
        return -1;
    }
    map_set(netd->nets, net->name, net);
    if (apply(netd, net, true, err) < 0) {
        struct err ignored = {0};
        (void)network_remove(netd, request->name,
                             &ignored); /* nothing half-made stays; err says why */
        return -1;
    }
    log_info("network name=%s interface=%s created", net->name, net->interface);
    *ret_net = net;
    return 0;
}

int host_clean(struct netd *netd, struct err *err)
{
    if (rules_delete(netd, err) < 0 || forwarding_restore(netd, err) < 0)
        return -1;
    /* empty directories; not worth an error */
    (void)unlinkat(netd->layout->lib_fd, "networks", AT_REMOVEDIR);
    if (map_count(netd->sandboxes) == 0) {
        (void)unlinkat(netd->layout->run_fd, "netns", AT_REMOVEDIR);
        (void)unlinkat(netd->layout->run_fd, "netd/sandboxes", AT_REMOVEDIR);
        (void)unlinkat(netd->layout->run_fd, "netd", AT_REMOVEDIR);
    }
    return 0;
}

int network_remove(struct netd *netd, const char *name, struct err *err)
{
    struct net *net = map_find(netd->nets, name);

    if (!net)
        return err_set(err, ERR_NOT_FOUND, "network '%s' does not exist", name);
    if (net->endpoint_count > 0)
        return err_set(err, ERR_BUSY, "network '%s': Resource is still in use", name);
    if (bridge_remove(netd, net, err) < 0)
        return -1;
    if (map_count(netd->nets) > 1 && netd->table_loaded &&
        rules_change_net(netd, net, false, err) < 0)
        return -1;
    if (store_remove_net(netd->layout, name, err) < 0)
        return -1;
    map_remove(netd->nets, name);
    if (map_count(netd->nets) == 0)
        return host_clean(netd, err);
    return netd->table_loaded ? 0 : rules_load_all(netd, err);
}
