/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd_exit.h; the struct is written out because the headers of older systems lack it (uapi/linux/pidfd.h, Linux 6.15). */
#include "engine/monitor/pidfd_exit.h"

#include <stdint.h>
#include <sys/ioctl.h>

struct info {
    uint64_t mask, cgroupid;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
    uint32_t coredump_mask, spare;
};
#define GET_INFO  _IOWR(0xff, 11, struct info)
#define INFO_EXIT (1u << 3)

int pidfd_exit_status(int pidfd)
{
    struct info info = { .mask = INFO_EXIT };
    if (pidfd < 0 || ioctl(pidfd, GET_INFO, &info) < 0 || !(info.mask & INFO_EXIT))
        return -1;
    return info.exit_code;
}
