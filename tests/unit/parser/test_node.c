/* SPDX-License-Identifier: Apache-2.0 */
/* test_node.c - maps, small and with an index, and what removing does to them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "parser/node.h"

static struct node *numbers(struct arena *arena, int count)
{
    struct node *map = node_new(arena, NODE_MAP, (struct pos){0});
    for (int i = 0; i < count; i++)
        node_add(arena, map, arena_printf(arena, "k%d", i), (struct pos){0}, node_int(arena, i, (struct pos){0}));
    return map;
}

Test(node, keys_are_found_whatever_went_before)
{
    static const int counts[] = {1, 3, 15, 16, 17, 48, 49, 5000};
    struct arena *arena = arena_new();
    for (size_t c = 0; c < ARRAY_LEN(counts); c++) {
        int count = counts[c];
        struct node *map = numbers(arena, count);
        for (int round = 0; round < 4; round++) {
            for (int i = 0; i < count; i++) {
                char key[16];
                snprintf(key, sizeof(key), "k%d", i);
                const struct node *found = node_find(map, key);
                bool gone = (round > 0 && i == 0) || (round > 1 && i % 2 == 0);
                cr_expect(gone ? !found : found && found->integer == i, "%d of %d, round %d", i, count, round);
            }
            if (round == 0)
                cr_expect(node_remove(map, "k0") && !node_remove(map, "k0"));
            if (round == 1) {
                NODE_EACH(entry, map)
                    if (entry->value->integer % 2 == 0)
                        entry->value = NULL;
                node_compact(map);
            }
            if (round == 2)
                node_sort(map);
        }
        cr_expect_null(node_find(map, "nope"));
    }
    arena_free(arena);
}

Test(node, copies_are_equal_and_apart)
{
    struct arena *arena = arena_new();
    struct node *map = numbers(arena, 40), *list = node_new(arena, NODE_LIST, (struct pos){0});
    node_push(arena, list, map);
    struct node *copy = node_copy(arena, list);
    cr_expect(node_equal(list, copy));
    node_set(arena, copy->items[0].value, "k3", node_string(arena, "x", (struct pos){0}));
    cr_expect_not(node_equal(list, copy));
    cr_expect_eq(node_find(map, "k3")->integer, 3);
    cr_expect_not(node_equal(list, map));
    cr_expect(node_equal(NULL, NULL));
    cr_expect_null(node_find(list, "k3"));
    cr_expect_null(node_text(list));
    arena_free(arena);
}

Test(node, paths_are_written_as_people_do)
{
    struct path services = {.key = "services"}, web = {.parent = &services, .key = "web"},
                ports = {.parent = &web, .key = "ports"}, first = {.parent = &ports, .index = 2};
    char *text = path_text(&first);
    cr_expect_str_eq(text, "services.web.ports[2]");
    free(text);
    text = path_text(NULL);
    cr_expect_str_eq(text, "");
    free(text);
}
