/* SPDX-License-Identifier: Apache-2.0 */
/* image_job.c - worker's JSON lines → progress events. */
#include "cli/image_job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/engine.h"

/* The worker speaks of images and layers; the view wants the supervisor's form. */
static void show_line(struct view_progress *view, const struct jv *line)
{
    _cleanup_jv_ struct jv *event = jv_object();
    const char *status = jv_get_str(line, "status", "");
    const char *parent = jv_get_str(line, "parent", NULL);

    jv_set_str(event, "type", "progress");
    jv_set_str(event, "resource", parent ? "" : "Image");
    jv_set_str(event, "name", jv_get_str(line, "id", ""));
    jv_set_str(event, "word", status);
    jv_set_str(event, "parent", parent);
    jv_set_int(event, "current", jv_get_int(line, "current", 0));
    jv_set_int(event, "total", jv_get_int(line, "total", 0));
    jv_set_bool(event, "done",
                strstr(status, "complete") || strstr(status, "exists") ||
                    strcmp(status, "Pulled") == 0 || strcmp(status, "Loaded") == 0 ||
                    strcmp(status, "Imported") == 0);
    view_progress_event(view, event);
}

static void read_lines(FILE *stream, struct view_progress *view, struct jv **ret_last,
                       struct err *err)
{
    char *text = NULL;
    size_t capacity = 0;
    ssize_t size;

    while ((size = getline(&text, &capacity, stream)) > 0) {
        struct jv *line;
        if (jv_parse(text, (size_t)size, &line, NULL) < 0)
            continue; /* cut short by the worker's death: its exit status tells */
        if (jv_find(line, "error")) {
            jv_to_err(jv_find(line, "error"), err);
            jv_free(line);
            continue;
        }
        show_line(view, line);
        jv_free(*ret_last);
        *ret_last = line;
    }
    free(text);
}

int image_job_run(struct cli *cli, char *const *words, struct view_progress *view,
                  struct jv **ret_last)
{
    _cleanup_jv_ struct jv *last = NULL;
    struct err err = {0};
    pid_t pid;
    int fd, status;

    if (layout_open(&cli->layout, &err) < 0 ||
        image_worker_start(&cli->layout, words, STDIN_FILENO, &pid, &fd, &err) < 0)
        return cli_error(&err);
    FILE *stream = fdopen(fd, "r");
    read_lines(stream, view, &last, &err);
    fclose(stream);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    view_progress_finish(view);
    if (status == 0 && !err.code) {
        if (ret_last)
            *ret_last = take_ptr(&last);
        return EXIT_OK;
    }
    if (!err.code)
        err_set(&err, ERR_FAILED, "the image worker ended unexpectedly (status %d)", status);
    return cli_error(&err);
}
