/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_short.c - ports, volumes and command lines in their short forms; what is taken has the parts it must have. */
#include <assert.h>
#include <stdint.h>

#include "parser/scalar.h"
#include "parser/short.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct pos pos = {0};
    char *text = arena_strndup(arena, (const char *)data, size);
    struct node *list = node_new(arena, NODE_LIST, pos), *words = node_new(arena, NODE_LIST, pos), *volume = NULL;

    if (!port_short_parse(arena, text, pos, list)) {
        assert(list->count >= 1);
        NODE_EACH(entry, list)
            assert(node_find(entry->value, "target")->integer >= 1 && node_find(entry->value, "target")->integer <= 65535);
    }
    if (!volume_short_parse(arena, text, pos, &volume))
        assert(node_find_text(volume, "type") && node_find_text(volume, "target"));
    const char *rest;
    (void)words_split(arena, text, words, &rest);
    struct scalar scalar = scalar_resolve(text);
    if (scalar.kind == NODE_FLOAT && scalar.number - scalar.number == 0) {
        const struct node *number = node_float(arena, scalar.number, pos);
        struct scalar again = scalar_resolve(number->text);
        assert((again.kind == NODE_FLOAT ? again.number : (double)again.integer) == scalar.number);
    }
    arena_free(arena);
    return 0;
}
