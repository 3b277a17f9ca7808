/* SPDX-License-Identifier: Apache-2.0 */
/* The dependency graph as adjacency lists in an arena; order and cycles by one depth-first walk with an explicit
 * stack, so that a long chain in a file cannot exhaust ours. */
#include "orchestrator/graph.h"

#include <stdint.h>

#include "base/str.h"

struct graph *graph_new(struct arena *arena, const char *const *names, size_t count)
{
    struct graph *graph = arena_alloc(arena, sizeof(*graph));
    graph->arena = arena;
    graph->nodes = arena_alloc(arena, (count ? count : 1) * sizeof(*graph->nodes));
    graph->count = count;
    for (size_t i = 0; i < count; i++)
        graph->nodes[i].name = names[i];
    return graph;
}

size_t graph_find(const struct graph *graph, const char *name)
{
    for (size_t i = 0; i < graph->count; i++)
        if (str_eq(graph->nodes[i].name, name))
            return i;
    return (size_t)-1;
}

void graph_add(struct graph *graph, const char *from, const char *to, const struct depends_on *depends)
{
    size_t a = graph_find(graph, from);
    size_t b = graph_find(graph, to);
    if (a == (size_t)-1 || b == (size_t)-1)
        return;
    struct graph_node *node = &graph->nodes[a];
    for (size_t i = 0; i < node->edge_count; i++)
        if (node->edges[i].to == b)
            return;
    if (node->edge_count == node->edge_capacity) {
        size_t capacity = node->edge_capacity ? node->edge_capacity * 2 : 4;
        struct graph_edge *edges = arena_alloc(graph->arena, capacity * sizeof(*edges));
        if (node->edge_count)
            memcpy(edges, node->edges, node->edge_count * sizeof(*edges));
        node->edges = edges;
        node->edge_capacity = capacity;
    }
    node->edges[node->edge_count++] = (struct graph_edge){ .to = b, .depends = depends };
}

struct graph *graph_of_project(struct arena *arena, const struct project *project)
{
    const char **names = arena_alloc(arena, (project->services.count + 1) * sizeof(*names));
    for (size_t i = 0; i < project->services.count; i++)
        names[i] = project->services.items[i].name;
    struct graph *graph = graph_new(arena, names, project->services.count);
    for (size_t i = 0; i < project->services.count; i++) {
        const struct service *service = &project->services.items[i];
        for (size_t j = 0; j < service->depends_on.count; j++)
            graph_add(graph, service->name, service->depends_on.items[j].service, &service->depends_on.items[j]);
    }
    return graph;
}

/* stack[from … top] is the way from the first node of the cycle to the one that closes it */
static int cycle_error(const struct graph *graph, const size_t *stack, size_t top, size_t closing, struct err *err)
{
    _cleanup_str_ struct str text = { 0 };
    size_t from = 0;
    while (from < top && stack[from] != closing)
        from++;
    for (size_t i = from; i <= top; i++)
        str_addf(&text, "%s -> ", graph->nodes[stack[i]].name);
    str_add(&text, graph->nodes[closing].name);
    return err_set(err, ERR_CONFIG, "dependency cycle detected: %s", str_text(&text));
}

int graph_order(const struct graph *graph, size_t *ret_order, struct err *err)
{
    enum { NEW, OPEN, DONE };
    size_t done = 0;
    _cleanup_free_ unsigned char *state = xcalloc(graph->count + 1, 1);
    _cleanup_free_ size_t *stack = xcalloc(graph->count + 1, sizeof(*stack));
    _cleanup_free_ size_t *next = xcalloc(graph->count + 1, sizeof(*next));

    for (size_t root = 0; root < graph->count; root++) {
        if (state[root] != NEW)
            continue;
        size_t depth = 1;
        stack[0] = root;
        state[root] = OPEN;
        while (depth) {
            size_t at = stack[depth - 1];
            const struct graph_node *node = &graph->nodes[at];
            if (next[at] == node->edge_count) {
                state[at] = DONE;
                ret_order[done++] = at;
                depth--;
                continue;
            }
            size_t to = node->edges[next[at]++].to;
            if (state[to] == OPEN)
                return cycle_error(graph, stack, depth - 1, to, err);
            if (state[to] == NEW) {
                state[to] = OPEN;
                stack[depth++] = to;
            }
        }
    }
    return 0;
}

void graph_mark(const struct graph *graph, size_t node, bool dependents, bool *mark)
{
    if (mark[node])
        return;
    mark[node] = true;
    /* a fixed point over all edges: graphs are small, and it needs no stack */
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < graph->count; i++) {
            for (size_t j = 0; j < graph->nodes[i].edge_count; j++) {
                size_t to = graph->nodes[i].edges[j].to;
                size_t source = dependents ? to : i, target = dependents ? i : to;
                if (mark[source] && !mark[target])
                    mark[target] = changed = true;
            }
        }
    }
}
