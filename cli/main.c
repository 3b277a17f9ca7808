/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - winch: global options, then the command's row in the table. */
#include "cli/cli.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/suggest.h"
#include "cli/variables.h"

static void usage(FILE *stream)
{
    _cleanup_free_ char *options = options_help(global_option_rows);

    fprintf(stream,
            "Usage: winch [OPTIONS] COMMAND [ARGS]\n\nRuns compose files on this "
            "host.\n\nOptions:\n%s\nCommands:\n",
            options);
    for (const struct command_row *row = command_table; row->name; row++)
        fprintf(stream, "  %-10s %s\n", row->name, row->help);
    fprintf(stream, "\n'winch COMMAND --help' shows the options of a command.\n");
}

static int unknown_command(const char *name)
{
    const char *names[64];
    size_t count = 0;

    for (const struct command_row *row = command_table; row->name && count < ARRAY_LEN(names);
         row++)
        names[count++] = row->name;
    const char *near = suggest_nearest(name, names, count);
    fprintf(stderr, "error: unknown command '%s'\n", name);
    if (near)
        fprintf(stderr, "hint: did you mean '%s'?\n", near);
    return EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct cli cli = {.layout = {.lib_fd = -1, .run_fd = -1}};
    struct err err = {0};
    int first;

    log_set_level_from_env();
    signal(SIGPIPE, SIG_IGN);
    if (options_parse(global_option_rows, argc, argv, true, &cli.global, &first, &err) < 0) {
        if (err.code == ERR_CANCELLED) {
            usage(stdout);
            return EXIT_OK;
        }
        return cli_error(&err);
    }
    if (cli.global.verbose)
        log_set_level(LOG_LEVEL_DEBUG);
    if (cli.global.version)
        return cmd_version(&cli, 1, (char *[]){(char *)"version", NULL});
    if (first >= argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    cli.command = command_find(argv[first]);
    if (!cli.command)
        return unknown_command(argv[first]);
    if (cli.global.dry_run && cli.command->effect == EFFECT_CHANGES) {
        err_set(&err, ERR_USAGE, "%s has no --dry-run", cli.command->name);
        return cli_error(&err);
    }
    if (variables_apply(&cli, &err) < 0 || layout_init(&cli.layout, cli.global.root, &err) < 0)
        return cli_error(&err);
    int code = cli.command->run(&cli, argc - first, argv + first);

    layout_done(&cli.layout);
    strv_free(cli.global.files);
    strv_free(cli.global.profiles);
    strv_free(cli.global.env_files);
    if (fflush(stdout) != 0 && code == EXIT_OK)
        code = EXIT_FAILED;
    return code;
}
