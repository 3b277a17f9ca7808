/* SPDX-License-Identifier: Apache-2.0 */
/* The container's volumes, binds, tmpfs and file mounts, in the order of the list. Sources are
 * opened before the mounts become private (else "slave" and "shared" would mean nothing); targets
 * are found inside the new root by the kernel and kept as descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "engine/runtime/setup.h"
#include "engine/runtime/sync.h"
#include "engine/runtime/sys.h"
#include "engine/runtime/tree.h"

#define PROC_MAGIC 0x9fa0

static const uint64_t propagation_flags[] = {
    [PROP_PRIVATE] = MS_PRIVATE, [PROP_RPRIVATE] = MS_PRIVATE, [PROP_SLAVE] = MS_SLAVE,
    [PROP_RSLAVE] = MS_SLAVE,    [PROP_SHARED] = MS_SHARED,    [PROP_RSHARED] = MS_SHARED,
};

static uint64_t mount_attrs(const struct spec_mount *mount)
{
    return (mount->read_only ? MOUNT_ATTR_RDONLY : 0) | (mount->exec ? 0 : MOUNT_ATTR_NOEXEC) |
           (mount->suid ? 0 : MOUNT_ATTR_NOSUID) | (mount->dev ? 0 : MOUNT_ATTR_NODEV);
}

static int source_clone(const struct spec_mount *mount, struct err *err)
{
    int tree;
    if (mount->subpath && mount->subpath[0]) {
        _cleanup_close_ int base = open(mount->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int below =
            base < 0 ? -1 : fs_open_in_root(base, mount->subpath, O_PATH, 0);
        if (below < 0)
            return err_sys(err, "open subpath '%s' of %s", mount->subpath, mount->source);
        tree = tree_clone(below, "", mount->recursive);
    } else {
        tree = tree_clone(AT_FDCWD, mount->source, mount->recursive);
    }
    return tree < 0 ? err_sys(err, "open %s", mount->source) : tree;
}

/* Attributes of a bind; an id-map that the file system does not support is left out, with a note.
 */
static int source_adjust(struct setup *setup, const struct spec_mount *mount, int tree,
                         struct err *err)
{
    struct tree_attr attr = {
        .set = mount_attrs(mount),
        .propagation = propagation_flags[mount->propagation],
        .userns_fd = mount->idmap ? setup->userns_fd : -1,
        .recursive = mount->recursive,
    };
    if (tree_set_attr(tree, &attr) == 0)
        return 0;
    if (attr.userns_fd < 0 || (errno != EINVAL && errno != EPERM))
        return err_sys(err, "set attributes of %s", mount->source);
    attr.userns_fd = -1;
    if (tree_set_attr(tree, &attr) < 0)
        return err_sys(err, "set attributes of %s", mount->source);
    sync_note(
        setup->sync,
        "mount '%s': its file system does not support id-mapping, owners appear as on the host",
        mount->target);
    return 0;
}

int setup_mount_sources(struct setup *setup, struct err *err)
{
    const struct container_spec *spec = setup->spec;
    setup->trees = xcalloc(spec->mounts.count + 1, sizeof(*setup->trees));
    for (size_t i = 0; i < spec->mounts.count; i++) {
        const struct spec_mount *mount = &spec->mounts.items[i];
        setup->trees[i] = -1;
        if (mount->kind != MOUNT_BIND)
            continue;
        int tree = source_clone(mount, err);
        if (tree < 0 && mount->optional) {
            sync_note(setup->sync, "mount '%s' was left out: %s", mount->target, err->message);
            err_clear(err);
            continue;
        }
        if (tree < 0 || source_adjust(setup, mount, tree, err) < 0)
            return err_wrap(err, "mount '%s'", mount->target);
        setup->trees[i] = tree;
    }
    return 0;
}

