/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_read.c - the only reader that knows libyaml. Works on its event stream, so that depth, memory and
 * alias expansion are bounded before anything is built: the size of an anchored subtree is known when an
 * alias asks for a copy of it. */
#include "parser/yaml_read.h"

#include <string.h>
#include <yaml.h>

#include "base/map.h"
#include "parser/scalar.h"

struct anchor {
    struct node *node;
    size_t size; /* bytes that a copy takes */
    bool open;   /* still being read: an alias now would be a cycle */
};

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    const char *file;
    struct diags *diags;
    struct map *anchors;
    size_t memory_max; /* of the arena, for this file */
};

static struct pos mark_pos(const struct reader *reader, const yaml_mark_t *mark)
{
    return (struct pos){
        .file = reader->file, .line = (unsigned)mark->line + 1, .column = (unsigned)mark->column + 1};
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event))
        return 0;
    const yaml_parser_t *parser = &reader->parser;
    struct pos pos = mark_pos(reader, &parser->problem_mark);
    diag_error(reader->diags, pos, NULL, "%s", parser->problem ? parser->problem : "this is not YAML");
    return -1;
}

static enum node_tag tag_of(const yaml_char_t *tag)
{
    if (!tag)
        return NODE_TAG_NONE;
    if (strcmp((const char *)tag, "!reset") == 0)
        return NODE_TAG_RESET;
    return strcmp((const char *)tag, "!override") == 0 ? NODE_TAG_OVERRIDE : NODE_TAG_NONE;
}

static struct node *scalar_node(struct reader *reader, const yaml_event_t *event, struct pos pos)
{
    const char *value = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct scalar scalar = {.kind = NODE_STRING};
    struct node *node;

    bool local_tag = tag_of(event->data.scalar.tag) != NODE_TAG_NONE || (tag && strcmp(tag, "!") == 0);
    if ((plain && (!tag || local_tag)) || (tag && !local_tag && strcmp(tag, YAML_STR_TAG) != 0 && tag[0] != '!'))
        scalar = scalar_resolve(value);
    switch (scalar.kind) {
    case NODE_NULL: node = node_new(reader->arena, NODE_NULL, pos); break;
    case NODE_BOOL: node = node_bool(reader->arena, scalar.boolean, pos); break;
    case NODE_INT: node = node_int(reader->arena, scalar.integer, pos); break;
    case NODE_FLOAT:
        node = node_float(reader->arena, scalar.number, pos);
        if (scalar.big)
            node->text = arena_printf(reader->arena, "%llu", (unsigned long long)scalar.big);
        break;
    default:
        node = node_new(reader->arena, NODE_STRING, pos);
        node->text = arena_strndup(reader->arena, value, event->data.scalar.length);
        node->quoted = !plain;
    }
    return node;
}

/* "\0" cannot be in a name, a path or a variable: cut off there, it would be something else. */
static bool has_nul(struct reader *reader, const yaml_event_t *event, struct pos pos)
{
    if (!memchr(event->data.scalar.value, '\0', event->data.scalar.length))
        return false;
    diag_error(reader->diags, pos, NULL, "a zero byte cannot be in a value");
    return true;
}

static void anchor_set(struct reader *reader, const char *name, struct node *node, size_t size, bool open)
{
    struct anchor *anchor = arena_alloc(reader->arena, sizeof(*anchor));
    *anchor = (struct anchor){.node = node, .size = size, .open = open};
    map_set(reader->anchors, name, anchor);
}

static struct node *read_node(struct reader *reader, const yaml_event_t *event, unsigned depth);

