/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_up.c - up: hands the resolved model to the project's supervisor, shows its progress, and,
 * unless detached, stays with the containers' output until they end or the user interrupts. */
#include "cli/change.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "cli/view_logs.h"
#include "orchestrator/client.h"
#include "orchestrator/plan.h"

struct up_options {
    bool detach, wait, force_recreate, no_recreate, always_recreate_deps, renew_anon,
        remove_orphans, ignore_orphans, no_deps, no_start, strict;
    bool no_color, no_prefix, timestamps, quiet_pull, abort_on_exit, abort_on_failure, yes,
        no_build, dry_run;
    long long wait_timeout, timeout;
    const char *pull, *exit_code_from;
    char **scale, **attach, **no_attach;
};
#define UP(field) offsetof(struct up_options, field)
const struct option_row up_options[] = {
    {'d', "detach", OPTION_FLAG, UP(detach), NULL, "run in the background"},
    {0, "wait", OPTION_FLAG, UP(wait), NULL, "wait until running or healthy (implies -d)"},
    {0, "wait-timeout", OPTION_INT, UP(wait_timeout), "SECONDS", "give up waiting"},
    {0, "force-recreate", OPTION_FLAG, UP(force_recreate), NULL, "recreate containers that have not changed"},
    {0, "no-recreate", OPTION_FLAG, UP(no_recreate), NULL, "keep containers that have changed"},
    {0, "always-recreate-deps", OPTION_FLAG, UP(always_recreate_deps), NULL, "recreate dependent containers too"},
    {'V', "renew-anon-volumes", OPTION_FLAG, UP(renew_anon), NULL, "new anonymous volumes for recreated containers"},
    {0, "remove-orphans", OPTION_FLAG, UP(remove_orphans), NULL, "remove containers of services that are not in the file"},
    {0, "no-deps", OPTION_FLAG, UP(no_deps), NULL, "leave dependencies alone"},
    {0, "no-start", OPTION_FLAG, UP(no_start), NULL, "create, do not start"},
    {0, "no-build", OPTION_FLAG, UP(no_build), NULL, "do not build images (winch does not build yet)"},
    {0, "pull", OPTION_STRING, UP(pull), "POLICY", "always, missing, never"},
    {0, "quiet-pull", OPTION_FLAG, UP(quiet_pull), NULL, "no progress of layers"},
    {0, "scale", OPTION_LIST, UP(scale), "SERVICE=N", "number of replicas (repeatable)"},
    {0, "strict", OPTION_FLAG, UP(strict), NULL,
     "a limit that this host cannot keep is an error, not a warning"},
    {'t', "timeout", OPTION_INT, UP(timeout), "SECONDS", "time to stop before SIGKILL"},
    {0, "abort-on-container-exit", OPTION_FLAG, UP(abort_on_exit), NULL, "stop all when one container stops"},
    {0, "abort-on-container-failure", OPTION_FLAG, UP(abort_on_failure), NULL, "stop all when one container fails"},
    {0, "exit-code-from", OPTION_STRING, UP(exit_code_from), "SERVICE", "exit with this service's code; stops all when it stops"},
    {0, "attach", OPTION_LIST, UP(attach), "SERVICE", "show only these services' output (repeatable)"},
    {0, "no-attach", OPTION_LIST, UP(no_attach), "SERVICE", "do not show this service's output (repeatable)"},
    {0, "no-color", OPTION_FLAG, UP(no_color), NULL, "no colours"},
    {0, "no-log-prefix", OPTION_FLAG, UP(no_prefix), NULL, "no container names"},
    {0, "timestamps", OPTION_FLAG, UP(timestamps), NULL, "show times"},
    {0, "dry-run", OPTION_FLAG, UP(dry_run), NULL, "print the plan, change nothing"},
    {'y', "yes", OPTION_FLAG, UP(yes), NULL, "answer yes to questions"},
    {0},
};

