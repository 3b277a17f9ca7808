/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the worker winch-image: a process of its own, because only it links the libraries that
 * touch foreign bytes. It speaks JSON lines on its standard output. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/engine.h"

static int worker_start(const struct layout *layout, char *const *words, int stdin_fd, int data_fd,
                        pid_t *ret_pid, int *ret_progress_fd, struct err *err)
{
    _cleanup_free_ char *path = NULL;
    _cleanup_(strv_freep) char **argv = NULL;
    _cleanup_close_ int read_end = -1;
    _cleanup_close_ int write_end = -1;
    int ends[2];
    if (proc_libexec("winch-image", &path, err) < 0)
        return -1;
    argv = strv_add(argv, "winch-image");
    if (layout_root_arg(layout)) {
        argv = strv_add(argv, "--root");
        argv = strv_add(argv, layout_root_arg(layout));
    }
    for (size_t i = 0; words[i]; i++)
        argv = strv_add(argv, words[i]);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, "pipe for the image worker");
    read_end = ends[0];
    write_end = ends[1];
    const int fds[] = {stdin_fd, write_end, STDERR_FILENO, data_fd};
    _Static_assert(ARRAY_LEN(fds) == COPY_DATA_FD + 1, "the archive comes last");
    struct proc_spawn spawn = {
        .path = path, .argv = argv, .fds = fds, .fd_count = data_fd >= 0 ? ARRAY_LEN(fds) : COPY_DATA_FD};
    if (proc_spawn(&spawn, ret_pid, err) < 0)
        return err_wrap(err, "start the image worker");
    *ret_progress_fd = take_fd(&read_end);
    return 0;
}

int image_worker_start(const struct layout *layout, char *const *words, int stdin_fd,
                       pid_t *ret_pid, int *ret_progress_fd, struct err *err)
{
    return worker_start(layout, words, stdin_fd, -1, ret_pid, ret_progress_fd, err);
}

int copy_worker_start(const struct layout *layout, char *const *words, int data_fd, pid_t *ret_pid,
                      int *ret_progress_fd, struct err *err)
{
    return worker_start(layout, words, -1, data_fd, ret_pid, ret_progress_fd, err);
}
