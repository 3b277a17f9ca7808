/* SPDX-License-Identifier: Apache-2.0 */
/* bind.c - long form → model: one function a field type. Values are well typed here; what is not (only possible
 * with --no-interpolate) leaves the field unset. */
#include "parser/bind.h"

#include <string.h>

#include "base/units.h"

void bind_strings(struct binder *binder, const struct node *node, struct str_list *ret)
{
    const char **items = arena_alloc(binder->arena, (node->count + 1) * sizeof(*items));
    size_t count = 0;
    NODE_EACH(entry, node)
        if (node_text(entry->value))
            items[count++] = entry->value->text;
    *ret = (struct str_list){.items = items, .count = count};
}

void bind_pairs(struct binder *binder, const struct node *node, struct kv_list *ret)
{
    ret->items = arena_alloc(binder->arena, (node->count + 1) * sizeof(*ret->items));
    ret->count = 0;
    NODE_EACH(entry, node)
        ret->items[ret->count++] = (struct kv){
            .key = entry->key, .value = node_text(entry->value), .pos = entry->value->pos};
}

static bool whole_number(const struct key_row *row, const struct node *node, int64_t *ret_value)
{
    if (node->kind == NODE_INT) {
        *ret_value = node->integer;
        return true;
    }
    if (!node_text(node))
        return false;
    if (row->kind == VALUE_DURATION)
        return duration_parse(node->text, ret_value);
    char *end;
    *ret_value = strtoll(node->text, &end, 10);
    return end != node->text && *end == '\0';
}

static void bind_scalar(const struct key_row *row, const struct node *node, void *field)
{
    int64_t value;
    switch (row->bind) {
    case BIND_TEXT: *(const char **)field = node_text(node); break;
    case BIND_OPT_INT:
        if (whole_number(row, node, &value))
            *(struct opt_int *)field = (struct opt_int){.set = true, .value = value};
        break;
    case BIND_INT64:
        if (whole_number(row, node, &value))
            *(int64_t *)field = value;
        break;
    case BIND_INT:
        if (whole_number(row, node, &value))
            *(int *)field = (int)MAX(MIN(value, INT32_MAX), INT32_MIN);
        break;
    case BIND_OPT_NUM:
        if (node->kind == NODE_INT || node->kind == NODE_FLOAT)
            *(struct opt_num *)field = (struct opt_num){
                .set = true, .value = node->kind == NODE_INT ? (double)node->integer : node->number};
        break;
    case BIND_OPT_BOOL:
        if (node->kind == NODE_BOOL)
            *(struct opt_bool *)field = (struct opt_bool){.set = true, .value = node->boolean};
        break;
    case BIND_BOOL:
        if (node->kind == NODE_BOOL)
            *(bool *)field = node->boolean;
        break;
    default: break;
    }
}

static void bind_row(struct binder *binder, const struct key_row *row, const struct node *node, void *object)
{
    void *field = (char *)object + row->offset;
    switch (row->bind) {
    case BIND_NONE: break;
    case BIND_STRS: bind_strings(binder, node, field); break;
    case BIND_KV: bind_pairs(binder, node, field); break;
    case BIND_COMMAND: {
        struct command *command = field;
        command->set = node->kind == NODE_LIST;
        if (command->set)
            bind_strings(binder, node, &command->argv);
        break;
    }
    case BIND_STRUCT:
        if (row->kind == VALUE_OBJECT)
            bind_object(binder, row->table, node, field);
        else
            bind_list(binder, row->table, node, field);
        break;
    case BIND_SAME: bind_object(binder, row->table, node, object); break;
    case BIND_CUSTOM: row->custom(binder, node, object); break;
    default: bind_scalar(row, node, field);
    }
}

/* A table of a BIND_SAME object has no size: its rows bind into the struct around it. */
void bind_object(struct binder *binder, const struct key_table *table, const struct node *node, void *object)
{
    if (node->kind != NODE_MAP)
        return;
    if (table->has_set)
        *(bool *)object = true;
    if (table->has_pos)
        *(struct pos *)((char *)object + table->pos_offset) = node->pos;
    NODE_EACH(entry, node) {
        const struct key_row *row = table_row(table, entry->key);
        if (row && entry->value->kind != NODE_NULL)
            bind_row(binder, row, entry->value, object);
    }
}

/* Defaults that are true. */
static void preset(const struct key_table *table, void *object)
{
    if (table == &network_table)
        ((struct network *)object)->enable_ipv4 = true;
}

void bind_list(struct binder *binder, const struct key_table *table, const struct node *node, void *list)
{
    struct { char *items; size_t count; } *out = list;
    if (node->kind != NODE_LIST && node->kind != NODE_MAP)
        return;
    out->items = arena_alloc(binder->arena, table->size * (node->count ? node->count : 1));
    out->count = node->count;
    for (uint32_t i = 0; i < node->count; i++) {
        void *object = out->items + i * table->size;
        preset(table, object);
        bind_object(binder, table, node->items[i].value, object);
        if (table->has_key)
            *(const char **)((char *)object + table->key_offset) = node->items[i].key;
        if (table->has_pos)
            *(struct pos *)((char *)object + table->pos_offset) =
                node->kind == NODE_MAP ? node->items[i].key_pos : node->items[i].value->pos;
    }
}
