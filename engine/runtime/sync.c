/* SPDX-License-Identifier: Apache-2.0 */
/* The socket between the two sides of a start (sync.h). libc only. */
#include "engine/runtime/sync.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

int sync_pair(int ret_fds[2], struct err *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
        return err_sys(err, "socketpair");
    return 0;
}

static void message_send(int sock, enum sync_kind kind, int code, int sys_errno, const char *text)
{
    struct sync_message message = { .kind = kind, .code = code, .sys_errno = sys_errno };
    snprintf(message.text, sizeof(message.text), "%s", text);
    (void)fd_send(sock, &message, sizeof(message), NULL, 0); /* a dead monitor reads nothing more */
}

void sync_failed(int sock, const struct err *error)
{
    message_send(sock, SYNC_FAILED, (int)error->code, error->sys_errno, error->message);
}

void sync_note(int sock, const char *format, ...)
{
    char text[ERR_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    message_send(sock, SYNC_NOTE, 0, 0, text);
}

int sync_tty(int sock, int master, struct err *err)
{
    struct sync_message message = { .kind = SYNC_TTY };
    if (fd_send(sock, &message, sizeof(message), &master, 1) < 0)
        return err_sys(err, "pass the terminal");
    return 0;
}

static void notes_add(char *notes, unsigned size, const char *text)
{
    size_t used = strlen(notes);
    if (used + 3 < size)
        snprintf(notes + used, size - used, "%s%s", used ? "; " : "", text);
}

int sync_wait(int sock, char *ret_notes, unsigned notes_size, int *ret_master, struct err *err)
{
    if (notes_size)
        ret_notes[0] = '\0';
    for (;;) {
        struct sync_message message;
        int fds[1] = { -1 };
        size_t fd_count = 0;
        ssize_t size = fd_recv(sock, &message, sizeof(message), fds, 1, &fd_count);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return err_sys(err, "read from the starting process");
        if (size == 0)
            return 0;
        message.text[sizeof(message.text) - 1] = '\0';
        if (message.kind == SYNC_FAILED) {
            err_set(err, message.code, "%s", message.text);
            if (err)
                err->sys_errno = message.sys_errno;
            return -1;
        }
        if (message.kind == SYNC_NOTE && notes_size)
            notes_add(ret_notes, notes_size, message.text);
        if (message.kind == SYNC_TTY && fd_count == 1 && ret_master)
            *ret_master = fds[0];
        else if (fd_count == 1)
            close_fdp(&fds[0]);
    }
}
