/* SPDX-License-Identifier: Apache-2.0 */
/* store_net.c - the stored form of a network and what others are told about it. Pure. Everything
 * read is checked as if a stranger had written it: a lease outside its subnet or twice the same
 * address is damage. */
#include <string.h>

#include "base/id.h"
#include "base/str.h"
#include "netd/store.h"

#define SUBNETS_MAX 64
#define LEASES_MAX  (1 << 20)

static void set_addr(struct jv *object, const char *key, const struct addr *addr)
{
    char text[ADDR_TEXT_SIZE];
    if (addr_is_set(addr))
        jv_set_str(object, key, addr_format(addr, text));
}

static void set_cidr(struct jv *object, const char *key, const struct cidr *cidr)
{
    char text[CIDR_TEXT_SIZE];
    if (addr_is_set(&cidr->addr))
        jv_set_str(object, key, cidr_format(cidr, text));
}

static struct jv *subnet_to_json(const struct subnet *subnet)
{
    struct jv *object = jv_object(), *reserved = jv_array();
    char text[ADDR_TEXT_SIZE];

    set_cidr(object, "subnet", &subnet->net);
    set_cidr(object, "range", &subnet->range);
    set_addr(object, "gateway", &subnet->gateway);
    set_addr(object, "next", &subnet->next);
    for (size_t i = 0; i < subnet->reserved.count; i++)
        jv_add(reserved, jv_string(addr_format(&subnet->reserved.items[i], text)));
    jv_set(object, "reserved", reserved);
    return object;
}

struct jv *net_to_json(const struct net *net)
{
    struct jv *object = jv_object(), *subnets = jv_array(), *leases = jv_object();

    jv_set_int(object, "version", STORE_VERSION);
    jv_set_str(object, "name", net->name);
    jv_set_str(object, "project", net->project);
    jv_set_str(object, "key", net->key);
    jv_set_str(object, "fingerprint", net->fingerprint);
    jv_set_str(object, "created", net->created);
    jv_set_str(object, "interface", net->interface);
    jv_set_bool(object, "custom_interface", net->custom_interface);
    jv_set_bool(object, "internal", net->internal);
    jv_set_bool(object, "ipv4", net->ipv4);
    jv_set_bool(object, "ipv6", net->ipv6);
    jv_set_bool(object, "attachable", net->attachable);
    jv_set_bool(object, "masquerade", net->masquerade);
    jv_set_bool(object, "icc", net->icc);
    jv_set_int(object, "mtu", net->mtu);
    set_addr(object, "host_bind", &net->host_bind);
    for (size_t i = 0; i < net->subnets.count; i++)
        jv_add(subnets, subnet_to_json(&net->subnets.items[i]));
    jv_set(object, "subnets", subnets);
    /* address → key: an address cannot be there twice */
    for (size_t i = 0; i < net->leases.count; i++) {
        char text[ADDR_TEXT_SIZE];
        jv_set_str(leases, addr_format(&net->leases.items[i].addr, text), net->leases.items[i].key);
    }
    jv_set(object, "leases", leases);
    jv_set(object, "options", net->options ? jv_ref(net->options) : jv_object());
    jv_set(object, "labels", net->labels ? jv_ref(net->labels) : jv_object());
    return object;
}

/* A missing key leaves *ret_addr as it is. */
static int get_addr(const struct jv *object, const char *key, struct addr *ret_addr,
                    struct err *err)
{
    const char *text = jv_get_str(object, key, NULL);
    if (text && !addr_parse(text, ret_addr))
        return err_set(err, ERR_CORRUPT, "'%s' is not an address", key);
    return 0;
}

static int subnet_from_json(const struct jv *object, struct net *net, struct err *err)
{
    struct subnet *subnet = VEC_ADD(&net->subnets, (struct subnet){0});
    const char *range = jv_get_str(object, "range", NULL);
    const struct jv *reserved = jv_find(object, "reserved");

    if (!cidr_parse(jv_get_str(object, "subnet", ""), &subnet->net))
        return err_set(err, ERR_CORRUPT, "a subnet is none");
    if (range &&
        (!cidr_parse(range, &subnet->range) || !cidr_contains(&subnet->net, &subnet->range.addr)))
        return err_set(err, ERR_CORRUPT, "a range is none of its subnet");
    if (get_addr(object, "gateway", &subnet->gateway, err) < 0 ||
        get_addr(object, "next", &subnet->next, err) < 0)
        return -1;
    if (!cidr_contains(&subnet->net, &subnet->gateway))
        return err_set(err, ERR_CORRUPT, "a gateway is outside its subnet");
    for (size_t i = 0; i < jv_count(reserved); i++) {
        struct addr addr;
        if (!addr_parse(jv_text(jv_at(reserved, i)), &addr))
            return err_set(err, ERR_CORRUPT, "a reserved address is none");
        VEC_ADD(&subnet->reserved, addr);
    }
    return 0;
}