static int tmpfs_make(struct setup *setup, const struct spec_mount *mount, int *ret_tree,
                      struct err *err)
{
    char size[32], mode[16], uid[16], gid[16];
    snprintf(size, sizeof(size), "%llu", (unsigned long long)mount->size_bytes);
    snprintf(mode, sizeof(mode), "%o", mount->mode ? mount->mode : 01777);
    snprintf(uid, sizeof(uid), "%u", setup->root_uid + mount->uid);
    snprintf(gid, sizeof(gid), "%u", setup->root_uid + mount->gid);
    const struct fs_option options[] = {
        {"mode", mode}, {"uid", uid}, {"gid", gid}, {mount->size_bytes ? "size" : NULL, size}, {0},
    };
    return fs_mount_new("tmpfs", options, mount_attrs(mount), ret_tree, err);
}

/* Puts the content into a file of the scratch space, which is bounded, and returns the file's tree. */
static int file_make(struct setup *setup, const struct spec_mount *mount, size_t index,
                     int *ret_tree, struct err *err)
{
    char name[32];
    if (setup_scratch(setup, err) < 0)
        return -1;
    snprintf(name, sizeof(name), "file%zu", index);
    _cleanup_close_ int fd =
        openat(setup->scratch_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || fd_write_all(fd, mount->content, mount->content_size) < 0 ||
        fchown(fd, setup->root_uid + mount->uid, setup->root_uid + mount->gid) < 0 ||
        fchmod(fd, mount->mode ? mount->mode : 0444) < 0)
        return err_sys(err, "write the file's content");
    _cleanup_close_ int tree = tree_clone(setup->scratch_fd, name, false);
    struct tree_attr attr = {
        .set = mount_attrs(mount), .propagation = MS_PRIVATE, .userns_fd = -1};
    if (tree < 0 || tree_set_attr(tree, &attr) < 0)
        return err_sys(err, "open the file's content");
    *ret_tree = take_fd(&tree);
    return 0;
}

static int layers_make(struct setup *setup, const struct spec_mount *mount, int *ret_tree,
                       struct err *err)
{
    _cleanup_free_ char *copy = xstrdup(mount->source);
    char *paths[SPEC_LAYERS_MAX], *rest = copy;
    size_t count = 0;
    while (rest && count < SPEC_LAYERS_MAX)
        paths[count++] = strsep(&rest, ":");
    if (rest)
        return err_set(err, ERR_LIMIT, "more than %d layers", SPEC_LAYERS_MAX);
    _cleanup_close_ int tree = -1;
    if (setup_layers_tree(setup, paths, count, &tree, err) < 0)
        return -1;
    if (mount->subpath && mount->subpath[0]) {
        _cleanup_close_ int below = fs_open_in_root(tree, mount->subpath, O_PATH, 0);
        int part = below < 0 ? -1 : tree_clone(below, "", false);
        if (part < 0)
            return err_sys(err, "open subpath '%s' of the image", mount->subpath);
        close_fdp(&tree);
        tree = part;
    }
    struct tree_attr attr = {.set = mount_attrs(mount) | MOUNT_ATTR_RDONLY, .userns_fd = -1};
    if (tree_set_attr(tree, &attr) < 0)
        return err_sys(err, "set attributes");
    *ret_tree = take_fd(&tree);
    return 0;
}

#define LINK_HOPS 8

static int target_open(struct setup *setup, const char *target, bool is_file, int hops,
                       struct err *err);

/* An image may have a link that leads to nothing where a file is to be (/etc/resolv.conf into /run):
 * what it names inside the root is made. */
static int target_follow(struct setup *setup, int dir, const char *parent, const char *name,
                         int hops, struct err *err)
{
    char link[PATH_MAX];
    ssize_t size = readlinkat(dir, name, link, sizeof(link) - 1);
    if (size < 0 || hops == LINK_HOPS) {
        errno = size < 0 ? ENOENT : ELOOP;
        return err_sys(err, "make the target");
    }
    link[size] = '\0';
    _cleanup_free_ char *next = link[0] == '/' ? xstrdup(link) : xasprintf("%s/%s", parent, link);
    return target_open(setup, next, true, hops + 1, err);
}

