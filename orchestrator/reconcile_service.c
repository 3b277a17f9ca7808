/* SPDX-License-Identifier: Apache-2.0 */
/* `up`: what becomes of each container. One service at a time, dependencies first, because a container that shares a
 * namespace follows the fate of the one it shares with. Every fate but "keep" has its cause in words. */
#include "orchestrator/fingerprint.h"
#include "orchestrator/reconcile.h"

static struct up_service *service_named(struct up *up, const char *name)
{
    size_t index = graph_find(up->graph, name);
    return index == OP_NONE ? NULL : &up->services[index];
}

/* ---- namespaces of other services ---- */

static bool is_replaced(const struct up_service *service)
{
    return service->replaced;
}

static bool is_started(const struct up_service *service)
{
    for (size_t i = 0; i < service->count; i++)
        if (service->containers[i].fate != FATE_KEEP)
            return true;
    return false;
}

/* The first service whose namespace this one joins and of which `what` is true. */
static const struct up_service *shares_with(struct up *up, const struct service *service, bool (*what)(const struct up_service *))
{
    const char *const modes[] = { service->network_mode, service->ipc, service->pid };
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (!modes[i] || !str_has_prefix(modes[i], "service:"))
            continue;
        const struct up_service *other = service_named(up, modes[i] + strlen("service:"));
        if (other && what(other))
            return other;
    }
    return NULL;
}

/* ---- causes for making a container again ---- */

struct judge {
    struct up *up;
    const struct up_service *service;
    const struct container_record *record;
    struct service_runtime runtime;
};

static const char *cause_network_changed(const struct judge *judge)
{
    for (size_t i = 0; i < judge->up->builder->desired->networks.count; i++) {
        const struct up_network *network = &judge->up->networks[i];
        for (size_t j = 0; network->changed && judge->runtime.networks[j]; j++)
            if (str_eq(judge->runtime.networks[j], network->network->name))
                return arena_printf(judge->up->builder->arena, "network %s changed", network->network->key);
    }
    return NULL;
}

static const char *cause_forced(const struct judge *judge)
{
    const struct plan_options *options = judge->up->builder->options;
    if (!judge->service->named)
        return options->always_recreate_deps ? "--always-recreate-deps" : NULL;
    return options->force_recreate ? "--force-recreate" : options->renew_anon_volumes ? "--renew-anon-volumes" : NULL;
}

static const char *cause_definition(const struct judge *judge)
{
    const struct service *service = judge->service->service;
    if (!service->config_hash || str_eq(service->config_hash, judge->runtime.config_hash))
        return NULL;
    _cleanup_jv_ struct jv *definition = service_definition(service);
    return definition_cause(judge->up->builder->arena, judge->runtime.definition, definition);
}

static const char *cause_image(const struct judge *judge)
{
    const struct observed *observed = judge->up->builder->observed;
    for (size_t i = 0; i < observed->image_count; i++)
        if (str_eq(observed->images[i].reference, judge->service->service->image) && observed->images[i].id &&
            !str_eq(observed->images[i].id, judge->record->image_id))
            return "image changed";
    return NULL;
}

static const char *cause_networks(const struct judge *judge)
{
    const struct service *service = judge->service->service;
    const char **attached = judge->runtime.networks;
    size_t count = 0, expected = service->network_mode ? 0 : service->networks.count;
    while (attached[count])
        count++;
    for (size_t i = 0; i < expected; i++) {
        const struct network *network = project_network(judge->up->builder->desired, service->networks.items[i].network);
        bool found = false;
        for (size_t j = 0; network && j < count; j++)
            found |= str_eq(attached[j], network->name);
        if (!found)
            return arena_printf(judge->up->builder->arena, "not on network %s", service->networks.items[i].network);
    }
    return count != expected ? "networks changed" : NULL;
}

static const char *cause_volumes(const struct judge *judge)
{
    const struct service *service = judge->service->service;
    for (size_t i = 0; i < service->volumes.count; i++) {
        const struct service_volume *mount = &service->volumes.items[i];
        const struct volume *volume = mount->source ? project_volume(judge->up->builder->desired, mount->source) : NULL;
        if (mount->type != SERVICE_VOLUME_VOLUME || !volume)
            continue;
        bool found = false;
        for (size_t j = 0; j < judge->runtime.volume_count; j++)
            found |= str_eq(judge->runtime.volumes[j].target, mount->target) && str_eq(judge->runtime.volumes[j].name, volume->name);
        if (!found)
            return arena_printf(judge->up->builder->arena, "not on volume %s", mount->source);
    }
    return NULL;
}

static const char *cause_shared(const struct judge *judge)
{
    const struct up_service *other = shares_with(judge->up, judge->service->service, is_replaced);
    return other ? arena_printf(judge->up->builder->arena, "shares a namespace with %s", other->service->name) : NULL;
}

typedef const char *cause_fn(const struct judge *judge);
static cause_fn *const causes[] = { /* the first that speaks is told */
    cause_forced, cause_definition, cause_image, cause_networks, cause_volumes, cause_shared,
};

static const char *recreate_cause(struct up *up, const struct up_service *service, const struct observed_container *container)
{
    struct judge judge = { .up = up, .service = service, .record = container->record };
    struct err err = { 0 };
    if (service_runtime_parse(up->builder->arena, container->record, &judge.runtime, &err) < 0)
        return "its stored state cannot be read";
    const char *cause = cause_network_changed(&judge);
    if (cause || up->builder->options->no_recreate)
        return cause;
    for (size_t i = 0; i < ARRAY_LEN(causes) && !cause; i++)
        cause = causes[i](&judge);
    return cause;
}