static int leases_from_json(const struct jv *object, struct net *net, struct err *err)
{
    const char *text;
    struct jv *value;

    if (jv_count(object) > LEASES_MAX)
        return err_set(err, ERR_CORRUPT, "too many leases");
    JV_EACH(object, text, value)
    {
        struct addr addr;
        const char *key = jv_text(value);
        if (!key || !addr_parse(text, &addr))
            return err_set(err, ERR_CORRUPT, "a lease is none");
        const struct subnet *subnet = net_subnet(net, addr.family);
        if (!subnet || !cidr_contains(&subnet->net, &addr))
            return err_set(err, ERR_CORRUPT, "lease %s is outside the network", text);
        VEC_ADD(&net->leases, (struct lease){.key = xstrdup(key), .addr = addr});
    }
    return 0;
}

int net_from_json(const struct jv *value, struct net **ret_net, struct err *err)
{
    _cleanup_(net_freep) struct net *net = xcalloc(1, sizeof(*net));
    const struct jv *subnets = jv_find(value, "subnets");
    const struct jv *options = jv_find(value, "options"), *labels = jv_find(value, "labels");
    const char *interface = jv_get_str(value, "interface", "");
    int64_t version = jv_get_int(value, "version", 0);

    if (version > STORE_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "a newer version of winch wrote it");
    if (version < 1 || !name_is_resource(jv_get_str(value, "name", "")) || !interface[0] ||
        strlen(interface) >= IFNAME_SIZE || strpbrk(interface, "/\"{}; \t\n") ||
        jv_count(subnets) > SUBNETS_MAX)
        return err_set(err, ERR_CORRUPT, "it is no description of a network");
    net->name = xstrdup(jv_get_str(value, "name", NULL));
    net->project = xstrdup(jv_get_str(value, "project", NULL));
    net->key = xstrdup(jv_get_str(value, "key", NULL));
    net->fingerprint = xstrdup(jv_get_str(value, "fingerprint", NULL));
    net->created = xstrdup(jv_get_str(value, "created", NULL));
    memcpy(net->interface, interface, strlen(interface) + 1);
    net->custom_interface = jv_get_bool(value, "custom_interface", false);
    net->internal = jv_get_bool(value, "internal", false);
    net->ipv4 = jv_get_bool(value, "ipv4", true);
    net->ipv6 = jv_get_bool(value, "ipv6", false);
    net->attachable = jv_get_bool(value, "attachable", false);
    net->masquerade = jv_get_bool(value, "masquerade", true);
    net->icc = jv_get_bool(value, "icc", true);
    net->mtu = (unsigned)jv_get_int(value, "mtu", 0);
    net->options = options ? jv_copy_deep(options) : jv_object();
    net->labels = labels ? jv_copy_deep(labels) : jv_object();
    if (get_addr(value, "host_bind", &net->host_bind, err) < 0)
        return -1;
    for (size_t i = 0; i < jv_count(subnets); i++)
        if (subnet_from_json(jv_at(subnets, i), net, err) < 0)
            return -1;
    const struct jv *leases = jv_find(value, "leases");
    if (leases && leases_from_json(leases, net, err) < 0)
        return -1;
    *ret_net = take_ptr(&net);
    return 0;
}

void net_to_info(const struct net *net, struct network_info *ret_info)
{
    struct network_info info = {
        .name = xstrdup(net->name),
        .project = xstrdup(net->project),
        .key = xstrdup(net->key),
        .driver = xstrdup("bridge"),
        .fingerprint = xstrdup(net->fingerprint),
        .created = xstrdup(net->created),
        .interface = xstrdup(net->interface),
        .internal = net->internal,
        .enable_ipv6 = net->ipv6,
        .endpoint_count = net->endpoint_count,
        .labels = net->labels ? jv_copy_deep(net->labels) : jv_object(),
    };
    for (size_t i = 0; i < net->subnets.count; i++) {
        char text[CIDR_TEXT_SIZE];
        info.subnets = strv_add(info.subnets, cidr_format(&net->subnets.items[i].net, text));
        info.gateways = strv_add(info.gateways, addr_format(&net->subnets.items[i].gateway, text));
    }
    *ret_info = info;
}
