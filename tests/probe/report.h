/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what a process can see of itself, as one JSON object on stdout.
 *
 * Included by probe.c alone.  Everything is read from /proc and by system calls; what cannot be read is null. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static void json_text(const char *text, size_t size)
{
    putchar('"');
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c > 0x7e)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void json_str(const char *text)
{
    json_text(text, strlen(text));
}

static void json_key(const char *key)
{
    printf(",\n\"%s\": ", key);
}

/* A whole /proc file on the heap; NULL if it cannot be read. */
static char *read_whole(const char *path, size_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    size_t size = 0, room = 1 << 20;
    char *data = malloc(room);
    ssize_t n = 0;
    while (data && size < room - 1 && (n = read(fd, data + size, room - 1 - size)) > 0)
        size += (size_t)n;
    close(fd);
    if (!data || n < 0) {
        free(data);
        return NULL;
    }
    data[size] = 0;
    *ret_size = size;
    return data;
}

/* The parts of a file between separators, as an array of strings. */
static void report_parts(const char *key, const char *path, char separator)
{
    size_t size;
    char *data = read_whole(path, &size);
    json_key(key);
    if (!data) {
        printf("null");
        return;
    }
    putchar('[');
    const char *comma = "";
    for (char *at = data; at < data + size;) {
        char *end = memchr(at, separator, (size_t)(data + size - at));
        if (!end)
            end = data + size;
        printf("%s", comma);
        json_text(at, (size_t)(end - at));
        comma = ",\n ";
        at = end + 1;
    }
    putchar(']');
    free(data);
}

static void report_status(void)
{
    static const char *const keys[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp",
                                        "Seccomp_filters", "SigBlk", "SigIgn", "SigCgt", "Umask", "Threads", "Groups",
                                        "Uid", "Gid", "Speculation_Store_Bypass", "THP_enabled" };
    size_t size;
    char *data = read_whole("/proc/self/status", &size);
    if (!data)
        return;
    for (char *line = data; line && *line;) {
        char *next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        char *colon = strchr(line, ':');
        for (size_t i = 0; colon && i < sizeof(keys) / sizeof(*keys); i++) {
            if (strlen(keys[i]) != (size_t)(colon - line) || strncmp(keys[i], line, (size_t)(colon - line)) != 0)
                continue;
            json_key(keys[i]);
            json_str(colon + 1 + strspn(colon + 1, "\t "));
        }
        line = next;
    }
    free(data);
}

static void report_ids(void)
{
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid, groups[256];
    getresuid(&ruid, &euid, &suid);
    getresgid(&rgid, &egid, &sgid);
    printf("{\"uid\": %u, \"euid\": %u, \"suid\": %u, \"gid\": %u, \"egid\": %u, \"sgid\": %u", ruid, euid, suid, rgid,
           egid, sgid);
    json_key("groups");
    int n = getgroups(256, groups);
    putchar('[');
    for (int i = 0; i < n; i++)
        printf("%s%u", i ? ", " : "", groups[i]);
    printf("],\n\"pid\": %d, \"ppid\": %d, \"pgid\": %d, \"sid\": %d", getpid(), getppid(), getpgrp(), getsid(0));
    json_key("securebits");
    printf("%d", prctl(PR_GET_SECUREBITS));
    json_key("dumpable");
    printf("%d", prctl(PR_GET_DUMPABLE));
    json_key("pdeathsig");
    int sig = 0;
    prctl(PR_GET_PDEATHSIG, &sig);
    printf("%d", sig);
}

static void report_links(const char *key, const char *folder)
{
    json_key(key);
    DIR *dir = opendir(folder);
    if (!dir) {
        printf("null");
        return;
    }
    const char *comma = "";
    putchar('{');
    for (struct dirent *e; (e = readdir(dir));) {
        char target[PATH_MAX];
        bool ours = !strcmp(key, "fds") && strtol(e->d_name, NULL, 10) == dirfd(dir);
        if (e->d_name[0] == '.' || ours)
            continue;
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target));
        printf("%s\"%s\": ", comma, e->d_name);
        json_text(target, n < 0 ? 0 : (size_t)n);
        comma = ",\n ";
    }
    putchar('}');
    closedir(dir);
}

static void report_dev(const char *folder, const char **comma)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        char path[PATH_MAX];
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || fstatat(dirfd(dir), e->d_name, &st,
                                                                            AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        const char *type = S_ISCHR(st.st_mode) ? "char" : S_ISBLK(st.st_mode) ? "block" : S_ISDIR(st.st_mode) ? "dir"
                         : S_ISLNK(st.st_mode) ? "symlink" : S_ISFIFO(st.st_mode) ? "fifo" : "file";
        printf("%s{\"path\": ", *comma);
        json_str(path);
        printf(", \"type\": \"%s\", \"mode\": \"%04o\", \"uid\": %u, \"gid\": %u", type, st.st_mode & 07777, st.st_uid,
               st.st_gid);
        if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
            printf(", \"major\": %u, \"minor\": %u", major(st.st_rdev), minor(st.st_rdev));
        putchar('}');
        *comma = ",\n ";
        if (S_ISDIR(st.st_mode))
            report_dev(path, comma);
    }
    closedir(dir);
}

