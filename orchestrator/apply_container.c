/* SPDX-License-Identifier: Apache-2.0 */
/* apply_container.c - operations on containers that exist. Each tells its unit what is wanted and then looks at it after every
 * change, until it is so or cannot become so. */
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "orchestrator/apply.h"

enum { STEP_HOOK, STEP_STOP, STEP_START, STEP_AFTER };

static void fail(struct apply_op *op, struct err *err)
{
    op_finish(op, NULL, err);
}

static bool have_unit(struct apply_op *op, struct unit **ret_unit)
{
    struct err err = { 0 };
    *ret_unit = op_unit(op);
    if (*ret_unit) {
        memcpy(op->unit_id, (*ret_unit)->record->id, ID_SIZE);
        return true;
    }
    (void)err_set(&err, ERR_NOT_FOUND, "container %s does not exist", op->op->target);
    fail(op, &err);
    return false;
}

/* What should be is on disk before it is done; a project on its way down has said so once for all. */
static int intend(struct apply_op *op, struct unit *unit, bool want_running, struct err *err)
{
    if (op->apply->going_down || unit->record->want_running == want_running)
        return 0;
    unit->record->want_running = want_running;
    return unit_save(unit, err);
}

/* What ends is ended also where the wish cannot be kept, on a full disk for one: ending may be what makes room. */
static void intend_end(struct apply_op *op, struct unit *unit)
{
    struct err err = { 0 };
    if (intend(op, unit, false, &err) < 0)
        apply_warn(op->apply, "container %s: %s; a boot may start it again", unit->record->name, err.message);
}

/* ---- start ---- */
static void started(const struct err *error, void *arg)
{
    struct apply_op *op = arg;
    struct err err = { 0 };
    if (error) {
        (void)err_copy(&err, error);
        (void)err_wrap(&err, "container %s", op->op->target);
    }
    op_finish(op, NULL, error ? &err : NULL);
}

/* A container that this very plan made and that never ran goes again with its failed start: nothing half made is left. */
static bool made_here(const struct apply_op *op, const struct unit *unit)
{
    const struct apply *apply = op->apply;
    for (size_t i = 0; i < apply->plan->count; i++)
        if (apply->ops[i].op->kind == OP_CONTAINER_CREATE && strcmp(apply->ops[i].unit_id, unit->record->id) == 0)
            return !unit->supervise.started_once;
    return false;
}

static void start_undone(struct apply_op *op)
{
    for (size_t i = 0; op->volumes && op->volumes[i]; i++) {
        struct err err = { 0 };
        if (volume_remove(op->apply->sv->layout, op->volumes[i], &err) < 0 && err.code != ERR_NOT_FOUND)
            log_warning("%s", err.message);
    }
    fail(op, &op->error);
}

static void start_failed(struct apply_op *op, struct unit *unit)
{
    struct err ignored = { 0 };
    (void)err_copy(&op->error, &unit->start_error);
    (void)err_wrap(&op->error, "container %s", unit->record->name);
    if (!made_here(op, unit)) {
        (void)intend(op, unit, false, &ignored); /* the start's own error is the one to tell */
        fail(op, &op->error);
        return;
    }
    for (size_t i = 0; i < unit->runtime.volume_count; i++)
        if (unit->runtime.volumes[i].anonymous)
            op->volumes = strv_add(op->volumes, unit->runtime.volumes[i].name);
    op_remove_unit(op, unit, start_undone);
}

static void start_look(struct apply_op *op)
{
    struct unit *unit = op_unit(op);
    struct err err = { 0 };
    if (!unit || unit->state == INSTANCE_STARTING || unit->state == INSTANCE_STOPPING)
        return;
    op->look = NULL;
    if (unit->start_error.code != ERR_NONE && unit->state != INSTANCE_RUNNING) {
        start_failed(op, unit);
        return;
    }
    if (unit->record->network && container_network_save(unit->sv->layout, unit->record, &err) < 0) /* for ps and a new supervisor */
        log_warning("container=%s %s", unit->record->name, err.message);
    if (unit->state == INSTANCE_RUNNING)
        hooks_run(unit, true, started, op);
    else
        op_finish(op, NULL, NULL); /* it ran, and ended already */
}

