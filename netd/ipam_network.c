/* SPDX-License-Identifier: Apache-2.0 */
/* ipam_network.c - a network out of a request: subnets, gateway, driver options. What we do not
 * have is refused by name here, before anything is created. */
#include "netd/ipam.h"

#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

/* Automatic IPv4 subnets: /24 pieces of these, in this order. */
static const char *const pools4[] = {"172.20.0.0/14", "10.201.0.0/16"};
#define POOL4_PIECE 24

static const struct ipam_taken *find_overlap(const struct cidr *cidr,
                                             const struct ipam_taken *taken, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cidr_overlaps(cidr, &taken[i].cidr))
            return &taken[i];
    return NULL;
}

/* ---- driver options ---- */

static int option_interface(struct net *net, const char *value, struct err *err)
{
    size_t size = strlen(value);
    bool good = size >= 1 && size < IFNAME_SIZE && !str_eq(value, ".") && !str_eq(value, "..");
    for (size_t i = 0; good && i < size; i++)
        good = isalnum((unsigned char)value[i]) || strchr("-_.", value[i]);
    if (!good)
        return err_set(err, ERR_CONFIG, "'%s' is not a name for an interface", value);
    memcpy(net->interface, value, size + 1);
    net->custom_interface = true;
    return 0;
}

static int option_mtu(struct net *net, const char *value, struct err *err)
{
    long long mtu;
    if (!parse_i64(value, 68, 65535, &mtu))
        return err_set(err, ERR_CONFIG, "'%s' is not an MTU between 68 and 65535", value);
    net->mtu = (unsigned)mtu;
    return 0;
}

static int option_host_bind(struct net *net, const char *value, struct err *err)
{
    if (!addr_parse(value, &net->host_bind))
        return err_set(err, ERR_CONFIG, "'%s' is not an address", value);
    return 0;
}

static int option_bool(bool *field, const char *value, struct err *err)
{
    if (!bool_parse(value, field))
        return err_set(err, ERR_CONFIG, "'%s' is neither true nor false", value);
    return 0;
}

static int option_icc(struct net *net, const char *value, struct err *err)
{
    return option_bool(&net->icc, value, err);
}

static int option_masquerade(struct net *net, const char *value, struct err *err)
{
    return option_bool(&net->masquerade, value, err);
}

static const struct {
    const char *name;
    int (*set)(struct net *net, const char *value, struct err *err);
} option_rows[] = {
    {"com.docker.network.bridge.name", option_interface},
    {"com.docker.network.bridge.enable_icc", option_icc},
    {"com.docker.network.bridge.enable_ip_masquerade", option_masquerade},
    {"com.docker.network.bridge.host_binding_ipv4", option_host_bind},
    {"com.docker.network.driver.mtu", option_mtu},
};

static int set_options(struct net *net, const struct network_request *request, struct err *err)
{
    for (size_t i = 0; i < request->option_count; i++) {
        const struct label *option = &request->options[i];
        size_t row = 0;
        while (row < ARRAY_LEN(option_rows) && !str_eq(option_rows[row].name, option->key))
            row++;
        if (row == ARRAY_LEN(option_rows))
            return err_set(err, ERR_UNSUPPORTED, "driver option '%s' is not supported",
                           option->key);
        if (option_rows[row].set(net, option->value, err) < 0)
            return err_wrap(err, "driver option '%s'", option->key);
        jv_set_str(net->options, option->key, option->value);
    }
    return 0;
}

/* ---- subnets ---- */

static int pick_pool4(const struct ipam_taken *taken, size_t count, struct cidr *ret_cidr,
                      struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(pools4); i++) {
        struct cidr pool, piece;
        if (!cidr_parse(pools4[i], &pool))
            continue;
        for (unsigned n = 0; n < 1u << (POOL4_PIECE - pool.prefix); n++) {
            piece.addr = addr_add(pool.addr, (uint64_t)n << (32 - POOL4_PIECE));
            piece.prefix = POOL4_PIECE;
            if (!find_overlap(&piece, taken, count)) {
                *ret_cidr = piece;
                return 0;
            }
        }
    }
    return err_set(err, ERR_LIMIT, "all predefined address pools have been fully subnetted");
}

/* A unique local /64 derived from the name; the last group counts on until nothing overlaps. */
static int pick_pool6(const char *seed, const struct ipam_taken *taken, size_t count,
                      struct cidr *ret_cidr, struct err *err)
{
    char hex[HASH_HEX_SIZE], text[CIDR_TEXT_SIZE];
    hash_hex(seed, strlen(seed), hex);
    for (unsigned n = 0; n < 256; n++) {
        snprintf(text, sizeof(text), "fd%.2s:%.4s:%.4s:%x::/64", hex, hex + 2, hex + 6, n);
        if (!cidr_parse(text, ret_cidr))
            break;
        if (!find_overlap(ret_cidr, taken, count))
            return 0;
    }
    return err_set(err, ERR_LIMIT, "no free IPv6 subnet");
}

static int parse_subnet(const struct subnet_request *request, struct subnet *subnet,
                        struct err *err)
{
    if (!cidr_parse(request->subnet, &subnet->net))
        return err_set(err, ERR_CONFIG, "'%s' is not a subnet", request->subnet);
    struct cidr network = cidr_network(subnet->net);
    if (!addr_equal(&network.addr, &subnet->net.addr))
        return err_set(err, ERR_CONFIG, "subnet '%s' has host bits set", request->subnet);
    if (subnet->net.prefix < (subnet->net.addr.family == 4 ? 8 : 16) ||
        subnet->net.prefix + 2u > addr_size(&subnet->net.addr) * 8)
        return err_set(err, ERR_CONFIG, "subnet '%s' is too large or too small", request->subnet);
    return 0;
}

