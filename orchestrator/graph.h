/* SPDX-License-Identifier: Apache-2.0 */
/* graph.h - the dependency graph of a project's services. Pure.
 *
 * An edge a → b means "a depends on b". Nodes are indexes into a caller's list of names, in its order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "parser/model.h"

struct graph_edge {
    size_t to; /* the node depended on */
    const struct depends_on *depends; /* NULL when built from names alone */
};
struct graph_node {
    const char *name;
    struct graph_edge *edges;
    size_t edge_count, edge_capacity;
};
struct graph {
    struct arena *arena; /* borrowed */
    struct graph_node *nodes;
    size_t count;
};

/* Nodes: the names in order (borrowed). */
struct graph *graph_new(struct arena *arena, const char *const *names, size_t count);
/* Unknown names and repeated edges are ignored; so is an edge to itself unless it is the caller's wish to find it as a cycle. */
void graph_add(struct graph *graph, const char *from, const char *to, const struct depends_on *depends);
/* All services of the project with their depends_on. */
struct graph *graph_of_project(struct arena *arena, const struct project *project);
/* -1 as size_t ((size_t)-1) when missing. */
size_t graph_find(const struct graph *graph, const char *name);

/* Dependencies first, ties in the order of nodes. ret_order has graph->count places. ERR_CONFIG: "dependency cycle detected:
 * a -> b -> a". */
int graph_order(const struct graph *graph, size_t *ret_order, struct err *err);
/* Marks the named nodes and all they depend on (down), or all that depend on them (up). mark has graph->count places. */
void graph_mark(const struct graph *graph, size_t node, bool dependents, bool *mark);
