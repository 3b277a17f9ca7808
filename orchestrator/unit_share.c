/* SPDX-License-Identifier: Apache-2.0 */
/* unit_share.c - the other container of `network_mode`, `ipc`, `pid` and `volumes_from`. For the first three service:NAME is the project's own first replica,
 * container:NAME any container of this instance, by name, id or the beginning of one. */
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "engine/engine.h"
#include "orchestrator/supervisor.h"

#define ID_PREFIX_MIN 6
#define BORROW_DEPTH 16 /* services cannot form a circle, containers by name can */

void partner_done(struct partner *partner)
{
    free(partner->id);
    free(partner->netns);
    *partner = (struct partner){ 0 };
}

bool share_is_other(const struct share *share)
{
    return share->kind == SHARE_SERVICE || share->kind == SHARE_CONTAINER;
}

static void partner_fill(struct partner *partner, const char *id, pid_t pid, char *netns)
{
    partner->id = xstrdup(id);
    partner->pid = pid;
    partner->netns = netns ? netns : xasprintf("/proc/%d/ns/net", (int)pid);
}

static bool record_is(const struct container_record *record, const char *name)
{
    return str_eq(record->name, name) || (strlen(name) >= ID_PREFIX_MIN && str_has_prefix(record->id, name));
}

/* A container of another project. */
static int partner_abroad(const struct supervisor *sv, const char *name, struct partner *ret_partner, struct err *err)
{
    struct container_record **records = NULL;
    size_t count = 0;
    if (container_record_list(sv->layout, NULL, &records, &count, NULL, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count && !ret_partner->id; i++) {
        struct container_status status;
        if (!record_is(records[i], name) || container_status_read(sv->layout, records[i]->id, &status, NULL) < 0 ||
            status.state != STATE_RUNNING)
            continue;
        char *netns = layout_run(sv->layout, "netns/%s", records[i]->id);
        if (access(netns, F_OK) < 0) {
            free(netns);
            netns = NULL;
        }
        partner_fill(ret_partner, records[i]->id, status.pid, netns);
    }
    container_record_list_free(records, count);
    return 0;
}

int partner_find(const struct unit *unit, const struct share *share, struct partner *ret_partner, struct err *err)
{
    struct unit *other = share->kind == SHARE_SERVICE ? supervisor_replica(unit->sv, share->name, 1)
                                                      : supervisor_unit_named(unit->sv, share->name);
    if (other && other->state == INSTANCE_RUNNING)
        partner_fill(ret_partner, other->record->id, other->last.pid, other->has_sandbox ? xstrdup(other->sandbox.netns) : NULL);
    else if (!other && share->kind == SHARE_CONTAINER && partner_abroad(unit->sv, share->name, ret_partner, err) < 0)
        return -1;
    if (ret_partner->id)
        return 0;
    return err_set(err, ERR_NOT_FOUND, "cannot join the namespaces of '%s': it is not running", share->name);
}

void borrowed_list_done(struct borrowed_list *list)
{
    VEC_DONE(&list->v);
}

/* volumes_from: [SERVICE | container:NAME][:ro|:rw], and what those have from others. */
static int collect(const struct unit *unit, bool read_only, int depth, struct borrowed_list *list, struct err *err)
{
    const struct jv *entries = jv_find(unit->record->service_data, "volumes_from");
    for (size_t i = 0; i < jv_count(entries); i++) {
        const char *text = jv_text(jv_at(entries, i));
        if (!text)
            continue;
        bool by_name = str_has_prefix(text, "container:");
        const char *rest = by_name ? text + strlen("container:") : text, *mode = strchr(rest, ':');
        _cleanup_free_ char *name = mode ? xstrndup(rest, (size_t)(mode - rest)) : xstrdup(rest);
        const struct unit *other = by_name ? supervisor_unit_named(unit->sv, name) : supervisor_replica(unit->sv, name, 1);
        if (!other || depth == BORROW_DEPTH)
            return err_set(err, ERR_NOT_FOUND, "volumes_from: %s", other ? "too many containers in a row" : "no such container");
        bool ro = read_only || (mode && str_eq(mode, ":ro"));
        VEC_ADD(&list->v, (struct borrowed_volumes){ .record = other->record, .read_only = ro });
        if (collect(other, ro, depth + 1, list, err) < 0)
            return -1;
    }
    return 0;
}

int volumes_from_collect(const struct unit *unit, struct borrowed_list *ret_list, struct err *err)
{
    return collect(unit, false, 0, ret_list, err) < 0 ? err_wrap(err, "service '%s'", unit->record->service) : 0;
}
