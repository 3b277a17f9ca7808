/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint_plan.c - which legs a container gets. Names of links and MACs follow from the
 * container's id and its address, so that nothing of them has to be remembered. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "netd/endpoint.h"
#include "netd/ipam.h"

const char *mac_format(const uint8_t mac[6], char buffer[18])
{
    snprintf(buffer, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
    return buffer;
}

bool mac_parse(const char *text, uint8_t ret_mac[6])
{
    uint8_t mac[6];
    if (strlen(text) != 17)
        return false;
    for (int i = 0; i < 6; i++) {
        unsigned value = 0;
        for (int j = 0; j < 2; j++) {
            unsigned char c = (unsigned char)tolower((unsigned char)text[i * 3 + j]);
            if (!isxdigit(c))
                return false;
            value = value * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        if (i < 5 && text[i * 3 + 2] != ':' && text[i * 3 + 2] != '-')
            return false;
        mac[i] = (uint8_t)value;
    }
    if (mac[0] & 1) /* a group address */
        return false;
    memcpy(ret_mac, mac, 6);
    return true;
}

/* Attachment order: highest priority first, ties by name. */
static int by_priority(const void *a, const void *b)
{
    const struct endpoint_request *const *left = a, *const *right = b;
    if ((*left)->priority != (*right)->priority)
        return (*left)->priority > (*right)->priority ? -1 : 1;
    return strcmp((*left)->network, (*right)->network);
}

static int plan_address(const struct sandbox *sandbox, struct endpoint *endpoint, const char *text,
                        uint8_t family, struct addr *ret_addr, struct err *err)
{
    struct addr wanted = {0};
    bool has = text && text[0];

    if (has && (!addr_parse(text, &wanted) || wanted.family != family))
        return err_set(err, ERR_CONFIG, "network '%s': '%s' is not an IPv%d address",
                       endpoint->net->name, text, family);
    return ipam_lease(endpoint->net, family, sandbox->key, has ? &wanted : NULL, ret_addr, err);
}

static void default_mac(struct endpoint *endpoint)
{
    const struct addr *addr = addr_is_set(&endpoint->ip4) ? &endpoint->ip4 : &endpoint->ip6;
    endpoint->mac[0] = 0x02; /* locally administered */
    endpoint->mac[1] = 0x57;
    memcpy(endpoint->mac + 2, addr->bytes + addr_size(addr) - 4, 4);
}

static bool is_ifname(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size >= IFNAME_SIZE || str_eq(text, ".") || str_eq(text, "..") ||
        str_eq(text, "lo") || str_eq(text, "all") || str_eq(text, "default"))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
            return false;
    return true;
}

static int plan_extra(struct endpoint *endpoint, const struct endpoint_request *request,
                      struct err *err)
{
    for (size_t i = 0; i < request->link_local_count; i++) {
        struct cidr cidr;
        if (!cidr_parse(request->link_local[i], &cidr)) {
            if (!addr_parse(request->link_local[i], &cidr.addr))
                return err_set(err, ERR_CONFIG, "link_local_ips: '%s' is not an address",
                               request->link_local[i]);
            cidr.prefix = cidr.addr.family == 4 ? 16 : 64;
        }
        VEC_ADD(&endpoint->extra, cidr);
    }
    return 0;
}

static int plan_one(struct netd *netd, struct sandbox *sandbox,
                    const struct endpoint_request *request, struct err *err)
{
    size_t number = sandbox->endpoints.count;
    struct net *net = map_find(netd->nets, request->network);

    if (!net)
        return err_set(err, ERR_NOT_FOUND, "network '%s' does not exist", request->network);
    for (size_t i = 0; i < number; i++)
        if (sandbox->endpoints.items[i].net == net)
            return err_set(err, ERR_CONFIG, "network '%s' is named twice", net->name);
    struct endpoint *endpoint = VEC_ADD(&sandbox->endpoints, (struct endpoint){.net = net});
    endpoint->gw_priority = request->gw_priority;
    endpoint->aliases = xcalloc(request->alias_count + 1, sizeof(char *));
    for (size_t i = 0; i < request->alias_count; i++)
        endpoint->aliases[i] = xstrdup(request->aliases[i]);
    if ((request->ipv4 && request->ipv4[0] && !net->ipv4) ||
        (request->ipv6 && request->ipv6[0] && !net->ipv6))
        return err_set(err, ERR_CONFIG, "network '%s' has no subnet for that static address",
                       net->name);
    if ((net->ipv4 && plan_address(sandbox, endpoint, request->ipv4, 4, &endpoint->ip4, err) < 0) ||
        (net->ipv6 && plan_address(sandbox, endpoint, request->ipv6, 6, &endpoint->ip6, err) < 0))
        return -1;
    default_mac(endpoint);
    if (request->mac && request->mac[0] && !mac_parse(request->mac, endpoint->mac))
        return err_set(err, ERR_CONFIG, "'%s' is not a MAC address", request->mac);
    if (request->interface_name && request->interface_name[0]) {
        if (!is_ifname(request->interface_name))
            return err_set(err, ERR_CONFIG, "'%s' is not a name for an interface",
                           request->interface_name);
        memcpy(endpoint->ifname, request->interface_name, strlen(request->interface_name) + 1);
    } else {
        snprintf(endpoint->ifname, sizeof(endpoint->ifname), "eth%zu", number);
    }
    for (size_t i = 0; i < number; i++)
        if (str_eq(sandbox->endpoints.items[i].ifname, endpoint->ifname))
            return err_set(err, ERR_CONFIG, "interface '%s' is named twice", endpoint->ifname);
    char hex[HASH_HEX_SIZE];
    _cleanup_free_ char *seed =
        xasprintf("%s/%s/%s", netd->layout->instance, sandbox->id, net->name);
    hash_hex(seed, strlen(seed), hex);
    snprintf(endpoint->veth, sizeof(endpoint->veth), "w%.12s", hex);
    return plan_extra(endpoint, request, err);
}

int endpoints_plan(struct netd *netd, struct sandbox *sandbox,
                   const struct sandbox_request *request, struct err *err)
{
    size_t count = request->endpoint_count;
    _cleanup_free_ const struct endpoint_request **order = xcalloc(count + 1, sizeof(*order));

    for (size_t i = 0; i < count; i++)
        order[i] = &request->endpoints[i];
    qsort(order, count, sizeof(*order), by_priority);
    for (size_t i = 0; i < count; i++)
        if (plan_one(netd, sandbox, order[i], err) < 0)
            return -1;
    sandbox->internal_only = true;
    for (size_t i = 0; i < count; i++)
        sandbox->internal_only &= sandbox->endpoints.items[i].net->internal;
    return 0;
}

bool endpoints_equal(const struct sandbox *a, const struct sandbox *b)
{
    if (a->endpoints.count != b->endpoints.count)
        return false;
    for (size_t i = 0; i < a->endpoints.count; i++) {
        const struct endpoint *left = &a->endpoints.items[i], *right = &b->endpoints.items[i];
        if (left->net != right->net || !str_eq(left->ifname, right->ifname) ||
            memcmp(left->mac, right->mac, 6) != 0 || !addr_equal(&left->ip4, &right->ip4) ||
            !addr_equal(&left->ip6, &right->ip6) || left->gw_priority != right->gw_priority ||
            left->extra.count != right->extra.count ||
            (left->extra.count && memcmp(left->extra.items, right->extra.items,
                                         left->extra.count * sizeof(*left->extra.items)) != 0))
            return false;
    }
    return true;
}
