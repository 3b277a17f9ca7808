/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run.c - run: one more container of a service, for one command. In the foreground its standard streams are ours: they
 * pass through the supervisor to the container and nothing copies them, but a terminal of ours, which stays out of reach. */
#include "cli/change.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/id.h"
#include "base/str.h"
#include "base/term.h"
#include "cli/attach.h"
#include "cli/run_overlay.h"
#include "engine/engine.h"
#include "orchestrator/client.h"
#include "orchestrator/plan.h"

struct cmd_run_options {
    bool detach, remove, no_tty, tty, interactive, service_ports, aliases, no_deps, build, quiet, quiet_pull, quiet_build,
        remove_orphans;
    char **env, **env_files, **labels, **volumes, **publish, **cap_add, **cap_drop;
    const char *name, *user, *workdir, *entrypoint, *pull;
};
#define RUN(field) offsetof(struct cmd_run_options, field)
const struct option_row run_options[] = {
    {'d', "detach", OPTION_FLAG, RUN(detach), NULL, "run in the background, print the container's name"},
    {'e', "env", OPTION_LIST, RUN(env), "KEY=VALUE", "set a variable (repeatable)"},
    {0, "env-from-file", OPTION_LIST, RUN(env_files), "FILE", "set the variables of a file (repeatable)"},
    {'l', "label", OPTION_LIST, RUN(labels), "KEY=VALUE", "add a label (repeatable)"},
    {0, "name", OPTION_STRING, RUN(name), "NAME", "the container's name"},
    {0, "rm", OPTION_FLAG, RUN(remove), NULL, "remove the container when it ends"},
    {'T', "no-tty", OPTION_FLAG, RUN(no_tty), NULL, "no terminal, also when there is one"},
    {0, "no-TTY", OPTION_FLAG, RUN(no_tty), NULL, NULL},
    {'i', "interactive", OPTION_FLAG, RUN(interactive), NULL, "pass standard input on (default)"},
    {'t', "tty", OPTION_FLAG, RUN(tty), NULL, NULL},
    {'u', "user", OPTION_STRING, RUN(user), "USER", "user and group"},
    {'w', "workdir", OPTION_STRING, RUN(workdir), "DIR", "working directory"},
    {0, "entrypoint", OPTION_STRING, RUN(entrypoint), "COMMAND", "instead of the entrypoint; drops the service's command"},
    {'v', "volume", OPTION_LIST, RUN(volumes), "VOLUME", "mount one more volume (repeatable)"},
    {'p', "publish", OPTION_LIST, RUN(publish), "PORT", "publish a port (repeatable)"},
    {'P', "service-ports", OPTION_FLAG, RUN(service_ports), NULL, "publish the service's ports, too"},
    {0, "use-aliases", OPTION_FLAG, RUN(aliases), NULL, "answer to the service's names"},
    {0, "no-deps", OPTION_FLAG, RUN(no_deps), NULL, "do not start dependencies"},
    {0, "cap-add", OPTION_LIST, RUN(cap_add), "CAPABILITY", "add a capability (repeatable)"},
    {0, "cap-drop", OPTION_LIST, RUN(cap_drop), "CAPABILITY", "drop a capability (repeatable)"},
    {0, "build", OPTION_FLAG, RUN(build), NULL, NULL},
    {0, "pull", OPTION_STRING, RUN(pull), "POLICY", "always, missing, never"},
    {'q', "quiet", OPTION_FLAG, RUN(quiet), NULL, "no progress"},
    {0, "quiet-pull", OPTION_FLAG, RUN(quiet_pull), NULL, "no progress of layers"},
    {0, "quiet-build", OPTION_FLAG, RUN(quiet_build), NULL, NULL},
    {0, "remove-orphans", OPTION_FLAG, RUN(remove_orphans), NULL, "remove containers of services that are not in the file"},
    {0},
};

struct run {
    struct cli *cli;
    const struct cmd_run_options *options;
    const struct project *project;
    const char *service;
    char *name;
    bool tty;
    struct ipc_client *client;
    struct attach_pipes pipes;
    int lifeline; /* with a tty: as long as it is open the terminal is ours */
    char id[ID_SIZE];
    int code; /* -1: not known yet */
};

static struct jv *run_args(const struct run *run)
{
    struct jv *args = jv_object(), *oneoff = jv_object(), *options = change_options((char *[]){(char *)run->service, NULL}, -1);

