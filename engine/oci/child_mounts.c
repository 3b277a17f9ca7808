/* SPDX-License-Identifier: Apache-2.0 */
/* The file system of an OCI container: its root, the mounts of config.json in their order, its devices. Sources are the host's,
 * targets are found inside the new root by the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/path.h"
#include "engine/engine.h"
#include "engine/oci/child.h"
#include "engine/runtime/sys.h"
#include "engine/runtime/tree.h"

#define OPTIONS_MAX 64

int oci_child_root(struct oci_child *child, struct err *err)
{
    const struct oci_bundle *bundle = child->bundle;
    uint64_t first = bundle->root_propagation & MS_PRIVATE ? MS_PRIVATE : MS_SLAVE;
    if (mount(NULL, "/", NULL, MS_REC | first, NULL) < 0)
        return err_sys(err, "keep mounts from the host");
    _cleanup_close_ int place = open(bundle->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int tree = place < 0 ? -1 : tree_clone(place, "", true);
    if (tree < 0)
        return err_sys(err, "open root file system %s", bundle->rootfs);
    struct tree_attr attr = {.propagation = MS_PRIVATE, .userns_fd = -1};
    if (tree_set_attr(tree, &attr) < 0 || tree_attach(tree, place) < 0)
        return err_sys(err, "mount root file system %s", bundle->rootfs);
    child->setup.root_fd = take_fd(&tree);
    child->setup.null_fd = open("/dev/null", O_PATH | O_CLOEXEC);
    return child->setup.null_fd < 0 ? err_sys(err, "open /dev/null") : 0;
}

/* "size=64k,mode=755" in place → options; the last is {0}. */
static int data_split(char *data, struct fs_option ret_options[OPTIONS_MAX], struct err *err)
{
    size_t count = 0;
    for (char *word; data && (word = strsep(&data, ","));) {
        if (!*word)
            continue;
        if (count == OPTIONS_MAX - 1)
            return err_set(err, ERR_LIMIT, "more than %d options", OPTIONS_MAX - 1);
        char *equals = strchr(word, '=');
        if (equals)
            *equals++ = '\0';
        ret_options[count++] = (struct fs_option){word, equals};
    }
    ret_options[count] = (struct fs_option){0};
    return 0;
}

static int bind_open(const struct oci_child *child, const struct oci_mount *mount, struct err *err)
{
    _cleanup_free_ char *path = path_join(child->bundle_dir, mount->source);
    int tree = tree_clone(AT_FDCWD, path, mount->recursive);
    return tree < 0 ? err_sys(err, "open %s", path) : tree;
}

static int cgroup_view_one(const struct cgroup *cgroup, enum cgroup_controller controller, int parent, const char *name,
                           uint64_t attrs, struct err *err)
{
    _cleanup_close_ int group = cgroup_open_controller(cgroup, controller), target = -1;
    _cleanup_close_ int tree = group < 0 ? -1 : tree_clone(group, "", false);
    struct tree_attr attr = {.set = attrs, .propagation = MS_PRIVATE, .userns_fd = -1};
    if (tree < 0 || tree_set_attr(tree, &attr) < 0 || mkdirat(parent, name, 0755) < 0)
        return err_sys(err, "show the cgroup of %s", name);
    target = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return target < 0 || tree_attach(tree, target) < 0 ? err_sys(err, "mount the cgroup of %s", name) : 0;
}

