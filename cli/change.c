/* SPDX-License-Identifier: Apache-2.0 */
/* change.c - sends a call, shows what comes back until its end. */
#include "cli/change.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "orchestrator/client.h"

int interrupt_fd(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool interrupt_take(int fd, int *ret_signo)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) != sizeof(info))
        return false;
    *ret_signo = (int)info.ssi_signo;
    return true;
}

struct jv *change_options(char *const *services, long long timeout_s)
{
    struct jv *options = jv_object();

    if (services && services[0])
        jv_set(options, "services", jv_strv(services));
    if (timeout_s >= 0)
        jv_set_int(options, "timeout_us", timeout_s * 1000000);
    return options;
}

/* 1: the call has ended well, 0: go on, -1: failed (*err). */
static int change_step(struct ipc_client *client, struct view_progress *view, struct jv **ret_ok,
                       struct err *err)
{
    _cleanup_jv_ struct jv *body = NULL;
    enum ipc_kind kind;
    long id;

    if (ipc_receive(client, &id, &kind, &body, err) < 0)
        return err_wrap(err, "supervisor");
    switch (kind) {
    case IPC_EVENT:
        view_progress_event(view, body);
        return 0;
    case IPC_OK:
        if (ret_ok)
            *ret_ok = take_ptr(&body);
        return 1;
    default:
        return -1;
    }
}

int change_run(struct cli *cli, const char *project, bool start_supervisor, const char *call,
               const char *title, struct jv *args, struct jv **ret_ok)
{
    _cleanup_jv_ struct jv *owned_args = args;
    _cleanup_(ipc_client_freep) struct ipc_client *client = NULL;
    _cleanup_(view_progress_freep) struct view_progress *view = view_progress_new(cli, title);
    _cleanup_close_ int interrupts = interrupt_fd();
    struct err err = {0};
    int step = 0, signo;
    long id;

    if (cli->global.parallel > 0)
        jv_set_int(owned_args, "parallel", cli->global.parallel);
    if (supervisor_connect(&cli->layout, project, start_supervisor, &client, &err) < 0 ||
        ipc_send_call(client, call, take_ptr(&owned_args), NULL, 0, &id, &err) < 0)
        return cli_error(&err);
    while (step == 0) {
        struct pollfd fds[2] = {{.fd = ipc_client_fd(client), .events = POLLIN},
                                {.fd = interrupts, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            err_sys(&err, "poll");
            break;
        }
        if (fds[1].revents && interrupt_take(interrupts, &signo)) {
            view_progress_finish(view);
            (void)ipc_send_call(client, "cancel", NULL, NULL, 0, &id,
                                NULL); /* it may have ended already */
            return EXIT_INTERRUPTED;
        }
        if (fds[0].revents)
            step = change_step(client, view, ret_ok, &err);
    }
    view_progress_finish(view);
    return step > 0 ? EXIT_OK : cli_error(&err);
}

void plan_print(const struct plan *plan)
{
    _cleanup_free_ char *text = plan_text(plan);

    for (size_t i = 0; i < plan->warning_count; i++)
        cli_warning("%s", plan->warnings[i]);
    fputs(text, stdout);
}
