/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c - one container's network from request to kernel and back.
 *
 * A sandbox is planned whole (checked, addresses leased, ports reserved) before anything is made.
 * When one exists already, it is compared: the same request on a living namespace changes nothing;
 * else the namespace is kept and its legs, ports and names are replaced. A failure takes away what
 * this call made. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/log.h"
#include "base/str.h"
#include "netd/conntrack.h"
#include "netd/daemon.h"
#include "netd/dns_server.h"
#include "netd/endpoint.h"
#include "netd/ipam.h"
#include "netd/netns.h"
#include "netd/nft_render.h"
#include "netd/ports.h"
#include "netd/resolv.h"
#include "netd/store.h"

#define NAME_MAX_BYTES 253

/* Parameters of every namespace. Ids in values are the container's. */
static const struct {
    const char *path, *value;
} default_sysctls[] = {
    {"/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"},
    {"/proc/sys/net/ipv4/ping_group_range", "0 65535"},
    {"/proc/sys/net/ipv6/conf/all/accept_ra", "0"},
    {"/proc/sys/net/ipv6/conf/default/accept_ra", "0"},
};

static char *find_holder(enum port_proto proto, const struct addr *host, uint16_t port, void *arg)
{
    const struct netd *netd = arg;
    for (size_t i = 0; i < map_count(netd->sandboxes); i++) {
        const struct sandbox *sandbox = map_value_at(netd->sandboxes, i);
        for (size_t j = 0; j < sandbox->ports.count; j++)
            if (ports_collide(&sandbox->ports.items[j], proto, host, port))
                return xasprintf("container '%s'", sandbox->name ? sandbox->name : sandbox->id);
    }
    return NULL;
}

static bool name_is_label(const char *text)
{
    size_t size = text ? strlen(text) : 0;
    if (size == 0 || size > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || strchr("\"'\\;{}%", text[i]))
            return false;
    return true;
}

static int check_request(const struct sandbox_request *request, struct err *err)
{
    if (!id_is_valid(request->id))
        return err_set(err, ERR_PROTOCOL, "'id' is not the id of a container");
    if (request->container_name && !name_is_resource(request->container_name))
        return err_set(err, ERR_CONFIG, "container name is not valid");
    if (request->service && !name_is_resource(request->service))
        return err_set(err, ERR_CONFIG, "service name is not valid");
    for (size_t i = 0; i < request->endpoint_count; i++)
        for (size_t j = 0; j < request->endpoints[i].alias_count; j++)
            if (!name_is_label(request->endpoints[i].aliases[j])) {
                _cleanup_free_ char *alias = str_printable(request->endpoints[i].aliases[j]);
                return err_set(err, ERR_CONFIG, "alias '%s' is not a host name", alias);
            }
    for (size_t i = 0; i < request->sysctl_count; i++) {
        char path[SYSCTL_PATH_MAX];
        if (sysctl_path(request->sysctls[i].key, path, err) < 0)
            return -1;
    }
    return resolv_check_request(request, err);
}

/* A lease belongs to the replica; what is no replica has one as long as it lives. */
static char *lease_key(const struct sandbox_request *request)
{
    if (request->project && request->service && request->index)
        return xasprintf("%s/%s/%u", request->project, request->service, request->index);
    return xasprintf("id/%s", request->id);
}

static void release_own_lease(struct netd *netd, const char *key)
{
    if (!str_has_prefix(key, "id/"))
        return;
    for (size_t i = 0; i < map_count(netd->nets); i++) {
        struct net *net = map_value_at(netd->nets, i);
        struct err reason = {0};
        if (ipam_release(net, key) && store_save_net(netd->layout, net, &reason) < 0)
            log_warning("network name=%s %s", net->name, reason.message);
    }
}

static int save_leases(struct netd *netd, const struct sandbox *sandbox, struct err *err)
{
    for (size_t i = 0; i < sandbox->endpoints.count; i++) {
        struct net *net = sandbox->endpoints.items[i].net;
        if (net->dirty && store_save_net(netd->layout, net, err) < 0)
            return -1;
    }
    return 0;
}

