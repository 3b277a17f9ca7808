/* SPDX-License-Identifier: Apache-2.0 */
/* environment.c - env_file, label_file and variables without a value become plain environment and labels. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/utf8.h"
#include "parser/document.h"
#include "parser/dotenv.h"
#include "parser/interpolate.h"
#include "parser/normalize.h"

/* Surroundings of an env_file: project environment, then the service's own variables. A label_file has none: it sees
 * the labels above and those of the files before it. */
struct surroundings {
    struct loading *loading;
    bool labels;
    const struct env *env; /* the project's; of an included file: the include's */
    const struct node *environment;
    struct pos pos;
    const char *file; /* that is read now; in the arena */
};

static const char *lookup(void *context, const char *name)
{
    const struct surroundings *around = context;
    if (around->labels)
        return NULL;
    const char *value = env_get(around->env, name);
    return value ? value : node_find_text(around->environment, name);
}

static void unset(void *context, const char *name, unsigned line)
{
    const struct surroundings *around = context;
    struct pos pos = {.file = around->file, .line = line, .column = 1};
    interpolate_unset(around->loading, pos, NULL, name);
}

/* Reads one file into env; a missing file that is not required is empty. */
static void read_env_file(struct surroundings *around, const char *written, const char *format, bool required,
                          struct env *env)
{
    struct loading *loading = around->loading;
    _cleanup_free_ char *path = path_join(loading->working_dir, written); /* relative with no_path_resolution */
    struct dotenv_options options = {.lookup = lookup, .unset = unset, .context = around, .file = path};
    struct err err = {0};
    const struct env *scope = map_find(loading->scopes, written);
    _cleanup_free_ char *text = NULL;
    size_t size;

    around->env = scope ? scope : loading->env;
    around->file = arena_strdup(loading->arena, path);
    if (file_read(path, DOTENV_BYTES_MAX, &text, &size, &err) < 0) {
        if (err.code == ERR_NOT_FOUND && !required)
            return;
        if (err.code == ERR_NOT_FOUND)
            diag_error(loading->diags, around->pos, NULL, "%s file %s not found", around->labels ? "label" : "env", path);
        else
            diag_error(loading->diags, around->pos, NULL, "%s", err.message);
        return;
    }
    int rc;
    if (!format || !*format)
        rc = dotenv_parse(text, size, &options, env, &err);
    else if (strcmp(format, "raw") == 0)
        rc = dotenv_parse_raw(text, size, &options, env, &err);
    else
        rc = err_set(&err, ERR_CONFIG, "unsupported env_file format '%s'", format);
    if (rc < 0)
        diag_error(loading->diags, around->pos, NULL, "%s", err.message);
}

/* FILE:LINE as a position. */
static struct pos pos_of(struct arena *arena, const char *origin)
{
    const char *colon = strrchr(origin, ':');
    return (struct pos){.file = arena_strndup(arena, origin, (size_t)(colon - origin)),
                        .line = (unsigned)strtoul(colon + 1, NULL, 10), .column = 1};
}

/* Variables of files under those that the service has itself. */
static void put_under(struct loading *loading, struct node *service, const char *key, const struct env *env, struct pos pos)
{
    struct node *merged = node_new(loading->arena, NODE_MAP, pos);
    const struct node *own = node_find(service, key);
    for (size_t i = 0; i < env_count(env); i++) {
        const char *name = env_name_at(env, i);
        struct node *value = node_string(loading->arena, env_get(env, name), pos_of(loading->arena, env_origin(env, name)));
        node_add(loading->arena, merged, arena_strdup(loading->arena, name), pos, value);
    }
    NODE_EACH(entry, own) {
        node_add_loser(loading->arena, entry->value, node_find(merged, entry->key));
        node_set(loading->arena, merged, entry->key, entry->value);
    }
    if (merged->count)
        node_set(loading->arena, service, key, merged);
}

