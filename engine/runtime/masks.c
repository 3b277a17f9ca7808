/* SPDX-License-Identifier: Apache-2.0 */
/* Masked and read-only paths. Files are covered by a descriptor of a null device that we made and
 * checked; directories by one empty read-only tmpfs. Nothing is taken by name from the image. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "engine/runtime/setup.h"
#include "engine/runtime/sys.h"
#include "engine/runtime/tree.h"

#define CPUS_MAX 8192

static int empty_tree_make(struct setup *setup, struct err *err)
{
    const struct fs_option options[] = {{"size", "0"}, {"mode", "0555"}, {"nr_inodes", "2"}, {0}};
    return fs_mount_new("tmpfs", options,
                        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
                            MOUNT_ATTR_NOEXEC,
                        &setup->empty_tree, err);
}

static int target_mask(struct setup *setup, int target, const char *path, struct err *err)
{
    struct stat st;
    if (fstat(target, &st) < 0)
        return err_sys(err, "examine %s", path);
    _cleanup_close_ int cover = -1;
    if (S_ISDIR(st.st_mode)) {
        if (setup->empty_tree < 0) {
            if (empty_tree_make(setup, err) < 0)
                return -1;
            /* the first place is where the original is mounted; the others get copies of it */
            return tree_attach(setup->empty_tree, target) < 0 ? err_sys(err, "cover %s", path) : 0;
        }
        cover = tree_clone(setup->empty_tree, "", false);
    } else {
        cover = tree_clone(setup->null_fd, "", false);
    }
    if (cover < 0 || tree_attach(cover, target) < 0)
        return err_sys(err, "cover %s", path);
    return 0;
}

/* 1 when the path exists and is masked, 0 when there is none. */
static int path_mask(struct setup *setup, const char *path, struct err *err)
{
    _cleanup_close_ int target = fs_open_in_root(setup->root_fd, path, O_PATH | O_NOFOLLOW, 0);
    if (target < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "open %s", path);
    return target_mask(setup, target, path, err) < 0 ? -1 : 1;
}

/* Masks ".../cpu0/NAME", ".../cpu1/NAME" … for a path ".../cpu*<slash>NAME". */
static int cpus_mask(struct setup *setup, const char *path, const char *star, struct err *err)
{
    char name[512];
    for (int i = 0; i < CPUS_MAX; i++) {
        snprintf(name, sizeof(name), "%.*s%d", (int)(star - path), path, i);
        _cleanup_close_ int cpu = fs_open_in_root(setup->root_fd, name, O_PATH, 0);
        if (cpu < 0)
            break;
        snprintf(name, sizeof(name), "%.*s%d%s", (int)(star - path), path, i, star + 1);
        if (path_mask(setup, name, err) < 0)
            return -1;
    }
    return 0;
}

int setup_masks(struct setup *setup, struct err *err)
{
    for (size_t i = 0; i < setup->spec->masked_paths.count; i++) {
        const char *path = setup->spec->masked_paths.items[i], *star = strchr(path, '*');
        if ((star ? cpus_mask(setup, path, star, err) : path_mask(setup, path, err)) < 0)
            return -1;
    }
    return 0;
}

int setup_readonly(struct setup *setup, struct err *err)
{
    const struct tree_attr attr = {
        .set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        .userns_fd = -1,
        .recursive = true,
    };
    for (size_t i = 0; i < setup->spec->readonly_paths.count; i++) {
        const char *path = setup->spec->readonly_paths.items[i];
        _cleanup_close_ int target = fs_open_in_root(setup->root_fd, path, O_PATH | O_NOFOLLOW, 0);
        if (target < 0 && (errno == ENOENT || errno == ENOTDIR))
            continue;
        _cleanup_close_ int tree = target < 0 ? -1 : tree_clone(target, "", true);
        if (tree < 0 || tree_set_attr(tree, &attr) < 0 || tree_attach(tree, target) < 0)
            return err_sys(err, "make %s read-only", path);
    }
    return 0;
}
