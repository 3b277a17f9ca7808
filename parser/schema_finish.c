/* SPDX-License-Identifier: Apache-2.0 */
/* schema_finish.c - what can only be judged when all files are merged: required keys and keys left empty. Then
 * drops the values that mean "not set", as the reference implementation's output does. */
#include "parser/schema.h"

#include <string.h>

static bool is_zero(const struct key_row *row, const struct node *node)
{
    switch (node->kind) {
    case NODE_NULL: return true;
    case NODE_BOOL: return !node->boolean;
    case NODE_INT: return node->integer == 0;
    case NODE_FLOAT: return !(node->number < 0 || node->number > 0);
    case NODE_STRING:
        return !*node->text || ((row->kind == VALUE_BYTES || row->kind == VALUE_DURATION) &&
                                (strcmp(node->text, "0") == 0 || strcmp(node->text, "0s") == 0));
    case NODE_LIST:
    case NODE_MAP: return node->count == 0;
    }
    return false;
}

static void add_always(struct shaping *shaping, const struct key_row *row, struct node *node)
{
    struct arena *arena = shaping->arena;
    if (!(row->flags & KEY_ALWAYS) || node_find(node, row->name))
        return;
    struct node *zero = row->kind == VALUE_INT     ? node_int(arena, 0, node->pos)
                        : row->kind == VALUE_BYTES ? node_string(arena, "0", node->pos)
                                                   : node_string(arena, "", node->pos);
    zero->is_default = true;
    node_set(arena, node, row->name, zero);
}

static void finish_object(struct shaping *shaping, const struct key_table *table, struct node *node,
                          const struct path *path)
{
    if (node->kind != NODE_MAP)
        return;
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].flags & KEY_REQUIRED && !node_find(node, table->rows[i].name)) {
            _cleanup_free_ char *where = path_text(path);
            diag_error(shaping->diags, node->pos, *where ? where : NULL, "missing property '%s'", table->rows[i].name);
        }
    for (size_t i = 0; i < table->count && !shaping->lenient; i++)
        add_always(shaping, &table->rows[i], node);
    for (uint32_t i = 0; i < node->count;) {
        const struct key_row *row = table_row(table, node->items[i].key);
        struct node *value = node->items[i].value;
        struct path step = {.parent = path, .key = node->items[i].key};
        if (row)
            schema_finish(shaping, row, value, &step);
        bool keep = shaping->lenient || (row && row->flags & (KEY_KEEP | KEY_ALWAYS));
        if (row && is_zero(row, value) && (!keep || value->kind == NODE_NULL))
            node_remove_at(node, i);
        else
            i++;
    }
}

/* One half of a limit may come from an earlier file. */
static void finish_limits(struct shaping *shaping, const struct node *node, const struct path *path)
{
    static const char *const names[] = {"soft", "hard"};
    NODE_EACH(entry, node) {
        struct path step = {.parent = path, .key = entry->key};
        for (size_t i = 0; entry->value->kind == NODE_MAP && i < ARRAY_LEN(names); i++)
            if (!node_find(entry->value, names[i]))
                shape_error(shaping, entry->value, &step, "missing property '%s'", names[i]);
    }
}

void schema_finish(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    if (node->kind == NODE_NULL && !(row->flags & KEY_NULLABLE)) {
        shape_error(shaping, node, path, "must not be empty");
        return;
    }
    if (row->kind == VALUE_OBJECT) {
        finish_object(shaping, row->table, node, path);
        return;
    }
    if (row->kind == VALUE_SHAPED && row->merge == MERGE_FORM)
        finish_limits(shaping, node, path);
    if (row->kind != VALUE_LIST_OF && row->kind != VALUE_MAP_OF)
        return;
    for (uint32_t i = 0; i < node->count; i++) {
        struct node *item = node->items[i].value;
        struct path step = {.parent = path, .key = row->kind == VALUE_MAP_OF ? node->items[i].key : NULL, .index = i};
        if (item->kind == NODE_NULL && !row->table->nullable)
            shape_error(shaping, item, &step, "must not be empty");
        finish_object(shaping, row->table, item, &step);
    }
}
