/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c - event loop over libevent_core. A source freed from inside its own callback is only unlinked at
 * once; its memory goes when the callback has returned. */
#include "base/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"

enum source_kind { SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL, SOURCE_CHILD };

struct loop_source {
    struct loop *loop;
    struct loop_source *next, *previous;
    struct event *event;
    enum source_kind kind;
    int fd;           /* watched descriptor, pidfd or signal number */
    unsigned events;  /* SOURCE_FD: what is watched */
    bool is_plain;    /* SOURCE_FD: a regular file, which epoll refuses: always ready */
    bool in_call, is_freed;
    pid_t pid;
    union {
        loop_fd_fn *fd_fn;
        loop_timer_fn *timer_fn;
        loop_signal_fn *signal_fn;
        loop_child_fn *child_fn;
    };
    void *arg;
};

struct soon {
    struct soon *next;
    loop_timer_fn *fn;
    void *arg;
};

struct loop {
    struct event_base *base;
    struct loop_source *sources;
    struct soon *soon_first, **soon_end;
    struct event *soon_event;
    bool is_stopped;
    int code;
};

static struct timeval timeval_from_us(int64_t us)
{
    if (us < 0)
        us = 0;
    return (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}

static void *must(void *event)
{
    if (!event)
        abort(); /* libevent gives NULL only when memory is out */
    return event;
}

/* Runs what loop_soon collected up to now; what is added meanwhile waits for the next turn. */
static void on_soon(int fd, short what, void *arg)
{
    struct loop *loop = arg;
    struct soon *item = loop->soon_first;
    (void)fd;
    (void)what;
    loop->soon_first = NULL;
    loop->soon_end = &loop->soon_first;
    while (item) {
        struct soon *next = item->next;
        item->fn(item->arg);
        free(item);
        item = next;
    }
}

struct loop *loop_new(void)
{
    struct loop *loop = xcalloc(1, sizeof(*loop));
    struct event_config *config = must(event_config_new());
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_PRECISE_TIMER |
                                      EVENT_BASE_FLAG_IGNORE_ENV);
    loop->base = must(event_base_new_with_config(config));
    event_config_free(config);
    loop->soon_event = must(event_new(loop->base, -1, 0, on_soon, loop));
    loop->soon_end = &loop->soon_first;
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    while (loop->sources)
        loop_source_free(loop->sources);
    for (struct soon *item = loop->soon_first, *next; item; item = next) {
        next = item->next;
        free(item);
    }
    event_free(loop->soon_event);
    event_base_free(loop->base);
    free(loop);
}

