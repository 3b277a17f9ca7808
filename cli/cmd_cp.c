/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cp.c - cp: one process reads on one side, one writes on the other, a tar archive runs between them. Which side is the
 * container's is theirs to enter; "-" leaves one of them out. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "base/term.h"
#include "base/vec.h"
#include "cli/copy_job.h"
#include "cli/view_progress.h"

struct cp_options {
    bool all, archive, follow;
    long long index;
};
#define CP(field) offsetof(struct cp_options, field)
const struct option_row cp_options[] = {
    {0, "index", OPTION_INT, CP(index), "N", "replica (from: the first; to: all)"},
    {0, "all", OPTION_FLAG, CP(all), NULL, "containers of run, too"},
    {'a', "archive", OPTION_FLAG, CP(archive), NULL, "keep owners and groups"},
    {'L', "follow-link", OPTION_FLAG, CP(follow), NULL, "copy what a link stands for"},
    {0},
};

/* SERVICE:PATH, or a path of this host; "-" is the stream. */
struct place {
    char *service; /* NULL: this host */
    const char *path;
    bool stream;
};

static struct place place_parse(const char *text)
{
    const char *colon = strchr(text, ':');

    if (strcmp(text, "-") == 0)
        return (struct place){.path = text, .stream = true};
    if (!colon || text[0] == '/' || text[0] == '.' || colon == text)
        return (struct place){.path = text};
    return (struct place){.service = xstrndup(text, (size_t)(colon - text)), .path = colon + 1};
}

/* Absolute; how it ends stays: "dir/." means what lies in it. Owned. */
static char *path_absolute(const struct place *place)
{
    char cwd[PATH_MAX];

    if (place->path[0] == '/')
        return xstrdup(place->path);
    if (place->service)
        return xasprintf("/%s", place->path);
    return xasprintf("%s/%s", getcwd(cwd, sizeof(cwd)) ? cwd : "", place->path);
}

/* What a copy of it is called inside of a directory; *ret_contents: what lies in it is meant, it has no name. Owned. */
static char *copy_name(const char *path, bool *ret_contents)
{
    size_t size = strlen(path);
    bool dot = size >= 2 && strcmp(path + size - 2, "/.") == 0;
    _cleanup_free_ char *clean = path_clean(path);
    const char *base = path_base(clean);

    *ret_contents = dot || !base[0];
    return xstrdup(base[0] ? base : "root");
}

struct copy {
    const struct cp_options *options;
    const struct cli *cli;
    char *from, *to; /* absolute paths; NULL: the stream */
    char *name;
    bool contents;
};

static int out_start(const struct copy *copy, const char *id, int fd, bool stream, struct copy_job *ret_job, struct err *err)
{
    VEC(char *) words = {0};

    VEC_ADD(&words, "copy-out");
    if (copy->options->follow)
        VEC_ADD(&words, "--follow");
    VEC_ADD(&words, "--name");
    VEC_ADD(&words, stream ? copy->name : "x"); /* the reader knows better */
    VEC_ADD(&words, "--");
    VEC_ADD(&words, (char *)id);
    VEC_ADD(&words, copy->from);
    VEC_ADD(&words, NULL);
    int result = copy_job_start(copy->cli, words.items, fd, ret_job, err);
    VEC_DONE(&words);
    return result;
}

static int in_start(const struct copy *copy, const char *id, int fd, struct copy_job *ret_job, struct err *err)
{
    VEC(char *) words = {0};

    VEC_ADD(&words, "copy-in");
    if (copy->from) {
        VEC_ADD(&words, "--name");
        VEC_ADD(&words, copy->name);
    }
    if (copy->contents)
        VEC_ADD(&words, "--contents");
    if (copy->options->archive || !copy->from) /* who sends an archive says who owns it */
        VEC_ADD(&words, "--archive");
    VEC_ADD(&words, "--");
    VEC_ADD(&words, (char *)id);
    VEC_ADD(&words, copy->to);
    VEC_ADD(&words, NULL);
    int result = copy_job_start(copy->cli, words.items, fd, ret_job, err);
    VEC_DONE(&words);
    return result;
}

/* from_id, to_id: "-" is this host. */
static int copy_run(const struct copy *copy, const char *from_id, const char *to_id, struct err *err)
{
    struct copy_job out = {.progress_fd = -1}, in = {.progress_fd = -1};
    struct err out_error = {0}, in_error = {0};
    _cleanup_close_ int read_end = -1, write_end = -1;
    int ends[2];

    if (copy->from && copy->to) {
        if (pipe2(ends, O_CLOEXEC) < 0)
            return err_sys(err, "make a pipe");
        read_end = ends[0];
        write_end = ends[1];
        (void)fcntl(write_end, F_SETPIPE_SZ, 1024 * 1024); /* smaller works */
    }
    if (copy->from && out_start(copy, from_id, copy->to ? write_end : STDOUT_FILENO, !copy->to, &out, err) < 0)
        return -1;
    close_fdp(&write_end);
    int started = copy->to ? in_start(copy, to_id, copy->from ? read_end : STDIN_FILENO, &in, err) : 0;
    close_fdp(&read_end);
    int in_result = copy_job_wait(&in, &in_error), out_result = copy_job_wait(&out, &out_error);
    if (started < 0)
        return -1;
    if (out_result < 0 && (out_error.code != ERR_CANCELLED || in_result == 0))
        return err_copy(err, &out_error); /* the cause; the reader only missed the end */
    return in_result < 0 ? err_copy(err, &in_error) : 0;
}