static int reserve_ports(struct netd *netd, struct sandbox *sandbox,
                         const struct sandbox_request *request, const struct jv *bound,
                         struct err *err)
{
    const struct endpoint *gateway = sandbox_gateway_endpoint(sandbox, 4);
    struct ports_context context = {.v4 = gateway != NULL,
                                    .v6 = sandbox_gateway_endpoint(sandbox, 6) != NULL,
                                    .find_own = find_holder,
                                    .arg = netd};
    if (gateway)
        context.host_default = gateway->net->host_bind;
    if (bound) { /* the ports of before, exactly; somebody may have been quicker: the rest goes on
                  */
        for (size_t i = 0; i < jv_count(bound); i++) {
            const struct jv *item = jv_at(bound, i);
            struct port_publish publish = {
                .host_ip = jv_get_str(item, "host_ip", NULL),
                .host_first = (uint16_t)jv_get_int(item, "host_first", 0),
                .target = (uint16_t)jv_get_int(item, "target", 0),
            };
            if (!port_proto_parse(jv_get_str(item, "proto", ""), &publish.proto))
                continue;
            struct err reason = {0};
            if (ports_reserve(sandbox, &publish, &context, &reason) < 0)
                log_error("sandbox id=%.12s lost a port: %s", sandbox->id, reason.message);
        }
        return 0;
    }
    for (size_t i = 0; i < request->port_count; i++)
        if (ports_reserve(sandbox, &request->ports[i], &context, err) < 0)
            return -1;
    return 0;
}

static struct sandbox *sandbox_new(struct netd *netd, const struct sandbox_request *request,
                                   const struct jv *value)
{
    struct sandbox *sandbox = xcalloc(1, sizeof(*sandbox));
    sandbox->id = xstrdup(request->id);
    sandbox->name = xstrdup(request->container_name);
    sandbox->project = xstrdup(request->project);
    sandbox->service = xstrdup(request->service);
    sandbox->key = lease_key(request);
    sandbox->request = jv_copy_deep(value);
    sandbox->netns = layout_run(netd->layout, "netns/%s", request->id);
    return sandbox;
}

static int make_namespace(struct netd *netd, const struct sandbox *sandbox,
                          const struct sandbox_request *request, int *ret_fd, struct err *err)
{
    size_t defaults = ARRAY_LEN(default_sysctls), count = defaults + request->sysctl_count;
    _cleanup_free_ struct netns_sysctl *sysctls = xcalloc(count, sizeof(*sysctls));
    _cleanup_close_ int fd = -1, dir = -1;

    for (size_t i = 0; i < count; i++) {
        bool is_default = i < defaults;
        if (is_default)
            snprintf(sysctls[i].path, sizeof(sysctls[i].path), "%s", default_sysctls[i].path);
        else if (sysctl_path(request->sysctls[i - defaults].key, sysctls[i].path, err) < 0)
            return -1;
        sysctls[i].value =
            is_default ? default_sysctls[i].value : request->sysctls[i - defaults].value;
        sysctls[i].best_effort = is_default;
    }
    if (fs_open_dir(netd->layout->run_fd, "netns", 0711, &dir, err) < 0 ||
        netns_create(request->userns, sysctls, count, &fd, err) < 0 ||
        netns_unpin(sandbox->netns, err) < 0 || netns_pin(fd, sandbox->netns, err) < 0)
        return -1;
    *ret_fd = take_fd(&fd);
    return 0;
}

/* all: the namespace is not new, nothing was written when it was made. Else only what did not exist
 * at that moment: parameters of interfaces, and what does not exist at all, which is an error now.
 */
static int write_sysctls(const struct sandbox_request *request, bool all, struct err *err)
{
    for (size_t i = 0; i < request->sysctl_count; i++) {
        char path[SYSCTL_PATH_MAX];
        if (sysctl_path(request->sysctls[i].key, path, err) < 0)
            return -1;
        if (!all && !strstr(path, "/conf/") && !strstr(path, "/neigh/") && access(path, F_OK) == 0)
            continue;
        int failure = sysctl_write_path(path, request->sysctls[i].value);
        if (failure)
            return err_sysno(err, failure, "sysctl '%s' = '%s'", request->sysctls[i].key,
                             request->sysctls[i].value);
    }
    return 0;
}

static int load_resolver_rule(struct err *err)
{
    _cleanup_(nft_closep) struct nft *nft = NULL;
    _cleanup_str_ struct str text = {0};

    nft_render_resolver(&text, RESOLVER_PORT);
    if (nft_open(&nft, err) < 0)
        return -1;
    return nft_load(nft, str_text(&text), err) < 0 && err->code != ERR_EXISTS ? -1 : 0;
}

/* What has to be done inside. */
struct inside {
    bool legs;        /* they were made anew */
    bool sysctls;     /* those of the request */
    bool all_sysctls; /* see write_sysctls */
};

static int set_up_inside(struct netd *netd, struct sandbox *sandbox,
                         const struct sandbox_request *request, int netns_fd, struct inside inside,
                         struct err *err)
{
    int result = 0;

    if (netns_enter(netns_fd, err) < 0)
        return -1;
    if (inside.legs)
        result = endpoints_configure(sandbox, err);
    if (result == 0 && inside.sysctls)
        result = write_sysctls(request, inside.all_sysctls, err);
    if (result == 0 && sandbox->endpoints.count > 0 && !sandbox->resolver)
        result = resolver_new(netd->dns, sandbox, (char *const *)(uintptr_t)request->dns,
                              &sandbox->resolver, err);
    if (result == 0 && sandbox->endpoints.count > 0 && inside.legs) /* else it is there */
        result = load_resolver_rule(err);
    netns_leave(netd->home_fd);
    return result;
}

