/* SPDX-License-Identifier: Apache-2.0 */
/* The extractor: archive entries → files, for layers and imports. Rules (docs/security.md):
 *  - names are cleaned first, parents are opened without following links (tree_walk), a link as
 * parent is refused;
 *  - what is there is removed before an entry is made, never written through; the later entry of a
 * name wins;
 *  - hard links only to what this archive made (NOFOLLOW), or to a copy of a lower layer's file;
 *  - device nodes, foreign xattrs and ACLs are dropped; set-id bits of directories come last, so
 * that nothing inherits them. Few system calls: the usual file costs open, write, utimensat, close.
 * The umask must be 0. */
#include "engine/image/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "engine/image/lower.h"
#include "engine/image/tree_copy.h"
#include "engine/image/tree_walk.h"
#include "engine/image/whiteout.h"

#define IMPLIED_MODE 0755

/* What a directory gets at the end, when nothing is made in it any more. */
struct directory_end {
    char *path;
    struct timespec mtime;
    mode_t mode;
    bool set_mode;
};
struct late_link {
    char *path, *target;
};

struct extract {
    int root_fd;
    bool whiteouts, root_opaque;
    unsigned devices;
    struct tree_walk walk;
    VEC(struct directory_end) ends;
    VEC(struct late_link) links;
    struct map *implied; /* directories no entry described */
    struct timespec root_mtime;
    bool root_described;
};

struct extract *extract_new(int root_fd, bool whiteouts)
{
    struct extract *extract = xcalloc(1, sizeof(*extract));
    extract->root_fd = root_fd;
    extract->whiteouts = whiteouts;
    extract->implied = map_new(NULL);
    tree_walk_init(&extract->walk, root_fd);
    return extract;
}

void extract_free(struct extract *extract)
{
    if (!extract)
        return;
    tree_walk_done(&extract->walk);
    for (size_t i = 0; i < extract->ends.count; i++)
        free(extract->ends.items[i].path);
    for (size_t i = 0; i < extract->links.count; i++) {
        free(extract->links.items[i].path);
        free(extract->links.items[i].target);
    }
    VEC_DONE(&extract->ends);
    VEC_DONE(&extract->links);
    map_free(extract->implied);
    free(extract);
}

static int refuse(struct err *err, enum err_code code, const char *path, const char *why)
{
    _cleanup_free_ char *shown = str_printable(path);
    return err_set(err, code, "entry '%.300s' %s", shown, why);
}

static int failed(struct err *err, const char *path, const char *what)
{
    int error = errno;
    _cleanup_free_ char *shown = str_printable(path);
    return err_sysno(err, error, "%s '%.300s'", what, shown);
}

static bool is_whiteout_at(int dirfd, const char *name)
{
    struct stat st;
    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
           st.st_rdev == makedev(0, 0);
}

static int set_opaque(int dirfd, const char *name, const char *path, struct err *err)
{
    _cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fsetxattr(fd, OVERLAY_OPAQUE, "y", 1, 0) < 0)
        return failed(err, path, "make opaque");
    return 0;
}

/* Removes whatever has the name. A directory goes with its content. */
static int clear_name(int dirfd, const char *name, const char *path, struct err *err)
{
    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return failed(err, path, "replace");
    return fs_remove_tree(dirfd, name, err);
}

/* For tree_walk: a parent that the archive did not describe. */
static int make_parent(void *arg, int dirfd, const char *path, const char *name, int error,
                       struct err *err)
{
    struct extract *extract = arg;
    _cleanup_free_ char *whole = *path ? xasprintf("%s/%s", path, name) : xstrdup(name);
    bool hidden = error != ENOENT && is_whiteout_at(dirfd, name);
    if (extract->whiteouts && whiteout_is_name(name))
        return refuse(err, ERR_CORRUPT, whole, "is a whiteout that is used as a directory");
    if (error != ENOENT && !hidden)
        return refuse(err, ERR_CORRUPT, whole, "is no directory, but an entry lies below it");
    if (hidden && clear_name(dirfd, name, whole, err) < 0)
        return -1;
    if (mkdirat(dirfd, name, IMPLIED_MODE) < 0)
        return failed(err, whole, "make directory");
    if (hidden)
        return set_opaque(dirfd, name, whole, err);
    map_set(extract->implied, whole, extract);
    return 0;
}

static bool xattr_is_kept(const char *name)
{
    return str_eq(name, "security.capability") ||
           (str_has_prefix(name, "user.") && !str_has_prefix(name, "user.overlay."));
}

