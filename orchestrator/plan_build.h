/* SPDX-License-Identifier: Apache-2.0 */
/* plan_build.h - the tools reconcile_*.c and teardown.c make a plan with. Inside orchestrator/ only. */
#pragma once

#include "base/vec.h"
#include "orchestrator/graph.h"
#include "orchestrator/plan.h"
#include "orchestrator/translate.h"

#define OP_NONE ((size_t)-1)

struct plan_builder {
    struct arena *arena; /* becomes the plan's */
    const struct project *desired; /* may be NULL */
    const struct observed *observed;
    const struct plan_options *options;
    VEC(struct op) ops;
    VEC(const char *) warnings;
};

void plan_builder_init(struct plan_builder *builder, const struct project *desired, const struct observed *observed,
                       const struct plan_options *options);
void plan_builder_done(struct plan_builder *builder); /* after finish: nothing left to free */
struct plan *plan_builder_finish(struct plan_builder *builder);
/* Returns the operation's index. grace_us is taken from the options when it is 0. */
size_t plan_add(struct plan_builder *builder, struct op op);
/* op runs only after needs succeeded. OP_NONE on either side does nothing, as does a second time. */
void plan_needs(struct plan_builder *builder, size_t op, size_t needs);
void plan_warn(struct plan_builder *builder, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An operation on a container that exists. */
size_t plan_add_container(struct plan_builder *builder, enum op_kind kind, const struct observed_container *container, const char *cause);

/* options->services is empty, or names this one. */
bool plan_is_named(const struct plan_options *options, const char *service);
/* ERR_CONFIG "no such service: x"; judged by the model, or by what is there. */
int plan_check_services(const struct plan_builder *builder, struct err *err);
/* Running, paused or waiting to be restarted: there is something to stop. */
bool container_is_active(const struct observed_container *container);
/* Of `run --rm`. */
bool container_is_auto_removed(const struct container_record *record);
/* Containers of services the model does not know. */
bool container_is_orphan(const struct project *desired, const struct observed_container *container);
void plan_warn_orphans(struct plan_builder *builder);
