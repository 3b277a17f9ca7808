/* SPDX-License-Identifier: Apache-2.0 */
/* calls.h - commands of the probe about single system calls. Included by probe.c alone. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* call 64|32|x32 NUMBER [ARG...]: prints the errno of one system call, or 0. */
static int cmd_call(int argc, char **argv)
{
    long args[6] = { 0 }, number = argc > 1 ? strtol(argv[1], NULL, 0) : -1, result;
    for (int i = 2; i < argc && i < 8; i++)
        args[i - 2] = (long)strtoull(argv[i], NULL, 0);
    if (argc > 0 && !strcmp(argv[0], "32")) {
#if defined(__x86_64__)
        __asm__ volatile("int $0x80" : "=a"(result)
                         : "a"(number), "b"(args[0]), "c"(args[1]), "d"(args[2]), "S"(args[3]), "D"(args[4])
                         : "r8", "r9", "r10", "r11", "memory");
        result = (int)result;
#else
        result = -ENOSYS;
#endif
    } else {
        result = syscall(argc > 0 && !strcmp(argv[0], "x32") ? number | 0x40000000 : number, args[0], args[1], args[2], args[3],
                         args[4], args[5]);
        result = result < 0 ? -errno : result;
    }
    if (result == 0 && (number == SYS_clone || number == SYS_fork))
        _exit(0); /* the child */
    puts(result < 0 ? strerrorname_np((int)-result) : "0");
    return 0;
}

static void *thread_run(void *arg)
{
    *(int *)arg = 1;
    return NULL;
}

/* threads: what libc makes processes and threads with works. */
static int cmd_threads(int argc, char **argv)
{
    (void)argc, (void)argv;
    pthread_t thread;
    int ran = 0, status = 0, error;
    pid_t child;
    char *words[] = { "probe", "exit", "0", NULL }, *env[] = { NULL };
    if ((error = pthread_create(&thread, NULL, thread_run, &ran)) || pthread_join(thread, NULL) || !ran)
        return printf("pthread_create: %s\n", strerrorname_np(error)), 1;
    if ((error = posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, env)) || waitpid(child, &status, 0) < 0 || status)
        return printf("posix_spawn: %s\n", strerrorname_np(error)), 1;
    puts("thread, spawn");
    return 0;
}

/* Looks at one process in every way that is open to us; complains when it is not one that runs inside. */
static void spy_on(const char *pid, const char *word)
{
    static char text[65536];
    char path[64], target[PATH_MAX];
    snprintf(path, sizeof(path), "/proc/%s/environ", pid);
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (got > 0 && memmem(text, (size_t)got, word, strlen(word)))
        printf("SEEN in the environment of %s\n", pid);
    if (fd >= 0)
        close(fd);
    snprintf(path, sizeof(path), "/proc/%s/exe", pid);
    got = readlink(path, target, sizeof(target) - 1);
    if (got > 0 && memmem(target, (size_t)got, "winch", 5)) {
        printf("SEEN the program of %s: %.*s\n", pid, (int)got, target);
        fd = open(path, O_RDWR);
        if (fd >= 0)
            printf("SEEN it writable\n"), close(fd);
    }
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof(path), "/proc/%s/fd/%d", pid, i);
        got = readlink(path, target, sizeof(target) - 1);
        target[got < 0 ? 0 : got] = '\0';
        if (got > 0 && i > 2 && strncmp(target, "/proc", 5) && strncmp(target, "pipe:", 5))
            printf("SEEN descriptor %d of %s: %s\n", i, pid, target);
    }
    snprintf(path, sizeof(path), "/proc/%s/cwd", pid);
    got = readlink(path, target, sizeof(target) - 1);
    if (got > 0 && memmem(target, (size_t)got, "unreachable", 11))
        printf("SEEN the folder of %s: %.*s\n", pid, (int)got, target);
}

/* spy WORD SECONDS: watches every process that appears; a line with SEEN is a leak. */
static int cmd_spy(int argc, char **argv)
{
    const char *word = argc > 0 ? argv[0] : "CANARY";
    time_t end = time(NULL) + (argc > 1 ? strtol(argv[1], NULL, 10) : 5);
    long looks = 0;
    while (time(NULL) < end) {
        DIR *dir = opendir("/proc");
        struct dirent *entry;
        while (dir && (entry = readdir(dir))) {
            long pid = strtol(entry->d_name, NULL, 10);
            if (pid <= 0 || pid == getpid())
                continue;
            looks++;
            spy_on(entry->d_name, word);
        }
        if (dir)
            closedir(dir);
    }
    printf("looked %s times\n", looks > 100 ? "many" : "few");
    return 0;
}

/* swap A B: exchanges two names for ever. */
static int cmd_swap(int argc, char **argv)
{
    puts("swapping");
    while (argc > 1)
        if (renameat2(AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE) < 0)
            return perror("exchange"), 1;
    return 2;
}
