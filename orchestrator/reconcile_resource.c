/* SPDX-License-Identifier: Apache-2.0 */
/* `up`: images, networks and volumes that the selected services use. A network whose definition changed is made
 * again, which needs everything on it stopped; a changed volume is kept, because its data would be lost. */
#include "orchestrator/image_need.h"
#include "orchestrator/reconcile.h"

/* ---- images ---- */

static bool image_is_here(const struct observed *observed, const char *reference)
{
    for (size_t i = 0; i < observed->image_count; i++)
        if (str_eq(observed->images[i].reference, reference))
            return observed->images[i].id != NULL;
    return false;
}

static size_t image_op(const struct plan_builder *builder, const char *reference)
{
    for (size_t i = 0; i < builder->ops.count; i++)
        if (builder->ops.items[i].kind == OP_IMAGE_PULL && str_eq(builder->ops.items[i].target, reference))
            return i;
    return OP_NONE;
}

int up_emit_images(struct up *up, struct err *err)
{
    struct plan_builder *builder = up->builder;
    for (size_t i = 0; i < builder->desired->services.count; i++) {
        struct up_service *to = &up->services[i];
        const struct service *service = to->service;
        const char *cause = NULL;
        enum image_need need;
        if (!to->selected || to->scale == 0)
            continue;
        if (!service->image)
            return err_set(err, ERR_UNSUPPORTED, "service '%s': building images is not supported", service->name);
        const char *policy = builder->options->images_done ? "never" : builder->options->pull;
        if (image_need_decide(service, policy, image_is_here(builder->observed, service->image), &need, &cause, err) < 0)
            return -1;
        if (need == IMAGE_NEED_NOTHING)
            continue;
        to->op_image = image_op(builder, service->image);
        if (to->op_image == OP_NONE)
            to->op_image = plan_add(builder, (struct op){ .kind = OP_IMAGE_PULL, .target = service->image, .cause = cause,
                                                          .service = service->name, .pos = service->pos });
    }
    return 0;
}

/* ---- networks ---- */

static const struct network_info *observed_network(const struct observed *observed, const char *name)
{
    for (size_t i = 0; i < observed->network_count; i++)
        if (str_eq(observed->networks[i].name, name))
            return &observed->networks[i];
    return NULL;
}

static bool network_is_used(const struct up *up, const char *key)
{
    for (size_t i = 0; i < up->builder->desired->services.count; i++) {
        const struct up_service *service = &up->services[i];
        if (!service->selected || service->service->network_mode)
            continue;
        for (size_t j = 0; j < service->service->networks.count; j++)
            if (str_eq(service->service->networks.items[j].network, key))
                return true;
    }
    return false;
}

int up_decide_networks(struct up *up, struct err *err)
{
    const struct project *desired = up->builder->desired;
    for (size_t i = 0; i < desired->networks.count; i++) {
        struct up_network *to = &up->networks[i];
        const struct network *network = &desired->networks.items[i];
        const struct network_info *info = observed_network(up->builder->observed, network->name);
        *to = (struct up_network){ .network = network, .op = OP_NONE, .wanted = network_is_used(up, network->key) };
        if (!to->wanted)
            continue;
        if (network->external && !info)
            return err_set(err, ERR_CONFIG, "network %s declared as external, but could not be found", network->name);
        if (!network->external && info && info->project && !str_eq(info->project, desired->name))
            return err_set(err, ERR_CONFIG, "network %s belongs to project '%s'", network->name, info->project);
        to->changed = !network->external && info && !str_eq(info->fingerprint, network->config_hash);
    }
    return 0;
}

static bool is_attached(const struct observed_container *container, const char *network)
{
    const struct jv *networks = jv_find(container->record->service_data, "networks");
    for (size_t i = 0; i < jv_count(networks); i++)
        if (str_eq(jv_text(jv_at(networks, i)), network))
            return true;
    return false;
}

static size_t stop_op(const struct plan_builder *builder, const char *container)
{
    for (size_t i = 0; i < builder->ops.count; i++) {
        const struct op *op = &builder->ops.items[i];
        if ((op->kind == OP_CONTAINER_STOP || op->kind == OP_CONTAINER_REMOVE) && str_eq(op->container, container))
            return i;
    }
    return OP_NONE;
}

static void emit_stop(struct up *up, const struct observed_container *container, const char *network, const char *cause)
{
    if (is_attached(container, network) && container_is_active(container) &&
        stop_op(up->builder, container->record->id) == OP_NONE)
        plan_add_container(up->builder, OP_CONTAINER_STOP, container, cause);
}

