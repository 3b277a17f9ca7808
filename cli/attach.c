/* SPDX-License-Identifier: Apache-2.0 */
/* attach.c - terminal relay and waiting for MONITOR_EXEC_EXITED. */
#include "cli/attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/term.h"
#include "cli/cli.h"
#include "engine/engine.h"

struct relay {
    int control, master, signals;
    uint32_t exec_id;
    bool stdin_open, master_open;
    int code;
};

static int signals_open(bool tty)
{
    static const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    for (size_t i = 0; i < ARRAY_LEN(passed) && !tty; i++)
        sigaddset(&set, passed[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void send_size(const struct relay *relay)
{
    struct monitor_message message = {.kind = MONITOR_RESIZE, .exec_id = relay->exec_id};
    struct winsize size;

    if (relay->master >= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
        message.rows = size.ws_row;
        message.columns = size.ws_col;
        (void)monitor_send(relay->control, &message, NULL, 0,
                           NULL); /* a dead monitor is seen at the next receive */
    }
}

static void on_signal(const struct relay *relay)
{
    struct signalfd_siginfo info;

    while (read(relay->signals, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGWINCH) {
            send_size(relay);
            continue;
        }
        struct monitor_message message = {.kind = MONITOR_EXEC_SIGNAL,
                                          .exec_id = relay->exec_id,
                                          .signo = (int32_t)info.ssi_signo};
        (void)monitor_send(relay->control, &message, NULL, 0, NULL);
    }
}

/* false: no more to come */
static bool copy(int from, int to)
{
    char buffer[16384];
    ssize_t size = read(from, buffer, sizeof(buffer));

    if (size < 0)
        return errno == EINTR || errno == EAGAIN;
    return size > 0 && fd_write_all(to, buffer, (size_t)size) == 0;
}

static bool on_control(struct relay *relay)
{
    struct monitor_message message;
    struct err err = {0};

    if (monitor_receive(relay->control, -1, &message, NULL, 0, NULL, &err) < 0) {
        fprintf(stderr, "error: the container ended, or its monitor was lost\n");
        relay->code = 137;
        return true;
    }
    if (message.kind == MONITOR_EXEC_EXITED && message.exec_id == relay->exec_id) {
        relay->code = proc_exit_code(message.wait_status);
        return true;
    }
    if (message.kind == MONITOR_EXITED) {
        relay->code = 137; /* the container's end took the process along */
        return true;
    }
    return false;
}

static void relay_run(struct relay *relay)
{
    for (;;) {
        struct pollfd fds[4] = {
            {.fd = relay->control, .events = POLLIN},
            {.fd = relay->signals, .events = POLLIN},
            {.fd = relay->stdin_open ? STDIN_FILENO : -1, .events = POLLIN},
            {.fd = relay->master_open ? relay->master : -1, .events = POLLIN},
        };
        if (poll(fds, 4, -1) < 0 && errno != EINTR)
            return;
        if (fds[1].revents)
            on_signal(relay);
        if (fds[2].revents)
            relay->stdin_open = copy(STDIN_FILENO, relay->master);
        if (fds[3].revents)
            relay->master_open = copy(relay->master, STDOUT_FILENO);
        if (fds[0].revents && on_control(relay))
            return;
    }
}

int attach_exec(int control, uint32_t exec_id, int master)
{
    struct relay relay = {.control = control,
                          .master = master,
                          .exec_id = exec_id,
                          .stdin_open = master >= 0,
                          .master_open = master >= 0,
                          .signals = signals_open(master >= 0),
                          .code = EXIT_FAILED};
    struct termios saved;
    bool raw = master >= 0 && term_raw(STDIN_FILENO, &saved) == 0;

    send_size(&relay);
    relay_run(&relay);
    if (relay.master_open) { /* what was written before the end */
        struct pollfd rest = {.fd = master, .events = POLLIN};
        while (poll(&rest, 1, 0) > 0 && copy(master, STDOUT_FILENO))
            ;
    }
    if (raw)
        term_restore(STDIN_FILENO, &saved);
    close_fdp(&relay.master);
    close_fdp(&relay.signals);
    return relay.code;
}
