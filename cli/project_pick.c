/* SPDX-License-Identifier: Apache-2.0 */
/* project_pick.c - from the global options to a loaded project and what is observed of it. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

extern char **environ;

struct load_options project_load_options(const struct cli *cli, char *const *services,
                                         const char *cwd)
{
    const struct global_options *global = &cli->global;

    return (struct load_options){
        .files = (const char *const *)global->files,
        .project_name = global->project_name,
        .project_directory = global->project_directory,
        .env_files = (const char *const *)global->env_files,
        .profiles = (const char *const *)global->profiles,
        .services = (const char *const *)(services && services[0] ? services : NULL),
        .cwd = cwd,
        .environment = environ,
        .all_resources = global->all_resources,
    };
}

int project_pick_as(struct cli *cli, const struct load_options *load, char *const *services,
                    struct project **ret_project, int *ret_code)
{
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    struct load_options options = project_load_options(cli, services, cwd ? cwd : "/");

    options.no_interpolate = load->no_interpolate;
    options.no_normalize = load->no_normalize;
    options.no_consistency = load->no_consistency;
    options.no_path_resolution = load->no_path_resolution;
    options.no_env_resolution = load->no_env_resolution;
    options.all_resources |= load->all_resources;
    options.strict = load->strict;
    options.origins = load->origins;
    options.only_services = load->only_services;
    options.list_variables = load->list_variables;
    options.overlay = load->overlay;
    struct diags diags = {0};
    struct err err = {0};
    int rc = project_load(&options, ret_project, &diags, &err);

    cli_diags(cli, &diags);
    if (rc < 0)
        *ret_code = diags.error_count && !err.code ? EXIT_FAILED : cli_load_error(cli, &err);
    diags_done(&diags);
    return rc;
}

int project_pick(struct cli *cli, char *const *services, struct project **ret_project,
                 int *ret_code)
{
    return project_pick_as(cli, &(struct load_options){0}, services, ret_project, ret_code);
}

bool project_exists(const struct cli *cli)
{
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    struct load_options options = project_load_options(cli, NULL, cwd ? cwd : "/");
    struct project *project = NULL;
    struct diags diags = {0};
    struct err err = {0};
    bool missing = project_load(&options, &project, &diags, &err) < 0 && err.code == ERR_NOT_FOUND;

    diags_done(&diags);
    project_free(project);
    return !missing;
}

int project_pick_name(struct cli *cli, char *const *services, struct project **ret_project,
                      char **ret_name, int *ret_code)
{
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    struct load_options options = project_load_options(cli, services, cwd ? cwd : "/");
    struct diags diags = {0};
    struct err err = {0};

    *ret_project = NULL;
    if (project_load(&options, ret_project, &diags, &err) == 0) {
        *ret_name = xstrdup((*ret_project)->name);
        diags_done(&diags);
        return 0;
    }
    bool named = cli->global.project_name || getenv("COMPOSE_PROJECT_NAME");
    if (named && !cli->global.files) {
        err_clear(&err);
        if (project_name_pick(&options, ret_name, &err) == 0) {
            diags_done(&diags);
            return 0;
        }
    }
    cli_diags(cli, &diags);
    *ret_code = diags.error_count && !err.code ? EXIT_FAILED : cli_load_error(cli, &err);
    diags_done(&diags);
    return -1;
}

static int tell_problems(const struct observed *observed)
{
    for (char **problem = observed->problems; problem && *problem; problem++)
        cli_warning("%s", *problem);
    return 0;
}

int project_look(struct cli *cli, const struct project *project, const char *name,
                 struct observed *ret_observed, int *ret_code)
{
    struct err err = {0};

    *ret_observed = (struct observed){0};
    int rc = layout_open_existing(&cli->layout, &err);
    if (rc < 0 && err.code == ERR_NOT_FOUND)
        return 0;
    if (rc == 0 && observe(&cli->layout, name, project, ret_observed, &err) == 0)
        return tell_problems(ret_observed);
    *ret_code = cli_error(&err);
    return -1;
}

int project_observe(struct cli *cli, char *const *services, struct project **ret_project,
                    char **ret_name, struct observed *ret_observed, int *ret_code)
{
    if (project_pick_name(cli, services, ret_project, ret_name, ret_code) < 0)
        return -1;
    if (project_look(cli, *ret_project, *ret_name, ret_observed, ret_code) == 0)
        return 0;
    project_free(take_ptr(ret_project));
    free(take_ptr(ret_name));
    return -1;
}

int project_observe_service(struct cli *cli, char *service, struct project **ret_project,
                            char **ret_name, struct observed *ret_observed, int *ret_code)
{
    struct err err = {0};

    if (project_pick_name(cli, (char *[]){service, NULL}, ret_project, ret_name, ret_code) < 0)
        return -1;
    *ret_observed = (struct observed){0};
    int rc = layout_open_existing(&cli->layout, &err);
    if (rc < 0 && err.code == ERR_NOT_FOUND)
        return 0;
    if (rc == 0 && observe_service(&cli->layout, *ret_name, service, ret_observed, &err) == 0)
        return tell_problems(ret_observed);
    *ret_code = cli_error(&err);
    project_free(take_ptr(ret_project));
    free(take_ptr(ret_name));
    return -1;
}

int project_check_services(const struct project *project, const struct observed *observed,
                           char *const *words, struct err *err)
{
    for (; words && *words; words++) {
        bool known = project && project_service(project, *words);
        for (size_t i = 0; !known && observed && i < observed->container_count; i++)
            known = str_eq(observed->containers[i].record->service, *words);
        for (size_t i = 0; !known && project && i < project->disabled.count; i++)
            known = str_eq(project->disabled.items[i].name, *words);
        if (!known)
            return err_set(err, ERR_NOT_FOUND, "no such service: %s", *words);
    }
    return 0;
}