/* v2: the container's own group. v1: a tmpfs with its group of each hierarchy that it is in. */
static int cgroup_view(const struct oci_child *child, const struct oci_mount *mount, int *ret_tree, struct err *err)
{
    const struct cgroup *cgroup = child->cgroup;
    if (cgroup->mode == CGROUP_V2) {
        _cleanup_close_ int group = cgroup_open_controller(cgroup, CONTROLLER_MEMORY);
        *ret_tree = group < 0 ? -1 : tree_clone(group, "", false);
        struct tree_attr attr = {.set = mount->set, .propagation = MS_PRIVATE, .userns_fd = -1};
        return *ret_tree < 0 || tree_set_attr(*ret_tree, &attr) < 0 ? err_sys(err, "show the cgroup") : 0;
    }
    const struct fs_option options[] = {{"mode", "0755"}, {"size", "64k"}, {0}};
    _cleanup_close_ int tmpfs = -1;
    if (fs_mount_new("tmpfs", options, mount->set & ~(uint64_t)MOUNT_ATTR_RDONLY, &tmpfs, err) < 0)
        return -1;
    *ret_tree = take_fd(&tmpfs);
    return 0;
}

static int cgroup_view_fill(const struct oci_child *child, const struct oci_mount *mount, int tree, struct err *err)
{
    const struct cgroup *cgroup = child->cgroup;
    if (cgroup->mode == CGROUP_V2)
        return 0;
    for (int i = 0; i < CONTROLLER_COUNT_; i++)
        if (cgroup->controllers & 1u << i &&
            cgroup_view_one(cgroup, i, tree, cgroup_controller_names[i], mount->set, err) < 0)
            return -1;
    struct tree_attr attr = {.set = mount->set, .userns_fd = -1};
    return tree_set_attr(tree, &attr) < 0 ? err_sys(err, "set attributes") : 0;
}

static int file_system_make(const struct oci_child *child, const struct oci_mount *mount, int *ret_tree, struct err *err)
{
    _cleanup_free_ char *data = mount->data ? xstrdup(mount->data) : NULL;
    struct fs_option options[OPTIONS_MAX];
    const char *type = mount->type[0] ? mount->type : "none";
    if (str_eq(type, "cgroup") || str_eq(type, "cgroup2"))
        return cgroup_view(child, mount, ret_tree, err);
    if (mount->copy_up)
        return err_set(err, ERR_UNSUPPORTED, "option tmpcopyup is not supported");
    if (data_split(data, options, err) < 0)
        return -1;
    struct err first = {0};
    if (fs_mount_new(type, options, mount->set, ret_tree, &first) == 0)
        return 0;
    if (!str_eq(type, "sysfs") || first.sys_errno != EPERM)
        return err_copy(err, &first);
    /* a network namespace of somebody else's: the host's view, with its own attributes */
    _cleanup_close_ int tree = tree_clone(AT_FDCWD, "/sys", true);
    struct tree_attr attr = {.set = mount->set | MOUNT_ATTR_RDONLY, .propagation = MS_SLAVE, .userns_fd = -1, .recursive = true};
    if (tree < 0 || tree_set_attr(tree, &attr) < 0)
        return err_copy(err, &first);
    *ret_tree = take_fd(&tree);
    return 0;
}

