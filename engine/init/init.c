/* SPDX-License-Identifier: Apache-2.0 */
/* winch-init: PID 1 of a container with `init: true`. Starts the command, passes signals on to it,
 * reaps orphans, and ends with the command's exit code. libc only. `winch-init -- COMMAND
 * [ARGUMENT…]` */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *command, const char *reason)
{
    fprintf(stderr, "winch-init: run '%s': %s\n", command, reason);
}

__attribute__((noreturn)) static void command_run(char **argv, const sigset_t *none)
{
    /* a group of its own in the foreground, so that Ctrl-C reaches the command and not us as well
     */
    if (setpgid(0, 0) == 0 && isatty(STDIN_FILENO)) {
        (void)signal(SIGTTOU, SIG_IGN);
        (void)tcsetpgrp(STDIN_FILENO, getpid());
        (void)signal(SIGTTOU, SIG_DFL);
    }
    (void)sigprocmask(SIG_SETMASK, none, NULL);
    execvp(argv[0], argv);
    int number = errno;
    say(argv[0], strerror(number));
    _exit(number == ENOENT || number == ENOTDIR ? 127 : 126);
}

/* Reaps all that ended; the command's exit code once it is among them, else -1. */
static int children_reap(pid_t command)
{
    int status, code = -1;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == command && (WIFEXITED(status) || WIFSIGNALED(status)))
            code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return code;
}

int main(int argc, char **argv)
{
    sigset_t all, none;
    if (argc < 3 || strcmp(argv[1], "--") != 0) {
        fputs("usage: winch-init -- COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    sigfillset(&all);
    sigemptyset(&none);
    (void)sigprocmask(SIG_BLOCK, &all, NULL); /* taken one by one below */
    pid_t command = fork();
    if (command < 0) {
        say(argv[2], strerror(errno));
        return 126;
    }
    if (command == 0)
        command_run(argv + 2, &none);
    (void)setpgid(command, command); /* the child does it too: whoever is first */
    for (;;) {
        int signo = sigwaitinfo(&all, NULL);
        if (signo == SIGCHLD) {
            int code = children_reap(command);
            if (code >= 0)
                return code;
        } else if (signo > 0 && signo != SIGTTIN && signo != SIGTTOU) {
            (void)kill(command, signo); /* may have ended just now */
        }
    }
}
