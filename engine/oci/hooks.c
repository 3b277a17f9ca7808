/* SPDX-License-Identifier: Apache-2.0 */
/* Running hooks (hooks.h). */
#include "engine/oci/hooks.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"

#define ANSWER_MAX 4096

static int hook_wait(pid_t pid, int64_t timeout_s, struct err *err)
{
    _cleanup_close_ int pidfd = timeout_s > 0 ? proc_pidfd_open(pid) : -1;
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    int status;
    bool late = pidfd >= 0 && poll(&poll_fd, 1, (int)MIN(timeout_s, (int64_t)1000000) * 1000) == 0;
    if (late)
        (void)proc_pidfd_signal(pidfd, SIGKILL);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_sys(err, "wait");
    if (late)
        return err_set(err, ERR_TIMEOUT, "was killed after %lld s", (long long)timeout_s);
    int code = proc_exit_code(status);
    return code ? err_set(err, ERR_FAILED, "exit status %d", code) : 0;
}

static int hook_run(const struct oci_hook *hook, const char *text, const char *cwd, struct err *err)
{
    const char *own[] = {hook->path, NULL}, *nothing[] = {NULL};
    _cleanup_close_ int in = -1;
    pid_t pid;
    if (fd_memfd("hook", text, strlen(text), &in, err) < 0)
        return -1;
    const int fds[] = {in, -1, 2};
    const struct proc_spawn spawn = {
        .path = hook->path, .argv = (char *const *)(hook->args.count ? hook->args.items : own),
        .envp = (char *const *)(hook->env.count ? hook->env.items : nothing), .fds = fds, .fd_count = 3, .cwd = cwd};
    return proc_spawn(&spawn, &pid, err) < 0 ? -1 : hook_wait(pid, hook->timeout_s, err);
}

int oci_hooks_run(const struct oci_bundle *bundle, enum oci_hook_kind kind, const struct jv *state, const char *cwd, struct err *err)
{
    _cleanup_free_ char *text = jv_dump(state);
    for (size_t i = 0; i < bundle->hooks[kind].list.count; i++)
        if (hook_run(&bundle->hooks[kind].list.items[i], text, cwd, err) < 0)
            return err_wrap(err, "hook #%zu (%s)", i, bundle->hooks[kind].list.items[i].path);
    return 0;
}
