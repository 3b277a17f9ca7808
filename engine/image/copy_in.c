/* SPDX-License-Identifier: Apache-2.0 */
/* Reading archives into a tree that others may be changing: the directory to copy into is found once, by the kernel,
 * inside the root; from there every step is one openat without following links. The first entry decides, with what lies
 * at the path, where everything goes. */
#include "engine/image/copy_in.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/path.h"
#include "base/str.h"
#include "base/vec.h"
#include "engine/image/tree_walk.h"

#define READ_SIZE   (256 * 1024)
#define ENTRIES_MAX 10000000
#define LINKS_MAX   40
#define XATTR_MAX   65536

struct directory_end { /* times and modes once nothing is written below any more */
    char *path;
    struct timespec mtime;
    mode_t mode;
};

struct reader {
    const struct copy_in *copy;
    struct archive *archive;
    struct tree_walk walk;
    int base_fd;      /* where names are relative to */
    char *top;        /* the first component's new name, or "" for none */
    bool placed;      /* base_fd and top are known */
    VEC(struct directory_end) ends;
};

static int archive_failed(struct reader *reader, struct err *err)
{
    const char *why = archive_error_string(reader->archive);
    _cleanup_free_ char *shown = str_printable(why ? why : "unknown error");
    return err_set(err, ERR_CORRUPT, "the archive cannot be read: %s", shown);
}

static int refuse(struct err *err, enum err_code code, const char *name, const char *why)
{
    _cleanup_free_ char *shown = str_printable(name);
    return err_set(err, code, "'%.300s' %s", shown, why);
}

static int failed(struct err *err, const char *what, const char *name)
{
    int error = errno;
    _cleanup_free_ char *shown = str_printable(name);
    return err_sysno(err, error, "%s '%.300s'", what, shown);
}

static void warn(const struct reader *reader, const char *name, const char *why)
{
    _cleanup_free_ char *shown = str_printable(name);
    _cleanup_free_ char *text = xasprintf("'%.300s' %s", shown, why);
    reader->copy->warn(text);
}

/* ---- where it goes ---- */

/* path with its last link resolved, as often as it is one: the name to make or replace. Owned. */
static int path_settle(int root_fd, const char *path, char **ret_path, struct err *err)
{
    _cleanup_free_ char *at = xstrdup(path);
    for (int i = 0; i < LINKS_MAX; i++) {
        char target[TREE_PATH_MAX];
        _cleanup_close_ int fd = fs_open_in_root(root_fd, at, O_PATH | O_NOFOLLOW, 0);
        ssize_t size = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
        if (size <= 0) { /* no link, or nothing */
            *ret_path = take_ptr(&at);
            return 0;
        }
        target[size] = '\0';
        _cleanup_free_ char *parent = xstrndup(at, (size_t)(path_base(at) - at));
        char *next = path_join(parent[0] ? parent : "/", target);
        free(at);
        at = next;
    }
    return err_set(err, ERR_CONFIG, "%s: too many links", path);
}

/* The directory that path's last component is in, and that name (owned). */
static int parent_open(int root_fd, const char *path, int *ret_fd, char **ret_name, struct err *err)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    _cleanup_free_ char *whole = xstrndup(path, size);
    const char *name = path_base(whole);
    _cleanup_free_ char *parent = xstrndup(whole, (size_t)(name - whole));
    if (!path_is_name(name))
        return err_set(err, ERR_CONFIG, "%s is no name for a copy", path);
    int fd = fs_open_in_root(root_fd, parent[0] ? parent : "/", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(err, ERR_NOT_FOUND, "no such directory: %s", parent[0] ? parent : "/");
    if (fd < 0)
        return err_sys(err, "open %s", parent);
    *ret_fd = fd;
    *ret_name = xstrdup(name);
    return 0;
}

static int place_directory(struct reader *reader, int fd, bool top_is_directory)
{
    const struct copy_in *copy = reader->copy;
    reader->base_fd = fd;
    reader->top = xstrdup(!copy->name || (top_is_directory && copy->contents) ? "" : copy->name);
    return 0;
}

