/* SPDX-License-Identifier: Apache-2.0 */
/* sweep.c - what is left of a container goes: after a monitor that was killed, and for good
 * (engine/engine.h). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "engine/container/quota.h"
#include "engine/engine.h"
#include "engine/runtime/cgroup.h"
#include "engine/runtime/cgroup_tree.h"

/* Everything in run_dir but the status file, which tells how the container ended. */
static const char *const run_names[] = {"monitor.sock", "out", "err", "lock"};

int container_sweep(const struct layout *layout, const struct container_spec *spec, struct err *err)
{
    (void)layout;
    struct cgroup cgroup = CGROUP_NONE;
    int result = 0;
    if (spec->cgroup_path) {
        if (cgroup_find(spec, &cgroup, err) < 0)
            return -1;
        if (cgroup_signal(&cgroup, SIGKILL, err) < 0 || cgroup_remove(&cgroup, err) < 0)
            result = err_wrap(err, "container %.12s", spec->id);
        cgroup_done(&cgroup);
    }
    _cleanup_close_ int run = open(spec->run_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    for (size_t i = 0; run >= 0 && i < ARRAY_LEN(run_names); i++)
        (void)unlinkat(run, run_names[i], 0); /* missing after an orderly end */
    if (run >= 0)
        (void)unlinkat(run, "root", AT_REMOVEDIR);
    return result;
}

#define DELETING     "deleting"
#define DELETING_MAX 100000

/* In a process of nobody's: removes everything in lib/deleting, also what an earlier one left. */
__attribute__((noreturn)) static void deleting_empty(const struct layout *layout)
{
    char **names = NULL;
    size_t count = 0;
    _cleanup_close_ int dir =
        openat(layout->lib_fd, DELETING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    (void)setpriority(PRIO_PROCESS, 0, 19); /* late and slowly: deleted inodes are not reused for a
                                               while and slow down those who look for one */
    if (dir >= 0 && fs_list(dir, ".", DELETING_MAX, &names, &count, NULL) == 0)
        for (size_t i = 0; i < count; i++)
            (void)fs_remove_tree(dir, names[i], NULL); /* the next one tries again */
    _exit(0);
}

void container_delete_finish(const struct layout *layout)
{
    pid_t child = fork();
    if (child == 0) {
        (void)setsid();
        if (fork() == 0)
            deleting_empty(layout);
        _exit(0);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
}

static int state_remove(const struct layout *layout, const char *id, struct err *err)
{
    char from[96], to[160];
    snprintf(from, sizeof(from), "containers/%s", id);
    snprintf(to, sizeof(to), DELETING "/%s", id);
    if ((mkdirat(layout->lib_fd, DELETING, 0700) == 0 || errno == EEXIST) &&
        renameat(layout->lib_fd, from, layout->lib_fd, to) == 0)
        return 0;
    if (errno == ENOENT)
        return 0;
    if (errno == ENOSPC || errno == EDQUOT) /* removing makes the room that moving needs */
        return fs_remove_tree(layout->lib_fd, from, err);
    return err_sys(err, "move %s away", from);
}

int container_delete(const struct layout *layout, const char *id, struct err *err)
{
    char name[96];
    snprintf(name, sizeof(name), "containers/%s", id);
    _cleanup_close_ int state = openat(layout->lib_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (state >= 0)
        quota_clear(state, id);
    if (fs_remove_tree(layout->run_fd, name, err) < 0 || state_remove(layout, id, err) < 0)
        return err_wrap(err, "remove container %.12s", id);
    return 0;
}

/* The cgroup <instance>/<project> in hierarchy i (-1: the unified one). */
static bool project_path(const struct layout *layout, const char *project, int i, char *path, size_t size)
{
    char instance[24];
    int mode = cgroup_mode_detect();
    const char *name = layout_instance_name(layout, instance, sizeof(instance));
    const char *root = cgroup_unified_root(mode);
    if ((i < 0 && !root) || (i >= 0 && mode == CGROUP_V2))
        return false;
    if (i < 0)
        snprintf(path, size, "%s/%s/%s", root, name, project);
    else
        snprintf(path, size, CGROUP_ROOT "/%s/%s/%s", cgroup_controller_names[i], name, project);
    return true;
}

bool cgroup_project_has(const struct layout *layout, const char *project, const char *id)
{
    char path[512];
    for (int i = -1; i < CONTROLLER_COUNT_; i++) {
        if (!project_path(layout, project, i, path, sizeof(path)))
            continue;
        size_t length = strlen(path);
        snprintf(path + length, sizeof(path) - length, "/%s", id);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

void cgroup_project_remove(const struct layout *layout, const char *project)
{
    char path[512];
    for (int i = -1; i < CONTROLLER_COUNT_; i++) {
        if (!project_path(layout, project, i, path, sizeof(path)))
            continue;
        (void)rmdir(path); /* not there, or another container lives in it */
        *strrchr(path, '/') = '\0';
        (void)rmdir(path);
    }
}
