/* SPDX-License-Identifier: Apache-2.0 */
/* test_proc.c - starting processes with exactly the descriptors asked for; signals; the event loop's children. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/proc.h"

TestSuite(proc, .timeout = 30);

/* Runs a shell script with fds and gives what it wrote to the pipe that is fds[out]. */
static char *run(const char *script, const int *fds, size_t fd_count, int read_end, int write_end, int *ret_status)
{
    char *const argv[] = {"sh", "-c", (char *)script, NULL};
    struct err err = {0};
    pid_t pid;
    char *text;
    cr_assert_eq(proc_spawn(&(struct proc_spawn){.path = "/bin/sh", .argv = argv, .fds = fds, .fd_count = fd_count},
                            &pid, &err),
                 0, "%s", err.message);
    close(write_end);
    cr_assert_eq(fd_read_all(read_end, 10000, &text, NULL, NULL), 0);
    close(read_end);
    cr_assert_eq(waitpid(pid, ret_status, 0), pid);
    return text;
}

Test(proc, the_child_has_the_descriptors_asked_for_and_no_others)
{
    int ends[2], status;
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    int leaked = open("/dev/null", O_RDONLY); /* not close-on-exec */
    /* overlapping: the pipe becomes 0, 1 and 3; 2 is /dev/null */
    int fds[] = {-1, ends[1], -1, ends[1]};
    char *text = run("echo out; echo three >&3; for f in 0 1 2 3 4 5 6 7 8 9 10 11 12; do"
                     " [ -e /proc/$$/fd/$f ] && echo $f; done; exit 7",
                     fds, ARRAY_LEN(fds), ends[0], ends[1], &status);
    cr_expect_str_eq(text, "out\nthree\n0\n1\n2\n3\n");
    cr_expect_eq(proc_exit_code(status), 7);
    free(text);
    close(leaked);
}

Test(proc, descriptors_may_be_swapped)
{
    int a[2], b[2], status;
    cr_assert_eq(pipe2(a, O_CLOEXEC), 0);
    cr_assert_eq(pipe2(b, O_CLOEXEC), 0);
    /* move both write ends to low numbers that are each other's target */
    int saved1 = fcntl(1, F_DUPFD_CLOEXEC, 20), saved2 = fcntl(2, F_DUPFD_CLOEXEC, 20);
    dup2(a[1], 1);
    dup2(b[1], 2);
    close(a[1]);
    close(b[1]);
    char *const argv[] = {"sh", "-c", "echo one; echo two >&2", NULL};
    int fds[] = {-1, 2, 1};
    pid_t pid;
    int result = proc_spawn(&(struct proc_spawn){.path = "/bin/sh", .argv = argv, .fds = fds, .fd_count = 3}, &pid, NULL);
    dup2(saved1, 1);
    dup2(saved2, 2);
    cr_assert_eq(result, 0);
    char *first, *second;
    fd_read_all(a[0], 100, &first, NULL, NULL);
    fd_read_all(b[0], 100, &second, NULL, NULL);
    waitpid(pid, &status, 0);
    cr_expect_str_eq(first, "two\n");
    cr_expect_str_eq(second, "one\n");
    free(first);
    free(second);
}

Test(proc, signals_are_reset_in_the_child_and_kept_in_the_parent)
{
    int ends[2], status;
    sigset_t blocked, now;
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* 32 is one of the two that libc's own calls refuse: a caller may have ignored it all the same */
    const struct {
        void *handler;
        unsigned long flags, restorer, mask;
    } ignored = {.handler = (void *)SIG_IGN};
    cr_assert_eq(syscall(SYS_rt_sigaction, 32, &ignored, NULL, 8), 0);
    int fds[] = {-1, ends[1], -1};
    char *text = run("while read a b; do case $a in SigBlk:|SigIgn:) echo $a $b;; esac; done </proc/$$/status", fds, 3,
                     ends[0], ends[1], &status);
    cr_expect_str_eq(text, "SigBlk: 0000000000000000\nSigIgn: 0000000000000000\n");
    free(text);
    sigprocmask(SIG_SETMASK, NULL, &now);
    cr_expect(sigismember(&now, SIGUSR1) && !sigismember(&now, SIGUSR2));
}

Test(proc, a_failed_start_is_reported_with_its_errno)
{
    char *const argv[] = {"nope", NULL};
    struct err err = {0};
    pid_t pid = 77;
    struct proc_spawn spawn = {.path = "/no/such/program", .argv = argv};
    cr_expect_eq(proc_spawn(&spawn, &pid, &err), -1);
    cr_expect_eq(err.sys_errno, ENOENT);
    cr_expect_eq(pid, 77);
    err_clear(&err);
    cr_expect_eq(proc_spawn_detached(&spawn, &err), -1);
    cr_expect_eq(err.sys_errno, ENOENT);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "no child is left");
}