static int place(struct reader *reader, bool top_is_directory, struct err *err)
{
    const struct copy_in *copy = reader->copy;
    size_t size = strlen(copy->path);
    bool wants_directory = size > 0 && (copy->path[size - 1] == '/' || (size > 1 && strcmp(copy->path + size - 2, "/.") == 0));
    _cleanup_free_ char *path = NULL;
    int fd = fs_open_in_root(copy->root_fd, copy->path, O_RDONLY | O_DIRECTORY, 0);
    reader->placed = true;
    if (fd >= 0)
        return place_directory(reader, fd, top_is_directory);
    if (errno != ENOENT && errno != ENOTDIR)
        return err_sys(err, "open %s", copy->path);
    if (!copy->name)
        return err_set(err, ERR_NOT_FOUND, "no such directory: %s", copy->path);
    if (wants_directory && !top_is_directory)
        return err_set(err, ERR_NOT_FOUND, "no such directory: %s", copy->path);
    if (path_settle(copy->root_fd, copy->path, &path, err) < 0)
        return -1;
    return parent_open(copy->root_fd, path, &reader->base_fd, &reader->top, err);
}

/* An entry's name as it is made below base_fd, "" for the place itself. buffer >= TREE_PATH_MAX. */
static int name_make(const struct reader *reader, const char *raw, char *buffer, struct err *err)
{
    char clean[TREE_PATH_MAX];
    if (tree_path_clean(raw, clean, err) < 0)
        return -1;
    const char *rest = clean;
    if (reader->copy->name) { /* our own archive: the first component is a stand-in */
        rest += strcspn(rest, "/");
        rest += *rest == '/';
    }
    int length = snprintf(buffer, TREE_PATH_MAX, "%s%s%s", reader->top, reader->top[0] && *rest ? "/" : "", rest);
    return length >= TREE_PATH_MAX ? refuse(err, ERR_LIMIT, raw, "has a path that is too long") : 0;
}

/* ---- making things ---- */

/* A parent that the archive does not describe. */
static int make_parent(void *arg, int dirfd, const char *path, const char *name, int error, struct err *err)
{
    (void)arg;
    (void)path;
    if (error != ENOENT)
        return refuse(err, ERR_EXISTS, name, "is in the way and no directory");
    return mkdirat(dirfd, name, 0755) < 0 ? failed(err, "make directory", name) : 0;
}

/* Whatever has the name goes, unless it is a directory. 1: it cannot go, being a mount. */
static int clear_name(int dirfd, const char *name, struct err *err)
{
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : failed(err, "examine", name);
    if (S_ISDIR(st.st_mode))
        return refuse(err, ERR_EXISTS, name, "is a directory and is not replaced by something else");
    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return 0;
    return errno == EBUSY && S_ISREG(st.st_mode) ? 1 : failed(err, "replace", name);
}

static mode_t mode_of(const struct reader *reader, struct archive_entry *entry)
{
    return archive_entry_perm(entry) & (reader->copy->plain_modes ? 01777 : 07777);
}

static struct timespec time_of(struct archive_entry *entry)
{
    return (struct timespec){.tv_sec = archive_entry_mtime(entry), .tv_nsec = archive_entry_mtime_nsec(entry)};
}

