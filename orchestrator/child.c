/* SPDX-License-Identifier: Apache-2.0 */
/* child.c - work that may take long runs in a child process: the image worker, whose output is one JSON line for each step,
 * and the copy of an image's directory into a new volume. A child ends with its last line (an error, or not) and its status. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "orchestrator/supervisor.h"

#define LINE_MAX_BYTES (64 * 1024)

struct child {
    struct supervisor *sv;
    pid_t pid; /* 0: reaped */
    int status;
    int fd;
    struct loop_source *source;
    struct str pending;
    struct err error;
    bool cancelled;
    child_line_fn *line;
    child_done_fn *done;
    void *arg;
};

static void child_finish(struct child *child)
{
    if (child->pid > 0 || child->source)
        return; /* both the end of output and the exit are needed */
    if (child->cancelled)
        (void)err_set(&child->error, ERR_CANCELLED, "cancelled");
    else if (child->status != 0 && child->error.code == ERR_NONE)
        (void)err_set(&child->error, ERR_FAILED, "helper process ended with status %d", proc_exit_code(child->status));
    child->done(child->error.code != ERR_NONE ? &child->error : NULL, child->arg);
    str_done(&child->pending);
    free(child);
}

static void child_take_line(struct child *child, const char *text, size_t size)
{
    _cleanup_jv_ struct jv *line = NULL;
    struct err err = { 0 };
    if (jv_parse(text, size, &line, &err) < 0) {
        log_debug("helper process: %s", err.message);
        return;
    }
    const struct jv *error = jv_find(line, "error");
    if (error)
        jv_to_err(error, &child->error);
    else if (child->line)
        child->line(line, child->arg);
}

static void child_readable(int fd, unsigned events _unused_, void *arg)
{
    struct child *child = arg;
    char buffer[16 * 1024];
    ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (size > 0) {
        str_add_bytes(&child->pending, buffer, (size_t)size);
        char *begin = child->pending.data, *end = begin + child->pending.size, *newline;
        for (; (newline = memchr(begin, '\n', (size_t)(end - begin))); begin = newline + 1)
            child_take_line(child, begin, (size_t)(newline - begin));
        size_t rest = (size_t)(end - begin);
        memmove(child->pending.data, begin, rest);
        child->pending.size = rest;
        if (rest > LINE_MAX_BYTES)
            str_clear(&child->pending);
        return;
    }
    loop_source_free(child->source);
    child->source = NULL;
    close_fdp(&child->fd);
    child_finish(child);
}

static void child_ended(pid_t pid _unused_, int status, void *arg)
{
    struct child *child = arg;
    child->pid = 0;
    child->status = status;
    child_finish(child);
}

static struct child *child_new(struct supervisor *sv, pid_t pid, int fd, child_line_fn *line, child_done_fn *done, void *arg)
{
    struct child *child = xcalloc(1, sizeof(*child));
    *child = (struct child){ .sv = sv, .pid = pid, .fd = fd, .line = line, .done = done, .arg = arg };
    (void)fd_set_nonblock(fd, true);
    child->source = loop_fd(sv->loop, fd, LOOP_READ, child_readable, child);
    (void)loop_child(sv->loop, pid, child_ended, child); /* frees itself */
    return child;
}

int child_image_worker(struct supervisor *sv, char *const *words, child_line_fn *line, child_done_fn *done, void *arg,
                       struct child **ret_child, struct err *err)
{
    pid_t pid = 0;
    int fd = -1;
    if (image_worker_start(sv->layout, words, -1, &pid, &fd, err) < 0)
        return -1;
    *ret_child = child_new(sv, pid, fd, line, done, arg);
    return 0;
}

/* In the forked process: nothing of the parent's loop may run here, so it leaves by _exit. */
static _Noreturn void copy_dir_run(const struct layout *layout, char *const *layers, const char *path, int dirfd, int fd)
{
    signals_default();
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);

    struct err err = { 0 };
    bool copied = false;
    if (image_copy_dir(layout, layers, path, dirfd, &copied, &err) == 0)
        _exit(0);
    _cleanup_jv_ struct jv *line = jv_object();
    jv_set(line, "error", jv_from_err(&err));
    _cleanup_free_ char *text = jv_dump(line);
    (void)fd_write_all(fd, text, strlen(text)); /* the status tells the failure, too */
    (void)fd_write_all(fd, "\n", 1);
    _exit(1);
}

int child_copy_dir(struct supervisor *sv, char *const *layers, const char *path, int dirfd_taken, child_done_fn *done, void *arg,
                   struct err *err)
{
    _cleanup_close_ int dirfd = dirfd_taken;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, "pipe");
    pid_t pid = fork();
    if (pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return err_sys(err, "fork");
    }
    if (pid == 0)
        copy_dir_run(sv->layout, layers, path, dirfd, ends[1]);
    close(ends[1]);
    (void)child_new(sv, pid, ends[0], NULL, done, arg);
    return 0;
}

void child_cancel(struct child *child)
{
    child->cancelled = true;
    if (child->pid > 0)
        (void)kill(child->pid, SIGTERM); /* not reaped yet, so the pid is its own */
}