const struct option_row create_options[] = {
    {0, "force-recreate", OPTION_FLAG, UP(force_recreate), NULL, "recreate containers that have not changed"},
    {0, "no-recreate", OPTION_FLAG, UP(no_recreate), NULL, "keep containers that have changed"},
    {0, "remove-orphans", OPTION_FLAG, UP(remove_orphans), NULL, "remove containers of services that are not in the file"},
    {0, "no-build", OPTION_FLAG, UP(no_build), NULL, NULL},
    {0, "pull", OPTION_STRING, UP(pull), "POLICY", "always, missing, never"},
    {0, "quiet-pull", OPTION_FLAG, UP(quiet_pull), NULL, "no progress of layers"},
    {0, "scale", OPTION_LIST, UP(scale), "SERVICE=N", "number of replicas (repeatable)"},
    {0, "dry-run", OPTION_FLAG, UP(dry_run), NULL, "print the plan, change nothing"},
    {'y', "yes", OPTION_FLAG, UP(yes), NULL, "answer yes to questions"},
    {0},
};
const struct option_row scale_options[] = {
    {0, "no-deps", OPTION_FLAG, UP(no_deps), NULL, "leave dependencies alone"},
    {0, "dry-run", OPTION_FLAG, UP(dry_run), NULL, "print the plan, change nothing"},
    {0},
};

static int check_combinations(const struct up_options *options, struct err *err)
{
    const struct {
        bool a, b;
        const char *text;
    } rules[] = {
        {options->force_recreate, options->no_recreate, "--force-recreate and --no-recreate"},
        {options->renew_anon, options->no_recreate, "--renew-anon-volumes and --no-recreate"},
        {options->always_recreate_deps, options->no_recreate,
         "--always-recreate-deps and --no-recreate"},
        {options->detach || options->wait, options->abort_on_exit,
         "--detach and --abort-on-container-exit"},
        {options->detach || options->wait, options->abort_on_failure,
         "--detach and --abort-on-container-failure"},
        {options->detach || options->wait, options->attach != NULL, "--detach and --attach"},
        {options->abort_on_exit, options->abort_on_failure,
         "--abort-on-container-exit and --abort-on-container-failure"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i].a && rules[i].b)
            return err_set(err, ERR_USAGE, "%s cannot be combined", rules[i].text);
    return 0;
}

static struct jv *up_args(const struct up_options *options, const struct project *project,
                          char *const *services)
{
    struct jv *args = jv_object(), *json = change_options(services, options->timeout);

    jv_set_bool(json, "force_recreate", options->force_recreate);
    jv_set_bool(json, "no_recreate", options->no_recreate);
    jv_set_bool(json, "always_recreate_deps", options->always_recreate_deps);
    jv_set_bool(json, "renew_anon_volumes", options->renew_anon);
    jv_set_bool(json, "remove_orphans", options->remove_orphans);
    jv_set_bool(json, "ignore_orphans", options->ignore_orphans);
    jv_set_bool(json, "no_deps", options->no_deps);
    jv_set_bool(json, "no_start", options->no_start);
    jv_set_bool(json, "strict", options->strict);
    jv_set_bool(json, "wait", options->wait);
    if (options->wait_timeout > 0)
        jv_set_int(json, "wait_timeout_us", options->wait_timeout * 1000000);
    jv_set_str(json, "pull", options->pull);
    if (options->scale)
        jv_set(json, "scale", jv_strv(options->scale));
    jv_set(args, "options", json);
    jv_set(args, "project", project_to_json(project));
    return args;
}

/* ---- dry run: the plan, read-only ---- */
static int print_plan(struct cli *cli, const struct up_options *options,
                      const struct project *project, char *const *services)
{
    struct plan_options plan_options = {
        .services = (const char *const *)(services[0] ? services : NULL),
        .no_deps = options->no_deps,
        .force_recreate = options->force_recreate,
        .no_recreate = options->no_recreate,
        .always_recreate_deps = options->always_recreate_deps,
        .remove_orphans = options->remove_orphans,
        .ignore_orphans = options->ignore_orphans,
        .no_start = options->no_start,
        .pull = options->pull,
        .scale = (const char *const *)options->scale,
        .timeout_us = options->timeout >= 0 ? options->timeout * 1000000 : -1,
    };
    struct observed observed = {0};
    _cleanup_(plan_freep) struct plan *plan = NULL;
    struct err err = {0};
    int code = EXIT_OK;

    if ((layout_open_existing(&cli->layout, &err) < 0 && err.code != ERR_NOT_FOUND) ||
        (cli->layout.lib_fd >= 0 &&
         observe(&cli->layout, project->name, project, &observed, &err) < 0) ||
        plan_make_up(project, &observed, &plan_options, &plan, &err) < 0) {
        code = cli_error(&err);
    } else {
        plan_print(plan);
    }
    observed_done(&observed);
    return code;
}