static int set_owner(const struct reader *reader, struct archive_entry *entry, int fd, const char *name, struct err *err)
{
    if (reader->copy->owner == COPY_OWNER_OURS)
        return 0;
    la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
    if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
        return refuse(err, ERR_CORRUPT, name, "has an owner that is out of range");
    if (fchownat(fd, "", (uid_t)uid, (gid_t)gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
        return failed(err, "set owner of", name);
    return 0;
}

static int set_xattrs(const struct reader *reader, struct archive_entry *entry, int fd, const char *path, struct err *err)
{
    const char *name;
    const void *value;
    size_t size;
    (void)archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
        bool capability = strcmp(name, "security.capability") == 0;
        if (size > XATTR_MAX || (capability && reader->copy->plain_modes) ||
            (!capability && (!str_has_prefix(name, "user.") || str_has_prefix(name, "user.overlay."))))
            continue;
        if (fsetxattr(fd, name, value, size, 0) < 0 && errno != ENOTSUP)
            return failed(err, "set an extended attribute of", path);
    }
    return 0;
}

static int make_directory(struct reader *reader, struct archive_entry *entry, const char *path, int dirfd, const char *name,
                          struct err *err)
{
    struct stat st;
    if (mkdirat(dirfd, name, 0700) < 0) {
        if (errno != EEXIST || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return failed(err, "make directory", path);
        if (S_ISDIR(st.st_mode))
            return 0; /* stays as it is */
        return refuse(err, ERR_EXISTS, path, "is no directory and is not replaced by one");
    }
    _cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed(err, "open directory", path);
    if (set_owner(reader, entry, fd, path, err) < 0 || set_xattrs(reader, entry, fd, path, err) < 0)
        return -1;
    VEC_ADD(&reader->ends, (struct directory_end){xstrdup(path), time_of(entry), mode_of(reader, entry)});
    return 0;
}

static int write_data(struct reader *reader, int fd, int64_t size, const char *path, struct err *err)
{
    const void *block;
    size_t length;
    la_int64_t offset;
    int got;
    while ((got = archive_read_data_block(reader->archive, &block, &length, &offset)) == ARCHIVE_OK)
        for (size_t done = 0; done < length;) {
            ssize_t n = pwrite(fd, (const char *)block + done, length - done, offset + (off_t)done);
            if (n < 0 && errno != EINTR)
                return failed(err, "write", path);
            done += n > 0 ? (size_t)n : 0;
        }
    if (got != ARCHIVE_EOF)
        return archive_failed(reader, err);
    return ftruncate(fd, size) < 0 ? failed(err, "set size of", path) : 0;
}

static int make_file(struct reader *reader, struct archive_entry *entry, const char *path, int dirfd, const char *name,
                     struct err *err)
{
    const struct timespec times[] = {time_of(entry), time_of(entry)};
    la_int64_t size = archive_entry_size(entry);
    int busy = clear_name(dirfd, name, err);
    if (busy < 0)
        return -1;
    int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    _cleanup_close_ int fd = openat(dirfd, name, flags | (busy ? O_TRUNC : O_CREAT | O_EXCL), 0600);
    if (fd < 0)
        return failed(err, "create", path);
    if (size < 0)
        return refuse(err, ERR_CORRUPT, path, "has a size that is out of range");
    if (write_data(reader, fd, size, path, err) < 0)
        return -1;
    if (busy)
        return 0; /* somebody else's file, mounted there: only its content is ours to change */
    if (set_owner(reader, entry, fd, path, err) < 0 || set_xattrs(reader, entry, fd, path, err) < 0)
        return -1;
    if (fchmod(fd, mode_of(reader, entry)) < 0 || futimens(fd, times) < 0)
        return failed(err, "set mode and time of", path);
    return 0;
}

static int make_symlink(struct reader *reader, struct archive_entry *entry, const char *path, int dirfd, const char *name,
                        struct err *err)
{
    const char *target = archive_entry_symlink(entry);
    const struct timespec times[] = {time_of(entry), time_of(entry)};
    if (!target || !*target || strlen(target) >= TREE_PATH_MAX)
        return refuse(err, ERR_CORRUPT, path, "is a link with an empty or overlong target");
    if (clear_name(dirfd, name, err) < 0)
        return -1;
    if (symlinkat(target, dirfd, name) < 0)
        return failed(err, "make link", path);
    _cleanup_close_ int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return failed(err, "open link", path);
    (void)utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW); /* nobody misses the time of a link */
    return set_owner(reader, entry, fd, path, err);
}

static int make_hardlink(struct reader *reader, struct archive_entry *entry, const char *path, struct err *err)
{
    char target[TREE_PATH_MAX];
    const char *raw = archive_entry_hardlink(entry), *name;
    int dirfd;
    if (!raw || name_make(reader, raw, target, err) < 0 || !target[0] || str_eq(target, path))
        return refuse(err, ERR_CORRUPT, path, "is a hard link to nothing in the archive");
    if (tree_walk_parent(&reader->walk, target, NULL, NULL, &dirfd, &name, err) < 0)
        return -1;
    _cleanup_close_ int source = dirfd < 0 ? -1 : openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (source < 0 || fstat(source, &st) < 0 || S_ISDIR(st.st_mode))
        return refuse(err, ERR_CORRUPT, path, "is a hard link to nothing in the archive");
    _cleanup_close_ int source_dir = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
    _cleanup_free_ char *source_name = xstrdup(name);
    if (tree_walk_parent(&reader->walk, path, make_parent, NULL, &dirfd, &name, err) < 0 || clear_name(dirfd, name, err) < 0)
        return -1;
    return linkat(source_dir, source_name, dirfd, name, 0) < 0 ? failed(err, "link", path) : 0;
}

/* ---- the whole ---- */

static int take_entry(struct reader *reader, struct archive_entry *entry, struct err *err)
{
    char path[TREE_PATH_MAX];
    const char *raw = archive_entry_pathname(entry), *name;
    int dirfd;
    if (!raw)
        return err_set(err, ERR_CORRUPT, "an entry has a name that is no valid text");
    if (!reader->placed && place(reader, archive_entry_filetype(entry) == AE_IFDIR, err) < 0)
        return -1;
    if (reader->walk.root_fd < 0)
        tree_walk_init(&reader->walk, reader->base_fd);
    if (name_make(reader, raw, path, err) < 0)
        return -1;
    if (!path[0])
        return 0; /* the directory that is there already */
    if (archive_entry_hardlink(entry))
        return make_hardlink(reader, entry, path, err);
    if (tree_walk_parent(&reader->walk, path, make_parent, NULL, &dirfd, &name, err) < 0)
        return -1;
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
        return make_file(reader, entry, path, dirfd, name, err);
    case AE_IFDIR:
        return make_directory(reader, entry, path, dirfd, name, err);
    case AE_IFLNK:
        return make_symlink(reader, entry, path, dirfd, name, err);
    default:
        warn(reader, path, "is left out: it is no file, directory or link");
        return 0;
    }
}

