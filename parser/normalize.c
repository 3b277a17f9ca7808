/* SPDX-License-Identifier: Apache-2.0 */
/* normalize.c - what a file leaves unsaid, written out. */
#include "parser/normalize.h"

#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "parser/env.h"
#include "parser/schema.h"

/* ---- profiles ---- */
static bool is_selected(const struct node *service, char **active)
{
    const struct node *profiles = node_find(service, "profiles");
    if (!profiles || profiles->kind != NODE_LIST || profiles->count == 0 || strv_has(active, "*"))
        return true;
    NODE_EACH(entry, profiles)
        if (node_text(entry->value) && strv_has(active, entry->value->text))
            return true;
    return false;
}

static char **active_profiles(const struct loading *loading, const struct node *services)
{
    const struct load_options *options = loading->options;
    const char *variable = env_get(loading->env, "COMPOSE_PROFILES");
    char **active = NULL;

    for (size_t i = 0; options->profiles && options->profiles[i]; i++)
        active = strv_add(active, options->profiles[i]);
    if (!active && (!variable || !*variable)) {
        active = strv_add(active, ""); /* as in the reference: profiles: ["", x] is on unless others are asked for */
    } else if (!active) {
        char **parts = strv_split(variable, ",");
        for (size_t i = 0; parts[i]; i++) {
            const char *word = parts[i] + strspn(parts[i], " \t");
            _cleanup_free_ char *trimmed = xstrndup(word, strcspn(word, " \t"));
            active = strv_add(active, trimmed);
        }
        strv_free(parts);
    }
    for (size_t i = 0; options->services && options->services[i]; i++) {
        const struct node *profiles = node_find(node_find(services, options->services[i]), "profiles");
        NODE_EACH(entry, profiles)
            if (node_text(entry->value))
                active = strv_add(active, entry->value->text);
    }
    return active ? active : xcalloc(1, sizeof(*active));
}

void services_select(struct loading *loading, struct node *tree, struct node *disabled)
{
    struct node *services = node_find(tree, "services");
    if (!services)
        return;
    char **active = active_profiles(loading, services);
    struct node *kept = node_new(loading->arena, NODE_MAP, services->pos);
    NODE_EACH(entry, services)
        node_add(loading->arena, is_selected(entry->value, active) ? kept : disabled, entry->key, entry->key_pos,
                 entry->value);
    strv_free(active);
    *services = *kept;
}

static void keep_service(struct map *kept, const struct node *services, const char *name)
{
    const struct node *service = node_find(services, name);
    if (!service || map_has(kept, name))
        return;
    map_set(kept, name, kept);
    NODE_EACH(entry, node_find(service, "depends_on"))
        if (entry->key)
            keep_service(kept, services, entry->key);
}

static void drop_dependencies(struct node *service, struct map *kept)
{
    struct node *all = node_find(service, "depends_on");
    for (uint32_t i = 0; all && i < all->count;) {
        if (map_has(kept, all->items[i].key))
            i++;
        else
            node_remove_at(all, i);
    }
    if (all && all->count == 0)
        node_remove(service, "depends_on");
}

void services_narrow(struct loading *loading, struct node *tree, struct node *disabled)
{
    const char *const *names = loading->options->services;
    struct node *services = node_find(tree, "services");
    if (!loading->options->only_services || !names || !*names)
        return;
    _cleanup_(map_freep) struct map *kept = map_new(NULL);
    for (; *names; names++) {
        if (!node_find(services, *names))
            diag_error(loading->diags, (struct pos){0}, NULL, "no such service: %s", *names);
        keep_service(kept, services, *names);
    }
    for (uint32_t i = 0; services && i < services->count;) {
        struct node_entry entry = services->items[i];
        if (map_has(kept, entry.key)) {
            i++;
            continue;
        }
        node_add(loading->arena, disabled, entry.key, entry.key_pos, entry.value);
        node_remove_at(services, i);
    }
    NODE_EACH(service, services)
        drop_dependencies(service->value, kept);
}