/* ---- attached ---- */
struct attached {
    struct cli *cli;
    const struct up_options *options;
    struct project *project;
    char *const *services;
    struct view_progress *progress;
    struct view_logs *logs;
    struct ipc_client *change; /* the up call, later the stop call; NULL between */
    struct ipc_client *events;
    bool up_done, stopping, killed;
    int code;
};

static bool is_attached(const struct attached *a, const char *service)
{
    const struct service *s = project_service(a->project, service);

    if (a->options->attach)
        return strv_has(a->options->attach, service);
    if (a->options->no_attach && strv_has(a->options->no_attach, service))
        return false;
    if (a->services[0] && !strv_has(a->services, service))
        return false;
    return s && (!s->attach.set || s->attach.value);
}

/* Adds new containers' logs; returns how many of the project's containers may still write. */
static int attach_sources(struct attached *a, size_t *ret_running, struct err *err)
{
    struct observed observed = {0};
    int rc = 0;

    if (observe(&a->cli->layout, a->project->name, a->project, &observed, err) < 0)
        return -1;
    *ret_running = 0;
    for (size_t i = 0; i < observed.container_count && rc == 0; i++) {
        const struct container_record *record = observed.containers[i].record;
        enum container_state state = observed_state(&observed.containers[i]);
        if (record->oneoff || !is_attached(a, record->service))
            continue;
        if (state == STATE_RUNNING || state == STATE_RESTARTING || state == STATE_PAUSED)
            (*ret_running)++;
        if (state != STATE_CREATED)
            rc = view_logs_add(a->logs, record->id, log_prefix_of(record->name, a->project->name),
                               err);
    }
    observed_done(&observed);
    return rc;
}

static int send_change(struct attached *a, const char *call, struct jv *args, struct err *err)
{
    _cleanup_jv_ struct jv *owned = args;
    long id;

    ipc_client_free(a->change);
    a->change = NULL;
    if (supervisor_connect(&a->cli->layout, a->project->name, true, &a->change, err) < 0)
        return -1;
    return ipc_send_call(a->change, call, take_ptr(&owned), NULL, 0, &id, err);
}

static int stop_all(struct attached *a, bool kill_now, struct err *err)
{
    struct jv *args = jv_object(), *options = change_options(a->services, a->options->timeout);

    view_progress_finish(a->progress);
    jv_set(args, "options", options);
    jv_set(args, "project", project_to_json(a->project));
    if (a->change && !a->up_done) {
        long id;
        (void)ipc_send_call(a->change, "cancel", NULL, NULL, 0, &id,
                            NULL); /* the call may have ended already */
    }
    a->stopping = true;
    return send_change(a, kill_now ? "kill" : "stop", args, err);
}

static int on_interrupt(struct attached *a, struct err *err)
{
    a->code = EXIT_INTERRUPTED;
    if (a->killed)
        return 0;
    if (a->stopping) {
        a->killed = true;
        return stop_all(a, true, err);
    }
    printf("Gracefully Stopping... press Ctrl+C again to force\n");
    fflush(stdout);
    return stop_all(a, false, err);
}

static int on_change(struct attached *a, bool *ret_end, struct err *err)
{
    _cleanup_jv_ struct jv *body = NULL;
    enum ipc_kind kind;
    long id;

    if (ipc_receive(a->change, &id, &kind, &body, err) < 0)
        return err_wrap(err, "supervisor");
    if (kind == IPC_EVENT) {
        view_progress_event(a->progress, body);
        return 0;
    }
    if (kind == IPC_ERROR && !a->stopping)
        return -1;
    if (kind == IPC_ERROR)
        (void)cli_error(err);
    *ret_end = a->stopping;
    a->up_done = true;
    view_progress_finish(a->progress);
    return 0;
}

