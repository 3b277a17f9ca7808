/* SPDX-License-Identifier: Apache-2.0 */
/* Writing archives. Each thing is opened by descriptor before it is looked at, so what is archived is what was examined;
 * a file that grows is cut at the size it had, one that shrinks is filled up, holes stay holes. */
#include "engine/image/copy_out.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/str.h"

#define DEPTH_MAX     256 /* as deep as copy_in takes */
#define PATH_BYTES    4096
#define HOLES_MAX     10000
#define XATTRS_MAX    65536
#define BUFFER_SIZE   (256 * 1024)

struct writer {
    const struct copy_out *copy;
    struct archive *archive;
    struct archive_entry *entry;
    struct map *links; /* "device:inode" → name of the first */
    char *buffer;
};

static int archive_failed(struct writer *writer, struct err *err)
{
    const char *why = archive_error_string(writer->archive);
    int error = archive_errno(writer->archive);
    if (error == EPIPE)
        return err_set(err, ERR_CANCELLED, "nobody reads the archive any more");
    return err_set(err, ERR_SYSTEM, "write the archive: %s", why ? why : "unknown error");
}

static void warn(const struct writer *writer, const char *name, const char *why)
{
    _cleanup_free_ char *shown = str_printable(name);
    _cleanup_free_ char *text = xasprintf("'%.300s' %s", shown, why);
    writer->copy->warn(text);
}

/* What an O_PATH descriptor stands for, opened; no name is resolved again. */
static int reopen(int fd, int flags)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

/* Files there are made while they are read, and some have no end. */
static bool is_of_the_kernel(int fd)
{
    static const long kinds[] = {PROC_SUPER_MAGIC,    SYSFS_MAGIC,  CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEBUGFS_MAGIC,
                                 TRACEFS_MAGIC,       NSFS_MAGIC,   DEVPTS_SUPER_MAGIC, BPF_FS_MAGIC,        SECURITYFS_MAGIC};
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if ((long)fs.f_type == kinds[i])
            return true;
    return false;
}

static void take_xattrs(struct writer *writer, int fd)
{
    char names[4096], *value = writer->buffer;
    ssize_t size = flistxattr(fd, names, sizeof(names));
    for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
        if (strcmp(name, "security.capability") != 0 && (!str_has_prefix(name, "user.") || str_has_prefix(name, "user.overlay.")))
            continue;
        ssize_t length = fgetxattr(fd, name, value, XATTRS_MAX);
        if (length >= 0)
            archive_entry_xattr_add_entry(writer->entry, name, value, (size_t)length);
    }
}

static void begin(struct writer *writer, const char *name, const struct stat *st)
{
    archive_entry_clear(writer->entry);
    archive_entry_copy_stat(writer->entry, st);
    archive_entry_set_pathname(writer->entry, name);
    archive_entry_set_size(writer->entry, 0);
    archive_entry_unset_atime(writer->entry);
    archive_entry_unset_ctime(writer->entry);
}

static int put_header(struct writer *writer, struct err *err)
{
    int got = archive_write_header(writer->archive, writer->entry);
    return got == ARCHIVE_OK || got == ARCHIVE_WARN ? 0 : archive_failed(writer, err);
}

/* The parts that hold data; a file in too many pieces is archived whole. */
static void take_holes(struct writer *writer, int fd, int64_t size)
{
    int pieces = 0;
    for (off_t at = 0; at < size;) {
        off_t data = lseek(fd, at, SEEK_DATA), end = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
        if (data < 0 && errno == ENXIO) {
            archive_entry_sparse_add_entry(writer->entry, size, 0);
            break;
        }
        if (data < 0 || end < 0 || ++pieces > HOLES_MAX) {
            archive_entry_sparse_clear(writer->entry);
            break;
        }
        if (data == 0 && end >= size)
            break; /* no hole at all */
        archive_entry_sparse_add_entry(writer->entry, data, MIN(end, (off_t)size) - data);
        at = end;
    }
    (void)lseek(fd, 0, SEEK_SET);
}

