/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as a value: building, freeing, showing as text and JSON. What belongs into it is decided in reconcile_*.c
 * and teardown.c. */
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "orchestrator/plan_build.h"

static const struct { const char *text, *resource, *working, *done; } kinds[] = {
#define X(id, text, resource, working, done) [OP_##id] = { text, resource, working, done },
    OP_KINDS(X)
#undef X
};
_Static_assert(ARRAY_LEN(kinds) == OP_KIND_COUNT_, "every kind has its words");

const char *op_kind_text(enum op_kind kind)
{
    return kinds[kind].text;
}

const char *op_resource_text(enum op_kind kind)
{
    return kinds[kind].resource;
}

const char *op_working_text(enum op_kind kind)
{
    return kinds[kind].working;
}

const char *op_done_text(enum op_kind kind)
{
    return kinds[kind].done;
}

/* ---- building ---- */

void plan_builder_init(struct plan_builder *builder, const struct project *desired, const struct observed *observed,
                       const struct plan_options *options)
{
    *builder = (struct plan_builder){ .arena = arena_new(), .desired = desired, .observed = observed, .options = options };
}

void plan_builder_done(struct plan_builder *builder)
{
    VEC_DONE(&builder->ops);
    VEC_DONE(&builder->warnings);
    arena_free(builder->arena);
    builder->arena = NULL;
}

struct plan *plan_builder_finish(struct plan_builder *builder)
{
    struct plan *plan = xcalloc(1, sizeof(*plan));
    *plan = (struct plan){
        .arena = builder->arena,
        .ops = builder->ops.items,
        .count = builder->ops.count,
        .warnings = builder->warnings.items,
        .warning_count = builder->warnings.count,
    };
    *builder = (struct plan_builder){ 0 };
    return plan;
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    free(plan->ops);
    free(plan->warnings);
    arena_free(plan->arena);
    free(plan);
}

size_t plan_add(struct plan_builder *builder, struct op op)
{
    struct arena *arena = builder->arena;
    op.target = arena_strdup(arena, op.target);
    op.cause = arena_strdup(arena, op.cause);
    op.service = arena_strdup(arena, op.service);
    op.container = arena_strdup(arena, op.container);
    op.key = arena_strdup(arena, op.key);
    op.waiter = arena_strdup(arena, op.waiter);
    op.pos.file = arena_strdup(arena, op.pos.file);
    if (op.grace_us == 0)
        op.grace_us = builder->options->timeout_us;
    VEC_ADD(&builder->ops, op);
    return builder->ops.count - 1;
}

void plan_needs(struct plan_builder *builder, size_t op, size_t needs)
{
    if (op == OP_NONE || needs == OP_NONE || op == needs)
        return;
    struct op *to = &builder->ops.items[op];
    for (size_t i = 0; i < to->dep_count; i++)
        if (to->deps[i] == needs)
            return;
    /* grows by copying in the arena, in powers of two */
    size_t *deps = (size_t *)to->deps;
    if ((to->dep_count & (to->dep_count - 1)) == 0) {
        deps = arena_alloc(builder->arena, (to->dep_count ? to->dep_count * 2 : 1) * sizeof(*deps));
        if (to->dep_count)
            memcpy(deps, to->deps, to->dep_count * sizeof(*deps));
    }
    deps[to->dep_count++] = needs;
    to->deps = deps;
}

void plan_warn(struct plan_builder *builder, const char *format, ...)
{
    va_list list;
    char *text = NULL;
    va_start(list, format);
    int size = vasprintf(&text, format, list);
    va_end(list);
    if (size < 0)
        abort(); /* out of memory */
    VEC_ADD(&builder->warnings, arena_strdup(builder->arena, text));
    free(text);
}

size_t plan_add_container(struct plan_builder *builder, enum op_kind kind, const struct observed_container *container, const char *cause)
{
    const struct container_record *record = container->record;
    return plan_add(builder, (struct op){
        .kind = kind, .target = record->name, .cause = cause, .service = record->service, .number = record->number,
        .container = record->id, .signo = kind == OP_CONTAINER_KILL ? builder->options->signo : 0 });
}

/* ---- questions about services and containers ---- */

bool plan_is_named(const struct plan_options *options, const char *service)
{
    if (!options->services || !options->services[0])
        return true;
    for (size_t i = 0; options->services[i]; i++)
        if (str_eq(options->services[i], service))
            return true;
    return false;
}

static bool service_is_known(const struct plan_builder *builder, const char *name)
{
    const struct project *desired = builder->desired;
    if (desired) {
        for (size_t i = 0; i < desired->disabled.count; i++)
            if (str_eq(desired->disabled.items[i].name, name))
                return true;
        return project_service(desired, name) != NULL;
    }
    for (size_t i = 0; i < builder->observed->container_count; i++)
        if (str_eq(builder->observed->containers[i].record->service, name))
            return true;
    return false;
}

int plan_check_services(const struct plan_builder *builder, struct err *err)
{
    const char *const *services = builder->options->services;
    for (size_t i = 0; services && services[i]; i++)
        if (!service_is_known(builder, services[i]))
            return err_set(err, ERR_CONFIG, "no such service: %s", services[i]);
    return 0;
}

