/* SPDX-License-Identifier: Apache-2.0 */
/* `down` and the verbs on containers that exist → plan. The order comes from the model, or, without one, from what the
 * containers' own records say they depend on: dependents stop first, dependencies start first. */
#include "orchestrator/plan_build.h"

struct teardown {
    struct plan_builder *builder;
    struct graph *graph; /* nodes: the services that have containers */
    size_t *order;       /* dependencies first */
    const struct observed_container **targets; /* in the order of the nodes, then by number */
    size_t *target_nodes;
    size_t *stop_ops, *last_ops; /* for each target; OP_NONE */
    size_t count;
};

static void graph_add_records(struct graph *graph, const struct observed *observed)
{
    for (size_t i = 0; i < observed->container_count; i++) {
        const struct container_record *record = observed->containers[i].record;
        const struct jv *list = jv_find(record->service_data, "depends_on");
        for (size_t j = 0; j < jv_count(list); j++)
            graph_add(graph, record->service, jv_get_str(jv_at(list, j), "service", ""), NULL);
    }
}

static void graph_add_model(struct graph *graph, const struct project *desired)
{
    for (size_t i = 0; i < desired->services.count; i++)
        for (size_t j = 0; j < desired->services.items[i].depends_on.count; j++)
            graph_add(graph, desired->services.items[i].name, desired->services.items[i].depends_on.items[j].service,
                      &desired->services.items[i].depends_on.items[j]);
}

static size_t names_of(const struct observed *observed, const char **names)
{
    size_t count = 0;
    for (size_t i = 0; i < observed->container_count; i++) {
        const char *name = observed->containers[i].record->service;
        bool known = !name;
        for (size_t j = 0; j < count && !known; j++)
            known = str_eq(names[j], name);
        if (!known)
            names[count++] = name;
    }
    return count;
}

static void graph_make(struct teardown *teardown)
{
    struct plan_builder *builder = teardown->builder;
    const struct observed *observed = builder->observed;
    const char **names = arena_alloc(builder->arena, (observed->container_count + 1) * sizeof(*names));
    size_t count = names_of(observed, names);
    teardown->graph = graph_new(builder->arena, names, count);
    if (builder->desired)
        graph_add_model(teardown->graph, builder->desired);
    else
        graph_add_records(teardown->graph, observed);
    teardown->order = arena_alloc(builder->arena, (count + 1) * sizeof(*teardown->order));
    if (graph_order(teardown->graph, teardown->order, NULL) < 0) { /* records of different times may contradict: any order will do */
        teardown->graph = graph_new(builder->arena, names, count);
        for (size_t i = 0; i < count; i++)
            teardown->order[i] = i;
    }
}

typedef bool target_fn(const struct plan_builder *builder, const struct observed_container *container);

/* reverse: dependents first */
static void targets_make(struct teardown *teardown, target_fn *wanted, bool reverse)
{
    struct plan_builder *builder = teardown->builder;
    const struct observed *observed = builder->observed;
    size_t room = observed->container_count + 1, nodes = teardown->graph->count;
    teardown->targets = arena_alloc(builder->arena, room * sizeof(*teardown->targets));
    teardown->target_nodes = arena_alloc(builder->arena, room * sizeof(size_t));
    teardown->stop_ops = arena_alloc(builder->arena, room * sizeof(size_t));
    teardown->last_ops = arena_alloc(builder->arena, room * sizeof(size_t));
    for (size_t i = 0; i < nodes; i++) {
        size_t node = teardown->order[reverse ? nodes - 1 - i : i];
        for (size_t j = 0; j < observed->container_count; j++) {
            const struct observed_container *container = &observed->containers[j];
            if (!str_eq(container->record->service, teardown->graph->nodes[node].name) || !wanted(builder, container))
                continue;
            teardown->targets[teardown->count] = container;
            teardown->target_nodes[teardown->count] = node;
            teardown->stop_ops[teardown->count] = teardown->last_ops[teardown->count] = OP_NONE;
            teardown->count++;
        }
    }
}

/* op comes after the operations of all targets whose service depends on (dependents) or is needed by this target's */
static void needs_neighbours(struct teardown *teardown, size_t target, size_t op, bool dependents)
{
    _cleanup_free_ bool *mark = xcalloc(teardown->graph->count + 1, sizeof(*mark));
    graph_mark(teardown->graph, teardown->target_nodes[target], dependents, mark);
    for (size_t i = 0; i < target; i++)
        if (mark[teardown->target_nodes[i]] && teardown->target_nodes[i] != teardown->target_nodes[target])
            plan_needs(teardown->builder, op, teardown->stop_ops[i]);
}

