/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_read.h - YAML text → nodes with positions.
 *
 * Anchors, aliases and << are resolved; !reset and !override are kept as node tags. Refused with positions:
 * duplicate keys, keys that are no strings, aliases to an enclosing node, unknown anchors. Bounds: parser/limits.h. */
#pragma once

#include "parser/limits.h"
#include "parser/node.h"

/* Documents of one text as a NODE_LIST in order (an empty document is NODE_NULL). NULL when the text is no YAML;
 * diags then has the error. Keys that are there twice or are no text are errors, too, but the rest is read: callers look at
 * the number of errors. file is the name for positions and has to live in the arena. */
struct node *yaml_read(struct arena *arena, const char *file, const char *text, size_t size,
                       struct diags *diags);