static int clear_inside(struct netd *netd, int netns_fd, struct err *err)
{
    if (netns_enter(netns_fd, err) < 0)
        return -1;
    int result = endpoints_clear(err);
    netns_leave(netd->home_fd);
    return result;
}

struct forget {
    struct conntrack *conntrack;
    const struct port_hold *hold;
};

static void forget_on(const struct cidr *local, unsigned ifindex, void *arg)
{
    const struct forget *forget = arg;
    (void)ifindex;
    if (local->addr.family == forget->hold->host.family)
        conntrack_forget_host(forget->conntrack, forget->hold->bound.proto, &local->addr,
                              forget->hold->bound.host);
}

/* Datagrams that somebody kept sending before the rule was there would never see it: their flow is
 * tracked. */
static void forget_untranslated(struct netd *netd, const struct sandbox *sandbox)
{
    for (size_t i = 0; netd->conntrack && i < sandbox->ports.count; i++) {
        struct forget forget = {.conntrack = netd->conntrack, .hold = &sandbox->ports.items[i]};
        struct err ignored = {0};
        if (forget.hold->bound.proto == PORT_UDP)
            (void)rtnl_each_addr(netd->rtnl, forget_on, &forget, &ignored); /* best effort */
    }
}

/* Flows to a container that goes: the next packet finds the rules as they are now. */
static void forget_translated(struct netd *netd, const struct sandbox *sandbox)
{
    for (size_t i = 0; netd->conntrack && i < sandbox->ports.count; i++) {
        const struct port_hold *hold = &sandbox->ports.items[i];
        const struct endpoint *endpoint = sandbox_gateway_endpoint(sandbox, hold->host.family);
        if (endpoint)
            conntrack_forget_target(netd->conntrack, hold->bound.proto,
                                    hold->host.family == 4 ? &endpoint->ip4 : &endpoint->ip6,
                                    hold->bound.target);
    }
}

static void publish(struct netd *netd, struct sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->endpoints.count; i++)
        sandbox->endpoints.items[i].net->endpoint_count++;
    dns_add_names(netd->dns, sandbox);
    map_set(netd->sandboxes, sandbox->id, sandbox);
}

/* Takes a sandbox out of our tables and rules; the namespace stays. Frees it. */
static int withdraw(struct netd *netd, struct sandbox *sandbox, struct err *err)
{
    if (rules_change_ports(netd, sandbox, false, err) < 0)
        return -1;
    forget_translated(netd, sandbox);
    dns_remove_names(netd->dns, sandbox);
    for (size_t i = 0; i < sandbox->endpoints.count; i++)
        sandbox->endpoints.items[i].net->endpoint_count--;
    map_remove(netd->sandboxes, sandbox->id);
    return 0;
}

/* The kernel side of a planned sandbox. same_legs: what is there already was made for the same
 * endpoints. */
static int build(struct netd *netd, struct sandbox *sandbox, const struct sandbox_request *request,
                 bool same_legs, bool adopted, struct err *err)
{
    _cleanup_close_ int netns_fd = -1;
    struct err ignored = {0};
    bool keep = netns_open_pin(sandbox->netns, &netns_fd, &ignored) == 0;
    bool fresh = !keep || !same_legs || !endpoints_exist(sandbox);

    sandbox->ready = !fresh;
    if (store_save_sandbox(netd->layout, sandbox, err) < 0)
        return -1;
    if (!keep && make_namespace(netd, sandbox, request, &netns_fd, err) < 0)
        return -1;
    if (keep && fresh && clear_inside(netd, netns_fd, err) < 0)
        return -1;
    if (fresh && endpoints_create(netd, sandbox, netns_fd, err) < 0)
        return -1;
    if (!fresh && endpoints_attach(netd, sandbox, NULL, err) < 0)
        return -1;
    struct inside inside = {
        .legs = fresh, .sysctls = fresh || !adopted, .all_sysctls = keep && !adopted};
    if (set_up_inside(netd, sandbox, request, netns_fd, inside, err) < 0)
        return -1;
    sandbox->ready = true;
    return fresh ? store_save_sandbox(netd->layout, sandbox, err) : 0;
}

static void undo(struct netd *netd, const struct sandbox *sandbox)
{
    struct err reason = {0};
    if (netns_unpin(sandbox->netns, &reason) < 0 ||
        store_remove_sandbox(netd->layout, sandbox->id, &reason) < 0)
        log_warning("sandbox id=%.12s undo: %s", sandbox->id, reason.message);
    release_own_lease(netd, sandbox->key);
}