static int attributes_set(int tree, const struct oci_mount *mount, struct err *err)
{
    struct mount_attr attr = {.attr_set = mount->set, .attr_clr = mount->clear & ~mount->set,
                              .propagation = mount->propagation & ~(uint64_t)MS_REC};
    struct mount_attr below = {.attr_set = mount->rec_set, .attr_clr = mount->rec_clear,
                               .propagation = mount->propagation & MS_REC ? attr.propagation : 0};
    if (mount->bind && mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
        return err_sys(err, "set attributes");
    if ((below.attr_set || below.attr_clr || below.propagation) &&
        mount_setattr(tree, "", AT_EMPTY_PATH | TREE_RECURSIVE, &below, sizeof(below)) < 0)
        return err_sys(err, "set attributes of all below");
    return 0;
}

static int mount_one(struct oci_child *child, const struct oci_mount *mount, struct err *err)
{
    struct stat st;
    _cleanup_close_ int tree = -1;
    if (mount->bind)
        tree = bind_open(child, mount, err);
    else if (file_system_make(child, mount, &tree, err) < 0)
        return -1;
    if (tree < 0)
        return -1;
    bool is_file = mount->bind && fstat(tree, &st) == 0 && !S_ISDIR(st.st_mode);
    if (attributes_set(tree, mount, err) < 0)
        return -1;
    _cleanup_close_ int target = setup_target(&child->setup, mount->destination, is_file, err);
    if (target < 0)
        return -1;
    if (tree_attach(tree, target) < 0)
        return err_sys(err, "mount");
    return str_has_prefix(mount->type, "cgroup") ? cgroup_view_fill(child, mount, tree, err) : 0;
}

int oci_child_mounts(struct oci_child *child, struct err *err)
{
    for (size_t i = 0; i < child->bundle->mounts.count; i++)
        if (mount_one(child, &child->bundle->mounts.items[i], err) < 0)
            return err_wrap(err, "mount %s", child->bundle->mounts.items[i].destination);
    return 0;
}

/* A node, or where a user namespace forbids that, the host's by a bind mount. */
static int node_make(struct oci_child *child, const struct oci_device *device, struct err *err)
{
    const char *slash = strrchr(device->path, '/');
    _cleanup_free_ char *parent = xstrndup(device->path, (size_t)(slash - device->path));
    _cleanup_close_ int dir = fs_mkdirs_in_root(child->setup.root_fd, parent[0] ? parent : "/", 0755, 0, 0);
    mode_t kind = device->type == 'b' ? S_IFBLK : device->type == 'p' ? S_IFIFO : S_IFCHR;
    if (dir < 0)
        return err_sys(err, "make %s", parent);
    if (mknodat(dir, slash + 1, kind | device->mode, makedev((unsigned)device->major, (unsigned)device->minor)) == 0)
        return fchownat(dir, slash + 1, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0 ? err_sys(err, "own %s", device->path) : 0;
    if (errno == EEXIST)
        return 0;
    if (errno != EPERM || !child->userns)
        return err_sys(err, "make %s", device->path);
    _cleanup_close_ int tree = tree_clone(AT_FDCWD, device->path, false), target = -1;
    if (tree < 0)
        return err_sys(err, "open %s of the host", device->path);
    target = setup_target(&child->setup, device->path, true, err);
    if (target < 0)
        return -1;
    return tree_attach(tree, target) < 0 ? err_sys(err, "bind %s", device->path) : 0;
}

int oci_child_devices(struct oci_child *child, struct err *err)
{
    static const struct oci_device usual[] = {
        {"/dev/null", 'c', 1, 3, 0666, 0, 0}, {"/dev/zero", 'c', 1, 5, 0666, 0, 0},    {"/dev/full", 'c', 1, 7, 0666, 0, 0},
        {"/dev/random", 'c', 1, 8, 0666, 0, 0}, {"/dev/urandom", 'c', 1, 9, 0666, 0, 0}, {"/dev/tty", 'c', 5, 0, 0666, 0, 0},
    };
    static const struct {
        const char *name, *target;
    } links[] = {{"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
                 {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"}};
    for (size_t i = 0; i < child->bundle->mounts.count; i++) /* the host's /dev is left as it is */
        if (child->bundle->mounts.items[i].bind && str_eq(child->bundle->mounts.items[i].destination, "/dev"))
            return 0;
    for (size_t i = 0; i < child->bundle->devices.count; i++)
        if (node_make(child, &child->bundle->devices.items[i], err) < 0)
            return -1;
    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        if (node_make(child, &usual[i], err) < 0)
            return -1;
    _cleanup_close_ int dev = fs_open_in_root(child->setup.root_fd, "dev", O_PATH | O_DIRECTORY, 0);
    for (size_t i = 0; dev >= 0 && i < ARRAY_LEN(links); i++)
        if (symlinkat(links[i].target, dev, links[i].name) < 0 && errno != EEXIST)
            return err_sys(err, "link /dev/%s", links[i].name);
    return 0;
}
