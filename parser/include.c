/* SPDX-License-Identifier: Apache-2.0 */
/* include.c - other projects loaded into this one, each with its own directory and environment. */
#include "parser/document.h"

#include <string.h>

#include "base/path.h"
#include "parser/dotenv.h"
#include "parser/merge.h"
#include "parser/normalize.h"
#include "parser/project_env.h"
#include "parser/yaml_read.h"

struct include {
    struct loading child;
    struct node *tree;
};

static const char *resolve(struct arena *arena, const char *base_dir, const char *path)
{
    _cleanup_free_ char *joined = path_join(base_dir, path), *clean = path_clean(joined);
    return arena_strdup(arena, clean);
}

static const char *directory_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash > path ? arena_strndup(arena, path, (size_t)(slash - path)) : "/";
}

/* A string or a list of strings as a list; NULL after a diagnostic. */
static const struct node *as_list(struct loading *loading, const struct node *value, const char *what)
{
    if (value && value->kind == NODE_STRING) {
        struct node *list = node_new(loading->arena, NODE_LIST, value->pos);
        node_push(loading->arena, list, node_string_ref(loading->arena, value->text, value->pos));
        return list;
    }
    bool good = value && value->kind == NODE_LIST;
    for (uint32_t i = 0; good && i < value->count; i++)
        good = value->items[i].value->kind == NODE_STRING;
    if (!good && value)
        diag_error(loading->diags, value->pos, "include", "%s must be a string or a list of strings", what);
    return good ? value : NULL;
}

static bool check_keys(struct loading *loading, const struct node *entry)
{
    if (entry->kind != NODE_MAP && entry->kind != NODE_STRING) {
        diag_error(loading->diags, entry->pos, "include", "must be a path or a mapping with 'path'");
        return false;
    }
    bool good = true;
    for (uint32_t i = 0; entry->kind == NODE_MAP && i < entry->count; i++) {
        const char *key = entry->items[i].key;
        if (strcmp(key, "path") != 0 && strcmp(key, "project_directory") != 0 && strcmp(key, "env_file") != 0) {
            diag_error(loading->diags, entry->items[i].key_pos, "include", "additional properties '%s' not allowed", key);
            good = false;
        }
    }
    return good;
}

static bool load_environment(struct loading *loading, struct loading *child, const struct node *entry)
{
    const struct node *value = node_find(entry, "env_file"), *files = as_list(loading, value, "env_file");
    struct err err = {0};
    const char **paths = arena_alloc(loading->arena, sizeof(*paths) * ((files ? files->count : 0) + 2));
    size_t count = 0;

    if (value && !files)
        return false;
    for (uint32_t i = 0; files && i < files->count; i++) {
        const char *path = resolve(loading->arena, loading->working_dir, files->items[i].value->text);
        if (strcmp(path, "/dev/null") != 0)
            paths[count++] = path;
    }
    bool fallback = !files || files->count == 0;
    if (fallback)
        paths[count++] = resolve(loading->arena, child->working_dir, ".env");
    if (project_env_add(loading, child->env, paths, fallback, &err) < 0) {
        diag_error(loading->diags, entry->pos, "include", "%s", err.message);
        return false;
    }
    return true;
}

/* Variables without a value are those of the included project's environment. */
static void resolve_variables(const struct loading *child, struct node *environment)
{
    if (!environment || environment->kind != NODE_MAP)
        return;
    NODE_EACH(entry, environment) {
        const char *text = entry->value->kind == NODE_NULL ? env_get(child->env, entry->key) : NULL;
        if (text)
            node_become(entry->value, node_string(child->arena, text, entry->value->pos));
    }
}

/* Its files are read later, with the included project's environment around them. */
static void note_env_files(const struct loading *child, const struct node *services)
{
    struct env *env = NULL;
    NODE_EACH(service, services)
        NODE_EACH(entry, node_find(service->value, "env_file")) {
            const char *path = node_find_text(entry->value, "path");
            if (!path || map_has(child->scopes, path))
                continue;
            if (!env) {
                _cleanup_free_ char *key = xasprintf("%zu", map_count(child->scope_envs));
                env = env_copy(child->env);
                map_set(child->scope_envs, key, env);
            }
            map_set(child->scopes, path, env);
        }
}

static void note_values(const struct loading *child, const struct node *tree, const char *section)
{
    NODE_EACH(entry, node_find(tree, section)) {
        const char *variable = node_find_text(entry->value, "environment");
        const char *value = variable ? env_get(child->env, variable) : NULL;
        _cleanup_free_ char *key = xasprintf("%s.%s", section, entry->key);
        if (value && !map_has(child->values, key))
            map_set(child->values, key, arena_strdup(child->arena, value));
    }
}

