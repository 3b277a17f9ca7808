/* SPDX-License-Identifier: Apache-2.0 */
/* attach.c - relay of a terminal, and waiting for MONITOR_EXEC_EXITED. A terminal of ours is never passed into a container,
 * which could push input into it or change its settings: a process has a pty of its own or pipes. */
#include "cli/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/term.h"
#include "cli/cli.h"
#include "engine/engine.h"

struct stream {
    int from, to;
    bool open;
};

struct relay {
    int control, master, signals; /* control: the monitor; -1: there is none */
    uint32_t exec_id;             /* 0: the container's first process */
    int end;                      /* readable when there may be news of the end */
    bool (*ended)(struct relay *relay);
    void *arg;
    struct stream in, out, error;
    bool in_full; /* the process does not read: what we would read could not be written */
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
        if (relay->control < 0) {
            (void)ioctl(relay->master, TIOCSWINSZ, &size); /* its end is seen elsewhere */
            return;
        }
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
        if (relay->control < 0)
            continue;
        struct monitor_message message = {.kind = relay->exec_id ? MONITOR_EXEC_SIGNAL : MONITOR_SIGNAL,
                                          .exec_id = relay->exec_id,
                                          .signo = (int32_t)info.ssi_signo};
        (void)monitor_send(relay->control, &message, NULL, 0, NULL);
    }
}

/* false: no more to come */
static bool copy(int from, int to, size_t most)
{
    char buffer[16384];
    ssize_t size = read(from, buffer, MIN(most, sizeof(buffer)));

    if (size < 0)
        return errno == EINTR || errno == EAGAIN;
    return size > 0 && fd_write_all(to, buffer, (size_t)size) == 0;
}

static void copy_out(struct stream *stream)
{
    stream->open = copy(stream->from, stream->to, SIZE_MAX);
}

/* One portion of our input. A pipe that is ready takes PIPE_BUF bytes without waiting. */
static void copy_in(struct relay *relay, struct attach_pipes *pipes)
{
    struct pollfd room = {.fd = relay->in.to, .events = POLLOUT};

    relay->in_full = relay->master < 0 && poll(&room, 1, 0) == 0;
    if (relay->in_full)
        return;
    relay->in.open = copy(relay->in.from, relay->in.to, relay->master < 0 ? PIPE_BUF : SIZE_MAX);
    if (!relay->in.open && relay->master < 0)
        close_fdp(&pipes->ours[0]); /* the process sees the end */
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

static void relay_run(struct relay *relay, struct attach_pipes *pipes)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = relay->end, .events = POLLIN},
            {.fd = relay->signals, .events = POLLIN},
            {.fd = relay->in.open && !relay->in_full ? relay->in.from : -1, .events = POLLIN},
            {.fd = relay->in.open && relay->in_full ? relay->in.to : -1, .events = POLLOUT},
            {.fd = relay->out.open ? relay->out.from : -1, .events = POLLIN},
            {.fd = relay->error.open ? relay->error.from : -1, .events = POLLIN},
        };
        if (poll(fds, ARRAY_LEN(fds), -1) < 0) {
            if (errno != EINTR)
                return;
            continue;
        }
        if (fds[1].revents)
            on_signal(relay);
        if (fds[3].revents)
            relay->in_full = false;
        if (fds[2].revents)
            copy_in(relay, pipes);
        if (fds[4].revents)
            copy_out(&relay->out);
        if (fds[5].revents)
            copy_out(&relay->error);
        if (fds[0].revents && relay->ended(relay))
            return;
    }
}

/* What was written before the end; somebody who goes on in the background is not waited for. */
static void drain(struct stream *stream)
{
    struct pollfd rest = {.fd = stream->from, .events = POLLIN};

    while (stream->open && poll(&rest, 1, 0) > 0)
        copy_out(stream);
}

static bool is_same(int a, int b)
{
    struct stat first, second;

    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_rdev == second.st_rdev &&
           (S_ISCHR(first.st_mode) || (first.st_ino == second.st_ino && first.st_dev == second.st_dev));
}

/* A file of ours is nothing a container shall cut, and by the name /dev/stdout it could not open it. */
static bool is_file(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

int attach_pipes_open(struct attach_pipes *ret_pipes, bool files, struct err *err)
{
    struct attach_pipes *pipes = ret_pipes;

    *pipes = (struct attach_pipes){.ours = {-1, -1, -1}, .theirs = {0, 1, 2}};
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (!term_is_tty(i) && !(files && is_file(i)))
            continue;
        if (i == 2 && pipes->ours[1] >= 0 && is_same(1, 2)) { /* one pipe keeps the order */
            pipes->theirs[2] = pipes->theirs[1];
            continue;
        }
        if (pipe2(ends, O_CLOEXEC) < 0) {
            err_sys(err, "make a pipe");
            attach_pipes_sent(pipes);
            attach_pipes_close(pipes);
            return -1;
        }
        pipes->ours[i] = ends[i == 0];
        pipes->theirs[i] = ends[i != 0];
    }
    return 0;
}

void attach_pipes_sent(struct attach_pipes *pipes)
{
    for (int i = 0; i < 3; i++)
        if (pipes->ours[i] >= 0)
            close_fdp(&pipes->theirs[i]);
}

void attach_pipes_close(struct attach_pipes *pipes)
{
    for (int i = 0; i < 3; i++)
        close_fdp(&pipes->ours[i]);
}

/* From the first byte to the end; takes master. */
static int relay_whole(struct relay *relay, struct attach_pipes *pipes)
{
    bool tty = relay->master >= 0;
    struct termios saved;

    relay->in = (struct stream){STDIN_FILENO, tty ? relay->master : pipes->ours[0], tty || pipes->ours[0] >= 0};
    relay->out = (struct stream){tty ? relay->master : pipes->ours[1], STDOUT_FILENO, tty || pipes->ours[1] >= 0};
    relay->error = (struct stream){pipes->ours[2], STDERR_FILENO, !tty && pipes->ours[2] >= 0};
    relay->signals = signals_open(tty);
    relay->code = EXIT_FAILED;
    bool raw = tty && term_raw(STDIN_FILENO, &saved) == 0;
    send_size(relay);
    relay_run(relay, pipes);
    drain(&relay->out);
    drain(&relay->error);
    if (raw)
        term_restore(STDIN_FILENO, &saved);
    close_fdp(&relay->master);
    close_fdp(&relay->signals);
    return relay->code;
}

int attach_exec(int control, uint32_t exec_id, int master, struct attach_pipes *pipes)
{
    struct relay relay = {.control = control, .master = master, .exec_id = exec_id, .end = control, .ended = on_control};

    return relay_whole(&relay, pipes);
}

struct awaited {
    const struct attach_end *end;
    struct err *err;
};

static bool on_end(struct relay *relay)
{
    struct awaited *awaited = relay->arg;
    int next = awaited->end->look(awaited->end->arg, &relay->code, awaited->err);

    if (next < 0 && awaited->err->code)
        relay->code = -1;
    relay->end = next;
    return next < 0;
}

int attach_first(int control, int master, struct attach_pipes *pipes, const struct attach_end *end, struct err *err)
{
    struct awaited awaited = {end, err};
    struct relay relay = {.control = control, .master = master, .end = end->fd, .ended = on_end, .arg = &awaited};

    return relay_whole(&relay, pipes);
}
