/* SPDX-License-Identifier: Apache-2.0 */
/* canonical.c - `config` output, the JSON that the supervisor gets, fingerprints: all from the long form. */
#include "parser/canonical.h"

#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "parser/bind.h"
#include "parser/load.h"
#include "parser/node_json.h"
#include "parser/yaml_write.h"

/* ---- config output ---- */
struct output {
    struct arena *arena;
    bool as_json;
    bool as_written; /* no doubling of $ */
};

static const char *double_dollars(struct arena *arena, const char *text)
{
    _cleanup_str_ struct str out = {0};
    if (!strchr(text, '$'))
        return text;
    for (; *text; text++) {
        if (*text == '$')
            str_add_char(&out, '$');
        str_add_char(&out, *text);
    }
    return arena_strdup(arena, str_text(&out));
}

static struct node *output_node(const struct output *output, const struct key_row *row, const struct node *node,
                                bool top);

/* The row of a member: of the table, or that all members of a MAP_OF have. */
static const struct key_row *member_row(const struct key_row *row, const char *key, struct key_row *scratch)
{
    if (!row)
        return NULL;
    if (row->kind == VALUE_OBJECT)
        return table_row(row->table, key);
    if (row->kind != VALUE_MAP_OF && row->kind != VALUE_LIST_OF)
        return NULL;
    *scratch = (struct key_row){.name = "", .kind = VALUE_OBJECT, .table = row->table};
    return scratch;
}

/* What the reference implementation's JSON has although it is absent. */
static void add_json_members(const struct output *output, const struct key_row *row, struct node *map)
{
    if (!output->as_json || !row || row->kind != VALUE_OBJECT)
        return;
    for (size_t i = 0; i < row->table->count; i++) {
        const struct key_row *member = &row->table->rows[i];
        if (!(member->flags & (KEY_JSON_EMPTY | KEY_JSON_NULL)) || node_find(map, member->name))
            continue;
        struct node *value = node_new(output->arena, member->flags & KEY_JSON_NULL ? NODE_NULL : NODE_MAP, map->pos);
        node_set(output->arena, map, member->name, output_node(output, member, value, false));
    }
}

static void drop_zeros(struct node *pairs)
{
    NODE_EACH(pair, pairs)
        for (uint32_t i = 0; pair->value->kind == NODE_MAP && i < pair->value->count;) {
            const struct node *value = pair->value->items[i].value;
            if (value->kind == NODE_INT && value->integer == 0)
                node_remove_at(pair->value, i);
            else
                i++;
        }
}

/* A limit of one number as the reference's raw model has it. */
static void wrap_limits(const struct output *output, struct node *limits)
{
    NODE_EACH(entry, limits) {
        struct node *map = node_new(output->arena, NODE_MAP, entry->value->pos);
        if (!node_is_scalar(entry->value))
            continue;
        node_set(output->arena, map, "single", entry->value);
        entry->value = map;
    }
}

static struct node *output_node(const struct output *output, const struct key_row *row, const struct node *node,
                                bool top)
{
    if (output->as_written && node->written)
        return output_node(output, NULL, node->written, false);
    struct node *copy = arena_memdup(output->arena, node, sizeof(*node));
    struct key_row scratch;

    if (node->kind == NODE_STRING && !output->as_written)
        copy->text = double_dollars(output->arena, node->text);
    if (node_is_scalar(node))
        return copy;
    *copy = (struct node){.kind = node->kind, .is_default = node->is_default, .pos = node->pos, .note = node->note, .over = node->over,
                           .text = ""};
    for (uint32_t i = 0; i < node->count; i++) {
        const char *key = node->items[i].key;
        const struct key_row *member = member_row(row, key, &scratch);
        bool extension = key && !member && row && row->kind == VALUE_OBJECT && str_has_prefix(key, "x-");
        if (extension && output->as_json && !top)
            continue;
        if (top && output->as_json && strcmp(key, "models") == 0) /* the reference's JSON leaves them out */
            continue;
        if (output->as_json && member && member->json)
            key = member->json;
        struct node *value = output_node(output, member, node->items[i].value, false);
        if (key)
            node_add(output->arena, copy, key, node->items[i].key_pos, value);
        else
            node_push(output->arena, copy, value);
    }
    if (node->kind == NODE_MAP)
        add_json_members(output, row, copy);
    if (output->as_json && row && row->flags & KEY_JSON_PAIRS)
        drop_zeros(copy);
    if (output->as_written && row && row->merge == MERGE_FORM)
        wrap_limits(output, copy);
    return copy;
}

