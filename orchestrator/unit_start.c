/* SPDX-License-Identifier: Apache-2.0 */
/* unit_start.c - one start: the network sandbox (kept over restarts), then the files, sockets and binds of this start, then the
 * monitor. Many starts overlap; start_limit bounds how many, because beyond a few they only wait for each other. */
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "orchestrator/supervisor.h"

struct sandbox_call { /* the unit may be gone, or on a later start, when netd answers */
    struct supervisor *sv;
    char id[65];
    unsigned serial;
};

static struct sandbox_call *sandbox_call_new(struct unit *unit)
{
    struct sandbox_call *call = xcalloc(1, sizeof(*call));
    call->sv = unit->sv;
    call->serial = unit->serial;
    memcpy(call->id, unit->record->id, MIN(strlen(unit->record->id), sizeof(call->id) - 1));
    return call;
}

static struct unit *sandbox_call_unit(const struct sandbox_call *call)
{
    struct unit *unit = supervisor_unit(call->sv, call->id);
    return unit && unit->serial == call->serial && unit->spawning ? unit : NULL;
}

/* The container whose namespaces are joined: its service's first one, or a container by name. */
static struct unit *share_unit(const struct unit *unit, const struct share *share, struct err *err)
{
    struct unit *other = NULL;
    if (share->kind == SHARE_SERVICE)
        other = supervisor_replica(unit->sv, share->name, 1);
    else if (share->kind == SHARE_CONTAINER)
        other = supervisor_unit_named(unit->sv, share->name);
    if (!other || other->state != INSTANCE_RUNNING) {
        (void)err_set(err, ERR_NOT_FOUND, "cannot join the namespaces of '%s': it is not running", share->name);
        return NULL;
    }
    return other;
}

static bool share_is_other(const struct share *share)
{
    return share->kind == SHARE_SERVICE || share->kind == SHARE_CONTAINER;
}

/* The ipc and pid namespaces of another container, by its first process. */
static int share_ns_path(const struct unit *unit, const struct share *share, const char *ns, char **ret_path, struct err *err)
{
    if (!share_is_other(share))
        return 0;
    struct unit *other = share_unit(unit, share, err);
    if (!other)
        return -1;
    *ret_path = xasprintf("/proc/%d/ns/%s", (int)other->last.pid, ns);
    return 0;
}

struct borrowed_list {
    VEC(struct borrowed_volumes) v;
};

#define BORROW_DEPTH 16 /* services cannot form a circle, containers by name can */

static void borrowed_list_done(struct borrowed_list *list)
{
    VEC_DONE(&list->v);
}

/* volumes_from: [SERVICE | container:NAME][:ro|:rw], and what those have from others. */
static int volumes_from_collect(const struct unit *unit, bool read_only, int depth, struct borrowed_list *list, struct err *err)
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
        if (volumes_from_collect(other, ro, depth + 1, list, err) < 0)
            return -1;
    }
    return 0;
}

static int output_keep(struct unit *unit, struct err *err)
{
    if (unit->keep[0] >= 0)
        return 0;
    const struct layout *layout = unit->sv->layout;
    struct err first = { 0 };
    if (container_output_keep(layout, unit->record->id, unit->keep, &first) == 0)
        return 0;
    unit->keep[0] = unit->keep[1] = -1;
    /* after a boot /run is empty */
    if (container_prepare(layout, &unit->record->spec, err) < 0)
        return -1;
    return container_output_keep(layout, unit->record->id, unit->keep, err);
}

static int start_monitor(struct unit *unit, struct err *err)
{
    struct supervisor *sv = unit->sv;
    _cleanup_free_ char *ipc_path = NULL, *pid_path = NULL, *hosts_from = NULL;
    struct start_input input = {
        .userns = sv->userns, /* a record that stays in the host's ids ignores it */
        .sandbox = unit->has_sandbox ? &unit->sandbox : NULL,
        .wake_argv = (const char *const *)sv->wake_argv,
        .supervisor_socket = sv->socket_path,
    };
    if (unit->record->spec.id_count == 0)
        input.userns = NULL;
    if (share_is_other(&unit->runtime.net)) {
        struct unit *other = share_unit(unit, &unit->runtime.net, err);
        if (!other)
            return -1;
        input.sandbox = other->has_sandbox ? &other->sandbox : NULL;
        input.net_path = other->has_sandbox ? other->sandbox.netns : NULL;
        hosts_from = layout_run(sv->layout, "containers/%s", other->record->id);
        input.hosts_from = hosts_from;
    }
    if (share_ns_path(unit, &unit->runtime.ipc, "ipc", &ipc_path, err) < 0 ||
        share_ns_path(unit, &unit->runtime.pid, "pid", &pid_path, err) < 0)
        return -1;
    input.ipc_path = ipc_path;
    input.pid_path = pid_path;

    _cleanup_(borrowed_list_done) struct borrowed_list borrowed = { 0 };
    if (volumes_from_collect(unit, false, 0, &borrowed, err) < 0)
        return err_wrap(err, "service '%s'", unit->record->service);
    input.borrowed = borrowed.v.items;
    input.borrowed_count = borrowed.v.count;

    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct container_spec spec;
    int control = -1;
    pid_t monitor = 0;
    if (output_keep(unit, err) < 0 || translate_start(sv->layout, unit->record, &input, arena, &spec, err) < 0 ||
        container_start(sv->layout, &spec, &control, &monitor, err) < 0)
        return -1;
    (void)loop_child(sv->loop, monitor, unit_monitor_reaped, NULL); /* frees itself */
    unit_control_attach(unit, control);
    return 0;
}

