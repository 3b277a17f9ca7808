/* SPDX-License-Identifier: Apache-2.0 */
/* oneoff.c - containers of `run`: who waits for the end of one, and the removal of those that are to leave nothing. The
 * removal is the supervisor's, not the caller's: it happens also when that one died. */
#include <stdio.h>

#include "base/id.h"
#include "base/str.h"
#include "orchestrator/change.h"
#include "orchestrator/methods.h"
#include "orchestrator/supervisor.h"

struct run_call {
    struct ipc_request *request;
    char id[ID_SIZE];
    char *name;
    int code; /* as last seen */
};

int oneoff_read(struct change *change, const struct jv *options, struct err *err)
{
    const struct jv *oneoff = jv_find(options, "oneoff");
    change->oneoff = (struct oneoff){
        .name = jv_get_str(oneoff, "name", NULL), /* lives in change->args */
        .auto_remove = jv_get_bool(oneoff, "rm", false),
        .aliases = jv_get_bool(oneoff, "aliases", false),
    };
    change->attached = jv_get_bool(options, "attached", false);
    change->options.oneoff = change->oneoff.name;
    if (!change->oneoff.name || !name_is_resource(change->oneoff.name))
        return err_set(err, ERR_CONFIG, "'%s' is no name for a container", change->oneoff.name ? change->oneoff.name : "");
    if (strv_len(change->services) != 1)
        return err_set(err, ERR_PROTOCOL, "run is for one service");
    return 0;
}

/* ---- waiting for the end ---- */

static void answer(struct run_call *taken)
{
    struct jv *ok = jv_object();
    jv_set_str(ok, "id", taken->id);
    jv_set_str(ok, "name", taken->name);
    jv_set_int(ok, "exit_code", taken->code);
    ipc_answer_ok(taken->request, ok);
    free(taken->name);
    free(taken);
}

static void caller_gone(struct ipc_request *request, void *arg)
{
    struct supervisor *sv = arg;
    for (size_t i = 0; i < sv->runs.count; i++)
        if (sv->runs.items[i]->request == request) {
            struct run_call *call = sv->runs.items[i];
            sv->runs.items[i] = sv->runs.items[--sv->runs.count];
            answer(call); /* nobody hears it; frees */
            break;
        }
    supervisor_check_idle(sv);
}

static void attend(struct supervisor *sv, struct ipc_request *request, const struct unit *unit)
{
    struct run_call *call = xcalloc(1, sizeof(*call));
    call->request = request;
    call->name = xstrdup(unit->record->name);
    call->code = unit->last.exit_code;
    memcpy(call->id, unit->record->id, ID_SIZE);
    VEC_ADD(&sv->runs, call);
    ipc_request_on_gone(request, caller_gone, sv);
    supervisor_changed(sv);
}

static const struct unit *unit_made(const struct change *change)
{
    const struct apply *apply = change->apply;
    for (size_t i = 0; apply && i < apply->plan->count; i++)
        if (apply->ops[i].op->oneoff && apply->ops[i].unit_id[0])
            return supervisor_unit(change->sv, apply->ops[i].unit_id);
    return NULL;
}

void oneoff_begun(struct change *change)
{
    const struct unit *unit = unit_made(change);
    struct err err = { 0 };
    if (!unit) {
        (void)err_set(&err, ERR_NOT_FOUND, "container %s was removed by another command", change->oneoff.name);
        ipc_answer_error(change->request, &err);
        return;
    }
    struct jv *event = jv_object();
    jv_set_str(event, "type", "run");
    jv_set_str(event, "id", unit->record->id);
    jv_set_str(event, "name", unit->record->name);
    if (change->attached) {
        ipc_send_event(change->request, event);
        attend(change->sv, change->request, unit);
        return;
    }
    ipc_answer_ok(change->request, event);
    supervisor_changed(change->sv);
}

void oneoff_attend(struct supervisor *sv, struct ipc_request *request, const char *id)
{
    const struct unit *unit = supervisor_unit(sv, id);
    struct err err = { 0 };
    if (unit) {
        attend(sv, request, unit);
        return;
    }
    (void)err_set(&err, ERR_NOT_FOUND, "container %.12s does not exist any more", id);
    ipc_answer_error(request, &err);
}

/* ---- the end ---- */

static bool is_auto_removed(const struct unit *unit)
{
    return unit->record->oneoff && jv_get_bool(unit->record->service_data, "auto_remove", false);
}

/* Gone, or ended and staying. */
static bool is_over(const struct supervisor *sv, struct run_call *call)
{
    const struct unit *unit = supervisor_unit(sv, call->id);
    if (unit)
        call->code = unit->last.exit_code;
    return !unit || (unit_is_at_rest(unit) && !is_auto_removed(unit));
}

void oneoff_look(struct supervisor *sv)
{
    bool sweep = false;
    for (size_t i = 0; i < sv->runs.count; i++)
        if (is_over(sv, sv->runs.items[i])) {
            struct run_call *call = sv->runs.items[i];
            sv->runs.items[i--] = sv->runs.items[--sv->runs.count];
            answer(call);
        }
    for (size_t i = 0; i < sv->units.count; i++)
        sweep |= is_auto_removed(sv->units.items[i]) && unit_is_at_rest(sv->units.items[i]);
    if (sweep && !(sv->current && sv->current->verb->is_run)) /* it may just be making one */
        methods_sweep(sv);
}

bool oneoff_waits(const struct supervisor *sv)
{
    return sv->runs.count > 0;
}

void oneoff_free(struct supervisor *sv)
{
    for (size_t i = 0; i < sv->runs.count; i++) { /* their requests end with the server's connections */
        free(sv->runs.items[i]->name);
        free(sv->runs.items[i]);
    }
    VEC_DONE(&sv->runs);
}