static bool is_alive(const struct sandbox *sandbox)
{
    _cleanup_close_ int fd = -1;
    struct err ignored = {0};
    return netns_open_pin(sandbox->netns, &fd, &ignored) == 0 && endpoints_exist(sandbox);
}

/* Reserves, builds and publishes a planned sandbox. */
static int carry_out(struct netd *netd, struct sandbox *sandbox,
                     const struct sandbox_request *request, const struct jv *stored, bool same_legs,
                     struct err *err)
{
    const struct jv *bound = stored ? jv_find(stored, "ports") : NULL;

    if (reserve_ports(netd, sandbox, request, bound, err) < 0 ||
        build(netd, sandbox, request, same_legs, stored != NULL, err) < 0 ||
        rules_change_ports(netd, sandbox, true, err) < 0)
        return -1;
    forget_untranslated(netd, sandbox);
    publish(netd, sandbox);
    return 0;
}

/* stored: what the file of a former netd says (see store_each_sandbox), or NULL. */
static int ensure(struct netd *netd, const struct sandbox_request *request, const struct jv *value,
                  const struct jv *stored, struct sandbox **ret_sandbox, struct err *err)
{
    struct sandbox *old = map_find(netd->sandboxes, request->id);
    _cleanup_jv_ struct jv *old_state = NULL;

    if (check_request(request, err) < 0)
        return -1;
    if (old && jv_equal(old->request, value) && is_alive(old)) {
        *ret_sandbox = old;
        return 0;
    }
    _cleanup_(sandbox_freep) struct sandbox *sandbox = sandbox_new(netd, request, value);
    if (endpoints_plan(netd, sandbox, request, err) < 0 || save_leases(netd, sandbox, err) < 0) {
        if (!old)
            release_own_lease(netd, sandbox->key);
        return -1;
    }
    bool same_legs = old ? endpoints_equal(sandbox, old) : jv_get_bool(stored, "ready", false);
    if (old) { /* its ports must be free for the new state */
        old_state = sandbox_stored(old);
        if (withdraw(netd, old, err) < 0)
            return -1;
    }
    if (carry_out(netd, sandbox, request, stored, same_legs, err) < 0) {
        if (old_state) {
            struct err reason = {0};
            struct sandbox *restored;
            sandbox_freep(&sandbox); /* gives up its ports */
            sandbox = NULL;
            if (sandbox_ensure(netd, jv_find(old_state, "request"), old_state, &restored, &reason) <
                0)
                log_error("sandbox id=%.12s cannot go back: %s", request->id, reason.message);
        } else {
            undo(netd, sandbox);
        }
        return -1;
    }
    *ret_sandbox = take_ptr(&sandbox);
    return 0;
}

void sandbox_lease(struct netd *netd, const struct jv *request)
{
    struct sandbox_request parsed;
    struct err ignored = {0};

    if (sandbox_request_from_json(request, &parsed, &ignored) < 0)
        return;
    if (check_request(&parsed, &ignored) == 0) {
        _cleanup_(sandbox_freep) struct sandbox *sandbox = sandbox_new(netd, &parsed, request);
        (void)endpoints_plan(netd, sandbox, &parsed, &ignored);
    }
    sandbox_request_done(&parsed);
}

void sandbox_save_leases(struct netd *netd)
{
    for (size_t i = 0; i < map_count(netd->nets); i++) {
        struct net *net = map_value_at(netd->nets, i);
        struct err ignored = {0};
        if (net->dirty)
            (void)store_save_net(netd->layout, net,
                                 &ignored); /* still dirty: sandbox_ensure tries and says why */
    }
}

int sandbox_ensure(struct netd *netd, const struct jv *request, const struct jv *stored,
                   struct sandbox **ret_sandbox, struct err *err)
{
    struct sandbox_request parsed;

    if (sandbox_request_from_json(request, &parsed, err) < 0)
        return -1;
    int result = ensure(netd, &parsed, request, stored, ret_sandbox, err);
    sandbox_request_done(&parsed);
    return result;
}

int sandbox_remove(struct netd *netd, const char *id, struct err *err)
{
    struct sandbox *sandbox = map_find(netd->sandboxes, id);
    _cleanup_free_ char *key = NULL;

    if (!id_is_valid(id))
        return err_set(err, ERR_PROTOCOL, "'id' is not the id of a container");
    _cleanup_free_ char *pin = layout_run(netd->layout, "netns/%s", id);
    if (sandbox) {
        key = xstrdup(sandbox->key);
        if (withdraw(netd, sandbox, err) < 0)
            return -1;
    }
    /* the links die with the namespace: deleting them would make everybody wait */
    if (netns_unpin(pin, err) < 0 || store_remove_sandbox(netd->layout, id, err) < 0)
        return -1;
    if (key)
        release_own_lease(netd, key);
    return 0;
}