/* The network is there: the rest is short and done at once. */
static void launch(struct unit *unit)
{
    struct err err = { 0 };
    if (unit->state == INSTANCE_STOPPING) { /* stopped while netd worked */
        unit_spawn_done(unit);
        unit_event(unit, EV_FAILED);
        return;
    }
    if (start_monitor(unit, &err) < 0)
        unit_start_failed(unit, &err);
}

static void sandbox_ready(const struct jv *ok, const struct err *error, void *arg)
{
    _cleanup_free_ struct sandbox_call *call = arg;
    struct unit *unit = sandbox_call_unit(call);
    if (!unit)
        return;
    struct sandbox_info info;
    struct err err = { 0 };
    if (!ok) {
        unit_start_failed(unit, error);
        return;
    }
    if (sandbox_info_from_json(ok, &info, &err) < 0) {
        unit_start_failed(unit, &err);
        return;
    }
    if (unit->has_sandbox)
        sandbox_info_done(&unit->sandbox);
    unit->sandbox = info;
    unit->has_sandbox = true;
    jv_free(unit->record->network);
    unit->record->network = jv_copy_deep(ok);
    launch(unit);
}

static int sandbox_ask(struct unit *unit, struct err *err)
{
    struct sandbox_request request;
    const char *userns = unit->record->spec.id_count > 0 ? unit->sv->userns : NULL;
    if (translate_sandbox(unit->record, userns, &request, err) < 0)
        return -1;
    struct jv *args = sandbox_request_to_json(&request);
    sandbox_request_done(&request);
    netd_link_call(unit->sv->netd, "sandbox_ensure", args, sandbox_ready, sandbox_call_new(unit));
    return 0;
}

static void spawn_now(struct unit *unit)
{
    struct supervisor *sv = unit->sv;
    struct err err = { 0 };
    unit->start_queued = false;
    unit->spawning = true;
    unit->paused = false;
    sv->starting++;
    unit->serial++;
    unit->adopted = false;
    err_clear(&unit->start_error);
    unit->last = (struct container_status){ .state = STATE_CREATED, .exit_code = -1 };
    if (supervisor_userns(sv, &err) < 0) {
        unit_start_failed(unit, &err);
        return;
    }
    bool have = unit->has_sandbox && access(unit->sandbox.netns, F_OK) == 0;
    if (!unit->runtime.own_network || have)
        launch(unit);
    else if (sandbox_ask(unit, &err) < 0)
        unit_start_failed(unit, &err);
}

void unit_spawn(struct unit *unit)
{
    if (unit->sv->starting >= unit->sv->start_limit)
        unit->start_queued = true;
    else
        spawn_now(unit);
}

void unit_spawn_done(struct unit *unit)
{
    struct supervisor *sv = unit->sv;
    unit->start_queued = false;
    if (!unit->spawning)
        return;
    unit->spawning = false;
    sv->starting--;
    for (size_t i = 0; i < sv->units.count && sv->starting < sv->start_limit; i++)
        if (sv->units.items[i]->start_queued)
            spawn_now(sv->units.items[i]);
}

static void sandbox_dropped(const struct jv *ok _unused_, const struct err *error, void *arg _unused_)
{
    if (error)
        log_debug("sandbox removal: %s", error->message);
}

void unit_sandbox_drop(struct unit *unit)
{
    if (!unit->runtime.own_network || !unit->has_sandbox)
        return;
    sandbox_info_done(&unit->sandbox);
    unit->has_sandbox = false;
    struct jv *args = jv_object();
    jv_set_str(args, "id", unit->record->id);
    netd_link_call(unit->sv->netd, "sandbox_remove", args, sandbox_dropped, NULL);
}