static void resolve_null_values(struct loading *loading, struct node *environment)
{
    NODE_EACH(entry, environment) {
        const char *value = entry->value->kind == NODE_NULL ? env_get(loading->env, entry->key) : NULL;
        if (value) {
            struct node *text = node_string(loading->arena, value, entry->value->pos);
            if (loading->options->origins) {
                _cleanup_free_ char *note = env_explain(loading->env, entry->key);
                text->note = arena_strdup(loading->arena, note);
            }
            node_become(entry->value, text);
        }
    }
}

static void resolve_env_files(struct loading *loading, struct node *service)
{
    const struct node *files = node_find(service, "env_file");
    struct surroundings around = {.loading = loading, .environment = node_find(service, "environment")};
    if (!files || files->kind != NODE_LIST)
        return;
    _cleanup_(env_freep) struct env *env = env_new();
    NODE_EACH(entry, files) {
        const char *path = node_find_text(entry->value, "path");
        around.pos = entry->value->pos;
        if (path)
            read_env_file(&around, path, node_find_text(entry->value, "format"),
                          node_find_bool(entry->value, "required", true), env);
    }
    put_under(loading, service, "environment", env, files->pos);
    node_remove(service, "env_file");
}

static void resolve_label_files(struct loading *loading, struct node *service)
{
    const struct node *files = node_find(service, "label_file");
    struct surroundings around = {.loading = loading, .labels = true};
    if (!files || files->kind != NODE_LIST)
        return;
    _cleanup_(env_freep) struct env *env = env_new();
    NODE_EACH(entry, files) {
        around.pos = entry->value->pos;
        if (node_text(entry->value))
            read_env_file(&around, entry->value->text, NULL, true, env);
    }
    put_under(loading, service, "labels", env, files->pos);
    node_remove(service, "label_file");
}

/* Files of YAML are UTF-8, environments need not be; what is made of them (JSON, too) has to be. */
static void check_text(struct loading *loading, struct node *node, const char *name)
{
    if (utf8_is_valid(node->text))
        return;
    diag_error(loading->diags, node->pos, NULL, "the value of %s is not UTF-8: it cannot be passed on as it is", name);
    node->text = "";
}

static void check_texts(struct loading *loading, struct node *node)
{
    NODE_EACH(entry, node)
        if (entry->value->kind == NODE_STRING)
            check_text(loading, entry->value, entry->key ? entry->key : "an item");
        else if (!node_is_scalar(entry->value))
            check_texts(loading, entry->value);
}

void variables_resolve_written(struct loading *loading, const struct node *variables, bool keep)
{
    struct node *written = variables ? variables->written : NULL;
    for (uint32_t i = 0; written && written->kind >= NODE_LIST && i < written->count; i++) {
        struct node *value = written->items[i].value;
        const char *key = written->items[i].key, *name = key ? key : node_text(value);
        if (!name || (key ? value->kind != NODE_NULL : strchr(name, '=') != NULL))
            continue;
        const char *text = env_get(loading->env, name);
        if (text && !key)
            text = arena_printf(loading->arena, "%s=%s", name, text);
        if (text)
            node_become(value, node_string(loading->arena, text, value->pos));
        else if (!keep)
            node_remove_at(written, i--);
    }
}

void environment_resolve(struct loading *loading, struct node *services)
{
    NODE_EACH(entry, services) {
        struct node *service = entry->value;
        if (service->kind != NODE_MAP)
            continue;
        if (!load_has_room(loading, entry->key_pos))
            return;
        if (!loading->options->no_env_resolution)
            resolve_null_values(loading, node_find(service, "environment"));
        if (loading->options->no_interpolate) { /* names of files may have variables */
            variables_resolve_written(loading, node_find(service, "environment"), true);
            continue;
        }
        if (!loading->options->no_env_resolution)
            resolve_env_files(loading, service);
        resolve_label_files(loading, service);
    }
    check_texts(loading, services);
}
