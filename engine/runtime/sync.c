/* SPDX-License-Identifier: Apache-2.0 */
/* The socket between the two sides of a start (sync.h). libc only. */
#include "engine/runtime/sync.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"

int sync_pair(int ret_fds[2], struct err *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0)
        return err_sys(err, "socketpair");
    return 0;
}

static void message_send(int sock, enum sync_kind kind, int code, int sys_errno, const char *text)
{
    struct sync_message message = {.kind = kind, .code = code, .sys_errno = sys_errno};
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
    struct sync_message message = {.kind = SYNC_TTY};
    if (fd_send(sock, &message, sizeof(message), &master, 1) < 0)
        return err_sys(err, "pass the terminal");
    return 0;
}

void sync_keep(int sock, const int *fds, size_t count)
{
    const struct sync_message message = {.kind = SYNC_KEEP};
    for (size_t i = 0; i < count; i += FD_PASS_MAX)
        if (fd_send(sock, &message, sizeof(message), fds + i, MIN(count - i, (size_t)FD_PASS_MAX)) <
            0)
            return; /* then they are closed here, slowly */
}

static void notes_add(char *notes, size_t size, const char *text)
{
    size_t used = strlen(notes);
    if (used + 3 < size)
        snprintf(notes + used, size - used, "%s%.400s", used ? "; " : "", text);
}

/* Takes the descriptors of a message. */
static void message_take(struct sync_result *result, const struct sync_message *message, int *fds,
                         size_t count)
{
    if (message->kind == SYNC_NOTE)
        notes_add(result->notes, sizeof(result->notes), message->text);
    for (size_t i = 0; i < count; i++) {
        if (message->kind == SYNC_TTY && result->master < 0)
            result->master = fds[i];
        else if (message->kind == SYNC_KEEP && result->kept_count < SYNC_KEEP_MAX)
            result->kept[result->kept_count++] = fds[i];
        else
            close_fdp(&fds[i]);
    }
}

int sync_wait(int sock, struct sync_result *ret_result, struct err *err)
{
    ret_result->notes[0] = '\0';
    ret_result->master = -1;
    ret_result->kept_count = 0;
    for (;;) {
        struct sync_message message;
        int fds[FD_PASS_MAX];
        size_t fd_count = 0;
        ssize_t size = fd_recv(sock, &message, sizeof(message), fds, FD_PASS_MAX, &fd_count);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return err_set(err, ERR_TIMEOUT, "the process did not get ready in time");
        if (size < 0)
            return err_sys(err, "read from the starting process");
        if (size == 0)
            return 0;
        message.text[sizeof(message.text) - 1] = '\0';
        message_take(ret_result, &message, fds, fd_count);
        if (message.kind == SYNC_FAILED) {
            err_set(err, message.code, "%s", message.text);
            if (err)
                err->sys_errno = message.sys_errno;
            return -1;
        }
    }
}

void sync_result_done(struct sync_result *result)
{
    while (result->kept_count > 0)
        close(result->kept[--result->kept_count]);
}
