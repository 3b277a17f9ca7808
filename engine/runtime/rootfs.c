/* SPDX-License-Identifier: Apache-2.0 */
/* The container's root: an overlay of id-mapped layers and an id-mapped upper directory.
 *
 * Layers lie on disk with the image's own ids and are shared by all containers; the id-mapped
 * copies show them as the container's. The overlay is mounted with fsuid = fsgid = the container
 * root's host id and capabilities kept: with fsuid 0 the same mount succeeds and is silently
 * read-only, because the mounter's id has no place in the upper. Where the kernel takes no
 * descriptors for layers (before 6.13) they are attached in a scratch tmpfs under short names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "engine/runtime/setup.h"
#include "engine/runtime/sync.h"
#include "engine/runtime/sys.h"
#include "engine/runtime/tree.h"

int setup_scratch(struct setup *setup, struct err *err)
{
    if (setup->scratch_fd >= 0)
        return 0;
    char owner[16];
    snprintf(owner, sizeof(owner), "%u", setup->root_uid);
    const struct fs_option options[] = {
        {"mode", "0755"}, {"size", "16m"}, {"uid", owner}, {"gid", owner}, {0}};
    _cleanup_close_ int tmpfs = -1;
    if (fs_mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &tmpfs, err) < 0)
        return -1;
    if (move_mount(tmpfs, "", AT_FDCWD, setup->spec->run_dir, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return err_sys(err, "mount scratch space on %s", setup->spec->run_dir);
    setup->scratch_fd = take_fd(&tmpfs);
    return 0;
}

/* Layers on their way into an overlay. Detached copies are dissolved when their descriptor is
 * closed, so all stay open until the overlay is mounted. */
struct layers {
    bool by_fd;
    int sync; /* the descriptors end at the monitor, which has more time to close them */
    int trees[SPEC_LAYERS_MAX + 1]; /* the last is upper's */
    size_t count;
    char list[SPEC_LAYERS_MAX * 8]; /* "0:1:…" relative to the scratch tmpfs */
};
#define LAYERS_INIT(setup)                                                                         \
    {                                                                                              \
        .by_fd = true, .sync = (setup)->sync                                                       \
    }

static void layers_done(struct layers *layers)
{
    sync_keep(layers->sync, layers->trees, layers->count);
    while (layers->count > 0)
        close(layers->trees[--layers->count]);
}

/* Attaches a tree below the scratch tmpfs as name. */
static int scratch_attach(struct setup *setup, int tree, const char *name, struct err *err)
{
    if (setup_scratch(setup, err) < 0)
        return -1;
    if (mkdirat(setup->scratch_fd, name, 0755) < 0 && errno != EEXIST)
        return err_sys(err, "make scratch directory %s", name);
    _cleanup_close_ int target =
        openat(setup->scratch_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0 || tree_attach(tree, target) < 0)
        return err_sys(err, "attach scratch directory %s", name);
    return 0;
}

static int layer_clone(struct setup *setup, const char *path, int *ret_tree, struct err *err)
{
    int tree = tree_clone_mapped(AT_FDCWD, path, setup->userns_fd);
    if (tree < 0) {
        int number = errno;
        err_sys(err, "show layer %s with the container's ids", path);
        if (number == EINVAL)
            err_hint(err, "the file system below the layers does not support id-mapped mounts: use "
                          "userns_mode: host");
        return -1;
    }
    *ret_tree = tree;
    return 0;
}

/* Names of one byte, for 128 layers as relative names: fsconfig(2) takes strings up to 255 bytes. */
static void scratch_name(unsigned number, char ret_name[8])
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xab\xac\xad\xae\xaf"
                                  "\xb1\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xbb\xbc\xbd\xbe\xbf"
                                  "\xc1\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xcb\xcc\xcd\xce\xcf"
                                  "\xd1\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xdb\xdc\xdd\xde\xdf"
                                  "\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xeb\xec\xed\xee\xef";
    size_t size = 0;
    do {
        ret_name[size++] = letters[number % (sizeof(letters) - 1)];
        number /= sizeof(letters) - 1;
    } while (number > 0 && size < 7);
    ret_name[size] = '\0';
}

/* Adds one layer; with the first, finds out whether the kernel takes descriptors. */
static int layer_add(struct setup *setup, int context, int tree, struct layers *layers,
                     struct err *err)
{
    if (layers->by_fd) {
        if (fsconfig(context, FSCONFIG_SET_FD, "lowerdir+", NULL, tree) == 0)
            return 0;
        if (layers->count > 1)
            return err_sys(err, "overlay: add layer %zu", layers->count);
        layers->by_fd = false; /* Linux before 6.13 */
    }
    char name[8];
    size_t used = strlen(layers->list);
    scratch_name(setup->scratch_names++, name);
    snprintf(layers->list + used, sizeof(layers->list) - used, "%s%s", used ? ":" : "", name);
    return scratch_attach(setup, tree, name, err);
}

static int layers_add(struct setup *setup, int context, char *const *paths, size_t count,
                      struct layers *layers, struct err *err)
{
    if (count > SPEC_LAYERS_MAX)
        return err_set(err, ERR_LIMIT, "%zu layers, more than %d", count, SPEC_LAYERS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (layer_clone(setup, paths[i], &layers->trees[layers->count], err) < 0)
            return -1;
        layers->count++;
        if (layer_add(setup, context, layers->trees[layers->count - 1], layers, err) < 0)
            return -1;
    }
    if (layers->by_fd)
        return 0;
    if (fchdir(setup->scratch_fd) < 0)
        return err_sys(err, "enter scratch space");
    if (fsconfig(context, FSCONFIG_SET_STRING, "lowerdir", layers->list, 0) < 0)
        return err_sys(err, "overlay: set layers");
    return 0;
}

