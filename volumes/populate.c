/* SPDX-License-Identifier: Apache-2.0 */
/* First use of a volume: the copy of what the image has at the mount target. It is made beside the data and takes its
 * place in one rename, so a reader never sees half of it and an interrupted copy is made again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "volumes/meta.h"

static int is_empty(int dirfd, const char *name, bool *ret_empty, struct err *err)
{
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        return err_sysno(err, saved, "open %s", name);
    }
    bool empty = true;
    const struct dirent *entry;
    while (empty && (entry = readdir(dir)))
        empty = str_eq(entry->d_name, ".") || str_eq(entry->d_name, "..");
    closedir(dir);
    *ret_empty = empty;
    return 0;
}

static int populated_note(int dir, struct volume_info *info, struct err *err)
{
    if (info->populated)
        return 0;
    info->populated = true;
    return volume_meta_save(dir, info, err);
}

static int begin(int dir, struct volume_info *info, int *ret_dirfd, struct err *err)
{
    bool empty;
    if (info->populated) {
        *ret_dirfd = -1;
        return 0;
    }
    if (is_empty(dir, VOLUME_DATA, &empty, err) < 0)
        return -1;
    if (!empty) {
        if (populated_note(dir, info, err) < 0)
            return -1;
        *ret_dirfd = -1;
        return 0;
    }
    if (fs_remove_tree(dir, VOLUME_DATA_NEW, err) < 0)
        return -1;
    if (mkdirat(dir, VOLUME_DATA_NEW, 0755) < 0)
        return err_sys(err, "make " VOLUME_DATA_NEW);
    int fd = openat(dir, VOLUME_DATA_NEW, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0755) < 0) {
        err_sys(err, "open " VOLUME_DATA_NEW);
        close_fdp(&fd);
        return -1;
    }
    *ret_dirfd = fd;
    return 0;
}

static int commit(int dir, struct volume_info *info, struct err *err)
{
    if (info->populated)
        return 0;
    if (fs_exists(dir, VOLUME_DATA_NEW)) {
        bool empty;
        _cleanup_close_ int fd = openat(dir, VOLUME_DATA_NEW, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return err_sys(err, "open " VOLUME_DATA_NEW);
        if (is_empty(dir, VOLUME_DATA_NEW, &empty, err) < 0)
            return -1;
        if (!empty && syncfs(fd) < 0) /* names must not become durable before the bytes they name */
            return err_sys(err, "sync " VOLUME_DATA_NEW);
        if (renameat(dir, VOLUME_DATA_NEW, dir, VOLUME_DATA) < 0) /* replaces an empty directory only */
            return err_sys(err, "rename " VOLUME_DATA_NEW);
    }
    return populated_note(dir, info, err);
}

static int volume_open(const struct layout *layout, const char *name, int *ret_dir, int *ret_lock, struct volume_info *ret_info,
                       struct err *err)
{
    _cleanup_close_ int volumes_fd = -1, dir = -1, lock = -1;
    if (volumes_open(layout, false, &volumes_fd, err) < 0 || volumes_lock(volumes_fd, &lock, err) < 0 ||
        volume_dir_open(volumes_fd, name, &dir, err) < 0 || volume_meta_load(layout, volumes_fd, name, ret_info, err) < 0)
        return err_wrap(err, "fill volume '%s'", name);
    *ret_dir = take_fd(&dir);
    *ret_lock = take_fd(&lock);
    return 0;
}

int volume_populate_begin(const struct layout *layout, const char *name, int *ret_dirfd, struct err *err)
{
    _cleanup_close_ int dir = -1, lock = -1;
    _cleanup_(volume_info_done) struct volume_info info = { 0 };
    if (volume_open(layout, name, &dir, &lock, &info, err) < 0)
        return -1;
    if (begin(dir, &info, ret_dirfd, err) < 0)
        return err_wrap(err, "fill volume '%s'", name);
    return 0;
}

int volume_populate_commit(const struct layout *layout, const char *name, struct err *err)
{
    _cleanup_close_ int dir = -1, lock = -1;
    _cleanup_(volume_info_done) struct volume_info info = { 0 };
    if (volume_open(layout, name, &dir, &lock, &info, err) < 0)
        return -1;
    if (commit(dir, &info, err) < 0)
        return err_wrap(err, "fill volume '%s'", name);
    return 0;
}
