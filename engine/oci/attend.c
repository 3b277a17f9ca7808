/* SPDX-License-Identifier: Apache-2.0 */
/* The foreground of `run` and `exec`: signals go on to the process, bytes between its terminal and ours. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/proc.h"
#include "base/term.h"
#include "engine/oci/verbs.h"

static void size_copy(int master)
{
    struct winsize size;
    if (master >= 0 && ioctl(0, TIOCGWINSZ, &size) == 0)
        (void)ioctl(master, TIOCSWINSZ, &size);
}

/* false at the end of the stream. */
static bool bytes_copy(int from, int to)
{
    char buffer[65536];
    ssize_t got = read(from, buffer, sizeof(buffer));
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    return got > 0 && fd_write_all(to, buffer, (size_t)got) == 0;
}

static int reap(int pid)
{
    int status;
    pid_t got = waitpid(pid, &status, WNOHANG);
    return got == pid && (WIFEXITED(status) || WIFSIGNALED(status)) ? proc_exit_code(status) : -1;
}

int oci_attend(int pid, int master)
{
    sigset_t all;
    struct termios saved;
    bool raw = master >= 0 && term_is_tty(0) && term_raw(0, &saved) == 0;
    int code = -1;
    sigfillset(&all);
    (void)sigprocmask(SIG_BLOCK, &all, NULL);
    _cleanup_close_ int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd fds[] = {{.fd = signals, .events = POLLIN}, {.fd = master, .events = POLLIN}, {.fd = master >= 0 ? 0 : -1, .events = POLLIN}};
    size_copy(master);
    while ((code = reap(pid)) < 0) {
        struct signalfd_siginfo info;
        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            break;
        if (fds[1].revents && !bytes_copy(master, 1))
            fds[1].fd = -1;
        if (fds[2].revents && !bytes_copy(0, master))
            fds[2].fd = -1;
        while (read(signals, &info, sizeof(info)) == sizeof(info)) {
            if (info.ssi_signo == SIGWINCH)
                size_copy(master);
            else if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGPIPE)
                (void)kill(pid, (int)info.ssi_signo);
        }
    }
    while (fds[1].fd >= 0 && poll(&fds[1], 1, 0) > 0 && bytes_copy(master, 1))
        ; /* its last words */
    if (raw)
        term_restore(0, &saved);
    close_fdp(&master);
    return code;
}
