/* SPDX-License-Identifier: Apache-2.0 */
/* Copying a directory out of an image (first use of a volume). A child merges the layers with a
 * read-only overlay in a mount namespace of its own; it vanishes with the child. Paths of the image
 * are resolved inside of it (openat2). */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/tree_copy.h"

struct report {
    bool copied;
    struct err err;
};

/* Layers get short names on a tmpfs, because mount(2) takes only one page of options. *ret_fd: the
 * merged root. */
static int merge(const char *place, char *const *layers, int *ret_fd, struct err *err)
{
    _cleanup_str_ struct str options = {0};
    if (!layers[1]) {
        *ret_fd = open(layers[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *ret_fd < 0 ? err_sys(err, "open %s", layers[0]) : 0;
    }
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return err_sys(err, "make a mount namespace");
    if (mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700,size=1m") < 0 ||
        chdir(place) < 0 || mkdir("merged", 0700) < 0)
        return err_sys(err, "mount a tmpfs at %s", place);
    str_add(&options, "lowerdir=");
    for (size_t i = 0; layers[i]; i++) {
        char name[24];
        (void)snprintf(name, sizeof(name), "%zu", i);
        if (symlink(layers[i], name) < 0)
            return err_sys(err, "name layer %zu", i);
        str_addf(&options, "%s%s", i ? ":" : "", name);
    }
    if (mount("overlay", "merged", "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, options.data) < 0)
        return err_sys(err, "merge %zu layers", strv_len(layers));
    *ret_fd = open("merged", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd < 0 ? err_sys(err, "open the merged layers") : 0;
}

static int copy(const char *place, char *const *layers, const char *path, int dest,
                bool *ret_copied, struct err *err)
{
    _cleanup_close_ int root = -1;
    if (merge(place, layers, &root, err) < 0)
        return -1;
    _cleanup_close_ int source = fs_open_in_root(root, path, O_RDONLY | O_DIRECTORY, 0);
    if (source < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return 0;
    if (source < 0)
        return err_sys(err, "open %s in the image", path);
    if (tree_copy(source, dest, err) < 0)
        return -1;
    *ret_copied = true;
    return 0;
}

static _Noreturn void run_child(const char *place, char *const *layers, const char *path, int dest,
                                int report_fd)
{
    const struct rlimit files = {4096, 4096};
    struct report report = {0};
    (void)setrlimit(RLIMIT_NOFILE, &files); /* two for each level of depth */
    (void)umask(0);
    (void)copy(place, layers, path, dest, &report.copied, &report.err);
    (void)fd_write_all(report_fd, &report,
                       sizeof(report)); /* nobody left to tell: the exit is enough */
    _exit(0);
}

int image_copy_dir(const struct layout *layout, char *const *layers, const char *path,
                   int dest_dirfd, bool *ret_copied, struct err *err)
{
    _cleanup_free_ char *place = layout_lib(layout, "tmp");
    struct report report;
    int ends[2], status;
    if (!layers || !layers[0])
        return err_set(err, ERR_INTERNAL, "an image without layers");
    if (fs_mkdirs(AT_FDCWD, place, 0700, err) < 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, "pipe");
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        close(ends[0]);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        run_child(place, layers, path, dest_dirfd, ends[1]);
    }
    int error = errno;
    close(ends[1]);
    int got = pid < 0 ? -1 : fd_read_exact(ends[0], &report, sizeof(report));
    close(ends[0]);
    if (pid < 0)
        return err_sysno(err, error, "fork");
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (got < 0)
        return err_set(err, ERR_FAILED, "copy %s out of the image: the helper died", path);
    if (report.err.code) {
        (void)err_copy(err, &report.err);
        return err_wrap(err, "copy %s out of the image", path);
    }
    *ret_copied = report.copied;
    return 0;
}
