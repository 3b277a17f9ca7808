/* SPDX-License-Identifier: Apache-2.0 */
/* schema_value.h - what schema_shape() does with a value of one of these kinds: VALUE_INT, VALUE_NUMBER, VALUE_BOOL,
 * VALUE_BYTES, VALUE_DURATION. The node gets its long form in place; a finding goes to shaping->diags. */
#pragma once

#include "parser/schema.h"

void shape_int(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path);
void shape_number(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path);
void shape_bool(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path);
void shape_bytes(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path);
void shape_duration(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path);
