/* SPDX-License-Identifier: Apache-2.0 */
/* requests.c - the table of what a client may ask of the monitor (protocol.h). libc only. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/monitor/monitor.h"
#include "engine/runtime/sys.h"

#define REQUEST_FDS 4

struct request {
    struct monitor *monitor;
    unsigned client;
    struct monitor_message *message;
    const int *fds;
    size_t fd_count;
    struct monitor_message
        *answer;   /* MONITOR_OK unless a handler says otherwise; kind 0: already answered */
    int answer_fd; /* borrowed, or -1 */
};

static int status_request(struct request *request, struct err *err)
{
    (void)err;
    const struct monitor *monitor = request->monitor;
    request->answer->kind = MONITOR_STARTED;
    request->answer->pid = monitor->pid;
    request->answer->start_time = monitor->start_time;
    request->answer->started_ns = monitor->started_ns;
    request->answer_fd = monitor->tty;
    return 0;
}

static int signal_request(struct request *request, struct err *err)
{
    int signo = request->message->signo;
    if (signo < 1 || signo > SIGRTMAX)
        return err_set(err, ERR_USAGE, "%d is not a signal", signo);
    if (request->message->all)
        return cgroup_signal(&request->monitor->cgroup, signo, err);
    if (sys_pidfd_signal(request->monitor->pidfd, signo) < 0 && errno != ESRCH)
        return err_sys(err, "signal %d", signo);
    return 0;
}

static int kill_request(struct request *request, struct err *err)
{
    struct monitor *monitor = request->monitor;
    if (sys_pidfd_signal(monitor->pidfd, SIGKILL) < 0 && errno != ESRCH)
        return err_sys(err, "kill");
    if (!monitor->spec.cgroup_path)
        return 0;
    if (monitor->paused) {
        monitor->paused = false; /* v1: frozen processes do not die */
        (void)cgroup_freeze(&monitor->cgroup, false, NULL);
    }
    return monitor->spec.pid.mode == NS_PRIVATE ? 0 : cgroup_signal(&monitor->cgroup, SIGKILL, err);
}

static int exec_request(struct request *request, struct err *err)
{
    request->answer->kind = 0; /* session_start answers by itself */
    return session_start(request->monitor, request->client, request->message, request->fds,
                         request->fd_count, err);
}

static int exec_signal_request(struct request *request, struct err *err)
{
    struct session *session = session_find(request->monitor, request->message->exec_id);
    if (!session)
        return err_set(err, ERR_NOT_FOUND, "no exec %u", request->message->exec_id);
    if (sys_pidfd_signal(session->pidfd, request->message->signo) < 0 && errno != ESRCH)
        return err_sys(err, "signal %d", request->message->signo);
    return 0;
}

static int resize_request(struct request *request, struct err *err)
{
    const struct session *session = session_find(request->monitor, request->message->exec_id);
    int tty = request->message->exec_id == 0 ? request->monitor->tty
              : session                      ? session->master
                                             : -1;
    struct winsize size = {.ws_row = request->message->rows, .ws_col = request->message->columns};
    if (tty < 0)
        return err_set(err, ERR_NOT_FOUND, "there is no terminal to resize");
    return ioctl(tty, TIOCSWINSZ, &size) < 0 ? err_sys(err, "resize the terminal") : 0;
}

static int attach_request(struct request *request, struct err *err)
{
    (void)err;
    const struct monitor *monitor = request->monitor;
    request->answer_fd = monitor->tty >= 0 ? monitor->tty : monitor->stdin_write;
    return 0;
}

static int freeze_to(struct request *request, bool frozen, struct err *err)
{
    struct monitor *monitor = request->monitor;
    if (!monitor->spec.cgroup_path)
        return err_set(err, ERR_UNSUPPORTED, "a container without a cgroup cannot be paused");
    if (cgroup_freeze(&monitor->cgroup, frozen, err) < 0) {
        (void)cgroup_freeze(&monitor->cgroup, monitor->paused, NULL); /* half of it is neither state */
        return -1;
    }
    monitor->paused = frozen;
    monitor_status_write(monitor, frozen ? "paused" : "running", NULL);
    return 0;
}

static int freeze_request(struct request *request, struct err *err)
{
    return freeze_to(request, true, err);
}

static int thaw_request(struct request *request, struct err *err)
{
    return freeze_to(request, false, err);
}

static int reopen_request(struct request *request, struct err *err)
{
    return logfile_reopen(&request->monitor->log, err);
}

static const struct {
    enum monitor_kind kind;
    const char *name;
    int (*handle)(struct request *request, struct err *err);
} rows[] = {
    {MONITOR_STATUS, "status", status_request},
    {MONITOR_SIGNAL, "signal", signal_request},
    {MONITOR_EXEC, "exec", exec_request},
    {MONITOR_EXEC_SIGNAL, "exec signal", exec_signal_request},
    {MONITOR_RESIZE, "resize", resize_request},
    {MONITOR_ATTACH, "attach", attach_request},
    {MONITOR_FREEZE, "pause", freeze_request},
    {MONITOR_THAW, "unpause", thaw_request},
    {MONITOR_KILL, "kill", kill_request},
    {MONITOR_REOPEN_LOG, "reopen log", reopen_request},
};

static int request_handle(struct request *request, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].kind == request->message->kind)
            return rows[i].handle(request, err) < 0 ? err_wrap(err, "%s", rows[i].name) : 0;
    return err_set(err, ERR_PROTOCOL, "unknown request %u", request->message->kind);
}

void client_serve(struct monitor *monitor, unsigned index)
{
    struct monitor_message message, answer = {.kind = MONITOR_OK};
    int fds[REQUEST_FDS];
    size_t fd_count = 0;
    if (monitor->clients[index].fd < 0)
        return; /* dropped by an earlier event of this round */
    ssize_t size =
        fd_recv(monitor->clients[index].fd, &message, sizeof(message), fds, REQUEST_FDS, &fd_count);
    if (size < 0 && errno == EAGAIN)
        return;
    if (size != (ssize_t)sizeof(message) || message.magic != MONITOR_MAGIC ||
        message.version > MONITOR_PROTOCOL_VERSION) {
        for (size_t i = 0; i < fd_count; i++)
            close(fds[i]);
        client_drop(monitor, index); /* end of stream, or somebody who does not speak this */
        return;
    }
    struct err err = {0};
    struct request request = {monitor, index, &message, fds, fd_count, &answer, -1};
    if (request_handle(&request, &err) < 0) {
        answer.kind = MONITOR_FAILED;
        answer.code = (int)err.code;
        answer.sys_errno = err.sys_errno;
        snprintf(answer.text, sizeof(answer.text), "%s", err.message);
        answer.text_size = (uint32_t)strlen(answer.text);
    }
    answer.request_id = message.request_id;
    if (answer.kind != 0)
        client_send(monitor, (int)index, &answer, request.answer_fd);
    for (size_t i = 0; i < fd_count; i++)
        close(fds[i]);
}
