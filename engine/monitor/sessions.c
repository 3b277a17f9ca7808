/* SPDX-License-Identifier: Apache-2.0 */
/* sessions.c - extra processes in the container: exec, probes, hooks. Each is our child, in a
 * cgroup of its own where the host has a v2 tree, so that a probe that runs out of time is killed
 * with all it started. libc only. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "engine/monitor/monitor.h"
#include "engine/runtime/start.h"
#include "engine/runtime/sys.h"

static void group_name(const struct session *session, char *ret_name, size_t size)
{
    snprintf(ret_name, size, "exec-%u", session->id);
}

struct session *session_find(struct monitor *monitor, uint32_t id)
{
    for (unsigned i = 0; id && i < SESSIONS_MAX; i++)
        if (monitor->sessions[i].id == id)
            return &monitor->sessions[i];
    return NULL;
}

/* Arms the one timer for the nearest deadline, or disarms it. */
static void timer_arm(struct monitor *monitor)
{
    int64_t nearest_us = 0;
    for (unsigned i = 0; i < SESSIONS_MAX; i++) {
        int64_t deadline_us = monitor->sessions[i].id ? monitor->sessions[i].deadline_us : 0;
        if (deadline_us && (!nearest_us || deadline_us < nearest_us))
            nearest_us = deadline_us;
    }
    struct itimerspec when = {
        .it_value = {.tv_sec = nearest_us / 1000000, .tv_nsec = nearest_us % 1000000 * 1000}};
    (void)timerfd_settime(monitor->timer, TFD_TIMER_ABSTIME, &when,
                          NULL); /* only bad arguments fail */
}

/* The request's specification, read into memory of our own: a mapping could be cut under us. */
static int request_read(int fd, void **ret_data, size_t *ret_size, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_sys(err, "examine the request");
    if (st.st_size <= 0 || st.st_size > SPEC_PACKED_MAX)
        return err_set(err, ERR_LIMIT, "the request has %lld bytes", (long long)st.st_size);
    void *data =
        mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED)
        return err_sys(err, "read the request");
    if (pread(fd, data, (size_t)st.st_size, 0) != st.st_size) {
        munmap(data, (size_t)st.st_size);
        return err_set(err, ERR_PROTOCOL, "the request cannot be read");
    }
    *ret_data = data;
    *ret_size = (size_t)st.st_size;
    return 0;
}

/* Descriptors 0-2 of the process: the client's, or for a probe nothing and a pipe to us. */
static int stdio_prepare(struct session *session, const struct exec_spec *exec, const int *fds,
                         size_t fd_count, int ret_stdio[3], int *ret_null, int *ret_pipe,
                         struct err *err)
{
    if (exec->process.tty)
        return 0;
    if (!exec->capture && fd_count == 0) { /* detached: nobody listens */
        *ret_null = open("/dev/null", O_RDWR | O_CLOEXEC);
        ret_stdio[0] = ret_stdio[1] = ret_stdio[2] = *ret_null;
        return *ret_null < 0 ? err_sys(err, "open /dev/null") : 0;
    }
    if (!exec->capture) {
        if (fd_count < 3)
            return err_set(err, ERR_PROTOCOL, "three descriptors are needed, %zu came", fd_count);
        memcpy(ret_stdio, fds, 3 * sizeof(*fds));
        return 0;
    }
    int pair[2];
    *ret_null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (*ret_null < 0 || pipe2(pair, O_CLOEXEC) < 0)
        return err_sys(err, "prepare the output");
    session->capture = pair[0];
    *ret_pipe = pair[1];
    (void)fd_set_nonblock(session->capture,
                          true); /* our end only: pipes have a description for each end */
    ret_stdio[0] = *ret_null;
    ret_stdio[1] = ret_stdio[2] = *ret_pipe;
    return 0;
}

