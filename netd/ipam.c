/* SPDX-License-Identifier: Apache-2.0 */
/* ipam.c - leases: one address a key and family within a network. Search goes on behind the address
 * given out last, so that a freed address rests for a whole round before somebody else gets it. */
#include "netd/ipam.h"

#include <string.h>

#include "base/mem.h"

#define SEARCH_MAX (1u << 20) /* candidates looked at before giving up on a huge subnet */

static struct lease *lease_find(struct net *net, uint8_t family, const char *key)
{
    for (size_t i = 0; i < net->leases.count; i++) {
        struct lease *lease = &net->leases.items[i];
        if (lease->addr.family == family && str_eq(lease->key, key))
            return lease;
    }
    return NULL;
}

static const struct lease *lease_at(const struct net *net, const struct addr *addr)
{
    for (size_t i = 0; i < net->leases.count; i++)
        if (addr_equal(&net->leases.items[i].addr, addr))
            return &net->leases.items[i];
    return NULL;
}

static bool is_reserved(const struct subnet *subnet, const struct addr *addr)
{
    struct addr first = cidr_first(&subnet->net), last = cidr_last(&subnet->net);
    unsigned bits = (unsigned)addr_size(addr) * 8;

    if (addr_equal(addr, &subnet->gateway))
        return true;
    /* point-to-point prefixes have neither a network nor a broadcast address */
    if (subnet->net.prefix + 1u < bits &&
        (addr_equal(addr, &first) || (addr->family == 4 && addr_equal(addr, &last))))
        return true;
    for (size_t i = 0; i < subnet->reserved.count; i++)
        if (addr_equal(addr, &subnet->reserved.items[i]))
            return true;
    return false;
}

static bool find_free(const struct net *net, struct subnet *subnet, struct addr *ret_addr)
{
    const struct cidr *range = subnet->range.addr.family ? &subnet->range : &subnet->net;
    struct addr first = cidr_first(range), last = cidr_last(range);
    struct addr addr = subnet->next;
    if (!addr.family || !cidr_contains(range, &addr))
        addr = first;
    struct addr start = addr;

    for (unsigned i = 0; i < SEARCH_MAX; i++) {
        struct addr after = addr_equal(&addr, &last) ? first : addr_add(addr, 1);
        if (!is_reserved(subnet, &addr) && !lease_at(net, &addr)) {
            subnet->next = after;
            *ret_addr = addr;
            return true;
        }
        addr = after;
        if (addr_equal(&addr, &start))
            break;
    }
    return false;
}

static int check_wanted(const struct net *net, const struct subnet *subnet, const char *key,
                        const struct addr *wanted, struct err *err)
{
    char text[ADDR_TEXT_SIZE], subnet_text[CIDR_TEXT_SIZE];
    const struct lease *holder = lease_at(net, wanted);

    addr_format(wanted, text);
    if (!cidr_contains(&subnet->net, wanted))
        return err_set(err, ERR_CONFIG, "address %s is not in subnet %s of network '%s'", text,
                       cidr_format(&subnet->net, subnet_text), net->name);
    if (holder && !str_eq(holder->key, key))
        return err_set(err, ERR_BUSY, "address %s of network '%s' is already in use by %s", text,
                       net->name, holder->key);
    if (addr_equal(wanted, &subnet->gateway))
        return err_set(err, ERR_BUSY, "address %s is the gateway of network '%s'", text, net->name);
    if (is_reserved(subnet, wanted))
        return err_set(err, ERR_BUSY, "address %s of network '%s' is reserved", text, net->name);
    return 0;
}

int ipam_lease(struct net *net, uint8_t family, const char *key, const struct addr *wanted,
               struct addr *ret_addr, struct err *err)
{
    struct subnet *subnet = net_subnet(net, family);
    struct lease *lease = lease_find(net, family, key);
    struct addr addr;

    if (!subnet)
        return err_set(err, ERR_CONFIG, "network '%s' has no IPv%d subnet", net->name, family);
    if (wanted) {
        if (check_wanted(net, subnet, key, wanted, err) < 0)
            return -1;
        addr = *wanted;
    } else if (lease) {
        addr = lease->addr;
    } else if (!find_free(net, subnet, &addr)) {
        char text[CIDR_TEXT_SIZE];
        return err_set(
            err, ERR_LIMIT, "network '%s': no free address is left in %s", net->name,
            cidr_format(subnet->range.addr.family ? &subnet->range : &subnet->net, text));
    }
    if (!lease) {
        VEC_ADD(&net->leases, (struct lease){.key = xstrdup(key), .addr = addr});
        net->dirty = true;
    } else if (!addr_equal(&lease->addr, &addr)) {
        lease->addr = addr;
        net->dirty = true;
    }
    *ret_addr = addr;
    return 0;
}

bool ipam_release(struct net *net, const char *key)
{
    size_t kept = 0;
    for (size_t i = 0; i < net->leases.count; i++) {
        if (str_eq(net->leases.items[i].key, key))
            free(net->leases.items[i].key);
        else
            net->leases.items[kept++] = net->leases.items[i];
    }
    bool released = kept != net->leases.count;
    net->leases.count = kept;
    net->dirty |= released;
    return released;
}