/* "web-1 exited with code 0", and what the abort options make of it. */
static int on_container_event(struct attached *a, const struct jv *event, struct err *err)
{
    const char *service = jv_get_str(event, "service", ""),
               *action = jv_get_str(event, "action", "");
    const struct jv *attributes = jv_find(event, "attributes");
    const char *code_text = attributes ? jv_get_str(attributes, "exitCode", "0") : "0";
    long long exit_code = 0;

    if (strcmp(action, "die") != 0 || jv_get_bool(event, "oneoff", false) || !is_attached(a, service))
        return 0;
    (void)parse_i64(code_text, -1, 255, &exit_code);
    if (view_logs_print(a->logs, err) < 0)
        return -1;
    bool again = attributes && jv_get_bool(attributes, "restarting", false);
    printf("%s exited with code %lld%s\n",
           log_prefix_of(jv_get_str(event, "container", ""), a->project->name), exit_code,
           again ? " (restarting)" : "");
    fflush(stdout);
    bool from = a->options->exit_code_from && strcmp(a->options->exit_code_from, service) == 0;
    if (a->stopping || again)
        return 0;
    if (from || a->options->abort_on_exit || (a->options->abort_on_failure && exit_code != 0)) {
        if (from || !a->options->exit_code_from)
            a->code = (int)exit_code;
        printf("Aborting on container exit...\n");
        return stop_all(a, false, err);
    }
    return 0;
}

static int on_events(struct attached *a, struct err *err)
{
    _cleanup_jv_ struct jv *body = NULL;
    enum ipc_kind kind;
    long id;

    if (ipc_receive(a->events, &id, &kind, &body, err) < 0) {
        /* the supervisor died; logs go on, the next command starts another */
        err_clear(err);
        ipc_client_free(a->events);
        a->events = NULL;
        return 0;
    }
    return kind == IPC_EVENT ? on_container_event(a, body, err) : 0;
}

static int attached_turn(struct attached *a, int interrupts, bool *ret_end, struct err *err)
{
    struct pollfd polls[1024];
    int log_fds[1000], signo;
    size_t logs = view_logs_fds(a->logs, log_fds, ARRAY_LEN(log_fds));

    polls[0] = (struct pollfd){.fd = interrupts, .events = POLLIN};
    polls[1] = (struct pollfd){
        .fd = a->change && !(a->up_done && !a->stopping) ? ipc_client_fd(a->change) : -1,
        .events = POLLIN};
    polls[2] = (struct pollfd){.fd = a->events ? ipc_client_fd(a->events) : -1, .events = POLLIN};
    for (size_t i = 0; i < logs; i++)
        polls[3 + i] = (struct pollfd){.fd = log_fds[i], .events = POLLIN};
    if (poll(polls, 3 + logs, 1000) < 0 && errno != EINTR)
        return err_sys(err, "poll");
    if (polls[0].revents && interrupt_take(interrupts, &signo) && on_interrupt(a, err) < 0)
        return -1;
    if (polls[1].revents && on_change(a, ret_end, err) < 0)
        return -1;
    if (polls[2].revents && on_events(a, err) < 0)
        return -1;
    view_logs_wake(a->logs);
    return view_logs_print(a->logs, err);
}

static void print_attaching(const struct attached *a)
{
    bool any = false;

    printf("Attaching to ");
    for (size_t i = 0; i < a->project->services.count; i++) {
        const struct service *service = &a->project->services.items[i];
        for (int64_t n = 1; n <= service->scale && is_attached(a, service->name); n++) {
            printf("%s", any ? ", " : "");
            any = true;
            if (service->container_name)
                printf("%s", service->container_name);
            else
                printf("%s-%lld", service->name, (long long)n);
        }
    }
    printf("\n");
    fflush(stdout);
}

