/* SPDX-License-Identifier: Apache-2.0 */
/* `up`: the fates of containers → operations. Three phases: what goes (orphans, surplus), what is made (old ones stop in
 * reverse order of dependency), what starts (in order, with a wait for each condition). */
#include "orchestrator/reconcile.h"

/* ---- what goes ---- */

static size_t emit_removal(struct up *up, const struct observed_container *container, const char *cause)
{
    size_t stop = OP_NONE;
    if (container_is_active(container))
        stop = plan_add_container(up->builder, OP_CONTAINER_STOP, container, cause);
    size_t remove = plan_add_container(up->builder, OP_CONTAINER_REMOVE, container, cause);
    plan_needs(up->builder, remove, stop);
    return remove;
}

void up_emit_removals(struct up *up)
{
    struct plan_builder *builder = up->builder;
    const struct observed *observed = builder->observed;
    for (size_t i = 0; builder->options->remove_orphans && i < observed->container_count; i++)
        if (container_is_orphan(builder->desired, &observed->containers[i]))
            up->removals[up->removal_count++] = emit_removal(up, &observed->containers[i], "not in the file any more");
    for (size_t i = 0; i < builder->desired->services.count; i++) {
        const struct up_service *service = &up->services[i];
        const char *cause = arena_printf(builder->arena, "scaled to %lld", (long long)service->scale);
        for (size_t j = 0; j < service->surplus_count; j++)
            emit_removal(up, service->surplus[j], cause);
    }
}

/* ---- what is made ---- */

static void needs_resources(struct up *up, const struct up_service *service, size_t op)
{
    const struct project *desired = up->builder->desired;
    plan_needs(up->builder, op, service->op_image);
    for (size_t i = 0; i < service->service->networks.count && !service->service->network_mode; i++)
        for (size_t j = 0; j < desired->networks.count; j++)
            if (str_eq(desired->networks.items[j].key, service->service->networks.items[i].network))
                plan_needs(up->builder, op, up->networks[j].op);
    for (size_t i = 0; i < service->service->volumes.count; i++)
        for (size_t j = 0; j < desired->volumes.count; j++)
            if (service->service->volumes.items[i].type == SERVICE_VOLUME_VOLUME &&
                str_eq(desired->volumes.items[j].key, service->service->volumes.items[i].source))
                plan_needs(up->builder, op, up->volumes[j].op);
    if (service->service->container_name) /* the name may be taken by one that goes */
        for (size_t i = 0; i < up->removal_count; i++)
            plan_needs(up->builder, op, up->removals[i]);
}

static void emit_make(struct up *up, const struct up_service *service, struct up_container *container)
{
    container->op_made = plan_add(up->builder, (struct op){
        .kind = container->fate == FATE_RECREATE ? OP_CONTAINER_RECREATE : OP_CONTAINER_CREATE,
        .target = container->name, .cause = container->cause, .service = service->service->name, .number = container->number,
        .container = container->observed ? container->observed->record->id : NULL, .pos = service->service->pos,
        .oneoff = up->builder->options->oneoff && service->named });
    container->op_ready = container->op_made;
    needs_resources(up, service, container->op_made);
}

/* The old container of a dependency goes after those of its dependents. */
static void needs_dependents(struct up *up, size_t node, size_t op)
{
    for (size_t i = 0; i < up->graph->count; i++) {
        for (size_t j = 0; j < up->graph->nodes[i].edge_count; j++) {
            const struct up_service *dependent = &up->services[i];
            if (up->graph->nodes[i].edges[j].to != node || !dependent->selected)
                continue;
            for (size_t k = 0; k < dependent->count; k++)
                if (dependent->containers[k].fate == FATE_RECREATE)
                    plan_needs(up->builder, op, dependent->containers[k].op_made);
        }
    }
}

