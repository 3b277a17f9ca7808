/* SPDX-License-Identifier: Apache-2.0 */
/* launch.c - from specification to running container, and taking over one whose monitor died. What
 * was made before a failure is removed again; FIFOs stay, the supervisor keeps them too. libc only.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "engine/container/status.h"
#include "engine/monitor/monitor.h"
#include "engine/monitor/pidfd_exit.h"
#include "engine/runtime/start.h"
#include "engine/runtime/sys.h"

#define LOCK_TRIES    2000
#define LOCK_PAUSE_NS 1000000
#define PIPE_BYTES    (1024 * 1024)

static const char *const fifo_names[2] = {"out", "err"};

/* One monitor a container: an older one may still be cleaning up for a moment. */
static int lock_take(struct monitor *monitor, struct err *err)
{
    monitor->lock =
        openat(monitor->run_dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (monitor->lock < 0)
        return err_sys(err, "open lock");
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(monitor->lock, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return err_sys(err, "lock");
        nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_NS}, NULL);
    }
    return err_set(err, ERR_BUSY, "container %s has a monitor already", monitor->spec.id);
}

static int fifo_open(struct monitor *monitor, int index, int flags, struct err *err)
{
    struct stat st;
    _cleanup_close_ int fd =
        openat(monitor->run_dir, fifo_names[index], flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, "open output pipe '%s'", fifo_names[index]);
    if (!S_ISFIFO(st.st_mode))
        return err_set(err, ERR_CORRUPT, "'%s' in %s is not a pipe", fifo_names[index],
                       monitor->spec.run_dir);
    return take_fd(&fd);
}

static int fifos_relay(struct monitor *monitor, struct err *err)
{
    for (int i = 0; i < 2; i++) {
        int fd = fifo_open(monitor, i, O_RDWR | O_NONBLOCK, err);
        if (fd < 0)
            return -1;
        relay_init(&monitor->relays[i], fd, false, i == 1, &monitor->sink);
        (void)fcntl(fd, F_SETPIPE_SZ,
                    PIPE_BYTES); /* refused beyond the user's share: smaller works */
        if (monitor_watch(monitor, fd, RELAY_EVENTS, SOURCE_RELAY, (unsigned)i) < 0)
            return err_sys(err, "watch output pipe '%s'", fifo_names[i]);
    }
    return 0;
}

/* The spool, with a keeper's pipes; what an earlier run left in either belongs before this one's lines. */
static int output_open(struct monitor *monitor, bool adopt, struct err *err)
{
    bool pipes = monitor->spec.log.driver != LOG_DRIVER_NONE;
    if (logfile_open(&monitor->log, &monitor->spec, err) < 0 ||
        sink_open(&monitor->sink, &monitor->spec.log, err) < 0)
        return -1;
    if (monitor->spec.log.compress && monitor->log.dirfd >= 0) {
        monitor->log.rotated = true; /* what an earlier run left */
        if (proc_libexec("winch-logpack", &monitor->packer_path, err) < 0)
            return -1;
    }
    if ((pipes || monitor->spec.process.tty) &&
        spool_open(&monitor->spool, monitor->run_dir, err) < 0)
        return -1;
    if (!pipes)
        return 0;
    if (fifos_relay(monitor, err) < 0)
        return -1;
    for (int i = 0; !adopt && i < 2; i++)
        (void)relay_pump(&monitor->relays[i], &monitor->spool, &monitor->log, true);
    return 0;
}

static int null_device_open(struct err *err)
{
    struct stat st;
    _cleanup_close_ int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, "open /dev/null");
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
        return err_set(err, ERR_SYSTEM, "/dev/null of this host is not the null device");
    return take_fd(&fd);
}

/* Descriptors 0-2 of the container, without a tty. */
static int stdio_open(struct monitor *monitor, int ret_fds[3], struct err *err)
{
    if (monitor->direct) { /* closed with the others once the process has them */
        for (int i = 0; i < 3; i++)
            ret_fds[i] = MONITOR_FD_DIRECT + i;
        return 0;
    }
    if (monitor->spec.stdin_open) {
        int pair[2];
        if (pipe2(pair, O_CLOEXEC) < 0)
            return err_sys(err, "make a pipe");
        ret_fds[0] = pair[0];
        monitor->stdin_write = pair[1];
    } else if ((ret_fds[0] = null_device_open(err)) < 0) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        bool none = monitor->spec.log.driver == LOG_DRIVER_NONE;
        ret_fds[i + 1] = none ? null_device_open(err) : fifo_open(monitor, i, O_WRONLY, err);
        if (ret_fds[i + 1] < 0)
            return -1;
    }
    return 0;
}

