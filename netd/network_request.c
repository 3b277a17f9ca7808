/* SPDX-License-Identifier: Apache-2.0 */
/* network_request.c - the two requests on the wire. Strings read from JSON stay borrowed from the
 * value; only the arrays are allocated here and freed by *_request_done. Counts are bounded before
 * anything is allocated. */
#include "netd/network.h"

#include <string.h>

#include "base/mem.h"

#define LIST_MAX 4096 /* elements of any one array */

static struct jv *labels_to_json(const struct label *labels, size_t count)
{
    struct jv *array = jv_array();
    for (size_t i = 0; i < count; i++) {
        struct jv *pair = jv_array();
        jv_add(pair, jv_string(labels[i].key));
        jv_add(pair, jv_string(labels[i].value));
        jv_add(array, pair);
    }
    return array;
}

/* An array of [key, value]; a missing one is empty. */
static int labels_from_json(const struct jv *object, const char *key,
                            const struct label **ret_labels, size_t *ret_count, struct err *err)
{
    const struct jv *array = jv_find(object, key);
    size_t count = jv_count(array);
    if (count > LIST_MAX)
        return err_set(err, ERR_PROTOCOL, "'%s' has more than %d elements", key, LIST_MAX);
    _cleanup_free_ struct label *labels = count ? xcalloc(count, sizeof(*labels)) : NULL;
    for (size_t i = 0; i < count; i++) {
        const struct jv *pair = jv_at(array, i);
        labels[i].key = jv_text(jv_at(pair, 0));
        labels[i].value = jv_text(jv_at(pair, 1));
        if (!labels[i].key || !labels[i].value)
            return err_set(err, ERR_PROTOCOL, "'%s' is not a list of pairs", key);
    }
    *ret_labels = take_ptr(&labels);
    *ret_count = count;
    return 0;
}

static struct jv *texts_to_json(const char *const *texts, size_t count)
{
    struct jv *array = jv_array();
    for (size_t i = 0; i < count; i++)
        jv_add(array, jv_string(texts[i]));
    return array;
}

static size_t texts_len(const char *const *texts)
{
    size_t count = 0;
    while (texts && texts[count])
        count++;
    return count;
}

/* The array has a terminating NULL; *ret_texts is NULL when the key is missing. */
static int texts_from_json(const struct jv *object, const char *key, const char *const **ret_texts,
                           size_t *ret_count, struct err *err)
{
    const struct jv *array = jv_find(object, key);
    size_t count = jv_count(array);
    if (count > LIST_MAX)
        return err_set(err, ERR_PROTOCOL, "'%s' has more than %d elements", key, LIST_MAX);
    _cleanup_free_ const char **texts = array ? xcalloc(count + 1, sizeof(*texts)) : NULL;
    for (size_t i = 0; i < count; i++) {
        texts[i] = jv_text(jv_at(array, i));
        if (!texts[i])
            return err_set(err, ERR_PROTOCOL, "'%s' is not a list of strings", key);
    }
    *ret_texts = take_ptr(&texts);
    if (ret_count)
        *ret_count = count;
    return 0;
}

struct jv *network_request_to_json(const struct network_request *request)
{
    struct jv *object = jv_object();
    jv_set_str(object, "name", request->name);
    jv_set_str(object, "project", request->project);
    jv_set_str(object, "key", request->key);
    jv_set_str(object, "driver", request->driver);
    jv_set_bool(object, "internal", request->internal);
    jv_set_bool(object, "enable_ipv4", request->enable_ipv4);
    jv_set_bool(object, "enable_ipv6", request->enable_ipv6);
    jv_set_bool(object, "attachable", request->attachable);
    struct jv *subnets = jv_array();
    for (size_t i = 0; i < request->subnet_count; i++) {
        const struct subnet_request *subnet = &request->subnets[i];
        struct jv *item = jv_object();
        jv_set_str(item, "subnet", subnet->subnet);
        jv_set_str(item, "ip_range", subnet->ip_range);
        jv_set_str(item, "gateway", subnet->gateway);
        jv_set(item, "aux_addresses", labels_to_json(subnet->aux_addresses, subnet->aux_count));
        jv_add(subnets, item);
    }
    jv_set(object, "subnets", subnets);
    jv_set(object, "options", labels_to_json(request->options, request->option_count));
    jv_set(object, "labels", labels_to_json(request->labels, request->label_count));
    jv_set_str(object, "fingerprint", request->fingerprint);
    return object;
}