/* ---- down ---- */

static bool wants_down(const struct plan_builder *builder, const struct observed_container *container)
{
    const struct plan_options *options = builder->options;
    if (container->record->oneoff && !options->remove_orphans)
        return false;
    if (container_is_orphan(builder->desired, container))
        return options->remove_orphans && (!options->services || !options->services[0]);
    return plan_is_named(options, container->record->service);
}

static void emit_down_containers(struct teardown *teardown)
{
    struct plan_builder *builder = teardown->builder;
    for (size_t i = 0; i < teardown->count; i++) {
        if (!container_is_active(teardown->targets[i]))
            continue;
        teardown->stop_ops[i] = plan_add_container(builder, OP_CONTAINER_STOP, teardown->targets[i], "down");
        needs_neighbours(teardown, i, teardown->stop_ops[i], true);
    }
    for (size_t i = 0; i < teardown->count; i++) {
        teardown->last_ops[i] = plan_add_container(builder, OP_CONTAINER_REMOVE, teardown->targets[i], "down");
        plan_needs(builder, teardown->last_ops[i], teardown->stop_ops[i]);
    }
}

static void needs_all(const struct teardown *teardown, size_t op)
{
    for (size_t i = 0; i < teardown->count; i++)
        plan_needs(teardown->builder, op, teardown->last_ops[i]);
}

static bool volume_is_external(const struct project *desired, const char *name)
{
    for (size_t i = 0; desired && i < desired->volumes.count; i++)
        if (str_eq(desired->volumes.items[i].name, name) && desired->volumes.items[i].external)
            return true;
    return false;
}

static bool is_target(const struct teardown *teardown, const struct observed_container *container)
{
    for (size_t i = 0; i < teardown->count; i++)
        if (teardown->targets[i] == container)
            return true;
    return false;
}

/* Used by a container that stays. */
static bool volume_is_held(const struct teardown *teardown, const char *name)
{
    const struct observed *observed = teardown->builder->observed;
    for (size_t i = 0; i < observed->container_count; i++) {
        if (is_target(teardown, &observed->containers[i]))
            continue;
        const struct jv *volumes = jv_find(observed->containers[i].record->service_data, "volumes");
        for (size_t j = 0; j < jv_count(volumes); j++)
            if (str_eq(jv_get_str(jv_at(volumes, j), "name", NULL), name))
                return true;
    }
    return false;
}

static void emit_down_resources(struct teardown *teardown, const char *project)
{
    struct plan_builder *builder = teardown->builder;
    const struct observed *observed = builder->observed;
    for (size_t i = 0; builder->options->volumes && i < observed->volume_count; i++) {
        const struct volume_info *volume = &observed->volumes[i];
        if (!volume->project || (project && !str_eq(volume->project, project)) || volume_is_external(builder->desired, volume->name))
            continue;
        if (volume_is_held(teardown, volume->name)) {
            plan_warn(builder, "volume %s: Resource is still in use", volume->name);
            continue;
        }
        size_t op = plan_add(builder, (struct op){ .kind = OP_VOLUME_REMOVE, .target = volume->name, .key = volume->key, .cause = "down -v" });
        needs_all(teardown, op);
    }
    for (size_t i = 0; i < observed->network_count; i++) {
        const struct network_info *network = &observed->networks[i];
        if (!network->project || (project && !str_eq(network->project, project)))
            continue;
        size_t op = plan_add(builder, (struct op){ .kind = OP_NETWORK_REMOVE, .target = network->name, .key = network->key, .cause = "down" });
        needs_all(teardown, op);
    }
}

int plan_make_down(const struct project *desired, const struct observed *observed, const struct plan_options *options,
                   struct plan **ret_plan, struct err *err)
{
    struct plan_builder builder;
    plan_builder_init(&builder, desired, observed, options);
    struct teardown teardown = { .builder = &builder };
    if (plan_check_services(&builder, err) < 0) {
        plan_builder_done(&builder);
        return -1;
    }
    graph_make(&teardown);
    targets_make(&teardown, wants_down, true);
    emit_down_containers(&teardown);
    if (!options->services || !options->services[0])
        emit_down_resources(&teardown, desired ? desired->name : NULL);
    if (!options->remove_orphans)
        plan_warn_orphans(&builder);
    *ret_plan = plan_builder_finish(&builder);
    return 0;
}

/* ---- verbs ---- */

static bool wants_active(const struct plan_builder *builder, const struct observed_container *container)
{
    return !container->record->oneoff && plan_is_named(builder->options, container->record->service) && container_is_active(container);
}

