/* SPDX-License-Identifier: Apache-2.0 */
/* copy_job.c - one worker of a copy from its start to its end. */
#include "cli/copy_job.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/json.h"
#include "engine/engine.h"

#define WARNINGS_SHOWN 20

int copy_job_start(const struct cli *cli, char *const *words, int data_fd, struct copy_job *ret_job, struct err *err)
{
    return copy_worker_start(&cli->layout, words, data_fd, &ret_job->pid, &ret_job->progress_fd, err);
}

static void read_lines(FILE *stream, struct err *err)
{
    char *text = NULL;
    size_t capacity = 0, warnings = 0;
    ssize_t size;

    while ((size = getline(&text, &capacity, stream)) > 0) {
        _cleanup_jv_ struct jv *line = NULL;
        if (jv_parse(text, (size_t)size, &line, NULL) < 0)
            continue; /* cut short by the worker's death: its exit status tells */
        if (jv_find(line, "error"))
            jv_to_err(jv_find(line, "error"), err);
        else if (jv_get_str(line, "warning", NULL) && ++warnings <= WARNINGS_SHOWN)
            cli_warning("%s", jv_get_str(line, "warning", NULL));
    }
    if (warnings > WARNINGS_SHOWN)
        cli_warning("and %zu more", warnings - WARNINGS_SHOWN);
    free(text);
}

int copy_job_wait(struct copy_job *job, struct err *err)
{
    struct err error = {0};
    int status = 0;

    if (job->progress_fd < 0)
        return 0;
    FILE *stream = fdopen(job->progress_fd, "r");
    if (stream) {
        read_lines(stream, &error);
        fclose(stream);
    }
    job->progress_fd = -1;
    while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (error.code)
        return err_copy(err, &error);
    return status == 0 ? 0 : err_set(err, ERR_FAILED, "the copying process ended unexpectedly (status %d)", status);
}
