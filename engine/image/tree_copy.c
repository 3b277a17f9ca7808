/* SPDX-License-Identifier: Apache-2.0 */
/* Copying trees descriptor by descriptor. The source may be an image's content: names in it are
 * opened relative to their directory without following links, so nothing outside of the tree is
 * ever read. */
#include "engine/image/tree_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"

#define COPY_DEPTH_MAX 400
#define XATTR_LIST_MAX 65536

struct proc_path {
    char text[40];
};

/* A name for what an O_PATH descriptor stands for; the kernel resolves it without any path of ours.
 */
static struct proc_path proc_path(int fd)
{
    struct proc_path path;
    (void)snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
    return path;
}

static bool xattr_is_copied(const char *name)
{
    return !str_has_prefix(name, "trusted.overlay.") && !str_has_prefix(name, "user.overlay.") &&
           !str_has_prefix(name, "security.selinux");
}

static int copy_xattrs(int source_fd, const char *dest_path, struct err *err)
{
    struct proc_path source = proc_path(source_fd);
    char names[4096];
    _cleanup_free_ char *large = NULL, *value = NULL;
    char *list = names;
    ssize_t size = listxattr(source.text, names, sizeof(names));
    if (size < 0 && errno == ERANGE) {
        list = large = xmalloc(XATTR_LIST_MAX);
        size = listxattr(source.text, large, XATTR_LIST_MAX);
    }
    if (size < 0 && errno != ENOTSUP)
        return err_sys(err, "list extended attributes");
    for (const char *name = list; size > 0 && name < list + size; name += strlen(name) + 1) {
        if (!xattr_is_copied(name))
            continue;
        if (!value)
            value = xmalloc(XATTR_LIST_MAX);
        ssize_t length = getxattr(source.text, name, value, XATTR_LIST_MAX);
        if (length < 0 && (errno == ENODATA || errno == ENOTSUP))
            continue;
        if (length < 0)
            return err_sys(err, "read extended attribute %s", name);
        if (setxattr(dest_path, name, value, (size_t)length, 0) < 0 && errno != ENOTSUP)
            return err_sys(err, "set extended attribute %s", name);
    }
    return 0;
}

int tree_copy_attributes(int source_fd, int fd, struct err *err)
{
    struct stat st;
    if (fstat(source_fd, &st) < 0)
        return err_sys(err, "stat");
    const struct timespec times[] = {st.st_atim, st.st_mtim};
    if (fchown(fd, st.st_uid, st.st_gid) < 0)
        return err_sys(err, "set owner %u:%u", st.st_uid, st.st_gid);
    if (copy_xattrs(source_fd, proc_path(fd).text, err) < 0)
        return -1;
    if (fchmod(fd, st.st_mode & 07777) < 0)
        return err_sys(err, "set mode %o", st.st_mode & 07777);
    if (futimens(fd, times) < 0)
        return err_sys(err, "set times");
    return 0;
}

