/* SPDX-License-Identifier: Apache-2.0 */
/* A container's files for a process of ours: of a running one through its first process, of a stopped one by mounting what
 * a start would mount, without the file systems of the kernel. Either way the process then becomes the container's own
 * root: what the files lead it to, it can do no more than the container could. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "engine/engine.h"
#include "engine/runtime/setup.h"
#include "engine/runtime/sys.h"
#include "engine/runtime/tree.h"

static int become_root_of(int userns, struct err *err)
{
    if (setns(userns, CLONE_NEWUSER) < 0)
        return err_sys(err, "join the container's user namespace");
    if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return err_sys(err, "become the container's root");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) /* nobody of that namespace traces us */
        return err_sys(err, "refuse to be traced");
    return 0;
}

/* The namespace the project's containers share; -1 with *ret_fd untouched for one in the host's. */
static int userns_open(const struct layout *layout, const struct container_record *record, int *ret_fd, struct err *err)
{
    _cleanup_free_ char *path = NULL;
    if (userns_ensure(layout, record->project, record->spec.id_base, record->spec.id_count, &path, err) < 0)
        return -1;
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? err_sys(err, "open user namespace %s", path) : 0;
}

/* ---- running ---- */

static bool shares_our_userns(pid_t pid)
{
    char path[64];
    struct stat theirs, ours;
    snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
    return stat(path, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 && theirs.st_ino == ours.st_ino &&
           theirs.st_dev == ours.st_dev;
}

static int view_running(const struct layout *layout, const struct container_record *record,
                        const struct container_status *status, int *ret_root, struct err *err)
{
    char path[64];
    _cleanup_close_ int userns = -1, root = -1;
    snprintf(path, sizeof(path), "/proc/%d/root", (int)status->pid);
    root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool host_ids = shares_our_userns(status->pid);
    /* looked at afterwards: then it was the same process all the time */
    if (root < 0 || !proc_is(status->pid, status->start_time))
        return err_set(err, ERR_NOT_FOUND, "container %s ended", record->name);
    if (!host_ids && (userns_open(layout, record, &userns, err) < 0 || become_root_of(userns, err) < 0))
        return -1;
    *ret_root = take_fd(&root);
    return 0;
}

/* ---- stopped ---- */

/* What a start takes while it lives: two writers to one layer would damage it. */
static int lock_take(const struct container_record *record, struct err *err)
{
    _cleanup_free_ char *path = xasprintf("%s/lock", record->spec.run_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600); /* closed by our end */
    if (fd < 0)
        return err_sys(err, "open %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? err_set(err, ERR_BUSY, "container %s is just being started or stopped", record->name)
                                : err_sys(err, "lock %s", path);
}

/* Volumes and binds; the files that are made for each start (secrets, /etc/hosts …) are not there, and a missing source is
 * not the copy's business. */
static void mounts_select(const struct container_record *record, struct container_spec *spec)
{
    size_t run_size = strlen(spec->run_dir), count = 0;
    struct spec_mount *items = xcalloc(spec->mounts.count + 1, sizeof(*items)); /* lives as long as the process */
    for (size_t i = 0; i < spec->mounts.count; i++) {
        struct spec_mount mount = record->spec.mounts.items[i];
        if (mount.kind != MOUNT_BIND || strncmp(mount.source, spec->run_dir, run_size) == 0)
            continue;
        mount.optional = true;
        mount.idmap &= spec->userns != NULL;
        items[count++] = mount;
    }
    spec->mounts.items = items;
    spec->mounts.count = count;
}

/* The writable layer as the first of the read-only ones: what is only read needs no lock. */
static int readonly_root(struct setup *setup, struct err *err)
{
    const struct container_spec *spec = setup->spec;
    _cleanup_free_ char *upper = xasprintf("%s/upper", spec->state_dir);
    _cleanup_free_ char *target = xasprintf("%s/root", spec->run_dir);
    _cleanup_free_ char **paths = xcalloc(spec->layers.count + 2, sizeof(*paths));
    _cleanup_close_ int tree = -1;
    if (spec->layers.count + 1 > SPEC_LAYERS_MAX)
        return err_set(err, ERR_LIMIT, "%zu layers are too many for a copy of a stopped container", spec->layers.count);
    paths[0] = upper;
    for (size_t i = 0; i < spec->layers.count; i++)
        paths[i + 1] = (char *)spec->layers.items[i];
    if (setup_layers_tree(setup, paths, spec->layers.count + 1, &tree, err) < 0)
        return -1;
    if (setup->scratch_fd < 0 && move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return err_sys(err, "mount the root on %s", target);
    if (setup->scratch_fd >= 0) { /* it covers run_dir */
        if (mkdirat(setup->scratch_fd, "root", 0755) < 0)
            return err_sys(err, "make a place for the root");
        _cleanup_close_ int place = openat(setup->scratch_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (place < 0 || tree_attach(tree, place) < 0)
            return err_sys(err, "mount the root");
    }
    setup->root_fd = take_fd(&tree);
    return 0;
}

static int view_stopped(const struct layout *layout, const struct container_record *record, bool write, int *ret_root,
                        struct err *err)
{
    struct container_spec spec = record->spec;
    struct setup setup = {.spec = &spec, .process = &spec.process, .sync = -1, .stdio = {-1, -1, -1}, .init_fd = -1,
                          .target = -1, .userns_fd = -1, .scratch_fd = -1, .root_fd = -1, .proc_fd = -1, .null_fd = -1,
                          .empty_tree = -1, .tty_fd = -1};
    if (container_prepare(layout, &spec, err) < 0 || (write && lock_take(record, err) < 0))
        return -1;
    if (spec.id_count > 0) {
        if (userns_open(layout, record, &setup.userns_fd, err) < 0)
            return -1;
        spec.userns = "";
    }
    mounts_select(record, &spec);
    if (unshare(CLONE_NEWNS) < 0)
        return err_sys(err, "make a mount namespace");
    if (setup_mount_sources(&setup, err) < 0 || setup_private(&setup, err) < 0 || setup_owner(&setup, err) < 0 ||
        (write ? setup_rootfs(&setup, err) : readonly_root(&setup, err)) < 0 || setup_mounts(&setup, err) < 0)
        return -1;
    if (write && spec.read_only) {
        struct tree_attr attr = {.set = MOUNT_ATTR_RDONLY, .userns_fd = -1};
        if (tree_set_attr(setup.root_fd, &attr) < 0)
            return err_sys(err, "make the root read-only");
    }
    if (setup.userns_fd >= 0 && become_root_of(setup.userns_fd, err) < 0)
        return -1;
    *ret_root = setup.root_fd; /* the others end with the process */
    return 0;
}

int container_view_enter(const struct layout *layout, const char *id, bool write, int *ret_root, struct err *err)
{
    static struct container_record *record; /* the specification is in use until the process ends */
    struct container_status status;
    if (container_record_load(layout, id, &record, err) < 0 || container_status_read(layout, id, &status, err) < 0)
        return -1;
    bool runs = status.state == STATE_RUNNING || status.state == STATE_PAUSED;
    int result = runs ? view_running(layout, record, &status, ret_root, err)
                      : view_stopped(layout, record, write, ret_root, err);
    return result < 0 ? err_wrap(err, "container %s", record->name) : 0;
}
