/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_life.c - down, stop, start, restart, kill, pause, unpause, rm: one call to the supervisor each. */
#include "cli/change.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/proc.h"
#include "base/str.h"
#include "orchestrator/client.h"

struct life_options {
    long long timeout;
    char **services;
    const char *signal, *rmi;
    bool volumes, remove_orphans, force, stop, wait, no_deps, dry_run;
    long long wait_timeout;
};
#define LIFE(field) offsetof(struct life_options, field)
#define DRY_RUN                                                                                    \
    {                                                                                              \
        0, "dry-run", OPTION_FLAG, LIFE(dry_run), NULL, "print the plan, change nothing"           \
    }
#define TIMEOUT                                                                                    \
    {                                                                                              \
        't', "timeout", OPTION_INT, LIFE(timeout), "SECONDS", "time to stop before SIGKILL"        \
    }

const struct option_row down_options[] = {
    TIMEOUT,
    {'v', "volumes", OPTION_FLAG, LIFE(volumes), NULL,
     "remove named and anonymous volumes of the project"},
    {0, "remove-orphans", OPTION_FLAG, LIFE(remove_orphans), NULL,
     "remove containers of services that are not in the file"},
    DRY_RUN,
    {0},
};
const struct option_row pause_options[] = {DRY_RUN, {0}};
const struct option_row unpause_options[] = {DRY_RUN, {0}};
const struct option_row stop_options[] = {TIMEOUT, DRY_RUN, {0}};
const struct option_row start_options[] = {
    {0, "wait", OPTION_FLAG, LIFE(wait), NULL, "wait until running or healthy"},
    {0, "wait-timeout", OPTION_INT, LIFE(wait_timeout), "SECONDS", "give up waiting"},
    DRY_RUN,
    {0},
};
const struct option_row restart_options[] = {
    TIMEOUT,
    {0, "no-deps", OPTION_FLAG, LIFE(no_deps), NULL, "do not restart dependent services"},
    DRY_RUN,
    {0},
};
const struct option_row kill_options[] = {
    {'s', "signal", OPTION_STRING, LIFE(signal), "SIGNAL", "signal to send (SIGKILL)"},
    {0, "remove-orphans", OPTION_FLAG, LIFE(remove_orphans), NULL,
     "include services that are not in the file"},
    DRY_RUN,
    {0},
};
const struct option_row rm_options[] = {
    {'f', "force", OPTION_FLAG, LIFE(force), NULL, "do not ask"},
    {'s', "stop", OPTION_FLAG, LIFE(stop), NULL, "stop the containers first"},
    {'v', "volumes", OPTION_FLAG, LIFE(volumes), NULL, "remove anonymous volumes too"},
    DRY_RUN,
    {0},
};

/* What the command leaves to say when the project has no containers. */
static int nothing_there(const char *call, const char *project)
{
    if (strcmp(call, "down") == 0)
        fprintf(stderr, "warning: No resource found to remove for project \"%s\".\n", project);
    else if (strcmp(call, "kill") == 0)
        fprintf(stderr, "No container to kill\n");
    else if (strcmp(call, "rm") == 0)
        fprintf(stderr, "No stopped containers\n");
    return EXIT_OK;
}

static bool project_is_empty(struct cli *cli, const struct observed *observed, const char *name)
{
    _cleanup_(ipc_client_freep) struct ipc_client *client = NULL;

    if (observed->container_count || observed->network_count)
        return false;
    return supervisor_connect(&cli->layout, name, false, &client, NULL) < 0;
}

/* A living supervisor knows all that there is: then nothing needs to be looked at here. Services that are only among the
 * containers do. */
static bool supervisor_knows(struct cli *cli, const struct project *project, const char *name,
                             char **services)
{
    _cleanup_(ipc_client_freep) struct ipc_client *client = NULL;

    return project && project_check_services(project, NULL, services, NULL) == 0 &&
           layout_open_existing(&cli->layout, NULL) == 0 &&
           supervisor_connect(&cli->layout, name, false, &client, NULL) == 0;
}

static struct jv *life_args(const struct life_options *options, char **services)
{
    struct jv *json = change_options(services, options->timeout);

    jv_set_bool(json, "volumes", options->volumes);
    jv_set_bool(json, "remove_orphans", options->remove_orphans);
    jv_set_bool(json, "no_deps", options->no_deps);
    jv_set_bool(json, "stop", options->stop);
    jv_set_bool(json, "wait", options->wait);
    if (options->wait_timeout > 0)
        jv_set_int(json, "wait_timeout_us", options->wait_timeout * 1000000);
    if (options->signal)
        jv_set_int(json, "signo", signal_parse(options->signal));
    return json;
}

