/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_config.c - config: the resolved project, or lists out of it. */
#include "cli/cli.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/str.h"
#include "cli/config_lists.h"
#include "engine/engine.h"

#include <fcntl.h>

struct config_options {
    bool quiet, origins, resolve_digests, lock_digests;
    struct config_lists lists;
    struct load_options load; /* flags only */
    const char *format, *output;
};
#define CONFIG(field) offsetof(struct config_options, field)
#define LISTS(field)  offsetof(struct config_options, lists.field)
#define LOAD(field)   offsetof(struct config_options, load.field)
const struct option_row config_options[] = {
    {0, "format", OPTION_STRING, CONFIG(format), "yaml|json", "form of the output"},
    {'q', "quiet", OPTION_FLAG, CONFIG(quiet), NULL, "only check"},
    {'o', "output", OPTION_STRING, CONFIG(output), "FILE", "write to a file"},
    {0, "services", OPTION_FLAG, LISTS(services), NULL, "service names, one a line"},
    {0, "volumes", OPTION_FLAG, LISTS(volumes), NULL, "volume names"},
    {0, "networks", OPTION_FLAG, LISTS(networks), NULL, "network names"},
    {0, "images", OPTION_FLAG, LISTS(images), NULL, "image names"},
    {0, "models", OPTION_FLAG, LISTS(models), NULL, "model names"},
    {0, "profiles", OPTION_FLAG, LISTS(profiles), NULL, "profile names"},
    {0, "environment", OPTION_FLAG, LISTS(environment), NULL,
     "the environment that variables are taken from"},
    {0, "variables", OPTION_FLAG, LISTS(variables), NULL, "variables that the files ask for"},
    {0, "hash", OPTION_STRING, LISTS(hash), "'*'|S,S", "service and configuration hash"},
    {0, "no-interpolate", OPTION_FLAG, LOAD(no_interpolate), NULL, "leave ${VARIABLES} as written"},
    {0, "no-normalize", OPTION_FLAG, LOAD(no_normalize), NULL, "add no names and defaults"},
    {0, "no-path-resolution", OPTION_FLAG, LOAD(no_path_resolution), NULL, "leave paths relative"},
    {0, "no-consistency", OPTION_FLAG, LOAD(no_consistency), NULL,
     "do not check references and conflicts"},
    {0, "no-env-resolution", OPTION_FLAG, LOAD(no_env_resolution), NULL,
     "leave env_file and variables without a value as written"},
    {0, "origins", OPTION_FLAG, CONFIG(origins), NULL,
     "say where each value came from: file:line:column, variables"},
    {0, "strict", OPTION_FLAG, LOAD(strict), NULL, "an unset variable is an error"},
    {0, "resolve-image-digests", OPTION_FLAG, CONFIG(resolve_digests), NULL,
     "add the digests of the images that are stored here"},
    {0, "lock-image-digests", OPTION_FLAG, CONFIG(lock_digests), NULL,
     "print only images with their digests, as an override file"},
    {0},
};

/* "docker.io/library/nginx:latest@sha256:…"; a reference with a digest stays. */
static int pin_image(const struct cli *cli, const char *reference, char **ret_pinned,
                     struct err *err)
{
    struct image image = {0};
    _cleanup_free_ char *full = NULL;

    if (image_ref_normalize(reference, &full, err) < 0)
        return -1;
    if (strchr(full, '@')) {
        *ret_pinned = take_ptr(&full);
        return 0;
    }
    if (image_find(&cli->layout, reference, &image, err) < 0)
        return -1;
    if (image.digest)
        *ret_pinned = xasprintf("%s@%s", full, image.digest);
    else
        err_set(err, ERR_NOT_FOUND, "was imported and has no digest of a registry");
    image_done(&image);
    return *ret_pinned ? 0 : -1;
}

static int pin_images(struct cli *cli, struct project *project, struct err *err)
{
    if (layout_open_existing(&cli->layout, err) < 0 && err->code != ERR_NOT_FOUND)
        return -1;
    for (size_t i = 0; i < project->services.count; i++) {
        const struct service *service = &project->services.items[i];
        _cleanup_free_ char *pinned = NULL;
        if (!service->image)
            continue;
        err_clear(err);
        if (pin_image(cli, service->image, &pinned, err) < 0) {
            err_wrap(err, "service %s: the digest of image %s is not known", service->name,
                     service->image);
            return err_hint(err, "winch pull %s", service->name);
        }
        project_set_image(project, service->name, pinned);
    }
    return 0;
}

static int print_config(struct cli *cli, const struct config_options *options,
                        struct project *project)
{
    bool as_json = str_eq(options->format, "json");
    struct err err = {0};

    if (options->quiet || config_lists_print(&options->lists, project, as_json, &err))
        return err.code ? cli_error(&err) : EXIT_OK;
    if ((options->resolve_digests || options->lock_digests) && pin_images(cli, project, &err) < 0)
        return cli_error(&err);
    if (options->lock_digests)
        project_keep_images(project, as_json);
    _cleanup_free_ char *text = options->origins ? project_origins_text(project, as_json)
                                                 : project_config_text(project, as_json);
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
    struct config_options options = {.load = {.only_services = true}};
    struct project *project = NULL;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (options.format && strcmp(options.format, "yaml") != 0 &&
        strcmp(options.format, "json") != 0) {
        err_set(&err, ERR_USAGE, "--format: '%s' is not supported, use yaml or json",
                options.format);
        return cli_error(&err);
    }
    options.load.origins = options.origins;
    options.load.list_variables = options.lists.variables || options.lists.environment;
    if (options.lists.variables) /* what they are used for may be missing */
        options.load.no_interpolate = options.load.no_env_resolution = options.load.no_consistency =
            true;
    if (project_pick_as(cli, &options.load, argv + first, &project, &code) < 0)
        return code;
    code = print_config(cli, &options, project);
    project_free(project);
    return code;
}
