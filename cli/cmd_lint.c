/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_lint.c - lint: what is legal in the compose files but hurts. Findings are the result, so they
 * go to standard output; files that cannot be loaded are an error as everywhere. */
#include "cli/cli.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/view_diag.h"
#include "parser/lint.h"

#define STDIN_BYTES_MAX (16u << 20)

struct lint_options {
    const char *format;
    bool strict;
};
#define LINT(field) offsetof(struct lint_options, field)
const struct option_row lint_options[] = {
    {0, "format", OPTION_STRING, LINT(format), "text|json", "form of the output"},
    {0, "strict", OPTION_FLAG, LINT(strict), NULL, "fail also when there are only warnings"},
    {0},
};

/* The files are read twice: standard input becomes a file that can be. */
static int keep_stdin(const struct cli *cli, struct err *err)
{
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    bool named = false;

    for (char **file = cli->global.files; file && *file; file++)
        named = named || strcmp(*file, "-") == 0;
    if (!named)
        return 0;
    _cleanup_close_ int fd = memfd_create("stdin", MFD_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "keep standard input");
    if (fd_read_all(STDIN_FILENO, STDIN_BYTES_MAX, &text, &size, err) < 0)
        return err_wrap(err, "read standard input");
    if (fd_write_all(fd, text, size) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
        dup2(fd, STDIN_FILENO) < 0)
        return err_sys(err, "keep standard input");
    return 0;
}

static int load(struct cli *cli, struct project **ret_project, struct diags *diags, struct err *err)
{
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    struct load_options options = project_load_options(cli, NULL, cwd ? cwd : "/");

    options.all_resources = true;
    options.no_env_resolution = true;
    if (keep_stdin(cli, err) < 0 || project_load(&options, ret_project, diags, err) < 0)
        return -1;
    (void)lseek(STDIN_FILENO, 0, SEEK_SET); /* does something only where keep_stdin() did */
    return 0;
}

static void print_json(const struct diags *diags)
{
    _cleanup_jv_ struct jv *all = jv_array();

    for (size_t i = 0; i < diags->count; i++)
        jv_add(all, diag_to_json(&diags->items[i]));
    _cleanup_free_ char *text = jv_dump_pretty(all, false);
    puts(text);
}

int cmd_lint(struct cli *cli, int argc, char **argv)
{
    struct lint_options options = {0};
    struct project *project = NULL;
    struct diags diags = {0};
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    bool as_json = str_eq(options.format, "json");
    if (options.format && !as_json && strcmp(options.format, "text") != 0) {
        err_set(&err, ERR_USAGE, "--format: '%s' is not supported, use text or json",
                options.format);
        return cli_error(&err);
    }
    if (first < argc) {
        err_set(&err, ERR_USAGE, "lint takes no words: '%s'", argv[first]);
        return cli_error(&err);
    }
    bool loaded = load(cli, &project, &diags, &err) == 0;
    if (loaded) {
        struct lint_sources sources = lint_sources_read(project);
        lint_project(project, &sources, &diags);
    }
    code = diags.error_count > 0 || (options.strict && diags.count > 0) ? EXIT_FAILED : EXIT_OK;
    if (!loaded && err.code)
        code = cli_load_error(cli, &err);
    if (as_json)
        print_json(&diags);
    else if (loaded)
        view_diags(cli, &diags, stdout);
    else
        cli_diags(cli, &diags);
    diags_done(&diags);
    project_free(project);
    return code;
}
