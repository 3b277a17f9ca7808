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
    struct node *services; /* of the file and what it includes */
    struct map *raw;       /* names of those that are not in long form yet; NULL: none */
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

/* Another file, read once a load. Only the services that somebody extends are judged, when it happens. */
struct other_file {
    struct node *services; /* NULL: not usable */
    struct map *raw;       /* names of services that are not in long form yet */
};

static void other_file_free(void *file)
{
    map_free(((struct other_file *)file)->raw);
}

struct map *extends_files_new(void)
{
    return map_new(other_file_free);
}

static void note_raw(struct other_file *file)
{
    NODE_EACH(entry, file->services)
        map_set(file->raw, entry->key, file);
}

static struct other_file *other_file_read(const struct source *source, const struct node *file, const char *path,
                                          const char *base_dir)
{
    struct loading *loading = source->loading;
    struct other_file *other = map_find(loading->files_read, path);
    _cleanup_free_ char *text = NULL;
    size_t size;
    struct err err = {0};

    if (other)
        return other;
    if (!load_has_room_for_file(loading, file->pos))
        return NULL;
    if (file_read(path, YAML_BYTES_MAX, &text, &size, &err) < 0) {
        diag_error(loading->diags, file->pos, NULL, "extends: %s", err.message);
        return NULL;
    }
    struct node *documents = yaml_read(loading->arena, path, text, size, loading->diags), *tree = NULL;
    other = arena_alloc(loading->arena, sizeof(*other));
    *other = (struct other_file){.raw = map_new(NULL)};
    map_set(loading->files_read, path, other); /* not usable until it is good */
    if (documents && documents->count == 1) {
        tree = documents->items[0].value;
        if (!document_interpolate(loading, tree))
            return NULL;
        other->services = node_find(tree, "services");
        if (other->services && other->services->kind == NODE_MAP)
            note_raw(other);
    }
    for (uint32_t i = 0; !tree && documents && i < documents->count; i++) {
        struct node *document = documents->items[i].value;
        if (!document_prepare(loading, document, base_dir))
            return NULL;
        tree = merge_node_marked(loading, &project_row, tree, document, NULL);
        other->services = node_find(tree, "services");
    }
    if (documents && (!other->services || other->services->kind != NODE_MAP)) {
        diag_error(loading->diags, file->pos, NULL, "extends: %s has no services", node_text(file));
        other->services = NULL;
    }
    return other;
}

/* A service of another file goes to its long form when it is needed. */
static bool shape_raw(const struct source *source, const char *name, struct node *service)
{
    struct loading *loading = source->loading;
    struct path services_step = {.key = "services"}, step = {.parent = &services_step, .key = name};
    struct shaping shaping = {.loading = loading, .arena = loading->arena, .diags = loading->diags,
                              .base_dir = source->base_dir, .lenient = loading->options->no_interpolate};
    size_t errors = loading->diags->error_count;

    if (!source->raw || !map_has(source->raw, name))
        return true;
    map_remove(source->raw, name);
    schema_shape(&shaping, &service_row, service, &step);
    return loading->diags->error_count == errors;
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
    const struct other_file *read = other_file_read(source, file, path, base_dir);
    if (!read || !read->services)
        return NULL;
    struct source other = {.loading = source->loading, .path = path, .base_dir = base_dir, .services = read->services,
                           .raw = read->raw};
    return resolve_service(&other, name, chain, file);
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
    if (!service) {
        diag_error(loading->diags, from->pos, NULL, "cannot extend service: service \"%s\" not found in %s", name,
                   path_base(source->path));
        return NULL;
    }
    if (!shape_raw(source, name, service))
        return NULL;
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
    base = merge_settle(node_copy(loading->arena, base));
    struct pos pos = service->pos;
    service = merge_node_marked(loading, &service_row, base, service, &step);
    service->pos = pos;
    node_entry_find(source->services, name)->value = service;
    return service;
}

void extends_resolve(struct loading *loading, struct node *document, const char *path, const char *base_dir)
{
    struct source source = {.loading = loading, .services = node_find(document, "services"), .path = path,
                            .base_dir = base_dir};
    if (!source.services || source.services->kind != NODE_MAP)
        return;
    for (uint32_t i = 0; i < source.services->count; i++) {
        const struct node_entry *entry = &source.services->items[i];
        if (node_find(entry->value, "extends"))
            resolve_service(&source, entry->key, NULL, entry->value);
    }
}
