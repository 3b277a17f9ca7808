/* SPDX-License-Identifier: Apache-2.0 */
/* netns.c - a namespace that a container's user namespace owns can only be made by somebody inside
 * it, and there is no way back from there. So a child does it: it shares our memory and descriptors
 * (no copying: the call costs little more than unshare itself), joins the user namespace, makes the
 * network namespace, opens it, writes its parameters and is gone. It calls nothing but system
 * calls. */
#include "netd/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

#define CHILD_STACK (64 * 1024)

struct child_work {
    int userns_fd; /* -1: stay */
    struct netns_sysctl *sysctls;
    size_t count;
    int ns_fd; /* out */
    const char *failed;
    int failure;
};

/* the sanitizer would keep marks of the child's frames in our memory */
#define _child_ __attribute__((no_sanitize("address")))

_child_ static int child_fail(struct child_work *work, const char *what)
{
    work->failed = what;
    work->failure = errno;
    return 1;
}

_child_ static int child_main(void *arg)
{
    struct child_work *work = arg;

    if (work->userns_fd >= 0 && setns(work->userns_fd, CLONE_NEWUSER) < 0)
        return child_fail(work, "join the user namespace");
    if (unshare(CLONE_NEWNET) < 0)
        return child_fail(work, "make a network namespace");
    for (size_t i = 0; i < work->count; i++) {
        struct netns_sysctl *sysctl = &work->sysctls[i];
        sysctl->failure = sysctl_write_path(sysctl->path, sysctl->value);
    }
    work->ns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return work->ns_fd < 0 ? child_fail(work, "open the network namespace") : 0;
}

static int run_child(struct child_work *work, struct err *err)
{
    static char stack[CHILD_STACK] __attribute__((aligned(16)));
    sigset_t all, before;
    int status;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before); /* no handler may run on shared memory */
    pid_t pid = clone(child_main, stack + sizeof(stack),
                      CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, work);
    int failure = errno;
    if (pid >= 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return err_sysno(err, failure, "start a child in a new network namespace");
    if (work->failed)
        return err_sysno(err, work->failure, "%s", work->failed);
    if (work->ns_fd < 0)
        return err_set(err, ERR_INTERNAL, "the child for a network namespace died");
    return 0;
}

int netns_create(const char *userns, struct netns_sysctl *sysctls, size_t count, int *ret_fd,
                 struct err *err)
{
    _cleanup_close_ int userns_fd = -1;
    struct child_work work = {.userns_fd = -1, .sysctls = sysctls, .count = count, .ns_fd = -1};

    if (userns) {
        userns_fd = open(userns, O_RDONLY | O_CLOEXEC);
        if (userns_fd < 0)
            return err_sys(err, "open user namespace %s", userns);
        work.userns_fd = userns_fd;
    }
    if (run_child(&work, err) < 0)
        return -1;
    _cleanup_close_ int fd = work.ns_fd;
    for (size_t i = 0; i < count; i++) {
        if (!sysctls[i].failure || sysctls[i].failure == ENOENT)
            continue;
        if (!sysctls[i].best_effort)
            return err_sysno(err, sysctls[i].failure, "write '%s' to %s", sysctls[i].value,
                             sysctls[i].path);
        log_debug("netns: write '%s' to %s: %s", sysctls[i].value, sysctls[i].path,
                  strerror(sysctls[i].failure));
    }
    *ret_fd = take_fd(&fd);
    return 0;
}

int netns_pin(int fd, const char *path, struct err *err)
{
    char source[40];
    int file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (file < 0)
        return err_sys(err, "create %s", path);
    close(file);
    snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
    if (mount(source, path, NULL, MS_BIND, NULL) < 0) {
        err_sys(err, "pin a network namespace at %s", path);
        (void)unlink(path); /* the message above matters more */
        return -1;
    }
    return 0;
}

int netns_open_pin(const char *path, int *ret_fd, struct err *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct statfs fs;

    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "no network namespace at %s", path);
    if (fd < 0)
        return err_sys(err, "open %s", path);
    if (fstatfs(fd, &fs) < 0)
        return err_sys(err, "look at %s", path);
    if (fs.f_type != NSFS_MAGIC)
        return err_set(err, ERR_NOT_FOUND, "no network namespace at %s", path);
    *ret_fd = take_fd(&fd);
    return 0;
}

int netns_unpin(const char *path, struct err *err)
{
    /* a stack of mounts can only be somebody's mistake; take all of them away */
    for (int i = 0; i < 16; i++)
        if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
            break;
    if (unlink(path) < 0 && errno != ENOENT)
        return err_sys(err, "remove %s", path);
    return 0;
}

int netns_open_self(int *ret_fd, struct err *err)
{
    int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "open our network namespace");
    *ret_fd = fd;
    return 0;
}

int netns_enter(int fd, struct err *err)
{
    if (setns(fd, CLONE_NEWNET) < 0)
        return err_sys(err, "enter a network namespace");
    return 0;
}

void netns_leave(int home_fd)
{
    if (setns(home_fd, CLONE_NEWNET) < 0) {
        log_error("netns: cannot return from a container's network: %s", strerror(errno));
        abort();
    }
}