static void report_signals(void)
{
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    json_key("blocked");
    putchar('[');
    const char *comma = "";
    for (int s = 1; s <= SIGRTMAX; s++)
        if (sigismember(&mask, s) == 1) {
            printf("%s%d", comma, s);
            comma = ", ";
        }
    putchar(']');
    json_key("ignored");
    putchar('[');
    comma = "";
    for (int s = 1; s <= SIGRTMAX; s++) {
        struct sigaction action;
        if (sigaction(s, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
            printf("%s%d", comma, s);
            comma = ", ";
        }
    }
    putchar(']');
}

static void report_limits(void)
{
    static const struct {
        const char *name;
        int resource;
    } limits[] = {
        { "as", RLIMIT_AS },         { "core", RLIMIT_CORE },     { "cpu", RLIMIT_CPU },
        { "data", RLIMIT_DATA },     { "fsize", RLIMIT_FSIZE },   { "locks", RLIMIT_LOCKS },
        { "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
        { "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC },   { "rss", RLIMIT_RSS },
        { "rtprio", RLIMIT_RTPRIO }, { "rttime", RLIMIT_RTTIME }, { "sigpending", RLIMIT_SIGPENDING },
        { "stack", RLIMIT_STACK },
    };
    json_key("rlimits");
    putchar('{');
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        struct rlimit l = { 0, 0 };
        getrlimit((__rlimit_resource_t)limits[i].resource, &l);
        printf("%s\"%s\": [%lld, %lld]", i ? ", " : "", limits[i].name, (long long)l.rlim_cur, (long long)l.rlim_max);
    }
    putchar('}');
}

enum entry { ENTRY_64, ENTRY_32, ENTRY_X32 };

static long raw_call(enum entry entry, long number)
{
#if defined(__x86_64__)
    if (entry == ENTRY_32) {
        long result;
        __asm__ volatile("int $0x80" : "=a"(result)
                         : "a"(number), "b"(-1L), "c"(-1L), "d"(-1L), "S"(-1L), "D"(-1L)
                         : "r8", "r9", "r10", "r11", "memory");
        return (int)result;
    }
    if (entry == ENTRY_X32)
        number |= 0x40000000;
#endif
    long result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
    return result < 0 ? -errno : result;
}

/* Calls that would end, stop, duplicate or hang us, or reach beyond us (sync, vhangup), are left out. */
static bool call_is_harmless(enum entry entry, long number)
{
    static const short left_out_64[] = { 15, 34, 57, 58, 60, 153, 162, 231 };
    static const short left_out_32[] = { 1, 2, 29, 36, 72, 111, 119, 173, 190, 252 };
    const short *list = entry == ENTRY_32 ? left_out_32 : left_out_64;
    size_t n = entry == ENTRY_32 ? sizeof(left_out_32) / sizeof(short) : sizeof(left_out_64) / sizeof(short);
    for (size_t i = 0; i < n; i++)
        if (list[i] == number)
            return false;
    return true;
}

/* Each call happens in a child of its own, with all arguments -1: "ERRNO", 0 for success, or how the child died. */
static void report_syscalls(const char *key, enum entry entry)
{
    json_key(key);
    putchar('{');
    fflush(stdout);
    const char *comma = "";
    for (long number = 0; number <= 600; number++) {
        if (!call_is_harmless(entry, number))
            continue;
        int pipe_fds[2], status = 0;
        if (pipe(pipe_fds) < 0)
            break;
        pid_t child = fork();
        if (child == 0) {
            alarm(2);
            long result = raw_call(entry, number);
            if (write(pipe_fds[1], &result, sizeof(result)) < 0)
                _exit(1);
            _exit(0);
        }
        close(pipe_fds[1]);
        long result = 0;
        ssize_t n = read(pipe_fds[0], &result, sizeof(result));
        close(pipe_fds[0]);
        waitpid(child, &status, 0);
        const char *name = n == (ssize_t)sizeof(result) && result < 0 && result > -4096 ? strerrorname_np((int)-result)
                                                                                          : NULL;
        printf("%s\"%ld\": ", comma, number);
        if (n == (ssize_t)sizeof(result))
            name || result < 0 ? printf("\"%s\"", name ? name : "E?") : printf("0");
        else if (WIFSIGNALED(status))
            printf("\"SIG%s\"", sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
        else
            printf("null");
        comma = ", ";
    }
    putchar('}');
}

static void report(int argc, char **argv)
{
    struct utsname uts;
    char cwd[PATH_MAX];
    report_ids();
    report_status();
    report_signals();
    report_limits();
    report_links("fds", "/proc/self/fd");
    report_links("namespaces", "/proc/self/ns");
    report_parts("mountinfo", "/proc/self/mountinfo", '\n');
    report_parts("uid_map", "/proc/self/uid_map", '\n');
    report_parts("gid_map", "/proc/self/gid_map", '\n');
    report_parts("cgroup", "/proc/self/cgroup", '\n');
    report_parts("environment", "/proc/self/environ", 0);
    report_parts("arguments", "/proc/self/cmdline", 0);
    report_parts("oom_score_adj", "/proc/self/oom_score_adj", '\n');
    report_parts("apparmor", "/proc/self/attr/current", '\n');
    json_key("cwd");
    json_str(getcwd(cwd, sizeof(cwd)) ? cwd : "?");
    uname(&uts);
    json_key("hostname");
    json_str(uts.nodename);
    json_key("domainname");
    json_str(uts.domainname);
    json_key("dev");
    const char *comma = "";
    putchar('[');
    report_dev("/dev", &comma);
    putchar(']');
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--syscalls"))
            report_syscalls("syscalls", ENTRY_64);
        else if (!strcmp(argv[i], "--syscalls32"))
            report_syscalls("syscalls32", ENTRY_32);
        else if (!strcmp(argv[i], "--syscallsx32"))
            report_syscalls("syscallsx32", ENTRY_X32);
    }
    printf("}\n");
}