static int set_xattrs(const struct entry *entry, int fd, struct err *err)
{
    for (size_t i = 0; i < entry->xattr_count; i++) {
        const struct entry_xattr *xattr = &entry->xattrs[i];
        if (!xattr_is_kept(xattr->name))
            continue;
        if (xattr->size > 65536)
            return refuse(err, ERR_LIMIT, entry->path,
                          "has an extended attribute larger than 64 KiB");
        if (fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) < 0 && errno != ENOTSUP)
            return failed(err, entry->path, "set an extended attribute of");
    }
    return 0;
}

static bool owner_differs(const struct entry *entry)
{
    return entry->uid != 0 || entry->gid != 0;
}

static int make_root(struct extract *extract, const struct entry *entry, struct err *err)
{
    if (entry->kind != ENTRY_DIRECTORY)
        return refuse(err, ERR_CORRUPT, entry->path, "is the root and no directory");
    if (fchown(extract->root_fd, entry->uid, entry->gid) < 0 ||
        fchmod(extract->root_fd, entry->mode & 01777) < 0)
        return failed(err, entry->path, "set owner and mode of");
    extract->root_mtime = entry->mtime;
    extract->root_described = true;
    return 0;
}

static int make_directory(struct extract *extract, const struct entry *entry, const char *path,
                          int dirfd, const char *name, struct err *err)
{
    mode_t early = entry->mode & 01777; /* set-id bits at the end */
    bool was_hidden = false;
    if (mkdirat(dirfd, name, early) < 0) {
        struct stat st;
        if (errno != EEXIST || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return failed(err, path, "make directory");
        was_hidden = S_ISCHR(st.st_mode);
        if (S_ISDIR(st.st_mode)) {
            if (fchmodat(dirfd, name, early, 0) < 0)
                return failed(err, path, "set mode of");
            if (!owner_differs(entry) && fchownat(dirfd, name, 0, 0, AT_SYMLINK_NOFOLLOW) < 0)
                return failed(err, path, "set owner of");
            map_remove(extract->implied, path);
        } else if (clear_name(dirfd, name, path, err) < 0) {
            return -1;
        } else if (mkdirat(dirfd, name, early) < 0) {
            return failed(err, path, "make directory");
        }
    }
    if (was_hidden && set_opaque(dirfd, name, path, err) < 0)
        return -1;
    if (owner_differs(entry) &&
        fchownat(dirfd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return failed(err, path, "set owner of");
    if (entry->xattr_count) {
        _cleanup_close_ int fd =
            openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return failed(err, path, "open");
        if (set_xattrs(entry, fd, err) < 0)
            return -1;
    }
    VEC_ADD(&extract->ends, (struct directory_end){.path = xstrdup(path),
                                                   .mtime = entry->mtime,
                                                   .mode = entry->mode & 07777,
                                                   .set_mode = early != (entry->mode & 07777)});
    return 0;
}

static bool file_is_plain(const struct entry *entry)
{
    return !owner_differs(entry) && !(entry->mode & 07000);
}

static int make_file(const struct entry *entry, const char *path, int dirfd, const char *name,
                     int *ret_fd, struct err *err)
{
    mode_t mode = file_is_plain(entry) ? entry->mode & 0777 : 0600;
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dirfd, name, flags, mode);
    if (fd < 0 && errno == EEXIST) {
        if (clear_name(dirfd, name, path, err) < 0)
            return -1;
        fd = openat(dirfd, name, flags, mode);
    }
    if (fd < 0)
        return failed(err, path, "create");
    *ret_fd = fd;
    return 0;
}

int extract_file_end(struct extract *extract, const struct entry *entry, int fd, struct err *err)
{
    (void)extract;
    _cleanup_close_ int owned = fd;
    const struct timespec times[] = {entry->mtime, entry->mtime};
    if (owner_differs(entry) && fchown(owned, entry->uid, entry->gid) < 0)
        return failed(err, entry->path, "set owner of");
    if (entry->xattr_count && set_xattrs(entry, owned, err) < 0)
        return -1;
    if (!file_is_plain(entry) && fchmod(owned, entry->mode & 07777) < 0)
        return failed(err, entry->path, "set mode of");
    if (futimens(owned, times) < 0)
        return failed(err, entry->path, "set time of");
    return 0;
}

static int make_symlink(const struct entry *entry, const char *path, int dirfd, const char *name,
                        struct err *err)
{
    const struct timespec times[] = {entry->mtime, entry->mtime};
    if (!entry->link || !*entry->link || strlen(entry->link) > 4095)
        return refuse(err, ERR_CORRUPT, path, "is a link with an empty or overlong target");
    if (symlinkat(entry->link, dirfd, name) < 0) {
        if (errno != EEXIST)
            return failed(err, path, "make link");
        if (clear_name(dirfd, name, path, err) < 0)
            return -1;
        if (symlinkat(entry->link, dirfd, name) < 0)
            return failed(err, path, "make link");
    }
    if (owner_differs(entry) &&
        fchownat(dirfd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return failed(err, path, "set owner of");
    if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return failed(err, path, "set time of");
    return 0;
}

static int make_fifo(const struct entry *entry, const char *path, int dirfd, const char *name,
                     struct err *err)
{
    const struct timespec times[] = {entry->mtime, entry->mtime};
    if (clear_name(dirfd, name, path, err) < 0)
        return -1;
    if (mknodat(dirfd, name, S_IFIFO | 0600, 0) < 0 ||
        fchownat(dirfd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
        fchmodat(dirfd, name, entry->mode & 0777, 0) < 0 ||
        utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return failed(err, path, "make FIFO");
    return 0;
}

/* A target that this archive did not make is looked for in the lower layers at the end. */
static int make_hardlink(struct extract *extract, const struct entry *entry, const char *path,
                         struct err *err)
{
    char target[TREE_PATH_MAX];
    const char *target_name = NULL, *name = NULL;
    int dirfd = -1, found_fd = -1;
    struct stat st;
    /* "/bin/sh" means the archive's own, as some builders write it */
    if (!entry->link || tree_path_clean(entry->link + strspn(entry->link, "/"), target, err) < 0)
        return refuse(err, ERR_CORRUPT, path, "is a hard link to a name outside of the archive");
    if (!*target || str_eq(target, path))
        return refuse(err, ERR_CORRUPT, path, "is a hard link to itself or to the root");
    /* the walk stands where the target lies: a descriptor for it survives going elsewhere */
    if (tree_walk_parent(&extract->walk, target, NULL, NULL, &dirfd, &target_name, err) < 0)
        return -1;
    _cleanup_close_ int source_dir = dirfd < 0 ? -1 : fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
    if (source_dir >= 0 && fstatat(source_dir, target_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        found_fd = source_dir;
    if (found_fd >= 0 && (S_ISDIR(st.st_mode) || S_ISCHR(st.st_mode)))
        return refuse(err, ERR_CORRUPT, path,
                      "is a hard link to a directory or to something removed");
    if (tree_walk_parent(&extract->walk, path, make_parent, extract, &dirfd, &name, err) < 0)
        return -1;
    if (found_fd >= 0 && linkat(found_fd, target_name, dirfd, name, 0) == 0)
        return 0;
    if (found_fd >= 0 && errno != EEXIST)
        return failed(err, path, "link");
    if (clear_name(dirfd, name, path, err) < 0)
        return -1;
    if (found_fd >= 0)
        return linkat(found_fd, target_name, dirfd, name, 0) < 0 ? failed(err, path, "link") : 0;
    if (!extract->whiteouts)
        return refuse(err, ERR_CORRUPT, path,
                      "is a hard link to something that is not in the archive");
    VEC_ADD(&extract->links, (struct late_link){xstrdup(path), xstrdup(target)});
    return 0;
}

/* Returns 1 when name was a whiteout (done), 0 when it is an ordinary name. */
static int take_whiteout(struct extract *extract, const char *path, struct err *err)
{
    const char *hidden = NULL, *name;
    struct stat st;
    int dirfd;
    enum whiteout kind = extract->whiteouts ? whiteout_of(path, &hidden) : WHITEOUT_NONE;
    if (kind == WHITEOUT_NONE || kind == WHITEOUT_IGNORED)
        return kind == WHITEOUT_IGNORED;
    if (kind == WHITEOUT_BAD)
        return refuse(err, ERR_CORRUPT, path, "is a whiteout of nothing that could have a name");
    if (tree_walk_parent(&extract->walk, path, make_parent, extract, &dirfd, &name, err) < 0)
        return -1;
    if (kind == WHITEOUT_OPAQUE) {
        /* overlayfs does not ask the root: the image's layer list ends here instead */
        extract->root_opaque |= name == path;
        if (name != path && fsetxattr(dirfd, OVERLAY_OPAQUE, "y", 1, 0) < 0)
            return failed(err, path, "make opaque");
        return 1;
    }
    if (mknodat(dirfd, hidden, S_IFCHR, makedev(0, 0)) == 0)
        return 1;
    if (errno != EEXIST)
        return failed(err, path, "make whiteout");
    /* this layer has the name and hides the lower one; a directory must hide lower children, too */
    if (fstatat(dirfd, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
        set_opaque(dirfd, hidden, path, err) < 0)
        return -1;
    return 1;
}

int extract_entry(struct extract *extract, const struct entry *entry, int *ret_fd, struct err *err)
{
    char path[TREE_PATH_MAX];
    const char *name;
    int dirfd;
    *ret_fd = -1;
    if (tree_path_clean(entry->path, path, err) < 0)
        return -1;
    if (!*path)
        return make_root(extract, entry, err);
    int whiteout = take_whiteout(extract, path, err);
    if (whiteout)
        return whiteout < 0 ? -1 : 0;
    if (entry->kind == ENTRY_DEVICE || entry->kind == ENTRY_OTHER) {
        extract->devices++;
        return 0;
    }
    if (entry->kind == ENTRY_HARDLINK)
        return make_hardlink(extract, entry, path, err);
    if (tree_walk_parent(&extract->walk, path, make_parent, extract, &dirfd, &name, err) < 0)
        return -1;
    switch (entry->kind) {
    case ENTRY_FILE:
        return make_file(entry, path, dirfd, name, ret_fd, err);
    case ENTRY_DIRECTORY:
        return make_directory(extract, entry, path, dirfd, name, err);
    case ENTRY_SYMLINK:
        return make_symlink(entry, path, dirfd, name, err);
    default:
        return make_fifo(entry, path, dirfd, name, err);
    }
}

bool extract_needs_lower(const struct extract *extract)
{
    return extract->links.count > 0 || (extract->whiteouts && map_count(extract->implied) > 0);
}

static int finish_links(struct extract *extract, const int *lower_fds, size_t lower_count,
                        struct err *err)
{
    for (size_t i = 0; i < extract->links.count; i++) {
        const struct late_link *link = &extract->links.items[i];
        const char *name;
        int dirfd;
        struct stat st;
        _cleanup_close_ int source = -1;
        if (tree_walk_parent(&extract->walk, link->path, NULL, NULL, &dirfd, &name, err) < 0)
            return -1;
        if (dirfd < 0 || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            continue; /* a later entry took the name or its directory away */
        if (lower_open(lower_fds, lower_count, link->target, &source, err) < 0)
            return -1;
        if (source < 0 || fstat(source, &st) < 0 || S_ISDIR(st.st_mode))
            return refuse(err, ERR_CORRUPT, link->path,
                          "is a hard link to something that is in no layer");
        if (tree_copy_node(source, dirfd, name, err) < 0)
            return err_wrap(err, "copy up");
    }
    return 0;
}

static int finish_implied(struct extract *extract, const int *lower_fds, size_t lower_count,
                          struct err *err)
{
    for (size_t i = 0; i < map_count(extract->implied); i++) {
        const char *path = map_key_at(extract->implied, i), *name;
        struct stat st;
        int dirfd;
        _cleanup_close_ int source = -1;
        if (tree_walk_parent(&extract->walk, path, NULL, NULL, &dirfd, &name, err) < 0 ||
            lower_open(lower_fds, lower_count, path, &source, err) < 0)
            return -1;
        if (dirfd < 0 || source < 0 || fstat(source, &st) < 0 || !S_ISDIR(st.st_mode))
            continue;
        _cleanup_close_ int fd =
            openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && tree_copy_attributes(source, fd, err) < 0)
            return err_wrap(err, "%s", path);
    }
    return 0;
}

/* Deepest last in archives, so backwards: times of parents survive what is done to children. */
static int finish_directories(struct extract *extract, struct err *err)
{
    for (size_t i = extract->ends.count; i-- > 0;) {
        const struct directory_end *end = &extract->ends.items[i];
        const struct timespec times[] = {end->mtime, end->mtime};
        const char *name;
        int dirfd;
        if (tree_walk_parent(&extract->walk, end->path, NULL, NULL, &dirfd, &name, err) < 0)
            return -1;
        if (dirfd < 0)
            continue;
        if (end->set_mode) {
            _cleanup_close_ int fd =
                openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (fd >= 0 && fchmod(fd, end->mode) < 0)
                return failed(err, end->path, "set mode of");
        }
        if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
            return failed(err, end->path, "set time of");
    }
    return 0;
}

int extract_finish(struct extract *extract, const int *lower_fds, size_t lower_count,
                   struct err *err)
{
    if (finish_links(extract, lower_fds, lower_count, err) < 0 ||
        (extract->whiteouts && finish_implied(extract, lower_fds, lower_count, err) < 0) ||
        finish_directories(extract, err) < 0)
        return -1;
    tree_walk_done(&extract->walk);
    const struct timespec times[] = {extract->root_mtime, extract->root_mtime};
    if (extract->root_described && futimens(extract->root_fd, times) < 0)
        return failed(err, "/", "set time of");
    return 0;
}

bool extract_root_is_opaque(const struct extract *extract)
{
    return extract->root_opaque;
}

unsigned extract_dropped_devices(const struct extract *extract)
{
    return extract->devices;
}