static int process_start(struct monitor *monitor, struct session *session,
                         const struct exec_spec *exec, const int *fds, size_t fd_count,
                         struct err *err)
{
    _cleanup_close_ int null_fd = -1, pipe_fd = -1, group = -1;
    int stdio[3] = {-1, -1, -1};
    char name[24];
    if (stdio_prepare(session, exec, fds, fd_count, stdio, &null_fd, &pipe_fd, err) < 0)
        return -1;
    group_name(session, name, sizeof(name));
    if (monitor->spec.cgroup_path)
        group = cgroup_sub_make(&monitor->cgroup, name);
    session->has_group = group >= 0;
    const struct start start = {
        .spec = &monitor->spec,
        .process = &exec->process,
        .cgroup = monitor->spec.cgroup_path ? &monitor->cgroup : NULL,
        .filter = exec->privileged ? NULL : &monitor->filter,
        .stdio = {stdio[0], stdio[1], stdio[2]},
        .init_fd = -1,
        .target = monitor->pidfd,
        .cgroup_fd = group >= 0 ? group : monitor->cgroup.unified_fd,
    };
    struct started started;
    if (start_process(&start, &started, err) < 0) {
        cgroup_sub_remove(&monitor->cgroup, name);
        return -1;
    }
    session->pid = started.pid;
    session->pidfd = started.pidfd;
    session->master = started.sync.master;
    started_done(&started);
    return 0;
}

static void session_free(struct session *session)
{
    close_fdp(&session->pidfd);
    close_fdp(&session->master);
    close_fdp(&session->capture);
    session->id = 0;
}

static int session_begin(struct monitor *monitor, struct session *session,
                         const struct exec_spec *exec, const int *fds, size_t fd_count,
                         struct err *err)
{
    if (monitor->paused)
        return err_set(err, ERR_BUSY, "container %.12s is paused", monitor->spec.id);
    if (monitor->pidfd < 0)
        return err_set(err, ERR_NOT_FOUND, "container %.12s is not running", monitor->spec.id);
    if (process_start(monitor, session, exec, fds, fd_count, err) < 0)
        return -1;
    session->tty = exec->process.tty;
    if (exec->timeout_us > 0)
        session->deadline_us = clock_monotonic_us() + exec->timeout_us;
    unsigned index = (unsigned)(session - monitor->sessions);
    if (session->capture >= 0 &&
        monitor_watch(monitor, session->capture, EPOLLIN, SOURCE_CAPTURE, index) < 0)
        return err_sys(err, "watch the output");
    return 0;
}

static int session_open(struct monitor *monitor, struct session *session, const int *fds,
                        size_t fd_count, struct err *err)
{
    void *data = NULL;
    size_t size = 0;
    if (fd_count < 1)
        return err_set(err, ERR_PROTOCOL, "a specification is needed as descriptor");
    if (request_read(fds[0], &data, &size, err) < 0)
        return -1;
    struct arena *arena = arena_new();
    struct exec_spec exec;
    int result = exec_spec_unpack(arena, data, size, &exec, err);
    if (result == 0)
        result = session_begin(monitor, session, &exec, fds + 1, fd_count - 1, err);
    arena_free(arena);
    munmap(data, size);
    return result;
}

int session_start(struct monitor *monitor, unsigned client, const struct monitor_message *request,
                  const int *fds, size_t fd_count, struct err *err)
{
    struct session *session = monitor->sessions;
    while (session < monitor->sessions + SESSIONS_MAX && session->id)
        session++;
    struct monitor_message answer = {.kind = MONITOR_EXEC_STARTED,
                                     .request_id = request->request_id};
    struct err failure = {0};
    if (session == monitor->sessions + SESSIONS_MAX) {
        err_set(&failure, ERR_LIMIT, "more than %d processes are being executed", SESSIONS_MAX);
    } else {
        /* kept[] is left alone: clearing it would touch its pages */
        session->id = ++monitor->last_session ? monitor->last_session : ++monitor->last_session;
        session->client = (int)client;
        session->request_id = request->request_id;
        session->detach = request->detach;
        session->pidfd = session->master = session->capture = -1;
        session->tty = session->timed_out = session->has_group = false;
        session->pid = 0;
        session->deadline_us = 0;
        session->kept_size = 0;
        if (session_open(monitor, session, fds, fd_count, &failure) < 0)
            session_free(session);
    }
    if (failure.code)
        return err_copy(err, &failure);
    answer.exec_id = session->id;
    answer.pid = session->pid;
    client_send(monitor, (int)client, &answer, session->master);
    timer_arm(monitor);
    return 0;
}

