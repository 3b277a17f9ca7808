/* SPDX-License-Identifier: Apache-2.0 */
/* Networks, ports and names of a service → what netd wants to hear. The sandbox request is kept as JSON in the record,
 * so a container can be put on its networks again from container.json alone. */
#include "orchestrator/translate_parts.h"

#include "base/str.h"

static struct label *labels_of(struct arena *arena, const struct kv_list *list, size_t spare, size_t *ret_count)
{
    struct label *labels = arena_alloc(arena, (list->count + spare + 1) * sizeof(*labels));
    for (size_t i = 0; i < list->count; i++)
        labels[i] = (struct label){ list->items[i].key, list->items[i].value ? list->items[i].value : "" };
    *ret_count = list->count;
    return labels;
}

void translate_network(struct arena *arena, const struct project *project, const struct network *network,
                       struct network_request *ret_request)
{
    struct subnet_request *subnets = arena_alloc(arena, (network->ipam.count + 1) * sizeof(*subnets));
    for (size_t i = 0; i < network->ipam.count; i++) {
        const struct ipam_config *config = &network->ipam.items[i];
        subnets[i] = (struct subnet_request){ .subnet = config->subnet, .ip_range = config->ip_range, .gateway = config->gateway };
        subnets[i].aux_addresses = labels_of(arena, &config->aux_addresses, 0, &subnets[i].aux_count);
    }
    struct network_request request = {
        .name = network->name,
        .project = project->name,
        .key = network->key,
        .driver = network->driver,
        .internal = network->internal,
        .enable_ipv4 = network->enable_ipv4,
        .enable_ipv6 = network->enable_ipv6,
        .attachable = network->attachable,
        .subnets = subnets,
        .subnet_count = network->ipam.count,
        .fingerprint = network->config_hash,
    };
    request.options = labels_of(arena, &network->driver_opts, 0, &request.option_count);
    const struct label own[] = {
        { LABEL_PREFIX "project", project->name },
        { LABEL_PREFIX "network", network->key },
        { LABEL_PREFIX "version", WINCH_VERSION },
        { LABEL_PREFIX "config-hash", network->config_hash ? network->config_hash : "" },
    };
    struct label *labels = labels_of(arena, &network->labels, ARRAY_LEN(own), &request.label_count);
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        labels[request.label_count++] = own[i];
    request.labels = labels;
    *ret_request = request;
}

static int endpoints_make(const struct translate_input *input, struct arena *arena, struct endpoint_request **ret_endpoints, struct err *err)
{
    const struct service *service = input->service;
    struct endpoint_request *endpoints = arena_alloc(arena, (service->networks.count + 1) * sizeof(*endpoints));
    for (size_t i = 0; i < service->networks.count; i++) {
        const struct service_network *leg = &service->networks.items[i];
        const struct network *network = project_network(input->project, leg->network);
        if (!network)
            return err_set(err, ERR_CONFIG, "refers to undefined network %s", leg->network);
        if (leg->driver_opts.count)
            return err_set(err, ERR_UNSUPPORTED, "networks.%s.driver_opts is not supported", leg->network);
        endpoints[i] = (struct endpoint_request){
            .network = network->name,
            .aliases = leg->aliases.items,
            .alias_count = input->oneoff && !input->oneoff->aliases ? 0 : leg->aliases.count,
            .ipv4 = leg->ipv4_address,
            .ipv6 = leg->ipv6_address,
            .mac = leg->mac_address ? leg->mac_address : i == 0 ? service->mac_address : NULL,
            .interface_name = leg->interface_name,
            .link_local = leg->link_local_ips.items,
            .link_local_count = leg->link_local_ips.count,
            .priority = leg->priority,
            .gw_priority = leg->gw_priority,
        };
    }
    *ret_endpoints = endpoints;
    return 0;
}

static int ports_make(const struct service *service, struct arena *arena, struct port_publish **ret_ports, struct err *err)
{
    struct port_publish *ports = arena_alloc(arena, (service->ports.count + 1) * sizeof(*ports));
    for (size_t i = 0; i < service->ports.count; i++) {
        const struct service_port *port = &service->ports.items[i];
        ports[i] = (struct port_publish){ .host_ip = port->host_ip, .host_first = port->published_first,
                                          .host_last = port->published_last, .target = port->target };
        if (!port_proto_parse(port->protocol ? port->protocol : "tcp", &ports[i].proto))
            return err_set(err, ERR_CONFIG, "ports: '%s' is no protocol", port->protocol);
    }
    *ret_ports = ports;
    return 0;
}