static bool wants_inactive(const struct plan_builder *builder, const struct observed_container *container)
{
    if (builder->options->auto_removed && !container_is_auto_removed(container->record))
        return false;
    return plan_is_named(builder->options, container->record->service) && !container_is_active(container);
}

/* `start` waits for dependencies that run already, so these are targets too: they only get no operation of their own. */
static bool wants_any(const struct plan_builder *builder, const struct observed_container *container)
{
    (void)builder;
    return !container->record->oneoff;
}

static void emit_stop(struct teardown *teardown)
{
    targets_make(teardown, wants_active, true);
    for (size_t i = 0; i < teardown->count; i++) {
        teardown->stop_ops[i] = plan_add_container(teardown->builder, OP_CONTAINER_STOP, teardown->targets[i], "stop");
        needs_neighbours(teardown, i, teardown->stop_ops[i], true);
    }
}

static void emit_kill(struct teardown *teardown)
{
    targets_make(teardown, wants_active, true);
    for (size_t i = 0; i < teardown->count; i++)
        plan_add_container(teardown->builder, OP_CONTAINER_KILL, teardown->targets[i], "kill");
}

static bool wants_running(const struct plan_builder *builder, const struct observed_container *container)
{
    return wants_active(builder, container) && observed_state(container) == STATE_RUNNING;
}

static bool wants_paused(const struct plan_builder *builder, const struct observed_container *container)
{
    return wants_active(builder, container) && observed_state(container) == STATE_PAUSED;
}

static void emit_freezing(struct teardown *teardown, enum op_kind verb)
{
    targets_make(teardown, verb == OP_CONTAINER_PAUSE ? wants_running : wants_paused, verb == OP_CONTAINER_PAUSE);
    for (size_t i = 0; i < teardown->count; i++)
        plan_add_container(teardown->builder, verb, teardown->targets[i], op_kind_text(verb));
}

static void emit_remove(struct teardown *teardown)
{
    struct plan_builder *builder = teardown->builder;
    targets_make(teardown, wants_inactive, true);
    for (size_t i = 0; i < teardown->count; i++)
        teardown->last_ops[i] = plan_add_container(builder, OP_CONTAINER_REMOVE, teardown->targets[i], "rm");
    for (size_t i = 0; builder->options->volumes && i < teardown->count; i++) {
        const struct jv *volumes = jv_find(teardown->targets[i]->record->service_data, "volumes");
        for (size_t j = 0; j < jv_count(volumes); j++) {
            if (!jv_get_bool(jv_at(volumes, j), "anonymous", false))
                continue;
            size_t op = plan_add(builder, (struct op){ .kind = OP_VOLUME_REMOVE, .cause = "rm -v",
                                                       .target = jv_get_str(jv_at(volumes, j), "name", "") });
            plan_needs(builder, op, teardown->last_ops[i]);
        }
    }
}

/* What a container's own record says it waits for. */
static void needs_conditions(struct teardown *teardown, size_t target, size_t op)
{
    struct plan_builder *builder = teardown->builder;
    struct service_runtime runtime = { 0 };
    const struct container_record *record = teardown->targets[target]->record;
    if (service_runtime_parse(builder->arena, record, &runtime, NULL) < 0)
        return;
    for (size_t i = 0; i < runtime.depends_count; i++) {
        for (size_t j = 0; j < teardown->count; j++) {
            const struct container_record *other = teardown->targets[j]->record;
            if (!str_eq(other->service, runtime.depends[i].service))
                continue;
            /* waits are added before the start they gate: see emit_start */
            for (size_t k = 0; k < builder->ops.count; k++) {
                const struct op *wait = &builder->ops.items[k];
                if (wait->kind == OP_CONTAINER_WAIT && str_eq(wait->container, other->id) && str_eq(wait->waiter, record->service))
                    plan_needs(builder, op, k);
            }
            if (runtime.depends[i].required && runtime.depends[i].condition == DEPENDS_STARTED)
                plan_needs(builder, op, teardown->last_ops[j]);
        }
    }
}

static bool wait_is_planned(const struct plan_builder *builder, const char *container, const char *waiter)
{
    for (size_t i = 0; i < builder->ops.count; i++) {
        const struct op *op = &builder->ops.items[i];
        if (op->kind == OP_CONTAINER_WAIT && str_eq(op->container, container) && str_eq(op->waiter, waiter))
            return true;
    }
    return false;
}

