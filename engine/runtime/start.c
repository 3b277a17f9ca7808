/* SPDX-License-Identifier: Apache-2.0 */
/* start.h: one clone3 for a first process as for an exec; the difference is the flags and the step
 * list. libc only. */
#include "engine/runtime/start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "engine/runtime/setup.h"
#include "engine/runtime/sync.h"
#include "engine/runtime/sys.h"

#define START_LIMIT_S 120 /* a hanging network file system must not hang the monitor */

static uint64_t clone_flags(const struct container_spec *spec)
{
    return CLONE_NEWNS | (spec->pid.mode == NS_PRIVATE ? CLONE_NEWPID : 0) |
           (spec->ipc.mode == NS_PRIVATE ? CLONE_NEWIPC : 0) |
           (spec->uts.mode == NS_PRIVATE ? CLONE_NEWUTS : 0) |
           (spec->net.mode == NS_PRIVATE ? CLONE_NEWNET : 0);
}

/* Children of ours are born in the pid namespace of `target` (a pidfd or a namespace) until
 * namespace_back. */
static int namespace_enter(int target, int *ret_own, struct err *err)
{
    _cleanup_close_ int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    if (own < 0 || setns(target, CLONE_NEWPID) < 0)
        return err_sys(err, "enter the pid namespace");
    *ret_own = take_fd(&own);
    return 0;
}

static int pid_target(const struct start *start, int *ret_opened, struct err *err)
{
    if (start->target >= 0)
        return start->spec->pid.mode == NS_HOST ? -1 : start->target;
    if (start->spec->pid.mode != NS_PATH)
        return -1;
    *ret_opened = open(start->spec->pid.path, O_RDONLY | O_CLOEXEC);
    if (*ret_opened < 0)
        err_sys(err, "open pid namespace %s", start->spec->pid.path);
    return *ret_opened;
}

/* The child is born with all descriptors of the monitor, and a container that may trace it could look
 * at them: what it does not need goes first of all. */
static void descriptors_close(const struct start *start, int sync)
{
    int keep[] = {2, sync, start->stdio[0], start->stdio[1], start->stdio[2], start->init_fd,
                  start->target};
    for (size_t i = 1; i < ARRAY_LEN(keep); i++) /* sorted by insertion */
        for (size_t k = i; k > 0 && keep[k - 1] > keep[k]; k--) {
            int other = keep[k];
            keep[k] = keep[k - 1];
            keep[k - 1] = other;
        }
    for (size_t i = 0; i < ARRAY_LEN(keep); i++) {
        int first = MAX(keep[i], 2) + 1;
        int last = i + 1 < ARRAY_LEN(keep) ? keep[i + 1] - 1 : INT_MAX;
        if (first <= last)
            (void)close_range((unsigned)first, (unsigned)last, 0); /* confine_apply marks what is left */
    }
}

__attribute__((noreturn)) static void child_run(const struct start *start, int sync)
{
    descriptors_close(start, sync);
    struct setup setup = {
        .spec = start->spec,
        .process = start->process,
        .cgroup = start->cgroup,
        .filter = start->filter,
        .sync = sync,
        .stdio = {start->stdio[0], start->stdio[1], start->stdio[2]},
        .init_fd = start->init_fd,
        .target = start->target,
        .foreign_stdio = start->foreign_stdio || start->target >= 0,
        .userns_fd = -1,
        .scratch_fd = -1,
        .root_fd = -1,
        .proc_fd = -1,
        .null_fd = -1,
        .empty_tree = -1,
        .shm_tree = -1,
        .tty_fd = -1,
    };
    if (start->target >= 0)
        setup_run_exec(&setup);
    setup_run(&setup);
}

static int pair_make(int *ret_ours, int *ret_theirs, struct err *err)
{
    const struct timeval limit = {.tv_sec = START_LIMIT_S};
    int pair[2];
    if (sync_pair(pair, err) < 0)
        return -1;
    *ret_ours = pair[0];
    *ret_theirs = pair[1];
    if (setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0)
        return err_sys(err, "limit the time of a start");
    return 0;
}

int start_process(const struct start *start, struct started *ret_started, struct err *err)
{
    _cleanup_close_ int opened = -1, own = -1, ours = -1, theirs = -1;
    struct err target_err = {0};
    int target = pid_target(start, &opened, &target_err), pidfd = -1;
    if (target_err.code)
        return err_copy(err, &target_err);
    if (pair_make(&ours, &theirs, err) < 0 ||
        (target >= 0 && namespace_enter(target, &own, err) < 0))
        return -1;
    pid_t pid =
        sys_clone3(start->target >= 0 ? 0 : clone_flags(start->spec), start->cgroup_fd, &pidfd);
    int number = errno;
    if (pid == 0)
        child_run(start, theirs);
    if (own >= 0)
        (void)setns(own, CLONE_NEWPID); /* back to our own, which never fails; else helpers would be
                                           born inside */
    if (pid < 0)
        return err_sysno(err, number, "make the process");
    close_fdp(&theirs);
    if (sync_wait(ours, &ret_started->sync, err) < 0) {
        (void)sys_pidfd_signal(pidfd, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        close_fdp(&pidfd);
        started_done(ret_started);
        close_fdp(&ret_started->sync.master);
        return -1;
    }
    ret_started->pid = pid;
    ret_started->pidfd = pidfd;
    return 0;
}

void started_done(struct started *started)
{
    sync_result_done(&started->sync);
}

int start_init_open(int *ret_fd, struct err *err)
{
    _cleanup_free_ char *path = NULL;
    if (proc_libexec("winch-init", &path, err) < 0)
        return -1;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, "open %s", path);
    void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return err_sys(err, "map %s", path);
    int result = fd_memfd("winch-init", data, (size_t)st.st_size, ret_fd, err);
    munmap(data, (size_t)st.st_size);
    return result;
}