static void start_begin(struct apply_op *op, struct unit *unit)
{
    struct err err = { 0 };
    if (intend(op, unit, true, &err) < 0) {
        fail(op, &err);
        return;
    }
    if (unit->state == INSTANCE_RUNNING) {
        op_finish(op, NULL, NULL);
        return;
    }
    op->look = start_look;
    unit_start(unit);
}

void op_start(struct apply_op *op)
{
    struct unit *unit;
    if (have_unit(op, &unit))
        start_begin(op, unit);
}

/* ---- stop ---- */
static void stop_look(struct apply_op *op)
{
    struct unit *unit = op_unit(op);
    struct err err = { 0 };
    if (unit && unit->state == INSTANCE_STOPPING && unit->unkillable) {
        op->look = NULL;
        (void)err_set(&err, ERR_TIMEOUT, "container %s does not end, even after SIGKILL", unit->record->name);
        fail(op, &err);
        return;
    }
    /* a kill runs beside other commands: one of them may have started it again before anybody looked */
    bool is_over = op->step == STEP_STOP && unit && (unit->serial != op->serial || !str_eq(unit->record->id, op->unit_id));
    if (unit && !is_over && !unit_is_at_rest(unit))
        return;
    op->look = NULL;
    if (is_over) {
        op_finish(op, NULL, NULL);
        return;
    }
    if (unit)
        unit->keep_sandbox = false;
    if (unit && op->step == STEP_START)
        start_begin(op, unit);
    else
        op_finish(op, NULL, NULL);
}

static int64_t grace_of(const struct apply_op *op, const struct unit *unit)
{
    return op->op->grace_us >= 0 ? op->op->grace_us : unit->runtime.stop_grace_us;
}

static void stop_now(const struct err *error, void *arg)
{
    struct apply_op *op = arg;
    struct unit *unit = op_unit(op);
    if (error)
        apply_warn(op->apply, "container %s: %s", op->op->target, error->message);
    op->serial = unit ? unit->serial : 0;
    if (unit && !unit_is_at_rest(unit) && unit->state != INSTANCE_STOPPING)
        unit_stop(unit, grace_of(op, unit));
    op->look = stop_look;
    stop_look(op);
}

static void stop_begin(struct apply_op *op, struct unit *unit, bool keep_intent)
{
    if (!keep_intent)
        intend_end(op, unit);
    if (unit->state == INSTANCE_RUNNING && unit->runtime.pre_stop_count > 0)
        hooks_run(unit, false, stop_now, op);
    else
        stop_now(NULL, op);
}

void op_stop(struct apply_op *op)
{
    struct unit *unit;
    op->step = STEP_STOP;
    if (have_unit(op, &unit))
        stop_begin(op, unit, false);
}

void op_restart(struct apply_op *op)
{
    struct unit *unit;
    op->step = STEP_START; /* after the stop */
    if (!have_unit(op, &unit))
        return;
    unit->keep_sandbox = true; /* the address stays */
    stop_begin(op, unit, true);
}

void op_kill(struct apply_op *op)
{
    struct unit *unit;
    struct err err = { 0 };
    int signo = op->op->signo ? op->op->signo : SIGKILL;
    op->step = STEP_STOP;
    if (!op_unit(op)) { /* removed by a down that runs at the same time */
        op_finish(op, NULL, NULL);
        return;
    }
    if (!have_unit(op, &unit))
        return;
    supervisor_event(op->apply->sv, "kill", unit, NULL);
    op->serial = unit->serial;
    if (signo == SIGKILL)
        intend_end(op, unit);
    if (unit_signal(unit, signo, &err) < 0) {
        fail(op, &err);
        return;
    }
    if (signo != SIGKILL) {
        op_finish(op, NULL, NULL);
        return;
    }
    op->look = stop_look;
    stop_look(op);
}

