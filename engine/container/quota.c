/* SPDX-License-Identifier: Apache-2.0 */
/* quota.c - storage_opt size: a project quota over the directories that a container writes to (quotactl(2), ioctl_xfs_fsgetxattr).
 * ext4 and xfs have it when they are mounted with prjquota. */
#include "engine/container/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

#define BLOCK_BYTES 1024 /* of dqb_bhardlimit */

static int limit_set(int fd, uint32_t project, uint64_t blocks)
{
    struct if_dqblk quota = { .dqb_bhardlimit = blocks, .dqb_bsoftlimit = blocks, .dqb_valid = QIF_BLIMITS };
    return (int)syscall(SYS_quotactl_fd, fd, QCMD(Q_SETQUOTA, PRJQUOTA), project, &quota);
}

/* From the container's id: 31 of its random bits. */
static uint32_t project_of(const char *id)
{
    char digits[9] = "";
    memcpy(digits, id, 8);
    return (uint32_t)strtoul(digits, NULL, 16) >> 1 | 1;
}

static int directory_mark(int fd, uint32_t project)
{
    struct fsxattr attr;
    if (ioctl(fd, FS_IOC_FSGETXATTR, &attr) < 0)
        return -1;
    attr.fsx_projid = project;
    attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
    return ioctl(fd, FS_IOC_FSSETXATTR, &attr);
}

int quota_set(int state_dirfd, const char *id, int64_t bytes, struct err *err)
{
    static const char *const names[] = { "upper", "work" };
    uint32_t project = project_of(id);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        _cleanup_close_ int fd = openat(state_dirfd, names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return err_sys(err, "open %s", names[i]);
        if (directory_mark(fd, project) == 0 &&
            (i > 0 || limit_set(fd, project, (uint64_t)(bytes + BLOCK_BYTES - 1) / BLOCK_BYTES) == 0))
            continue;
        err_set(err, ERR_UNSUPPORTED, "storage_opt: size: the file system of the containers has no project quota: %s",
                strerror(errno));
        return err_hint(err, "mount it as ext4 or xfs with the option prjquota");
    }
    return 0;
}

void quota_clear(int state_dirfd, const char *id)
{
    struct fsxattr attr;
    uint32_t project = project_of(id);
    _cleanup_close_ int fd = openat(state_dirfd, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && ioctl(fd, FS_IOC_FSGETXATTR, &attr) == 0 && attr.fsx_projid == project)
        (void)limit_set(fd, project, 0); /* the number is free again when the last file is gone */
}
