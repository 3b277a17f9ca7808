/* SPDX-License-Identifier: Apache-2.0 */
/* winch-monitor: parent and keeper of one container (protocol.h). Start, then one epoll loop that
 * sleeps until something happens: there are no periodic wake-ups. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/proc.h"
#include "engine/monitor/monitor.h"
#include "engine/runtime/start.h"
#include "engine/runtime/sys.h"

#define EVENTS_MAX     16
#define RELAY_PAUSE_US 1000
#define OOM_LOOKS      20
#define OOM_LOOK_MS    2

int monitor_watch(struct monitor *monitor, int fd, uint32_t events, enum source source,
                  unsigned index)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)source << 32 | index};
    return epoll_ctl(monitor->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* The specification stays mapped: strings of monitor->spec point into it. */
static int spec_read(struct monitor *monitor, struct err *err)
{
    struct stat st;
    if (fstat(MONITOR_FD_SPEC, &st) < 0)
        return err_sys(err, "examine the specification");
    if (st.st_size <= 0 || st.st_size > SPEC_PACKED_MAX)
        return err_set(err, ERR_LIMIT, "the specification has %lld bytes", (long long)st.st_size);
    int seals = fcntl(MONITOR_FD_SPEC, F_GET_SEALS);
    if (seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) != (F_SEAL_WRITE | F_SEAL_SHRINK))
        return err_set(err, ERR_PROTOCOL, "the specification is not sealed");
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, MONITOR_FD_SPEC, 0);
    if (data == MAP_FAILED)
        return err_sys(err, "map the specification");
    close(MONITOR_FD_SPEC);
    return container_spec_unpack(arena_new(), data, (size_t)st.st_size, &monitor->spec, err);
}

static void signals_prepare(sigset_t *ret_mask)
{
    sigemptyset(ret_mask);
    sigaddset(ret_mask, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, ret_mask, NULL); /* fails only for a bad argument */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
}

static int loop_prepare(struct monitor *monitor, struct err *err)
{
    sigset_t mask;
    signals_prepare(&mask);
    monitor->epoll = epoll_create1(EPOLL_CLOEXEC);
    monitor->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    monitor->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (monitor->epoll < 0 || monitor->signals < 0 || monitor->timer < 0)
        return err_sys(err, "prepare the loop");
    if (monitor_watch(monitor, monitor->signals, EPOLLIN, SOURCE_SIGNALS, 0) < 0 ||
        monitor_watch(monitor, monitor->timer, EPOLLIN, SOURCE_TIMER, 0) < 0)
        return err_sys(err, "prepare the loop");
    return 0;
}

/* Reaps whatever ended: the first process, execs, and orphans that fell to us. */
static void children_reap(struct monitor *monitor)
{
    struct signalfd_siginfo info;
    while (read(monitor->signals, &info, sizeof(info)) > 0)
        ;
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return;
        if (pid == monitor->packer)
            monitor->packer = 0;
        else if (pid == monitor->pid && !monitor->adopted) {
            monitor->exited = true;
            monitor->wait_status = status;
        } else {
            session_exited(monitor, pid, status);
        }
    }
}

__attribute__((noinline)) /* keeps its buffer out of the frame that sleeps */
static void
oom_happened(struct monitor *monitor)
{
    char drain[4096];
    while (read(monitor->oom, drain, sizeof(drain)) > 0)
        ;
    if (monitor->oom_told)
        return;
    for (int i = 0; cgroup_oom_kills(&monitor->cgroup) == 0; i++) { /* v1 tells before it kills and counts */
        if (i == OOM_LOOKS)
            return;
        (void)poll(NULL, 0, OOM_LOOK_MS);
    }
    struct monitor_message message = {.kind = MONITOR_OOM};
    monitor->oom_told = true;
    monitor_status_write(monitor, monitor->paused ? "paused" : "running", NULL);
    clients_tell(monitor, &message);
}

__attribute__((noinline)) /* as above */
static void
losses_tell(struct monitor *monitor)
{
    uint64_t now = monitor->log.lost + monitor->sink.dropped, total = monitor_lines_lost(monitor);
    bool first = now > 0 && monitor->log.lost_told == 0;
    bool over = now == 0 && monitor->lost_shown != total;
    monitor->log.lost_told = now;
    if (first || over) { /* the end of the container tells it, too */
        monitor->lost_shown = total;
        monitor_status_write(monitor, monitor->paused ? "paused" : "running", NULL);
    }
    if (!first)
        return; /* one notice an outage; the number comes with the marker in the log */
    struct monitor_message message = {.kind = MONITOR_LOG_LOST, .lines = now};
    clients_tell(monitor, &message);
}

static void relay_wake(struct relay *relay)
{
    relay->ready = true;
    relay->woken_us = clock_monotonic_us();
}

