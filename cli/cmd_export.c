/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_export.c - export: everything a container sees below its root, volumes included, as one tar archive. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/term.h"
#include "cli/copy_job.h"

struct export_options {
    const char *output;
    long long index;
};
#define EXPORT(field) offsetof(struct export_options, field)
const struct option_row export_options[] = {
    {'o', "output", OPTION_STRING, EXPORT(output), "FILE", "write there instead of standard output"},
    {0, "index", OPTION_INT, EXPORT(index), "N", "replica (the first)"},
    {0},
};

static const struct container_record *pick(const struct observed *observed, const char *service, long long index,
                                           struct err *err)
{
    const struct container_record *found = NULL;

    for (size_t i = 0; i < observed->container_count; i++) {
        const struct container_record *record = observed->containers[i].record;
        if (!record->oneoff && str_eq(record->service, service) && (index <= 0 || record->number == index) &&
            (!found || record->number < found->number))
            found = record;
    }
    if (!found)
        err_set(err, ERR_NOT_FOUND, "no container found for service \"%s\"", service);
    return found;
}

/* A failed export leaves no file that looks like one. */
static int export_to(const struct cli *cli, const char *id, const char *output, struct err *err)
{
    struct copy_job job = {.progress_fd = -1};
    char *words[] = {"copy-out", "--", (char *)id, "/", NULL};
    _cleanup_close_ int fd = output ? open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

    if (output && fd < 0)
        return err_sys(err, "create %s", output);
    if (copy_job_start(cli, words, output ? fd : STDOUT_FILENO, &job, err) == 0 && copy_job_wait(&job, err) == 0)
        return 0;
    if (output)
        (void)unlink(output); /* the error is what there is to tell */
    return -1;
}

int cmd_export(struct cli *cli, int argc, char **argv)
{
    struct export_options options = {0};
    struct project *project = NULL;
    struct observed observed = {0};
    _cleanup_free_ char *name = NULL;
    const struct container_record *record;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (argc - first != 1)
        err_set(&err, ERR_USAGE, "export needs a service");
    else if (!options.output && term_is_tty(STDOUT_FILENO))
        err_set(&err, ERR_USAGE, "an archive is not written to a terminal: use -o FILE");
    if (err.code)
        return cli_error(&err);
    char *services[] = {argv[first], NULL};
    if (project_observe_service(cli, argv[first], &project, &name, &observed, &code) < 0)
        return code;
    code = EXIT_OK;
    if (project_check_services(project, &observed, services, &err) < 0 ||
        !(record = pick(&observed, argv[first], options.index, &err)) ||
        export_to(cli, record->id, options.output, &err) < 0)
        code = cli_error(&err);
    observed_done(&observed);
    project_free(project);
    return code;
}
