/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_exec.c - exec: asks the container's monitor for one more process; the supervisor is not
 * needed. */
#include "cli/cli.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/term.h"
#include "base/vec.h"
#include "cli/attach.h"
#include "engine/engine.h"

struct exec_options {
    bool detach, no_tty, interactive, tty, privileged;
    char **env;
    long long index;
    const char *user, *workdir;
};
#define EXEC(field) offsetof(struct exec_options, field)
const struct option_row exec_options[] = {
    {'d', "detach", OPTION_FLAG, EXEC(detach), NULL, "run in the background"},
    {'e', "env", OPTION_LIST, EXEC(env), "KEY=VALUE", "set a variable (repeatable)"},
    {0, "index", OPTION_INT, EXEC(index), "N", "replica (1)"},
    {'T', "no-tty", OPTION_FLAG, EXEC(no_tty), NULL, "no terminal, also when there is one"},
    {'u', "user", OPTION_STRING, EXEC(user), "USER", "user and group"},
    {'w', "workdir", OPTION_STRING, EXEC(workdir), "DIR", "working directory"},
    {0, "privileged", OPTION_FLAG, EXEC(privileged), NULL,
     "all capabilities, no system call filter"},
    {'i', "interactive", OPTION_FLAG, EXEC(interactive), NULL, NULL},
    {'t', "tty", OPTION_FLAG, EXEC(tty), NULL, NULL},
    {0},
};

/* The running container of the service: the given replica, else the lowest number. */
static const struct observed_container *pick(const struct observed *observed, const char *service,
                                             long long index, struct err *err)
{
    const struct observed_container *found = NULL;
    bool any = false;

    for (size_t i = 0; i < observed->container_count; i++) {
        const struct observed_container *container = &observed->containers[i];
        if (container->record->oneoff || !str_eq(container->record->service, service))
            continue;
        any = true;
        if (index > 0 && container->record->number != index)
            continue;
        if (container->status.state != STATE_RUNNING && container->status.state != STATE_PAUSED)
            continue;
        if (!found || container->record->number < found->record->number)
            found = container;
    }
    if (!found && any && index > 0)
        err_set(err, ERR_NOT_FOUND, "service \"%s\" is not running container #%lld", service,
                index);
    else if (!found)
        err_set(err, ERR_NOT_FOUND, "service \"%s\" is not running", service);
    return found;
}

static void process_of(const struct exec_options *options, const struct container_spec *spec,
                       char **argv, struct arena *arena, struct exec_spec *ret)
{
    VEC(const char *) env = {0};
    size_t argc = strv_len(argv);

    *ret = (struct exec_spec){.process = spec->process, .privileged = options->privileged};
    struct spec_process *process = &ret->process;
    process->argv = (struct spec_strings){.items = (const char **)argv, .count = argc};
    process->tty = !options->no_tty && !options->detach && term_is_tty(STDIN_FILENO) &&
                   term_is_tty(STDOUT_FILENO);
    for (size_t i = 0; i < spec->process.env.count; i++)
        VEC_ADD(&env, spec->process.env.items[i]);
    for (char **item = options->env; item && *item; item++) {
        if (strchr(*item, '='))
            VEC_ADD(&env, *item);
        else if (getenv(*item))
            VEC_ADD(&env, arena_printf(arena, "%s=%s", *item, getenv(*item)));
    }
    if (process->tty && getenv("TERM"))
        VEC_ADD(&env, arena_printf(arena, "TERM=%s", getenv("TERM")));
    process->env.count = env.count;
    process->env.items = arena_alloc(arena, (env.count + 1) * sizeof(char *));
    if (env.count)
        memcpy(process->env.items, env.items, env.count * sizeof(char *));
    VEC_DONE(&env);
    if (options->user) {
        process->user = options->user;
        process->groups = (struct spec_strings){0};
    }
    if (options->workdir)
        process->cwd = options->workdir;
    if (options->privileged)
        process->capabilities = UINT64_MAX;
}

static int exec_send(int control, const struct exec_spec *spec, const struct attach_pipes *pipes, bool detach, struct err *err)
{
    struct monitor_message message = {.kind = MONITOR_EXEC, .request_id = 1, .detach = detach};
    _cleanup_free_ void *packed = NULL;
    _cleanup_close_ int memfd = -1;
    size_t size;

    if (exec_spec_pack(spec, &packed, &size, err) < 0 ||
        fd_memfd("exec", packed, size, &memfd, err) < 0)
        return -1;
    int fds[4] = {memfd, pipes->theirs[0], pipes->theirs[1], pipes->theirs[2]};
    return monitor_send(control, &message, fds, spec->process.tty || detach ? 1 : 4, err);
}

/* A failed start as run and exec users know it: 127 not found, 126 not executable. */
static int failed_code(const struct monitor_message *message)
{
    if (message->sys_errno == ENOENT)
        return 127;
    return message->sys_errno == EACCES || message->sys_errno == ENOEXEC ||
                   message->sys_errno == EISDIR
               ? 126
               : EXIT_FAILED;
}

static int exec_run(const struct cli *cli, const struct exec_options *options, const struct container_record *record, char **argv)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    _cleanup_close_ int control = -1;
    _cleanup_(attach_pipes_close) struct attach_pipes pipes = {.ours = {-1, -1, -1}};
    struct exec_spec spec;
    struct monitor_message message;
    int master = -1;
    size_t fd_count = 0;
    struct err err = {0};

    process_of(options, &record->spec, argv, arena, &spec);
    if (monitor_connect(&cli->layout, record->id, &control, &err) < 0)
        return cli_error(&err);
    if (!spec.process.tty && !options->detach && attach_pipes_open(&pipes, false, &err) < 0)
        return cli_error(&err);
    int result = exec_send(control, &spec, &pipes, options->detach, &err);
    attach_pipes_sent(&pipes);
    if (result < 0 || monitor_receive(control, -1, &message, &master, 1, &fd_count, &err) < 0)
        return cli_error(&err);
    if (message.kind == MONITOR_FAILED) {
        fprintf(stderr, "error: %.*s\n", (int)MIN(message.text_size, sizeof(message.text)), message.text);
        return failed_code(&message);
    }
    if (options->detach)
        return EXIT_OK;
    return attach_exec(control, message.exec_id, fd_count ? master : -1, &pipes);
}

int cmd_exec(struct cli *cli, int argc, char **argv)
{
    struct exec_options options = {0};
    struct project *project = NULL;
    struct observed observed = {0};
    _cleanup_free_ char *name = NULL;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, true, &options, &first, &code) < 0)
        return code;
    if (argc - first < 2) {
        err_set(&err, ERR_USAGE, "exec needs a service and a command");
        return cli_error(&err);
    }
    char *services[2] = {argv[first], NULL};
    if (project_observe_service(cli, argv[first], &project, &name, &observed, &code) < 0)
        return code;
    const struct observed_container *container = NULL;
    if (project_check_services(project, &observed, services, &err) < 0 ||
        !(container = pick(&observed, argv[first], options.index, &err)))
        code = cli_error(&err);
    else
        code = exec_run(cli, &options, container->record, argv + first + 1);
    observed_done(&observed);
    project_free(project);
    strv_free(options.env);
    return code;
}
