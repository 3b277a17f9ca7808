/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to the members of a container's cgroups: signals, freezing, removal, out-of-memory
 * counts (cgroup.h). libc only. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/engine.h"
#include "engine/runtime/cgroup.h"
#include "engine/runtime/cgroup_tree.h"

#define REMOVE_TRIES    200
#define REMOVE_PAUSE_US 1000
#define FREEZE_TRIES    500

static void pause_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* The group whose members are everything in the container: the v2 tree, else the v1 freezer, else
 * pids. */
static int members_open(const struct cgroup *cgroup)
{
    if (cgroup->unified_fd >= 0)
        return openat(cgroup->unified_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return cgroup_open_controller(cgroup, cgroup->controllers & 1u << CONTROLLER_FREEZER
                                              ? CONTROLLER_FREEZER
                                              : CONTROLLER_PIDS);
}

/* Sends signo to every process listed in dirfd/cgroup.procs; the number found. */
static int procs_signal(int dirfd, int signo)
{
    _cleanup_close_ int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    char buffer[4096];
    size_t kept = 0;
    int found = 0;
    ssize_t got;
    while (fd >= 0 && (got = read(fd, buffer + kept, sizeof(buffer) - kept - 1)) > 0) {
        char *line = buffer, *end;
        buffer[kept + (size_t)got] = '\0';
        while ((end = strchr(line, '\n'))) {
            long pid = strtol(line, NULL, 10);
            if (pid > 0) {
                (void)kill((pid_t)pid, signo); /* may be gone since it was listed */
                found++;
            }
            line = end + 1;
        }
        kept = strlen(line);
        memmove(buffer, line, kept);
    }
    return found;
}

/* Calls procs_signal for the group and its direct sub-groups (ours: exec-N). */
static int tree_signal(int dirfd, int signo)
{
    int found = procs_signal(dirfd, signo);
    int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir)
        return found;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        _cleanup_close_ int sub = openat(dirfd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (sub >= 0)
            found += tree_signal(sub, signo);
    }
    closedir(dir);
    return found;
}

int cgroup_freeze(const struct cgroup *cgroup, bool frozen, struct err *err)
{
    char text[256] = "";
    if (cgroup->unified_fd >= 0) {
        if (cgroup_file_write(cgroup->unified_fd, "cgroup.freeze", frozen ? "1" : "0") < 0)
            return err_sys(err, "write cgroup.freeze");
        for (int i = 0; i < FREEZE_TRIES; i++) {
            if (cgroup_file_read(cgroup->unified_fd, "cgroup.events", text, sizeof(text)) < 0)
                return err_sys(err, "read cgroup.events");
            if (!!strstr(text, "frozen 1") == frozen)
                return 0;
            pause_us(REMOVE_PAUSE_US);
        }
        return err_set(err, ERR_TIMEOUT, "processes did not %s", frozen ? "freeze" : "thaw");
    }
    _cleanup_close_ int dirfd = cgroup_open_controller(cgroup, CONTROLLER_FREEZER);
    if (dirfd < 0)
        return err_sys(err, "open the freezer group");
    for (int i = 0; i < FREEZE_TRIES; i++) {
        if (cgroup_file_write(dirfd, "freezer.state", frozen ? "FROZEN" : "THAWED") < 0)
            return err_sys(err, "write freezer.state");
        if (cgroup_file_read(dirfd, "freezer.state", text, sizeof(text)) < 0)
            return err_sys(err, "read freezer.state");
        if (str_has_prefix(text, frozen ? "FROZEN" : "THAWED"))
            return 0;
        pause_us(REMOVE_PAUSE_US);
    }
    return err_set(err, ERR_TIMEOUT, "processes did not %s", frozen ? "freeze" : "thaw");
}

bool cgroup_is_frozen(const struct cgroup *cgroup)
{
    char text[256] = "";
    if (cgroup->unified_fd >= 0)
        return cgroup_file_read(cgroup->unified_fd, "cgroup.events", text, sizeof(text)) > 0 && strstr(text, "frozen 1");
    _cleanup_close_ int dirfd = cgroup_open_controller(cgroup, CONTROLLER_FREEZER);
    return dirfd >= 0 && cgroup_file_read(dirfd, "freezer.state", text, sizeof(text)) > 0 && str_has_prefix(text, "FROZEN");
}