/* Deepest last, so backwards: a parent that may not be written is closed after its children. */
static int finish_directories(struct reader *reader, struct err *err)
{
    for (size_t i = reader->ends.count; i-- > 0;) {
        const struct directory_end *end = &reader->ends.items[i];
        const struct timespec times[] = {end->mtime, end->mtime};
        const char *name;
        int dirfd;
        if (tree_walk_parent(&reader->walk, end->path, NULL, NULL, &dirfd, &name, err) < 0)
            return -1;
        _cleanup_close_ int fd = dirfd < 0 ? -1 : openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && (fchmod(fd, end->mode) < 0 || futimens(fd, times) < 0))
            return failed(err, "set mode and time of", end->path);
    }
    return 0;
}

static int archive_open(struct reader *reader, struct err *err)
{
    reader->archive = archive_read_new();
    if (!reader->copy->name) { /* decoders of the library, never a program of somebody's */
        (void)archive_read_support_filter_gzip(reader->archive);
        (void)archive_read_support_filter_bzip2(reader->archive);
        (void)archive_read_support_filter_xz(reader->archive);
        (void)archive_read_support_filter_zstd(reader->archive);
    }
    (void)archive_read_support_format_tar(reader->archive);
    (void)archive_read_support_format_empty(reader->archive);
    return archive_read_open_fd(reader->archive, reader->copy->archive_fd, READ_SIZE) != ARCHIVE_OK ? archive_failed(reader, err) : 0;
}

static int take_all(struct reader *reader, struct err *err)
{
    struct archive_entry *entry;
    int64_t count = 0;
    int got;
    if (archive_open(reader, err) < 0)
        return -1;
    while ((got = archive_read_next_header(reader->archive, &entry)) != ARCHIVE_EOF) {
        if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
            return archive_failed(reader, err);
        if (++count > ENTRIES_MAX)
            return err_set(err, ERR_LIMIT, "the archive has more than %d entries", ENTRIES_MAX);
        if (take_entry(reader, entry, err) < 0)
            return -1;
    }
    if (count == 0 && reader->copy->name)
        return err_set(err, ERR_CORRUPT, "nothing came to be copied");
    return finish_directories(reader, err);
}

int copy_in_run(const struct copy_in *copy, struct err *err)
{
    struct reader reader = {.copy = copy, .base_fd = -1, .walk = {.root_fd = -1}};
    int result = copy->name ? 0 : place(&reader, true, err); /* of a stream the place is known, and must be right, at once */
    if (result == 0)
        result = take_all(&reader, err);
    if (reader.archive)
        (void)archive_read_free(reader.archive);
    tree_walk_done(&reader.walk);
    for (size_t i = 0; i < reader.ends.count; i++)
        free(reader.ends.items[i].path);
    VEC_DONE(&reader.ends);
    close_fdp(&reader.base_fd);
    free(reader.top);
    return result;
}
