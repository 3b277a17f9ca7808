/* SPDX-License-Identifier: Apache-2.0 */
/* repair.c - at start: what is stored, compared with what the kernel has. Networks come back whole;
 * a sandbox comes back when its namespace is still pinned, and only what died with the former netd
 * (sockets) or is missing is made anew, traffic is not touched; what nothing stored speaks of is
 * removed. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/log.h"
#include "base/str.h"
#include "netd/daemon.h"
#include "netd/netns.h"
#include "netd/store.h"

static void adopt(const char *id, const struct jv *stored, void *arg)
{
    struct netd *netd = arg;
    struct sandbox *sandbox;
    struct err reason = {0};
    _cleanup_close_ int fd = -1;
    _cleanup_free_ char *pin = layout_run(netd->layout, "netns/%s", id);

    if (netns_open_pin(pin, &fd, &reason) < 0) {
        log_info("sandbox id=%.12s is gone: %s", id, reason.message);
        return; /* its file goes with the strays */
    }
    close_fdp(&fd);
    if (sandbox_ensure(netd, jv_find(stored, "request"), stored, &sandbox, &reason) < 0)
        log_error("sandbox id=%.12s cannot be taken over: %s", id, reason.message);
}

/* Names below run/`directory` that belong to no sandbox. suffix is what follows the id. */
static int each_stray(struct netd *netd, const char *directory, const char *suffix,
                      void (*remove)(struct netd *netd, const char *id), struct err *err)
{
    char **names = NULL;
    size_t count = 0;

    if (!fs_exists(netd->layout->run_fd, directory))
        return 0;
    if (fs_list(netd->layout->run_fd, directory, 65536, &names, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *id = xstrndup(names[i], 64);
        if (id_is_valid(id) && str_eq(names[i] + 64, suffix) && !map_has(netd->sandboxes, id))
            remove(netd, id);
    }
    fs_names_free(names);
    return 0;
}

static void remove_pin(struct netd *netd, const char *id)
{
    _cleanup_free_ char *pin = layout_run(netd->layout, "netns/%s", id);
    struct err reason = {0};
    log_info("netns id=%.12s belongs to nobody: removed", id);
    if (netns_unpin(pin, &reason) < 0)
        log_warning("netns id=%.12s: %s", id, reason.message);
}

static void remove_file(struct netd *netd, const char *id)
{
    struct err reason = {0};
    if (store_remove_sandbox(netd->layout, id, &reason) < 0)
        log_warning("sandbox id=%.12s: %s", id, reason.message);
}

struct strays {
    struct netd *netd;
    VEC(unsigned) list;
};

static bool is_wanted(const struct netd *netd, const char *name)
{
    for (size_t i = 0; i < map_count(netd->sandboxes); i++) {
        const struct sandbox *sandbox = map_value_at(netd->sandboxes, i);
        for (size_t j = 0; j < sandbox->endpoints.count; j++)
            if (str_eq(sandbox->endpoints.items[j].veth, name))
                return true;
    }
    return false;
}

/* Ports on our bridges without a sandbox. Other instances have other groups. */
static void find_stray(const struct rtnl_link *link, void *arg)
{
    struct strays *strays = arg;
    const struct netd *netd = strays->netd;

    for (size_t i = 0; i < map_count(netd->nets); i++) {
        const struct net *net = map_value_at(netd->nets, i);
        if (link->group == bridge_group(net) && !str_eq(link->name, net->interface) &&
            !is_wanted(netd, link->name))
            VEC_ADD(&strays->list, link->index);
    }
}

static int remove_stray_links(struct netd *netd, struct err *err)
{
    struct strays strays = {.netd = netd};

    int result = rtnl_each_link(netd->rtnl, find_stray, &strays, err);
    for (size_t i = 0; result == 0 && i < strays.list.count; i++)
        rtnl_add_delete(netd->rtnl, strays.list.items[i], ENODEV);
    if (result == 0 && strays.list.count)
        result = rtnl_run(netd->rtnl, err);
    VEC_DONE(&strays.list);
    return result;
}

static int take_over(struct netd *netd, struct err *err)
{
    store_sweep(netd->layout);
    if (store_load_nets(netd->layout, netd->nets, &netd->damaged, err) < 0)
        return -1;
    for (size_t i = 0; i < map_count(netd->nets); i++) {
        const struct net *net = map_value_at(netd->nets, i);
        struct err reason = {0};
        if (bridge_ensure(netd, net, &reason) < 0 ||
            forwarding_enable(netd, net->ipv6, &reason) < 0)
            log_error("network name=%s: %s", net->name, reason.message); /* the others shall work */
    }
    if (store_each_sandbox(netd->layout, adopt, netd, err) < 0 ||
        each_stray(netd, "netns", "", remove_pin, err) < 0 ||
        each_stray(netd, "netd/sandboxes", ".json", remove_file, err) < 0)
        return -1;
    return 0;
}

int repair_all(struct netd *netd, struct err *err)
{
    bool had_predecessor = fs_exists(netd->layout->run_fd, "netd");

    netd->repairing = true;
    int result = take_over(netd, err);
    netd->repairing = false;
    if (result < 0)
        return -1;
    if (map_count(netd->nets) > 0)
        return remove_stray_links(netd, err) < 0 ? -1 : rules_load_all(netd, err);
    /* the last network may have gone while its traces were still being removed */
    return had_predecessor ? host_clean(netd, err) : 0;
}