static int attached_loop(struct attached *a, struct err *err)
{
    _cleanup_close_ int interrupts = interrupt_fd();
    bool end = false;
    long id;

    if (supervisor_connect(&a->cli->layout, a->project->name, true, &a->events, err) < 0 ||
        ipc_send_call(a->events, "events", NULL, NULL, 0, &id, err) < 0 ||
        send_change(a, "up", up_args(a->options, a->project, a->services), err) < 0)
        return -1;
    while (!end) {
        size_t running = 0;
        if (attach_sources(a, &running, err) < 0 || view_logs_print(a->logs, err) < 0)
            return -1;
        if (a->up_done && !a->stopping && running == 0)
            break;
        if (attached_turn(a, interrupts, &end, err) < 0)
            return -1;
    }
    return view_logs_print(a->logs, err);
}

static int run_attached(struct cli *cli, const struct up_options *options, struct project *project,
                        char *const *services)
{
    struct view_logs_options view = {.no_color = options->no_color,
                                     .no_prefix = options->no_prefix,
                                     .timestamps = options->timestamps,
                                     .split_streams = true,
                                     .log = {.tail = -1, .since_ns = clock_wall_ns(), .follow = true}};
    struct attached a = {.cli = cli, .options = options, .project = project, .services = services};
    struct err err = {0};

    a.progress = view_progress_new(cli, "up");
    a.logs = view_logs_new(cli, &view);
    print_attaching(&a);
    if (attached_loop(&a, &err) < 0) {
        view_progress_finish(a.progress);
        a.code = cli_error(&err);
    }
    ipc_client_free(a.change);
    ipc_client_free(a.events);
    view_logs_free(a.logs);
    view_progress_free(a.progress);
    return a.code;
}

/* Frees what options holds. */
static int up_run(struct cli *cli, struct up_options *options, char **services)
{
    struct project *project = NULL;
    struct diags diags = {0};
    struct err err = {0};
    int code;

    options->remove_orphans |= cli->global.remove_orphans;
    options->ignore_orphans = cli->global.ignore_orphans;
    if (check_combinations(options, &err) < 0)
        return cli_error(&err);
    if (project_pick(cli, services, &project, &code) < 0)
        return code;
    project_check_runnable(project, &diags);
    project_check_sources(project, (const char *const *)services, &diags);
    cli_diags(cli, &diags);
    if (diags.error_count) {
        code = EXIT_FAILED;
    } else if (project_check_services(project, NULL, services, &err) < 0) {
        code = cli_error(&err);
    } else if (project->services.count == 0) {
        err_set(&err, ERR_CONFIG, "no service selected");
        code = cli_error(&err);
    } else if (cli->global.dry_run || options->dry_run) {
        code = print_plan(cli, options, project, services);
    } else if (layout_open(&cli->layout, &err) < 0) {
        code = cli_error(&err);
    } else if (options->detach || options->wait || options->no_start) {
        code = change_run(cli, project->name, true, "up", "up",
                          up_args(options, project, services), NULL);
    } else {
        code = run_attached(cli, options, project, services);
    }
    diags_done(&diags);
    project_free(project);
    strv_free(options->scale);
    strv_free(options->attach);
    strv_free(options->no_attach);
    return code;
}

static int up_parse(struct cli *cli, int argc, char **argv, bool no_start)
{
    struct up_options options = {.timeout = -1, .no_start = no_start};
    int first, code;

    return cli_options(cli, argc, argv, false, &options, &first, &code) < 0 ? code : up_run(cli, &options, argv + first);
}

int cmd_up(struct cli *cli, int argc, char **argv)
{
    return up_parse(cli, argc, argv, false);
}

int cmd_create(struct cli *cli, int argc, char **argv)
{
    return up_parse(cli, argc, argv, true);
}

int cmd_scale(struct cli *cli, int argc, char **argv)
{
    struct up_options options = {.timeout = -1, .detach = true};
    _cleanup_(strv_freep) char **services = NULL;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    for (char **word = argv + first; *word && !err.code; word++) {
        _cleanup_free_ char *name = xstrndup(*word, strcspn(*word, "="));
        if (!strchr(*word, '='))
            err_set(&err, ERR_USAGE, "'%s': expected SERVICE=NUMBER", *word);
        services = strv_add(services, name);
        options.scale = strv_add(options.scale, *word);
    }
    if (!services)
        err_set(&err, ERR_USAGE, "scale needs SERVICE=NUMBER");
    if (!err.code)
        return up_run(cli, &options, services);
    strv_free(options.scale);
    return cli_error(&err);
}
