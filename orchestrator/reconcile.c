/* SPDX-License-Identifier: Apache-2.0 */
/* `up`: desired × observed → plan. Here: which services take part, in which order, and the order of the phases. First
 * everything is decided (networks, volumes, each service in dependency order), then written down as operations. */
#include "orchestrator/reconcile.h"

#include "base/str.h"

static int scale_of(const struct plan_options *options, const struct service *service, int64_t *ret_scale, struct err *err)
{
    int64_t scale = service->scale;
    for (size_t i = 0; options->scale && options->scale[i]; i++) {
        const char *sign = strchr(options->scale[i], '=');
        long long number;
        if (!sign || !parse_i64(sign + 1, 0, 10000, &number))
            return err_set(err, ERR_CONFIG, "--scale '%s': expected SERVICE=NUMBER", options->scale[i]);
        if (strlen(service->name) == (size_t)(sign - options->scale[i]) &&
            strncmp(service->name, options->scale[i], strlen(service->name)) == 0)
            scale = number;
    }
    if (scale > 1 && service->container_name && !options->oneoff)
        return err_set(err, ERR_CONFIG, "service '%s': container_name '%s' allows one container, not %lld", service->name,
                       service->container_name, (long long)scale);
    *ret_scale = scale;
    return 0;
}

static int scale_check(const struct project *desired, const struct plan_options *options, struct err *err)
{
    for (size_t i = 0; options->scale && options->scale[i]; i++) {
        _cleanup_free_ char *name = xstrndup(options->scale[i], strcspn(options->scale[i], "="));
        if (!project_service(desired, name))
            return err_set(err, ERR_CONFIG, "no such service: %s", name);
    }
    return 0;
}

static int select_services(struct up *up, struct err *err)
{
    const struct plan_builder *builder = up->builder;
    const struct project *desired = builder->desired;
    size_t count = desired->services.count;
    _cleanup_free_ bool *mark = xcalloc(count + 1, sizeof(*mark));
    for (size_t i = 0; i < count; i++) {
        struct up_service *service = &up->services[i];
        service->service = &desired->services.items[i];
        service->op_image = OP_NONE;
        service->named = plan_is_named(builder->options, service->service->name);
        if (service->named && builder->options->no_deps)
            mark[i] = true;
        else if (service->named)
            graph_mark(up->graph, i, false, mark);
    }
    for (size_t i = 0; i < count; i++) {
        struct up_service *service = &up->services[i];
        service->selected = mark[i];
        if (!mark[i])
            continue;
        if (scale_of(builder->options, service->service, &service->scale, err) < 0 ||
            translate_supported(desired, service->service, err) < 0)
            return -1;
        if (service->service->ports.count && str_eq(service->service->network_mode, "host"))
            plan_warn(up->builder, "service '%s': published ports are discarded when using host network mode", service->service->name);
    }
    return 0;
}

static int up_make(struct up *up, struct err *err)
{
    struct plan_builder *builder = up->builder;
    const struct project *desired = builder->desired;
    struct arena *arena = builder->arena;
    size_t count = desired->services.count;

    up->graph = graph_of_project(arena, desired);
    up->order = arena_alloc(arena, (count + 1) * sizeof(*up->order));
    up->services = arena_alloc(arena, (count + 1) * sizeof(*up->services));
    up->networks = arena_alloc(arena, (desired->networks.count + 1) * sizeof(*up->networks));
    up->volumes = arena_alloc(arena, (desired->volumes.count + 1) * sizeof(*up->volumes));
    up->removals = arena_alloc(arena, (builder->observed->container_count + 1) * sizeof(*up->removals));

    if (graph_order(up->graph, up->order, err) < 0 || plan_check_services(builder, err) < 0 ||
        scale_check(desired, builder->options, err) < 0 || select_services(up, err) < 0)
        return -1;
    if (up_decide_networks(up, err) < 0 || up_decide_volumes(up, err) < 0 || up_decide_services(up, err) < 0)
        return -1;

    if (up_emit_images(up, err) < 0)
        return -1;
    up_emit_removals(up);
    up_emit_networks(up);
    up_emit_volumes(up);
    up_emit_makes(up);
    up_emit_starts(up);
    if (!builder->options->remove_orphans)
        plan_warn_orphans(builder);
    return 0;
}

int plan_make_up(const struct project *desired, const struct observed *observed, const struct plan_options *options,
                 struct plan **ret_plan, struct err *err)
{
    struct plan_builder builder;
    plan_builder_init(&builder, desired, observed, options);
    struct up up = { .builder = &builder };
    if (up_make(&up, err) < 0) {
        plan_builder_done(&builder);
        return -1;
    }
    *ret_plan = plan_builder_finish(&builder);
    return 0;
}