bool container_is_active(const struct observed_container *container)
{
    enum container_state state = observed_state(container);
    return state == STATE_RUNNING || state == STATE_PAUSED || state == STATE_RESTARTING;
}

bool container_is_auto_removed(const struct container_record *record)
{
    return record->oneoff && jv_get_bool(record->service_data, "auto_remove", false);
}

bool container_is_orphan(const struct project *desired, const struct observed_container *container)
{
    const char *service = container->record->service;
    if (!desired || container->record->oneoff)
        return false;
    for (size_t i = 0; i < desired->disabled.count; i++)
        if (str_eq(desired->disabled.items[i].name, service))
            return false;
    return !service || !project_service(desired, service);
}

void plan_warn_orphans(struct plan_builder *builder)
{
    _cleanup_str_ struct str names = { 0 };
    for (size_t i = 0; i < builder->observed->container_count; i++) {
        const struct observed_container *container = &builder->observed->containers[i];
        if (container_is_orphan(builder->desired, container))
            str_addf(&names, "%s%s", names.size ? " " : "", container->record->name);
    }
    if (names.size && !builder->options->ignore_orphans)
        plan_warn(builder,
                  "Found orphan containers ([%s]) for this project. If you removed or renamed this service in your compose file, "
                  "you can run this command with the --remove-orphans flag to clean it up.",
                  str_text(&names));
}

/* ---- showing ---- */

static const char *op_detail(const struct op *op, char *buffer, size_t size)
{
    if (op->kind != OP_CONTAINER_WAIT)
        return op->cause ? op->cause : "";
    (void)snprintf(buffer, size, "%s, for %s%s", depends_condition_text(op->condition), op->waiter ? op->waiter : "",
                   op->optional ? " (not required)" : "");
    return buffer;
}

char *plan_text(const struct plan *plan)
{
    struct str text = { 0 };
    size_t kind_width = 0, target_width = 0, detail_width = 0;
    char buffer[512];
    for (size_t i = 0; i < plan->count; i++) {
        kind_width = MAX(kind_width, strlen(op_kind_text(plan->ops[i].kind)));
        target_width = MAX(target_width, strlen(plan->ops[i].target));
        detail_width = MAX(detail_width, strlen(op_detail(&plan->ops[i], buffer, sizeof(buffer))));
    }
    for (size_t i = 0; i < plan->count; i++) {
        const struct op *op = &plan->ops[i];
        _cleanup_str_ struct str line = { 0 };
        str_addf(&line, "%3zu  %-*s  %-*s  %-*s", i + 1, (int)kind_width, op_kind_text(op->kind), (int)target_width, op->target,
                 (int)detail_width, op_detail(op, buffer, sizeof(buffer)));
        for (size_t j = 0; j < op->dep_count; j++)
            str_addf(&line, "%s%zu", j ? " " : "  after ", op->deps[j] + 1);
        while (line.size && line.data[line.size - 1] == ' ')
            line.data[--line.size] = '\0';
        str_addf(&text, "%s\n", str_text(&line));
    }
    for (size_t i = 0; i < plan->warning_count; i++)
        str_addf(&text, "warning: %s\n", plan->warnings[i]);
    return str_take(&text);
}

static struct jv *op_to_json(const struct op *op, size_t index)
{
    struct jv *value = jv_object(), *deps = jv_array();
    jv_set_int(value, "id", (int64_t)index + 1);
    jv_set_str(value, "kind", op_kind_text(op->kind));
    jv_set_str(value, "resource", op_resource_text(op->kind));
    jv_set_str(value, "target", op->target);
    jv_set_str(value, "cause", op->cause);
    jv_set_str(value, "service", op->service);
    if (op->number)
        jv_set_int(value, "number", op->number);
    jv_set_str(value, "container", op->container);
    if (op->kind == OP_CONTAINER_WAIT) {
        jv_set_str(value, "condition", depends_condition_text(op->condition));
        jv_set_str(value, "waiter", op->waiter);
        jv_set_bool(value, "required", !op->optional);
    }
    if (op->pos.file) {
        jv_set_str(value, "file", op->pos.file);
        jv_set_int(value, "line", op->pos.line);
        jv_set_int(value, "column", op->pos.column);
    }
    for (size_t i = 0; i < op->dep_count; i++)
        jv_add(deps, jv_int((int64_t)op->deps[i] + 1));
    jv_set(value, "after", deps);
    return value;
}

struct jv *plan_to_json(const struct plan *plan)
{
    struct jv *value = jv_object(), *ops = jv_array(), *warnings = jv_array();
    for (size_t i = 0; i < plan->count; i++)
        jv_add(ops, op_to_json(&plan->ops[i], i));
    for (size_t i = 0; i < plan->warning_count; i++)
        jv_add(warnings, jv_string(plan->warnings[i]));
    jv_set(value, "operations", ops);
    jv_set(value, "warnings", warnings);
    return value;
}
