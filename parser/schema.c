/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - walks a tree against the key tables: judges types and names and turns every value into its long
 * form in place. One function a value kind; nothing here knows a particular key. */
#include "parser/schema.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "base/suggest.h"
#include "parser/env.h"
#include "parser/schema_value.h"
#include "parser/short.h"

const struct key_row *table_row(const struct key_table *table, const char *name)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, table->rows[middle].name);
        if (order == 0)
            return &table->rows[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void shape_error(struct shaping *shaping, const struct node *node, const struct path *path, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    _cleanup_free_ char *text = path_text(path);
    diag_error(shaping->diags, node->pos, text, "%s", message);
}

bool shape_is_open(const struct shaping *shaping, const struct node *node)
{
    return shaping->lenient && node->kind == NODE_STRING && strchr(node->text, '$');
}

void node_become(struct node *node, const struct node *from)
{
    enum node_tag tag = node->tag;
    struct pos pos = node->pos;
    const char *note = node->note;
    const struct node *over = node->over;
    struct node *written = node->written;
    *node = *from;
    node->written = written;
    node->tag = tag;
    node->pos = pos;
    node->note = from->note ? from->note : note;
    node->over = over;
}

void shape_note(struct node *node, const char *note)
{
    if (!note || node_is_scalar(node)) {
        node->note = node->note ? node->note : note;
        return;
    }
    NODE_EACH(entry, node)
        shape_note(entry->value, note);
}

bool path_is_windows(const char *path)
{
    return str_has_prefix(path, "\\\\") || (isalpha((unsigned char)path[0]) && path[1] == ':' && path[2] == '\\');
}

const char *shape_path(struct shaping *shaping, const char *path)
{
    const struct loading *loading = shaping->loading;
    const char *home = path[0] == '~' ? env_get(loading->env, "HOME") : NULL;
    bool as_written = loading->options->no_path_resolution && strcmp(shaping->base_dir, loading->root_dir) == 0;

    if (path[0] == '/' || path_is_windows(path) || as_written)
        return path;
    _cleanup_free_ char *joined = home ? xasprintf("%s/%s", home, path + 1) : path_join(shaping->base_dir, path);
    _cleanup_free_ char *clean = path_clean(joined);
    if (home || !loading->options->no_path_resolution)
        return arena_strdup(shaping->arena, clean);
    _cleanup_free_ char *relative = path_relative(loading->root_dir, clean);
    return arena_strdup(shaping->arena, relative);
}

static void become_text(struct node *node)
{
    node->kind = NODE_STRING;
}

static void shape_string(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    bool number = node->kind == NODE_INT || node->kind == NODE_FLOAT;
    if ((number && row->flags & KEY_NUMBERS) || (node->kind == NODE_BOOL && row->flags & KEY_BOOLS))
        become_text(node);
    if (node->kind != NODE_STRING) {
        shape_error(shaping, node, path, "must be a string, not %s", node_kind_text(node->kind));
        return;
    }
    if (row->flags & KEY_PATH && *node->text && !shape_is_open(shaping, node))
        node->text = shape_path(shaping, node->text);
}

void shape_twice(struct shaping *shaping, const struct node *item, const struct node *earlier, const struct path *path)
{
    _cleanup_free_ char *where = path_text(path);
    diag_error(shaping->diags, item->pos, where, "'%s' is there twice: items must be unique", item->text)->other =
        earlier->pos;
}

/* Removes duplicates of scalar lists, or reports them. Of items with the same text before '=' the last one stands
 * at the place of the first. */
static void shape_duplicates(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    bool merge = row->merge == MERGE_UNIQUE || row->merge == MERGE_UNIQUE_KEY;
    if (node->count < 2 || !(merge || row->flags & KEY_UNIQUE))
        return;
    struct map *seen = map_new(NULL); /* text → index + 1 */
    for (uint32_t i = 0; i < node->count; i++) {
        struct node *item = node->items[i].value;
        bool is_text = item->kind == NODE_STRING && item->tag != NODE_TAG_RESET;
        size_t size = !is_text ? 0 : row->merge == MERGE_UNIQUE_KEY ? strcspn(item->text, "=") : strlen(item->text);
        _cleanup_free_ char *key = is_text ? xstrndup(item->text, size) : NULL;
        uintptr_t earlier = key ? (uintptr_t)map_find(seen, key) : 0;
        struct path step = {.parent = path, .index = i};
        if (earlier && merge) {
            node->items[earlier - 1].value = item;
            node->items[i].value = NULL;
        } else if (earlier) {
            shape_twice(shaping, item, node->items[earlier - 1].value, &step);
        } else if (key) {
            map_set(seen, key, (void *)(uintptr_t)(i + 1));
        }
    }
    node_compact(node);
    map_free(seen);
}

static void shape_list(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    if (row->flags & KEY_OR_STRING && node->kind == NODE_STRING) {
        struct node *list = node_new(shaping->arena, NODE_LIST, node->pos);
        struct node *only = node_string_ref(shaping->arena, node->text, node->pos);
        node_push(shaping->arena, list, only);
        node_become(node, list);
    }
    if (node->kind != NODE_LIST) {
        shape_error(shaping, node, path, "must be a list, not %s", node_kind_text(node->kind));
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        struct path step = {.parent = path, .index = i};
        if (node->items[i].value->tag != NODE_TAG_RESET)
            shape_string(shaping, row, node->items[i].value, &step);
    }
    shape_duplicates(shaping, row, node, path);
}

/* KEY=VALUE items → mapping. */
static void kv_list_to_map(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    if (row->flags & KEY_UNIQUE)
        shape_duplicates(shaping, row, node, path);
    struct node *map = node_new(shaping->arena, NODE_MAP, node->pos);
    for (uint32_t i = 0; i < node->count; i++) {
        struct node *item = node->items[i].value;
        struct path step = {.parent = path, .index = i};
        if (item->kind != NODE_STRING) {
            shape_error(shaping, item, &step, "must be KEY=VALUE, not %s", node_kind_text(item->kind));
            continue;
        }
        const char *equals = strchr(item->text, '=');
        const char *key = equals ? arena_strndup(shaping->arena, item->text, (size_t)(equals - item->text)) : item->text;
        if (row->flags & KEY_NO_TRAILING && *key && isspace((unsigned char)key[strlen(key) - 1]))
            shape_error(shaping, item, &step, "environment variable %s is declared with a trailing space", key);
        struct node *value = node_new(shaping->arena, equals ? NODE_STRING : NODE_NULL, item->pos);
        value->tag = item->tag;
        value->note = item->note;
        if (equals)
            value->text = equals + 1;
        struct node_entry *earlier = node_entry_find(map, key);
        if (earlier)
            earlier->value = value;
        else
            node_add(shaping->arena, map, key, item->pos, value);
    }
    node_become(node, map);
}

static bool kv_takes(const struct key_row *row, enum node_kind kind)
{
    switch (kind) {
    case NODE_STRING: return true;
    case NODE_NULL: return !(row->flags & (KEY_NO_NULL | KEY_TEXT_ONLY));
    case NODE_BOOL: return !(row->flags & (KEY_NO_BOOL | KEY_TEXT_ONLY));
    case NODE_INT:
    case NODE_FLOAT: return !(row->flags & KEY_TEXT_ONLY);
    case NODE_LIST:
    case NODE_MAP: return false;
    }
    return false;
}

static const char *kv_kinds(const struct key_row *row)
{
    if (row->flags & KEY_TEXT_ONLY)
        return "";
    if (row->flags & KEY_NO_NULL)
        return " or number";
    return row->flags & KEY_NO_BOOL ? ", number or nothing" : ", number, boolean or nothing";
}

static void shape_kv(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    bool map_only = row->flags & KEY_MAP_ONLY;
    if (node->kind == NODE_LIST && !map_only)
        kv_list_to_map(shaping, row, node, path);
    if (node->kind != NODE_MAP) {
        shape_error(shaping, node, path, "must be a mapping%s, not %s", map_only ? "" : " or a list of KEY=VALUE",
                    node_kind_text(node->kind));
        return;
    }
    NODE_EACH(entry, node) {
        struct path step = {.parent = path, .key = entry->key};
        struct node *value = entry->value;
        if (value->tag == NODE_TAG_RESET)
            continue;
        if (!kv_takes(row, value->kind))
            shape_error(shaping, value, &step, "must be a string%s, not %s", kv_kinds(row), node_kind_text(value->kind));
        else if (value->kind != NODE_NULL || row->flags & KEY_NULL_EMPTY)
            become_text(value);
    }
}

static void shape_command(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    if (node->kind == NODE_STRING) {
        struct node *list = node_new(shaping->arena, NODE_LIST, node->pos);
        const char *rest, *problem = words_split(shaping->arena, node->text, list, &rest);
        if (problem) {
            shape_error(shaping, node, path, "'%s' %s", node->text, problem);
            return;
        }
        if (rest) {
            _cleanup_free_ char *where = path_text(path);
            diag_warning(shaping->diags, node->pos, where, "no shell reads this: everything from '%.20s' on is dropped",
                         rest);
        }
        node_become(node, list);
        return;
    }
    shape_list(shaping, row, node, path);
}

static void unknown_key(struct shaping *shaping, const struct key_table *table, const struct node_entry *entry,
                        const struct path *path)
{
    const char *words[160];
    size_t count = MIN(table->count, ARRAY_LEN(words));
    for (size_t i = 0; i < count; i++)
        words[i] = table->rows[i].name;
    _cleanup_free_ char *where = path_text(path);
    struct diag *diag = diag_error(shaping->diags, entry->key_pos, *where ? where : NULL,
                                   "additional properties '%s' not allowed", entry->key);
    const char *nearest = shaping->diags->errors_lost ? NULL : suggest_nearest(entry->key, words, count);
    if (nearest)
        diag_hint(diag, "did you mean '%s'?", nearest);
}

static void shape_object(struct shaping *shaping, const struct key_table *table, struct node *node,
                         const struct path *path)
{
    if (table->lengthen && node->kind != NODE_NULL)
        table->lengthen(shaping, node, path);
    shape_note(node, node->note);
    if (node->kind == NODE_NULL || shape_is_open(shaping, node))
        return;
    if (node->kind != NODE_MAP) {
        shape_error(shaping, node, path, "must be a mapping, not %s", node_kind_text(node->kind));
        return;
    }
    NODE_EACH(entry, node) {
        const struct key_row *row = table_row(table, entry->key);
        struct path step = {.parent = path, .key = entry->key};
        if (row)
            schema_shape(shaping, row, entry->value, &step);
        else if (entry->value->tag != NODE_TAG_RESET && !(table->extensions && str_has_prefix(entry->key, "x-")))
            unknown_key(shaping, table, entry, path);
    }
}

/* Items with the same identity: the later one stands at the earlier place, as when files are merged. */
static void drop_replaced(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    struct map *seen = map_new(NULL);
    for (uint32_t i = 0; i < node->count; i++) {
        struct node *item = node->items[i].value;
        bool has_identity = item->kind == NODE_MAP && item->tag == NODE_TAG_NONE;
        _cleanup_free_ char *identity = has_identity ? row->table->identity(item) : NULL;
        uintptr_t earlier = identity ? (uintptr_t)map_find(seen, identity) : 0;
        if (!earlier) {
            if (identity)
                map_set(seen, identity, (void *)(uintptr_t)(i + 1));
            continue;
        }
        if (!node_equal(node->items[earlier - 1].value, item)) {
            struct path step = {.parent = path, .index = i};
            _cleanup_free_ char *where = path_text(&step);
            diag_warning(shaping->diags, item->pos, where, "replaces an earlier entry for %s", identity)->other =
                node->items[earlier - 1].value->pos;
        }
        node->items[earlier - 1].value = item;
        node->items[i].value = NULL;
    }
    node_compact(node);
    map_free(seen);
}

static void shape_list_of(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    if (node->kind != NODE_LIST) {
        shape_error(shaping, node, path, "must be a list, not %s", node_kind_text(node->kind));
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        struct path step = {.parent = path, .index = i};
        struct node *item = node->items[i].value;
        if (item->tag == NODE_TAG_RESET)
            continue;
        if (item->kind == NODE_NULL)
            shape_error(shaping, item, &step, "must not be empty");
        shape_object(shaping, row->table, item, &step);
    }
    if (row->merge == MERGE_BY_ID && node->count > 1)
        drop_replaced(shaping, row, node, path);
}

static bool name_is_plain(const char *name)
{
    return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static void shape_map_of(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    if (node->kind != NODE_MAP) {
        shape_error(shaping, node, path, "must be a mapping, not %s", node_kind_text(node->kind));
        return;
    }
    NODE_EACH(entry, node) {
        struct path step = {.parent = path, .key = entry->key};
        if (entry->value->tag == NODE_TAG_RESET)
            continue;
        if (row->table->checked_names && !name_is_plain(entry->key)) {
            if (str_has_prefix(entry->key, "x-"))
                continue;
            _cleanup_free_ char *where = path_text(path);
            diag_error(shaping->diags, entry->key_pos, where,
                       "additional properties '%s' not allowed: a name has letters, digits, '.', '_' and '-'",
                       entry->key);
        }
        shape_object(shaping, row->table, entry->value, &step);
    }
}

static void check_words(struct shaping *shaping, const struct key_row *row, const struct node *node,
                        const struct path *path)
{
    if (!row->words || node->kind != NODE_STRING || shape_is_open(shaping, node))
        return;
    char **words = strv_split(row->words, "|");
    if (!strv_has(words, node->text)) {
        _cleanup_free_ char *where = path_text(path);
        struct diag *diag = diag_error(shaping->diags, node->pos, where, "'%s' is not one of %s", node->text, row->words);
        const char *nearest = suggest_nearest(node->text, (const char *const *)words, strv_len(words));
        if (nearest)
            diag_hint(diag, "did you mean '%s'?", nearest);
    }
    strv_free(words);
}

/* With --no-interpolate the reference prints most values as they are in the file. */
static bool keeps_form(const struct shaping *shaping, const struct key_row *row, const struct node *node)
{
    if (!shaping->lenient || row->flags & (KEY_LONG | KEY_PATH))
        return false;
    switch (row->kind) {
    case VALUE_KV:
    case VALUE_COMMAND:
    case VALUE_BYTES:
    case VALUE_DURATION:
    case VALUE_NUMBER:
    case VALUE_INT:
    case VALUE_BOOL:
    case VALUE_SHAPED: return true;
    case VALUE_STRING: return node->kind != NODE_STRING;
    case VALUE_LIST: return node->kind == NODE_STRING || row->flags & KEY_NUMBERS || row->lengthen;
    default: return false;
    }
}

void schema_shape(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    typedef void (*shape_fn)(struct shaping *, const struct key_row *, struct node *, const struct path *);
    static const shape_fn shapes[] = {
        [VALUE_STRING] = shape_string,     [VALUE_INT] = shape_int,         [VALUE_NUMBER] = shape_number,
        [VALUE_BOOL] = shape_bool,         [VALUE_BYTES] = shape_bytes,     [VALUE_DURATION] = shape_duration,
        [VALUE_LIST] = shape_list,         [VALUE_KV] = shape_kv,           [VALUE_COMMAND] = shape_command,
        [VALUE_LIST_OF] = shape_list_of,   [VALUE_MAP_OF] = shape_map_of,   [VALUE_SHAPED] = NULL,
    };
    if (node->tag == NODE_TAG_RESET || node->kind == NODE_NULL)
        return;
    if (keeps_form(shaping, row, node))
        node->written = node_copy(shaping->arena, node);
    if (row->lengthen)
        row->lengthen(shaping, node, path);
    if (shape_is_open(shaping, node) && row->flags & KEY_PATH)
        node->text = shape_path(shaping, node->text);
    if (node->kind == NODE_NULL || shape_is_open(shaping, node))
        return;
    if (row->kind == VALUE_OBJECT)
        shape_object(shaping, row->table, node, path);
    else if (shapes[row->kind])
        shapes[row->kind](shaping, row, node, path);
    if (row->kind != VALUE_OBJECT && row->kind != VALUE_LIST_OF && row->kind != VALUE_MAP_OF)
        shape_note(node, node->note);
    check_words(shaping, row, node, path);
}
