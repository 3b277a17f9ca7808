/* SPDX-License-Identifier: Apache-2.0 */
/* apply.c - walks the plan's graph: begins what is ready, skips what lost a predecessor, reports, ends. What an operation does is
 * in apply_ops.c and its neighbours; all of them only start something and come back through op_finish. */
#include "orchestrator/apply.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/str.h"

enum op_verdict apply_verdict(const struct plan *plan, const enum op_state *states, size_t index)
{
    const struct op *op = &plan->ops[index];
    enum op_verdict verdict = OP_VERDICT_READY;
    for (size_t i = 0; i < op->dep_count; i++) {
        enum op_state state = states[op->deps[i]];
        bool lost = state == OP_STATE_FAILED || state == OP_STATE_SKIPPED;
        if (lost && !(op->kind == OP_CONTAINER_WAIT && op->optional)) /* required: false: the wait itself only warns */
            return OP_VERDICT_SKIP;
        if (!lost && state != OP_STATE_DONE)
            verdict = OP_VERDICT_WAIT;
    }
    return verdict;
}

struct apply *apply_new(struct supervisor *sv, struct plan *plan, const struct project *model, apply_event_fn *event,
                        apply_done_fn *done, void *arg)
{
    struct apply *apply = xcalloc(1, sizeof(*apply));
    *apply = (struct apply){ .sv = sv, .plan = plan, .model = model, .event = event, .done = done, .arg = arg };
    apply->states = xcalloc(plan->count + 1, sizeof(*apply->states));
    apply->ops = xcalloc(plan->count + 1, sizeof(*apply->ops));
    for (size_t i = 0; i < plan->count; i++)
        apply->ops[i] = (struct apply_op){ .apply = apply, .op = &plan->ops[i], .index = i };
    return apply;
}

void apply_free(struct apply *apply)
{
    if (!apply)
        return;
    for (size_t i = 0; i < apply->plan->count; i++) {
        create_work_free(apply->ops[i].work);
        strv_free(apply->ops[i].volumes);
    }
    free(apply->states);
    free(apply->ops);
    plan_free(apply->plan);
    free(apply);
}

void apply_warn(struct apply *apply, const char *format, ...)
{
    char text[ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut when too long */
    va_end(args);
    struct jv *event = jv_object();
    jv_set_str(event, "type", "warning");
    jv_set_str(event, "text", text);
    apply->event(event, apply->arg);
}

void apply_progress(struct apply_op *op, const char *word, bool done, const char *detail, const struct err *error)
{
    struct jv *event = jv_object();
    jv_set_str(event, "type", "progress");
    jv_set_str(event, "resource", op_resource_text(op->op->kind));
    jv_set_str(event, "name", op->op->target);
    jv_set_str(event, "word", word);
    jv_set_bool(event, "done", done);
    jv_set_str(event, "detail", detail);
    if (error)
        jv_set_str(event, "error", error->message);
    op->apply->event(event, op->apply->arg);
}

struct unit *op_unit(const struct apply_op *op)
{
    const struct supervisor *sv = op->apply->sv;
    struct unit *unit = op->unit_id[0] ? supervisor_unit(sv, op->unit_id) : NULL;
    if (!unit && op->op->container)
        unit = supervisor_unit(sv, op->op->container);
    if (!unit && op->op->oneoff)
        return supervisor_unit_named(sv, op->op->target);
    if (!unit && op->op->service)
        unit = supervisor_replica(sv, op->op->service, op->op->number);
    return unit;
}

void op_finish(struct apply_op *op, const char *word, const struct err *error)
{
    struct apply *apply = op->apply;
    if (apply->states[op->index] != OP_STATE_RUNNING)
        return;
    apply->states[op->index] = error ? OP_STATE_FAILED : OP_STATE_DONE;
    apply->running--;
    op->look = NULL;
    if (error) {
        struct err said = *error;
        if (apply->error.code == ERR_NONE) {
            (void)err_copy(&apply->error, error);
            said.message[0] = '\0'; /* it will be the answer: not twice */
        }
        apply_progress(op, error->code == ERR_CANCELLED ? "Cancelled" : "Error", true, NULL, &said);
    } else {
        apply_progress(op, word ? word : op_done_text(op->op->kind), true, op->op->cause, NULL);
    }
    apply_pump(apply);
}

static void begin_or_skip(struct apply *apply, size_t index, enum op_verdict verdict)
{
    if (verdict == OP_VERDICT_SKIP || apply->cancelled) {
        apply->states[index] = OP_STATE_SKIPPED;
        return;
    }
    apply->states[index] = OP_STATE_RUNNING;
    apply->running++;
    struct apply_op *op = &apply->ops[index];
    if (op->op->kind != OP_CONTAINER_KEEP)
        apply_progress(op, op_working_text(op->op->kind), false, op->op->cause, NULL);
    op_begin(op);
}

static void pump_once(struct apply *apply)
{
    apply->again = false;
    for (size_t i = 0; i < apply->plan->count; i++) {
        if (apply->states[i] != OP_STATE_PENDING)
            continue;
        if (apply->parallel > 0 && apply->running >= apply->parallel)
            return; /* the end of one pumps again */
        enum op_verdict verdict = apply_verdict(apply->plan, apply->states, i);
        if (verdict != OP_VERDICT_WAIT) {
            begin_or_skip(apply, i, verdict);
            apply->again = true; /* it may have ended at once, and freed others */
        }
    }
}

static void apply_end(void *arg)
{
    struct apply *apply = arg;
    if (apply->cancelled && apply->error.code == ERR_NONE)
        (void)err_set(&apply->error, ERR_CANCELLED, "cancelled");
    apply->done(apply->error.code != ERR_NONE ? &apply->error : NULL, apply->arg);
}

void apply_pump(struct apply *apply)
{
    if (apply->pumping) {
        apply->again = true;
        return;
    }
    apply->pumping = true;
    do
        pump_once(apply);
    while (apply->again);
    apply->pumping = false;
    if (apply->running > 0 || apply->ended)
        return;
    apply->ended = true; /* dependencies point backwards, so nothing is pending any more */
    loop_soon(apply->sv->loop, apply_end, apply);
}

void apply_cancel(struct apply *apply)
{
    if (apply->cancelled || apply->ended)
        return;
    apply->cancelled = true;
    for (size_t i = 0; i < apply->plan->count; i++)
        if (apply->states[i] == OP_STATE_RUNNING)
            op_cancel(&apply->ops[i]);
    apply_pump(apply);
}

void apply_changed(struct apply *apply)
{
    for (size_t i = 0; i < apply->plan->count; i++)
        if (apply->states[i] == OP_STATE_RUNNING && apply->ops[i].look)
            apply->ops[i].look(&apply->ops[i]);
}