struct node *project_output_tree(struct arena *arena, const struct project *project, bool as_json)
{
    bool raw = project->not_interpolated;
    struct output output = {.arena = arena, .as_json = as_json && !raw, .as_written = raw};
    return output_node(&output, &project_row, project->canonical, true);
}

char *project_config_text(const struct project *project, bool as_json)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    const struct node *node = project_output_tree(arena, project, as_json);

    if (!as_json)
        return yaml_write(node);
    _cleanup_jv_ struct jv *value = node_to_jv(node);
    return jv_dump_pretty(value, true);
}

/* The canonical tree of a project that nobody shares yet. */
static struct node *owned(const struct node *node)
{
    return (struct node *)(uintptr_t)node;
}

void project_set_image(struct project *project, const char *service, const char *image)
{
    struct node *canonical = owned(node_find(node_find(project->canonical, "services"), service));
    if (!canonical)
        return;
    node_set(project->arena, canonical, "image", node_string(project->arena, image, canonical->pos));
    for (size_t i = 0; i < project->services.count; i++)
        if (strcmp(project->services.items[i].name, service) == 0)
            project->services.items[i].image = arena_strdup(project->arena, image);
}

void project_keep_images(struct project *project, bool as_json)
{
    struct node *canonical = owned(project->canonical);
    for (uint32_t i = 0; i < canonical->count;) {
        if (strcmp(canonical->items[i].key, "services") == 0)
            i++;
        else
            node_remove_at(canonical, i);
    }
    if (as_json)
        node_set(project->arena, canonical, "name", node_string(project->arena, "", canonical->pos));
    NODE_EACH(entry, node_find(canonical, "services"))
        for (uint32_t i = 0; i < entry->value->count;) {
            if (strcmp(entry->value->items[i].key, "image") == 0)
                i++;
            else
                node_remove_at(entry->value, i);
        }
}

/* ---- fingerprints ---- */
static const char *hash_of(struct arena *arena, const struct jv *value)
{
    char hex[HASH_HEX_SIZE];
    _cleanup_free_ char *text = jv_dump(value);
    hash_hex(text, strlen(text), hex);
    return arena_strdup(arena, hex);
}

static const char *service_hash(struct arena *arena, const struct node *node)
{
    _cleanup_jv_ struct jv *value = node_to_jv(node);
    for (size_t i = 0; i < service_table.count; i++)
        if (service_table.rows[i].flags & KEY_NO_HASH)
            jv_remove(value, service_table.rows[i].name);
    struct jv *deploy = jv_find(value, "deploy");
    if (deploy)
        jv_remove(deploy, "replicas");
    return hash_of(arena, value);
}

static const char *resource_hash(struct arena *arena, const struct node *node)
{
    _cleanup_jv_ struct jv *value = node_to_jv(node);
    return hash_of(arena, value);
}