static int context_mount(int context, unsigned attrs, int *ret_mount, struct err *err)
{
    (void)fsconfig(context, FSCONFIG_SET_STRING, "source", "overlay",
                   0); /* only shown in mountinfo */
    if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        err_sys(err, "mount overlay");
        fs_context_explain(context, err);
        return -1;
    }
    int mount_fd = fsmount(context, FSMOUNT_CLOEXEC, attrs);
    if (mount_fd < 0)
        return err_sys(err, "mount overlay");
    *ret_mount = mount_fd;
    return 0;
}

/* upper and work of the container, through an id-mapped copy of its state directory. */
static int upper_add(struct setup *setup, int context, struct layers *layers, struct err *err)
{
    const char *state_dir = setup->spec->state_dir;
    int tree = tree_clone_mapped(AT_FDCWD, state_dir, setup->userns_fd);
    if (tree < 0)
        return err_sys(err, "show %s with the container's ids", state_dir);
    layers->trees[layers->count++] = tree;
    /* "volatile" leaves this mark, which forbids the next mount; a container's layer survives no
     * crash of the host anyway */
    (void)unlinkat(tree, "work/work/incompat/volatile/dirty",
                   0); /* the directory's removal tells */
    if (unlinkat(tree, "work/work/incompat/volatile", AT_REMOVEDIR) < 0 && errno != ENOENT &&
        errno != ENOTDIR)
        return err_sys(err, "remove the volatile mark of %s", state_dir);
    if (!layers->by_fd) {
        if (scratch_attach(setup, tree, "state", err) < 0)
            return -1;
        if (fsconfig(context, FSCONFIG_SET_STRING, "upperdir", "state/upper", 0) < 0 ||
            fsconfig(context, FSCONFIG_SET_STRING, "workdir", "state/work", 0) < 0)
            return err_sys(err, "overlay: set the writable layer");
        return 0;
    }
    _cleanup_close_ int upper =
        openat(tree, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_close_ int work = openat(tree, "work", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (upper < 0 || work < 0)
        return err_sys(err, "open the writable layer in %s", state_dir);
    if (fsconfig(context, FSCONFIG_SET_FD, "upperdir", NULL, upper) < 0 ||
        fsconfig(context, FSCONFIG_SET_FD, "workdir", NULL, work) < 0)
        return err_sys(err, "overlay: set the writable layer");
    return 0;
}

int setup_layers_tree(struct setup *setup, char *const *paths, size_t count, int *ret_tree,
                      struct err *err)
{
    if (count == 1)
        return layer_clone(setup, paths[0], ret_tree, err);
    _cleanup_(layers_done) struct layers layers = LAYERS_INIT(setup);
    _cleanup_close_ int context = fsopen("overlay", FSOPEN_CLOEXEC);
    if (context < 0)
        return err_sys(err, "open file system type overlay");
    if (layers_add(setup, context, paths, count, &layers, err) < 0)
        return -1;
    return context_mount(context, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, ret_tree, err);
}

int setup_rootfs(struct setup *setup, struct err *err)
{
    const struct container_spec *spec = setup->spec;
    _cleanup_(layers_done) struct layers layers = LAYERS_INIT(setup);
    _cleanup_close_ int context = fsopen("overlay", FSOPEN_CLOEXEC), mount_fd = -1;
    if (context < 0)
        return err_sys(err, "open file system type overlay");
    if (layers_add(setup, context, (char *const *)spec->layers.items, spec->layers.count, &layers,
                   err) < 0 ||
        upper_add(setup, context, &layers, err) < 0)
        return -1;
    if (fsconfig(context, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
        return err_sys(err, "overlay option volatile");
    if (context_mount(context, MOUNT_ATTR_NODEV, &mount_fd, err) < 0)
        return -1;
    struct statvfs fs;
    if (fstatvfs(mount_fd, &fs) < 0)
        return err_sys(err, "examine the overlay");
    if (fs.f_flag & ST_RDONLY)
        return err_set(
            err, ERR_UNSUPPORTED,
            "the overlay came up read-only: its writable layer does not take the container's ids");
    if (setup->scratch_fd < 0) {
        _cleanup_free_ char *target = xasprintf("%s/root", spec->run_dir);
        if (move_mount(mount_fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
            return err_sys(err, "mount the root on %s", target);
    } else if (scratch_attach(setup, mount_fd, "root", err) < 0) {
        return -1;
    }
    setup->root_fd = take_fd(&mount_fd);
    return 0;
}

int setup_pivot(struct setup *setup, struct err *err)
{
    if (fchdir(setup->root_fd) < 0)
        return err_sys(err, "enter the new root");
    if (setup->spec->read_only) {
        struct tree_attr attr = {.set = MOUNT_ATTR_RDONLY, .userns_fd = -1};
        if (tree_set_attr(setup->root_fd, &attr) < 0)
            return err_sys(err, "make the root read-only");
    }
    /* the old root lands on top of the new one and is taken off again: no directory of the image is
     * needed */
    if (sys_pivot_root(".", ".") < 0)
        return err_sys(err, "pivot_root");
    if (umount2(".", MNT_DETACH) < 0)
        return err_sys(err, "detach the host's root");
    if (chdir("/") < 0)
        return err_sys(err, "enter /");
    return 0;
}
