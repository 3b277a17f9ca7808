/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a container's mounts and what may be mounted where. A parent is mounted before its children, or it
 * would hide them; everything else keeps the order in which it was written. Only the bind check looks at the host. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/str.h"
#include "volumes/volume.h"

static size_t depth(const char *target)
{
    size_t count = 0;
    for (; *target; target++)
        count += *target == '/' && target[1] != '\0' && target[1] != '/';
    return count;
}

static const char *kind_text(const struct volume_mount *mount)
{
    switch (mount->kind) {
    case VOLUME_MOUNT_VOLUME:
        return "volume";
    case VOLUME_MOUNT_BIND:
        return "bind";
    case VOLUME_MOUNT_TMPFS:
        return "tmpfs";
    case VOLUME_MOUNT_FILE:
        return "file";
    }
    return "mount";
}

int mount_list_order(struct volume_mount *mounts, size_t count, struct err *err)
{
    /* insertion by depth: stable, and lists are short */
    for (size_t i = 1; i < count; i++) {
        struct volume_mount mount = mounts[i];
        size_t level = depth(mount.target), at = i;
        for (; at > 0 && depth(mounts[at - 1].target) > level; at--)
            mounts[at] = mounts[at - 1];
        mounts[at] = mount;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (str_eq(mounts[i].target, mounts[j].target))
                return err_set(err, ERR_CONFIG, "duplicate mount target '%s': %s '%s' and %s '%s'", mounts[i].target,
                               kind_text(&mounts[i]), mounts[i].source ? mounts[i].source : "", kind_text(&mounts[j]),
                               mounts[j].source ? mounts[j].source : "");
    return 0;
}

/* files below /proc that lxcfs replaces: the only ones that may be covered */
static const char *const proc_files[] = {
    "/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/slabinfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
};

static bool is_below(const char *path, const char *directory)
{
    size_t size = strlen(directory);
    return strncmp(path, directory, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

int mount_target_check(const char *target, struct err *err)
{
    _cleanup_free_ char *clean = target && target[0] == '/' ? path_clean(target) : NULL;
    if (!clean)
        return err_set(err, ERR_CONFIG, "mount target '%s' is not absolute", target ? target : "");
    if (str_eq(clean, "/"))
        return err_set(err, ERR_CONFIG, "mount target '/' would hide the whole root file system");
    if (is_below(clean, "/proc")) {
        for (size_t i = 0; i < ARRAY_LEN(proc_files); i++)
            if (str_eq(clean, proc_files[i]))
                return 0;
        return err_set(err, ERR_CONFIG, "mount target '%s' is refused: /proc is the kernel's", clean);
    }
    if (str_eq(clean, "/sys") || str_eq(clean, "/dev"))
        return err_set(err, ERR_CONFIG, "mount target '%s' is refused: winch fills it itself", clean);
    return 0;
}

int bind_source_check(const char *path, bool create, bool *ret_is_file, struct err *err)
{
    struct stat st;
    if (!path || path[0] != '/')
        return err_set(err, ERR_CONFIG, "bind source '%s' is not absolute", path ? path : "");
    if (stat(path, &st) < 0) {
        if (errno != ENOENT)
            return err_sys(err, "bind source %s", path);
        if (!create)
            return err_set(err, ERR_NOT_FOUND, "bind source path does not exist: %s", path);
        if (fs_mkdirs(AT_FDCWD, path, 0755, err) < 0)
            return err_wrap(err, "make bind source %s", path);
        *ret_is_file = false;
        return 0;
    }
    *ret_is_file = !S_ISDIR(st.st_mode);
    return 0;
}
