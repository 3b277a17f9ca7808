/* SPDX-License-Identifier: Apache-2.0 */
/* config_lists.c - lists out of a resolved project, one name a line; variables as a table. */
#include "cli/config_lists.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/view_table.h"

static void print_hashes(const struct project *project, const char *which, struct err *err)
{
    bool all = strcmp(which, "*") == 0;
    char **names = strv_split(which, ",");

    for (size_t i = 0; names[i] && !all; i++)
        if (!project_service(project, names[i]))
            err_set(err, ERR_NOT_FOUND, "no such service: %s", names[i]);
    for (size_t i = 0; i < project->services.count && !err->code; i++) {
        const struct service *service = &project->services.items[i];
        if (all || strv_has(names, service->name))
            printf("%s %s\n", service->name, service->config_hash);
    }
    strv_free(names);
}

static void print_profiles(const struct project *project)
{
    char **seen = NULL;

    for (size_t set = 0; set < 2; set++) {
        size_t count = set ? project->disabled.count : project->services.count;
        const struct service *services = set ? project->disabled.items : project->services.items;
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < services[i].profiles.count; j++)
                if (!strv_has(seen, services[i].profiles.items[j]))
                    seen = strv_add(seen, services[i].profiles.items[j]);
    }
    for (char **name = seen; name && *name; name++)
        puts(*name);
    strv_free(seen);
}

static void print_images(const struct project *project)
{
    for (size_t i = 0; i < project->services.count; i++) {
        const struct service *service = &project->services.items[i];
        if (service->image)
            puts(service->image);
        else if (service->build.set)
            printf("%s-%s\n", project->name, service->name);
    }
}

static void print_variables(const struct project *project, bool as_json)
{
    if (as_json) {
        _cleanup_jv_ struct jv *object = jv_object();
        for (size_t i = 0; i < project->variables.count; i++) {
            const struct variable_use *use = &project->variables.items[i];
            struct jv *value = jv_object();
            jv_set_str(value, "Name", use->name);
            jv_set_str(value, "DefaultValue", use->fallback);
            jv_set_str(value, "PresenceValue", use->alternate);
            jv_set(value, "Required", jv_bool(use->required));
            jv_set(object, use->name, value);
        }
        _cleanup_free_ char *text = jv_dump_pretty(object, true);
        puts(text);
        return;
    }
    struct view_table *table = view_table_new(
        (const char *[]){"NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE", NULL});
    for (size_t i = 0; i < project->variables.count; i++) {
        const struct variable_use *use = &project->variables.items[i];
        view_table_row(table, (const char *[]){use->name, use->required ? "true" : "false",
                                               use->fallback, use->alternate});
    }
    view_table_print(table);
    view_table_free(table);
}

static void print_names(const struct config_lists *lists, const struct project *project)
{
    if (lists->services)
        for (size_t i = 0; i < project->services.count; i++)
            puts(project->services.items[i].name);
    if (lists->volumes)
        for (size_t i = 0; i < project->volumes.count; i++)
            puts(project->volumes.items[i].key);
    if (lists->networks)
        for (size_t i = 0; i < project->networks.count; i++)
            puts(project->networks.items[i].key);
    if (lists->models)
        for (size_t i = 0; i < project->models.count; i++)
            if (project->models.items[i].model)
                puts(project->models.items[i].model);
    if (lists->images)
        print_images(project);
    if (lists->profiles)
        print_profiles(project);
}

bool config_lists_print(const struct config_lists *lists, const struct project *project,
                        bool as_json, struct err *err)
{
    print_names(lists, project);
    if (lists->environment)
        for (size_t i = 0; i < project->environment.count; i++)
            printf("%s=%s\n", project->environment.items[i].key,
                   project->environment.items[i].value);
    if (lists->variables)
        print_variables(project, as_json);
    if (lists->hash)
        print_hashes(project, lists->hash, err);
    return lists->services || lists->volumes || lists->networks || lists->images || lists->models ||
           lists->profiles || lists->environment || lists->variables || lists->hash;
}
