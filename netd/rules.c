/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c - keeps the table in step with networks and ports. A small change is a few elements; when
 * the kernel refuses it (somebody edited or flushed the table), the whole table is loaded anew,
 * which is one transaction too. */
#include "base/log.h"
#include "netd/daemon.h"
#include "netd/nft_render.h"

/* Every load of the host's table goes this way, so that the watch knows it for our own. */
static int load(struct netd *netd, const char *text, struct err *err)
{
    int result = nft_load(netd->nft, text, err);
    nft_watch_forget(netd->watch);
    return result;
}

int rules_load_all(struct netd *netd, struct err *err)
{
    VEC(struct net *) nets = {0};
    VEC(struct sandbox *) sandboxes = {0};
    _cleanup_str_ struct str text = {0};

    for (size_t i = 0; i < map_count(netd->nets); i++)
        VEC_ADD(&nets, (struct net *)map_value_at(netd->nets, i));
    for (size_t i = 0; i < map_count(netd->sandboxes); i++)
        VEC_ADD(&sandboxes, (struct sandbox *)map_value_at(netd->sandboxes, i));
    nft_render_table(&text, netd->table, forwarding_is_ours(netd), nets.items, nets.count,
                     sandboxes.items, sandboxes.count);
    VEC_DONE(&nets);
    VEC_DONE(&sandboxes);
    if (load(netd, str_text(&text), err) < 0)
        return -1;
    netd->table_loaded = true;
    return 0;
}

int rules_change_net(struct netd *netd, const struct net *net, bool add, struct err *err)
{
    _cleanup_str_ struct str text = {0};
    struct err reason = {0};

    nft_render_net(&text, netd->table, net, add);
    if (netd->table_loaded && load(netd, str_text(&text), &reason) < 0) {
        log_warning("rules network=%s: %s; loading the whole table", net->name, reason.message);
        netd->table_loaded = false;
    }
    /* a network that goes is still in our map: the caller loads the table without it */
    return add && !netd->table_loaded ? rules_load_all(netd, err) : 0;
}

int rules_change_ports(struct netd *netd, const struct sandbox *sandbox, bool add, struct err *err)
{
    _cleanup_str_ struct str text = {0};
    struct err reason = {0};

    if (netd->repairing) /* the former netd's rules are good until all that there is is known */
        return 0;
    nft_render_ports(&text, netd->table, sandbox, add);
    if (!text.size || (netd->table_loaded && load(netd, str_text(&text), &reason) == 0))
        return 0;
    if (netd->table_loaded)
        log_warning("rules ports: %s; loading the whole table", reason.message);
    /* our lists do not have yet what is added here, and still have what is removed */
    if (rules_load_all(netd, err) < 0)
        return -1;
    return load(netd, str_text(&text), err);
}

int rules_delete(struct netd *netd, struct err *err)
{
    _cleanup_str_ struct str text = {0};
    nft_render_delete(&text, netd->table);
    if (load(netd, str_text(&text), err) < 0)
        return -1;
    netd->table_loaded = false;
    return 0;
}

void rules_restore(void *arg)
{
    struct netd *netd = arg;
    struct err reason = {0};

    if (map_count(netd->nets) == 0)
        return;
    log_warning("rules: somebody removed some of ours; they are loaded again");
    if (rules_load_all(netd, &reason) < 0)
        log_error("rules: %s", reason.message);
}