Test(proc, a_detached_process_is_nobodys_child)
{
    int ends[2];
    char *text;
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    char *const argv[] = {"sh", "-c", "read a b c d e f g </proc/$$/stat; echo $d $f $$; pwd", NULL};
    int fds[] = {-1, ends[1], -1};
    cr_assert_eq(proc_spawn_detached(&(struct proc_spawn){.path = "/bin/sh", .argv = argv, .fds = fds, .fd_count = 3},
                                     NULL),
                 0);
    close(ends[1]);
    cr_assert_eq(fd_read_all(ends[0], 1000, &text, NULL, NULL), 0);
    int parent, session, pid;
    cr_assert_eq(sscanf(text, "%d %d %d", &parent, &session, &pid), 3);
    cr_expect_neq(parent, getpid());
    cr_expect_eq(session, pid);
    cr_expect_str_eq(strchr(text, '\n') + 1, "/\n");
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
    free(text);
}

Test(proc, a_pid_with_its_start_time_is_unique)
{
    char id[37];
    uint64_t start = proc_start_time(getpid());
    cr_expect_gt(start, 0);
    cr_expect(proc_is(getpid(), start));
    cr_expect_not(proc_is(getpid(), start + 1));
    cr_expect_not(proc_is(0, 0));
    cr_expect_eq(proc_start_time(0x7ffffff), 0);
    proc_boot_id(id);
    cr_expect_eq(strlen(id), 36);
}

Test(proc, signal_names)
{
    static const struct {
        const char *text;
        int signo;
    } cases[] = {{"SIGTERM", SIGTERM}, {"term", SIGTERM}, {"15", 15},  {"SIGRTMIN", 34}, {"SIGRTMIN+3", 37},
                 {"RTMAX-1", 63},      {"SIGRTMAX", 64},  {"IOT", SIGABRT}, {"0", -1},   {"65", -1},
                 {"SIG", -1},          {"", -1},          {"RTMIN+31", -1}, {"SIGFOO", -1}, {NULL, -1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        cr_expect_eq(signal_parse(cases[i].text), cases[i].signo, "case '%s'", cases[i].text);
    for (int signo = 1; signo <= 64; signo++)
        if (signo != 32 && signo != 33)
            cr_expect_eq(signal_parse(signal_name(signo)), signo);
    cr_expect_str_eq(signal_name(99), "SIG?");
}

TestSuite(loop, .timeout = 30);

struct trace {
    struct loop *loop;
    struct loop_source *source;
    int timers, soon, reads, children, signals;
    pid_t killed;
};

static void on_timer(void *arg)
{
    struct trace *trace = arg;
    trace->timers++;
    if (trace->timers < 3)
        loop_timer_arm(trace->source, 1000);
    else
        loop_source_free(trace->source); /* from its own callback */
}

static void on_soon(void *arg)
{
    struct trace *trace = arg;
    if (trace->soon++ == 0)
        loop_soon(trace->loop, on_soon, trace);
}

static void on_child(pid_t pid, int status, void *arg)
{
    struct trace *trace = arg;
    cr_expect_eq(proc_exit_code(status), pid == trace->killed ? 128 + SIGKILL : 3);
    trace->children++;
    kill(getpid(), SIGUSR1);
}

static void on_signal(int signo, void *arg)
{
    struct trace *trace = arg;
    cr_expect_eq(signo, SIGUSR1);
    trace->signals++;
    if (trace->children == 2) /* two signals may arrive as one */
        loop_stop(trace->loop, 42);
}

static void on_file(int fd, unsigned events, void *arg)
{
    struct trace *trace = arg;
    char byte;
    cr_expect(events & LOOP_READ);
    trace->reads++;
    if (read(fd, &byte, 1) == 0)
        loop_fd_events(trace->source, 0);
}

static pid_t shell(const char *script)
{
    char *const argv[] = {"sh", "-c", (char *)script, NULL};
    pid_t pid;
    cr_assert_eq(proc_spawn(&(struct proc_spawn){.path = "/bin/sh", .argv = argv}, &pid, NULL), 0);
    return pid;
}

Test(loop, timers_signals_and_children_come_through)
{
    struct trace trace = {.loop = loop_new()};
    trace.source = loop_timer(trace.loop, 1000, on_timer, &trace);
    loop_signal(trace.loop, SIGUSR1, on_signal, &trace);
    loop_soon(trace.loop, on_soon, &trace);
    loop_child(trace.loop, shell("exit 3"), on_child, &trace);
    trace.killed = shell("sleep 0.2; kill -9 $$");
    loop_child(trace.loop, trace.killed, on_child, &trace);
    cr_expect_eq(loop_run(trace.loop), 42);
    cr_expect_eq(trace.timers, 3);
    cr_expect_eq(trace.soon, 2);
    cr_expect_eq(trace.children, 2);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "children are reaped");
    loop_free(trace.loop); /* with a source left */
}

static void stop_loop(void *arg)
{
    loop_stop(arg, 0);
}

Test(loop, a_regular_file_is_always_ready)
{
    struct trace trace = {.loop = loop_new()};
    int fd;
    cr_assert_eq(fd_memfd("file", "abc", 3, &fd, NULL), 0);
    trace.source = loop_fd(trace.loop, fd, LOOP_READ, on_file, &trace);
    loop_timer(trace.loop, 50000, stop_loop, trace.loop);
    loop_run(trace.loop);
    cr_expect_eq(trace.reads, 4);
    loop_free(trace.loop);
    close(fd);
}