static struct node *alias_node(struct reader *reader, const yaml_event_t *event, struct pos pos)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor = map_find(reader->anchors, name);

    if (!anchor) {
        diag_error(reader->diags, pos, NULL, "unknown anchor '%s' referenced", name);
        return NULL;
    }
    if (anchor->open) {
        diag_error(reader->diags, pos, NULL, "cycle detected: anchor '%s' contains itself", name)->other =
            anchor->node->pos;
        return NULL;
    }
    if (arena_used(reader->arena) + anchor->size > reader->memory_max) {
        diag_error(reader->diags, pos, NULL, "aliases make the values of this file bigger than %u MiB", YAML_MEMORY_MAX >> 20);
        return NULL;
    }
    return node_copy(reader->arena, anchor->node);
}

static struct node *read_list(struct reader *reader, struct node *list, unsigned depth)
{
    for (;;) {
        yaml_event_t event;
        if (next_event(reader, &event) < 0)
            return NULL;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return list;
        }
        struct node *value = read_node(reader, &event, depth + 1);
        yaml_event_delete(&event);
        if (!value)
            return NULL;
        node_push(reader->arena, list, value);
    }
}

/* A key as text, or NULL with a diagnostic; *ret_merge for a plain <<, *ret_drop when it is told and without use. */
static const char *read_key(struct reader *reader, const yaml_event_t *event, bool *ret_merge, bool *ret_drop)
{
    struct pos pos = mark_pos(reader, &event->start_mark);
    const struct node *node = NULL;

    if (event->type == YAML_ALIAS_EVENT)
        node = alias_node(reader, event, pos);
    else if (event->type == YAML_SCALAR_EVENT && has_nul(reader, event, pos))
        return NULL;
    else if (event->type == YAML_SCALAR_EVENT && event->data.scalar.length <= YAML_KEY_MAX)
        node = scalar_node(reader, event, pos);
    else if (event->type == YAML_SCALAR_EVENT) {
        diag_error(reader->diags, pos, NULL, "a key of more than %u KiB", YAML_KEY_MAX >> 10);
        return NULL;
    }
    if (event->type == YAML_ALIAS_EVENT && !node)
        return NULL;
    if (!node || node->kind != NODE_STRING) {
        diag_error(reader->diags, pos, NULL, "non-string key%s%s", node ? ": " : "", node ? node->text : "");
        *ret_drop = node && node_is_scalar(node);
        return *ret_drop ? node->text : NULL;
    }
    *ret_merge = !node->quoted && strcmp(node->text, "<<") == 0;
    return node->text;
}

/* Adds what a << value brings and the map does not have. */
static int merge_into(struct reader *reader, struct node *map, const struct node *source)
{
    if (source->kind == NODE_LIST) {
        NODE_EACH(entry, source)
            if (entry->value->kind != NODE_MAP || merge_into(reader, map, entry->value) < 0) {
                diag_error(reader->diags, entry->value->pos, NULL, "'<<' needs a mapping or a list of mappings");
                return -1;
            }
        return 0;
    }
    if (source->kind != NODE_MAP) {
        diag_error(reader->diags, source->pos, NULL, "'<<' needs a mapping or a list of mappings");
        return -1;
    }
    NODE_EACH(entry, source) {
        struct node_entry *own = node_entry_find(map, entry->key);
        if (own)
            node_add_loser(reader->arena, own->value, entry->value);
        else
            node_add(reader->arena, map, entry->key, entry->key_pos, entry->value);
    }
    return 0;
}

static struct node *read_map(struct reader *reader, struct node *map, unsigned depth)
{
    struct node *merge = NULL;

    for (;;) {
        yaml_event_t event;
        bool is_merge = false, drop = false;
        if (next_event(reader, &event) < 0)
            return NULL;
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return merge && merge_into(reader, map, merge) < 0 ? NULL : map;
        }
        struct pos key_pos = mark_pos(reader, &event.start_mark);
        const char *key = read_key(reader, &event, &is_merge, &drop);
        const struct node_entry *earlier = key && !is_merge && !drop ? node_entry_find(map, key) : NULL;
        yaml_event_delete(&event);
        if (!key)
            return NULL;
        if (earlier || (is_merge && merge)) {
            diag_error(reader->diags, key_pos, NULL, "mapping key '%s' is already defined", key)->other =
                earlier ? earlier->key_pos : merge->pos;
        }
        if (next_event(reader, &event) < 0)
            return NULL;
        struct node *value = read_node(reader, &event, depth + 1);
        yaml_event_delete(&event);
        if (!value)
            return NULL;
        if (is_merge)
            merge = value;
        else if (!earlier && !drop)
            node_add(reader->arena, map, key, key_pos, value);
    }
}

