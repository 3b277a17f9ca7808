/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - life cycle of the daemon's heap objects. */
#include "netd/state.h"

#include "base/fd.h"
#include "base/str.h"
#include "netd/dns_server.h"

void net_free(struct net *net)
{
    if (!net)
        return;
    free(net->name);
    free(net->project);
    free(net->key);
    free(net->fingerprint);
    free(net->created);
    for (size_t i = 0; i < net->subnets.count; i++)
        VEC_DONE(&net->subnets.items[i].reserved);
    VEC_DONE(&net->subnets);
    for (size_t i = 0; i < net->leases.count; i++)
        free(net->leases.items[i].key);
    VEC_DONE(&net->leases);
    if (net->options)
        jv_free(net->options);
    if (net->labels)
        jv_free(net->labels);
    free(net);
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    if (sandbox->resolver)
        resolver_free(sandbox->resolver);
    for (size_t i = 0; i < sandbox->endpoints.count; i++) {
        VEC_DONE(&sandbox->endpoints.items[i].extra);
        strv_free(sandbox->endpoints.items[i].aliases);
    }
    VEC_DONE(&sandbox->endpoints);
    for (size_t i = 0; i < sandbox->ports.count; i++)
        close_fdp(&sandbox->ports.items[i].fd);
    VEC_DONE(&sandbox->ports);
    if (sandbox->request)
        jv_free(sandbox->request);
    free(sandbox->id);
    free(sandbox->name);
    free(sandbox->project);
    free(sandbox->service);
    free(sandbox->key);
    free(sandbox->netns);
    free(sandbox);
}

struct subnet *net_subnet(const struct net *net, uint8_t family)
{
    for (size_t i = 0; i < net->subnets.count; i++)
        if (net->subnets.items[i].net.addr.family == family)
            return &net->subnets.items[i];
    return NULL;
}