/* moved: only for what this plan itself starts. */
static void emit_waits(struct teardown *teardown, size_t target, bool moved)
{
    struct plan_builder *builder = teardown->builder;
    struct service_runtime runtime = { 0 };
    const struct container_record *record = teardown->targets[target]->record;
    if (service_runtime_parse(builder->arena, record, &runtime, NULL) < 0)
        return;
    for (size_t i = 0; i < runtime.depends_count; i++) {
        const struct runtime_depends *depends = &runtime.depends[i];
        for (size_t j = 0; j < teardown->count; j++) {
            const struct observed_container *other = teardown->targets[j];
            if (moved && teardown->last_ops[j] == OP_NONE)
                continue;
            bool comes = container_is_active(other) || teardown->last_ops[j] != OP_NONE || depends->condition == DEPENDS_COMPLETED;
            if (!str_eq(other->record->service, depends->service) || !comes || wait_is_planned(builder, other->record->id, record->service) ||
                (depends->condition == DEPENDS_STARTED && depends->required))
                continue;
            size_t wait = plan_add(builder, (struct op){
                .kind = OP_CONTAINER_WAIT, .target = other->record->name, .service = other->record->service,
                .number = other->record->number, .container = other->record->id, .condition = depends->condition,
                .waiter = record->service, .optional = !depends->required });
            plan_needs(builder, wait, teardown->last_ops[j]);
        }
    }
}

static void emit_start(struct teardown *teardown)
{
    struct plan_builder *builder = teardown->builder;
    targets_make(teardown, wants_any, false);
    for (size_t i = 0; i < teardown->count; i++) {
        const struct observed_container *container = teardown->targets[i];
        if (!plan_is_named(builder->options, container->record->service) || container_is_active(container))
            continue;
        emit_waits(teardown, i, false);
        teardown->last_ops[i] = plan_add_container(builder, OP_CONTAINER_START, container, "start");
        needs_conditions(teardown, i, teardown->last_ops[i]);
    }
}

/* Services that want to be restarted with what they depend on. */
static bool follows(const struct teardown *teardown, const struct observed_container *container)
{
    const struct plan_options *options = teardown->builder->options;
    const struct jv *list = jv_find(container->record->service_data, "depends_on");
    if (options->no_deps || !options->services || !options->services[0])
        return false;
    for (size_t i = 0; i < jv_count(list); i++)
        if (jv_get_bool(jv_at(list, i), "restart", false) && plan_is_named(options, jv_get_str(jv_at(list, i), "service", "")))
            return container_is_active(container);
    return false;
}

static void emit_restart(struct teardown *teardown)
{
    struct plan_builder *builder = teardown->builder;
    targets_make(teardown, wants_any, false);
    for (size_t i = 0; i < teardown->count; i++) {
        const struct observed_container *container = teardown->targets[i];
        bool named = plan_is_named(builder->options, container->record->service);
        if (!named && !follows(teardown, container))
            continue;
        emit_waits(teardown, i, true); /* of a dependency that is left alone, nothing new is known */
        teardown->stop_ops[i] = teardown->last_ops[i] =
            plan_add_container(builder, OP_CONTAINER_RESTART, container, named ? "restart" : "restarts with its dependency");
        needs_neighbours(teardown, i, teardown->stop_ops[i], false);
        needs_conditions(teardown, i, teardown->stop_ops[i]);
    }
}

static int emit_verb(struct teardown *teardown, enum op_kind verb, struct err *err)
{
    switch (verb) {
    case OP_CONTAINER_STOP:
        emit_stop(teardown);
        return 0;
    case OP_CONTAINER_START:
        emit_start(teardown);
        return 0;
    case OP_CONTAINER_RESTART:
        emit_restart(teardown);
        return 0;
    case OP_CONTAINER_KILL:
        emit_kill(teardown);
        return 0;
    case OP_CONTAINER_PAUSE:
    case OP_CONTAINER_UNPAUSE:
        emit_freezing(teardown, verb);
        return 0;
    case OP_CONTAINER_REMOVE:
        emit_remove(teardown);
        return 0;
    default:
        return err_set(err, ERR_INTERNAL, "'%s' is no verb", op_kind_text(verb));
    }
}

int plan_make_verb(enum op_kind verb, const struct project *desired, const struct observed *observed,
                   const struct plan_options *options, struct plan **ret_plan, struct err *err)
{
    struct plan_builder builder;
    plan_builder_init(&builder, desired, observed, options);
    struct teardown teardown = { .builder = &builder };
    if (plan_check_services(&builder, err) < 0) {
        plan_builder_done(&builder);
        return -1;
    }
    graph_make(&teardown);
    if (emit_verb(&teardown, verb, err) < 0) {
        plan_builder_done(&builder);
        return -1;
    }
    *ret_plan = plan_builder_finish(&builder);
    return 0;
}