static void event_handle(struct monitor *monitor, const struct epoll_event *event)
{
    unsigned index = (unsigned)event->data.u64;
    switch ((enum source)(event->data.u64 >> 32)) {
    case SOURCE_SIGNALS:
        children_reap(monitor);
        break;
    case SOURCE_RELAY:
        relay_wake(&monitor->relays[index]);
        break;
    case SOURCE_LISTEN:
        client_accept(monitor);
        break;
    case SOURCE_CLIENT:
        client_serve(monitor, index);
        break;
    case SOURCE_CAPTURE:
        session_captured(monitor, index);
        break;
    case SOURCE_TIMER:
        sessions_timeout(monitor);
        break;
    case SOURCE_SINK:
        monitor->sink.blocked = false;
        break;
    case SOURCE_OOM:
        oom_happened(monitor);
        break;
    case SOURCE_READER:
        close(MONITOR_FD_DIRECT);
        (void)monitor_take_tty(monitor, NULL); /* without memory for it the output waits in the terminal */
        break;
    case SOURCE_FIRST:
        monitor->exited = true;
        monitor->wait_status = -1;
        break;
    }
}

static void relay_arm(struct monitor *monitor, unsigned index)
{
    struct relay *relay = &monitor->relays[index];
    struct epoll_event event = {.events = RELAY_EVENTS,
                                .data.u64 = (uint64_t)SOURCE_RELAY << 32 | index};
    relay->due_us = 0;
    relay->armed_us = clock_monotonic_us();
    (void)epoll_ctl(monitor->epoll, EPOLL_CTL_MOD, relay->fd, &event); /* fails for a bad argument */
}

/* When a stream has nothing more: wait for its next byte, or, when the last wait was short, look
 * again after a pause. A process that writes line by line would else wake us for every line. */
static void relay_settle(struct monitor *monitor, unsigned index, bool any)
{
    struct relay *relay = &monitor->relays[index];
    if (relay->is_tty || relay->ready)
        return;
    if (any && (relay->due_us || relay->woken_us - relay->armed_us < RELAY_PAUSE_US))
        relay->due_us = clock_monotonic_us() + RELAY_PAUSE_US;
    else
        relay_arm(monitor, index);
}

/* Finished files are compressed by a process of its own. One at a time; it takes all there are. */
static void packer_start(struct monitor *monitor)
{
    if (!monitor->log.rotated || !monitor->packer_path || monitor->packer > 0)
        return;
    char *const argv[] = {(char *)"winch-logpack", (char *)"pack", NULL};
    const int fds[] = {monitor->log.dirfd, -1, -1};
    const struct proc_spawn spawn = {.path = monitor->packer_path,
                                     .argv = argv,
                                     .fds = fds,
                                     .fd_count = ARRAY_LEN(fds)};
    monitor->log.rotated = false;
    if (proc_spawn(&spawn, &monitor->packer, NULL) < 0)
        monitor->packer = 0; /* tried again after the next rotation */
}

/* Some portions of every stream that has something. Returns the time for epoll_wait. */
static int relays_pump(struct monitor *monitor)
{
    bool busy = false, paused = false;
    int64_t now_us = clock_monotonic_us();
    for (unsigned i = 0; i < ARRAY_LEN(monitor->relays); i++) {
        struct relay *relay = &monitor->relays[i];
        if (relay->due_us && relay->due_us <= now_us)
            relay->ready = true;
        if (relay->ready)
            relay_settle(monitor, i, relay_pump(relay, &monitor->spool, &monitor->log, false));
        busy |= relay->ready;
        paused |= relay->due_us != 0;
    }
    sink_send(&monitor->sink);
    if (monitor->sink.fresh)
        (void)monitor_watch(monitor, monitor->sink.fd, EPOLLOUT | EPOLLET, SOURCE_SINK, 0);
    monitor->sink.fresh = false; /* unwatched it would be slow, no more */
    losses_tell(monitor);
    packer_start(monitor);
    if (!busy && !paused)
        relay_idle(&monitor->spool);
    int sink_ms = sink_wait_ms(&monitor->sink);
    if (busy)
        return 0;
    return paused && (sink_ms < 0 || sink_ms > RELAY_PAUSE_US / 1000) ? RELAY_PAUSE_US / 1000 : sink_ms;
}

static int loop_run(struct monitor *monitor)
{
    int wait_ms = 0;
    while (!monitor->exited) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(monitor->epoll, events, EVENTS_MAX, wait_ms);
        if (count < 0 && errno != EINTR)
            return -1;
        for (int i = 0; i < count; i++)
            event_handle(monitor, &events[i]);
        wait_ms = relays_pump(monitor);
    }
    return 0;
}