int loop_run(struct loop *loop)
{
    while (!loop->is_stopped)
        if (event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
            return -1;
    loop->is_stopped = false; /* may be run again */
    return loop->code;
}

void loop_stop(struct loop *loop, int code)
{
    loop->is_stopped = true;
    loop->code = code;
    event_base_loopbreak(loop->base);
}

static struct loop_source *source_new(struct loop *loop, enum source_kind kind, int fd, void *arg)
{
    struct loop_source *source = xcalloc(1, sizeof(*source));
    source->loop = loop;
    source->kind = kind;
    source->fd = fd;
    source->arg = arg;
    source->next = loop->sources;
    if (loop->sources)
        loop->sources->previous = source;
    loop->sources = source;
    return source;
}

static void call_begin(struct loop_source *source)
{
    source->in_call = true;
}

/* Returns false when the source was freed meanwhile. */
static bool call_end(struct loop_source *source)
{
    source->in_call = false;
    if (!source->is_freed)
        return true;
    free(source);
    return false;
}

/* Starts (or goes on with) watching what source->events says. */
static void fd_watch(struct loop_source *source)
{
    static const struct timeval now = {0};
    if (source->events != 0 && event_add(source->event, source->is_plain ? &now : NULL) < 0)
        log_error("loop: watch descriptor %d: %m", source->fd);
}

static void on_fd(int fd, short what, void *arg)
{
    struct loop_source *source = arg;
    unsigned events = source->events;
    if (!source->is_plain)
        events = (what & EV_READ ? LOOP_READ : 0u) | (what & EV_WRITE ? LOOP_WRITE : 0u);
    (void)fd;
    call_begin(source);
    source->fd_fn(source->fd, events, source->arg);
    if (call_end(source) && source->is_plain)
        fd_watch(source); /* a timer: one shot */
}

static void fd_assign(struct loop_source *source)
{
    short what = (short)(EV_PERSIST | (source->events & LOOP_READ ? EV_READ : 0) |
                         (source->events & LOOP_WRITE ? EV_WRITE : 0));
    int fd = source->is_plain ? -1 : source->fd;
    if (source->event)
        event_free(source->event);
    source->event = must(event_new(source->loop->base, fd, source->is_plain ? 0 : what, on_fd, source));
    fd_watch(source);
}

struct loop_source *loop_fd(struct loop *loop, int fd, unsigned events, loop_fd_fn *fn, void *arg)
{
    struct stat st;
    struct loop_source *source = source_new(loop, SOURCE_FD, fd, arg);
    source->fd_fn = fn;
    source->events = events;
    source->is_plain = fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
    fd_assign(source);
    return source;
}

void loop_fd_events(struct loop_source *source, unsigned events)
{
    if (source->is_freed || source->events == events)
        return;
    source->events = events;
    fd_assign(source);
}

static void on_timer(int fd, short what, void *arg)
{
    struct loop_source *source = arg;
    (void)fd;
    (void)what;
    call_begin(source);
    source->timer_fn(source->arg);
    call_end(source);
}

struct loop_source *loop_timer(struct loop *loop, int64_t delay_us, loop_timer_fn *fn, void *arg)
{
    struct loop_source *source = source_new(loop, SOURCE_TIMER, -1, arg);
    source->timer_fn = fn;
    source->event = must(event_new(loop->base, -1, 0, on_timer, source));
    loop_timer_arm(source, delay_us);
    return source;
}

void loop_timer_arm(struct loop_source *source, int64_t delay_us)
{
    struct timeval delay = timeval_from_us(delay_us);
    if (!source->is_freed)
        event_add(source->event, &delay); /* replaces an older time */
}

void loop_timer_disarm(struct loop_source *source)
{
    if (!source->is_freed)
        event_del(source->event);
}

static void on_signal(int signo, short what, void *arg)
{
    struct loop_source *source = arg;
    (void)what;
    call_begin(source);
    source->signal_fn(signo, source->arg);
    call_end(source);
}

struct loop_source *loop_signal(struct loop *loop, int signo, loop_signal_fn *fn, void *arg)
{
    struct loop_source *source = source_new(loop, SOURCE_SIGNAL, signo, arg);
    source->signal_fn = fn;
    source->event = must(event_new(loop->base, signo, EV_SIGNAL | EV_PERSIST, on_signal, source));
    if (event_add(source->event, NULL) < 0)
        log_error("loop: watch signal %d: %m", signo);
    return source;
}

static void on_child(int fd, short what, void *arg)
{
    struct loop_source *source = arg;
    int status = 0;
    pid_t pid;
    (void)fd;
    (void)what;
    do
        pid = waitpid(source->pid, &status, WNOHANG);
    while (pid < 0 && errno == EINTR);
    if (pid == 0)
        return; /* woken for nothing */
    if (pid < 0)
        log_error("loop: wait for child %d: %m", (int)source->pid);
    call_begin(source);
    event_del(source->event);
    source->child_fn(source->pid, status, source->arg);
    if (call_end(source))
        loop_source_free(source);
}

struct loop_source *loop_child(struct loop *loop, pid_t pid, loop_child_fn *fn, void *arg)
{
    int pidfd = proc_pidfd_open(pid);
    if (pidfd < 0)
        return NULL;
    struct loop_source *source = source_new(loop, SOURCE_CHILD, pidfd, arg);
    source->child_fn = fn;
    source->pid = pid;
    source->event = must(event_new(loop->base, pidfd, EV_READ | EV_PERSIST, on_child, source));
    if (event_add(source->event, NULL) < 0)
        log_error("loop: watch child %d: %m", (int)pid);
    return source;
}

void loop_soon(struct loop *loop, loop_timer_fn *fn, void *arg)
{
    static const struct timeval now = {0};
    struct soon *item = xcalloc(1, sizeof(*item));
    item->fn = fn;
    item->arg = arg;
    *loop->soon_end = item;
    loop->soon_end = &item->next;
    if (!event_pending(loop->soon_event, EV_TIMEOUT, NULL))
        event_add(loop->soon_event, &now);
}

void loop_source_free(struct loop_source *source)
{
    if (!source || source->is_freed)
        return;
    event_free(source->event); /* also from inside its callback */
    if (source->previous)
        source->previous->next = source->next;
    else
        source->loop->sources = source->next;
    if (source->next)
        source->next->previous = source->previous;
    if (source->kind == SOURCE_CHILD)
        close_fdp(&source->fd);
    source->is_freed = true;
    if (!source->in_call)
        free(source);
}
