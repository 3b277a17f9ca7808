/* SPDX-License-Identifier: Apache-2.0 */
/* validate.c - what two places of a file say about each other: references, conflicts, cycles. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/suggest.h"
#include "parser/normalize.h"
#include "parser/short.h"

struct validation {
    struct loading *loading;
    struct diags *diags;
    const struct node *tree, *services, *disabled;
    struct map *container_names; /* name → node */
};

static struct diag *report(struct validation *v, const struct node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static struct diag *report(struct validation *v, const struct node *at, const char *format, ...)
{
    va_list args;
    char message[512];
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return diag_error(v->diags, at->pos, NULL, "%s", message);
}

static void hint_nearest(struct diag *diag, const char *word, const struct node *map)
{
    const char *names[128];
    size_t count = 0;
    NODE_EACH(entry, map)
        if (count < ARRAY_LEN(names))
            names[count++] = entry->key;
    const char *nearest = suggest_nearest(word, names, count);
    if (nearest)
        diag_hint(diag, "did you mean '%s'?", nearest);
}

/* ---- references ---- */
static void check_reference(struct validation *v, const char *service, const struct node *at, const char *section,
                            const char *kind, const char *name)
{
    const struct node *resources = node_find(v->tree, section);
    if (node_find(resources, name) || (strcmp(kind, "network") == 0 && strcmp(name, "default") == 0))
        return;
    hint_nearest(report(v, at, "service \"%s\" refers to undefined %s %s: invalid compose project", service, kind, name),
                 name, resources);
}

static const char *source_of(const struct node *reference)
{
    const char *source = node_find_text(reference, "source");
    return source ? source : "";
}

static void check_references(struct validation *v, const char *name, const struct node *service)
{
    NODE_EACH(entry, node_find(service, "networks"))
        check_reference(v, name, entry->value, "networks", "network", entry->key);
    NODE_EACH(entry, node_find(service, "models"))
        check_reference(v, name, entry->value, "models", "model", entry->key);
    NODE_EACH(entry, node_find(service, "volumes")) {
        const char *source = node_find_text(entry->value, "source");
        if (source && *source && str_eq(node_find_text(entry->value, "type"), "volume"))
            check_reference(v, name, entry->value, "volumes", "volume", source);
    }
    static const char *const kinds[][2] = {{"configs", "config"}, {"secrets", "secret"}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        NODE_EACH(entry, node_find(service, kinds[i][0]))
            check_reference(v, name, entry->value, kinds[i][0], kinds[i][1], source_of(entry->value));
    NODE_EACH(entry, node_find(node_find(service, "build"), "secrets"))
        check_reference(v, name, entry->value, "secrets", "build secret", source_of(entry->value));
}

/* With required: false a dependency may be one that no active profile has. */
static void check_dependencies(struct validation *v, const char *name, const struct node *service)
{
    NODE_EACH(entry, node_find(service, "depends_on")) {
        const char *other = entry->key;
        const struct node *value = entry->value;
        if (node_find(v->services, other) ||
            (node_find(v->disabled, other) && !node_find_bool(value, "required", true)))
            continue;
        struct diag *diag = report(v, value, "service \"%s\" depends on undefined service \"%s\": invalid compose project",
                                   name, other);
        if (node_find(v->disabled, other))
            diag_hint(diag, "service '%s' is not selected by the active profiles", other);
        else
            hint_nearest(diag, other, v->services);
    }
}

/* ---- one value against another ---- */
/* A section of deploy that is there but lacks the limit says 0, as in the reference. */
static void check_same(struct validation *v, const char *name, const struct node *service, const char *key,
                       const struct node *section, const char *deploy_name)
{
    const struct node *own = node_find(service, key), *other = node_find(section, strrchr(deploy_name, '.') + 1);
    if (own && section && !(other && str_eq(node_text(own), node_text(other))))
        report(v, own, "services.%s: can't set distinct values on '%s' and '%s': invalid compose project", name, key,
               deploy_name)->other = other ? other->pos : section->pos;
}

static void check_deploy(struct validation *v, const char *name, const struct node *service)
{
    const struct node *deploy = node_find(service, "deploy"), *resources = node_find(deploy, "resources");
    const struct node *limits = node_find(resources, "limits"), *reserved = node_find(resources, "reservations");
    const struct node *scale = node_find(service, "scale"), *replicas = node_find(deploy, "replicas");
    const struct node *container_name = node_find(service, "container_name");

    if (replicas)
        check_same(v, name, service, "scale", deploy, "deploy.replicas");
    check_same(v, name, service, "cpus", limits, "deploy.resources.limits.cpus");
    check_same(v, name, service, "mem_limit", limits, "deploy.resources.limits.memory");
    check_same(v, name, service, "mem_reservation", reserved, "deploy.resources.reservations.memory");
    check_same(v, name, service, "pids_limit", limits, "deploy.resources.limits.pids");
    const struct node *count = scale ? scale : replicas;
    if (count && count->kind == NODE_INT && count->integer < 0)
        report(v, count, "services.%s.scale: must be greater than or equal to 0", name);
    if (count && count->kind == NODE_INT && count->integer > 1 && container_name)
        report(v, container_name, "services.%s: can't set container_name and scale > 1 (%s): the name would be used twice",
               name, count->text)->other = count->pos;
}

static void check_build(struct validation *v, const char *name, const struct node *service)
{
    const struct node *build = node_find(service, "build"), *image = node_find(service, "image");
    const struct node *platforms = node_find(build, "platforms"), *platform = node_find(service, "platform");

    if (!build && !node_text(image) && !node_find(service, "provider"))
        report(v, service, "service \"%s\" has neither an image nor a build context specified: invalid compose project", name);
    if (!build)
        return;
    if (node_find(build, "dockerfile_inline") && node_find(build, "dockerfile"))
        report(v, node_find(build, "dockerfile_inline"),
               "service \"%s\" declares mutually exclusive dockerfile and dockerfile_inline: invalid compose project", name);
    bool listed = !platforms || platforms->count == 0 || !node_text(platform);
    NODE_EACH(entry, platforms)
        listed = listed || str_eq(node_text(entry->value), platform->text);
    if (!listed)
        report(v, platforms, "service.build.platforms MUST include service.platform \"%s\": invalid compose project",
               platform->text);
    NODE_EACH(entry, node_find(build, "additional_contexts")) {
        const char *text = node_text(entry->value);
        if (!text || !str_has_prefix(text, "service:"))
            continue;
        const struct node *other = node_find(v->services, text + strlen("service:"));
        if (!other)
            report(v, entry->value, "service \"%s\" declares unknown service \"%s\" as additional context %s", name,
                   text + strlen("service:"), entry->key);
        else if (!node_find(other, "build"))
            report(v, entry->value, "service \"%s\" declares additional context %s of \"%s\", which has no build", name,
                   entry->key, text + strlen("service:"));
    }
}

static void check_network_mode(struct validation *v, const char *name, const struct node *service)
{
    const struct node *mode = node_find(service, "network_mode"), *networks = node_find(service, "networks");

    if (node_text(mode) && *mode->text && networks && networks->count)
        report(v, mode, "service \"%s\" declares mutually exclusive `network_mode` and `networks`: invalid compose project",
               name)->other = networks->pos;
}

static void note_mount(struct validation *v, struct map *mounts, const char *name, const char *list, size_t index,
                       const struct node *at, const char *target)
{
    const struct node *earlier = map_find(mounts, target);
    if (earlier)
        report(v, at, "services.%s.%s[%zu]: target %s already mounted", name, list, index, target)->other = earlier->pos;
    else
        map_set(mounts, target, (void *)at);
}

static void check_mounts(struct validation *v, const char *name, const struct node *service)
{
    const struct node *tmpfs = node_find(service, "tmpfs"), *volumes = node_find(service, "volumes");
    struct map *mounts = map_new(NULL);
    for (uint32_t i = 0; tmpfs && i < tmpfs->count; i++) {
        const char *text = node_text(tmpfs->items[i].value);
        _cleanup_free_ char *target = text ? xstrndup(text, strcspn(text, ":")) : NULL;
        if (target)
            note_mount(v, mounts, name, "tmpfs", i, tmpfs->items[i].value, target);
    }
    for (uint32_t i = 0; volumes && i < volumes->count; i++) {
        const char *target = node_find_text(volumes->items[i].value, "target");
        if (target)
            note_mount(v, mounts, name, "volumes", i, volumes->items[i].value, target);
    }
    map_free(mounts);
}

static void check_service(struct validation *v, const char *name, const struct node *service)
{
    const struct node *container_name = node_find(service, "container_name");

    check_build(v, name, service);
    check_references(v, name, service);
    check_dependencies(v, name, service);
    check_deploy(v, name, service);
    check_network_mode(v, name, service);
    check_mounts(v, name, service);
    NODE_EACH(entry, node_find(service, "ports")) {
        const struct node *ip = node_find(entry->value, "host_ip");
        if (node_text(ip) && !port_host_ip_is_valid(ip->text))
            report(v, ip, "services.%s.ports: '%s' is not an IP address", name, ip->text);
    }
    NODE_EACH(entry, node_find(node_find(service, "develop"), "watch")) {
        const char *action = node_find_text(entry->value, "action");
        if (action && strcmp(action, "rebuild") != 0 && strcmp(action, "restart") != 0 &&
            !node_find_text(entry->value, "target"))
            report(v, entry->value, "services.%s.develop.watch: target is required for action %s", name, action);
    }
    if (!node_text(container_name))
        return;
    const struct node *earlier = map_find(v->container_names, container_name->text);
    if (earlier)
        report(v, container_name, "container name \"%s\" is already in use", container_name->text)->other = earlier->pos;
    else
        map_set(v->container_names, container_name->text, (void *)container_name);
}

/* ---- resources ---- */
static void check_volumes(struct validation *v)
{
    static const char *const excluded[] = {"driver", "driver_opts", "labels"};
    NODE_EACH(entry, node_find(v->tree, "volumes")) {
        if (!node_find_bool(entry->value, "external", false))
            continue;
        for (size_t i = 0; i < ARRAY_LEN(excluded); i++) {
            const struct node *other = node_find(entry->value, excluded[i]);
            if (other)
                report(v, other, "volumes.%s: conflicting parameters \"external\" and \"%s\" specified", entry->key,
                       excluded[i]);
        }
    }
}

static void check_file_objects(struct validation *v, const char *section, const char *kind)
{
    static const char *const sources[] = {"file", "environment", "content"};
    NODE_EACH(entry, node_find(v->tree, section)) {
        const struct node *object = entry->value;
        size_t count = 0;
        for (size_t i = 0; i < ARRAY_LEN(sources); i++)
            count += node_find(object, sources[i]) != NULL;
        bool elsewhere = node_find_bool(object, "external", false) || node_find_text(object, "driver");
        if (count > 1)
            report(v, object, "%s.%s: file|environment|content attributes are mutually exclusive", section, entry->key);
        else if (count == 0 && !elsewhere)
            report(v, object, "%s \"%s\": one of file, environment%s must be set", kind, entry->key,
                   strcmp(kind, "config") == 0 ? " or content" : "");
    }
}

/* ---- cycles ---- */
enum color { COLOR_NEW, COLOR_OPEN, COLOR_DONE };

struct visit {
    uint32_t service, next; /* index into services; dependency to look at next */
};

static void report_cycle(struct validation *v, const struct visit *stack, size_t depth, uint32_t target)
{
    _cleanup_str_ struct str text = {0};
    size_t start = 0;
    while (stack[start].service != target)
        start++;
    for (size_t i = start; i < depth; i++)
        str_addf(&text, "%s -> ", v->services->items[stack[i].service].key);
    str_add(&text, v->services->items[target].key);
    diag_error(v->diags, v->services->items[target].key_pos, NULL, "dependency cycle detected: %s", str_text(&text));
}

/* Depth first with a stack of our own: a chain of dependencies may be thousands long. */
static void check_cycles(struct validation *v)
{
    uint32_t count = v->services ? v->services->count : 0;
    _cleanup_free_ unsigned char *colors = xcalloc(count + 1, 1);
    _cleanup_free_ struct visit *stack = xcalloc(count + 1, sizeof(*stack));
    struct map *index = map_new(NULL);

    for (uint32_t i = 0; i < count; i++)
        map_set(index, v->services->items[i].key, (void *)(uintptr_t)(i + 1));
    for (uint32_t i = 0; i < count; i++) {
        size_t depth = 0;
        if (colors[i] == COLOR_NEW) {
            stack[depth++] = (struct visit){.service = i};
            colors[i] = COLOR_OPEN;
        }
        while (depth > 0) {
            struct visit *top = &stack[depth - 1];
            const struct node *dependencies = node_find(v->services->items[top->service].value, "depends_on");
            if (!dependencies || dependencies->kind != NODE_MAP || top->next >= dependencies->count) {
                colors[top->service] = COLOR_DONE;
                depth--;
                continue;
            }
            uintptr_t found = (uintptr_t)map_find(index, dependencies->items[top->next++].key);
            if (!found)
                continue;
            uint32_t next = (uint32_t)found - 1;
            if (colors[next] == COLOR_OPEN) {
                report_cycle(v, stack, depth, next);
            } else if (colors[next] == COLOR_NEW) {
                colors[next] = COLOR_OPEN;
                stack[depth++] = (struct visit){.service = next};
            }
        }
    }
    map_free(index);
}

void project_validate(struct loading *loading, const struct node *tree, const struct node *disabled)
{
    struct validation v = {.loading = loading, .diags = loading->diags, .tree = tree, .disabled = disabled,
                           .services = node_find(tree, "services"), .container_names = map_new(NULL)};
    NODE_EACH(entry, v.services)
        if (entry->value->kind == NODE_MAP)
            check_service(&v, entry->key, entry->value);
    check_volumes(&v);
    check_file_objects(&v, "configs", "config");
    check_file_objects(&v, "secrets", "secret");
    check_cycles(&v);
    map_free(v.container_names);
}
