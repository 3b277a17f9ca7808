/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - results of winch-netd (network_info, sandbox_info) on the wire and the words for
 * protocols. The requests are in network_request.c. */
#include "netd/network.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define LIST_MAX 65536

static const char *const proto_words[] = {
    [PORT_TCP] = "tcp",
    [PORT_UDP] = "udp",
    [PORT_SCTP] = "sctp",
};

const char *port_proto_text(enum port_proto proto)
{
    return (size_t)proto < ARRAY_LEN(proto_words) ? proto_words[proto] : "?";
}

bool port_proto_parse(const char *text, enum port_proto *ret_proto)
{
    for (size_t i = 0; i < ARRAY_LEN(proto_words); i++)
        if (str_eq(text, proto_words[i])) {
            *ret_proto = (enum port_proto)i;
            return true;
        }
    return false;
}

void network_info_done(struct network_info *info)
{
    free(info->name);
    free(info->project);
    free(info->key);
    free(info->driver);
    free(info->fingerprint);
    free(info->created);
    free(info->interface);
    strv_free(info->subnets);
    strv_free(info->gateways);
    if (info->labels)
        jv_free(info->labels);
    *info = (struct network_info){0};
}

struct jv *network_info_to_json(const struct network_info *info)
{
    struct jv *object = jv_object();
    jv_set_str(object, "name", info->name);
    jv_set_str(object, "project", info->project);
    jv_set_str(object, "key", info->key);
    jv_set_str(object, "driver", info->driver);
    jv_set_str(object, "fingerprint", info->fingerprint);
    jv_set_str(object, "created", info->created);
    jv_set_str(object, "interface", info->interface);
    jv_set(object, "subnets", jv_strv(info->subnets));
    jv_set(object, "gateways", jv_strv(info->gateways));
    jv_set_bool(object, "internal", info->internal);
    jv_set_bool(object, "enable_ipv6", info->enable_ipv6);
    jv_set_int(object, "endpoints", (int64_t)info->endpoint_count);
    if (info->labels)
        jv_set(object, "labels", jv_copy_deep(info->labels));
    return object;
}

int network_info_from_json(const struct jv *value, struct network_info *ret_info, struct err *err)
{
    const char *name;
    if (jv_need_str(value, "name", &name, err) < 0)
        return -1;
    const struct jv *labels = jv_find(value, "labels");
    *ret_info = (struct network_info){
        .name = xstrdup(name),
        .project = xstrdup(jv_get_str(value, "project", NULL)),
        .key = xstrdup(jv_get_str(value, "key", NULL)),
        .driver = xstrdup(jv_get_str(value, "driver", "bridge")),
        .fingerprint = xstrdup(jv_get_str(value, "fingerprint", NULL)),
        .created = xstrdup(jv_get_str(value, "created", NULL)),
        .interface = xstrdup(jv_get_str(value, "interface", NULL)),
        .subnets = jv_get_strv(value, "subnets"),
        .gateways = jv_get_strv(value, "gateways"),
        .internal = jv_get_bool(value, "internal", false),
        .enable_ipv6 = jv_get_bool(value, "enable_ipv6", false),
        .endpoint_count = (size_t)jv_get_int(value, "endpoints", 0),
        .labels = labels ? jv_copy_deep(labels) : jv_object(),
    };
    return 0;
}

void sandbox_info_done(struct sandbox_info *info)
{
    for (size_t i = 0; i < info->endpoint_count; i++) {
        struct endpoint_info *endpoint = &info->endpoints[i];
        free(endpoint->network);
        free(endpoint->interface);
        free(endpoint->ipv4);
        free(endpoint->ipv6);
        free(endpoint->mac);
        free(endpoint->gateway);
    }
    free(info->endpoints);
    free(info->netns);
    free(info->ports);
    free(info->hosts);
    free(info->resolv_conf);
    free(info->hostname_file);
    *info = (struct sandbox_info){0};
}

