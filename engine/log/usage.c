/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of logs, summed up (usage.h). */
#include "engine/log/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/log/names.h"

struct sum {
    int dirfd;
    uint64_t bytes;
};

static void file_add(struct log_name name, void *arg)
{
    struct sum *sum = arg;
    struct stat st;
    char text[LOG_NAME_SIZE];
    if (fstatat(sum->dirfd, log_name_format(name, text), &st, AT_SYMLINK_NOFOLLOW) == 0)
        sum->bytes += (uint64_t)st.st_size;
}

void log_usage_sum(const struct layout *layout, struct log_usage *ret_usage)
{
    struct log_usage usage = {0};
    int fd = openat(layout->lib_fd, "containers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        char name[300];
        snprintf(name, sizeof(name), "%s/log", entry->d_name);
        _cleanup_close_ int log =
            entry->d_name[0] == '.' ? -1 : openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct sum sum = {.dirfd = log};
        if (log < 0 || log_names_each(log, file_add, &sum) < 0)
            continue;
        usage.logs++;
        usage.bytes += sum.bytes;
        usage.largest = MAX(usage.largest, sum.bytes);
    }
    if (dir)
        closedir(dir);
    *ret_usage = usage;
}