static void tell(struct view_progress *view, const char *container, const char *word, bool done)
{
    _cleanup_jv_ struct jv *event = jv_object();

    jv_set_str(event, "type", "progress");
    jv_set_str(event, "resource", "Container");
    jv_set_str(event, "name", container);
    jv_set_str(event, "word", word);
    jv_set_bool(event, "done", done);
    view_progress_event(view, event);
}

/* Containers of the service by number: all of them to copy to, the first to copy from. */
static int targets_find(const struct observed *observed, const struct cp_options *options, const char *service, bool from,
                        const struct container_record **targets, size_t *ret_count, struct err *err)
{
    size_t count = 0;

    for (size_t i = 0; i < observed->container_count; i++) {
        const struct container_record *record = observed->containers[i].record;
        if (!str_eq(record->service, service) || (record->oneoff && !options->all) ||
            (options->index > 0 && record->number != options->index))
            continue;
        size_t at = count++;
        for (; at > 0 && targets[at - 1]->number > record->number; at--)
            targets[at] = targets[at - 1];
        targets[at] = record;
    }
    *ret_count = from && count > 1 ? 1 : count;
    if (count == 0 && options->index > 0)
        return err_set(err, ERR_NOT_FOUND, "service \"%s\" has no container #%lld", service, options->index);
    return count == 0 ? err_set(err, ERR_NOT_FOUND, "no container found for service \"%s\"", service) : 0;
}

static int copy_all(struct cli *cli, const struct copy *copy, const struct observed *observed, const struct place *from,
                    const struct place *to, struct err *err)
{
    _cleanup_free_ const struct container_record **targets = xcalloc(observed->container_count + 1, sizeof(*targets));
    const char *service = from->service ? from->service : to->service;
    size_t count = 0;

    if (targets_find(observed, copy->options, service, from->service != NULL, targets, &count, err) < 0)
        return -1;
    if (from->stream && count > 1)
        return err_set(err, ERR_USAGE, "a stream can be copied to one container only: use --index");
    _cleanup_(view_progress_freep) struct view_progress *view = to->stream ? NULL : view_progress_new(cli, "cp");
    for (size_t i = 0; i < count; i++) {
        const char *id = targets[i]->id;
        if (view)
            tell(view, targets[i]->name, "Copying", false);
        if (copy_run(copy, from->service ? id : "-", to->service ? id : "-", err) < 0)
            return -1;
        if (view)
            tell(view, targets[i]->name, "Copied", true);
    }
    if (view)
        view_progress_finish(view);
    return 0;
}

static int cp_run(struct cli *cli, const struct cp_options *options, const struct place *from, const struct place *to)
{
    struct project *project = NULL;
    struct observed observed = {0};
    _cleanup_free_ char *name = NULL, *source = path_absolute(from), *dest = path_absolute(to), *base = NULL;
    struct copy copy = {.options = options, .cli = cli, .from = from->stream ? NULL : source, .to = to->stream ? NULL : dest};
    char *service = from->service ? from->service : to->service, *services[] = {service, NULL};
    struct err err = {0};
    int code;

    copy.name = base = copy_name(source, &copy.contents);
    if (project_observe_service(cli, service, &project, &name, &observed, &code) < 0)
        return code;
    code = project_check_services(project, &observed, services, &err) < 0 ||
                   copy_all(cli, &copy, &observed, from, to, &err) < 0
               ? cli_error(&err)
               : EXIT_OK;
    observed_done(&observed);
    project_free(project);
    return code;
}

int cmd_cp(struct cli *cli, int argc, char **argv)
{
    struct cp_options options = {0};
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (argc - first != 2) {
        err_set(&err, ERR_USAGE, "cp needs a source and a destination");
        return cli_error(&err);
    }
    struct place from = place_parse(argv[first]), to = place_parse(argv[first + 1]);
    if (from.service && to.service)
        err_set(&err, ERR_USAGE, "copying between services is not supported");
    else if (!from.service && !to.service)
        err_set(&err, ERR_USAGE, "one of source and destination is SERVICE:PATH");
    else if (!from.path[0] || !to.path[0])
        err_set(&err, ERR_USAGE, "source and destination cannot be empty");
    else if (to.stream && term_is_tty(STDOUT_FILENO))
        err_set(&err, ERR_USAGE, "an archive is not written to a terminal");
    code = err.code ? cli_error(&err) : cp_run(cli, &options, &from, &to);
    free(from.service);
    free(to.service);
    return code;
}
