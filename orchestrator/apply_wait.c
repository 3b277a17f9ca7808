/* SPDX-License-Identifier: Apache-2.0 */
/* apply_wait.c - conditions of depends_on: looks at a unit whenever something changed, never by time. */
#include <stdio.h>

#include "base/str.h"
#include "orchestrator/apply.h"

static int exited_err(const struct unit *unit, struct err *err)
{
    if (unit->start_error.code != ERR_NONE)
        return err_set(err, ERR_FAILED, "dependency failed to start: container %s: %s", unit->record->name,
                       unit->start_error.message);
    return err_set(err, ERR_FAILED, "dependency failed to start: container %s exited (%d)", unit->record->name,
                   unit->last.exit_code);
}

static int healthy(const struct unit *unit, struct err *err)
{
    if (!unit->runtime.health.set)
        return err_set(err, ERR_FAILED, "dependency failed to start: container %s has no healthcheck configured",
                       unit->record->name);
    if (unit_is_at_rest(unit))
        return exited_err(unit, err);
    if (unit->state != INSTANCE_RUNNING)
        return 0;
    if (unit->health.state == HEALTH_UNHEALTHY) {
        size_t size = strlen(unit->supervise.last_output);
        while (size > 0 && strchr(" \t\r\n", unit->supervise.last_output[size - 1]))
            size--;
        _cleanup_free_ char *trimmed = xstrndup(unit->supervise.last_output, size);
        _cleanup_free_ char *output = str_printable(trimmed);
        return err_set(err, ERR_FAILED, "dependency failed to start: container %s is unhealthy: last probe (exit %d): %.400s",
                       unit->record->name, unit->supervise.last_probe_code, size ? output : "no output");
    }
    return unit->health.state == HEALTH_HEALTHY;
}

static int completed(const struct unit *unit, struct err *err)
{
    if (!unit_is_at_rest(unit))
        return 0;
    if (unit->start_error.code != ERR_NONE)
        return exited_err(unit, err);
    if (unit->last.state == STATE_CREATED) /* and nothing is under way to start it */
        return err_set(err, ERR_FAILED, "dependency failed to start: container %s has not run", unit->record->name);
    if (unit->last.exit_code != 0)
        return err_set(err, ERR_FAILED, "service \"%s\" didn't complete successfully: exit %d", unit->record->service,
                       unit->last.exit_code);
    return 1;
}

int unit_condition(const struct unit *unit, enum depends_condition condition, struct err *err)
{
    switch (condition) {
    case DEPENDS_HEALTHY:
        return healthy(unit, err);
    case DEPENDS_COMPLETED:
        return completed(unit, err);
    case DEPENDS_STARTED:
        break;
    }
    if (unit->start_error.code != ERR_NONE && unit_is_at_rest(unit))
        return exited_err(unit, err);
    return unit->state == INSTANCE_RUNNING || unit->last.started_ns > 0; /* started counts, also when it ended since */
}

static const char *const met_words[] = {
    [DEPENDS_STARTED] = "Started", [DEPENDS_HEALTHY] = "Healthy", [DEPENDS_COMPLETED] = "Exited",
};

static void wait_look(struct apply_op *op)
{
    const struct op *plan_op = op->op;
    struct err err = { 0 };
    struct unit *unit = op_unit(op);
    int met = unit ? unit_condition(unit, plan_op->condition, &err)
                   : err_set(&err, ERR_FAILED, "dependency failed to start: container %s does not exist", plan_op->target);
    if (met == 0)
        return;
    if (met > 0) {
        op_finish(op, met_words[plan_op->condition], NULL);
        return;
    }
    if (plan_op->waiter)
        (void)err_wrap(&err, "service '%s' waits for '%s' (%s)", plan_op->waiter, plan_op->service,
                       depends_condition_text(plan_op->condition));
    if (plan_op->optional) {
        apply_warn(op->apply, "optional dependency: %s", err.message);
        op_finish(op, "Skipped", NULL);
        return;
    }
    op_finish(op, NULL, &err);
}

void op_wait(struct apply_op *op)
{
    op->look = wait_look;
    wait_look(op);
}
