/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor_main.c - main of winch-supervisor [--root DIR] PROJECT: one for each project that has containers. A lock picks one
 * when several are started at once; the others leave with 0. Descriptor 3, when given, is closed once it listens, which is what
 * its starter waits for. SIGTERM ends it and leaves the containers running: they do not need it to live.
 * winch-supervisor --restore: starts those of all projects that were meant to be up, and ends; for systemd at boot. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/log.h"
#include "base/option.h"
#include "orchestrator/client.h"
#include "orchestrator/methods.h"
#include "orchestrator/restore.h"
#include "orchestrator/supervisor.h"

#define OOM_SCORE "-900"

struct options {
    const char *root;
    bool restore;
};
static const struct option_row rows[] = {
    { 0, "root", OPTION_STRING, offsetof(struct options, root), "DIR", "state below DIR" },
    { 0, "restore", OPTION_FLAG, offsetof(struct options, restore), NULL, "start those of all projects that are up" },
    { 0 },
};

static void protect_from_oom(void)
{
    _cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || fd_write_all(fd, OOM_SCORE, strlen(OOM_SCORE)) < 0)
        log_debug("cannot lower the OOM score: %s", strerror(errno));
}

static void raise_fd_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* raising the soft limit to the hard one is always allowed */
}

/* The lock file goes with the directory when a project ends, so a lock may turn out to be on a file that is gone. */
static int lock_project(const struct layout *layout, const char *project, int *ret_dirfd, int *ret_lock, struct err *err)
{
    _cleanup_free_ char *path = layout_run(layout, "projects/%s", project);
    for (int tries = 0; tries < 100; tries++) {
        _cleanup_close_ int dirfd = -1, lock = -1;
        struct stat held, named;
        if (fs_open_dir(AT_FDCWD, path, 0700, &dirfd, err) < 0)
            return -1;
        if (fs_lock(dirfd, "supervisor.lock", true, 0, &lock, err) < 0) {
            if (err->code != ERR_SYSTEM || err->sys_errno != ENOENT)
                return -1;
            continue; /* the directory went away between the two */
        }
        if (fstat(lock, &held) == 0 && fstatat(AT_FDCWD, path, &named, 0) == 0 &&
            fstatat(dirfd, "supervisor.lock", &named, 0) == 0 && named.st_ino == held.st_ino) {
            *ret_dirfd = take_fd(&dirfd);
            *ret_lock = take_fd(&lock);
            return 0;
        }
    }
    return err_set(err, ERR_BUSY, "lock of project %s", project);
}

static void on_term(int signo _unused_, void *arg)
{
    loop_stop(arg, 0);
}

static void write_pid(int dirfd)
{
    char text[32];
    struct err err = { 0 };
    int size = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (fs_replace_volatile(dirfd, "supervisor.pid", text, (size_t)size, 0600, &err) < 0)
        log_warning("%s", err.message);
}

/* Tells the starter, who waits for the end of this pipe; before the end stands why it did not come to work. */
static void tell_starter(const struct err *error)
{
    static bool told; /* afterwards the number may be another file's */
    struct stat st;
    if (told)
        return;
    told = true;
    if (fstat(CLIENT_READY_FD, &st) < 0 || !S_ISFIFO(st.st_mode))
        return;
    if (error) {
        _cleanup_jv_ struct jv *value = jv_from_err(error);
        _cleanup_free_ char *text = jv_dump(value);
        (void)fd_write_all(CLIENT_READY_FD, text, strlen(text)); /* who started us may be gone */
    }
    close(CLIENT_READY_FD);
}

static int serve(struct layout *layout, const char *project, int dirfd, struct err *err)
{
    struct loop *loop = loop_new();
    struct supervisor *sv = supervisor_new(layout, project, loop);
    (void)loop_signal(loop, SIGTERM, on_term, loop);
    (void)loop_signal(loop, SIGINT, on_term, loop);
    int rc = ipc_server_new(loop, dirfd, "supervisor.sock", supervisor_methods, sv, &sv->server, err);
    if (rc == 0) {
        write_pid(dirfd);
        rc = supervisor_load(sv, err);
    }
    if (rc == 0) {
        tell_starter(NULL);
        rc = loop_run(loop);
    }
    bool empty = sv->units.count == 0;
    supervisor_free(sv);
    loop_free(loop);
    (void)unlinkat(dirfd, "supervisor.pid", 0); /* nobody is behind it any more */
    return rc == 0 && empty ? 1 : rc;
}

/* Nothing of the project is left: neither is its directory in run/. Another starter that waits for the lock sees it. */
static void remove_traces(const struct layout *layout, const char *project, int dirfd)
{
    _cleanup_free_ char *path = layout_run(layout, "projects/%s", project);
    (void)unlinkat(dirfd, "supervisor.log", 0);
    (void)unlinkat(dirfd, "supervisor.lock", 0);
    (void)rmdir(path); /* not empty: somebody is just starting */
}

static int run_project(struct layout *layout, const char *project, struct err *err)
{
    _cleanup_close_ int dirfd = -1, lock = -1;
    if (lock_project(layout, project, &dirfd, &lock, err) < 0)
        return err->code == ERR_BUSY ? 0 : -1; /* busy: another one is there */
    int rc = serve(layout, project, dirfd, err);
    if (rc == 1) {
        remove_traces(layout, project, dirfd);
        rc = 0;
    }
    return rc;
}

static int run(int argc, char **argv, struct err *err)
{
    struct options options = { 0 };
    struct layout layout;
    int first = 0;
    if (options_parse(rows, argc, argv, false, &options, &first, err) < 0)
        return -1;
    if (options.restore ? argc != first : argc - first != 1 || !name_is_project(argv[first]))
        return err_set(err, ERR_USAGE, "usage: winch-supervisor [--root DIR] PROJECT | --restore");
    if (layout_init(&layout, options.root, err) < 0)
        return -1;
    int rc = layout_open(&layout, err);
    if (rc == 0)
        rc = options.restore ? restore_projects(&layout, err) : run_project(&layout, argv[first], err);
    layout_done(&layout);
    return rc;
}

int main(int argc, char **argv)
{
    struct err err = { 0 };
    log_set_level_from_env();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(022);
    protect_from_oom();
    raise_fd_limit();
    if (run(argc, argv, &err) == 0)
        return 0;
    if (err.code != ERR_NONE)
        log_error("winch-supervisor: %s", err.message);
    tell_starter(&err);
    return err.code == ERR_USAGE ? 2 : 1;
}