void project_fingerprint(struct project *project)
{
    struct arena *arena = project->arena;
    for (size_t i = 0; i < project->services.count; i++)
        project->services.items[i].config_hash = service_hash(arena, project->services.items[i].canonical);
    for (size_t i = 0; i < project->disabled.count; i++)
        project->disabled.items[i].config_hash = service_hash(arena, project->disabled.items[i].canonical);
    for (size_t i = 0; i < project->networks.count; i++) {
        struct network *network = &project->networks.items[i];
        network->config_hash = resource_hash(arena, node_find(node_find(project->canonical, "networks"), network->key));
    }
    for (size_t i = 0; i < project->volumes.count; i++) {
        struct volume *volume = &project->volumes.items[i];
        volume->config_hash = resource_hash(arena, node_find(node_find(project->canonical, "volumes"), volume->key));
    }
}

/* ---- for the supervisor ---- */
#define PROJECT_JSON_VERSION 1

static struct jv *strings_to_jv(const struct str_list *list)
{
    struct jv *array = jv_array();
    for (size_t i = 0; i < list->count; i++)
        jv_add(array, jv_string(list->items[i]));
    return array;
}

static struct jv *values_to_jv(const struct file_object *items, size_t count)
{
    struct jv *object = jv_object();
    for (size_t i = 0; i < count; i++)
        if (items[i].environment && items[i].environment_value)
            jv_set_str(object, items[i].key, items[i].environment_value);
    return object;
}

struct jv *project_to_json(const struct project *project)
{
    struct jv *value = jv_object(), *disabled = jv_object();
    jv_set_int(value, "version", PROJECT_JSON_VERSION);
    jv_set_str(value, "working_dir", project->working_dir);
    jv_set(value, "config_files", strings_to_jv(&project->config_files));
    jv_set(value, "env_files", strings_to_jv(&project->env_files));
    jv_set(value, "project", node_to_jv(project->canonical));
    for (size_t i = 0; i < project->disabled.count; i++)
        jv_set(disabled, project->disabled.items[i].name, node_to_jv(project->disabled.items[i].canonical));
    jv_set(value, "disabled", disabled);
    jv_set(value, "config_values", values_to_jv(project->configs.items, project->configs.count));
    jv_set(value, "secret_values", values_to_jv(project->secrets.items, project->secrets.count));
    return value;
}

static void values_from_jv(struct arena *arena, const struct jv *object, struct file_object *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = jv_get_str(object, items[i].key, NULL);
        if (items[i].environment && value)
            items[i].environment_value = arena_strdup(arena, value);
    }
}

static void strings_from_jv(struct arena *arena, const struct jv *array, struct str_list *ret)
{
    struct binder binder = {.arena = arena};
    if (jv_kind(array) == JV_ARRAY)
        bind_strings(&binder, node_from_jv(arena, array), ret);
}

int project_from_json(const struct jv *value, struct project **ret_project, struct err *err)
{
    if (jv_kind(value) != JV_OBJECT || jv_get_int(value, "version", 0) != PROJECT_JSON_VERSION)
        return err_set(err, ERR_CORRUPT, "not a project of version %d", PROJECT_JSON_VERSION);
    const struct jv *canonical = jv_find(value, "project"), *disabled = jv_find(value, "disabled");
    if (jv_kind(canonical) != JV_OBJECT || !jv_get_str(canonical, "name", NULL))
        return err_set(err, ERR_CORRUPT, "the project has no name");
    struct arena *arena = arena_new();
    struct project *project = arena_alloc(arena, sizeof(*project));
    project->arena = arena;
    project->working_dir = arena_strdup(arena, jv_get_str(value, "working_dir", "/"));
    strings_from_jv(arena, jv_find(value, "config_files"), &project->config_files);
    strings_from_jv(arena, jv_find(value, "env_files"), &project->env_files);
    struct node *services = jv_kind(disabled) == JV_OBJECT ? node_from_jv(arena, disabled) : NULL;
    bind_project(project, node_from_jv(arena, canonical), services);
    values_from_jv(arena, jv_find(value, "config_values"), project->configs.items, project->configs.count);
    values_from_jv(arena, jv_find(value, "secret_values"), project->secrets.items, project->secrets.count);
    project_fingerprint(project);
    *ret_project = project;
    return 0;
}
