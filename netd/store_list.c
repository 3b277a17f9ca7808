/* SPDX-License-Identifier: Apache-2.0 */
/* store_list.c - reading the stored networks without winch-netd. */
#include "base/map.h"
#include "netd/netd_client.h"
#include "netd/store.h"

static void free_net(void *value)
{
    net_free(value);
}

static void count_endpoints(const char *id, const struct jv *stored, void *arg)
{
    const struct jv *endpoints = jv_find(jv_find(stored, "request"), "endpoints");
    (void)id;
    for (size_t i = 0; i < jv_count(endpoints); i++) {
        struct net *net = map_find(arg, jv_get_str(jv_at(endpoints, i), "network", ""));
        if (net)
            net->endpoint_count++;
    }
}

int network_store_list(const struct layout *layout, struct network_info **ret_infos,
                       size_t *ret_count, struct err *err)
{
    _cleanup_(map_freep) struct map *nets = map_new(free_net);

    if (store_load_nets(layout, nets, NULL, err) < 0 ||
        store_each_sandbox(layout, count_endpoints, nets, err) < 0)
        return -1;
    size_t count = map_count(nets);
    struct network_info *infos = xcalloc(count + 1, sizeof(*infos));
    for (size_t i = 0; i < count; i++)
        net_to_info(map_value_at(nets, i), &infos[i]);
    *ret_infos = infos;
    *ret_count = count;
    return 0;
}
