/* SPDX-License-Identifier: Apache-2.0 */
/* /proc, /sys and the view of the container's own cgroups. In the image these names must be real
 * directories: a link there would move our mounts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "engine/engine.h"
#include "engine/runtime/apifs.h"
#include "engine/runtime/cgroup_tree.h"
#include "engine/runtime/setup.h"
#include "engine/runtime/sys.h"
#include "engine/runtime/tree.h"

#define KERNEL_FS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

int apifs_target(const struct setup *setup, const char *name, int *ret_fd, struct err *err)
{
    int fd = openat(setup->root_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && mkdirat(setup->root_fd, name, 0755) == 0)
        fd = openat(setup->root_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
        struct stat st;
        bool is_link =
            fstatat(setup->root_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
        return err_set(err, ERR_CONFIG, "rootfs: /%s is %s", name,
                       is_link ? "a symbolic link" : "not a directory");
    }
    if (fd < 0)
        return err_sys(err, "rootfs: /%s", name);
    *ret_fd = fd;
    return 0;
}

int apifs_mount(const struct setup *setup, const char *name, const char *type,
                const struct fs_option *options, uint64_t attrs, int *ret_mount, struct err *err)
{
    _cleanup_close_ int target = -1, mount_fd = -1;
    if (apifs_target(setup, name, &target, err) < 0 ||
        fs_mount_new(type, options, attrs, &mount_fd, err) < 0)
        return -1;
    if (tree_attach(mount_fd, target) < 0)
        return err_sys(err, "mount %s on /%s", type, name);
    if (ret_mount)
        *ret_mount = take_fd(&mount_fd);
    return 0;
}

int setup_proc(struct setup *setup, struct err *err)
{
    return apifs_mount(setup, "proc", "proc", NULL, KERNEL_FS, &setup->proc_fd, err);
}

int setup_sys(struct setup *setup, struct err *err)
{
    uint64_t attrs = KERNEL_FS | (setup->spec->privileged ? 0 : MOUNT_ATTR_RDONLY);
    if (setup->spec->net.mode != NS_HOST)
        return apifs_mount(setup, "sys", "sysfs", NULL, attrs, NULL, err);
    /* the host's network: its sysfs, with all below it read-only */
    _cleanup_close_ int target = -1;
    if (apifs_target(setup, "sys", &target, err) < 0)
        return -1;
    _cleanup_close_ int tree = tree_clone(AT_FDCWD, "/sys", false);
    struct tree_attr attr = {.set = attrs, .propagation = MS_PRIVATE, .userns_fd = -1};
    if (tree < 0 || tree_set_attr(tree, &attr) < 0 || tree_attach(tree, target) < 0)
        return err_sys(err, "bind /sys");
    return 0;
}

/* A copy of one controller's group as /sys/fs/cgroup/NAME: nothing above the container's own group
 * is reachable. */
static int controller_show(struct setup *setup, enum cgroup_controller controller, int parent,
                           const char *name, struct err *err)
{
    _cleanup_close_ int group = cgroup_open_controller(setup->cgroup, controller);
    _cleanup_close_ int tree = group < 0 ? -1 : tree_clone(group, "", false);
    struct tree_attr attr = {
        .set = KERNEL_FS | MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE, .userns_fd = -1};
    if (tree < 0 || tree_set_attr(tree, &attr) < 0)
        return err_sys(err, "show the cgroup");
    _cleanup_close_ int target = -1;
    if (name && mkdirat(parent, name, 0755) < 0)
        return err_sys(err, "make /sys/fs/cgroup/%s", name);
    target = name ? openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                  : openat(parent, ".", O_PATH | O_CLOEXEC);
    if (target < 0 || tree_attach(tree, target) < 0)
        return err_sys(err, "mount the cgroup");
    return 0;
}

static int host_tree_show(int target, struct err *err)
{
    _cleanup_close_ int tree = tree_clone(AT_FDCWD, CGROUP_ROOT, false);
    struct tree_attr attr = {
        .set = KERNEL_FS | MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE, .userns_fd = -1};
    if (tree < 0 || tree_set_attr(tree, &attr) < 0 || tree_attach(tree, target) < 0)
        return err_sys(err, "show the host's cgroups");
    return 0;
}

int setup_cgroup_view(struct setup *setup, struct err *err)
{
    if (!setup->cgroup)
        return 0;
    _cleanup_close_ int target =
        fs_open_in_root(setup->root_fd, "sys/fs/cgroup", O_PATH | O_DIRECTORY, 0);
    if (target < 0)
        return err_sys(err, "open /sys/fs/cgroup");
    if (setup->cgroup->mode == CGROUP_V2 && setup->spec->cgroup.mode == NS_HOST)
        return host_tree_show(target, err); /* so that the path in /proc/self/cgroup leads somewhere */
    if (setup->cgroup->mode == CGROUP_V2)
        return controller_show(setup, CONTROLLER_MEMORY, target, NULL, err);
    _cleanup_close_ int tmpfs = -1;
    const struct fs_option options[] = {{"mode", "0755"}, {"size", "64k"}, {0}};
    if (fs_mount_new("tmpfs", options, KERNEL_FS, &tmpfs, err) < 0)
        return -1;
    if (tree_attach(tmpfs, target) < 0)
        return err_sys(err, "mount tmpfs on /sys/fs/cgroup");
    for (int i = 0; i < CONTROLLER_COUNT_; i++)
        if (setup->cgroup->controllers & 1u << i &&
            controller_show(setup, i, tmpfs, cgroup_controller_names[i], err) < 0)
            return err_wrap(err, "controller %s", cgroup_controller_names[i]);
    struct tree_attr attr = {.set = MOUNT_ATTR_RDONLY, .userns_fd = -1};
    return tree_set_attr(tmpfs, &attr) < 0 ? err_sys(err, "make /sys/fs/cgroup read-only") : 0;
}
