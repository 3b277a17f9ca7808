/* SPDX-License-Identifier: Apache-2.0 */
/* interpolate.c - the template over a tree. Casting to the type a key wants is the checker's work. */
#include "parser/interpolate.h"

#include <string.h>

#include "parser/env.h"
#include "parser/template.h"

struct place {
    struct loading *loading;
    struct pos pos;
    const struct path *path;
    struct str *used; /* may be NULL */
};

static const char *lookup(void *context, const char *name)
{
    const struct place *place = context;
    if (place->used) {
        _cleanup_free_ char *one = env_explain(place->loading->env, name);
        if (!place->used->size || !strstr(str_text(place->used), one))
            str_addf(place->used, "%s%s", place->used->size ? "; " : "", one);
    }
    return env_get(place->loading->env, name);
}

void interpolate_unset(struct loading *loading, struct pos pos, const struct path *path, const char *name)
{
    _cleanup_free_ char *where = path_text(path);
    if (loading->options->strict)
        diag_error(loading->diags, pos, *where ? where : NULL, "the \"%s\" variable is not set", name);
    else
        diag_warning(loading->diags, pos, NULL, "The \"%s\" variable is not set. Defaulting to a blank string.", name);
}

static void unset(void *context, const char *name)
{
    const struct place *place = context;
    struct loading *loading = place->loading;
    if (map_has(loading->unset_seen, name))
        return;
    map_set(loading->unset_seen, name, loading);
    interpolate_unset(loading, place->pos, place->path, name);
}

const char *interpolate_text(struct loading *loading, const char *text, struct pos pos, const struct path *path,
                             struct str *used)
{
    struct place place = {.loading = loading, .pos = pos, .path = path, .used = used};
    struct template_scope scope = {.lookup = lookup, .unset = unset, .context = &place};
    _cleanup_str_ struct str result = {0};
    _cleanup_free_ char *message = NULL;

    if (!strchr(text, '$'))
        return text;
    enum template_status status = template_expand(text, &scope, &result, &message);
    if (status == TEMPLATE_OK)
        return arena_strndup(loading->arena, str_text(&result), result.size);
    _cleanup_free_ char *where = path_text(path);
    if (status == TEMPLATE_REQUIRED) {
        diag_error(loading->diags, pos, NULL, "error while interpolating %s: %s", where, message);
    } else if (status == TEMPLATE_LIMIT) {
        diag_error(loading->diags, pos, NULL, "error while interpolating %s: %s", where, message);
    } else {
        struct diag *diag = diag_error(loading->diags, pos, NULL, "invalid interpolation format for %s: %s", where,
                                       message ? message : text);
        diag_hint(diag, "You may need to escape any $ with another $.");
    }
    return NULL;
}

void interpolate(struct loading *loading, struct node *node, const struct path *path)
{
    if (node->kind == NODE_STRING && strchr(node->text, '$') && !load_has_room(loading, node->pos))
        return;
    if (node->kind == NODE_STRING) {
        _cleanup_str_ struct str used = {0};
        const char *text =
            interpolate_text(loading, node->text, node->pos, path, loading->options->origins ? &used : NULL);
        if (used.size)
            node->note = arena_strdup(loading->arena, str_text(&used));
        node->text = text ? text : "";
        return;
    }
    for (uint32_t i = 0; (node->kind == NODE_LIST || node->kind == NODE_MAP) && i < node->count; i++) {
        struct path step = {.parent = path, .key = node->items[i].key, .index = i};
        interpolate(loading, node->items[i].value, &step);
    }
}