static int sandbox_make(const struct translate_input *input, struct container_record *record, bool none, struct jv **ret_sandbox,
                        struct err *err)
{
    const struct service *service = input->service;
    struct arena *arena = record->arena;
    struct endpoint_request *endpoints = NULL;
    struct port_publish *ports = NULL;
    if (endpoints_make(input, arena, &endpoints, err) < 0 || ports_make(service, arena, &ports, err) < 0)
        return -1;
    struct label *sysctls = arena_alloc(arena, (service->sysctls.count + 1) * sizeof(*sysctls));
    size_t sysctl_count = 0;
    for (size_t i = 0; i < service->sysctls.count; i++) {
        const struct kv *pair = &service->sysctls.items[i];
        if ((str_has_prefix(pair->key, "net.") || str_has_prefix(pair->key, "net/")) && pair->value)
            sysctls[sysctl_count++] = (struct label){ pair->key, pair->value };
    }
    char short_id[13];
    (void)memcpy(short_id, input->id, 12);
    short_id[12] = '\0';
    struct sandbox_request request = {
        .id = input->id,
        .container_name = record->name,
        .project = input->project->name,
        .service = input->oneoff && !input->oneoff->aliases ? NULL : service->name,
        .index = (unsigned)input->number,
        .hostname = service->hostname && service->hostname[0] ? service->hostname : short_id,
        .domainname = service->domainname,
        .endpoints = endpoints,
        .endpoint_count = none ? 0 : service->networks.count,
        .ports = ports,
        .port_count = none ? 0 : service->ports.count,
        .dns = service->dns.count ? service->dns.items : NULL,
        .dns_search = service->dns_search.count ? service->dns_search.items : NULL,
        .dns_opt = service->dns_opt.count ? service->dns_opt.items : NULL,
        .sysctls = sysctls,
        .sysctl_count = sysctl_count,
    };
    request.extra_hosts = labels_of(arena, &service->extra_hosts, 0, &request.extra_host_count);
    *ret_sandbox = sandbox_request_to_json(&request);
    return 0;
}

/* a network mode that shares leaves nothing of one's own to configure */
static int shared_check(const struct service *service, const struct share *share, struct err *err)
{
    if (share->kind != SHARE_HOST && service->ports.count)
        return err_set(err, ERR_CONFIG, "conflicting options: port publishing and network_mode: %s", service->network_mode);
    if (share->kind != SHARE_HOST && service->hostname && service->hostname[0])
        return err_set(err, ERR_CONFIG, "conflicting options: hostname and network_mode: %s", service->network_mode);
    return 0;
}

int translate_network_part(const struct translate_input *input, struct container_record *record, struct jv *data, struct err *err)
{
    const struct service *service = input->service;
    bool none = str_eq(service->network_mode, "none");
    struct share share = { SHARE_NONE, NULL };
    if (!none && (!share_parse(service->network_mode, &share) || share.kind == SHARE_PRIVATE))
        return err_set(err, ERR_UNSUPPORTED, "network_mode: '%s' is not supported", service->network_mode);

    struct jv *networks = jv_array();
    if (share.kind == SHARE_NONE) {
        struct jv *sandbox = NULL;
        if (sandbox_make(input, record, none, &sandbox, err) < 0) {
            jv_free(networks);
            return -1;
        }
        jv_set(data, "sandbox", sandbox);
        for (size_t i = 0; !none && i < service->networks.count; i++)
            jv_add(networks, jv_string(project_network(input->project, service->networks.items[i].network)->name));
        record->spec.net.mode = NS_PATH;
        _cleanup_free_ char *path = layout_run(input->layout, "netns/%s", input->id);
        record->spec.net.path = arena_strdup(record->arena, path);
    } else if (shared_check(service, &share, err) < 0) {
        jv_free(networks);
        return -1;
    } else {
        record->spec.net.mode = share.kind == SHARE_HOST ? NS_HOST : NS_PATH;
    }
    jv_set(data, "networks", networks);
    return 0;
}

int translate_sandbox(const struct container_record *record, const char *userns, struct sandbox_request *ret_request, struct err *err)
{
    const struct jv *sandbox = jv_find(record->service_data, "sandbox");
    struct sandbox_request request = { 0 };
    if (!sandbox)
        return err_set(err, ERR_CORRUPT, "container %s: service_data.sandbox is missing", record->name);
    if (sandbox_request_from_json(sandbox, &request, err) < 0)
        return err_wrap(err, "container %s: service_data.sandbox", record->name);
    request.userns = userns;
    *ret_request = request;
    return 0;
}