static struct node *read_collection(struct reader *reader, const yaml_event_t *event, struct pos pos, unsigned depth)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    struct node *node = node_new(reader->arena, is_map ? NODE_MAP : NODE_LIST, pos);
    const yaml_char_t *anchor = is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    size_t before = arena_used(reader->arena);

    node->tag = tag_of(is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag);
    if (depth >= YAML_DEPTH_MAX) {
        diag_error(reader->diags, pos, NULL, "nested deeper than %d levels", YAML_DEPTH_MAX);
        return NULL;
    }
    if (anchor)
        anchor_set(reader, (const char *)anchor, node, 0, true);
    node = is_map ? read_map(reader, node, depth) : read_list(reader, node, depth);
    if (anchor && node)
        anchor_set(reader, (const char *)anchor, node, arena_used(reader->arena) - before + sizeof(*node), false);
    return node;
}

static struct node *read_node(struct reader *reader, const yaml_event_t *event, unsigned depth)
{
    struct pos pos = mark_pos(reader, &event->start_mark);

    if (arena_used(reader->arena) > reader->memory_max) {
        diag_error(reader->diags, pos, NULL, "the values of this file are bigger than %u MiB", YAML_MEMORY_MAX >> 20);
        return NULL;
    }
    switch (event->type) {
    case YAML_ALIAS_EVENT: return alias_node(reader, event, pos);
    case YAML_SCALAR_EVENT: {
        if (has_nul(reader, event, pos))
            return NULL;
        struct node *node = scalar_node(reader, event, pos);
        node->tag = tag_of(event->data.scalar.tag);
        if (event->data.scalar.anchor)
            anchor_set(reader, (const char *)event->data.scalar.anchor, node, sizeof(*node), false);
        return node;
    }
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: return read_collection(reader, event, pos, depth);
    default: diag_error(reader->diags, pos, NULL, "this is not YAML"); return NULL;
    }
}

static struct node *read_documents(struct reader *reader)
{
    struct node *documents = node_new(reader->arena, NODE_LIST, (struct pos){.file = reader->file});

    for (;;) {
        yaml_event_t event;
        if (next_event(reader, &event) < 0)
            return NULL;
        yaml_event_type_t type = event.type;
        struct node *node = NULL;
        bool content = type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
                       type == YAML_MAPPING_START_EVENT || type == YAML_ALIAS_EVENT;
        if (type == YAML_DOCUMENT_START_EVENT) {
            map_free(reader->anchors);
            reader->anchors = map_new(NULL);
        }
        if (content)
            node = read_node(reader, &event, 0);
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT)
            return documents;
        if (content && !node)
            return NULL;
        if (node && node->kind != NODE_NULL) /* nothing between two "---" */
            node_push(reader->arena, documents, node);
    }
}

struct node *yaml_read(struct arena *arena, const char *file, const char *text, size_t size,
                       struct diags *diags)
{
    struct reader reader = {.arena = arena, .file = file, .diags = diags,
                            .memory_max = arena_used(arena) + YAML_MEMORY_MAX};

    if (size > YAML_BYTES_MAX) {
        diag_error(diags, (struct pos){.file = file}, NULL, "bigger than %u MiB", YAML_BYTES_MAX >> 20);
        return NULL;
    }
    if (!yaml_parser_initialize(&reader.parser))
        abort(); /* only when memory is out */
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, size);
    reader.anchors = map_new(NULL);
    struct node *documents = read_documents(&reader);
    yaml_parser_delete(&reader.parser);
    map_free(reader.anchors);
    return documents;
}
