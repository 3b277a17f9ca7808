/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - the pipeline: find files → read → interpolate → long form → include, extends, merge → select → environment →
 * normalise → validate → model. */
#include "parser/load.h"

#include <string.h>

#include "base/utf8.h"
#include "parser/bind.h"
#include "parser/canonical.h"
#include "parser/document.h"
#include "parser/env.h"
#include "parser/interpolate.h"
#include "parser/normalize.h"
#include "parser/project_env.h"
#include "parser/yaml_read.h"

/* Everything of one call; freed at its end, but for the arena of a good project. */
struct load {
    struct loading loading;
    struct node name_from; /* only pos, note and is_default */
    struct project_files files;
    struct load_use use;
    struct node **documents; /* of each file: raw, a list */
    struct node *overlay;    /* the same, of the command line; or NULL */
    const char *name;
    bool lost; /* parts of the files are missing in the tree: what refers to them cannot be judged */
    struct err *err;
};

bool load_has_room(struct loading *loading, struct pos pos)
{
    if (arena_used(loading->arena) <= LOAD_MEMORY_MAX)
        return true;
    if (!loading->use->full)
        diag_error(loading->diags, pos, NULL, "the project is bigger than %u MiB here, once it is resolved",
                   LOAD_MEMORY_MAX >> 20);
    loading->use->full = true;
    return false;
}

bool load_has_room_for_file(struct loading *loading, struct pos pos)
{
    if (++loading->use->files <= LOAD_FILES_MAX)
        return load_has_room(loading, pos);
    if (!loading->use->full)
        diag_error(loading->diags, pos, NULL, "more than %d files are included and extended", LOAD_FILES_MAX);
    loading->use->full = true;
    return false;
}

static void scope_free(void *env)
{
    env_free(env);
}

static void loading_done(struct loading *loading)
{
    map_free(loading->scopes);
    map_free(loading->scope_envs);
    map_free(loading->values);
    env_free(loading->env);
    map_free(loading->unset_seen);
    map_free(loading->files_read);
    map_free(loading->including);
    map_free(loading->variables);
}

static int loading_start(struct load *load, const struct load_options *options, struct diags *diags)
{
    load->loading = (struct loading){
        .arena = arena_new(), .diags = diags, .options = options, .env = env_from_process(options->environment),
        .unset_seen = map_new(NULL), .files_read = extends_files_new(), .including = map_new(NULL),
        .scopes = map_new(NULL), .scope_envs = map_new(scope_free), .values = map_new(NULL),
        .variables = options->list_variables ? map_new(NULL) : NULL, .use = &load->use};
    if (options->origins)
        load->loading.removed = node_new(load->loading.arena, NODE_MAP, (struct pos){0});
    return project_files_find(&load->loading, &load->files, load->err);
}

/* Reads every file before the first is interpolated: the project's name is a variable in all of them. */
static int read_files(struct load *load)
{
    struct loading *loading = &load->loading;
    load->documents = arena_alloc(loading->arena, (load->files.count + 1) * sizeof(*load->documents));
    for (size_t i = 0; i < load->files.count; i++) {
        _cleanup_free_ char *text = NULL;
        struct err err = {0};
        size_t size;
        if (file_read(load->files.paths[i], YAML_BYTES_MAX, &text, &size, &err) < 0) {
            if (err.code != ERR_LIMIT)
                return err_copy(load->err, &err);
            struct pos start = {.file = load->files.display[i], .line = 1, .column = 1};
            diag_error(loading->diags, start, NULL, "bigger than %u MiB, the limit for one file", YAML_BYTES_MAX >> 20);
            return -1;
        }
        load->documents[i] = yaml_read(loading->arena, load->files.display[i], text, size, loading->diags);
        load->lost = load->lost || !load->documents[i];
    }
    const char *overlay = loading->options->overlay;
    if (overlay) {
        load->overlay = yaml_read(loading->arena, "command line", overlay, strlen(overlay), loading->diags);
        load->lost = load->lost || !load->overlay;
    }
    return 0;
}

static int choose_name(struct load *load)
{
    struct loading *loading = &load->loading;
    const struct node *found = NULL;
    const char *text = NULL;

    for (size_t i = 0; i < load->files.count; i++)
        NODE_EACH(entry, load->documents[i])
            if (node_find_text(entry->value, "name"))
                found = node_find(entry->value, "name");
    if (found) {
        struct path step = {.key = "name"};
        text = interpolate_text(loading, found->text, found->pos, &step, NULL); /* also with no_interpolate: it is in names */
        if (!text)
            return -1;
    }
    if (project_name_choose(loading->arena, loading->options, loading->env, text, loading->working_dir, &load->name,
                            load->err) < 0)
        return -1;
    const char *variable = env_get(loading->env, "COMPOSE_PROJECT_NAME");
    if (loading->options->project_name)
        load->name_from.note = "--project-name";
    else if (variable && *variable)
        load->name_from.note = arena_printf(loading->arena, "COMPOSE_PROJECT_NAME from %s",
                                            env_origin(loading->env, "COMPOSE_PROJECT_NAME"));
    else if (found)
        load->name_from.pos = found->pos;
    else
        load->name_from.is_default = true;
    env_set(loading->env, "COMPOSE_PROJECT_NAME", load->name, "project");
    return 0;
}

static struct node *merge_document(struct load *load, struct node *tree, struct node *document, const char *path)
{
    struct loading *loading = &load->loading;
    size_t first_diag = loading->diags->count;

    if (!document_prepare(loading, document, loading->working_dir) && !document_salvage(loading, document, first_diag)) {
        load->lost = true; /* the findings of the other files are wanted, too */
        return tree;
    }
    size_t errors = loading->diags->error_count;
    struct node *next = document_add(loading, tree, document, path, loading->working_dir);
    load->lost = load->lost || !next || loading->diags->error_count > errors;
    return next ? next : tree;
}

