/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.c - a vfork of our own + execve (declared in proc.h). The child shares our memory until execve, therefore
 * child functions only make system calls and write to struct launch; all signals are blocked meanwhile, so
 * that no handler of ours runs in the child. clone(2) with a stack for each child instead of vfork(2): the
 * sanitizers cannot follow a vfork inside a vfork. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define SPAWN_FDS_MAX  64
#define STACK_SIZE     (32 * 1024)
#define KERNEL_SIGNALS 64
/* a child never returns: AddressSanitizer would keep its marks of the child's frames in our memory */
#define _child_ __attribute__((no_sanitize("address")))

struct launch {
    const struct proc_spawn *spawn;
    char *const *envp;
    bool detached;
    int moved[SPAWN_FDS_MAX]; /* the child's sources, all >= fd_count */
    int sys_errno;            /* written by the child */
    const char *failed;       /* the step that failed, likewise */
    _Alignas(16) char stacks[2][STACK_SIZE]; /* of the child and of a detached child's child */
};

static void child_fail(struct launch *launch, const char *step) __attribute__((noreturn));
_child_ static void child_fail(struct launch *launch, const char *step)
{
    launch->sys_errno = errno;
    launch->failed = step;
    _exit(127);
}

_child_ void signals_default(void)
{
    /* libc's sigaction() refuses the two signals it keeps for itself, yet what called us may have ignored them */
    const struct {
        void *handler;
        unsigned long flags, restorer, mask;
    } action = {0}; /* the kernel's struct sigaction */
    for (int signo = 1; signo <= KERNEL_SIGNALS; signo++)
        (void)syscall(SYS_rt_sigaction, signo, &action, NULL, KERNEL_SIGNALS / 8); /* KILL and STOP refuse */
}

/* Two passes: first every source is moved out of the way of the targets, then put in its place. */
_child_ static void child_place_fds(struct launch *launch)
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

_child_ static int child_exec(void *arg)
{
    struct launch *launch = arg;
    const struct proc_spawn *spawn = launch->spawn;
    sigset_t none;
    const char *cwd = spawn->cwd ? spawn->cwd : spawn->new_session || launch->detached ? "/" : NULL;

    signals_default();
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

/* The caller sleeps until the child has executed or ended. */
_child_ static pid_t clone_child(struct launch *launch, int number, int (*child)(void *launch))
{
    return clone(child, launch->stacks[number] + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, launch);
}

/* In the intermediate child of a detached start. */
_child_ static int child_fork_again(void *arg)
{
    struct launch *launch = arg;
    if (clone_child(launch, 1, child_exec) < 0)
        child_fail(launch, "fork for");
    return 0;
}

/* Field by field: the stacks need no zeros. */
static void launch_init(struct launch *launch, const struct proc_spawn *spawn, bool detached)
{
    launch->spawn = spawn;
    launch->envp = spawn->envp ? spawn->envp : environ;
    launch->detached = detached;
    launch->sys_errno = 0;
    launch->failed = NULL;
}

static int launch_run(struct launch *launch, pid_t *ret_pid, struct err *err)
{
    const struct proc_spawn *spawn = launch->spawn;
    sigset_t all, old;
    int status;

    if (spawn->fd_count > SPAWN_FDS_MAX)
        return err_set(err, ERR_INTERNAL, "too many descriptors for %s", spawn->path);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    pid_t pid = clone_child(launch, 0, launch->detached ? child_fork_again : child_exec);
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
    struct launch launch;
    launch_init(&launch, spawn, false);
    return launch_run(&launch, ret_pid, err);
}

int proc_spawn_detached(const struct proc_spawn *spawn, struct err *err)
{
    struct launch launch;
    launch_init(&launch, spawn, true);
    return launch_run(&launch, NULL, err);
}
