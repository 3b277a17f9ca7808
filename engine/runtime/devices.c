/* SPDX-License-Identifier: Apache-2.0 */
/* /dev of the container: a tmpfs mounted by the host's root, so that nodes made in it work although
 * the container lives in a user namespace; terminals; extra devices. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "engine/runtime/apifs.h"
#include "engine/runtime/devices.h"
#include "engine/runtime/setup.h"
#include "engine/runtime/sync.h"
#include "engine/runtime/sys.h"
#include "engine/runtime/tree.h"

#define TTY_GROUP    5 /* inside gid of terminals, as in every Linux distribution */
#define SHM_DEFAULT  (64 * 1024 * 1024LL)
#define DEVPTS_MAGIC 0x1cd1

static const struct {
    const char *name;
    unsigned major, minor;
} nodes[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
             {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

static const struct {
    const char *name, *target;
} links[] = {
    {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
};

static int nodes_make(struct setup *setup, int dev, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
        if (mknodat(dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) <
            0)
            return err_sys(err, "make /dev/%s", nodes[i].name);
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        if (symlinkat(links[i].target, dev, links[i].name) < 0)
            return err_sys(err, "link /dev/%s", links[i].name);
    setup->null_fd = openat(dev, "null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (setup->null_fd < 0 || fstat(setup->null_fd, &st) < 0)
        return err_sys(err, "open /dev/null");
    if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
        return err_set(err, ERR_INTERNAL, "/dev/null is not the null device");
    return 0;
}

static int below_dev_mount(int dev, const char *name, const char *type,
                           const struct fs_option *options, uint64_t attrs, struct err *err)
{
    if (mkdirat(dev, name, 0755) < 0)
        return err_sys(err, "make /dev/%s", name);
    _cleanup_close_ int target = openat(dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                        mount_fd = -1;
    if (target < 0)
        return err_sys(err, "open /dev/%s", name);
    if (fs_mount_new(type, options, attrs, &mount_fd, err) < 0)
        return -1;
    return tree_attach(mount_fd, target) < 0 ? err_sys(err, "mount /dev/%s", name) : 0;
}

/* /dev/shm belongs to the ipc namespace: with a joined one it is the other's. Its mount can only be
 * copied from inside the namespace it is in. */
int setup_shm_source(struct setup *setup, struct err *err)
{
    const struct container_spec *spec = setup->spec;
    struct statfs fs;
    if (spec->ipc.mode == NS_HOST) {
        setup->shm_tree = tree_clone(AT_FDCWD, "/dev/shm", false);
        return setup->shm_tree < 0 ? err_sys(err, "open /dev/shm") : 0;
    }
    if (!spec->shm_ns)
        return 0;
    _cleanup_close_ int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    _cleanup_close_ int other = open(spec->shm_ns, O_RDONLY | O_CLOEXEC);
    if (own < 0 || other < 0 || setns(other, CLONE_NEWNS) < 0)
        return err_sys(err, "enter %s", spec->shm_ns);
    _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int shm = root < 0 ? -1 : fs_open_in_root(root, "dev/shm", O_PATH | O_NOFOLLOW, 0);
    if (shm >= 0 && fstatfs(shm, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
        setup->shm_tree = tree_clone(shm, "", false);
    int number = errno;
    if (setns(own, CLONE_NEWNS) < 0)
        return err_sys(err, "leave %s", spec->shm_ns);
    return setup->shm_tree < 0 ? err_sysno(err, number, "open /dev/shm of the container joined") : 0;
}

static int shm_mount(struct setup *setup, int dev, const struct fs_option *options, struct err *err)
{
    const uint64_t plain = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (setup->spec->shm_bytes < 0)
        return 0;
    if (setup->shm_tree < 0)
        return below_dev_mount(dev, "shm", "tmpfs", options, plain, err);
    struct tree_attr attr = {.set = plain, .propagation = MS_PRIVATE, .userns_fd = -1};
    if (mkdirat(dev, "shm", 0755) < 0)
        return err_sys(err, "make /dev/shm");
    _cleanup_close_ int target = openat(dev, "shm", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0 || tree_set_attr(setup->shm_tree, &attr) < 0 ||
        tree_attach(setup->shm_tree, target) < 0)
        return err_sys(err, "mount /dev/shm of the container joined");
    return 0;
}

int setup_dev(struct setup *setup, struct err *err)
{
    char owner[16], tty_group[16], shm_size[32];
    snprintf(owner, sizeof(owner), "%u", setup->root_uid);
    snprintf(tty_group, sizeof(tty_group), "%u", setup->root_uid + TTY_GROUP);
    snprintf(shm_size, sizeof(shm_size), "%lld",
             setup->spec->shm_bytes ? (long long)setup->spec->shm_bytes : SHM_DEFAULT);
    const struct fs_option dev_options[] = {
        {"mode", "0755"}, {"size", "65536k"}, {"uid", owner}, {"gid", owner}, {0}};
    const struct fs_option pts_options[] = {
        {"newinstance", NULL}, {"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", tty_group}, {0}};
    const struct fs_option shm_options[] = {
        {"mode", "1777"}, {"size", shm_size}, {"uid", owner}, {"gid", owner}, {0}};
    const uint64_t plain = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    _cleanup_close_ int dev = -1;
    if (apifs_mount(setup, "dev", "tmpfs", dev_options,
                    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_STRICTATIME, &dev, err) < 0)
        return -1;
    if (nodes_make(setup, dev, err) < 0)
        return -1;
    if (below_dev_mount(dev, "pts", "devpts", pts_options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                        err) < 0 ||
        shm_mount(setup, dev, shm_options, err) < 0 ||
        below_dev_mount(dev, "mqueue", "mqueue", NULL, plain, err) < 0)
        return -1;
    return setup->spec->privileged ? devices_copy(dev, err) : 0;
}

int setup_devices(struct setup *setup, struct err *err)
{
    for (size_t i = 0; i < setup->spec->devices.count; i++) {
        const struct spec_device *device = &setup->spec->devices.items[i];
        const char *target = device->target ? device->target : device->source;
        struct stat st;
        if (stat(device->source, &st) < 0)
            return err_sys(err, "device '%s'", device->source);
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
            return err_set(err, ERR_CONFIG, "'%s' is not a device", device->source);
        const char *slash = strrchr(target, '/');
        if (!slash || !str_has_prefix(target, "/dev/") || slash[1] == '\0')
            return err_set(err, ERR_CONFIG, "device target '%s' is not below /dev", target);
        _cleanup_free_ char *parent = xstrndup(target, (size_t)(slash - target));
        _cleanup_close_ int dir =
            fs_mkdirs_in_root(setup->root_fd, parent, 0755, setup->root_uid, setup->root_uid);
        if (dir < 0)
            return err_sys(err, "make %s", parent);
        /* permissions beyond the mode are the device cgroup's */
        mode_t mode =
            (st.st_mode & S_IFMT) | (st.st_mode & 07777 ? st.st_mode & 0666 : 0666) | 0600;
        if (mknodat(dir, slash + 1, mode, st.st_rdev) < 0 && errno != EEXIST)
            return err_sys(err, "make %s", target);
        if (device->mode && fchmodat(dir, slash + 1, device->mode & 0777, 0) < 0)
            return err_sys(err, "set the mode of %s", target);
        if ((device->uid || device->gid) &&
            fchownat(dir, slash + 1, setup->root_uid + device->uid, setup->root_uid + device->gid,
                     AT_SYMLINK_NOFOLLOW) < 0)
            return err_sys(err, "set the owner of %s", target);
    }
    return 0;
}

int terminal_open(int rootfd, uid_t uid, int *ret_master, int *ret_slave, struct err *err)
{
    _cleanup_close_ int master = fs_open_in_root(rootfd, "dev/pts/ptmx", O_RDWR | O_NOCTTY, 0);
    struct statfs fs;
    struct stat st;
    int unlock = 0;
    if (master < 0)
        return err_sys(err, "open /dev/pts/ptmx");
    if (fstatfs(master, &fs) < 0 || fstat(master, &st) < 0)
        return err_sys(err, "examine /dev/pts/ptmx");
    if (fs.f_type != DEVPTS_MAGIC || st.st_rdev != makedev(5, 2))
        return err_set(err, ERR_DENIED,
                       "/dev/pts/ptmx in the container is not a terminal multiplexer");
    if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
        return err_sys(err, "unlock the terminal");
    _cleanup_close_ int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return err_sys(err, "open the terminal");
    if (fchown(slave, uid, (gid_t)-1) < 0)
        return err_sys(err, "give the terminal to its user");
    *ret_master = take_fd(&master);
    *ret_slave = take_fd(&slave);
    return 0;
}

int terminal_take(int slave, struct err *err)
{
    if (ioctl(slave, TIOCSCTTY, 0) < 0)
        return err_sys(err, "make the terminal controlling");
    for (int i = 0; i < 3; i++)
        if (dup2(slave, i) < 0)
            return err_sys(err, "use the terminal");
    return 0;
}

int setup_terminal(struct setup *setup, struct err *err)
{
    if (!setup->process->tty)
        return 0;
    _cleanup_close_ int master = -1;
    if (terminal_open(setup->root_fd, setup->root_uid + setup->ids.uid, &master, &setup->tty_fd,
                      err) < 0)
        return -1;
    if (setup->target >= 0)
        return sync_tty(setup->sync, master, err);
    /* /dev/console is our terminal, as with other engines */
    _cleanup_close_ int console =
        fs_open_in_root(setup->root_fd, "dev/console", O_CREAT | O_EXCL | O_WRONLY, 0600);
    _cleanup_close_ int target =
        console < 0 ? -1 : fs_open_in_root(setup->root_fd, "dev/console", O_PATH | O_NOFOLLOW, 0);
    _cleanup_close_ int tree = tree_clone(setup->tty_fd, "", false);
    if (target < 0 || tree < 0 || tree_attach(tree, target) < 0)
        return err_sys(err, "bind /dev/console");
    return sync_tty(setup->sync, master, err);
}