/* One tree out of all files. */
static struct node *merge_files(struct load *load)
{
    struct node *tree = NULL;

    for (size_t i = 0; i < load->files.count; i++)
        NODE_EACH(entry, load->documents[i])
            tree = merge_document(load, tree, entry->value, load->files.paths[i]);
    NODE_EACH(entry, load->overlay)
        NODE_EACH(service, node_find(entry->value, "services"))
            if (!load->lost && !node_find(node_find(tree, "services"), service->key)) {
                diag_error(load->loading.diags, service->key_pos, NULL, "no such service: %s", service->key);
                return NULL;
            }
    NODE_EACH(entry, load->overlay)
        tree = merge_document(load, tree, entry->value, load->files.paths[load->files.count - 1]);
    return load->lost ? NULL : tree;
}

static void resolve_file_objects(struct loading *loading, const char *section, struct file_object *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!items[i].environment)
            continue;
        _cleanup_free_ char *key = xasprintf("%s.%s", section, items[i].key);
        const char *value = env_get(loading->env, items[i].environment);
        if (!value)
            value = map_find(loading->values, key);
        if (value && !utf8_is_valid(value))
            diag_error(loading->diags, items[i].pos, NULL, "the value of %s is not UTF-8: it cannot be passed on as it is",
                       items[i].environment);
        else if (value)
            items[i].environment_value = arena_strdup(loading->arena, value);
    }
}

static struct project *project_make(struct load *load, const struct node *canonical, const struct node *disabled)
{
    struct loading *loading = &load->loading;
    struct arena *arena = loading->arena;
    struct project *project = arena_alloc(arena, sizeof(*project));

    project->arena = arena;
    project->working_dir = loading->working_dir;
    project->config_files = (struct str_list){.items = load->files.paths, .count = load->files.count};
    project->env_files = (struct str_list){.items = load->files.env_files, .count = load->files.env_count};
    project->removed = loading->removed;
    project->not_interpolated = loading->options->no_interpolate;
    bind_project(project, canonical, disabled);
    resolve_file_objects(loading, "configs", project->configs.items, project->configs.count);
    resolve_file_objects(loading, "secrets", project->secrets.items, project->secrets.count);
    project_fingerprint(project);
    if (loading->variables)
        variables_list(loading, project);
    return project;
}

static struct project *build(struct load *load)
{
    struct loading *loading = &load->loading;
    const struct load_options *options = loading->options;
    struct shaping shaping = {.loading = loading, .arena = loading->arena, .diags = loading->diags,
                              .base_dir = loading->working_dir, .lenient = options->no_interpolate};
    struct node *tree = merge_files(load);

    if (!load->lost && (!tree || tree->count == 0))
        diag_error(loading->diags, (struct pos){.file = load->files.display[0]}, NULL, "empty compose file");
    if (!tree || tree->count == 0)
        return NULL;
    size_t errors = loading->diags->error_count;
    schema_finish(&shaping, &project_row, tree, NULL);
    if (loading->diags->error_count > errors)
        return NULL;
    struct node *disabled = node_new(loading->arena, NODE_MAP, tree->pos);
    if (!options->no_interpolate) /* as in the reference: what is not known yet selects nothing */
        services_select(loading, tree, disabled);
    services_complete(loading, tree);
    if (!options->no_normalize)
        services_normalize(loading, tree);
    if (!options->no_consistency && !options->no_interpolate) {
        services_copy_scale(loading, tree);
        project_validate(loading, tree, disabled);
    }
    if (loading->diags->error_count)
        return NULL;
    services_narrow(loading, tree, disabled);
    environment_resolve(loading, node_find(tree, "services")); /* no file of a service that is not asked for */
    if (loading->diags->error_count)
        return NULL;
    struct node *canonical = project_normalize(loading, tree, load->name), *name = node_find(canonical, "name");
    name->pos = load->name_from.pos;
    name->note = load->name_from.note;
    name->is_default = load->name_from.is_default;
    if (loading->diags->error_count)
        return NULL;
    struct project *project = project_make(load, canonical, disabled);
    return loading->diags->error_count ? NULL : project;
}

int project_load(const struct load_options *options, struct project **ret_project, struct diags *diags, struct err *err)
{
    struct load load = {.err = err};
    struct project *project = NULL;
    size_t errors = diags->error_count;

    if (loading_start(&load, options, diags) == 0 && diags->error_count == errors) {
        load.loading.working_dir = load.loading.root_dir = load.files.working_dir;
        if (read_files(&load) == 0 && choose_name(&load) == 0)
            project = build(&load);
    }
    loading_done(&load.loading);
    diags_sort(diags);
    diags_detach(diags);
    if (!project) {
        arena_free(load.loading.arena);
        return -1;
    }
    *ret_project = project;
    return 0;
}

int project_name_pick(const struct load_options *options, char **ret_name, struct err *err)
{
    struct diags diags = {0};
    struct load load = {.err = err};
    struct err ignored = {0};
    int rc = -1;

    load.err = &ignored;
    bool found = loading_start(&load, options, &diags) == 0;
    load.loading.working_dir = load.files.working_dir ? load.files.working_dir : options->cwd;
    if (!found || read_files(&load) < 0)
        load.files.count = 0;
    load.err = err;
    if (choose_name(&load) == 0) {
        *ret_name = xstrdup(load.name);
        rc = 0;
    } else if (err && !err->code) {
        err_set(err, ERR_CONFIG, "the project's name cannot be read");
    }
    loading_done(&load.loading);
    arena_free(load.loading.arena);
    diags_done(&diags);
    return rc;
}