static void frozen(struct unit *unit, const struct monitor_message *result _unused_, const struct err *error, void *arg)
{
    struct apply_op *op = arg;
    struct err err = { 0 };
    if (error) {
        (void)err_copy(&err, error);
        (void)err_wrap(&err, "container %s", unit->record->name);
    }
    op_finish(op, NULL, error ? &err : NULL);
}

void op_freeze(struct apply_op *op)
{
    struct unit *unit;
    struct err err = { 0 };
    if (!have_unit(op, &unit))
        return;
    if (unit_freeze(unit, op->op->kind == OP_CONTAINER_PAUSE, frozen, op, &err) < 0)
        fail(op, &err);
}

void op_hook(struct apply_op *op)
{
    struct unit *unit;
    if (have_unit(op, &unit))
        hooks_run(unit, true, started, op);
}

/* ---- remove ---- */
struct removal {
    struct apply_op *op;
    char id[ID_SIZE];
    void (*next)(struct apply_op *op);
};

static void removal_delete(struct removal *taken)
{
    _cleanup_free_ struct removal *removal = taken;
    struct apply_op *op = removal->op;
    struct supervisor *sv = op->apply->sv;
    struct unit *unit = supervisor_unit(sv, removal->id);
    struct err err = { 0 };
    if (unit) {
        /* nothing of it may outlive its record, even where we were wrong about its state */
        if (container_sweep(sv->layout, &unit->record->spec, &err) < 0 ||
            container_delete(sv->layout, removal->id, &err) < 0) {
            (void)err_wrap(&err, "remove container %s", unit->record->name);
            fail(op, &err);
            return;
        }
        sv->deleted = true;
        supervisor_event(sv, "destroy", unit, NULL);
        supervisor_remove(sv, unit);
    }
    removal->next(op);
}

static void sandbox_gone(const struct jv *ok _unused_, const struct err *error, void *arg)
{
    struct removal *removal = arg;
    if (error) /* netd sweeps sandboxes without a container when it starts: no reason to keep this one */
        apply_warn(removal->op->apply, "container %s: network: %s", removal->op->op->target, error->message);
    removal_delete(removal);
}

static void removal_look(struct apply_op *op);

static void removal_go(struct removal *removal)
{
    struct supervisor *sv = removal->op->apply->sv;
    struct unit *unit = supervisor_unit(sv, removal->id);
    if (!unit || !unit->runtime.own_network) {
        removal_delete(removal);
        return;
    }
    struct jv *args = jv_object();
    jv_set_str(args, "id", removal->id);
    netd_link_call(sv->netd, "sandbox_remove", args, sandbox_gone, removal);
}

static void removal_look(struct apply_op *op)
{
    struct removal *removal = op->removal;
    struct unit *unit = supervisor_unit(op->apply->sv, removal->id);
    struct err err = { 0 };
    if (unit && unit->state == INSTANCE_STOPPING && unit->unkillable) {
        op->look = NULL;
        free(take_ptr(&op->removal));
        (void)err_set(&err, ERR_TIMEOUT, "container %s does not end, even after SIGKILL", unit->record->name);
        fail(op, &err);
        return;
    }
    if (unit && !unit_is_at_rest(unit))
        return;
    op->look = NULL;
    removal_go(take_ptr(&op->removal));
}

void op_remove_unit(struct apply_op *op, struct unit *unit, void (*next)(struct apply_op *op))
{
    struct removal *removal = xcalloc(1, sizeof(*removal));
    removal->op = op;
    removal->next = next;
    memcpy(removal->id, unit->record->id, ID_SIZE);
    op->removal = removal;
    unit->keep_sandbox = true; /* removed, and waited for, below */
    if (!unit_is_at_rest(unit) && unit->state != INSTANCE_STOPPING)
        unit_stop(unit, grace_of(op, unit));
    op->look = removal_look;
    removal_look(op);
}

static void removed(struct apply_op *op)
{
    op_finish(op, NULL, NULL);
}

void op_remove(struct apply_op *op)
{
    struct unit *unit = op->op->container ? supervisor_unit(op->apply->sv, op->op->container) : op_unit(op);
    if (unit)
        op_remove_unit(op, unit, removed);
    else
        op_finish(op, NULL, NULL); /* gone already: what was wanted */
}
