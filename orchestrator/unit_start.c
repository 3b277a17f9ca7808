/* SPDX-License-Identifier: Apache-2.0 */
/* unit_start.c - one start: the network sandbox (kept over restarts), then the files, sockets and binds of this start, then the
 * monitor. Many starts overlap; start_limit bounds how many, because beyond a few they only wait for each other. */
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "orchestrator/methods.h"
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
    _cleanup_free_ char *ipc_path = NULL, *shm_path = NULL, *pid_path = NULL, *hosts_from = NULL;
    _cleanup_(partner_done) struct partner net = { 0 }, ipc = { 0 }, pid = { 0 };
    struct start_input input = {
        .userns = sv->userns, /* a record that stays in the host's ids ignores it */
        .sandbox = unit->has_sandbox ? &unit->sandbox : NULL,
        .wake_argv = (const char *const *)sv->wake_argv,
        .supervisor_socket = sv->socket_path,
    };
    if (unit->record->spec.id_count == 0)
        input.userns = NULL;
    if (share_is_other(&unit->runtime.net)) {
        if (partner_find(unit, &unit->runtime.net, &net, err) < 0)
            return -1;
        input.net_path = net.netns;
        input.hosts_from = hosts_from = layout_run(sv->layout, "containers/%s", net.id);
    }
    if (share_is_other(&unit->runtime.ipc)) {
        if (partner_find(unit, &unit->runtime.ipc, &ipc, err) < 0)
            return -1;
        input.ipc_path = ipc_path = xasprintf("/proc/%d/ns/ipc", (int)ipc.pid);
        input.shm_path = shm_path = xasprintf("/proc/%d/ns/mnt", (int)ipc.pid);
    }
    if (share_is_other(&unit->runtime.pid)) {
        if (partner_find(unit, &unit->runtime.pid, &pid, err) < 0)
            return -1;
        input.pid_path = pid_path = xasprintf("/proc/%d/ns/pid", (int)pid.pid);
    }

    _cleanup_(borrowed_list_done) struct borrowed_list borrowed = { 0 };
    if (volumes_from_collect(unit, &borrowed, err) < 0)
        return -1;
    input.borrowed = borrowed.v.items;
    input.borrowed_count = borrowed.v.count;

    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct container_spec spec;
    int control = -1;
    pid_t monitor = 0;
    bool hooks = false;
    if (output_keep(unit, err) < 0 || translate_start(sv->layout, unit->record, &input, arena, &spec, err) < 0 ||
        cdi_apply(arena, &spec, &hooks, err) < 0 || container_start(sv->layout, &spec, unit->has_direct ? unit->direct : NULL, &control, &monitor, err) < 0)
        return -1;
    if (hooks) {
        _cleanup_free_ char *text = xasprintf("container %s: the hooks of its CDI devices are not run", unit->record->name);
        log_warning("%s", text);
        methods_warn(sv, text);
    }
    (void)loop_child(sv->loop, monitor, unit_monitor_reaped, NULL); /* frees itself */
    unit_direct_close(unit);
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
    unit->sandbox_unsure = false;
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
    bool have = unit->has_sandbox && !unit->sandbox_unsure && access(unit->sandbox.netns, F_OK) == 0;
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