static int put_bytes(struct writer *writer, const char *bytes, int64_t size, struct err *err)
{
    return archive_write_data(writer->archive, bytes, (size_t)size) < 0 ? archive_failed(writer, err) : 0;
}

/* Zeros for a hole: the writer counts them and, where it knows of the hole, writes nothing. */
static int put_hole(struct writer *writer, int64_t size, struct err *err)
{
    static const char zeros[BUFFER_SIZE];
    for (; size > 0; size -= MIN(size, (int64_t)sizeof(zeros)))
        if (put_bytes(writer, zeros, MIN(size, (int64_t)sizeof(zeros)), err) < 0)
            return -1;
    return 0;
}

/* size bytes; what the file has lost since it was measured is filled up. */
static int put_data(struct writer *writer, int fd, int64_t size, struct err *err)
{
    bool sparse = archive_entry_sparse_count(writer->entry) > 0;
    for (int64_t at = 0; at < size;) {
        off_t data = sparse ? lseek(fd, at, SEEK_DATA) : at;
        if (data < 0 || data > size)
            data = size;
        if (data > at && put_hole(writer, data - at, err) < 0)
            return -1;
        at = data;
        if (at == size)
            return 0;
        ssize_t got = pread(fd, writer->buffer, (size_t)MIN(size - at, (int64_t)BUFFER_SIZE), at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(err, "read");
        if (got == 0)
            return put_hole(writer, size - at, err);
        if (put_bytes(writer, writer->buffer, got, err) < 0)
            return -1;
        at += got;
    }
    return 0;
}

/* true when an earlier name of the same file is in the archive. */
static bool is_known(struct writer *writer, const struct stat *st, const char *name)
{
    char key[48];
    if (st->st_nlink < 2)
        return false;
    snprintf(key, sizeof(key), "%llx:%llx", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
    const char *first = map_find(writer->links, key);
    if (first)
        archive_entry_set_hardlink(writer->entry, first);
    else
        map_set(writer->links, key, xstrdup(name));
    return first != NULL;
}

static int put_file(struct writer *writer, int path_fd, const char *name, const struct stat *st, struct err *err)
{
    if (is_of_the_kernel(path_fd)) {
        warn(writer, name, "is left out: the kernel makes it while it is read");
        return 0;
    }
    begin(writer, name, st);
    if (is_known(writer, st, name))
        return put_header(writer, err);
    _cleanup_close_ int fd = reopen(path_fd, O_RDONLY);
    if (fd < 0)
        return err_sys(err, "open '%s'", name);
    take_xattrs(writer, fd);
    archive_entry_set_size(writer->entry, st->st_size);
    take_holes(writer, fd, st->st_size);
    return put_header(writer, err) < 0 || put_data(writer, fd, st->st_size, err) < 0 ? -1 : 0;
}

static int put_link(struct writer *writer, int fd, const char *name, const struct stat *st, struct err *err)
{
    char target[PATH_BYTES];
    ssize_t size = readlinkat(fd, "", target, sizeof(target));
    if (size < 0 || size == sizeof(target))
        return size < 0 ? err_sys(err, "read link '%s'", name) : err_set(err, ERR_LIMIT, "link '%s' is too long", name);
    target[size] = '\0';
    begin(writer, name, st);
    archive_entry_set_symlink(writer->entry, target);
    return put_header(writer, err);
}

static int put(struct writer *writer, int fd, const char *name, int depth, struct err *err);

/* The children in the directory's order; name "" for children without a prefix. */
static int put_children(struct writer *writer, int dirfd, const char *name, int depth, struct err *err)
{
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    int result = 0;
    if (!dir)
        return err_sys(err, "open directory '%s'", name);
    while (result == 0 && (errno = 0, entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        _cleanup_free_ char *below = name[0] ? xasprintf("%s/%s", name, entry->d_name) : xstrdup(entry->d_name);
        _cleanup_close_ int fd = openat(dirfd, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue; /* gone since it was listed */
        result = fd < 0 ? err_sys(err, "open '%s'", below) : put(writer, fd, below, depth + 1, err);
        errno = 0;
    }
    if (result == 0 && errno)
        result = err_sys(err, "read directory '%s'", name);
    closedir(dir);
    return result;
}

static int put_directory(struct writer *writer, int path_fd, const char *name, int depth, const struct stat *st,
                         struct err *err)
{
    if (depth > DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "'%s' lies deeper than %d directories", name, DEPTH_MAX);
    _cleanup_close_ int fd = reopen(path_fd, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return err_sys(err, "open directory '%s'", name);
    if (name[0]) {
        begin(writer, name, st);
        take_xattrs(writer, fd);
        if (put_header(writer, err) < 0)
            return -1;
    }
    if (depth > 0 && is_of_the_kernel(fd)) {
        warn(writer, name, "is archived empty: it is a file system of the kernel");
        return 0;
    }
    return put_children(writer, fd, name, depth, err);
}

/* fd: O_PATH */
static int put(struct writer *writer, int fd, const char *name, int depth, struct err *err)
{
    struct stat st;
    if (strlen(name) >= PATH_BYTES)
        return err_set(err, ERR_LIMIT, "'%.200s…' has a path longer than %d bytes", name, PATH_BYTES - 1);
    if (fstat(fd, &st) < 0)
        return err_sys(err, "examine '%s'", name);
    switch (st.st_mode & S_IFMT) {
    case S_IFREG:
        return put_file(writer, fd, name, &st, err);
    case S_IFDIR:
        return put_directory(writer, fd, name, depth, &st, err);
    case S_IFLNK:
        return put_link(writer, fd, name, &st, err);
    default:
        warn(writer, name, "is left out: it is no file, directory or link");
        return 0;
    }
}

static int top_open(const struct copy_out *copy, int *ret_fd, struct err *err)
{
    struct stat st;
    size_t size = strlen(copy->path);
    bool below = size > 1 && (copy->path[size - 1] == '/' || (size > 2 && strcmp(copy->path + size - 2, "/.") == 0));
    int flags = O_PATH | (copy->follow || below ? 0 : O_NOFOLLOW);
    _cleanup_close_ int fd = fs_open_in_root(copy->root_fd, copy->path, flags, 0);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "no such file or directory: %s", copy->path);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, "open %s", copy->path);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode))
        return err_set(err, ERR_CONFIG, "%s is no file, directory or link", copy->path);
    if (S_ISREG(st.st_mode) && is_of_the_kernel(fd))
        return err_set(err, ERR_CONFIG, "%s is made by the kernel while it is read: use exec and cat", copy->path);
    *ret_fd = take_fd(&fd);
    return 0;
}

static int archive_open(struct writer *writer, struct err *err)
{
    writer->archive = archive_write_new();
    writer->entry = archive_entry_new();
    writer->links = map_new(free);
    writer->buffer = xmalloc(BUFFER_SIZE);
    if (archive_write_set_format_pax_restricted(writer->archive) != ARCHIVE_OK ||
        archive_write_add_filter_none(writer->archive) != ARCHIVE_OK ||
        archive_write_open_fd(writer->archive, writer->copy->archive_fd) != ARCHIVE_OK)
        return archive_failed(writer, err);
    return 0;
}

int copy_out_run(const struct copy_out *copy, struct err *err)
{
    struct writer writer = {.copy = copy};
    _cleanup_close_ int top = -1;
    if (top_open(copy, &top, err) < 0)
        return -1;
    int result = archive_open(&writer, err) < 0 || put(&writer, top, copy->name, 0, err) < 0 ? -1 : 0;
    if (result == 0 && archive_write_close(writer.archive) != ARCHIVE_OK)
        result = archive_failed(&writer, err);
    if (result < 0)
        (void)archive_write_fail(writer.archive); /* the end mark would make half an archive look whole */
    (void)archive_write_free(writer.archive);
    archive_entry_free(writer.entry);
    map_free(writer.links);
    free(writer.buffer);
    return result;
}