/* ---- fates ---- */

static bool someone_needs_completion(const struct up *up, const char *name)
{
    for (size_t i = 0; i < up->builder->desired->services.count; i++) {
        const struct service *service = up->services[i].service;
        for (size_t j = 0; up->services[i].selected && j < service->depends_on.count; j++)
            if (service->depends_on.items[j].condition == DEPENDS_COMPLETED && str_eq(service->depends_on.items[j].service, name))
                return true;
    }
    return false;
}

/* A job that others waited for, ended well in this boot: its work is done, `up` does not repeat it. */
static bool is_completed(const struct up *up, const struct up_service *service, const struct observed_container *container)
{
    return container->status.state == STATE_EXITED && container->status.exit_code == 0 && container->status.finished_ns > 0 &&
           !container->status.oom && !container->status.error[0] && someone_needs_completion(up, service->service->name);
}

static const char *restart_cause(struct up *up, const struct service *service)
{
    const struct up_service *shared = shares_with(up, service, is_started);
    if (shared) /* the namespace it is in ended with the container that left it */
        return arena_printf(up->builder->arena, "shares a namespace with %s", shared->service->name);
    for (size_t i = 0; i < service->depends_on.count; i++) {
        const struct depends_on *depends = &service->depends_on.items[i];
        const struct up_service *other = service_named(up, depends->service);
        if (depends->restart && other && other->selected && other->replaced)
            return arena_printf(up->builder->arena, "dependency %s recreated", depends->service);
    }
    return NULL;
}

static void decide_fate(struct up *up, const struct up_service *service, struct up_container *container)
{
    if (container->cause) {
        container->fate = FATE_RECREATE;
    } else if (container_is_active(container->observed)) {
        container->cause = restart_cause(up, service->service);
        container->fate = container->cause ? FATE_RESTART : FATE_KEEP;
        if (!container->cause)
            container->cause = "unchanged";
    } else if (is_completed(up, service, container->observed)) {
        container->fate = FATE_KEEP;
        container->cause = "completed";
    } else {
        container->fate = FATE_START;
        container->cause = "not running";
    }
}

/* Existing containers by number, each with its cause to be made again. Returns the highest number. */
static int64_t collect(struct up *up, struct up_service *service)
{
    const struct observed *observed = up->builder->observed;
    int64_t highest = 0;
    for (size_t i = 0; i < observed->container_count; i++) {
        const struct observed_container *container = &observed->containers[i];
        if (container->record->oneoff || !str_eq(container->record->service, service->service->name))
            continue;
        struct up_container entry = { .number = container->record->number, .name = container->record->name, .observed = container,
                                      .cause = recreate_cause(up, service, container), .op_made = OP_NONE, .op_ready = OP_NONE };
        size_t at = service->count++;
        for (; at > 0 && service->containers[at - 1].number > entry.number; at--)
            service->containers[at] = service->containers[at - 1];
        service->containers[at] = entry;
        highest = MAX(highest, entry.number);
    }
    return highest;
}

/* Too many: obsolete ones go first, then the highest numbers. */
static void drop_surplus(struct up_service *service)
{
    while ((int64_t)service->count > service->scale) {
        size_t victim = service->count - 1;
        for (size_t i = service->count; i-- > 0;) {
            if (service->containers[i].cause) {
                victim = i;
                break;
            }
        }
        service->surplus[service->surplus_count++] = service->containers[victim].observed;
        for (size_t i = victim; i + 1 < service->count; i++)
            service->containers[i] = service->containers[i + 1];
        service->count--;
    }
}

static void decide_service(struct up *up, struct up_service *service)
{
    struct plan_builder *builder = up->builder;
    size_t room = builder->observed->container_count + (size_t)service->scale + 1;
    service->containers = arena_alloc(builder->arena, room * sizeof(*service->containers));
    service->surplus = arena_alloc(builder->arena, room * sizeof(*service->surplus));
    if (builder->options->oneoff && service->named) { /* beside the replicas, which stay as they are */
        service->containers[service->count++] = (struct up_container){
            .name = builder->options->oneoff, .fate = FATE_CREATE, .cause = "run", .op_made = OP_NONE, .op_ready = OP_NONE };
        return;
    }
    int64_t highest = collect(up, service);
    drop_surplus(service);
    for (size_t i = 0; i < service->count; i++)
        decide_fate(up, service, &service->containers[i]);
    while ((int64_t)service->count < service->scale) {
        int64_t number = ++highest;
        service->containers[service->count++] = (struct up_container){
            .number = number, .name = container_name_for(builder->arena, builder->desired, service->service, number),
            .fate = FATE_CREATE, .cause = "new", .op_made = OP_NONE, .op_ready = OP_NONE };
    }
    for (size_t i = 0; i < service->count; i++)
        service->replaced |= service->containers[i].fate == FATE_RECREATE;
}

int up_decide_services(struct up *up, struct err *err)
{
    (void)err; /* nothing that can be wrong is left */
    for (size_t i = 0; i < up->builder->desired->services.count; i++) {
        struct up_service *service = &up->services[up->order[i]];
        if (service->selected)
            decide_service(up, service);
    }
    return 0;
}
