/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c - where each value of a project came from: for `config --origins` and `explain`. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "parser/canonical.h"
#include "parser/yaml_write.h"

/* "compose.yaml:3:12 (TAG from .env:1)" */
static char *origin_of(const struct node *node)
{
    _cleanup_str_ struct str text = {0};
    if (node->is_default)
        return xstrdup("default");
    if (node->pos.file)
        str_addf(&text, "%s:%u:%u", node->pos.file, node->pos.line, node->pos.column);
    if (node->note)
        str_addf(&text, node->pos.file ? " (%s)" : "%s", node->note);
    return str_printable(text.size ? str_text(&text) : "default");
}

static void add_origins(struct jv *object, const struct node *node, const struct path *path)
{
    if (node_is_scalar(node) || node->count == 0) {
        _cleanup_free_ char *where = path_text(path), *origin = origin_of(node);
        jv_set_str(object, where, origin);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        struct path step = {.parent = path, .key = node->items[i].key, .index = i};
        add_origins(object, node->items[i].value, &step);
    }
}

char *project_origins_text(const struct project *project, bool as_json)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    if (!as_json)
        return yaml_write_commented(project_output_tree(arena, project, false), origin_of);
    _cleanup_jv_ struct jv *object = jv_object();
    add_origins(object, project->canonical, NULL);
    return jv_dump_pretty(object, false);
}

/* The value at the rest of a path; keys may have dots in them. */
static const struct node *value_at(const struct node *node, const char *rest)
{
    if (!*rest)
        return node;
    for (uint32_t i = 0; node->kind == NODE_LIST && i < node->count; i++) {
        char step[24];
        int size = snprintf(step, sizeof(step), "[%u]", i);
        if (strncmp(rest, step, (size_t)size) == 0)
            return value_at(node->items[i].value, rest + size + (rest[size] == '.'));
    }
    for (uint32_t i = 0; node->kind == NODE_MAP && i < node->count; i++) {
        const char *key = node->items[i].key;
        size_t size = strlen(key);
        if (strncmp(rest, key, size) != 0 || (rest[size] && rest[size] != '.' && rest[size] != '['))
            continue;
        const struct node *found = value_at(node->items[i].value, rest + size + (rest[size] == '.'));
        if (found)
            return found;
    }
    return NULL;
}

static char *value_text(const struct node *node)
{
    if (node->kind == NODE_NULL)
        return xstrdup("null");
    if (node_is_scalar(node))
        return str_printable(node->text);
    return xstrdup(node->count ? node_kind_text(node->kind) : node->kind == NODE_MAP ? "{}" : "[]");
}

static void add_losers(struct str *out, const struct node *node)
{
    unsigned count = 0;
    for (const struct node *loser = node->over; loser && count < NODE_LOSERS_MAX; loser = loser->over, count++) {
        _cleanup_free_ char *lost = value_text(loser), *place = origin_of(loser);
        str_addf(out, "  over %s = %s\n", place, lost);
    }
}

static void explain(struct str *out, const struct node *node, const char *path)
{
    for (uint32_t i = 0; !node_is_scalar(node) && i < node->count; i++) {
        const char *key = node->items[i].key;
        _cleanup_free_ char *step = key ? xasprintf("%s%s%s", path, *path ? "." : "", key) : xasprintf("%s[%u]", path, i);
        explain(out, node->items[i].value, step);
    }
    bool leaf = node_is_scalar(node) || node->count == 0;
    if (!leaf && !node->over)
        return;
    _cleanup_free_ char *value = value_text(node), *origin = origin_of(node);
    str_addf(out, "%s = %s\n  from %s\n", path, value, origin);
    add_losers(out, node);
}

/* rest of path behind "services.NAME"; NULL: of another service. */
static const char *rest_behind(const char *path, const char *name)
{
    size_t size = strlen(name);
    const char *rest = str_has_prefix(path, "services.") ? path + strlen("services.") : "";
    return strncmp(rest, name, size) == 0 && strchr(".[", rest[size]) ? rest + size : NULL;
}

/* What the project does not have: a service of other profiles, or what a file took away. */
static bool explain_absent(struct str *out, const struct project *project, const char *path)
{
    for (size_t i = 0; i < project->disabled.count; i++) {
        const struct service *service = &project->disabled.items[i];
        const char *rest = rest_behind(path, service->name);
        const struct node *node = rest ? value_at(service->canonical, rest + (*rest == '.')) : NULL;
        if (!node)
            continue;
        str_addf(out, "service '%s' is off: none of its profiles is active:", service->name);
        for (size_t k = 0; k < service->profiles.count; k++)
            str_addf(out, " %s", service->profiles.items[k]);
        str_add(out, "\n");
        explain(out, node, path);
        return true;
    }
    const struct node *reset = node_find(project->removed, path);
    if (!reset)
        return false;
    _cleanup_free_ char *origin = origin_of(reset);
    str_addf(out, "%s is not set\n  !reset at %s\n", path, origin);
    add_losers(out, reset);
    return true;
}

int project_explain(const struct project *project, const char *path, char **ret_text, struct err *err)
{
    const struct node *node = value_at(project->canonical, path);
    struct str out = {0};
    if (node) {
        explain(&out, node, path);
    } else if (!explain_absent(&out, project, path)) {
        err_set(err, ERR_NOT_FOUND, "nothing at '%s'", path);
        return err_hint(err, "winch config prints all there is");
    }
    *ret_text = str_take(&out);
    return 0;
}