static int print_life_plan(const char *call, const struct life_options *options,
                           const struct project *project, const struct observed *observed,
                           char **services)
{
    static const struct {
        const char *call;
        enum op_kind kind;
    } verbs[] = {{"stop", OP_CONTAINER_STOP},
                 {"start", OP_CONTAINER_START},
                 {"restart", OP_CONTAINER_RESTART},
                 {"kill", OP_CONTAINER_KILL},
                 {"pause", OP_CONTAINER_PAUSE},
                 {"unpause", OP_CONTAINER_UNPAUSE},
                 {"rm", OP_CONTAINER_REMOVE}};
    struct plan_options plan_options = {
        .services = (const char *const *)(services[0] ? services : NULL),
        .no_deps = options->no_deps,
        .remove_orphans = options->remove_orphans,
        .volumes = options->volumes,
        .signo = options->signal ? signal_parse(options->signal) : SIGKILL,
        .timeout_us = options->timeout >= 0 ? options->timeout * 1000000 : -1,
    };
    _cleanup_(plan_freep) struct plan *plan = NULL;
    struct err err = {0};
    int rc = 0;

    if (strcmp(call, "down") == 0)
        rc = plan_make_down(project, observed, &plan_options, &plan, &err);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strcmp(call, verbs[i].call) == 0)
            rc = plan_make_verb(verbs[i].kind, project, observed, &plan_options, &plan, &err);
    if (rc < 0)
        return cli_error(&err);
    plan_print(plan);
    return EXIT_OK;
}

/* An `up` that failed before its first container leaves the wish, which a boot would follow, and the user namespace. */
static bool only_down_ends_it(struct cli *cli, const char *call, const char *name)
{
    _cleanup_jv_ struct jv *stored = NULL;

    return strcmp(call, "down") == 0 && project_stored(&cli->layout, name, &stored, NULL) == 0;
}

static bool volumes_left(const struct observed *observed)
{
    return observed->volume_count > 0;
}

static int life_run(struct cli *cli, int argc, char **argv, const char *call)
{
    struct life_options options = {.timeout = -1};
    struct project *project = NULL;
    struct observed observed = {0};
    _cleanup_free_ char *name = NULL;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    options.remove_orphans |= cli->global.remove_orphans;
    if (options.signal && signal_parse(options.signal) < 0) {
        err_set(&err, ERR_USAGE, "'%s' is not a signal", options.signal);
        return cli_error(&err);
    }
    char **services = argv + first;
    bool dry_run = cli->global.dry_run || options.dry_run;
    if (project_pick_name(cli, services, &project, &name, &code) < 0)
        return code;
    bool look = dry_run || !supervisor_knows(cli, project, name, services);
    if (look && project_look(cli, project, name, &observed, &code) < 0) {
        /* told */
    } else if (look && project_check_services(project, &observed, services, &err) < 0) {
        code = cli_error(&err);
    } else if (look && project_is_empty(cli, &observed, name) &&
               !(options.volumes && volumes_left(&observed)) &&
               !only_down_ends_it(cli, call, name)) {
        code = strcmp(call, "start") == 0 && project ? EXIT_FAILED : nothing_there(call, name);
        if (code)
            fprintf(stderr,
                    "error: project '%s' has no containers to start\nhint: use 'winch up'\n", name);
    } else if (dry_run) {
        code = print_life_plan(call, &options, project, &observed, services);
    } else {
        struct jv *args = jv_object();
        jv_set(args, "options", life_args(&options, services));
        if (project)
            jv_set(args, "project", project_to_json(project));
        code = layout_open(&cli->layout, &err) < 0
                   ? cli_error(&err)
                   : change_run(cli, name, true, call, call, args, NULL);
    }
    observed_done(&observed);
    project_free(project);
    return code;
}

int cmd_down(struct cli *cli, int argc, char **argv)
{
    return life_run(cli, argc, argv, "down");
}

int cmd_stop(struct cli *cli, int argc, char **argv)
{
    return life_run(cli, argc, argv, "stop");
}

int cmd_start(struct cli *cli, int argc, char **argv)
{
    return life_run(cli, argc, argv, "start");
}

int cmd_restart(struct cli *cli, int argc, char **argv)
{
    return life_run(cli, argc, argv, "restart");
}

int cmd_kill(struct cli *cli, int argc, char **argv)
{
    return life_run(cli, argc, argv, "kill");
}

int cmd_rm(struct cli *cli, int argc, char **argv)
{
    return life_run(cli, argc, argv, "rm");
}

int cmd_pause(struct cli *cli, int argc, char **argv)
{
    return life_run(cli, argc, argv, "pause");
}

int cmd_unpause(struct cli *cli, int argc, char **argv)
{
    return life_run(cli, argc, argv, "unpause");
}
