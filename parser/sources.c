/* SPDX-License-Identifier: Apache-2.0 */
/* sources.c - what the file refers to on this host and is not there: the files of configs and secrets, and bind sources that
 * must exist already. Only for the services that are asked for and those they depend on. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "parser/load.h"
#include "parser/node.h"

struct sources {
    const struct node *tree;
    struct diags *diags;
};

/* The services to look at, in the order found; depends_on is followed. Owned. */
static char **services_reached(const struct node *services, const char *const *named)
{
    char **reached = NULL;
    for (size_t i = 0; named && named[i]; i++)
        if (node_find(services, named[i]) && !strv_has(reached, named[i]))
            reached = strv_add(reached, named[i]);
    if (!named || !named[0])
        NODE_EACH(entry, services)
            reached = strv_add(reached, entry->key);
    for (size_t i = 0; i < strv_len(reached); i++)
        NODE_EACH(entry, node_find(node_find(services, reached[i]), "depends_on"))
            if (entry->key && node_find(services, entry->key) && !strv_has(reached, entry->key))
                reached = strv_add(reached, entry->key);
    return reached;
}

static void check_path(const struct sources *sources, const struct node *at, const char *what, const char *name)
{
    struct stat st;
    const char *path = node_text(at);
    if (!path || path[0] != '/' || stat(path, &st) == 0)
        return;
    diag_error(sources->diags, at->pos, NULL, "%s%s: %s: %s", what, name, path,
               errno == ENOENT ? "there is no such file" : strerror(errno));
}

static void check_files(const struct sources *sources, const struct node *service, const char *section)
{
    NODE_EACH(entry, node_find(service, section)) {
        const char *name = node_find_text(entry->value, "source");
        const struct node *object = name ? node_find(node_find(sources->tree, section), name) : NULL;
        _cleanup_free_ char *what = xasprintf("%s.", section);
        if (object && !node_find_bool(object, "external", false))
            check_path(sources, node_find(object, "file"), what, name);
    }
}

static void check_binds(const struct sources *sources, const char *name, const struct node *service)
{
    _cleanup_free_ char *where = xasprintf("services.%s.volumes", name);
    NODE_EACH(entry, node_find(service, "volumes"))
        if (str_eq(node_find_text(entry->value, "type"), "bind") &&
            !node_find_bool(node_find(entry->value, "bind"), "create_host_path", true))
            check_path(sources, node_find(entry->value, "source"), where, "");
}

int project_check_sources(const struct project *project, const char *const *services, struct diags *diags)
{
    const struct sources sources = {.tree = project->canonical, .diags = diags};
    const struct node *all = node_find(project->canonical, "services");
    size_t errors = diags->error_count;
    char **reached = services_reached(all, services);
    for (size_t i = 0; i < strv_len(reached); i++) {
        const struct node *service = node_find(all, reached[i]);
        check_files(&sources, service, "configs");
        check_files(&sources, service, "secrets");
        check_binds(&sources, reached[i], service);
    }
    strv_free(reached);
    diags_sort(diags);
    diags_detach(diags);
    return diags->error_count > errors ? -1 : 0;
}
