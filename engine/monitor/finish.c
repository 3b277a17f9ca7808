/* SPDX-License-Identifier: Apache-2.0 */
/* finish.c - the end of a container, in an order that loses nothing: output, status file, notices,
 * then clean-up. libc only. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "engine/monitor/monitor.h"
#include "engine/monitor/pidfd_exit.h"

#define SINK_END_MS  2000 /* how long an ended container waits for a slow log peer */
#define DRAIN_ROUNDS 64 /* times relay's own bound: more than any pipe holds */

static void output_drain(struct monitor *monitor)
{
    for (unsigned i = 0; i < ARRAY_LEN(monitor->relays); i++) {
        monitor->relays[i].ready = true;
        for (int round = 0; monitor->relays[i].ready && round < DRAIN_ROUNDS; round++)
            (void)relay_pump(&monitor->relays[i], &monitor->spool, &monitor->log, true);
    }
    spool_done(&monitor->spool, monitor->run_dir);
    sink_finish(&monitor->sink, SINK_END_MS);
}

/* With a pid namespace of its own the kernel has killed the rest; else we do, and wait for our own
 * children. */
static void members_end(struct monitor *monitor)
{
    if (monitor->spec.cgroup_path && (monitor->spec.pid.mode != NS_PRIVATE || monitor->paused))
        (void)cgroup_signal(&monitor->cgroup, SIGKILL,
                            NULL); /* the removal of the group will show whether it worked */
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        session_exited(monitor, pid, status);
}

static bool supervisor_lives(const struct monitor *monitor)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        if (monitor->clients[i].fd >= 0 && monitor->clients[i].is_supervisor)
            return true;
    const char *path = monitor->spec.supervisor_socket, *slash = path ? strrchr(path, '/') : NULL;
    if (!slash)
        return true; /* nobody to tell */
    char directory[4096];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
    _cleanup_close_ int dirfd = -1, sock = -1;
    dirfd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0)
        return false;
    if (snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dirfd,
                 slash + 1) >= (int)sizeof(address.sun_path))
        return false;
    sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return sock >= 0 && connect(sock, (struct sockaddr *)&address, sizeof(address)) == 0;
}

static void supervisor_wake(const struct monitor *monitor)
{
    struct err err = {0};
    if (monitor->spec.wake_argv.count == 0 || supervisor_lives(monitor))
        return;
    const int fds[3] = {-1, -1, -1};
    const struct proc_spawn spawn = {
        .path = monitor->spec.wake_argv.items[0],
        .argv = (char *const *)monitor->spec.wake_argv.items,
        .fds = fds,
        .fd_count = 3,
    };
    if (proc_spawn_detached(&spawn, &err) < 0)
        log_error("container=%.12s cannot start a supervisor: %s", monitor->spec.id, err.message);
}

void monitor_finish(struct monitor *monitor)
{
    monitor->finished_ns = clock_wall_ns();
    if (monitor->adopted)
        monitor->wait_status =
            foreign_exit_status(monitor->pid, monitor->start_time, monitor->pidfd);
    members_end(monitor);
    output_drain(monitor);
    if (monitor->spec.cgroup_path)
        monitor->oom_told = cgroup_oom_kills(&monitor->cgroup) > 0;
    monitor_status_write(monitor, "exited", NULL);
    struct monitor_message message = {
        .kind = MONITOR_EXITED,
        .pid = monitor->pid,
        .wait_status = monitor->wait_status,
        .oom = monitor->oom_told,
        .started_ns = monitor->started_ns,
        .finished_ns = monitor->finished_ns,
    };
    clients_tell(monitor, &message);
    struct err err = {0};
    if (monitor->spec.cgroup_path && cgroup_remove(&monitor->cgroup, &err) < 0)
        log_warning("container=%.12s %s", monitor->spec.id, err.message);
    (void)unlinkat(monitor->run_dir, "monitor.sock", 0); /* may be gone with its directory */
    supervisor_wake(monitor);
}