void up_emit_makes(struct up *up)
{
    size_t count = up->builder->desired->services.count;
    for (size_t i = count; i-- > 0;) {
        size_t node = up->order[i];
        struct up_service *service = &up->services[node];
        for (size_t j = 0; j < service->count; j++) {
            if (service->containers[j].fate != FATE_RECREATE)
                continue;
            emit_make(up, service, &service->containers[j]);
            needs_dependents(up, node, service->containers[j].op_made);
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct up_service *service = &up->services[up->order[i]];
        for (size_t j = 0; j < service->count; j++)
            if (service->containers[j].fate == FATE_CREATE)
                emit_make(up, service, &service->containers[j]);
    }
}

/* ---- what starts ---- */

/* The operations after which a service's conditions hold: shared by its replicas. */
struct gates {
    VEC(size_t) ops;
};

static void gates_of_edge(struct up *up, const struct up_service *service, const struct depends_on *depends, struct gates *gates)
{
    size_t index = graph_find(up->graph, depends->service);
    if (index == OP_NONE || !up->services[index].selected)
        return;
    const struct up_service *other = &up->services[index];
    for (size_t i = 0; i < other->count; i++) {
        const struct up_container *container = &other->containers[i];
        if (depends->condition == DEPENDS_STARTED && (depends->required || container->op_ready == OP_NONE)) {
            if (container->op_ready != OP_NONE)
                VEC_ADD(&gates->ops, container->op_ready);
            continue;
        }
        size_t wait = plan_add(up->builder, (struct op){
            .kind = OP_CONTAINER_WAIT, .target = container->name, .service = other->service->name, .number = container->number,
            .container = container->fate == FATE_RECREATE || !container->observed ? NULL : container->observed->record->id,
            .condition = depends->condition, .waiter = service->service->name, .optional = !depends->required, .pos = depends->pos });
        plan_needs(up->builder, wait, container->op_ready);
        VEC_ADD(&gates->ops, wait);
    }
}

static bool frees_port(const struct observed_container *container, const struct service *service)
{
    const struct jv *ports = jv_find(jv_find(container->record->service_data, "sandbox"), "ports");
    for (size_t i = 0; i < jv_count(ports); i++) {
        int64_t first = jv_get_int(jv_at(ports, i), "host_first", 0), last = jv_get_int(jv_at(ports, i), "host_last", first);
        for (size_t j = 0; first > 0 && j < service->ports.count; j++)
            if (service->ports.items[j].published_first <= MAX(first, last) && service->ports.items[j].published_last >= first)
                return true;
    }
    return false;
}

/* A container that is replaced may hold a port that this one shall have. */
static void needs_ports(struct up *up, const struct up_service *service, size_t op)
{
    for (size_t i = 0; service->service->ports.count && i < up->builder->desired->services.count; i++)
        for (size_t j = 0; j < up->services[i].count; j++)
            if (up->services[i].containers[j].fate == FATE_RECREATE && frees_port(up->services[i].containers[j].observed, service->service))
                plan_needs(up->builder, op, up->services[i].containers[j].op_made);
}

static void emit_start(struct up *up, const struct up_service *service, struct up_container *container, const struct gates *gates)
{
    struct plan_builder *builder = up->builder;
    const struct op op = {
        .kind = container->fate == FATE_RESTART ? OP_CONTAINER_RESTART : OP_CONTAINER_START,
        .target = container->name, .cause = container->cause, .service = service->service->name, .number = container->number,
        .container = container->observed && container->fate != FATE_RECREATE ? container->observed->record->id : NULL,
        .pos = service->service->pos,
        .oneoff = builder->options->oneoff && service->named,
    };
    size_t start = plan_add(builder, op);
    plan_needs(builder, start, container->op_made);
    for (size_t i = 0; i < gates->ops.count; i++)
        plan_needs(builder, start, gates->ops.items[i]);
    for (size_t i = 0; i < up->removal_count; i++)
        plan_needs(builder, start, up->removals[i]);
    if (container->fate == FATE_START) /* its network may just have been made again */
        needs_resources(up, service, start);
    needs_ports(up, service, start);
    container->op_ready = start;
}

static void emit_service(struct up *up, struct up_service *service)
{
    struct gates gates = { 0 };
    bool starts = false;
    for (size_t i = 0; i < service->count; i++)
        starts |= service->containers[i].fate != FATE_KEEP;
    for (size_t i = 0; starts && !up->builder->options->no_start && i < service->service->depends_on.count; i++)
        gates_of_edge(up, service, &service->service->depends_on.items[i], &gates);
    for (size_t i = 0; i < service->count; i++) {
        struct up_container *container = &service->containers[i];
        if (container->fate == FATE_KEEP)
            plan_add_container(up->builder, OP_CONTAINER_KEEP, container->observed, container->cause);
        else if (!up->builder->options->no_start)
            emit_start(up, service, container, &gates);
    }
    VEC_DONE(&gates.ops);
}

void up_emit_starts(struct up *up)
{
    for (size_t i = 0; i < up->builder->desired->services.count; i++) {
        struct up_service *service = &up->services[up->order[i]];
        if (service->selected)
            emit_service(up, service);
    }
}