    jv_set_str(oneoff, "name", run->name);
    jv_set_bool(oneoff, "rm", run->options->remove);
    jv_set_bool(oneoff, "aliases", run->options->aliases);
    jv_set(options, "oneoff", oneoff);
    jv_set_bool(options, "attached", !run->options->detach);
    jv_set_bool(options, "no_deps", run->options->no_deps);
    jv_set_bool(options, "remove_orphans", run->options->remove_orphans || run->cli->global.remove_orphans);
    jv_set_bool(options, "ignore_orphans", run->cli->global.ignore_orphans);
    jv_set_str(options, "pull", run->options->pull);
    jv_set(args, "options", options);
    jv_set(args, "project", project_to_json(run->project));
    return args;
}

static int send_run(struct run *run, struct err *err)
{
    _cleanup_jv_ struct jv *args = run_args(run);
    _cleanup_close_ int null_fd = -1, theirs = -1;
    int pair[2];
    long id;

    if (supervisor_connect(&run->cli->layout, run->project->name, true, &run->client, err) < 0)
        return -1;
    if (run->options->detach)
        return ipc_send_call(run->client, "run", take_ptr(&args), NULL, 0, &id, err);
    if (run->tty) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
            return err_sys(err, "make a socket");
        run->lifeline = pair[0];
        theirs = pair[1];
        return ipc_send_call(run->client, "run", take_ptr(&args), &theirs, 1, &id, err);
    }
    if (attach_pipes_open(&run->pipes, true, err) < 0)
        return -1;
    if (!run->options->interactive && (null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        return err_sys(err, "open /dev/null");
    const int fds[] = {null_fd >= 0 ? null_fd : run->pipes.theirs[0], run->pipes.theirs[1], run->pipes.theirs[2]};
    int result = ipc_send_call(run->client, "run", take_ptr(&args), fds, ARRAY_LEN(fds), &id, err);
    attach_pipes_sent(&run->pipes);
    return result;
}

/* 1: the call is over, or its container runs; 0: go on; -1. */
static int take_message(struct run *run, struct view_progress *view, struct err *err)
{
    _cleanup_jv_ struct jv *body = NULL;
    enum ipc_kind kind;
    long id;

    if (ipc_receive(run->client, &id, &kind, &body, err) < 0)
        return err_wrap(err, "supervisor");
    if (kind == IPC_ERROR)
        return -1;
    if (kind == IPC_EVENT && !str_eq(jv_get_str(body, "type", NULL), "run")) {
        if (view)
            view_progress_event(view, body);
        return 0;
    }
    snprintf(run->id, sizeof(run->id), "%s", jv_get_str(body, "id", ""));
    if (kind == IPC_OK)
        run->code = (int)jv_get_int(body, "exit_code", 0);
    return 1;
}

/* Until the container runs. */
static int begin(struct run *run, struct err *err)
{
    _cleanup_(view_progress_freep) struct view_progress *view = run->options->quiet ? NULL : view_progress_new(run->cli, "run");
    _cleanup_close_ int interrupts = interrupt_fd();
    int step = 0, signo;
    long id;

    if (send_run(run, err) < 0)
        return -1;
    while (step == 0) {
        struct pollfd fds[2] = {{.fd = ipc_client_fd(run->client), .events = POLLIN}, {.fd = interrupts, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return err_sys(err, "poll");
        if (fds[1].revents && interrupt_take(interrupts, &signo))
            (void)ipc_send_call(run->client, "cancel", NULL, NULL, 0, &id, NULL); /* it may have ended already */
        if (fds[0].revents)
            step = take_message(run, view, err);
    }
    if (view)
        view_progress_finish(view);
    return step < 0 ? -1 : 0;
}

/* The supervisor died: another one finds the container, and is asked to wait for its end. */
static int ask_again(struct run *run, struct err *err)
{
    struct jv *args = jv_object();
    long id;

    ipc_client_free(run->client);
    run->client = NULL;
    jv_set_str(args, "id", run->id);
    if (supervisor_connect(&run->cli->layout, run->project->name, true, &run->client, err) < 0) {
        jv_free(args);
        return -1;
    }
    err_clear(err);
    return ipc_send_call(run->client, "attend", args, NULL, 0, &id, err);
}

static int end_look(void *arg, int *ret_code, struct err *err)
{
    struct run *run = arg;
    struct err lost = {0};
    _cleanup_jv_ struct jv *body = NULL;
    enum ipc_kind kind;
    long id;

    if (ipc_receive(run->client, &id, &kind, &body, &lost) < 0)
        return ask_again(run, err) < 0 ? -1 : ipc_client_fd(run->client);
    if (kind == IPC_EVENT)
        return ipc_client_fd(run->client);
    if (kind == IPC_ERROR)
        (void)err_copy(err, &lost);
    else
        *ret_code = (int)jv_get_int(body, "exit_code", EXIT_FAILED);
    return -1;
}

static int attach(struct run *run, struct err *err)
{
    const struct attach_end end = {.fd = ipc_client_fd(run->client), .look = end_look, .arg = run};
    struct err ignored = {0};
    _cleanup_close_ int control = -1;
    int master = -1;
    size_t count = 0;
    char word;

    if (run->tty && (fd_recv(run->lifeline, &word, 1, &master, 1, &count) != 1 || count != 1))
        return err_set(err, ERR_FAILED, "container %s did not give its terminal", run->name);
    if (!run->tty && monitor_connect(&run->cli->layout, run->id, &control, &ignored) < 0)
        control = -1; /* it has ended already: nobody to signal */
    return attach_first(control, master, &run->pipes, &end, err);
}

/* A failed start as run and exec users know it. */
static int failed(const struct err *err)
{
    int code = cli_error(err);

    if (err->sys_errno == ENOENT)
        return 127;
    return err->sys_errno == EACCES || err->sys_errno == ENOEXEC || err->sys_errno == EISDIR ? 126 : code;
}

static int run_it(struct run *run)
{
    struct err err = {0};

    if (begin(run, &err) < 0)
        return failed(&err);
    if (run->options->detach) {
        puts(run->name);
        return EXIT_OK;
    }
    err_clear(&err); /* what it took to get here was no failure */
    int code = attach(run, &err);
    return code < 0 && err.code ? cli_error(&err) : code < 0 ? EXIT_FAILED : code;
}

static int load(struct cli *cli, const struct cmd_run_options *options, char **words, bool tty, struct project **ret_project,
                int *ret_code)
{
    const struct run_wishes wishes = {
        .service = words[0], .command = words + 1, .env = options->env, .env_files = options->env_files, .labels = options->labels, .volumes = options->volumes,
        .publish = options->publish, .cap_add = options->cap_add, .cap_drop = options->cap_drop, .user = options->user,
        .workdir = options->workdir, .entrypoint = options->entrypoint, .service_ports = options->service_ports,
        .set_tty = !options->detach, .tty = tty, .stdin_open = options->interactive};
    _cleanup_free_ char *overlay = NULL;
    struct err err = {0};

    if (run_overlay(&wishes, &overlay, &err) < 0) {
        *ret_code = cli_error(&err);
        return -1;
    }
    return project_pick_as(cli, &(struct load_options){.overlay = overlay}, (char *[]){words[0], NULL}, ret_project, ret_code);
}

static int run_service(struct cli *cli, const struct cmd_run_options *options, char **words)
{
    bool tty = !options->no_tty && !options->detach && term_is_tty(STDIN_FILENO) && term_is_tty(STDOUT_FILENO);
    char *services[] = {words[0], NULL}, id[ID_SIZE];
    struct project *project = NULL;
    struct diags diags = {0};
    struct err err = {0};
    int code;

    if (load(cli, options, words, tty, &project, &code) < 0)
        return code;
    project_check_runnable(project, &diags);
    project_check_sources(project, (const char *const *)services, &diags);
    cli_diags(cli, &diags);
    id_random(id);
    _cleanup_free_ char *name = options->name ? xstrdup(options->name)
                                              : xasprintf("%s-%s-run-%.12s", project->name, words[0], id);
    struct run run = {.cli = cli, .options = options, .project = project, .service = words[0], .name = name, .tty = tty,
                      .pipes = {.ours = {-1, -1, -1}}, .lifeline = -1, .code = -1};
    if (diags.error_count)
        code = EXIT_FAILED;
    else if (layout_open(&cli->layout, &err) < 0)
        code = cli_error(&err);
    else
        code = run_it(&run);
    attach_pipes_close(&run.pipes);
    close_fdp(&run.lifeline);
    ipc_client_free(run.client);
    diags_done(&diags);
    project_free(project);
    return code;
}

int cmd_run(struct cli *cli, int argc, char **argv)
{
    struct cmd_run_options options = {.interactive = true};
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, true, &options, &first, &code) < 0)
        return code;
    if (argc - first < 1)
        err_set(&err, ERR_USAGE, "run needs a service");
    else if (options.build)
        err_set(&err, ERR_UNSUPPORTED, "--build: winch does not build images yet");
    else if (options.name && !name_is_resource(options.name))
        err_set(&err, ERR_USAGE, "--name: '%s' is no name for a container", options.name);
    code = err.code ? cli_error(&err) : run_service(cli, &options, argv + first);
    strv_free(options.env);
    strv_free(options.env_files);
    strv_free(options.labels);
    strv_free(options.volumes);
    strv_free(options.publish);
    strv_free(options.cap_add);
    strv_free(options.cap_drop);
    return code;
}