static int process_launch(struct monitor *monitor, struct started *ret_started, struct err *err)
{
    _cleanup_close_ int in = -1, out = -1, error = -1, init = -1;
    int stdio[3] = {-1, -1, -1};
    int result = monitor->spec.process.tty ? 0 : stdio_open(monitor, stdio, err);
    in = stdio[0];
    out = stdio[1];
    error = stdio[2];
    if (result < 0 || (monitor->spec.init && start_init_open(&init, err) < 0))
        return -1;
    const struct start start = {
        .spec = &monitor->spec,
        .process = &monitor->spec.process,
        .cgroup = monitor->spec.cgroup_path ? &monitor->cgroup : NULL,
        .filter = &monitor->filter,
        .stdio = {in, out, error},
        .init_fd = init,
        .target = -1,
        .cgroup_fd = monitor->cgroup.unified_fd,
        .foreign_stdio = monitor->direct,
    };
    if (start_process(&start, ret_started, err) < 0)
        return -1;
    monitor->pid = ret_started->pid;
    monitor->pidfd = ret_started->pidfd;
    monitor->tty = ret_started->sync.master;
    return 0;
}

int monitor_take_tty(struct monitor *monitor, struct err *err)
{
    int copy = fcntl(monitor->tty, F_DUPFD_CLOEXEC, 3);
    relay_done(&monitor->relays[0]);
    if (copy < 0)
        return err_sys(err, "watch the terminal");
    relay_init(&monitor->relays[0], copy, true, false, &monitor->sink);
    /* edge-triggered: with nobody inside who has it open, a terminal says so all the time */
    if (monitor_watch(monitor, copy, EPOLLIN | EPOLLET, SOURCE_RELAY, 0) < 0)
        return err_sys(err, "watch the terminal");
    return 0;
}

static int tty_relay(struct monitor *monitor, struct err *err)
{
    if (monitor->tty < 0)
        return 0;
    char word = 0;
    if (monitor->direct && fd_send(MONITOR_FD_DIRECT, &word, 1, &monitor->tty, 1) == 1 &&
        monitor_watch(monitor, MONITOR_FD_DIRECT, EPOLLIN, SOURCE_READER, 0) == 0)
        return 0;
    return monitor_take_tty(monitor, err); /* he is gone already */
}

static void launch_undo(struct monitor *monitor)
{
    if (monitor->pidfd >= 0)
        (void)sys_pidfd_signal(monitor->pidfd, SIGKILL);
    if (monitor->spec.cgroup_path) {
        (void)cgroup_signal(&monitor->cgroup, SIGKILL, NULL);
        (void)cgroup_remove(&monitor->cgroup, NULL); /* container_sweep tries again */
    }
}

int monitor_launch(struct monitor *monitor, struct started *ret_started, struct err *err)
{
    if (lock_take(monitor, err) < 0 || filter_load(&monitor->spec, &monitor->filter, err) < 0 ||
        output_open(monitor, false, err) < 0)
        return -1;
    if (monitor->spec.cgroup_path && cgroup_make(&monitor->spec, &monitor->cgroup, err) < 0)
        return -1;
    if (process_launch(monitor, ret_started, err) < 0 || tty_relay(monitor, err) < 0) {
        launch_undo(monitor);
        return -1;
    }
    monitor->started_ns = clock_wall_ns();
    monitor->start_time = proc_start_time(monitor->pid);
    monitor->wait_status = -1;
    monitor_status_write(monitor, "running", NULL);
    if (monitor_listen(monitor, err) < 0) {
        launch_undo(monitor);
        return -1;
    }
    return 0;
}

int monitor_adopt(struct monitor *monitor, struct err *err)
{
    struct container_status status;
    _cleanup_free_ char *text = NULL;
    char boot[37], now[37];
    if (lock_take(monitor, err) < 0)
        return -1;
    if (fs_read(monitor->run_dir, "status", 64 * 1024, &text, NULL, err) < 0 ||
        container_status_parse(text, &status, boot, err) < 0)
        return err_wrap(err, "adopt container %s", monitor->spec.id);
    proc_boot_id(now);
    if (!str_eq(boot, now) || status.pid <= 0 ||
        (status.state != STATE_RUNNING && status.state != STATE_PAUSED))
        return err_set(err, ERR_NOT_FOUND, "container %s is not running", monitor->spec.id);
    monitor->adopted = true;
    monitor->pid = status.pid;
    monitor->start_time = status.start_time;
    monitor->started_ns = status.started_ns;
    monitor->paused = status.state == STATE_PAUSED;
    monitor->wait_status = -1;
    if (output_open(monitor, true, err) < 0 ||
        filter_load(&monitor->spec, &monitor->filter, err) < 0)
        return -1;
    if (tty_relay(monitor, err) < 0)
        return -1;
    if (monitor->spec.cgroup_path && cgroup_find(&monitor->spec, &monitor->cgroup, err) < 0)
        return -1;
    /* the descriptor first, then the proof that it is the same process */
    monitor->log.lost_total = monitor->lost_shown = status.log_lost;
    monitor->pidfd = sys_pidfd_open(monitor->pid);
    if (monitor->pidfd < 0 || !proc_is(monitor->pid, monitor->start_time)) {
        close_fdp(&monitor->pidfd);
        monitor->exited = true; /* it ended unseen: what it wrote is still in the pipes */
    } else if (monitor_watch(monitor, monitor->pidfd, EPOLLIN, SOURCE_FIRST, 0) < 0) {
        return err_sys(err, "watch the first process");
    }
    monitor_status_write(monitor, monitor->paused ? "paused" : "running", NULL);
    return monitor_listen(monitor, err);
}
