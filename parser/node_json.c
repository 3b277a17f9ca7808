/* SPDX-License-Identifier: Apache-2.0 */
/* node_json.c - the door between the value tree and JSON. */
#include "parser/node_json.h"

#include <math.h>

struct jv *node_to_jv(const struct node *node)
{
    struct jv *value;
    if (!node)
        return jv_null();
    switch (node->kind) {
    case NODE_BOOL: return jv_bool(node->boolean);
    case NODE_INT: return jv_int(node->integer);
    case NODE_FLOAT:
        if (!isfinite(node->number))
            return jv_string(node->text);
        if (fabs(node->number) < 1e15 && (double)(int64_t)node->number == node->number)
            return jv_int((int64_t)node->number);
        return jv_real(node->number);
    case NODE_STRING: return jv_string(node->text);
    case NODE_LIST:
        value = jv_array();
        NODE_EACH(entry, node)
            jv_add(value, node_to_jv(entry->value));
        return value;
    case NODE_MAP:
        value = jv_object();
        NODE_EACH(entry, node)
            jv_set(value, entry->key, node_to_jv(entry->value));
        return value;
    case NODE_NULL: break;
    }
    return jv_null();
}

struct node *node_from_jv(struct arena *arena, const struct jv *value)
{
    const struct pos nowhere = {0};
    struct node *node;
    switch (jv_kind(value)) {
    case JV_BOOL: return node_bool(arena, jv_bool_value(value, false), nowhere);
    case JV_INT: return node_int(arena, jv_int_value(value, 0), nowhere);
    case JV_REAL: return node_float(arena, jv_real_value(value, 0), nowhere);
    case JV_STRING: return node_string(arena, jv_text(value), nowhere);
    case JV_ARRAY:
        node = node_new(arena, NODE_LIST, nowhere);
        for (size_t i = 0; i < jv_count(value); i++)
            node_push(arena, node, node_from_jv(arena, jv_at(value, i)));
        return node;
    case JV_OBJECT: {
        const char *key;
        struct jv *member;
        node = node_new(arena, NODE_MAP, nowhere);
        JV_EACH(value, key, member)
            node_add(arena, node, arena_strdup(arena, key), nowhere, node_from_jv(arena, member));
        return node;
    }
    case JV_NULL: break;
    }
    return node_new(arena, NODE_NULL, nowhere);
}
