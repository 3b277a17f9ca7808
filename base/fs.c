/* SPDX-License-Identifier: Apache-2.0 */
/* fs.c - replacing, reading, listing, creating and locking files relative to directory descriptors. Removal
 * of trees is in fs_tree.c, lookups inside a container's root in fs_root.c. */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs_parent.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#define LOCK_RETRY_NS 20000000L /* flock(2) has no timed form */

int fs_open_parent(int dirfd, const char *path, const char **ret_base)
{
    const char *base = path_base(path);
    if (!path_is_name(base)) {
        errno = EINVAL;
        return -1;
    }
    _cleanup_free_ char *parent = base == path ? xstrdup(".") : xstrndup(path, (size_t)(base - path));
    int fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        *ret_base = base;
    return fd;
}

/* As err_sys; a missing file becomes ERR_NOT_FOUND, with the errno kept. */
static int missing_or_sys(struct err *err, const char *what, const char *name)
{
    int saved = errno;
    err_sys(err, "%s %s", what, name);
    if (err && saved == ENOENT)
        err->code = ERR_NOT_FOUND;
    return -1;
}

static int write_temporary(int dirfd, const char *temporary, const void *data, size_t size, mode_t mode,
                           bool durable)
{
    _cleanup_close_ int fd =
        openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (fd_write_all(fd, data, size) < 0 || fchmod(fd, mode) < 0)
        return -1;
    return durable ? fsync(fd) : 0;
}

static int replace(int dirfd, const char *name, const void *data, size_t size, mode_t mode, bool durable,
                   struct err *err)
{
    const char *base;
    char id[ID_SIZE], temporary[32];
    _cleanup_close_ int parent = fs_open_parent(dirfd, name, &base);
    if (parent < 0)
        return err_sys(err, "open directory of %s", name);

    id_random(id);
    snprintf(temporary, sizeof(temporary), ".new-%.16s", id);
    if (write_temporary(parent, temporary, data, size, mode, durable) < 0) {
        err_sys(err, "write %s", name);
        (void)unlinkat(parent, temporary, 0); /* may not have been created */
        return -1;
    }
    if (renameat(parent, temporary, parent, base) < 0) {
        err_sys(err, "rename to %s", name);
        (void)unlinkat(parent, temporary, 0);
        return -1;
    }
    if (durable && fsync(parent) < 0)
        return err_sys(err, "sync directory of %s", name);
    return 0;
}

int fs_replace(int dirfd, const char *name, const void *data, size_t size, mode_t mode, struct err *err)
{
    return replace(dirfd, name, data, size, mode, true, err);
}

int fs_replace_volatile(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                        struct err *err)
{
    return replace(dirfd, name, data, size, mode, false, err);
}

int fs_read(int dirfd, const char *name, size_t max_bytes, char **ret_data, size_t *ret_size,
            struct err *err)
{
    struct stat st;
    /* O_NONBLOCK: a FIFO put in place of the file must not hold us */
    _cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return missing_or_sys(err, "open", name);
    if (fstat(fd, &st) < 0)
        return err_sys(err, "stat %s", name);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_CORRUPT, "%s is not a regular file", name);
    if (fd_read_all(fd, max_bytes, ret_data, ret_size, err) < 0)
        return err_wrap(err, "%s", name);
    return 0;
}

/* Bytes of the longest leading part of path that exists. From the end, because mostly all of it does, and asking is
 * cheaper than mkdir, which locks the parent first. */
static size_t existing_prefix(int dirfd, char *path)
{
    for (size_t size = strlen(path); size > 0;) {
        char kept = path[size];
        path[size] = '\0';
        bool exists = faccessat(dirfd, path, F_OK, 0) == 0;
        path[size] = kept;
        if (exists)
            return size;
        while (size > 0 && path[size - 1] != '/')
            size--;
        while (size > 0 && path[size - 1] == '/')
            size--;
    }
    return 0;
}

int fs_mkdirs(int dirfd, const char *path, mode_t mode, struct err *err)
{
    struct stat st;
    _cleanup_free_ char *prefix = path_clean(path);
    for (char *end = prefix + existing_prefix(dirfd, prefix); *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char kept = *end;
        *end = '\0';
        if (mkdirat(dirfd, prefix, mode) == 0) {
            if (fchmodat(dirfd, prefix, mode, 0) < 0) /* the umask may have taken bits */
                return err_sys(err, "set mode of %s", prefix);
        } else if (errno != EEXIST && (errno != EROFS || faccessat(dirfd, prefix, F_OK, 0) < 0)) {
            return err_sys(err, "create directory %s", prefix);
        }
        *end = kept;
    }
    if (fstatat(dirfd, prefix, &st, 0) < 0)
        return err_sys(err, "create directory %s", path);
    if (!S_ISDIR(st.st_mode))
        return err_sysno(err, ENOTDIR, "create directory %s", path);
    return 0;
}

