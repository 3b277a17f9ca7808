/* SPDX-License-Identifier: Apache-2.0 */
/* node.h - a tree of values with the position of each one: what files become before they are a model.
 *
 * Everything lives in one arena. A node is changed in place; sharing between parents does not happen
 * (aliases are copied). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"

enum node_kind { NODE_NULL, NODE_BOOL, NODE_INT, NODE_FLOAT, NODE_STRING, NODE_LIST, NODE_MAP };
enum node_tag { NODE_TAG_NONE, NODE_TAG_RESET, NODE_TAG_OVERRIDE };

struct node_entry {
    const char *key; /* NULL in lists */
    struct pos key_pos;
    struct node *value;
};

struct node {
    enum node_kind kind;
    enum node_tag tag;
    bool quoted; /* NODE_STRING: was written in quotes or as a block */
    bool is_default; /* nobody wrote it */
    struct pos pos;
    const char *note; /* what pos does not say: "TAG from .env:3"; NULL: nothing; needs load_options.origins */
    struct node *written; /* its form in the file, where --no-interpolate prints that; NULL: as it is here */
    const struct node *over; /* what this value replaced when files were merged; NULL: nothing */
    const char *text; /* scalars: the value as text (numbers in canonical spelling); "" for null */
    union {
        bool boolean;
        int64_t integer;
        double number;
    };
    struct node_entry *items; /* lists and maps */
    uint32_t count, capacity;
    uint32_t *index; /* hash index of a big map: entry + 1, 0 = free; NULL: none */
    uint32_t index_size;
};

/* Where a value is in the document, for messages; lives on the walker's stack. */
struct path {
    const struct path *parent;
    const char *key; /* NULL: index counts */
    size_t index;
};
/* "services.web.ports[0]"; owned by the caller. NULL gives "". */
char *path_text(const struct path *path);

struct node *node_new(struct arena *arena, enum node_kind kind, struct pos pos);
struct node *node_string(struct arena *arena, const char *text, struct pos pos);  /* text is copied */
struct node *node_string_ref(struct arena *arena, const char *text, struct pos pos); /* text lives long enough */
struct node *node_int(struct arena *arena, int64_t value, struct pos pos);
struct node *node_bool(struct arena *arena, bool value, struct pos pos);
struct node *node_float(struct arena *arena, double value, struct pos pos);
struct node *node_copy(struct arena *arena, const struct node *node); /* deep */

/* Maps. find gives the value or NULL (also for a map that is NULL or of another kind). */
struct node *node_find(const struct node *map, const char *key);
struct node_entry *node_entry_find(const struct node *map, const char *key);
/* Adds without looking for an earlier entry; key is borrowed (lives in the arena). */
void node_add(struct arena *arena, struct node *map, const char *key, struct pos key_pos, struct node *value);
/* Replaces or adds. */
void node_set(struct arena *arena, struct node *map, const char *key, struct node *value);
bool node_remove(struct node *map, const char *key);
void node_sort(struct node *map); /* by key, bytes */

/* Lists. */
void node_push(struct arena *arena, struct node *list, struct node *value);
void node_remove_at(struct node *collection, size_t index);
/* Removes the entries whose value is NULL, all at once. */
void node_compact(struct node *collection);

/* loser (may be NULL) stands behind all that node replaced. The chain is copied: others may share it. */
void node_add_loser(struct arena *arena, struct node *node, const struct node *loser);
#define NODE_LOSERS_MAX 64 /* of one node */

const char *node_text(const struct node *node);             /* scalar's text, else NULL; NULL for null */
const char *node_find_text(const struct node *map, const char *key);
bool node_find_bool(const struct node *map, const char *key, bool fallback);
bool node_is_scalar(const struct node *node);
bool node_equal(const struct node *a, const struct node *b); /* values, not positions */
const char *node_kind_text(enum node_kind kind);             /* "a mapping" */

/* Behind the last entry; NULL when there is none (NULL + 0 is no pointer that C knows). */
static inline struct node_entry *node_end(const struct node *node)
{
    return node->count ? node->items + node->count : NULL;
}

#define NODE_EACH(entry, node)                                                                     \
    for (struct node_entry *entry = (node) ? (node)->items : NULL,                                 \
                           *entry##_end = (node) ? node_end(node) : NULL;                          \
         entry < entry##_end; entry++)
