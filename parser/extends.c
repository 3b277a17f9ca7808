/* SPDX-License-Identifier: Apache-2.0 */
/* extends.c - a service built on another one, of the same file or of another. The base is merged under the extending
 * service before override files come. Relative paths of another file are relative to it. */
#include "parser/document.h"

#include <string.h>

#include "base/path.h"
#include "parser/merge.h"
#include "parser/yaml_read.h"

/* One file whose services are being resolved. */
struct source {
    struct loading *loading;
    struct node *services;       /* of the file */
    const struct node *fallback; /* of what it includes; may be NULL */
    const char *path, *base_dir;
};

/* The way of extends so far, to find circles. */
struct chain {
    const struct chain *parent;
    const char *path, *service;
    unsigned length;
};

static const struct key_row service_row = {"", VALUE_OBJECT, MERGE_DEEP, .table = &service_table};

static struct node *resolve_service(const struct source *source, const char *name, const struct chain *parent,
                                    const struct node *from);

static bool is_circle(const struct loading *loading, const struct chain *chain, const struct node *from)
{
    for (const struct chain *step = chain->parent; step; step = step->parent)
        if (strcmp(step->service, chain->service) == 0 && strcmp(step->path, chain->path) == 0) {
            diag_error(loading->diags, from->pos, NULL, "Circular reference: service '%s' in %s extends itself",
                       chain->service, path_base(chain->path));
            return true;
        }
    if (chain->length > LOAD_FILE_DEPTH_MAX) {
        diag_error(loading->diags, from->pos, NULL, "more than %d extends in a row", LOAD_FILE_DEPTH_MAX);
        return true;
    }
    return false;
}

/* Services of another file, in long form, read once a load. */
static struct node *other_services(const struct source *source, const struct node *file, const char *path,
                                   const char *base_dir)
{
    struct loading *loading = source->loading;
    struct node *services = map_find(loading->files_read, path);
    _cleanup_free_ char *text = NULL;
    size_t size;
    struct err err = {0};

    if (services)
        return services->kind == NODE_MAP ? services : NULL;
    if (!load_has_room_for_file(loading, file->pos))
        return NULL;
    if (file_read(path, YAML_BYTES_MAX, &text, &size, &err) < 0) {
        diag_error(loading->diags, file->pos, NULL, "extends: %s", err.message);
        return NULL;
    }
    struct node *documents = yaml_read(loading->arena, path, text, size, loading->diags), *tree = NULL;
    map_set(loading->files_read, path, node_new(loading->arena, NODE_NULL, file->pos)); /* bad until it is good */
    if (!documents)
        return NULL;
    NODE_EACH(entry, documents) {
        if (!document_prepare(loading, entry->value, base_dir))
            return NULL;
        tree = merge_node(loading->arena, loading->diags, &project_row, tree, entry->value, NULL);
    }
    services = node_find(tree, "services");
    if (!services) {
        diag_error(loading->diags, file->pos, NULL, "extends: %s has no services", node_text(file));
        return NULL;
    }
    map_set(loading->files_read, path, services);
    return services;
}

static struct node *resolve_in_file(const struct source *source, const char *name, const struct node *file,
                                    const struct chain *chain)
{
    struct arena *arena = source->loading->arena;
    if (strstr(file->text, "://")) {
        diag_error(source->loading->diags, file->pos, NULL, "extends: '%s' is a remote file, which is not supported",
                   file->text);
        return NULL;
    }
    _cleanup_free_ char *joined = path_join(source->base_dir, file->text), *clean = path_clean(joined);
    const char *path = arena_strdup(arena, clean);
    const char *slash = strrchr(path, '/');
    const char *base_dir = slash && slash > path ? arena_strndup(arena, path, (size_t)(slash - path)) : "/";
    if (strcmp(path, source->path) == 0)
        return resolve_service(source, name, chain, file);
    struct source other = {.loading = source->loading, .path = path, .base_dir = base_dir,
                           .services = other_services(source, file, path, base_dir)};
    return other.services ? resolve_service(&other, name, chain, file) : NULL;
}

/* The service in long form with its extends worked in; stored in source->services. NULL after a diagnostic. */
static struct node *resolve_service(const struct source *source, const char *name, const struct chain *parent,
                                    const struct node *from)
{
    struct loading *loading = source->loading;
    struct chain chain = {.parent = parent, .path = source->path, .service = name,
                          .length = parent ? parent->length + 1 : 0};
    struct node_entry *entry = node_entry_find(source->services, name);
    struct node *service = entry ? entry->value : NULL;

    if (is_circle(loading, &chain, from))
        return NULL;
    if (!service && source->fallback && node_find(source->fallback, name))
        return node_find(source->fallback, name);
    if (!service) {
        diag_error(loading->diags, from->pos, NULL, "cannot extend service: service \"%s\" not found in %s", name,
                   path_base(source->path));
        return NULL;
    }
    struct node *extends = node_find(service, "extends");
    if (!extends || service->kind != NODE_MAP)
        return service;
    if (extends->kind != NODE_MAP || extends->tag == NODE_TAG_RESET) {
        node_remove(service, "extends");
        return service;
    }
    const char *base_name = node_find_text(extends, "service");
    const struct node *file = node_find(extends, "file");
    if (!base_name) {
        diag_error(loading->diags, extends->pos, NULL, "extends.%s.service is required", name);
        return NULL;
    }
    struct node *base = file && node_text(file) ? resolve_in_file(source, base_name, file, &chain)
                                                : resolve_service(source, base_name, &chain, extends);
    node_remove(service, "extends");
    if (!base || !load_has_room(loading, extends->pos))
        return NULL;
    struct path services_step = {.key = "services"}, step = {.parent = &services_step, .key = name};
    base = node_copy(loading->arena, base);
    struct pos pos = service->pos;
    service = merge_node(loading->arena, loading->diags, &service_row, base, service, &step);
    service->pos = pos;
    node_entry_find(source->services, name)->value = service;
    return service;
}

void extends_resolve(struct loading *loading, struct node *document, const struct node *fallback, const char *path,
                     const char *base_dir)
{
    struct source source = {.loading = loading, .services = node_find(document, "services"), .fallback = fallback,
                            .path = path, .base_dir = base_dir};
    if (!source.services || source.services->kind != NODE_MAP)
        return;
    for (uint32_t i = 0; i < source.services->count; i++) {
        const struct node_entry *entry = &source.services->items[i];
        if (node_find(entry->value, "extends"))
            resolve_service(&source, entry->key, NULL, entry->value);
    }
}
