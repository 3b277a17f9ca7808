/* SPDX-License-Identifier: Apache-2.0 */
/* lap.c - takes times that a shell is too slow for.
 *
 *   lap run COMMAND...             executes COMMAND, prints microseconds until it has ended
 *   lap start RUN_DIR COMMAND...   prints microseconds until RUN_DIR/status says state=running, and until COMMAND has ended
 *   lap restart RUN_DIR            kills the container's first process; microseconds until the next one runs
 * RUN_DIR is run/containers/ID below the state root.  The status file is replaced by rename, which inotify tells at once;
 * nothing is polled.  COMMAND's output goes to standard error.  Exit status: COMMAND's, or 1 when 10 seconds were not enough. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 10000

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int fail(const char *what)
{
    fprintf(stderr, "lap: %s: %s\n", what, strerror(errno));
    return 1;
}

/* The first process's pid if the container runs, else 0. */
static pid_t running_pid(const char *run_dir)
{
    char path[4096], text[4096];
    snprintf(path, sizeof(path), "%s/status", run_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    if (size <= 0)
        return 0;
    text[size] = 0;
    const char *pid = strstr(text, "\npid=");
    return strstr(text, "state=running\n") && pid ? (pid_t)strtol(pid + 5, NULL, 10) : 0;
}

static int watch(const char *run_dir)
{
    int fd = inotify_init1(IN_CLOEXEC);
    return fd < 0 || inotify_add_watch(fd, run_dir, IN_MOVED_TO) < 0 ? -1 : fd;
}

/* Waits until another process than old runs. */
static bool wait_running(int watched, const char *run_dir, pid_t old)
{
    char events[4096];
    double end = now_us() + WAIT_MS * 1e3;
    for (;;) {
        pid_t pid = running_pid(run_dir);
        if (pid > 0 && pid != old)
            return true;
        struct pollfd wait = { .fd = watched, .events = POLLIN };
        int left = (int)((end - now_us()) / 1e3);
        if (left <= 0 || poll(&wait, 1, left) <= 0 || read(watched, events, sizeof(events)) < 0) {
            fprintf(stderr, "lap: %s/status shows no new process\n", run_dir);
            return false;
        }
    }
}

static pid_t spawn(char **command)
{
    pid_t pid = vfork();
    if (pid == 0) {
        dup2(2, 1);
        execvp(command[0], command);
        _exit(127);
    }
    return pid;
}

static int reap(pid_t pid)
{
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return fail("process");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int lap_run(char **command)
{
    double begin = now_us();
    int status = reap(spawn(command));
    printf("%.0f\n", now_us() - begin);
    return status;
}

static int lap_start(const char *run_dir, char **command)
{
    int watched = watch(run_dir);
    if (watched < 0)
        return fail(run_dir);
    pid_t old = running_pid(run_dir);
    double begin = now_us();
    pid_t pid = spawn(command);
    bool runs = wait_running(watched, run_dir, old);
    double running = now_us() - begin;
    int status = reap(pid);
    printf("%.0f %.0f\n", running, now_us() - begin);
    return status ? status : !runs;
}

static int lap_restart(const char *run_dir)
{
    int watched = watch(run_dir);
    pid_t old = running_pid(run_dir);
    if (watched < 0 || old <= 0)
        return fail(run_dir);
    double begin = now_us();
    if (kill(old, SIGKILL) < 0)
        return fail("kill");
    if (!wait_running(watched, run_dir, old))
        return 1;
    printf("%.0f\n", now_us() - begin);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    if (!strcmp(what, "run"))
        return lap_run(argv + 2);
    if (!strcmp(what, "start") && argc > 3)
        return lap_start(argv[2], argv + 3);
    if (!strcmp(what, "restart"))
        return lap_restart(argv[2]);
    fputs("usage: lap run COMMAND... | start RUN_DIR COMMAND... | restart RUN_DIR\n", stderr);
    return 2;
}
