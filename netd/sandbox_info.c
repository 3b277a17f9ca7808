/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox_info.c - what a client is told about a sandbox: addresses, ports as bound, the three
 * files. */
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "netd/daemon.h"
#include "netd/endpoint.h"
#include "netd/nft_render.h"
#include "netd/resolv.h"

#define HOST_CONF "/etc/resolv.conf"

static void endpoint_to_info(const struct endpoint *endpoint, struct endpoint_info *ret_info)
{
    const struct subnet *subnet4 = net_subnet(endpoint->net, 4),
                        *subnet6 = net_subnet(endpoint->net, 6);
    const struct subnet *main_subnet = subnet4 ? subnet4 : subnet6;
    char text[ADDR_TEXT_SIZE], mac[18];

    ret_info->network = xstrdup(endpoint->net->name);
    ret_info->interface = xstrdup(endpoint->ifname);
    if (addr_is_set(&endpoint->ip4))
        ret_info->ipv4 = xstrdup(addr_format(&endpoint->ip4, text));
    if (addr_is_set(&endpoint->ip6))
        ret_info->ipv6 = xstrdup(addr_format(&endpoint->ip6, text));
    ret_info->mac = xstrdup(mac_format(endpoint->mac, mac));
    if (main_subnet && !endpoint->net->internal)
        ret_info->gateway = xstrdup(addr_format(&main_subnet->gateway, text));
    ret_info->prefix4 = subnet4 ? subnet4->net.prefix : 0;
}

/* What "host-gateway" means to this container: the bridge's address of its way out. */
static struct addr host_gateway(const struct sandbox *sandbox)
{
    const struct endpoint *endpoint = sandbox_gateway_endpoint(sandbox, 4);
    uint8_t family = endpoint ? 4 : 6;
    if (!endpoint)
        endpoint = sandbox_gateway_endpoint(sandbox, 6);
    return endpoint ? net_subnet(endpoint->net, family)->gateway : (struct addr){0};
}

int sandbox_to_info(const struct sandbox *sandbox, struct sandbox_info *ret_info, struct err *err)
{
    struct sandbox_request request;
    struct sandbox_info info = {0};
    struct resolv_conf host = {0};
    struct addr gateway = host_gateway(sandbox);
    _cleanup_free_ char *text = NULL;
    struct err ignored = {0};

    if (sandbox_request_from_json(sandbox->request, &request, err) < 0)
        return -1;
    /* often a symbolic link; a host without one has no search list either */
    _cleanup_close_ int fd = open(HOST_CONF, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fd_read_all(fd, 256 * 1024, &text, NULL, &ignored) == 0)
        resolv_conf_parse(text, &host);
    info.netns = xstrdup(sandbox->netns);
    info.endpoint_count = sandbox->endpoints.count;
    info.endpoints = xcalloc(info.endpoint_count + 1, sizeof(*info.endpoints));
    for (size_t i = 0; i < info.endpoint_count; i++)
        endpoint_to_info(&sandbox->endpoints.items[i], &info.endpoints[i]);
    info.port_count = sandbox->ports.count;
    info.ports = xcalloc(info.port_count + 1, sizeof(*info.ports));
    for (size_t i = 0; i < info.port_count; i++)
        info.ports[i] = sandbox->ports.items[i].bound;
    info.hosts = hosts_render(&request, sandbox, &gateway);
    info.resolv_conf = resolv_render(&request, &host);
    info.hostname_file = hostname_render(&request);
    resolv_conf_done(&host);
    sandbox_request_done(&request);
    *ret_info = info;
    return 0;
}