/* ---- services ---- */
static void add_dependency(struct loading *loading, struct node *service, const struct node *from, const char *name,
                           bool restart)
{
    struct arena *arena = loading->arena;
    struct node *all = node_find(service, "depends_on");
    if (!all) {
        all = node_new(arena, NODE_MAP, from->pos);
        node_set(arena, service, "depends_on", all);
    }
    if (node_find(all, name))
        return;
    struct node *dependency = node_new(arena, NODE_MAP, from->pos);
    node_set(arena, dependency, "condition", node_string(arena, "service_started", from->pos));
    node_set(arena, dependency, "required", node_bool(arena, true, from->pos));
    if (restart)
        node_set(arena, dependency, "restart", node_bool(arena, true, from->pos));
    node_set(arena, all, name, dependency);
}

static void add_implied_dependencies(struct loading *loading, struct node *service)
{
    static const char *const namespaces[] = {"network_mode", "ipc", "pid", "uts", "cgroup"};
    const struct node *links = node_find(service, "links"), *volumes_from = node_find(service, "volumes_from");

    NODE_EACH(entry, links) {
        const char *text = entry->value->text, *colon = strchr(text, ':');
        bool alias = colon && !strchr(colon + 1, ':'); /* with more colons it is no service's name */
        _cleanup_free_ char *name = alias ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
        add_dependency(loading, service, entry->value, name, true);
    }
    for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
        const struct node *mode = node_find(service, namespaces[i]);
        if (node_text(mode) && str_has_prefix(mode->text, "service:"))
            add_dependency(loading, service, mode, mode->text + strlen("service:"), true);
    }
    NODE_EACH(entry, volumes_from) {
        _cleanup_free_ char *name = xstrndup(entry->value->text, strcspn(entry->value->text, ":"));
        if (strcmp(name, "container") != 0)
            add_dependency(loading, service, entry->value, name, false);
    }
}

static struct node *as_default(struct node *node)
{
    node->is_default = true;
    return node;
}

static void complete_build(struct loading *loading, struct node *build)
{
    struct arena *arena = loading->arena;
    struct node *args = node_find(build, "args");

    if (!node_find(build, "dockerfile") && !node_find(build, "dockerfile_inline"))
        node_set(arena, build, "dockerfile", as_default(node_string(arena, "Dockerfile", build->pos)));
    variables_resolve_written(loading, args, false);
    for (uint32_t i = 0; args && i < args->count;) {
        struct node *value = args->items[i].value;
        const char *text = value->kind == NODE_NULL ? env_get(loading->env, args->items[i].key) : NULL;
        if (text)
            node_become(value, node_string(arena, text, value->pos));
        if (value->kind == NODE_NULL)
            node_remove_at(args, i);
        else
            i++;
    }
    if (args && args->count)
        node_sort(args);
    else
        node_remove(build, "args");
}

static void clean_target(struct arena *arena, struct node *target)
{
    if (!node_text(target))
        return;
    _cleanup_free_ char *clean = path_clean(target->text);
    target->text = arena_strdup(arena, clean);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct node_entry *)a)->value->text, ((const struct node_entry *)b)->value->text);
}

static void normalize_service(struct loading *loading, struct node *service)
{
    struct arena *arena = loading->arena;
    struct node *build = node_find(service, "build"), *networks = node_find(service, "networks");
    struct node *hosts = node_find(service, "extra_hosts"), *policy = node_find(service, "pull_policy");

    node_remove(service, "pull_refresh_after"); /* in the language's schema, in nobody's model */
    if (build && build->kind == NODE_MAP)
        complete_build(loading, build);
    if (node_text(policy) && strcmp(policy->text, "if_not_present") == 0)
        policy->text = "missing";
    NODE_EACH(entry, node_find(service, "volumes"))
        clean_target(arena, node_find(entry->value, "target"));
    if (hosts && hosts->kind == NODE_LIST && hosts->count)
        qsort(hosts->items, hosts->count, sizeof(*hosts->items), by_text);
    add_implied_dependencies(loading, service);
    if ((!networks || networks->count == 0) && !node_find(service, "network_mode") && !node_find(service, "provider")) {
        networks = as_default(node_new(arena, NODE_MAP, service->pos));
        node_set(arena, networks, "default", as_default(node_new(arena, NODE_NULL, service->pos)));
        node_set(arena, service, "networks", networks);
    }
}

