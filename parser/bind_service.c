/* SPDX-License-Identifier: Apache-2.0 */
/* bind_service.c - a service in the model: defaults, and the fields that several keys make together. */
#include <string.h>

#include "base/map.h"
#include "base/path.h"
#include "base/str.h"
#include "base/units.h"
#include "parser/bind.h"

#define STOP_GRACE_DEFAULT_US (10 * 1000000LL)

static void bind_restart(const struct node *node, struct service *service)
{
    const struct node *policy = node_find(node_find(node, "deploy"), "restart_policy");
    const char *text = node_find_text(policy, "condition"), *restart = node_find_text(node, "restart");
    struct restart_policy *out = &service->restart;
    long long attempts;

    if (policy) {
        const struct node *max = node_find(policy, "max_attempts");
        out->condition = str_eq(text, "none")         ? RESTART_NO
                         : str_eq(text, "on-failure") ? RESTART_ON_FAILURE
                                                      : RESTART_ALWAYS;
        out->max_attempts = max && max->kind == NODE_INT ? max->integer : 0;
        out->delay_us.set = duration_parse(node_find_text(policy, "delay"), &out->delay_us.value);
        out->window_us.set = duration_parse(node_find_text(policy, "window"), &out->window_us.value);
        return;
    }
    if (!restart)
        return;
    size_t size = strcspn(restart, ":");
#define X(id, word)                                                                                \
    if (strncmp(restart, word, size) == 0 && strlen(word) == size)                                 \
        out->condition = RESTART_##id;
    RESTART_CONDITIONS(X)
#undef X
    if (restart[size] && parse_i64(restart + size + 1, 0, INT32_MAX, &attempts))
        out->max_attempts = attempts;
}

/* "PATH[:word,word=value]" */
static void bind_tmpfs(struct binder *binder, const struct node *item, struct service_volume *volume)
{
    const char *text = node_text(item), *colon = text ? strchr(text, ':') : NULL;
    _cleanup_free_ char *path = xstrndup(text ? text : "", colon ? (size_t)(colon - text) : 4096);
    _cleanup_free_ char *clean = path_clean(path);
    char **words = strv_split(colon ? colon + 1 : "", ",");
    size_t count = strv_len(words);

    *volume = (struct service_volume){.type = SERVICE_VOLUME_TMPFS, .pos = item->pos, .bind_create_host_path = true,
                                      .target = arena_strdup(binder->arena, clean)};
    volume->tmpfs_options.items = arena_alloc(binder->arena, (count + 1) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        const char *value = strchr(words[i], '=');
        char *end;
        if (str_has_prefix(words[i], "size=") && bytes_parse(value + 1, &volume->tmpfs_size.value))
            volume->tmpfs_size.set = true;
        else if (str_has_prefix(words[i], "mode="))
            volume->tmpfs_mode = (struct opt_int){.set = true, .value = strtol(value + 1, &end, 8)};
        else if (strcmp(words[i], "ro") == 0)
            volume->read_only = true;
        else if (*words[i] && strcmp(words[i], "rw") != 0)
            volume->tmpfs_options.items[volume->tmpfs_options.count++] = arena_strdup(binder->arena, words[i]);
    }
    strv_free(words);
}

static void bind_mounts(struct binder *binder, const struct node *node, struct service *service)
{
    const struct node *tmpfs = node_find(node, "tmpfs"), *volumes = node_find(node, "volumes");
    size_t extra = tmpfs && tmpfs->kind == NODE_LIST ? tmpfs->count : 0, own = service->volumes.count;

    for (size_t i = 0; i < own; i++) {
        const struct node *bind = node_find(volumes->items[i].value, "bind");
        if (!node_find(bind, "create_host_path"))
            service->volumes.items[i].bind_create_host_path = true;
    }
    if (extra == 0)
        return;
    struct service_volume *all = arena_alloc(binder->arena, (own + extra) * sizeof(*all));
    if (own)
        memcpy(all, service->volumes.items, own * sizeof(*all));
    for (size_t i = 0; i < extra; i++)
        bind_tmpfs(binder, tmpfs->items[i].value, &all[own + i]);
    service->volumes.items = all;
    service->volumes.count = own + extra;
}

static int by_priority(const void *a, const void *b)
{
    const struct service_network *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? 1 : -1;
    return strcmp(x->network, y->network);
}