/* What is not as asked: limits first, then what the start noted. */
static void start_report(struct monitor *monitor, const char *notes, const struct err *error)
{
    struct monitor_message message = {.kind = error ? MONITOR_FAILED : MONITOR_STARTED};
    if (error) {
        message.code = (int)error->code;
        message.sys_errno = error->sys_errno;
        snprintf(message.text, sizeof(message.text), "%s", error->message);
        if (error->hint[0])
            snprintf(message.text + strlen(message.text),
                     sizeof(message.text) - strlen(message.text), " (%s)", error->hint);
    } else {
        message.pid = monitor->pid;
        message.start_time = monitor->start_time;
        message.started_ns = monitor->started_ns;
        const char *limits = monitor->cgroup.notes;
        snprintf(message.text, sizeof(message.text), "%s%s%s", limits,
                 limits[0] && notes[0] ? "; " : "", notes);
    }
    message.text_size = (uint32_t)strlen(message.text);
    client_send(monitor, 0, &message, error ? -1 : monitor->tty); /* there is no other client yet */
}

static int start(struct monitor *monitor, bool adopt, struct started *ret_started, struct err *err)
{
    if (spec_read(monitor, err) < 0)
        return -1;
    monitor->run_dir = open(monitor->spec.run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (monitor->run_dir < 0)
        return err_sys(err, "open %s", monitor->spec.run_dir);
    return adopt ? monitor_adopt(monitor, err) : monitor_launch(monitor, ret_started, err);
}

static void monitor_init(struct monitor *monitor)
{
    monitor->epoll = monitor->signals = monitor->listener = monitor->timer = monitor->oom = -1;
    monitor->run_dir = monitor->lock = monitor->pidfd = monitor->tty = monitor->stdin_write = -1;
    monitor->cgroup = (struct cgroup)CGROUP_NONE;
    for (unsigned i = 0; i < ARRAY_LEN(monitor->relays); i++)
        monitor->relays[i] = (struct relay){.fd = -1, .sink = &monitor->sink};
    monitor->spool = (struct spool){.fd = -1};
    monitor->sink = (struct sink){.fd = -1};
    monitor->log = (struct logfile){.dirfd = -1, .fd = -1};
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        monitor->clients[i].fd = -1;
}

/* Nothing inherited survives but the descriptors of the protocol and the standard ones. */
static void process_prepare(int last)
{
    (void)close_range((unsigned)last + 1, ~0u, 0); /* since Linux 5.9, which all here needs anyway */
    for (int fd = MONITOR_FD_SPEC; fd <= last; fd++)
        (void)fd_set_cloexec(fd, true);
    (void)umask(022); /* cgroups are shown inside; private files have their mode set */
    if (chdir("/") < 0)
        _exit(125);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0,
                0); /* children inherit it until execve: nobody traces them */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    _cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "-800", 4) < 0)
        return; /* without CAP_SYS_RESOURCE; doctor says so */
}

int main(int argc, char **argv)
{
    static struct monitor monitor; /* large and page-wise untouched: no heap, no stack */
    struct err err = {0};
    bool adopt_tty = argc == 3 && str_eq(argv[1], "--adopt-tty");
    bool adopt = adopt_tty || (argc == 3 && str_eq(argv[1], "--adopt"));
    bool direct = argc == 3 && str_eq(argv[1], "--direct");
    if (argc != 2 && !adopt && !direct) {
        fputs("usage: winch-monitor [--adopt | --adopt-tty | --direct] ID (started by winch-supervisor)\n", stderr);
        return 2;
    }
    process_prepare(direct ? MONITOR_FD_DIRECT + 2 : adopt_tty ? MONITOR_FD_TTY : MONITOR_FD_CLIENT);
    monitor_init(&monitor);
    monitor.direct = direct;
    monitor.tty = adopt_tty ? MONITOR_FD_TTY : -1;
    if (loop_prepare(&monitor, &err) < 0)
        return 125;
    client_add(&monitor, MONITOR_FD_CLIENT, true);
    struct started started = {0};
    if (start(&monitor, adopt, &started, &err) < 0) {
        if (monitor.run_dir >= 0 && !adopt && err.code != ERR_BUSY)
            monitor_status_write(&monitor, "exited", &err);
        start_report(&monitor, "", &err);
        return 1;
    }
    start_report(&monitor, started.sync.notes, NULL);
    started_done(&started);
    monitor.oom = cgroup_oom_watch(&monitor.cgroup);
    if (monitor.oom >= 0)
        (void)monitor_watch(&monitor, monitor.oom, EPOLLIN, SOURCE_OOM,
                            0); /* the count at the end tells the same */
    int result = loop_run(&monitor);
    monitor_finish(&monitor);
    return result < 0 ? 1 : 0;
}