void session_captured(struct monitor *monitor, unsigned index)
{
    struct session *session = &monitor->sessions[index];
    char data[SPEC_OUTPUT_KEPT];
    for (int i = 0; session->id && session->capture >= 0 && i < 16; i++) {
        ssize_t got = read(session->capture, data, sizeof(data));
        if (got < 0)
            return;
        if (got == 0) {
            close_fdp(&session->capture);
            return;
        }
        for (ssize_t k = 0; k < got; k++)
            session->kept[session->kept_size++ % sizeof(session->kept)] = data[k];
    }
}

/* The last bytes in order. */
static uint32_t kept_copy(const struct session *session, char *ret_text)
{
    size_t size = MIN(session->kept_size, sizeof(session->kept));
    for (size_t i = 0; i < size; i++)
        ret_text[i] = session->kept[(session->kept_size - size + i) % sizeof(session->kept)];
    return (uint32_t)size;
}

static void session_kill(struct monitor *monitor, const struct session *session)
{
    char name[24];
    group_name(session, name, sizeof(name));
    if (session->has_group)
        cgroup_sub_kill(&monitor->cgroup, name);
    else
        (void)kill(-session->pid, SIGKILL); /* its session's first group; we have not reaped its
                                               leader: the number is safe */
    (void)sys_pidfd_signal(session->pidfd, SIGKILL);
}

void session_exited(struct monitor *monitor, pid_t pid, int wait_status)
{
    struct session *session = monitor->sessions;
    while (session < monitor->sessions + SESSIONS_MAX && !(session->id && session->pid == pid))
        session++;
    if (session == monitor->sessions + SESSIONS_MAX)
        return; /* an orphan that fell to us */
    struct monitor_message message = {
        .kind = MONITOR_EXEC_EXITED,
        .request_id = session->request_id,
        .exec_id = session->id,
        .pid = pid,
        .wait_status = wait_status,
        .timed_out = session->timed_out,
    };
    char name[24];
    group_name(session, name, sizeof(name));
    if (session->capture >= 0) {
        if (session->has_group)
            cgroup_sub_kill(&monitor->cgroup, name); /* a probe leaves nothing behind */
        session_captured(monitor, (unsigned)(session - monitor->sessions));
    }
    message.text_size = kept_copy(session, message.text);
    client_send(monitor, session->client, &message, -1);
    if (session->has_group)
        cgroup_sub_remove(&monitor->cgroup,
                          name); /* stays when an exec left processes; the end removes it */
    session_free(session);
    timer_arm(monitor);
}

void sessions_timeout(struct monitor *monitor)
{
    uint64_t count;
    if (read(monitor->timer, &count, sizeof(count)) < 0)
        return;
    int64_t now_us = clock_monotonic_us();
    for (unsigned i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &monitor->sessions[i];
        if (!session->id || !session->deadline_us || session->deadline_us > now_us)
            continue;
        session->timed_out = true;
        session->deadline_us = 0;
        session_kill(monitor, session);
    }
    timer_arm(monitor);
}

void sessions_hang_up(struct monitor *monitor, unsigned client)
{
    for (unsigned i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &monitor->sessions[i];
        if (!session->id || session->client != (int)client)
            continue;
        session->client = -1;
        if (session->detach)
            continue;
        if (session->tty)
            (void)sys_pidfd_signal(session->pidfd, SIGHUP);
        else
            session_kill(monitor, session);
        close_fdp(&session->master); /* with the client's copy gone this hangs the terminal up */
    }
}
