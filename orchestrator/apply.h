/* SPDX-License-Identifier: Apache-2.0 */
/* apply.h - runs a plan inside the supervisor: every operation whose predecessors succeeded, all at once.
 *
 * A failed operation stops what depends on it, everything else is finished; the first failure is the result. */
#pragma once

#include "base/id.h"
#include "orchestrator/plan.h"
#include "orchestrator/supervisor.h"

enum op_state { OP_STATE_PENDING, OP_STATE_RUNNING, OP_STATE_DONE, OP_STATE_FAILED, OP_STATE_SKIPPED };
enum op_verdict { OP_VERDICT_WAIT, OP_VERDICT_READY, OP_VERDICT_SKIP };
/* What may be done with a pending operation. Pure. */
enum op_verdict apply_verdict(const struct plan *plan, const enum op_state *states, size_t index);

struct apply_op;
struct create_work;
struct removal;

typedef void apply_event_fn(struct jv *event_taken, void *arg);
/* error NULL: all done. The apply is freed by its owner, later than this call. */
typedef void apply_done_fn(const struct err *error, void *arg);

struct apply_op {
    struct apply *apply;
    const struct op *op;
    size_t index;
    char unit_id[ID_SIZE];             /* the container it works on; "" none */
    void (*look)(struct apply_op *op); /* called after any change of state while it runs; may be NULL */
    int step;
    unsigned serial;                   /* of the unit's run that is to end */
    struct child *child;
    struct removal *removal;
    struct err error; /* of a start that is being undone */
    char **volumes;   /* the anonymous ones that go with it */
    struct create_work *work;
};

struct apply {
    struct supervisor *sv;
    struct plan *plan;             /* owned */
    const struct project *model;   /* borrowed; may be NULL for down, stop … */
    bool renew_anon_volumes, strict;
    const struct oneoff *oneoff;   /* borrowed; of `run` */
    bool going_down;               /* the project's intent says so: no intent of single containers is written */
    bool cancelled, pumping, again, ended;
    enum op_state *states;
    struct apply_op *ops;
    size_t running, parallel;      /* operations at once, and how many may be; 0: no limit */
    struct err error; /* the first */
    apply_event_fn *event;
    apply_done_fn *done;
    void *arg;
};

/* Takes the plan. Nothing runs before apply_pump. */
struct apply *apply_new(struct supervisor *sv, struct plan *plan, const struct project *model, apply_event_fn *event,
                        apply_done_fn *done, void *arg);
void apply_free(struct apply *apply);
void apply_pump(struct apply *apply);
/* No further operation is begun, waits end; what is being made is finished. */
void apply_cancel(struct apply *apply);
void apply_changed(struct apply *apply); /* units changed: running operations look again */

void apply_warn(struct apply *apply, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* word NULL: the kind's own. */
void apply_progress(struct apply_op *op, const char *word, bool done, const char *detail, const struct err *error);
/* The end of an operation; error NULL: success. */
void op_finish(struct apply_op *op, const char *word, const struct err *error);
struct unit *op_unit(const struct apply_op *op); /* unit_id, else by container, else by service and number; or NULL */

/* apply_ops.c */
void op_begin(struct apply_op *op);
void op_cancel(struct apply_op *op);
/* apply_create.c */
void op_create(struct apply_op *op);
void op_recreate(struct apply_op *op);
void create_work_free(struct create_work *work);
/* Another operation has filled a volume this one waits for. */
void op_create_again(struct apply_op *op);
/* apply_container.c */
void op_start(struct apply_op *op);
void op_stop(struct apply_op *op);
void op_kill(struct apply_op *op);
void op_freeze(struct apply_op *op); /* pause and unpause */
void op_restart(struct apply_op *op);
void op_hook(struct apply_op *op);
void op_remove(struct apply_op *op);
/* Stops unit, removes it with its sandbox; then calls next(op) with it gone. Failure finishes the operation. */
void op_remove_unit(struct apply_op *op, struct unit *unit, void (*next)(struct apply_op *op));
/* apply_wait.c */
void op_wait(struct apply_op *op);
/* Condition × unit → 1 met, 0 not yet, -1 failed (*err). Pure but for reading the unit. */
int unit_condition(const struct unit *unit, enum depends_condition condition, struct err *err);
