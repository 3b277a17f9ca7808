/* SPDX-License-Identifier: Apache-2.0 */
/* view_logs.c - prefix, colour and order as compose-users know them (docs/compose-support.md,
 * logs). */
#include "cli/view_logs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"

static const char *const colors[] = {"36",   "33",   "32",   "35",   "34",
                                     "36;1", "33;1", "32;1", "35;1", "34;1"};

struct source {
    char *id, *prefix;
    struct log_reader *reader;
    const char *color;
    bool at_line_start;
    char *shown; /* the prefix as printed, for views of shown_width */
    size_t shown_width, shown_size;
};

struct view_logs {
    const struct cli *cli;
    struct view_logs_options options;
    bool color;
    size_t width;
    VEC(struct source) sources;
};

struct view_logs *view_logs_new(const struct cli *cli, const struct view_logs_options *options)
{
    struct view_logs *view = xcalloc(1, sizeof(*view));

    view->cli = cli;
    view->options = *options;
    view->color = !options->no_color && cli_color(cli, stdout);
    return view;
}

void view_logs_free(struct view_logs *view)
{
    if (!view)
        return;
    for (size_t i = 0; i < view->sources.count; i++) {
        free(view->sources.items[i].id);
        free(view->sources.items[i].prefix);
        free(view->sources.items[i].shown);
        log_reader_free(view->sources.items[i].reader);
    }
    VEC_DONE(&view->sources);
    free(view);
}

int view_logs_add(struct view_logs *view, const char *id, const char *prefix, struct err *err)
{
    struct log_reader *reader;

    for (size_t i = 0; i < view->sources.count; i++)
        if (strcmp(view->sources.items[i].id, id) == 0)
            return 0;
    if (log_reader_open(&view->cli->layout, id, &view->options.log, &reader, err) < 0)
        return -1;
    view->width = MAX(view->width, strlen(prefix));
    VEC_ADD(&view->sources,
            (struct source){.id = xstrdup(id),
                            .prefix = xstrdup(prefix),
                            .reader = reader,
                            .color = colors[view->sources.count % ARRAY_LEN(colors)],
                            .at_line_start = true});
    return 0;
}

static void print_prefix(const struct view_logs *view, struct source *source,
                         const struct log_record *record, FILE *stream)
{
    if (!view->options.no_prefix) {
        if (!source->shown || source->shown_width != view->width) {
            free(source->shown);
            source->shown = view->color ? xasprintf("\033[%sm%-*s | \033[0m", source->color,
                                                    (int)view->width + 1, source->prefix)
                                        : xasprintf("%-*s | ", (int)view->width + 1, source->prefix);
            source->shown_width = view->width;
            source->shown_size = strlen(source->shown);
        }
        fwrite_unlocked(source->shown, 1, source->shown_size, stream);
    }
    if (view->options.timestamps) {
        char time[RFC3339_SIZE];
        fprintf(stream, "%s ", rfc3339_format_ns(record->time_ns, time, sizeof(time)));
    }
}

static int print_record(struct view_logs *view, struct source *source,
                        const struct log_record *record)
{
    FILE *stream = view->options.split_streams && record->is_stderr ? stderr : stdout;

    if (source->at_line_start)
        print_prefix(view, source, record, stream);
    source->at_line_start = !record->partial;
    if (fwrite_unlocked(record->text, 1, record->size, stream) != record->size)
        return -1;
    if (!record->partial && (record->size == 0 || record->text[record->size - 1] != '\n'))
        fputc('\n', stream);
    return ferror(stream) ? -1 : 0;
}

int view_logs_print(struct view_logs *view, struct err *err)
{
    for (size_t i = 0; i < view->sources.count; i++) {
        struct log_record record;
        int rc;
        while ((rc = log_reader_next(view->sources.items[i].reader, &record, err)) > 0)
            if (print_record(view, &view->sources.items[i], &record) < 0)
                return err_sys(err, "write output");
        if (rc < 0)
            return -1;
    }
    return fflush(stdout) == 0 ? 0 : err_sys(err, "write output");
}

size_t view_logs_fds(struct view_logs *view, int *ret_fds, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < view->sources.count && count < max; i++) {
        int fd = log_reader_watch_fd(view->sources.items[i].reader);
        if (fd >= 0)
            ret_fds[count++] = fd;
    }
    return count;
}

void view_logs_wake(struct view_logs *view)
{
    for (size_t i = 0; i < view->sources.count; i++)
        log_reader_wake(view->sources.items[i].reader);
}

const char *log_prefix_of(const char *container_name, const char *project)
{
    size_t size = strlen(project);

    if (strncmp(container_name, project, size) == 0 && container_name[size] == '-')
        return container_name + size + 1;
    return container_name;
}