void services_complete(struct loading *loading, struct node *tree)
{
    struct shaping shaping = {.loading = loading, .arena = loading->arena, .diags = loading->diags,
                              .base_dir = loading->working_dir};
    const char *dir = shape_path(&shaping, ".");
    NODE_EACH(entry, node_find(tree, "services")) {
        struct node *build = node_find(entry->value, "build");
        if (build && build->kind == NODE_MAP && !node_find(build, "context"))
            node_set(loading->arena, build, "context", as_default(node_string(loading->arena, dir, build->pos)));
    }
}

void services_normalize(struct loading *loading, struct node *tree)
{
    NODE_EACH(entry, node_find(tree, "services"))
        if (entry->value->kind == NODE_MAP)
            normalize_service(loading, entry->value);
}

/* The reference does it while it compares the two. */
void services_copy_scale(struct loading *loading, struct node *tree)
{
    struct arena *arena = loading->arena;
    NODE_EACH(entry, node_find(tree, "services")) {
        const struct node *scale = node_find(entry->value, "scale");
        struct node *deploy = node_find(entry->value, "deploy");
        if (scale && deploy && deploy->kind == NODE_MAP && !node_find(deploy, "replicas"))
            node_set(arena, deploy, "replicas", as_default(arena_memdup(arena, scale, sizeof(*scale))));
    }
}

/* ---- resources ---- */
static void note_names(struct map *used, const struct node *services, const char *key)
{
    NODE_EACH(service, services) {
        const struct node *list = node_find(service->value, key);
        const struct node *build = strcmp(key, "secrets") == 0 ? node_find(node_find(service->value, "build"), key) : NULL;
        bool volumes = strcmp(key, "volumes") == 0;
        NODE_EACH(item, list) {
            const char *name = item->key ? item->key : node_find_text(item->value, "source");
            if (name && (!volumes || str_eq(node_find_text(item->value, "type"), "volume")))
                map_set(used, name, used);
        }
        NODE_EACH(item, build)
            if (node_find_text(item->value, "source"))
                map_set(used, node_find_text(item->value, "source"), used);
    }
}

static void drop_unused(struct loading *loading, struct node *tree, const char *section)
{
    struct node *resources = node_find(tree, section), *kept;
    const struct node *services = node_find(tree, "services");
    if (!resources || resources->kind != NODE_MAP)
        return;
    struct map *used = map_new(NULL);
    note_names(used, services, section);
    kept = node_new(loading->arena, NODE_MAP, resources->pos);
    NODE_EACH(entry, resources)
        if (map_has(used, entry->key))
            node_add(loading->arena, kept, entry->key, entry->key_pos, entry->value);
    map_free(used);
    *resources = *kept;
}

static void fill_empty(struct arena *arena, struct node *resources)
{
    NODE_EACH(entry, resources)
        if (entry->value->kind == NODE_NULL)
            node_become(entry->value, node_new(arena, NODE_MAP, entry->value->pos));
}

static void name_resources(struct loading *loading, struct node *tree, const char *section, const char *project_name)
{
    struct arena *arena = loading->arena;
    struct node *resources = node_find(tree, section);
    NODE_EACH(entry, resources) {
        struct node *value = entry->value;
        if (value->kind != NODE_MAP || node_find_text(value, "name"))
            continue;
        bool external = node_find_bool(value, "external", false);
        const char *name = external ? entry->key : arena_printf(arena, "%s_%s", project_name, entry->key);
        node_set(arena, value, "name", as_default(node_string_ref(arena, name, value->pos)));
    }
}

