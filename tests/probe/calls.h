/* SPDX-License-Identifier: Apache-2.0 */
/* calls.h - commands of the probe about single system calls. Included by probe.c alone. */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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