static int subnets_from_json(const struct jv *value, struct network_request *request,
                             struct err *err)
{
    const struct jv *array = jv_find(value, "subnets");
    size_t count = jv_count(array);
    if (count > LIST_MAX)
        return err_set(err, ERR_PROTOCOL, "too many subnets");
    struct subnet_request *subnets = count ? xcalloc(count, sizeof(*subnets)) : NULL;
    request->subnets = subnets;
    request->subnet_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct jv *item = jv_at(array, i);
        subnets[i].subnet = jv_get_str(item, "subnet", NULL);
        subnets[i].ip_range = jv_get_str(item, "ip_range", NULL);
        subnets[i].gateway = jv_get_str(item, "gateway", NULL);
        if (labels_from_json(item, "aux_addresses", &subnets[i].aux_addresses,
                             &subnets[i].aux_count, err) < 0)
            return -1;
    }
    return 0;
}

int network_request_from_json(const struct jv *value, struct network_request *ret_request,
                              struct err *err)
{
    struct network_request request = {0};
    if (jv_need_str(value, "name", &request.name, err) < 0)
        return -1;
    request.project = jv_get_str(value, "project", NULL);
    request.key = jv_get_str(value, "key", NULL);
    request.driver = jv_get_str(value, "driver", NULL);
    request.internal = jv_get_bool(value, "internal", false);
    request.enable_ipv4 = jv_get_bool(value, "enable_ipv4", true);
    request.enable_ipv6 = jv_get_bool(value, "enable_ipv6", false);
    request.attachable = jv_get_bool(value, "attachable", false);
    request.fingerprint = jv_get_str(value, "fingerprint", NULL);
    if (subnets_from_json(value, &request, err) < 0 ||
        labels_from_json(value, "options", &request.options, &request.option_count, err) < 0 ||
        labels_from_json(value, "labels", &request.labels, &request.label_count, err) < 0) {
        network_request_done(&request);
        return -1;
    }
    *ret_request = request;
    return 0;
}

void network_request_done(struct network_request *request)
{
    for (size_t i = 0; i < request->subnet_count; i++)
        free((void *)request->subnets[i].aux_addresses);
    free((void *)request->subnets);
    free((void *)request->options);
    free((void *)request->labels);
    *request = (struct network_request){0};
}

static struct jv *endpoint_request_to_json(const struct endpoint_request *endpoint)
{
    struct jv *object = jv_object();
    jv_set_str(object, "network", endpoint->network);
    jv_set(object, "aliases", texts_to_json(endpoint->aliases, endpoint->alias_count));
    jv_set_str(object, "ipv4", endpoint->ipv4);
    jv_set_str(object, "ipv6", endpoint->ipv6);
    jv_set_str(object, "mac", endpoint->mac);
    jv_set_str(object, "interface_name", endpoint->interface_name);
    jv_set(object, "link_local", texts_to_json(endpoint->link_local, endpoint->link_local_count));
    jv_set_int(object, "priority", endpoint->priority);
    jv_set_int(object, "gw_priority", endpoint->gw_priority);
    return object;
}

struct jv *sandbox_request_to_json(const struct sandbox_request *request)
{
    struct jv *object = jv_object(), *list = jv_array();
    jv_set_str(object, "id", request->id);
    jv_set_str(object, "container_name", request->container_name);
    jv_set_str(object, "project", request->project);
    jv_set_str(object, "service", request->service);
    jv_set_int(object, "index", request->index);
    jv_set_str(object, "hostname", request->hostname);
    jv_set_str(object, "domainname", request->domainname);
    jv_set_str(object, "userns", request->userns);
    for (size_t i = 0; i < request->endpoint_count; i++)
        jv_add(list, endpoint_request_to_json(&request->endpoints[i]));
    jv_set(object, "endpoints", list);
    list = jv_array();
    for (size_t i = 0; i < request->port_count; i++) {
        const struct port_publish *port = &request->ports[i];
        struct jv *item = jv_object();
        jv_set_str(item, "proto", port_proto_text(port->proto));
        jv_set_str(item, "host_ip", port->host_ip);
        jv_set_int(item, "host_first", port->host_first);
        jv_set_int(item, "host_last", port->host_last);
        jv_set_int(item, "target", port->target);
        jv_add(list, item);
    }
    jv_set(object, "ports", list);
    if (request->dns)
        jv_set(object, "dns", texts_to_json(request->dns, texts_len(request->dns)));
    if (request->dns_search)
        jv_set(object, "dns_search",
               texts_to_json(request->dns_search, texts_len(request->dns_search)));
    if (request->dns_opt)
        jv_set(object, "dns_opt", texts_to_json(request->dns_opt, texts_len(request->dns_opt)));
    jv_set(object, "extra_hosts", labels_to_json(request->extra_hosts, request->extra_host_count));
    jv_set(object, "sysctls", labels_to_json(request->sysctls, request->sysctl_count));
    return object;
}