int cgroup_signal(const struct cgroup *cgroup, int signo, struct err *err)
{
    if (signo == SIGKILL && cgroup->unified_fd >= 0 &&
        cgroup_file_write(cgroup->unified_fd, "cgroup.kill", "1") == 0)
        return 0;
    _cleanup_close_ int dirfd = members_open(cgroup);
    if (dirfd < 0)
        return errno == ENOENT ? 0 : err_sys(err, "open the container's cgroup");
    if (signo != SIGKILL) {
        tree_signal(dirfd, signo);
        return 0;
    }
    /* without cgroup.kill a fork bomb would outrun the list: freeze, kill all, thaw */
    bool frozen = cgroup_freeze(cgroup, true, NULL) == 0;
    tree_signal(dirfd, SIGKILL);
    return frozen ? cgroup_freeze(cgroup, false, err) : 0;
}

/* rmdir of a group with its sub-groups. 0, or -1 with errno of the last try. */
static int group_remove(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? 0 : -1;
    struct dirent *entry;
    while ((entry = readdir(dir)))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), entry->d_name,
                           AT_REMOVEDIR); /* what stays makes the parent's removal fail */
    closedir(dir);
    return rmdir(path) < 0 && errno != ENOENT ? -1 : 0;
}

static int group_remove_wait(const char *path, struct err *err)
{
    for (int i = 0; i < REMOVE_TRIES; i++) {
        if (rmdir(path) == 0 || errno == ENOENT || group_remove(path) == 0)
            return 0;
        if (errno != EBUSY && errno != ENOTEMPTY)
            break;
        pause_us(REMOVE_PAUSE_US); /* dying members; a few ms at most */
    }
    return err_sys(err, "remove cgroup %s", path);
}

int cgroup_remove(const struct cgroup *cgroup, struct err *err)
{
    char path[4096];
    int result = 0;
    for (int i = 0; i < CONTROLLER_COUNT_; i++) {
        if (!(cgroup->controllers & 1u << i))
            continue;
        snprintf(path, sizeof(path), CGROUP_ROOT "/%s/%s", cgroup_controller_names[i],
                 cgroup->path);
        if (group_remove_wait(path, err) < 0)
            result = -1;
    }
    if (cgroup->unified_fd >= 0) {
        snprintf(path, sizeof(path), "%s/%s", cgroup_unified_root(cgroup->mode), cgroup->path);
        if (group_remove_wait(path, err) < 0)
            result = -1;
    }
    return result;
}

int64_t cgroup_oom_kills(const struct cgroup *cgroup)
{
    _cleanup_close_ int dirfd = cgroup_open_controller(cgroup, CONTROLLER_MEMORY);
    char text[512];
    if (dirfd < 0 ||
        cgroup_file_read(dirfd, cgroup->mode == CGROUP_V2 ? "memory.events" : "memory.oom_control",
                         text, sizeof(text)) < 0)
        return 0;
    const char *found = strstr(text, "oom_kill ");
    return found ? strtoll(found + strlen("oom_kill "), NULL, 10) : 0;
}

int cgroup_oom_watch(const struct cgroup *cgroup)
{
    _cleanup_close_ int dirfd = cgroup_open_controller(cgroup, CONTROLLER_MEMORY);
    if (dirfd < 0)
        return -1;
    if (cgroup->mode == CGROUP_V2) {
        char path[64];
        _cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        snprintf(path, sizeof(path), "/proc/self/fd/%d/memory.events", dirfd);
        if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY) < 0)
            return -1;
        return take_fd(&watch);
    }
    _cleanup_close_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    _cleanup_close_ int control = openat(dirfd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
    char line[64];
    snprintf(line, sizeof(line), "%d %d", event, control);
    if (event < 0 || control < 0 || cgroup_file_write(dirfd, "cgroup.event_control", line) < 0)
        return -1;
    return take_fd(&event);
}

int cgroup_sub_make(const struct cgroup *cgroup, const char *name)
{
    if (cgroup->unified_fd < 0) {
        errno = EOPNOTSUPP;
        return -1;
    }
    if (mkdirat(cgroup->unified_fd, name, 0755) < 0 && errno != EEXIST)
        return -1;
    return openat(cgroup->unified_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void cgroup_sub_kill(const struct cgroup *cgroup, const char *name)
{
    _cleanup_close_ int fd = cgroup->unified_fd < 0 ? -1
                                                    : openat(cgroup->unified_fd, name,
                                                             O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && cgroup_file_write(fd, "cgroup.kill", "1") < 0)
        tree_signal(fd, SIGKILL);
}

void cgroup_sub_remove(const struct cgroup *cgroup, const char *name)
{
    if (cgroup->unified_fd < 0)
        return;
    for (int i = 0;
         i < REMOVE_TRIES && unlinkat(cgroup->unified_fd, name, AT_REMOVEDIR) < 0 && errno == EBUSY;
         i++)
        pause_us(REMOVE_PAUSE_US);
}