struct jv *sandbox_info_to_json(const struct sandbox_info *info)
{
    struct jv *object = jv_object(), *list = jv_array();
    jv_set_str(object, "netns", info->netns);
    for (size_t i = 0; i < info->endpoint_count; i++) {
        const struct endpoint_info *endpoint = &info->endpoints[i];
        struct jv *item = jv_object();
        jv_set_str(item, "network", endpoint->network);
        jv_set_str(item, "interface", endpoint->interface);
        jv_set_str(item, "ipv4", endpoint->ipv4);
        jv_set_str(item, "ipv6", endpoint->ipv6);
        jv_set_str(item, "mac", endpoint->mac);
        jv_set_str(item, "gateway", endpoint->gateway);
        jv_set_int(item, "prefix4", endpoint->prefix4);
        jv_add(list, item);
    }
    jv_set(object, "endpoints", list);
    list = jv_array();
    for (size_t i = 0; i < info->port_count; i++) {
        const struct port_bound *port = &info->ports[i];
        struct jv *item = jv_object();
        jv_set_str(item, "proto", port_proto_text(port->proto));
        jv_set_str(item, "host_ip", port->host_ip);
        jv_set_int(item, "host", port->host);
        jv_set_int(item, "target", port->target);
        jv_add(list, item);
    }
    jv_set(object, "ports", list);
    jv_set_str(object, "hosts", info->hosts);
    jv_set_str(object, "resolv_conf", info->resolv_conf);
    jv_set_str(object, "hostname_file", info->hostname_file);
    return object;
}

static void endpoint_info_from_json(const struct jv *item, struct endpoint_info *ret_endpoint)
{
    *ret_endpoint = (struct endpoint_info){
        .network = xstrdup(jv_get_str(item, "network", "")),
        .interface = xstrdup(jv_get_str(item, "interface", "")),
        .ipv4 = xstrdup(jv_get_str(item, "ipv4", NULL)),
        .ipv6 = xstrdup(jv_get_str(item, "ipv6", NULL)),
        .mac = xstrdup(jv_get_str(item, "mac", "")),
        .gateway = xstrdup(jv_get_str(item, "gateway", NULL)),
        .prefix4 = (unsigned)jv_get_int(item, "prefix4", 0),
    };
}

static bool port_bound_from_json(const struct jv *item, struct port_bound *ret_port)
{
    int64_t host = jv_get_int(item, "host", 0), target = jv_get_int(item, "target", 0);
    const char *host_ip = jv_get_str(item, "host_ip", "");
    if (!port_proto_parse(jv_get_str(item, "proto", ""), &ret_port->proto) || host < 1 ||
        host > UINT16_MAX || target < 1 || target > UINT16_MAX ||
        strlen(host_ip) >= sizeof(ret_port->host_ip))
        return false;
    memcpy(ret_port->host_ip, host_ip, strlen(host_ip) + 1);
    ret_port->host = (uint16_t)host;
    ret_port->target = (uint16_t)target;
    return true;
}

int sandbox_info_from_json(const struct jv *value, struct sandbox_info *ret_info, struct err *err)
{
    struct sandbox_info info = {0};
    const char *netns;
    const struct jv *endpoints = jv_find(value, "endpoints"), *ports = jv_find(value, "ports");

    if (jv_need_str(value, "netns", &netns, err) < 0)
        return -1;
    if (jv_count(endpoints) > LIST_MAX || jv_count(ports) > LIST_MAX)
        return err_set(err, ERR_PROTOCOL, "too many endpoints or ports");
    info.netns = xstrdup(netns);
    info.endpoint_count = jv_count(endpoints);
    info.endpoints = xcalloc(info.endpoint_count + 1, sizeof(*info.endpoints));
    for (size_t i = 0; i < info.endpoint_count; i++)
        endpoint_info_from_json(jv_at(endpoints, i), &info.endpoints[i]);
    info.port_count = jv_count(ports);
    info.ports = xcalloc(info.port_count + 1, sizeof(*info.ports));
    for (size_t i = 0; i < info.port_count; i++)
        if (!port_bound_from_json(jv_at(ports, i), &info.ports[i])) {
            sandbox_info_done(&info);
            return err_set(err, ERR_PROTOCOL, "ports[%zu] is not a bound port", i);
        }
    info.hosts = xstrdup(jv_get_str(value, "hosts", ""));
    info.resolv_conf = xstrdup(jv_get_str(value, "resolv_conf", ""));
    info.hostname_file = xstrdup(jv_get_str(value, "hostname_file", ""));
    *ret_info = info;
    return 0;
}