static int endpoints_from_json(const struct jv *value, struct sandbox_request *request,
                               struct err *err)
{
    const struct jv *array = jv_find(value, "endpoints");
    size_t count = jv_count(array);
    if (count > LIST_MAX)
        return err_set(err, ERR_PROTOCOL, "too many endpoints");
    struct endpoint_request *endpoints = count ? xcalloc(count, sizeof(*endpoints)) : NULL;
    request->endpoints = endpoints;
    request->endpoint_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct jv *item = jv_at(array, i);
        struct endpoint_request *endpoint = &endpoints[i];
        endpoint->ipv4 = jv_get_str(item, "ipv4", NULL);
        endpoint->ipv6 = jv_get_str(item, "ipv6", NULL);
        endpoint->mac = jv_get_str(item, "mac", NULL);
        endpoint->interface_name = jv_get_str(item, "interface_name", NULL);
        endpoint->priority = (int)jv_get_int(item, "priority", 0);
        endpoint->gw_priority = (int)jv_get_int(item, "gw_priority", 0);
        if (jv_need_str(item, "network", &endpoint->network, err) < 0 ||
            texts_from_json(item, "aliases", &endpoint->aliases, &endpoint->alias_count, err) < 0 ||
            texts_from_json(item, "link_local", &endpoint->link_local, &endpoint->link_local_count,
                            err) < 0)
            return -1;
    }
    return 0;
}

static int ports_from_json(const struct jv *value, struct sandbox_request *request, struct err *err)
{
    const struct jv *array = jv_find(value, "ports");
    size_t count = jv_count(array);
    if (count > UINT16_MAX)
        return err_set(err, ERR_PROTOCOL, "too many ports");
    struct port_publish *ports = count ? xcalloc(count, sizeof(*ports)) : NULL;
    request->ports = ports;
    request->port_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct jv *item = jv_at(array, i);
        int64_t first = jv_get_int(item, "host_first", 0), last = jv_get_int(item, "host_last", 0);
        int64_t target = jv_get_int(item, "target", 0);
        if (!port_proto_parse(jv_get_str(item, "proto", ""), &ports[i].proto) || target < 1 ||
            target > UINT16_MAX || first < 0 || first > UINT16_MAX || last < 0 || last > UINT16_MAX)
            return err_set(err, ERR_PROTOCOL, "ports[%zu] is not a port", i);
        ports[i].host_ip = jv_get_str(item, "host_ip", NULL);
        ports[i].host_first = (uint16_t)first;
        ports[i].host_last = (uint16_t)(last < first ? first : last);
        ports[i].target = (uint16_t)target;
    }
    return 0;
}

int sandbox_request_from_json(const struct jv *value, struct sandbox_request *ret_request,
                              struct err *err)
{
    struct sandbox_request request = {0};
    if (jv_need_str(value, "id", &request.id, err) < 0)
        return -1;
    request.container_name = jv_get_str(value, "container_name", NULL);
    request.project = jv_get_str(value, "project", NULL);
    request.service = jv_get_str(value, "service", NULL);
    request.hostname = jv_get_str(value, "hostname", NULL);
    request.domainname = jv_get_str(value, "domainname", NULL);
    request.userns = jv_get_str(value, "userns", NULL);
    int64_t index = jv_get_int(value, "index", 0);
    request.index = index < 0 || index > UINT32_MAX ? 0 : (unsigned)index;
    if (endpoints_from_json(value, &request, err) < 0 ||
        ports_from_json(value, &request, err) < 0 ||
        texts_from_json(value, "dns", &request.dns, NULL, err) < 0 ||
        texts_from_json(value, "dns_search", &request.dns_search, NULL, err) < 0 ||
        texts_from_json(value, "dns_opt", &request.dns_opt, NULL, err) < 0 ||
        labels_from_json(value, "extra_hosts", &request.extra_hosts, &request.extra_host_count,
                         err) < 0 ||
        labels_from_json(value, "sysctls", &request.sysctls, &request.sysctl_count, err) < 0) {
        sandbox_request_done(&request);
        return -1;
    }
    *ret_request = request;
    return 0;
}

void sandbox_request_done(struct sandbox_request *request)
{
    for (size_t i = 0; i < request->endpoint_count; i++) {
        free((void *)request->endpoints[i].aliases);
        free((void *)request->endpoints[i].link_local);
    }
    free((void *)request->endpoints);
    free((void *)request->ports);
    free((void *)request->dns);
    free((void *)request->dns_search);
    free((void *)request->dns_opt);
    free((void *)request->extra_hosts);
    free((void *)request->sysctls);
    *request = (struct sandbox_request){0};
}
