/* SPDX-License-Identifier: Apache-2.0 */
/* schema_value.c - judges one number, boolean, size or duration against its row and gives it its long form. */
#include "parser/schema_value.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/units.h"
#include "parser/scalar.h"

static void check_range(struct shaping *shaping, const struct key_row *row, const struct node *node, double number,
                        const struct path *path)
{
    if (row->low >= row->high)
        return;
    if (number < (double)row->low)
        shape_error(shaping, node, path, "must be greater than or equal to %lld", (long long)row->low);
    else if (number > (double)row->high)
        shape_error(shaping, node, path, "must be less than or equal to %lld", (long long)row->high);
}

void shape_int(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    long long value;
    bool text = node->kind == NODE_STRING && !(row->flags & KEY_NO_STRING);
    bool cut = node->kind == NODE_FLOAT && fabs(node->number) < 9e15 &&
               (row->flags & KEY_CUT || (double)(int64_t)node->number == node->number);

    if (text && parse_i64(node->text, LLONG_MIN, LLONG_MAX, &value))
        node_become(node, node_int(shaping->arena, value, node->pos));
    else if (cut)
        node_become(node, node_int(shaping->arena, (int64_t)node->number, node->pos));
    else if (text)
        shape_error(shaping, node, path, "'%s' is not a whole number (failed to cast to expected type)", node->text);
    else if (node->kind != NODE_INT)
        shape_error(shaping, node, path, "must be an integer, not %s", node_kind_text(node->kind));
    if (node->kind == NODE_INT)
        check_range(shaping, row, node, (double)node->integer, path);
}

void shape_number(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    char text[SCALAR_FLOAT_SIZE];
    double number = node->kind == NODE_INT ? (double)node->integer : 0;

    if (node->kind == NODE_FLOAT) {
        number = node->number;
    } else if (node->kind == NODE_STRING) {
        char *end;
        number = strtod(node->text, &end);
        if (end == node->text || *end || !isfinite(number) || strpbrk(node->text, " \tpPxX")) {
            shape_error(shaping, node, path, "'%s' is not a number (failed to cast to expected type)", node->text);
            return;
        }
    } else if (node->kind != NODE_INT) {
        shape_error(shaping, node, path, "must be a number, not %s", node_kind_text(node->kind));
        return;
    }
    if (!isfinite((float)number)) {
        shape_error(shaping, node, path, "'%s' is no number that can be counted with", node->text);
        return;
    }
    if (row->flags & KEY_WHOLE && (double)(int64_t)number != number)
        shape_error(shaping, node, path, "must be an integer, not a fraction");
    check_range(shaping, row, node, number, path);
    scalar_float32_format((float)number, text);
    node_become(node, node_float(shaping->arena, strtod(text, NULL), node->pos));
    node->text = arena_strdup(shaping->arena, text);
}

void shape_bool(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    bool value;
    if (node->kind == NODE_BOOL)
        return;
    if (node->kind != NODE_STRING || row->flags & KEY_NO_STRING) {
        shape_error(shaping, node, path, "must be a boolean, not %s", node_kind_text(node->kind));
        return;
    }
    if (!bool_parse(node->text, &value)) {
        shape_error(shaping, node, path, "'%s' is not a boolean (failed to cast to expected type)", node->text);
        return;
    }
    if (strcasecmp(node->text, "true") != 0 && strcasecmp(node->text, "false") != 0) {
        _cleanup_free_ char *where = path_text(path);
        diag_warning(shaping->diags, node->pos, where, "'%s' is read as a boolean: write %s", node->text,
                     value ? "true" : "false");
    }
    node_become(node, node_bool(shaping->arena, value, node->pos));
}

void shape_bytes(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path)
{
    int64_t bytes;
    long long whole;
    if (row->flags & KEY_TEXT_ONLY && (node->kind == NODE_INT || node->kind == NODE_FLOAT)) {
        shape_error(shaping, node, path, "must be a string such as \"64m\", not a number");
    } else if (row->flags & KEY_WHOLE && node->kind == NODE_FLOAT) {
        shape_error(shaping, node, path, "must be an integer or a string such as \"64m\", not a fraction");
    } else if (node->kind == NODE_INT) {
        check_range(shaping, row, node, (double)node->integer, path);
        node->kind = NODE_STRING;
    } else if (node->kind == NODE_STRING && parse_i64(node->text, LLONG_MIN, -1, &whole)) {
        /* -1: no limit */
    } else if ((node->kind == NODE_STRING || node->kind == NODE_FLOAT) && bytes_parse(node->text, &bytes)) {
        node->text = arena_printf(shaping->arena, "%lld", (long long)bytes);
        node->kind = NODE_STRING;
    } else if (node_is_scalar(node)) {
        shape_error(shaping, node, path, "'%s' is not a size: expected a number with b, k, m, g", node->text);
    } else {
        shape_error(shaping, node, path, "must be a size, not %s", node_kind_text(node->kind));
    }
}

void shape_duration(struct shaping *shaping, const struct key_row *row _unused_, struct node *node,
                           const struct path *path)
{
    int64_t us;
    if (node->kind != NODE_STRING) {
        shape_error(shaping, node, path, "must be a duration such as 10s or 1m30s, not %s", node_kind_text(node->kind));
    } else if (!duration_parse(node->text, &us)) {
        shape_error(shaping, node, path, "'%s' is not a duration: expected a form like 1m30s", node->text);
    } else {
        _cleanup_free_ char *text = duration_format(us);
        node->text = arena_strdup(shaping->arena, text);
    }
}
