/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - finds a project's supervisor or starts one. Several commands may do so at once, and one may just be ending: whoever
 * gets an answer to "status" has one that stays. */
#include "orchestrator/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/json.h"
#include "base/proc.h"

#define CONNECT_US   (10 * INT64_C(1000000))
#define READY_MS     5000
#define AGAIN_MS     5 /* doubled each time */
#define AGAIN_CAP_MS 200

/* Its messages go to a file beside its socket; without one, nowhere. */
static int log_open(const struct layout *layout, const char *project)
{
    _cleanup_free_ char *dir = layout_run(layout, "projects/%s", project);
    _cleanup_close_ int dirfd = -1;
    struct err err = { 0 };
    if (fs_open_dir(AT_FDCWD, dir, 0700, &dirfd, &err) < 0)
        return -1;
    return openat(dirfd, "supervisor.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* Nothing before the end of the pipe: it works, or another one does. */
static int start_wait(int ready, struct err *err)
{
    char text[8192];
    struct pollfd poll_fd = { .fd = ready, .events = POLLIN };
    while (poll(&poll_fd, 1, READY_MS) < 0 && errno == EINTR)
        ;
    ssize_t size = poll_fd.revents ? read(ready, text, sizeof(text)) : 0; /* one write below PIPE_BUF */
    _cleanup_jv_ struct jv *value = NULL;
    if (size <= 0 || jv_parse(text, (size_t)size, &value, NULL) < 0)
        return 0;
    jv_to_err(value, err);
    return err->code == ERR_NONE ? 0 : -1;
}

static int supervisor_start(const struct layout *layout, const char *project, struct err *err)
{
    _cleanup_free_ char *path = NULL;
    if (proc_libexec("winch-supervisor", &path, err) < 0)
        return -1;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, "pipe");
    _cleanup_close_ int ready = ends[0], other = ends[1], log = log_open(layout, project);
    const char *root = layout_root_arg(layout);
    char *with_root[] = { path, "--root", (char *)root, (char *)project, NULL };
    char *without[] = { path, (char *)project, NULL };
    int fds[] = { -1, -1, log, other };
    struct proc_spawn spawn = { .path = path, .argv = root ? with_root : without, .fds = fds, .fd_count = ARRAY_LEN(fds) };
    if (proc_spawn_detached(&spawn, err) < 0)
        return err_wrap(err, "start the supervisor of project %s", project);
    close_fdp(&other);
    return start_wait(ready, err);
}

/* ERR_NOT_FOUND: nobody answers there. */
static int connect_once(const struct layout *layout, const char *project, struct ipc_client **ret_client, struct err *err)
{
    char name[128];
    _cleanup_(ipc_client_freep) struct ipc_client *client = NULL;
    (void)snprintf(name, sizeof(name), "projects/%s/supervisor.sock", project); /* a project's name has at most 63 bytes */
    if (ipc_connect(layout->run_fd, name, &client, err) < 0) {
        if (err->code == ERR_SYSTEM && err->sys_errno == ECONNREFUSED)
            (void)err_set(err, ERR_NOT_FOUND, "the supervisor of project %s is not running", project);
        return -1;
    }
    if (ipc_call(client, "status", NULL, NULL, 0, (int)(CONNECT_US / 1000), NULL, NULL, NULL, err) < 0) {
        if (err->code != ERR_TIMEOUT) /* it was just ending */
            (void)err_set(err, ERR_NOT_FOUND, "the supervisor of project %s is not running", project);
        return -1;
    }
    *ret_client = take_ptr(&client);
    return 0;
}

int supervisor_connect(const struct layout *layout, const char *project, bool start, struct ipc_client **ret_client,
                       struct err *caller_err)
{
    struct err own = { 0 }, *err = caller_err ? caller_err : &own; /* codes are needed here, too */
    int64_t deadline_us = clock_monotonic_us() + CONNECT_US;
    int again_ms = AGAIN_MS;
    if (!name_is_project(project))
        return err_set(err, ERR_CONFIG, "'%s' is not a project name", project);
    for (;;) {
        if (connect_once(layout, project, ret_client, err) == 0)
            return 0;
        if (err->code == ERR_BUSY && clock_monotonic_us() < deadline_us) { /* many ask at once, or it hangs */
            (void)poll(NULL, 0, AGAIN_CAP_MS);
            continue;
        }
        if (!start || err->code != ERR_NOT_FOUND)
            return -1;
        if (clock_monotonic_us() > deadline_us)
            return err_set(err, ERR_TIMEOUT, "the supervisor of project %s does not come up", project);
        if (supervisor_start(layout, project, err) < 0)
            return -1;
        if (connect_once(layout, project, ret_client, err) == 0)
            return 0;
        (void)poll(NULL, 0, again_ms); /* another one is between lock and socket, or between socket and end */
        again_ms = MIN(again_ms * 2, AGAIN_CAP_MS);
    }
}