/* A dependency's container stops after those of its dependents. */
static void stop_needs_dependents(struct up *up, size_t node, size_t stop)
{
    const struct observed *observed = up->builder->observed;
    _cleanup_free_ bool *mark = xcalloc(up->graph->count + 1, sizeof(*mark));
    graph_mark(up->graph, node, true, mark);
    mark[node] = false;
    for (size_t i = 0; i < observed->container_count; i++) {
        const struct container_record *record = observed->containers[i].record;
        size_t other = graph_find(up->graph, record->service);
        size_t op = other != OP_NONE && mark[other] ? stop_op(up->builder, record->id) : OP_NONE;
        if (op < stop)
            plan_needs(up->builder, stop, op);
    }
}

/* Everything attached stops, dependents first; what belongs to no service of the model last. */
static void emit_stops(struct up *up, const char *network, const char *cause)
{
    const struct observed *observed = up->builder->observed;
    for (size_t i = up->graph->count; i-- > 0;) {
        size_t node = up->order[i];
        for (size_t j = 0; j < observed->container_count; j++) {
            if (!str_eq(observed->containers[j].record->service, up->graph->nodes[node].name))
                continue;
            size_t before = up->builder->ops.count;
            emit_stop(up, &observed->containers[j], network, cause);
            if (up->builder->ops.count > before)
                stop_needs_dependents(up, node, before);
        }
    }
    for (size_t j = 0; j < observed->container_count; j++)
        emit_stop(up, &observed->containers[j], network, cause);
}

static void emit_changed(struct up *up, struct up_network *network)
{
    struct plan_builder *builder = up->builder;
    const char *name = network->network->name;
    emit_stops(up, name, arena_printf(builder->arena, "network %s changed", network->network->key));
    size_t remove = plan_add(builder, (struct op){ .kind = OP_NETWORK_REMOVE, .target = name, .key = network->network->key,
                                                   .cause = "definition changed", .pos = network->network->pos });
    for (size_t i = 0; i < builder->observed->container_count; i++)
        if (is_attached(&builder->observed->containers[i], name))
            plan_needs(builder, remove, stop_op(builder, builder->observed->containers[i].record->id));
    network->op = plan_add(builder, (struct op){ .kind = OP_NETWORK_CREATE, .target = name, .key = network->network->key,
                                                 .cause = "definition changed", .pos = network->network->pos });
    plan_needs(builder, network->op, remove);
}

void up_emit_networks(struct up *up)
{
    for (size_t i = 0; i < up->builder->desired->networks.count; i++) {
        struct up_network *to = &up->networks[i];
        if (!to->wanted || to->network->external)
            continue;
        if (to->changed)
            emit_changed(up, to);
        else if (!observed_network(up->builder->observed, to->network->name))
            to->op = plan_add(up->builder, (struct op){ .kind = OP_NETWORK_CREATE, .target = to->network->name,
                                                        .key = to->network->key, .cause = "new", .pos = to->network->pos });
    }
}

/* ---- volumes ---- */

static const struct volume_info *observed_volume(const struct observed *observed, const char *name)
{
    for (size_t i = 0; i < observed->volume_count; i++)
        if (str_eq(observed->volumes[i].name, name))
            return &observed->volumes[i];
    return NULL;
}

static bool volume_is_used(const struct up *up, const char *key)
{
    for (size_t i = 0; i < up->builder->desired->services.count; i++) {
        const struct up_service *service = &up->services[i];
        for (size_t j = 0; service->selected && j < service->service->volumes.count; j++) {
            const struct service_volume *mount = &service->service->volumes.items[j];
            if (mount->type == SERVICE_VOLUME_VOLUME && str_eq(mount->source, key))
                return true;
        }
    }
    return false;
}

int up_decide_volumes(struct up *up, struct err *err)
{
    const struct project *desired = up->builder->desired;
    for (size_t i = 0; i < desired->volumes.count; i++) {
        const struct volume *volume = &desired->volumes.items[i];
        const struct volume_info *info = observed_volume(up->builder->observed, volume->name);
        struct up_volume *to = &up->volumes[i];
        *to = (struct up_volume){ .volume = volume, .op = OP_NONE, .wanted = volume_is_used(up, volume->key) };
        if (!to->wanted)
            continue;
        if (volume->external && !info)
            return err_set(err, ERR_CONFIG, "external volume \"%s\" not found", volume->name);
        if (!volume->external && info && info->fingerprint && volume->config_hash && !str_eq(info->fingerprint, volume->config_hash))
            plan_warn(up->builder,
                      "volume %s exists, but its definition changed: its data is kept as it is. To apply the change, remove it "
                      "(its data is lost then)",
                      volume->name);
    }
    return 0;
}

void up_emit_volumes(struct up *up)
{
    for (size_t i = 0; i < up->builder->desired->volumes.count; i++) {
        struct up_volume *to = &up->volumes[i];
        if (to->wanted && !to->volume->external && !observed_volume(up->builder->observed, to->volume->name))
            to->op = plan_add(up->builder, (struct op){ .kind = OP_VOLUME_CREATE, .target = to->volume->name, .key = to->volume->key,
                                                        .cause = "new", .pos = to->volume->pos });
    }
}
