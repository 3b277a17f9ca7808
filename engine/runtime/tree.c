/* SPDX-License-Identifier: Apache-2.0 */
/* Thin calls of the descriptor-based mount interface (Linux 5.2 and later; mount_setattr 5.12).
 * libc only. */
#include "engine/runtime/tree.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "engine/runtime/sys.h"

int tree_clone(int dirfd, const char *path, bool recursive)
{
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    if (path[0] == '\0')
        flags |= AT_EMPTY_PATH;
    return open_tree(dirfd, path, flags | (recursive ? TREE_RECURSIVE : 0));
}

int tree_set_attr(int tree, const struct tree_attr *attr)
{
    struct mount_attr kernel = {.attr_set = attr->set, .propagation = attr->propagation};
    if (attr->userns_fd >= 0) {
        kernel.attr_set |= MOUNT_ATTR_IDMAP;
        kernel.userns_fd = (uint64_t)attr->userns_fd;
    }
    return mount_setattr(tree, "", AT_EMPTY_PATH | (attr->recursive ? TREE_RECURSIVE : 0), &kernel,
                         sizeof(kernel));
}

int tree_clone_mapped(int dirfd, const char *path, int userns_fd)
{
    _cleanup_close_ int tree = tree_clone(dirfd, path, false);
    struct tree_attr attr = {.userns_fd = userns_fd, .propagation = MS_PRIVATE};
    if (tree < 0 || tree_set_attr(tree, &attr) < 0)
        return -1;
    return take_fd(&tree);
}

int tree_attach(int tree, int target)
{
    return move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

void fs_context_explain(int context, struct err *err)
{
    char line[512];
    ssize_t got;
    while (err && (got = read(context, line, sizeof(line) - 1)) > 0) {
        line[got] = '\0';
        line[strcspn(line, "\n")] = '\0';
        if (str_has_prefix(line, "e ")) /* "e overlay: …" is an error, w and i are chatter */
            err_hint(err, "the kernel says: %s", line + 2);
    }
}

int fs_mount_new(const char *type, const struct fs_option *options, uint64_t attrs, int *ret_mount,
                 struct err *err)
{
    _cleanup_close_ int context = fsopen(type, FSOPEN_CLOEXEC);
    if (context < 0)
        return err_sys(err, "open file system type %s", type);
    (void)fsconfig(context, FSCONFIG_SET_STRING, "source", type, 0); /* only shown in mountinfo */
    for (; options && options->key; options++)
        if (fsconfig(context, options->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
                     options->key, options->value, 0) < 0)
            return err_sys(err, "%s option %s=%s", type, options->key,
                           options->value ? options->value : "");
    if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return err_sys(err, "mount %s", type);
    int mount_fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned)attrs);
    if (mount_fd < 0)
        return err_sys(err, "mount %s", type);
    *ret_mount = mount_fd;
    return 0;
}
