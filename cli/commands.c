/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c - the command table and what all commands share. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/term.h"
#include "cli/view_diag.h"

#define GLOBAL(field) offsetof(struct global_options, field)
const struct option_row global_option_rows[] = {
    {'f', "file", OPTION_LIST, GLOBAL(files), "FILE",
     "compose file (repeatable; - is standard input)"},
    {'p', "project-name", OPTION_STRING, GLOBAL(project_name), "NAME", "project name"},
    {0, "profile", OPTION_LIST, GLOBAL(profiles), "NAME",
     "activate a profile (repeatable; * is all)"},
    {0, "env-file", OPTION_LIST, GLOBAL(env_files), "FILE", "environment file (repeatable)"},
    {0, "project-directory", OPTION_STRING, GLOBAL(project_directory), "DIR",
     "base of relative paths"},
    {0, "root", OPTION_STRING, GLOBAL(root), "DIR",
     "keep all state below DIR (default /var/lib/winch, /run/winch)"},
    {0, "ansi", OPTION_STRING, GLOBAL(ansi), "WHEN", "control characters: never, always, auto"},
    {0, "progress", OPTION_STRING, GLOBAL(progress), "STYLE", "auto, tty, plain, json, quiet"},
    {0, "parallel", OPTION_INT, GLOBAL(parallel), "N", "at most N operations at once (-1: no limit)"},
    {0, "all-resources", OPTION_FLAG, GLOBAL(all_resources), NULL,
     "keep resources that no service uses"},
    {0, "dry-run", OPTION_FLAG, GLOBAL(dry_run), NULL, "print the plan, change nothing"},
    {0, "verbose", OPTION_FLAG, GLOBAL(verbose), NULL, "debug log on standard error"},
    {'v', "version", OPTION_FLAG, GLOBAL(version), NULL, "print the version"},
    {0},
};

const struct command_row command_table[] = {
    {"config", "[SERVICE...]", "check the compose files and print the resolved project", cmd_config,
     config_options, EFFECT_READS},
    {"cp", "SERVICE:SOURCE DEST|- | SOURCE|- SERVICE:DEST", "copy files between containers and the host", cmd_cp,
     cp_options, EFFECT_CHANGES},
    {"create", "[SERVICE...]", "create the containers of the project, do not start them", cmd_create,
     create_options, EFFECT_PLANS},
    {"doctor", "", "say what this host can and cannot do, with reasons", cmd_doctor, doctor_options,
     EFFECT_READS},
    {"down", "[SERVICE...]", "stop and remove containers and networks", cmd_down, down_options,
     EFFECT_PLANS},
    {"events", "[SERVICE...]", "print what happens to the containers, as it happens", cmd_events,
     events_options, EFFECT_READS},
    {"exec", "SERVICE COMMAND [ARG...]", "run a command in a running container", cmd_exec,
     exec_options, EFFECT_CHANGES},
    {"explain", "PATH...", "say where values of the project came from, and what they replaced",
     cmd_explain, explain_options, EFFECT_READS},
    {"export", "SERVICE", "write a container's files as a tar archive", cmd_export, export_options,
     EFFECT_READS},
    {"help", "[COMMAND]", "show help", cmd_help, NULL, EFFECT_READS},
    {"image", "ls|rm|import|load ...", "manage images", cmd_image, image_options, EFFECT_CHANGES},
    {"images", "[SERVICE...]", "list the images that containers were made of", cmd_images,
     images_options, EFFECT_READS},
    {"inspect", "SERVICE|CONTAINER...", "show all that is known of containers, as JSON", cmd_inspect,
     inspect_options, EFFECT_READS},
    {"kill", "[SERVICE...]", "send a signal to containers", cmd_kill, kill_options, EFFECT_PLANS},
    {"lint", "", "say what is legal in the compose files but hurts", cmd_lint, lint_options,
     EFFECT_READS},
    {"logs", "[SERVICE...]", "show the output of containers", cmd_logs, logs_options, EFFECT_READS},
    {"ls", "", "list projects", cmd_ls, ls_options, EFFECT_READS},
    {"network", "ls", "list networks", cmd_network, network_options, EFFECT_READS},
    {"oci", "COMMAND [ARG...]", "run containers from OCI bundles, as runc and crun do", cmd_oci, NULL,
     EFFECT_CHANGES},
    {"pause", "[SERVICE...]", "stop the processes of containers for a while", cmd_pause,
     pause_options, EFFECT_PLANS},
    {"port", "SERVICE PORT", "print where a port is published", cmd_port, port_options,
     EFFECT_READS},
    {"ps", "[SERVICE...]", "list containers", cmd_ps, ps_options, EFFECT_READS},
    {"pull", "[SERVICE... | IMAGE...]", "pull images", cmd_pull, pull_options, EFFECT_CHANGES},
    {"restart", "[SERVICE...]", "restart containers", cmd_restart, restart_options, EFFECT_PLANS},
    {"rm", "[SERVICE...]", "remove stopped containers", cmd_rm, rm_options, EFFECT_PLANS},
    {"run", "SERVICE [COMMAND [ARG...]]", "run a command in a new container of a service", cmd_run,
     run_options, EFFECT_CHANGES},
    {"scale", "SERVICE=NUMBER...", "set how many replicas of services run", cmd_scale, scale_options,
     EFFECT_PLANS},
    {"start", "[SERVICE...]", "start stopped containers", cmd_start, start_options, EFFECT_PLANS},
    {"stats", "[SERVICE...]", "show what containers use, live", cmd_stats, stats_options,
     EFFECT_READS},
    {"stop", "[SERVICE...]", "stop containers, keep them", cmd_stop, stop_options, EFFECT_PLANS},
    {"top", "[SERVICE...]", "list the processes of containers", cmd_top, top_options, EFFECT_READS},
    {"unpause", "[SERVICE...]", "let paused containers go on", cmd_unpause, unpause_options,
     EFFECT_PLANS},
    {"up", "[SERVICE...]", "create and start the project", cmd_up, up_options, EFFECT_PLANS},
    {"version", "", "print the version", cmd_version, version_options, EFFECT_READS},
    {"volume", "ls|rm ...", "manage volumes", cmd_volume, volume_options, EFFECT_CHANGES},
    {"volumes", "[SERVICE...]", "list the volumes that services use", cmd_volumes, volumes_options,
     EFFECT_READS},
    {"wait", "SERVICE...", "wait until containers stop, print their exit codes", cmd_wait,
     wait_options, EFFECT_READS},
    {0},
};

