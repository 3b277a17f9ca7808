/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_watching.c - events, wait: commands that listen to the supervisor. */
#include "cli/change.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "orchestrator/client.h"

struct watching_options {
    bool json, down_project;
};
#define WATCHING(field) offsetof(struct watching_options, field)
const struct option_row events_options[] = {
    {0, "json", OPTION_FLAG, WATCHING(json), NULL, "JSON lines"},
    {0},
};
const struct option_row wait_options[] = {
    {0, "down-project", OPTION_FLAG, WATCHING(down_project), NULL,
     "take the project down when the first has stopped"},
    {0},
};

static void print_event(const struct jv *event, bool json, char *const *services)
{
    const char *service = jv_get_str(event, "service", "");

    if (!str_eq(jv_get_str(event, "type", ""), "event") ||
        (services[0] && !strv_has(services, service)))
        return;
    if (json) {
        _cleanup_free_ char *text = jv_dump(event);
        puts(text);
    } else {
        printf("%s container %s %s (service=%s)\n", jv_get_str(event, "time", ""),
               jv_get_str(event, "action", ""), jv_get_str(event, "container", ""), service);
    }
    fflush(stdout);
}

static int events_loop(struct ipc_client *client, bool json, char *const *services, struct err *err)
{
    _cleanup_close_ int interrupts = interrupt_fd();
    int signo;

    for (;;) {
        struct pollfd fds[2] = {{.fd = ipc_client_fd(client), .events = POLLIN},
                                {.fd = interrupts, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return err_sys(err, "poll");
        if (fds[1].revents && interrupt_take(interrupts, &signo))
            return EXIT_INTERRUPTED;
        if (fds[0].revents) {
            _cleanup_jv_ struct jv *body = NULL;
            enum ipc_kind kind;
            long id;
            if (ipc_receive(client, &id, &kind, &body, err) < 0)
                return EXIT_OK; /* the project is down */
            if (kind != IPC_EVENT)
                return kind == IPC_OK ? EXIT_OK : -1;
            print_event(body, json, services);
        }
    }
}

static int with_supervisor(struct cli *cli, const char *name, struct ipc_client **ret_client,
                           struct err *err)
{
    if (layout_open_existing(&cli->layout, err) < 0)
        return -1;
    return supervisor_connect(&cli->layout, name, true, ret_client, err);
}

int cmd_events(struct cli *cli, int argc, char **argv)
{
    struct watching_options options = {0};
    struct project *project = NULL;
    _cleanup_(ipc_client_freep) struct ipc_client *client = NULL;
    _cleanup_free_ char *name = NULL;
    struct err err = {0};
    long id;
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (project_pick_name(cli, argv + first, &project, &name, &code) < 0)
        return code;
    if (with_supervisor(cli, name, &client, &err) < 0 ||
        ipc_send_call(client, "events", NULL, NULL, 0, &id, &err) < 0 ||
        (code = events_loop(client, options.json, argv + first, &err)) < 0)
        code = cli_error(&err);
    project_free(project);
    return code;
}

int cmd_wait(struct cli *cli, int argc, char **argv)
{
    struct watching_options options = {0};
    struct project *project = NULL;
    _cleanup_free_ char *name = NULL;
    _cleanup_jv_ struct jv *ok = NULL;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (first >= argc) {
        err_set(&err, ERR_USAGE, "wait needs a service");
        return cli_error(&err);
    }
    if (project_pick_name(cli, argv + first, &project, &name, &code) < 0)
        return code;
    if (layout_open_existing(&cli->layout, &err) < 0) {
        project_free(project);
        return cli_error(&err);
    }
    struct jv *args = jv_object();
    jv_set(args, "services", jv_strv(argv + first));
    code = change_run(cli, name, true, "wait", "wait", args, &ok);
    struct jv *codes = ok ? jv_find(ok, "codes") : NULL, *value;
    const char *key;
    if (codes)
        JV_EACH(codes, key, value)
        {
            (void)key;
            code = (int)jv_int_value(value, EXIT_FAILED);
            printf("%d\n", code);
        }
    if (codes && options.down_project) {
        struct jv *down = jv_object();
        jv_set(down, "options", jv_object());
        (void)change_run(cli, name, true, "down", "down", down,
                         NULL); /* the exit code is the container's */
    }
    project_free(project);
    return code;
}
