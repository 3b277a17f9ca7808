/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_config.c - config: the resolved project, or lists out of it. */
#include "cli/cli.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/str.h"

#include <fcntl.h>

struct config_options {
    bool quiet, services, volumes, networks, images, profiles, hash_all;
    const char *format, *output, *hash;
};
#define CONFIG(field) offsetof(struct config_options, field)
const struct option_row config_options[] = {
    {0, "format", OPTION_STRING, CONFIG(format), "yaml|json", "form of the output"},
    {'q', "quiet", OPTION_FLAG, CONFIG(quiet), NULL, "only check"},
    {'o', "output", OPTION_STRING, CONFIG(output), "FILE", "write to a file"},
    {0, "services", OPTION_FLAG, CONFIG(services), NULL, "service names, one a line"},
    {0, "volumes", OPTION_FLAG, CONFIG(volumes), NULL, "volume names"},
    {0, "networks", OPTION_FLAG, CONFIG(networks), NULL, "network names"},
    {0, "images", OPTION_FLAG, CONFIG(images), NULL, "image names"},
    {0, "profiles", OPTION_FLAG, CONFIG(profiles), NULL, "profile names"},
    {0, "hash", OPTION_STRING, CONFIG(hash), "'*'|S,S", "service and configuration hash"},
    {0},
};

static void print_hashes(const struct project *project, const char *which)
{
    char **names = strv_split(which, ",");

    for (size_t i = 0; i < project->services.count; i++) {
        const struct service *service = &project->services.items[i];
        if (strcmp(which, "*") == 0 || strv_has(names, service->name))
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

/* true when a list was asked for and printed */
static bool print_lists(const struct config_options *options, const struct project *project)
{
    if (options->services)
        for (size_t i = 0; i < project->services.count; i++)
            puts(project->services.items[i].name);
    if (options->images)
        for (size_t i = 0; i < project->services.count; i++)
            if (project->services.items[i].image)
                puts(project->services.items[i].image);
    if (options->volumes)
        for (size_t i = 0; i < project->volumes.count; i++)
            puts(project->volumes.items[i].key);
    if (options->networks)
        for (size_t i = 0; i < project->networks.count; i++)
            puts(project->networks.items[i].key);
    if (options->profiles)
        print_profiles(project);
    if (options->hash)
        print_hashes(project, options->hash);
    return options->services || options->images || options->volumes || options->networks ||
           options->profiles || options->hash;
}

static int print_config(const struct config_options *options, const struct project *project)
{
    struct err err = {0};

    if (options->format && strcmp(options->format, "yaml") != 0 &&
        strcmp(options->format, "json") != 0) {
        err_set(&err, ERR_USAGE, "--format: '%s' is not supported, use yaml or json",
                options->format);
        return cli_error(&err);
    }
    if (options->quiet || print_lists(options, project))
        return EXIT_OK;
    _cleanup_free_ char *text = project_config_text(project, str_eq(options->format, "json"));
    if (!options->output) {
        fputs(text, stdout);
        return EXIT_OK;
    }
    if (fs_replace(AT_FDCWD, options->output, text, strlen(text), 0644, &err) < 0)
        return cli_error(&err);
    return EXIT_OK;
}

int cmd_config(struct cli *cli, int argc, char **argv)
{
    struct config_options options = {0};
    struct project *project = NULL;
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (project_pick(cli, argv + first, &project, &code) < 0)
        return code;
    code = print_config(&options, project);
    project_free(project);
    return code;
}