int fs_open_dir(int dirfd, const char *path, mode_t mode_if_new, int *ret_fd, struct err *err)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        if (fs_mkdirs(dirfd, path, mode_if_new, err) < 0)
            return -1;
        fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0)
        return err_sys(err, "open directory %s", path);
    *ret_fd = fd;
    return 0;
}

int fs_sync_dir(int dirfd, struct err *err)
{
    /* dirfd may be O_PATH, which cannot be synced itself */
    _cleanup_close_ int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_sys(err, "sync directory");
    return 0;
}

bool fs_exists(int dirfd, const char *name)
{
    struct stat st;
    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void close_dirp(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_freep(char ***names)
{
    fs_names_free(*names);
}

int fs_list(int dirfd, const char *path, size_t max, char ***ret_names, size_t *ret_count, struct err *err)
{
    _cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return missing_or_sys(err, "open directory", path);
    _cleanup_(close_dirp) DIR *dir = fdopendir(fd);
    if (!dir)
        return err_sys(err, "read directory %s", path);
    (void)take_fd(&fd); /* belongs to dir now */

    _cleanup_(names_freep) char **names = xcalloc(16, sizeof(*names));
    size_t count = 0, capacity = 16;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry && errno != 0)
            return err_sys(err, "read directory %s", path);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count == max)
            return err_set(err, ERR_LIMIT, "directory %s has more than %zu entries", path, max);
        if (count + 1 == capacity)
            names = xreallocarray(names, capacity *= 2, sizeof(*names));
        names[count++] = xstrdup(entry->d_name);
        names[count] = NULL;
    }
    qsort(names, count, sizeof(*names), compare_names);
    if (ret_count)
        *ret_count = count;
    *ret_names = take_ptr(&names);
    return 0;
}

void fs_names_free(char **names)
{
    strv_free(names);
}

static int lock_busy(int fd, const char *name, struct err *err)
{
    char text[32] = {0};
    long long pid;
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    if (n > 0)
        text[strcspn(text, "\n")] = '\0';
    if (parse_i64(text, 1, 1 << 30, &pid))
        return err_set(err, ERR_BUSY, "lock %s is held by process %lld", name, pid);
    return err_set(err, ERR_BUSY, "lock %s is held by another process", name);
}

/* flock with a bound in time. 0, or -1 with errno (EWOULDBLOCK: held by another). */
static int lock_within(int fd, int operation, int wait_ms)
{
    int64_t deadline_us = clock_monotonic_us() + (int64_t)wait_ms * 1000;
    for (;;) {
        if (flock(fd, wait_ms < 0 ? operation : operation | LOCK_NB) == 0)
            return 0;
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK || clock_monotonic_us() >= deadline_us)
            return -1;
        struct timespec pause = {.tv_nsec = LOCK_RETRY_NS};
        nanosleep(&pause, NULL);
    }
}

int fs_lock(int dirfd, const char *name, bool exclusive, int wait_ms, int *ret_fd, struct err *err)
{
    for (;;) {
        struct stat locked, named;
        _cleanup_close_ int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return err_sys(err, "open lock %s", name);
        if (lock_within(fd, exclusive ? LOCK_EX : LOCK_SH, wait_ms) < 0)
            return errno == EWOULDBLOCK ? lock_busy(fd, name, err) : err_sys(err, "lock %s", name);
        /* the file may have been removed while we waited: then the lock protects nothing */
        if (fstat(fd, &locked) < 0)
            return err_sys(err, "stat lock %s", name);
        if (fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) < 0 || named.st_ino != locked.st_ino ||
            named.st_dev != locked.st_dev)
            continue;
        if (exclusive) {
            char text[32];
            int size = snprintf(text, sizeof(text), "%d\n", (int)getpid());
            if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)size, 0) != size)
                return err_sys(err, "write lock %s", name);
        }
        *ret_fd = take_fd(&fd);
        return 0;
    }
}
