/* SPDX-License-Identifier: Apache-2.0 */
/* salvage.c - a document with mistakes, made fit to be merged and validated all the same, so that one run tells what is
 * wrong with the rest of the file set, too. What a mistake lies in (one service, one volume) is replaced by something of
 * its name that satisfies every check. The outcome of such a load is never used. */
#include <string.h>

#include "base/str.h"
#include "parser/document.h"

static struct node *placeholder(struct arena *arena, const char *section, struct pos pos)
{
    struct node *value = node_new(arena, NODE_MAP, pos);

    if (strcmp(section, "services") == 0) {
        struct node *build = node_new(arena, NODE_MAP, pos);
        node_set(arena, build, "context", node_string(arena, "/", pos));
        node_set(arena, value, "build", build);
        node_set(arena, value, "image", node_string(arena, "x", pos));
    } else if (strcmp(section, "configs") == 0 || strcmp(section, "secrets") == 0) {
        node_set(arena, value, "external", node_bool(arena, true, pos));
    } else if (strcmp(section, "models") == 0) {
        node_set(arena, value, "model", node_string(arena, "x", pos));
    }
    return value;
}

static bool is_section(const struct node_entry *entry)
{
    static const char *const names[] = {"services", "networks", "volumes", "configs", "secrets", "models"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(entry->key, names[i]) == 0)
            return entry->value->kind == NODE_MAP;
    return false;
}

/* Does "services.web.ports[0]" begin with section and name? */
static bool path_is_in(const char *path, const char *section, const char *name)
{
    size_t first = strlen(section), second = strlen(name);
    return strncmp(path, section, first) == 0 && path[first] == '.' && strncmp(path + first + 1, name, second) == 0 &&
           strchr(".[", path[first + 1 + second]); /* or the end */
}

static bool is_before(struct pos a, struct pos b)
{
    return a.line < b.line || (a.line == b.line && a.column <= b.column);
}

struct place {
    const char *section; /* NULL: in no part that can be replaced */
    struct node_entry *entry;
};

/* By its path (names may have dots: the longest one counts), else the last part that begins before it. */
static struct place place_of(const struct node *document, const struct diag *diag)
{
    struct place found = {0};
    struct pos last = {0};

    NODE_EACH(section, document) {
        if (!diag->path && is_before(section->key_pos, diag->pos) && is_before(last, section->key_pos)) {
            last = section->key_pos;
            found = (struct place){0};
        }
        if (!is_section(section))
            continue;
        NODE_EACH(entry, section->value) {
            bool is_here = diag->path ? path_is_in(diag->path, section->key, entry->key) &&
                                            (!found.entry || strlen(entry->key) > strlen(found.entry->key))
                                      : is_before(entry->key_pos, diag->pos) && is_before(last, entry->key_pos);
            if (!is_here)
                continue;
            last = entry->key_pos;
            found = (struct place){section->key, entry};
        }
    }
    return found;
}

bool document_salvage(struct loading *loading, struct node *document, size_t first_diag)
{
    if (document->kind != NODE_MAP || loading->diags->errors_lost > 0)
        return false;
    for (size_t i = first_diag; i < loading->diags->count; i++) {
        const struct diag *diag = &loading->diags->items[i];
        if (diag->level != DIAG_ERROR)
            continue;
        struct place place = place_of(document, diag);
        if (!place.section)
            return false;
        place.entry->value = placeholder(loading->arena, place.section, place.entry->value->pos);
    }
    return true;
}
