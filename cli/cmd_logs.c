/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_logs.c - logs: reads the log files itself; no supervisor is needed. */
#include "cli/change.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/units.h"
#include "cli/view_logs.h"

struct logs_options {
    bool follow, timestamps, no_color, no_prefix;
    const char *tail, *since, *until;
    long long index;
};
#define LOGS(field) offsetof(struct logs_options, field)
const struct option_row logs_options[] = {
    {'f', "follow", OPTION_FLAG, LOGS(follow), NULL, "go on as new lines are written"},
    {'n', "tail", OPTION_STRING, LOGS(tail), "N", "the last N lines of each container (all)"},
    {0, "since", OPTION_STRING, LOGS(since), "TIME", "lines since a time (RFC 3339) or age (10m)"},
    {0, "until", OPTION_STRING, LOGS(until), "TIME", "lines before a time or age"},
    {'t', "timestamps", OPTION_FLAG, LOGS(timestamps), NULL, "show times"},
    {0, "no-color", OPTION_FLAG, LOGS(no_color), NULL, "no colours"},
    {0, "no-log-prefix", OPTION_FLAG, LOGS(no_prefix), NULL, "no container names"},
    {0, "index", OPTION_INT, LOGS(index), "N", "only replica N"},
    {0},
};

static int time_option(const char *text, int64_t *ret_ns, struct err *err)
{
    int64_t us;

    if (!text)
        return 0;
    if (rfc3339_parse_ns(text, ret_ns))
        return 0;
    if (duration_parse(text, &us)) {
        *ret_ns = clock_wall_ns() - us * 1000;
        return 0;
    }
    return err_set(err, ERR_USAGE, "'%s' is neither a time (2026-01-31T12:00:00Z) nor an age (10m)",
                   text);
}

static int view_options(const struct logs_options *options, struct view_logs_options *ret,
                        struct err *err)
{
    long long tail;

    *ret = (struct view_logs_options){.no_color = options->no_color,
                                      .no_prefix = options->no_prefix,
                                      .timestamps = options->timestamps,
                                      .log = {.tail = -1, .follow = options->follow}};
    if (options->tail && strcmp(options->tail, "all") != 0) {
        if (!parse_i64(options->tail, -1, INT64_MAX, &tail))
            return err_set(err, ERR_USAGE, "--tail: '%s' is neither a number nor 'all'",
                           options->tail);
        ret->log.tail = tail;
    }
    if (time_option(options->since, &ret->log.since_ns, err) < 0 ||
        time_option(options->until, &ret->log.until_ns, err) < 0)
        return -1;
    return 0;
}

/* What a service's driver keeps elsewhere, or nowhere, is not shown in silence. */
static void tell_unkept(const struct observed *observed, const char *name, char *const *services)
{
    for (size_t i = 0; i < observed->container_count; i++) {
        const struct container_record *record = observed->containers[i].record;
        const struct spec_log *log = &record->spec.log;
        bool kept = log->driver != LOG_DRIVER_NONE && !log->no_file;
        if (!kept && (!services[0] || strv_has(services, record->service)))
            fprintf(stderr, "warning: %s keeps no log here (%s)\n", log_prefix_of(record->name, name),
                    log->driver == LOG_DRIVER_NONE ? "logging.driver: none" : "cache-disabled");
    }
}

static int add_sources(struct view_logs *view, const struct observed *observed,
                       const struct project *project, const char *name, char *const *services,
                       long long index, struct err *err)
{
    for (size_t i = 0; i < observed->container_count; i++) {
        const struct container_record *record = observed->containers[i].record;
        const struct service *service = project ? project_service(project, record->service) : NULL;
        if (services[0] ? !strv_has(services, record->service)
                        : service && service->attach.set && !service->attach.value)
            continue;
        if (index > 0 && record->number != index)
            continue;
        if (view_logs_add(view, record->id, log_prefix_of(record->name, name), err) < 0)
            return -1;
    }
    return 0;
}

/* Until interrupted, or until no container of the project runs any more. */
static int follow(struct cli *cli, struct view_logs *view, struct project *project,
                  const char *name, char *const *services, const struct logs_options *options,
                  int64_t until_ns, struct err *err)
{
    _cleanup_close_ int interrupts = interrupt_fd();
    int fds[1024], signo;

    for (;;) {
        struct observed observed = {0};
        bool running = false;
        if (observe(&cli->layout, name, project, &observed, err) < 0)
            return -1;
        int rc = add_sources(view, &observed, project, name, services, options->index, err);
        for (size_t i = 0; i < observed.container_count; i++) {
            enum container_state state = observed_state(&observed.containers[i]);
            running |= state == STATE_RUNNING || state == STATE_RESTARTING || state == STATE_PAUSED;
        }
        observed_done(&observed);
        if (rc < 0 || view_logs_print(view, err) < 0)
            return -1;
        if (!running || (until_ns && clock_wall_ns() > until_ns))
            return EXIT_OK;
        size_t count = view_logs_fds(view, fds, ARRAY_LEN(fds) - 1);
        struct pollfd polls[1024];
        for (size_t i = 0; i < count; i++)
            polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
        polls[count] = (struct pollfd){.fd = interrupts, .events = POLLIN};
        /* the time-out only notices containers that were added or have ended silently */
        int ready = poll(polls, count + 1, 1000);
        if (ready < 0 && errno != EINTR)
            return err_sys(err, "poll");
        if (polls[count].revents && interrupt_take(interrupts, &signo))
            return EXIT_INTERRUPTED;
        view_logs_wake(view);
        if (view_logs_print(view, err) < 0)
            return -1;
    }
}

int cmd_logs(struct cli *cli, int argc, char **argv)
{
    struct logs_options options = {0};
    struct view_logs_options view_opts;
    struct project *project = NULL;
    struct observed observed = {0};
    _cleanup_free_ char *name = NULL;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (view_options(&options, &view_opts, &err) < 0)
        return cli_error(&err);
    char **services = argv + first;
    if (project_observe(cli, services, &project, &name, &observed, &code) < 0)
        return code;
    struct view_logs *view = view_logs_new(cli, &view_opts);
    tell_unkept(&observed, name, services);
    int rc = project_check_services(project, &observed, services, &err);
    if (rc == 0 && observed.container_count)
        rc = add_sources(view, &observed, project, name, services, options.index, &err);
    if (rc == 0)
        rc = view_logs_print(view, &err);
    if (rc == 0 && options.follow && observed.container_count)
        rc = follow(cli, view, project, name, services, &options, view_opts.log.until_ns, &err);
    code = rc < 0 ? cli_error(&err) : rc;
    view_logs_free(view);
    observed_done(&observed);
    project_free(project);
    return code;
}