static void bind_limits(struct service *service)
{
    const struct deploy *deploy = &service->deploy;
    if (deploy->limit_cpus.set)
        service->cpus = deploy->limit_cpus;
    if (deploy->limit_memory.set)
        service->mem_limit = deploy->limit_memory;
    if (deploy->reserve_memory.set)
        service->mem_reservation = deploy->reserve_memory;
    if (deploy->limit_pids.set)
        service->pids_limit = deploy->limit_pids;
}

/* Variables without a value are not passed on. */
static void drop_unset(struct kv_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].value)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

static void bind_implied(const struct node *node, struct service *service)
{
    static const char *const namespaces[] = {"network_mode", "ipc", "pid", "uts", "cgroup"};
    for (size_t i = 0; i < service->depends_on.count; i++) {
        struct depends_on *dependency = &service->depends_on.items[i];
        for (size_t j = 0; j < ARRAY_LEN(namespaces); j++) {
            const char *mode = node_find_text(node, namespaces[j]);
            if (mode && str_has_prefix(mode, "service:") && strcmp(mode + strlen("service:"), dependency->service) == 0)
                dependency->implied = true;
        }
    }
}

void bind_service(struct binder *binder, const struct node *node, struct service *service)
{
    service->scale = 1;
    bind_object(binder, &service_table, node, service);
    if (service->deploy.replicas.set)
        service->scale = service->deploy.replicas.value;
    if (!service->stop_grace_us.set)
        service->stop_grace_us = (struct opt_int){.set = false, .value = STOP_GRACE_DEFAULT_US};
    if (service->healthcheck.test.count && strcmp(service->healthcheck.test.items[0], "NONE") == 0)
        service->healthcheck.disable = true;
    bind_restart(node, service);
    bind_mounts(binder, node, service);
    bind_limits(service);
    bind_implied(node, service);
    drop_unset(&service->environment);
    if (service->networks.count > 1)
        qsort(service->networks.items, service->networks.count, sizeof(*service->networks.items), by_priority);
    service->canonical = node;
}

/* A seccomp profile is a file of the project; `config` prints it as written, as the reference does. */
static void resolve_profiles(struct binder *binder, const struct project *project, struct service *service)
{
    for (size_t i = 0; i < service->security_opt.count; i++) {
        const char *text = service->security_opt.items[i], *path = text + strlen("seccomp=");
        if ((!str_has_prefix(text, "seccomp=") && !str_has_prefix(text, "seccomp:")) || !*path || *path == '/' ||
            strcmp(path, "unconfined") == 0 || strcmp(path, "builtin") == 0)
            continue;
        _cleanup_free_ char *joined = path_join(project->working_dir, path);
        service->security_opt.items[i] = arena_printf(binder->arena, "seccomp=%s", joined);
    }
}

static void bind_services(struct binder *binder, const struct node *services, void *list)
{
    struct { struct service *items; size_t count; } *out = list;
    if (!services || services->kind != NODE_MAP)
        return;
    out->items = arena_alloc(binder->arena, (services->count ? services->count : 1) * sizeof(*out->items));
    out->count = services->count;
    for (uint32_t i = 0; i < services->count; i++) {
        bind_service(binder, services->items[i].value, &out->items[i]);
        out->items[i].name = services->items[i].key;
        out->items[i].pos = services->items[i].key_pos;
    }
}

/* What no active profile has is no dependency; `config` prints it all the same, as the reference does. */
static void drop_absent(struct project *project)
{
    _cleanup_(map_freep) struct map *names = map_new(NULL);
    for (size_t i = 0; i < project->services.count; i++)
        map_set(names, project->services.items[i].name, names);
    for (size_t i = 0; i < project->services.count; i++) {
        struct service *service = &project->services.items[i];
        size_t kept = 0;
        for (size_t j = 0; j < service->depends_on.count; j++)
            if (map_has(names, service->depends_on.items[j].service))
                service->depends_on.items[kept++] = service->depends_on.items[j];
        service->depends_on.count = kept;
    }
}

void bind_project(struct project *project, const struct node *canonical, const struct node *disabled)
{
    struct binder binder = {.arena = project->arena};
    bind_object(&binder, &project_table, canonical, project);
    bind_services(&binder, node_find(canonical, "services"), &project->services);
    bind_services(&binder, disabled, &project->disabled);
    for (size_t i = 0; i < project->services.count; i++)
        resolve_profiles(&binder, project, &project->services.items[i]);
    drop_absent(project);
    project->canonical = canonical;
}
