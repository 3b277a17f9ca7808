/* SPDX-License-Identifier: Apache-2.0 */
/* short_build.c - short forms of build sections and of top-level resources. */
#include "parser/short.h"

#include <string.h>

#include "base/map.h"
#include "base/str.h"

/* Contexts that are no directory here: URLs and git references. */
static bool is_remote(const char *text)
{
    static const char *const prefixes[] = {"git@", "github.com/", "service:", "docker-image:", "oci-layout:", "target:"};
    if (strstr(text, "://"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_has_prefix(text, prefixes[i]))
            return true;
    return false;
}

void lengthen_build(struct shaping *shaping, struct node *node, const struct path *path _unused_)
{
    if (node->kind != NODE_STRING)
        return;
    struct node *build = node_new(shaping->arena, NODE_MAP, node->pos);
    node_set(shaping->arena, build, "context", node_string_ref(shaping->arena, node->text, node->pos));
    node_become(node, build);
}

void lengthen_build_context(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_STRING || shape_is_open(shaping, node))
        return;
    if (str_has_prefix(node->text, "service:"))
        shape_error(shaping, node, path, "'service:' is not allowed as a build context");
    else if (!is_remote(node->text))
        node->text = shape_path(shaping, node->text);
}

static void resolve_context(struct shaping *shaping, struct node *value)
{
    if (value->kind == NODE_STRING && !shape_is_open(shaping, value) && !is_remote(value->text))
        value->text = shape_path(shaping, value->text);
}

void lengthen_additional_contexts(struct shaping *shaping, struct node *node, const struct path *path)
{
    for (uint32_t i = 0; (node->kind == NODE_MAP || node->kind == NODE_LIST) && i < node->count; i++) {
        struct node *value = node->items[i].value;
        if (node->kind == NODE_MAP) {
            resolve_context(shaping, value);
        } else if (value->kind == NODE_STRING && strchr(value->text, '=')) {
            const char *equals = strchr(value->text, '=');
            struct node *context = node_string_ref(shaping->arena, equals + 1, value->pos);
            resolve_context(shaping, context);
            value->text = arena_printf(shaping->arena, "%.*s=%s", (int)(equals - value->text), value->text, context->text);
        } else if (value->kind == NODE_STRING && value->tag == NODE_TAG_NONE && !shape_is_open(shaping, value)) {
            struct path step = {.parent = path, .index = i};
            shape_error(shaping, value, &step, "invalid value %s, expected key=value", value->text);
        }
    }
}

/* Long form: list of ID or "ID: PATH", which is read, too; with --no-interpolate a mapping. */
void lengthen_ssh(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_LIST && node->kind != NODE_MAP) {
        shape_error(shaping, node, path, "must be a list or a mapping, not %s", node_kind_text(node->kind));
        return;
    }
    struct arena *arena = shaping->arena;
    struct node *list = node_new(arena, NODE_LIST, node->pos), *map = node_new(arena, NODE_MAP, node->pos);
    _cleanup_(map_freep) struct map *seen = map_new(NULL);
    for (uint32_t i = 0; i < node->count; i++) {
        struct node *value = node->items[i].value;
        struct path step = {.parent = path, .key = node->items[i].key, .index = i};
        if (value->tag != NODE_TAG_RESET && (!node_is_scalar(value) || (!step.key && value->kind != NODE_STRING))) {
            shape_error(shaping, value, &step, "must be %s, not %s", step.key ? "a path or nothing" : "ID or ID=PATH",
                        node_kind_text(value->kind));
            continue;
        }
        const char *id = node->items[i].key, *text = node_text(value), *file = text ? text : "";
        if (!id && text) {
            const char *equals = strchr(text, '='), *colon = equals ? NULL : strstr(text, ": ");
            const char *cut = equals ? equals : colon;
            id = cut ? arena_strndup(arena, text, (size_t)(cut - text)) : text;
            file = equals ? equals + 1 : colon ? colon + 2 : "";
            if (!cut && strcmp(id, "default") != 0 && !shape_is_open(shaping, value))
                shape_error(shaping, value, path, "invalid ssh key '%s': expected default or ID=PATH", id);
        }
        if (!id)
            continue;
        struct node *where = *file ? node_string(arena, shape_path(shaping, file), value->pos)
                                   : node_new(arena, NODE_NULL, value->pos);
        const char *item = *file ? arena_printf(arena, "%s: %s", id, where->text) : id;
        const struct node *earlier = step.key ? NULL : map_find(seen, item);
        if (earlier)
            shape_twice(shaping, value, earlier, &step);
        map_set(seen, item, value);
        node_push(arena, list, node_string(arena, item, value->pos));
        node_set(arena, map, id, where);
    }
    node_become(node, list);
    node->written = shaping->lenient ? map : NULL;
}

void lengthen_external(struct shaping *shaping, struct node *node, const struct path *path)
{
    struct node *external = node_find(node, "external");
    if (!external || external->kind != NODE_MAP)
        return;
    struct node *name = node_find(external, "name"), *own = node_find(node, "name");
    bool closed = path->parent && path->parent->key &&
                  (strcmp(path->parent->key, "networks") == 0 || strcmp(path->parent->key, "volumes") == 0);
    NODE_EACH(entry, external)
        if (closed && strcmp(entry->key, "name") != 0 && !str_has_prefix(entry->key, "x-"))
            shape_error(shaping, entry->value, path, "additional properties '%s' not allowed in external", entry->key);
    if (name && own && !(node_text(name) && str_eq(node_text(name), node_text(own))))
        shape_error(shaping, name, path, "'external.name' (deprecated) and 'name' differ: only use name");
    else if (name && !own)
        node_set(shaping->arena, node, "name", name);
    node_become(external, node_bool(shaping->arena, true, external->pos));
}

char *subnet_identity(const struct node *item)
{
    const char *subnet = node_find_text(item, "subnet");
    return subnet ? xstrdup(subnet) : NULL;
}
