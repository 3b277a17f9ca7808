/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.c - vfork + execve (declared in proc.h). The child shares our memory until execve, therefore child
 * functions only make system calls and write to struct launch; all signals are blocked around vfork, so that
 * no handler of ours runs in the child. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define SPAWN_FDS_MAX 64

struct launch {
    const struct proc_spawn *spawn;
    char *const *envp;
    bool detached;
    int moved[SPAWN_FDS_MAX]; /* the child's sources, all >= fd_count */
    int sys_errno;            /* written by the child */
    const char *failed;       /* the step that failed, likewise */
};

static void child_fail(struct launch *launch, const char *step) __attribute__((noreturn));
static void child_fail(struct launch *launch, const char *step)
{
    launch->sys_errno = errno;
    launch->failed = step;
    _exit(127);
}

static void child_reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int signo = 1; signo <= SIGRTMAX; signo++)
        (void)sigaction(signo, &action, NULL); /* KILL and STOP refuse */
}

/* Two passes: first every source is moved out of the way of the targets, then put in its place. */
static void child_place_fds(struct launch *launch)
{
    const struct proc_spawn *spawn = launch->spawn;
    int count = (int)spawn->fd_count;
    for (int i = 0; i < count; i++) {
        int fd = spawn->fds[i];
        if (fd < 0)
            fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0 && fd < count)
            fd = fcntl(fd, F_DUPFD_CLOEXEC, count);
        if (fd < 0)
            child_fail(launch, "prepare descriptors for");
        launch->moved[i] = fd;
    }
    for (int i = 0; i < count; i++)
        if (dup2(launch->moved[i], i) < 0)
            child_fail(launch, "prepare descriptors for");
    if (close_range((unsigned)count, ~0u, 0) < 0)
        child_fail(launch, "close descriptors for");
}

static void child_exec(struct launch *launch) __attribute__((noreturn));
static void child_exec(struct launch *launch)
{
    const struct proc_spawn *spawn = launch->spawn;
    sigset_t none;
    const char *cwd = spawn->cwd ? spawn->cwd : spawn->new_session || launch->detached ? "/" : NULL;

    child_reset_signals();
    if ((spawn->new_session || launch->detached) && setsid() < 0)
        child_fail(launch, "make a session for");
    if (cwd && chdir(cwd) < 0)
        child_fail(launch, "change directory for");
    child_place_fds(launch);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail */
    execve(spawn->path, spawn->argv, launch->envp);
    child_fail(launch, "execute");
}

/* In the intermediate child of a detached start. */
static void child_fork_again(struct launch *launch) __attribute__((noreturn));
static void child_fork_again(struct launch *launch)
{
    pid_t pid = vfork();
    if (pid == 0)
        child_exec(launch);
    if (pid < 0)
        child_fail(launch, "fork for");
    _exit(0);
}

static pid_t launch_child(struct launch *launch)
{
    pid_t pid = vfork();
    if (pid == 0) {
        if (launch->detached)
            child_fork_again(launch);
        child_exec(launch);
    }
    return pid;
}

static int launch_run(struct launch *launch, pid_t *ret_pid, struct err *err)
{
    const struct proc_spawn *spawn = launch->spawn;
    sigset_t all, old;
    int status;

    if (spawn->fd_count > SPAWN_FDS_MAX)
        return err_set(err, ERR_INTERNAL, "too many descriptors for %s", spawn->path);
    launch->envp = spawn->envp ? spawn->envp : environ;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid_t pid = launch_child(launch);
    int fork_errno = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    if (pid < 0)
        return err_sysno(err, fork_errno, "fork for %s", spawn->path);
    if (launch->failed || launch->detached) {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    if (launch->failed)
        return err_sysno(err, launch->sys_errno, "%s %s", launch->failed, spawn->path);
    if (ret_pid)
        *ret_pid = pid;
    return 0;
}

int proc_spawn(const struct proc_spawn *spawn, pid_t *ret_pid, struct err *err)
{
    struct launch launch = {.spawn = spawn};
    return launch_run(&launch, ret_pid, err);
}

int proc_spawn_detached(const struct proc_spawn *spawn, struct err *err)
{
    struct launch launch = {.spawn = spawn, .detached = true};
    return launch_run(&launch, NULL, err);
}
