/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a container's cgroup and of the groups below it, each looked up in /proc. Names and arguments are whatever
 * the container's processes say they are. libc only. */
#include "engine/runtime/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/vec.h"
#include "engine/engine.h"
#include "engine/runtime/cgroup.h"
#include "engine/runtime/cgroup_tree.h"

#define DEPTH_MAX     32 /* groups that a container made in its own */
#define PROCESSES_MAX 100000
#define COMMAND_MAX   4096
#define PTS_MAJOR     136 /* to 143 */

struct pids {
    pid_t *items;
    size_t count, capacity;
};

static void pids_read(int dirfd, struct pids *pids)
{
    _cleanup_close_ int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");
    char line[32];
    if (!stream)
        return;
    fd = -1; /* the stream's */
    while (fgets(line, sizeof(line), stream) && pids->count < PROCESSES_MAX) {
        long pid = strtol(line, NULL, 10);
        if (pid > 0)
            VEC_ADD(pids, (pid_t)pid);
    }
    fclose(stream);
}

static void tree_read(int dirfd, int depth, struct pids *pids)
{
    pids_read(dirfd, pids);
    int copy = depth < DEPTH_MAX ? openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        _cleanup_close_ int sub = openat(dirfd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (sub >= 0)
            tree_read(sub, depth + 1, pids);
    }
    if (dir)
        closedir(dir);
}

bool process_parse(const char *stat, long ticks, int64_t boot_ns, struct process *ret_process)
{
    const char *name = strchr(stat, '('), *end = strrchr(stat, ')');
    long long field[23] = {0};
    if (!name || !end || end < name || ticks <= 0 || end[1] != ' ' || !end[2])
        return false;
    char *at = (char *)end + 3; /* behind the state, field 3 */
    for (int i = 4; i <= 22; i++) {
        char *next;
        field[i] = strtoll(at, &next, 10);
        if (next == at)
            return false;
        at = next;
    }
    unsigned long long device = (unsigned long long)field[7];
    unsigned major = device >> 8 & 0xfff, minor = (device & 0xff) | (device >> 12 & 0xfff00);
    *ret_process = (struct process){
        .pid = (pid_t)strtol(stat, NULL, 10),
        .parent = (pid_t)field[4],
        .terminal = major >= PTS_MAJOR && major < PTS_MAJOR + 8 ? (int)(minor + (major - PTS_MAJOR) * 256) : -1,
        .cpu_us = (field[14] + field[15]) * 1000000 / ticks,
        .started_ns = boot_ns + field[22] * (1000000000 / ticks),
        .command = xasprintf("[%.*s]", (int)(end - name - 1), name + 1),
    };
    return true;
}

static int64_t uid_read(int dirfd, const struct container_spec *spec, char *text, size_t size)
{
    long long uid = -1;
    if (cgroup_file_read(dirfd, "status", text, size) > 0) {
        const char *line = strstr(text, "\nUid:");
        uid = line ? strtoll(line + strlen("\nUid:"), NULL, 10) : -1;
    }
    return spec->id_count > 0 && uid >= spec->id_base && uid < spec->id_base + spec->id_count ? uid - spec->id_base : uid;
}

static void command_read(int dirfd, char *text, struct process *process)
{
    _cleanup_close_ int fd = openat(dirfd, "cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, COMMAND_MAX);
    while (size > 0 && text[size - 1] == '\0')
        size--;
    if (size <= 0)
        return;
    for (ssize_t i = 0; i < size; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    free(process->command);
    process->command = xstrndup(text, (size_t)size);
}

static bool process_read(pid_t pid, const struct container_spec *spec, int64_t boot_ns, struct process *ret_process)
{
    char path[32], text[COMMAND_MAX + 1];
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    _cleanup_close_ int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0 || cgroup_file_read(dirfd, "stat", text, sizeof(text)) <= 0 ||
        !process_parse(text, sysconf(_SC_CLK_TCK), boot_ns, ret_process))
        return false;
    ret_process->uid = uid_read(dirfd, spec, text, sizeof(text));
    command_read(dirfd, text, ret_process);
    return true;
}

static int by_pid(const void *a, const void *b)
{
    pid_t first = *(const pid_t *)a, second = *(const pid_t *)b;
    return first < second ? -1 : first > second;
}

/* Where every member is listed: the v2 tree, else the group of any v1 controller. */
static int group_open(const struct container_spec *spec, struct err *err)
{
    struct cgroup cgroup = CGROUP_NONE;
    if (!spec->cgroup_path)
        return err_set(err, ERR_NOT_FOUND, "container %.12s has no cgroup", spec->id);
    if (cgroup_find(spec, &cgroup, err) < 0)
        return -1;
    int dirfd = cgroup.unified_fd >= 0 ? cgroup.unified_fd : cgroup_open_controller(&cgroup, CONTROLLER_PIDS);
    if (dirfd < 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "container %.12s is not running", spec->id)
                               : err_sys(err, "open the cgroup of container %.12s", spec->id);
    return dirfd;
}

int processes_list(const struct container_spec *spec, struct process **ret_items, size_t *ret_count, struct err *err)
{
    _cleanup_close_ int dirfd = group_open(spec, err);
    struct pids pids = {0};
    if (dirfd < 0)
        return -1;
    int64_t boot_ns = clock_wall_ns() - clock_boottime_us() * 1000;
    tree_read(dirfd, 0, &pids);
    if (pids.count)
        qsort(pids.items, pids.count, sizeof(*pids.items), by_pid);
    struct process *items = xcalloc(pids.count + 1, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; i < pids.count; i++)
        count += process_read(pids.items[i], spec, boot_ns, &items[count]);
    VEC_DONE(&pids);
    *ret_items = items;
    *ret_count = count;
    return 0;
}

void processes_free(struct process *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(items[i].command);
    free(items);
}