/* What depends on the included project's environment and directory is settled before it meets other files. */
static void settle(struct loading *child, struct node *tree)
{
    NODE_EACH(service, node_find(tree, "services")) {
        resolve_variables(child, node_find(service->value, "environment"));
        resolve_variables(child, node_find(node_find(service->value, "build"), "args"));
    }
    services_complete(child, tree);
    note_env_files(child, node_find(tree, "services"));
    note_values(child, tree, "secrets");
    note_values(child, tree, "configs");
    volumes_resolve_devices(child, node_find(tree, "volumes"));
}

static bool add_file(struct include *include, const struct node *from, const char *path)
{
    struct loading *child = &include->child;
    struct err err = {0};
    _cleanup_free_ char *text = NULL;
    size_t size;

    if (strstr(from->text, "://")) {
        diag_error(child->diags, from->pos, "include", "'%s' is a remote file, which is not supported", from->text);
        return false;
    }
    if (!load_has_room_for_file(child, from->pos))
        return false;
    if (map_has(child->including, path)) {
        diag_error(child->diags, from->pos, "include", "include cycle detected: %s includes itself", path);
        return false;
    }
    if (file_read(path, YAML_BYTES_MAX, &text, &size, &err) < 0) {
        diag_error(child->diags, from->pos, "include", "%s", err.message);
        return false;
    }
    struct node *documents = yaml_read(child->arena, path, text, size, child->diags);
    if (!documents)
        return false;
    map_set(child->including, path, child);
    bool good = true;
    for (uint32_t i = 0; good && i < documents->count; i++) {
        struct node *document = documents->items[i].value;
        good = document_prepare(child, document, child->working_dir);
        struct node *tree = good ? document_add(child, include->tree, document, path, child->working_dir) : NULL;
        good = tree != NULL;
        include->tree = tree;
    }
    map_remove(child->including, path);
    return good;
}

static struct node *load_entry(struct loading *loading, const struct node *entry, const char *base_dir)
{
    const struct node *paths = as_list(loading, entry->kind == NODE_STRING ? entry : node_find(entry, "path"), "path");
    const char *directory = node_find_text(entry, "project_directory");

    if (!paths || paths->count == 0) {
        if (entry->kind == NODE_MAP && !node_find(entry, "path"))
            diag_error(loading->diags, entry->pos, "include", "missing property 'path'");
        else if (paths)
            diag_error(loading->diags, paths->pos, "include", "path must not be empty");
        return NULL;
    }
    struct include include = {.child = *loading};
    const char *first = resolve(loading->arena, base_dir, paths->items[0].value->text);
    include.child.working_dir = directory ? resolve(loading->arena, base_dir, directory) : directory_of(loading->arena, first);
    include.child.depth++;
    if (include.child.depth > LOAD_FILE_DEPTH_MAX) {
        diag_error(loading->diags, entry->pos, "include", "more than %d includes in a row", LOAD_FILE_DEPTH_MAX);
        return NULL;
    }
    _cleanup_(env_freep) struct env *env = include.child.env = env_copy(loading->env);
    /* extended files were interpolated with another environment */
    _cleanup_(map_freep) struct map *files = include.child.files_read = extends_files_new();
    (void)files;
    if (!load_environment(loading, &include.child, entry))
        return NULL;
    for (uint32_t i = 0; i < paths->count; i++) {
        const char *path = resolve(loading->arena, base_dir, paths->items[i].value->text);
        if (!add_file(&include, paths->items[i].value, path))
            return NULL;
    }
    (void)env;
    if (!include.tree) /* empty files */
        include.tree = node_new(loading->arena, NODE_MAP, entry->pos);
    settle(&include.child, include.tree);
    return include.tree;
}

/* The parts of tree that an include gives; project-wide keys such as name and x-… stay where they are. */
static struct node *resources_of(struct arena *arena, const struct node *tree)
{
    static const char *const sections[] = {"services", "volumes", "networks", "secrets", "configs", "models"};
    struct node *given = node_new(arena, NODE_MAP, tree->pos);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        struct node_entry *section = node_entry_find(tree, sections[i]);
        if (section && section->value->kind != NODE_NULL)
            node_add(arena, given, section->key, section->key_pos, section->value);
    }
    return given;
}

struct node *include_load(struct loading *loading, const struct node *include, const char *path, const char *base_dir)
{
    struct node *tree = NULL;
    if (include->kind != NODE_LIST) {
        diag_error(loading->diags, include->pos, NULL, "include must be a list");
        return NULL;
    }
    bool outermost = !map_has(loading->including, path);
    if (outermost)
        map_set(loading->including, path, loading);
    NODE_EACH(entry, include) {
        struct node *one = check_keys(loading, entry->value) ? load_entry(loading, entry->value, base_dir) : NULL;
        if (!one) {
            tree = NULL;
            break;
        }
        one = resources_of(loading->arena, one);
        tree = tree ? merge_node(loading, &project_row, one, tree, NULL) : one;
    }
    if (outermost)
        map_remove(loading->including, path);
    return tree;
}
