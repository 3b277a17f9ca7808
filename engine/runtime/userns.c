/* SPDX-License-Identifier: Apache-2.0 */
/* userns.c - a project's user namespace, pinned by a bind mount so that it needs no process; and
 * the question whether this host can show layers with shifted ids (engine/engine.h). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "engine/engine.h"
#include "engine/runtime/sys.h"
#include "engine/runtime/tree.h"

#define NSFS_MAGIC_NUMBER 0x6e736673

static int map_write(pid_t pid, const char *file, int64_t base, int64_t count, struct err *err)
{
    char path[64], text[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    int size = snprintf(text, sizeof(text), "0 %" PRId64 " %" PRId64 "\n", base, count);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, (size_t)size) != size)
        return err_sys(err, "write %s", file);
    return 0;
}

/* A new namespace, held by nothing but the descriptor. */
static int userns_new(int64_t base, int64_t count, int *ret_fd, struct err *err)
{
    int pair[2];
    char path[64];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return err_sys(err, "pipe");
    _cleanup_close_ int wait_end = pair[0], go_end = pair[1];
    pid_t pid = sys_clone3(CLONE_NEWUSER, -1, NULL);
    if (pid == 0) {
        char c;
        close(go_end);
        (void)!read(wait_end, &c, 1); /* until the parent is done, or dead */
        _exit(0);
    }
    if (pid < 0) {
        bool missing = errno == EINVAL || errno == ENOSPC || errno == EPERM;
        err_sys(err, "make a user namespace");
        if (missing && err)
            err->code = ERR_UNSUPPORTED;
        return -1;
    }
    int result = map_write(pid, "uid_map", base, count, err) < 0 ||
                         map_write(pid, "gid_map", base, count, err) < 0
                     ? -1
                     : 0;
    snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
    int fd = result < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (result == 0 && fd < 0)
        result = err_sys(err, "open %s", path);
    close_fdp(&go_end);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (result == 0)
        *ret_fd = fd;
    return result;
}

static bool map_is(pid_t pid, const char *file, int64_t base, int64_t count)
{
    char path[64], text[256];
    long long inside, outside, size;
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[got > 0 ? got : 0] = '\0';
    const char *end = strchr(text, '\n');
    return end && end[1] == '\0' && sscanf(text, "%lld %lld %lld", &inside, &outside, &size) == 3 &&
           inside == 0 && outside == base && size == count;
}

/* Only a process inside shows what a namespace maps. */
static bool maps_are(int userns_fd, int64_t base, int64_t count)
{
    int pair[2];
    char c;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return false;
    _cleanup_close_ int ours = pair[0], theirs = pair[1];
    pid_t pid = sys_clone3(0, -1, NULL);
    if (pid == 0) {
        close(ours);
        if (setns(userns_fd, CLONE_NEWUSER) == 0 && write(theirs, "", 1) == 1)
            (void)!read(theirs, &c, 1); /* until the parent is done, or dead */
        _exit(0);
    }
    close_fdp(&theirs);
    bool result = pid > 0 && read(ours, &c, 1) == 1 && map_is(pid, "uid_map", base, count) &&
                  map_is(pid, "gid_map", base, count);
    close_fdp(&ours);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return result;
}

/* A pinned namespace with this range. */
static bool is_pinned(const char *path, int64_t base, int64_t count)
{
    struct statfs fs;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC_NUMBER &&
           ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWUSER && maps_are(fd, base, count);
}

/* Binds /proc/self/fd/N on path. Magic links of namespaces can be cloned by open_tree like any
 * file. */
static int userns_pin(int fd, const char *path, struct err *err)
{
    _cleanup_close_ int target = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    _cleanup_close_ int tree = target < 0 ? -1 : tree_clone(fd, "", false);
    if (tree < 0 || move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return err_sys(err, "pin the user namespace on %s", path);
    return 0;
}

int userns_ensure(const struct layout *layout, const char *project, int64_t id_base,
                  int64_t id_count, char **ret_path, struct err *err)
{
    _cleanup_free_ char *directory = layout_run(layout, "projects/%s", project);
    _cleanup_free_ char *path = layout_run(layout, "projects/%s/userns", project);
    if (!is_pinned(path, id_base, id_count)) {
        _cleanup_close_ int fd = -1;
        /* one with another range stays alive as long as containers are in it */
        if (userns_release(layout, project, err) < 0 ||
            fs_mkdirs(AT_FDCWD, directory, 0700, err) < 0 ||
            userns_new(id_base, id_count, &fd, err) < 0 || userns_pin(fd, path, err) < 0)
            return err_wrap(err, "user namespace of project '%s'", project);
    }
    *ret_path = take_ptr(&path);
    return 0;
}

int userns_release(const struct layout *layout, const char *project, struct err *err)
{
    _cleanup_free_ char *path = layout_run(layout, "projects/%s/userns", project);
    while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        ; /* pinned twice by two starters at once: both go */
    if (errno != EINVAL && errno != ENOENT)
        return err_sys(err, "unpin %s", path);
    if (unlink(path) < 0 && errno != ENOENT)
        return err_sys(err, "remove %s", path);
    return 0;
}

static int probe(const struct layout *layout, struct err *err)
{
    _cleanup_close_ int userns = -1, dir = -1;
    if (userns_new(100000, 65536, &userns, err) < 0)
        return -1;
    dir = openat(layout->lib_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_sys(err, "open %s", layout->lib);
    _cleanup_close_ int tree = tree_clone_mapped(dir, "", userns);
    if (tree < 0)
        return err_sys(err, "id-mapped mount of %s", layout->lib);
    return 0;
}

bool userns_usable(const struct layout *layout, char *ret_reason, size_t size)
{
    static int answer = -1; /* a fact about the kernel and one directory, asked once a process */
    static struct err reason;
    if (answer < 0)
        answer = probe(layout, &reason) == 0;
    if (size)
        snprintf(ret_reason, size, "%s", answer ? "" : reason.message);
    return answer;
}
