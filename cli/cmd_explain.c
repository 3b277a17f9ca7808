/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explain.c - explain services.web.environment.DB_HOST: which file or variable gave a value,
 * which ones lost. */
#include "cli/cli.h"

#include <stdio.h>

const struct option_row explain_options[] = {
    {0},
};

int cmd_explain(struct cli *cli, int argc, char **argv)
{
    struct load_options load = {.origins = true, .all_resources = true};
    struct project *project = NULL;
    struct err err = {0};
    char unused;
    int first, code;

    if (cli_options(cli, argc, argv, false, &unused, &first, &code) < 0)
        return code;
    if (first >= argc) {
        err_set(&err, ERR_USAGE, "explain: say what, for example services.web.image");
        return cli_error(&err);
    }
    if (project_pick_as(cli, &load, NULL, &project, &code) < 0)
        return code;
    for (code = EXIT_OK; first < argc; first++) {
        _cleanup_free_ char *text = NULL;
        err_clear(&err);
        if (project_explain(project, argv[first], &text, &err) < 0)
            code = cli_error(&err);
        else
            fputs(text, stdout);
    }
    project_free(project);
    return code;
}