/* From the current positions; some file systems and pairs know no copy_file_range. */
static int copy_range(int from, int to, off_t offset, off_t size, struct err *err)
{
    off_t in = offset, out = offset;
    char buffer[65536];
    while (size > 0) {
        ssize_t done = copy_file_range(from, &in, to, &out, (size_t)size, 0);
        if (done < 0 &&
            (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
            done = pread(from, buffer, MIN((size_t)size, sizeof(buffer)), in);
            if (done > 0 && pwrite(to, buffer, (size_t)done, out) != done)
                return err_sys(err, "write");
            in += MAX(done, 0);
            out += MAX(done, 0);
        }
        if (done < 0)
            return err_sys(err, "copy data");
        if (done == 0) /* the file became shorter meanwhile */
            return 0;
        size -= done;
    }
    return 0;
}

static int copy_data(int from, int to, off_t size, struct err *err)
{
    if (ftruncate(to, size) < 0)
        return err_sys(err, "set size");
    for (off_t at = 0; at < size;) {
        off_t data = lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return 0;
        off_t hole = data < 0 ? size : lseek(from, data, SEEK_HOLE);
        if (data < 0)
            data = at;
        if (hole < 0 || hole > size)
            hole = size;
        if (copy_range(from, to, data, hole - data, err) < 0)
            return -1;
        at = hole;
    }
    return 0;
}

static int copy_file(int source_fd, const struct stat *st, int dirfd, const char *name,
                     struct err *err)
{
    _cleanup_close_ int from = open(proc_path(source_fd).text, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return err_sys(err, "open %s for reading", name);
    _cleanup_close_ int to =
        openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return err_sys(err, "create %s", name);
    if (copy_data(from, to, st->st_size, err) < 0 || tree_copy_attributes(source_fd, to, err) < 0)
        return err_wrap(err, "%s", name);
    return 0;
}

int tree_copy_node(int source_fd, int dirfd, const char *name, struct err *err)
{
    struct stat st;
    if (fstat(source_fd, &st) < 0)
        return err_sys(err, "stat %s", name);
    if (S_ISREG(st.st_mode))
        return copy_file(source_fd, &st, dirfd, name, err);
    if (S_ISDIR(st.st_mode))
        return err_set(err, ERR_INTERNAL, "%s is a directory", name);
    if (S_ISLNK(st.st_mode)) {
        char target[4096];
        ssize_t size = readlinkat(source_fd, "", target, sizeof(target) - 1);
        if (size < 0)
            return err_sys(err, "read link %s", name);
        target[size] = '\0';
        if (symlinkat(target, dirfd, name) < 0)
            return err_sys(err, "make link %s", name);
    } else if (mknodat(dirfd, name, (st.st_mode & S_IFMT) | 0600, st.st_rdev) < 0) {
        return err_sys(err, "make node %s", name);
    }
    const struct timespec times[] = {st.st_atim, st.st_mtim};
    if (fchownat(dirfd, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
        (!S_ISLNK(st.st_mode) && fchmodat(dirfd, name, st.st_mode & 07777, 0) < 0) ||
        utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(err, "set attributes of %s", name);
    _cleanup_close_ int made = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (made < 0)
        return err_sys(err, "open %s", name);
    return copy_xattrs(source_fd, proc_path(made).text, err);
}

struct copy {
    int dest_root;
    struct map *links; /* "dev:inode" → path in the destination */
};

static int copy_directory(struct copy *copy, int source, int dest, const char *path, unsigned depth,
                          struct err *err);

/* true when it was made as a link to its first name; *ret_key names files with several links that
 * were not seen yet. */
static bool link_to_copy(struct copy *copy, const struct stat *st, int dest, const char *name,
                         char ret_key[48])
{
    ret_key[0] = '\0';
    if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
        return false;
    (void)snprintf(ret_key, 48, "%llx:%llx", (unsigned long long)st->st_dev,
                   (unsigned long long)st->st_ino);
    const char *first = map_find(copy->links, ret_key);
    return first && linkat(copy->dest_root, first, dest, name, 0) == 0;
}

static int copy_entry(struct copy *copy, int source, int dest, const char *path, const char *name,
                      unsigned depth, struct err *err)
{
    char key[48];
    struct stat st;
    _cleanup_close_ int fd = openat(source, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, "open %s", name);
    _cleanup_free_ char *inner = *path ? path_join(path, name) : xstrdup(name);
    if (link_to_copy(copy, &st, dest, name, key))
        return 0;
    if (!S_ISDIR(st.st_mode)) {
        if (tree_copy_node(fd, dest, name, err) < 0)
            return -1;
        if (*key)
            map_set(copy->links, key, take_ptr(&inner));
        return 0;
    }
    if (depth >= COPY_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "%s: directories nest deeper than %d", inner,
                       COPY_DEPTH_MAX);
    if (mkdirat(dest, name, 0700) < 0 && errno != EEXIST)
        return err_sys(err, "make directory %s", inner);
    _cleanup_close_ int from =
        openat(source, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_close_ int to = openat(dest, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0 || to < 0)
        return err_sys(err, "open directory %s", inner);
    return copy_directory(copy, from, to, inner, depth + 1, err);
}

static void closedirp(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

static int copy_directory(struct copy *copy, int source, int dest, const char *path, unsigned depth,
                          struct err *err)
{
    _cleanup_close_ int own = fcntl(source, F_DUPFD_CLOEXEC, 3);
    _cleanup_(closedirp) DIR *directory = own < 0 ? NULL : fdopendir(own);
    if (!directory)
        return err_sys(err, "read directory /%s", path);
    (void)take_fd(&own);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (!entry && errno)
            return err_sys(err, "read directory /%s", path);
        if (!entry)
            break;
        if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
            continue;
        if (copy_entry(copy, source, dest, path, entry->d_name, depth, err) < 0)
            return -1;
    }
    if (tree_copy_attributes(source, dest, err) < 0)
        return err_wrap(err, "directory /%s", path);
    return 0;
}

int tree_copy(int source_dirfd, int dest_dirfd, struct err *err)
{
    struct copy copy = {.dest_root = dest_dirfd, .links = map_new(free)};
    int done = copy_directory(&copy, source_dirfd, dest_dirfd, "", 0, err);
    map_free(copy.links);
    return done;
}
