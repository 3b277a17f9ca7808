/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - a container's life as its supervisor sees it: making its directories, starting
 * winch-monitor, talking to it (engine/engine.h). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "engine/container/quota.h"
#include "engine/engine.h"

static const char *const fifo_names[2] = {"out", "err"};

static int fifo_make(int dirfd, const char *name, struct err *err)
{
    struct stat st;
    if (mkfifoat(dirfd, name, 0600) == 0)
        return 0;
    if (errno != EEXIST || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(err, "make output pipe '%s'", name);
    if (!S_ISFIFO(st.st_mode))
        return err_set(err, ERR_CORRUPT, "'%s' is in the way of an output pipe", name);
    return 0;
}

static int dir_make(int dirfd, const char *name, mode_t mode, struct err *err)
{
    if (mkdirat(dirfd, name, mode) == 0) /* exact: umask may have taken bits */
        return fchmodat(dirfd, name, mode, 0) < 0 ? err_sys(err, "set mode of '%s'", name) : 0;
    return errno == EEXIST ? 0 : err_sys(err, "make '%s'", name);
}

int container_prepare(const struct layout *layout, const struct container_spec *spec,
                      struct err *err)
{
    _cleanup_close_ int state = -1, run = -1;
    (void)layout; /* both directories are named by the spec */
    if (fs_open_dir(AT_FDCWD, spec->state_dir, 0711, &state, err) < 0 ||
        fs_open_dir(AT_FDCWD, spec->run_dir, 0711, &run, err) < 0)
        return -1;
    if (dir_make(state, "upper", 0755, err) < 0 || dir_make(state, "work", 0700, err) < 0 ||
        dir_make(state, "log", 0700, err) < 0)
        return err_wrap(err, "container %.12s", spec->id);
    if (spec->storage_bytes && quota_set(state, spec->id, spec->storage_bytes, err) < 0)
        return -1;
    if (dir_make(run, "root", 0711, err) < 0)
        return err_wrap(err, "container %.12s", spec->id);
    for (size_t i = 0; i < ARRAY_LEN(fifo_names); i++)
        if (fifo_make(run, fifo_names[i], err) < 0)
            return err_wrap(err, "container %.12s", spec->id);
    return 0;
}

int container_output_keep(const struct layout *layout, const char *id, int ret_fds[2],
                          struct err *err)
{
    int fds[2] = {-1, -1};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        char name[128];
        struct stat st;
        snprintf(name, sizeof(name), "containers/%s/%s", id, fifo_names[i]);
        fds[i] =
            openat(layout->run_fd, name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
        if (fds[i] < 0 || fstat(fds[i], &st) < 0 || !S_ISFIFO(st.st_mode)) {
            err_sys(err, "keep output pipe '%s' of container %.12s", fifo_names[i], id);
            close_fdp(&fds[0]);
            close_fdp(&fds[1]);
            return -1;
        }
    }
    ret_fds[0] = fds[0];
    ret_fds[1] = fds[1];
    return 0;
}

/* What a monitor, and the supervisor that it may have to start, need of the environment. All of it can
 * be seen for a moment by a container that may trace its processes, so it is not the caller's. */
static bool variable_is_passed(const char *entry)
{
    static const char *const names[] = {
        "PATH=",       "HOME=",       "TMPDIR=",   "TZ=",         "LANG=",      "LC_ALL=",
        "http_proxy=", "HTTP_PROXY=", "no_proxy=", "https_proxy=", "HTTPS_PROXY=", "NO_PROXY=",
        "DOCKER_CONFIG=", "WINCH_ROOT=", "WINCH_CONFIG=", "WINCH_LIBEXEC=", "WINCH_LOG=",
        "XDG_", "ASAN_", "UBSAN_", "LSAN_",
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_has_prefix(entry, names[i]))
            return true;
    return false;
}

/* libexec NULL: where it is told or found. Owned: the array and its first entry with libexec. */
static char **monitor_environment(const char *libexec)
{
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **envp = xcalloc(count + 2, sizeof(*envp));
    if (libexec)
        envp[kept++] = xasprintf("WINCH_LIBEXEC=%s", libexec); /* the first of a name counts */
    for (size_t i = 0; i < count; i++)
        if (variable_is_passed(environ[i]))
            envp[kept++] = environ[i];
    return envp;
}

/* Where a container's root is the host's, a process inside could open a starting process's file by
 * /proc/PID/exe and write to it once nobody executes it. The monitor of such a container therefore
 * runs from a read-only copy of its directory's mount, which lasts as long as it is in use. */
struct readonly_place {
    int dir;
    char *path, **envp; /* where it looks for other helpers */
};

static void readonly_place_done(struct readonly_place *place)
{
    close_fdp(&place->dir);
    free(place->path);
    if (place->envp)
        free(place->envp[0]);
    free(place->envp);
}

static int readonly_place(const char *path, struct readonly_place *ret_place, struct err *err)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE};
    _cleanup_free_ char *directory = xstrndup(path, (size_t)(strrchr(path, '/') - path));
    ret_place->dir = open_tree(AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (ret_place->dir < 0 ||
        mount_setattr(ret_place->dir, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
        return err_sys(err, "show %s read-only", directory);
    ret_place->path =
        xasprintf("/proc/%d/fd/%d%s", (int)getpid(), ret_place->dir, strrchr(path, '/'));
    ret_place->envp = monitor_environment(directory);
    return 0;
}

/* more: descriptors after the two of every monitor. */
static int monitor_spawn(const struct container_spec *spec, const char *option, const int *more, size_t more_count,
                         int *ret_control, pid_t *ret_pid, struct err *err)
{
    _cleanup_free_ char *path = NULL, **plain = NULL;
    _cleanup_free_ void *data = NULL;
    _cleanup_close_ int memfd = -1, ours = -1, theirs = -1;
    _cleanup_(readonly_place_done) struct readonly_place place = {.dir = -1};
    size_t size;
    int pair[2];
    if (proc_libexec("winch-monitor", &path, err) < 0 ||
        (!spec->userns && readonly_place(path, &place, err) < 0) ||
        container_spec_pack(spec, &data, &size, err) < 0 ||
        fd_memfd("winch-spec", data, size, &memfd, err) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_sys(err, "socketpair");
    ours = pair[0];
    theirs = pair[1];
    const char *argv[4] = {"winch-monitor", option ? option : spec->id, option ? spec->id : NULL,
                           NULL};
    int fds[] = {-1, STDERR_FILENO, STDERR_FILENO, memfd, theirs, -1, -1, -1};
    memcpy(fds + MONITOR_FD_CLIENT + 1, more, more_count * sizeof(*more));
    const struct proc_spawn spawn = {
        .path = place.path ? place.path : path,
        .argv = (char *const *)argv,
        .envp = place.envp ? place.envp : (plain = monitor_environment(NULL)),
        .fds = fds,
        .fd_count = MONITOR_FD_CLIENT + 1 + more_count,
        .new_session = true,
    };
    if (proc_spawn(&spawn, ret_pid, err) < 0)
        return -1;
    *ret_control = take_fd(&ours);
    return 0;
}

int container_start(const struct layout *layout, const struct container_spec *spec, const int *direct,
                    int *ret_control, pid_t *ret_monitor_pid, struct err *err)
{
    (void)layout;
    return monitor_spawn(spec, direct ? "--direct" : NULL, direct ? direct : (const int[1]){-1}, direct ? 3 : 0, ret_control,
                         ret_monitor_pid, err);
}

int container_adopt(const struct layout *layout, const struct container_spec *spec, int tty,
                    int *ret_control, pid_t *ret_monitor_pid, struct err *err)
{
    (void)layout;
    return monitor_spawn(spec, tty >= 0 ? "--adopt-tty" : "--adopt", &tty, tty >= 0 ? 1 : 0, ret_control,
                         ret_monitor_pid, err);
}

int monitor_connect(const struct layout *layout, const char *id, int *ret_control, struct err *err)
{
    char name[128];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(name, sizeof(name), "containers/%s", id);
    _cleanup_close_ int dir =
        openat(layout->run_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "container %.12s is not running", id);
    if (dir < 0)
        return err_sys(err, "open run directory of container %.12s", id);
    _cleanup_close_ int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/monitor.sock",
             dir); /* any path length */
    if (sock < 0)
        return err_sys(err, "socket");
    if (connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return err_set(err, ERR_NOT_FOUND, "container %.12s is not running", id);
        return err_sys(err, "connect to the monitor of container %.12s", id);
    }
    *ret_control = take_fd(&sock);
    return 0;
}

int monitor_send(int control, struct monitor_message *message, const int *fds, size_t fd_count,
                 struct err *err)
{
    message->magic = MONITOR_MAGIC;
    message->version = MONITOR_PROTOCOL_VERSION;
    if (fd_send(control, message, sizeof(*message), fds, fd_count) < 0)
        return errno == EPIPE || errno == ECONNRESET
                   ? err_set(err, ERR_NOT_FOUND, "the container's monitor is gone")
                   : err_sys(err, "send to the container's monitor");
    return 0;
}

int monitor_receive(int control, int timeout_ms, struct monitor_message *ret_message, int *ret_fds,
                    size_t fd_max, size_t *ret_fd_count, struct err *err)
{
    struct pollfd ready = {.fd = control, .events = POLLIN};
    int count;
    do
        count = poll(&ready, 1, timeout_ms);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return err_sys(err, "wait for the container's monitor");
    if (count == 0)
        return err_set(err, ERR_TIMEOUT, "the container's monitor does not answer");
    ssize_t size =
        fd_recv(control, ret_message, sizeof(*ret_message), ret_fds, fd_max, ret_fd_count);
    if (size == 0 || (size < 0 && errno == ECONNRESET))
        return err_set(err, ERR_NOT_FOUND, "the container's monitor is gone");
    if (size < 0)
        return err_sys(err, "receive from the container's monitor");
    if (size != (ssize_t)sizeof(*ret_message) || ret_message->magic != MONITOR_MAGIC)
        return err_set(err, ERR_PROTOCOL, "the container's monitor sent something unknown");
    return 0;
}
