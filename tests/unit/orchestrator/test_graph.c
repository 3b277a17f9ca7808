/* SPDX-License-Identifier: Apache-2.0 */
/* Order of dependencies, cycles, closures. */
#include <criterion/criterion.h>

#include "base/str.h"
#include "orchestrator/graph.h"

static const struct { const char *names, *edges, *order, *error; } cases[] = {
    { "a b c", "", "a b c", NULL },
    { "a b c", "a>b b>c", "c b a", NULL },
    { "a b c d", "a>c b>c c>d", "d c a b", NULL },
    { "a b", "a>b b>a", NULL, "dependency cycle detected: a -> b -> a" },
    { "a b c", "a>b b>c c>b", NULL, "dependency cycle detected: b -> c -> b" },
    { "a", "a>a", NULL, "dependency cycle detected: a -> a" },
    { "a b", "a>zz a>b a>b", "b a", NULL },
};

static struct graph *graph_from(struct arena *arena, const char *names, const char *edges)
{
    char **list = strv_split(names, " "), **pairs = strv_split(edges, " ");
    struct graph *graph = graph_new(arena, (const char *const *)list, strv_len(list));
    for (size_t i = 0; pairs[i]; i++) {
        char *sign = strchr(pairs[i], '>');
        if (!sign)
            continue;
        *sign = '\0';
        graph_add(graph, pairs[i], sign + 1, NULL);
    }
    for (size_t i = 0; i < graph->count; i++)
        graph->nodes[i].name = arena_strdup(arena, graph->nodes[i].name);
    strv_free(list);
    strv_free(pairs);
    return graph;
}

Test(graph, orders_dependencies_first_and_names_cycles)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        _cleanup_str_ struct str text = { 0 };
        struct err err = { 0 };
        size_t order[8];
        struct graph *graph = graph_from(arena, cases[i].names, cases[i].edges);
        int result = graph_order(graph, order, &err);
        cr_expect_eq(result, cases[i].error ? -1 : 0, "case %zu", i);
        if (cases[i].error) {
            cr_expect_str_eq(err.message, cases[i].error);
            continue;
        }
        for (size_t j = 0; j < graph->count; j++)
            str_addf(&text, "%s%s", j ? " " : "", graph->nodes[order[j]].name);
        cr_expect_str_eq(str_text(&text), cases[i].order, "case %zu", i);
    }
}

Test(graph, marks_dependencies_and_dependents)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct graph *graph = graph_from(arena, "a b c d", "a>b b>c d>c");
    bool down[4] = { 0 }, up[4] = { 0 };
    graph_mark(graph, graph_find(graph, "b"), false, down);
    cr_expect(!down[0] && down[1] && down[2] && !down[3]);
    graph_mark(graph, graph_find(graph, "b"), true, up);
    cr_expect(up[0] && up[1] && !up[2] && !up[3]);
}

Test(graph, a_long_chain_needs_no_stack)
{
    enum { LENGTH = 2000 };
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    const char **names = arena_alloc(arena, LENGTH * sizeof(*names));
    size_t *order = arena_alloc(arena, LENGTH * sizeof(*order));
    for (size_t i = 0; i < LENGTH; i++)
        names[i] = arena_printf(arena, "s%zu", i);
    struct graph *graph = graph_new(arena, names, LENGTH);
    for (size_t i = 0; i + 1 < LENGTH; i++)
        graph_add(graph, names[i], names[i + 1], NULL);
    cr_assert_eq(graph_order(graph, order, NULL), 0);
    cr_expect_eq(order[0], LENGTH - 1);
    cr_expect_eq(order[LENGTH - 1], 0);
}
