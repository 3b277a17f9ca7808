/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_write.h - nodes → YAML text: two-space indent, no line folding, block scalars for several lines, quotes
 * for every string that a YAML 1.1 or 1.2 reader would take for something else. */
#pragma once

#include "parser/node.h"

char *yaml_write(const struct node *node); /* owned by the caller */
/* The same with a comment (printable, one line; owned; NULL: none) behind each scalar and empty collection. */
typedef char *yaml_comment(const struct node *node);
char *yaml_write_commented(const struct node *node, yaml_comment *comment);
