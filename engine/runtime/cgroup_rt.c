/* SPDX-License-Identifier: Apache-2.0 */
/* Real-time budgets under cgroup v1: a group may have as much as its parent has left, and new
 * groups have none, so every group above the container's is given what its children need
 * (Documentation/scheduler/sched-rt-group.rst). libc only. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/runtime/cgroup_tree.h"

#define RUNTIME_FILE      "cpu.rt_runtime_us"
#define PERIOD_DEFAULT_US 1000000
#define LEVELS_MAX        16

static int64_t runtime_read(int dirfd)
{
    char text[32];
    return cgroup_file_read(dirfd, RUNTIME_FILE, text, sizeof(text)) > 0 ? strtoll(text, NULL, 10)
                                                                         : 0;
}

/* What the sub-groups of path but one have together. */
static int64_t children_sum(const char *path, const char *but)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int64_t sum = 0;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || str_eq(entry->d_name, but))
            continue;
        _cleanup_close_ int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        sum += fd < 0 ? 0 : runtime_read(fd);
    }
    if (dir)
        closedir(dir);
    return sum;
}

int cgroup_rt_make_room(const char *root, const char *path, const struct spec_resources *resources,
                        struct err *err)
{
    char full[4096];
    size_t ends[LEVELS_MAX], level = 0, root_size = strlen(root);
    int64_t needs[LEVELS_MAX];
    int64_t period_us =
        resources->cpu_rt_period_us ? resources->cpu_rt_period_us : PERIOD_DEFAULT_US;
    if (snprintf(full, sizeof(full), "%s/%s", root, path) >= (int)sizeof(full))
        return err_set(err, ERR_LIMIT, "cgroup path is too long");
    int64_t need = resources->cpu_rt_runtime_us * PERIOD_DEFAULT_US / period_us;
    for (char *slash; (slash = strrchr(full, '/')) > full + root_size && level < LEVELS_MAX;) {
        *slash = '\0';
        need += children_sum(full, slash + 1);
        ends[level] = strlen(full);
        needs[level++] = need;
    }
    while (level-- > 0) { /* from the top: each takes from the one above */
        char text[32];
        snprintf(full, sizeof(full), "%s/%s", root, path);
        full[ends[level]] = '\0';
        _cleanup_close_ int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return err_sys(err, "open cgroup %s", full);
        if (runtime_read(fd) >= needs[level])
            continue;
        snprintf(text, sizeof(text), "%" PRId64, needs[level]);
        if (cgroup_file_write(fd, RUNTIME_FILE, text) < 0)
            return err_sys(err, "real-time budget: give %s us of a second to cgroup %s", text, full);
    }
    return 0;
}
