/* SPDX-License-Identifier: Apache-2.0 */
/* proc.c - facts about processes and our own helper executables. Starting them is in spawn.c. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

int proc_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by nature */
}

int proc_pidfd_signal(int pidfd, int signo)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0);
}

/* Reads the start of a small file of /proc; "" when it cannot be read. */
static void read_small(const char *path, char *buffer, size_t size)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buffer, size - 1);
    buffer[n > 0 ? n : 0] = '\0';
}

uint64_t proc_start_time(pid_t pid)
{
    char path[48], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    read_small(path, text, sizeof(text));
    const char *at = strrchr(text, ')'); /* the name before it may hold anything */
    if (!at)
        return 0;
    for (int field = 2; field < 22; field++) {
        at = strchr(at, ' ');
        if (!at)
            return 0;
        at++;
    }
    return strtoull(at, NULL, 10);
}

bool proc_is(pid_t pid, uint64_t start_time)
{
    return pid > 0 && start_time > 0 && proc_start_time(pid) == start_time;
}

void proc_boot_id(char ret_id[37])
{
    static char text[64]; /* it stays as long as we do, and is asked for each container */
    if (!text[0]) {
        read_small("/proc/sys/kernel/random/boot_id", text, sizeof(text));
        text[strcspn(text, "\n")] = '\0';
        if (strlen(text) != 36)
            text[0] = '\0';
    }
    memcpy(ret_id, text, strlen(text) + 1);
}

int proc_exit_code(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* The directory of our own executable; NULL when /proc cannot tell. */
static char *own_directory(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n <= 0)
        return NULL;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    return xstrdup(path);
}

int proc_libexec(const char *name, char **ret_path, struct err *err)
{
    const char *from_env = secure_getenv("WINCH_LIBEXEC");
    _cleanup_free_ char *own = own_directory(), *directory = NULL;

    if (from_env && from_env[0] == '/')
        directory = xstrdup(from_env);
    else if (!own)
        return err_sys(err, "find our own executable");
    else if (strcmp(path_base(own), "winch") == 0) /* a helper that looks for another one */
        directory = xstrdup(own);
    else
        directory = path_join(own, "../libexec/winch");
    _cleanup_free_ char *joined = path_join(directory, name);
    _cleanup_free_ char *path = path_clean(joined);
    if (access(path, X_OK) < 0) {
        err_sys(err, "helper executable %s", path);
        if (err)
            err->code = ERR_NOT_FOUND;
        return err_hint(err, "install winch completely, or set WINCH_LIBEXEC to the helpers' directory");
    }
    *ret_path = take_ptr(&path);
    return 0;
}
