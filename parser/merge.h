/* SPDX-License-Identifier: Apache-2.0 */
/* merge.h - one document over another, by the merge rule of each row. Both are in long form. Pure.
 *
 * Source: compose-reference b.7. */
#pragma once

#include "parser/schema.h"

/* over onto base, which is changed and returned (base NULL: over without its tags). NULL: nothing is left (!reset).
 * Nodes of over are used, not copied. */
struct node *merge_node(struct loading *loading, const struct key_row *row, struct node *base, struct node *over,
                        const struct path *path);
/* The same, but !reset and !override stay marked: they count once more when the result goes over a third document. */
struct node *merge_node_marked(struct loading *loading, const struct key_row *row, struct node *base,
                               struct node *over, const struct path *path);
/* node without its marks, !reset parts gone; NULL when nothing is left. */
struct node *merge_settle(struct node *node);