/* driver: local with o: bind is a bind mount: its device is a path. */
void volumes_resolve_devices(struct loading *loading, struct node *volumes)
{
    NODE_EACH(entry, volumes) {
        struct node *options = node_find(entry->value, "driver_opts"), *device = node_find(options, "device");
        const char *driver = node_find_text(entry->value, "driver"), *o = node_find_text(options, "o");
        if (!node_text(device) || !o || strcmp(o, "bind") != 0 || !driver || strcmp(driver, "local") != 0)
            continue;
        struct shaping shaping = {.loading = loading, .arena = loading->arena, .diags = loading->diags,
                                  .base_dir = loading->working_dir};
        device->text = shape_path(&shaping, device->text);
    }
}

/* The implied network is there when a service is in it. */
static void add_default_network(struct loading *loading, struct node *tree)
{
    struct arena *arena = loading->arena;
    struct node *networks = node_find(tree, "networks");
    bool used = false;
    NODE_EACH(entry, node_find(tree, "services"))
        used = used || node_find(node_find(entry->value, "networks"), "default");
    if (!used)
        return;
    if (!networks || networks->kind != NODE_MAP) {
        networks = as_default(node_new(arena, NODE_MAP, tree->pos));
        node_set(arena, tree, "networks", networks);
    }
    if (!node_find(networks, "default"))
        node_set(arena, networks, "default", as_default(node_new(arena, NODE_MAP, tree->pos)));
}

/* Environment and label mappings are printed sorted; so is a service. An empty network_mode has kept the default
 * network away and is not printed. */
static void sort_service(struct node *service)
{
    const char *mode = node_find_text(service, "network_mode");
    if (mode && !*mode)
        node_remove(service, "network_mode");
    static const char *const sorted[] = {"environment", "labels", "annotations", "sysctls", "networks", "depends_on",
                                         "ulimits", "storage_opt"};
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        struct node *value = node_find(service, sorted[i]);
        if (value && value->kind == NODE_MAP)
            node_sort(value);
    }
    node_sort(service);
}

struct node *project_normalize(struct loading *loading, struct node *tree, const char *project_name)
{
    static const char *const sections[] = {"networks", "volumes", "secrets", "configs", "models"};
    static const char *const order[] = {"services", "networks", "volumes", "secrets", "configs", "models"};
    struct arena *arena = loading->arena;
    bool normal = !loading->options->no_normalize;

    if (normal)
        add_default_network(loading, tree);
    volumes_resolve_devices(loading, node_find(tree, "volumes"));
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        if (!loading->options->all_resources && !loading->options->no_interpolate)
            drop_unused(loading, tree, sections[i]);
        if (normal || !loading->options->no_interpolate)
            fill_empty(arena, node_find(tree, sections[i]));
        if (normal && strcmp(sections[i], "models") != 0)
            name_resources(loading, tree, sections[i], project_name);
    }
    struct node *canonical = node_new(arena, NODE_MAP, tree->pos);
    node_set(arena, canonical, "name", node_string(arena, project_name, tree->pos));
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        struct node *section = node_find(tree, order[i]);
        if (!section || section->kind != NODE_MAP || (section->count == 0 && i > 0))
            continue;
        node_sort(section);
        node_set(arena, canonical, order[i], section);
    }
    if (!node_find(canonical, "services"))
        node_set(arena, canonical, "services", node_new(arena, NODE_MAP, tree->pos));
    NODE_EACH(entry, node_find(canonical, "services"))
        if (entry->value->kind == NODE_MAP)
            sort_service(entry->value);
    NODE_EACH(entry, tree)
        if (str_has_prefix(entry->key, "x-"))
            node_add(arena, canonical, entry->key, entry->key_pos, entry->value);
    return canonical;
}