/* Other names that scripts use. */
static const struct {
    const char *alias, *name;
} aliases[] = {{"convert", "config"}};

const struct command_row *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (strcmp(aliases[i].alias, name) == 0)
            name = aliases[i].name;
    for (const struct command_row *row = command_table; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

static int exit_code(const struct err *err)
{
    switch (err->code) {
    case ERR_USAGE:
        return EXIT_USAGE;
    case ERR_CANCELLED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_FAILED;
    }
}

int cli_error(const struct err *err)
{
    if (err->message[0])
        fprintf(stderr, "error: %s\n", err->message);
    if (err->hint[0])
        fprintf(stderr, "hint: %s\n", err->hint);
    return exit_code(err);
}

int cli_load_error(const struct cli *cli, const struct err *err)
{
    struct diag diag = {.level = DIAG_ERROR,
                        .message = (char *)err->message,
                        .hint = err->hint[0] ? (char *)err->hint : NULL};
    struct diags diags = {.items = &diag, .count = 1};

    if (!str_eq(cli->global.progress, "json"))
        return cli_error(err);
    view_diags(cli, &diags, stderr);
    return exit_code(err);
}

void cli_warning(const char *format, ...)
{
    va_list args;

    fputs("warning: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void cli_diags(const struct cli *cli, struct diags *diags)
{
    diags_sort(diags);
    view_diags(cli, diags, stderr);
}

static void command_help(const struct command_row *row)
{
    printf("Usage: winch %s%s%s%s\n\n%s\n", row->name, row->options ? " [OPTIONS]" : "",
           *row->words ? " " : "", row->words, row->help);
    if (row->options) {
        _cleanup_free_ char *help = options_help(row->options);
        printf("\nOptions:\n%s", help);
    }
}

int cli_options(struct cli *cli, int argc, char **argv, bool stop_at_word, void *values,
                int *ret_first, int *ret_code)
{
    struct err err = {0};

    if (options_parse(cli->command->options, argc, argv, stop_at_word, values, ret_first, &err) ==
        0)
        return 0;
    if (err.code == ERR_CANCELLED) {
        command_help(cli->command);
        *ret_code = EXIT_OK;
    } else {
        *ret_code = cli_error(&err);
    }
    return -1;
}

bool cli_color(const struct cli *cli, FILE *stream)
{
    if (cli->global.ansi && strcmp(cli->global.ansi, "always") == 0)
        return true;
    if (cli->global.ansi && strcmp(cli->global.ansi, "never") == 0)
        return false;
    return term_wants_color(fileno(stream));
}

int cmd_help(struct cli *cli, int argc, char **argv)
{
    (void)cli;
    if (argc > 1 && strcmp(argv[1], "--help") != 0) {
        const struct command_row *row = command_find(argv[1]);
        if (!row) {
            fprintf(stderr, "error: unknown command '%s'\n", argv[1]);
            return EXIT_FAILED;
        }
        command_help(row);
        return EXIT_OK;
    }
    for (const struct command_row *row = command_table; row->name; row++)
        printf("  %-10s %s\n", row->name, row->help);
    return EXIT_OK;
}
