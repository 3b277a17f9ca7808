/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd_exit.h; the struct is written out because the headers of older systems lack it
 * (uapi/linux/pidfd.h, Linux 6.15). */
#include "engine/monitor/pidfd_exit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

struct info {
    uint64_t mask, cgroupid;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
    uint32_t coredump_mask, spare;
};
#define GET_INFO        _IOWR(0xff, 11, struct info)
#define INFO_EXIT       (1u << 3)
#define FIELD_STATE     3
#define FIELD_START     22
#define FIELD_EXIT_CODE 52

/* The zombie's exit code, -1 when it is none or another process. */
static int zombie_status(pid_t pid, uint64_t start_time)
{
    char path[48], text[2048];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[got > 0 ? got : 0] = '\0';
    char *at = strrchr(text, ')'); /* the name before it may hold anything */
    for (int field = FIELD_STATE; at; field++) {
        at = strchr(at, ' ');
        if (!at)
            break;
        at++;
        if (field == FIELD_STATE && *at != 'Z')
            return -1;
        if (field == FIELD_START && strtoull(at, NULL, 10) != start_time)
            return -1;
        if (field == FIELD_EXIT_CODE)
            return (int)strtol(at, NULL, 10);
    }
    return -1;
}

int foreign_exit_status(pid_t pid, uint64_t start_time, int pidfd)
{
    int status = zombie_status(pid, start_time);
    struct info info = {.mask = INFO_EXIT};
    if (status >= 0)
        return status;
    if (pidfd < 0 || ioctl(pidfd, GET_INFO, &info) < 0 || !(info.mask & INFO_EXIT))
        return -1;
    return info.exit_code;
}