static int add_subnet(struct net *net, const struct subnet_request *request, struct subnet subnet,
                      struct err *err)
{
    struct subnet *added = VEC_ADD(&net->subnets, subnet);
    char text[CIDR_TEXT_SIZE];

    cidr_format(&added->net, text);
    added->gateway = addr_add(added->net.addr, 1);
    if (!request)
        return 0;
    if (request->ip_range) {
        if (!cidr_parse(request->ip_range, &added->range) ||
            !cidr_contains(&added->net, &added->range.addr) ||
            added->range.prefix < added->net.prefix)
            return err_set(err, ERR_CONFIG, "ip_range '%s' is not inside subnet %s",
                           request->ip_range, text);
        added->range = cidr_network(added->range);
    }
    if (request->gateway && (!addr_parse(request->gateway, &added->gateway) ||
                             !cidr_contains(&added->net, &added->gateway)))
        return err_set(err, ERR_CONFIG, "gateway '%s' is not an address in subnet %s",
                       request->gateway, text);
    for (size_t i = 0; i < request->aux_count; i++) {
        struct addr addr;
        if (!addr_parse(request->aux_addresses[i].value, &addr) ||
            !cidr_contains(&added->net, &addr))
            return err_set(err, ERR_CONFIG, "aux_addresses: '%s' is not an address in subnet %s",
                           request->aux_addresses[i].value, text);
        VEC_ADD(&added->reserved, addr);
    }
    return 0;
}

static int plan_subnets(struct net *net, const struct network_request *request, const char *seed,
                        const struct ipam_taken *taken, size_t taken_count, struct err *err)
{
    for (size_t i = 0; i < request->subnet_count; i++) {
        const struct subnet_request *wanted = &request->subnets[i];
        struct subnet subnet = {0};
        char text[CIDR_TEXT_SIZE];
        if (!wanted->subnet) {
            if (pick_pool4(taken, taken_count, &subnet.net, err) < 0)
                return -1;
        } else if (parse_subnet(wanted, &subnet, err) < 0) {
            return -1;
        }
        cidr_format(&subnet.net, text);
        const struct ipam_taken *other = find_overlap(&subnet.net, taken, taken_count);
        if (other) {
            err_set(err, ERR_BUSY, "subnet %s overlaps %s", text, other->owner);
            return err_hint(err, "choose another networks.%s.ipam.config[%zu].subnet",
                            request->key ? request->key : request->name, i);
        }
        uint8_t family = subnet.net.addr.family;
        if (net_subnet(net, family))
            return err_set(err, ERR_UNSUPPORTED,
                           "more than one IPv%d subnet in a network is not supported", family);
        if ((family == 4 && !net->ipv4) || (family == 6 && !net->ipv6))
            return err_set(err, ERR_CONFIG, "subnet %s: IPv%d is not enabled", text, family);
        if (add_subnet(net, wanted, subnet, err) < 0)
            return -1;
    }
    struct subnet subnet = {0};
    if (net->ipv4 && !net_subnet(net, 4) &&
        (pick_pool4(taken, taken_count, &subnet.net, err) < 0 ||
         add_subnet(net, NULL, subnet, err) < 0))
        return -1;
    subnet = (struct subnet){0};
    if (net->ipv6 && !net_subnet(net, 6) &&
        (pick_pool6(seed, taken, taken_count, &subnet.net, err) < 0 ||
         add_subnet(net, NULL, subnet, err) < 0))
        return -1;
    return 0;
}

static int check_request(const struct network_request *request, struct err *err)
{
    if (!name_is_resource(request->name))
        return err_set(err, ERR_CONFIG, "'%s' is not a name for a network", request->name);
    if (request->driver && request->driver[0] && !str_eq(request->driver, "bridge"))
        return err_set(err, ERR_UNSUPPORTED,
                       "network driver '%s' is not supported: only 'bridge' is", request->driver);
    if (!request->enable_ipv4 && !request->enable_ipv6)
        return err_set(err, ERR_CONFIG, "both IPv4 and IPv6 are off");
    return 0;
}

int ipam_plan_network(const struct network_request *request, const char *instance,
                      const char *created, const struct ipam_taken *taken, size_t taken_count,
                      struct net **ret_net, struct err *err)
{
    if (check_request(request, err) < 0)
        return -1;
    _cleanup_(net_freep) struct net *net = xcalloc(1, sizeof(*net));
    _cleanup_free_ char *seed = xasprintf("%s/%s", instance, request->name);
    char hex[HASH_HEX_SIZE];

    net->name = xstrdup(request->name);
    net->project = xstrdup(request->project);
    net->key = xstrdup(request->key);
    net->fingerprint = xstrdup(request->fingerprint);
    net->created = xstrdup(created);
    net->internal = request->internal;
    net->ipv4 = request->enable_ipv4;
    net->ipv6 = request->enable_ipv6;
    net->attachable = request->attachable;
    net->masquerade = net->icc = true;
    net->options = jv_object();
    net->labels = jv_object();
    for (size_t i = 0; i < request->label_count; i++)
        jv_set_str(net->labels, request->labels[i].key, request->labels[i].value);
    hash_hex(seed, strlen(seed), hex);
    snprintf(net->interface, sizeof(net->interface), "wb-%.8s", hex);
    if (set_options(net, request, err) < 0 ||
        plan_subnets(net, request, seed, taken, taken_count, err) < 0)
        return -1;
    *ret_net = take_ptr(&net);
    return 0;
}
