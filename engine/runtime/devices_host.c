/* SPDX-License-Identifier: Apache-2.0 */
/* devices_host.c - `privileged` shows every device of the host. Nodes are made anew in the container's /dev, so that removing
 * one inside removes nothing outside. libc only. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/runtime/setup.h"

#define DEPTH_MAX 4
#define NODES_MAX 8192

/* What the container has of its own. */
static bool is_own(const char *name)
{
    static const char *const names[] = {"pts", "shm", "mqueue", "fd", "console", "ptmx", "hugepages"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

static int folder_copy(int from, int to, int depth, size_t *count, struct err *err);

static int entry_copy(int from, int to, const char *name, int depth, size_t *count, struct err *err)
{
    struct stat st;
    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : err_sys(err, "examine /dev/…/%s", name); /* unplugged */
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
        if (++*count > NODES_MAX)
            return err_set(err, ERR_LIMIT, "more than %d devices in /dev", NODES_MAX);
        if (mknodat(to, name, st.st_mode, st.st_rdev) < 0)
            return errno == EEXIST ? 0 : err_sys(err, "make the device %s", name);
        if (fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
            return err_sys(err, "set the owner of the device %s", name);
        return 0;
    }
    if (!S_ISDIR(st.st_mode) || depth == DEPTH_MAX)
        return 0;
    _cleanup_close_ int below = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0)
        return errno == ENOENT ? 0 : err_sys(err, "open /dev/…/%s", name);
    if (mkdirat(to, name, 0755) < 0 && errno != EEXIST)
        return err_sys(err, "make /dev/…/%s", name);
    _cleanup_close_ int made = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return made < 0 ? err_sys(err, "open /dev/…/%s", name) : folder_copy(below, made, depth + 1, count, err);
}

static int folder_copy(int from, int to, int depth, size_t *count, struct err *err)
{
    int copy = fcntl(from, F_DUPFD_CLOEXEC, 3), result = 0;
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    if (!dir) {
        close_fdp(&copy);
        return err_sys(err, "read /dev");
    }
    while (result == 0 && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && !is_own(entry->d_name))
            result = entry_copy(from, to, entry->d_name, depth, count, err);
    closedir(dir);
    return result;
}

int devices_copy(int dev, struct err *err)
{
    size_t count = 0;
    _cleanup_close_ int host = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return host < 0 ? err_sys(err, "open /dev") : folder_copy(host, dev, 1, &count, err);
}