/* A file or directory below the root at target, made when missing. */
static int target_open(struct setup *setup, const char *target, bool is_file, int hops,
                       struct err *err)
{
    uid_t owner = setup->root_uid;
    int fd = fs_open_in_root(setup->root_fd, target, O_PATH, 0);
    if (fd >= 0 || errno != ENOENT)
        return fd < 0 ? err_sys(err, "open the target") : fd;
    if (!is_file) {
        fd = fs_mkdirs_in_root(setup->root_fd, target, 0755, owner, owner);
        return fd < 0 ? err_sys(err, "make the target") : fd;
    }
    const char *slash = strrchr(target, '/');
    _cleanup_free_ char *parent = xstrndup(target, slash ? (size_t)(slash - target) : 0);
    _cleanup_close_ int dir =
        fs_mkdirs_in_root(setup->root_fd, parent[0] ? parent : "/", 0755, owner, owner);
    _cleanup_close_ int made =
        dir < 0 ? -1
                : fs_open_in_root(setup->root_fd, target,
                                  O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK, 0644);
    if (made < 0 && dir >= 0 && errno == ENOENT)
        return target_follow(setup, dir, parent, slash ? slash + 1 : target, hops, err);
    if (made < 0)
        return err_sys(err, "make the target");
    fd = fs_open_in_root(setup->root_fd, target, O_PATH, 0);
    return fd < 0 ? err_sys(err, "open the target") : fd;
}

/* Our own writes to /proc must stay real: nothing is mounted there but files in the manner of
 * lxcfs. */
static int target_check(int target, const char *path, struct err *err)
{
    static const char *const allowed[] = {"/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo",
                                          "/proc/stat",    "/proc/swaps",     "/proc/uptime",
                                          "/proc/loadavg", "/proc/slabinfo"};
    struct statfs fs;
    if (fstatfs(target, &fs) < 0)
        return err_sys(err, "examine the target");
    if (fs.f_type != PROC_MAGIC)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
        if (str_eq(path, allowed[i]))
            return 0;
    return err_set(err, ERR_CONFIG, "nothing may be mounted in /proc");
}

int setup_target(struct setup *setup, const char *path, bool is_file, struct err *err)
{
    _cleanup_close_ int target = target_open(setup, path, is_file, 0, err);
    return target < 0 || target_check(target, path, err) < 0 ? -1 : take_fd(&target);
}

static int mount_one(struct setup *setup, size_t index, struct err *err)
{
    const struct spec_mount *mount = &setup->spec->mounts.items[index];
    _cleanup_close_ int tree = take_fd(&setup->trees[index]);
    bool is_file = mount->is_file;
    struct stat st;
    if (mount->kind == MOUNT_BIND && tree < 0)
        return 0; /* optional, its source was missing */
    if (mount->kind == MOUNT_TMPFS && tmpfs_make(setup, mount, &tree, err) < 0)
        return -1;
    if (mount->kind == MOUNT_FILE && file_make(setup, mount, index, &tree, err) < 0)
        return -1;
    if (mount->kind == MOUNT_LAYERS && layers_make(setup, mount, &tree, err) < 0)
        return -1;
    if (fstat(tree, &st) == 0)
        is_file = !S_ISDIR(st.st_mode);
    _cleanup_close_ int target = setup_target(setup, mount->target, is_file, err);
    if (target < 0)
        return -1;
    return tree_attach(tree, target) < 0 ? err_sys(err, "mount") : 0;
}

int setup_mounts(struct setup *setup, struct err *err)
{
    for (size_t i = 0; i < setup->spec->mounts.count; i++) {
        const struct spec_mount *mount = &setup->spec->mounts.items[i];
        if (mount_one(setup, i, err) == 0)
            continue;
        err_wrap(err, "mount '%s'", mount->target);
        if (!mount->optional)
            return -1;
        sync_note(setup->sync, "%s", err->message);
        err_clear(err);
    }
    return 0;
}
