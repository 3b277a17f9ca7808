/* SPDX-License-Identifier: Apache-2.0 */
/* ipc_client.c - blocking calls over one connection. */
#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/ipc.h"
#include "base/ipc_wire.h"

struct ipc_client {
    int fd;
    long last_id;
    char buffer[IPC_MESSAGE_MAX];
};

int ipc_connect(int dirfd, const char *name, struct ipc_client **ret_client, struct err *err)
{
    struct ipc_address address;
    if (ipc_address_init(&address, dirfd, name) < 0) {
        int saved = errno;
        err_sys(err, "socket %s", name);
        if (err && saved == ENOENT)
            err->code = ERR_NOT_FOUND;
        return -1;
    }
    _cleanup_close_ _unused_ int parent = address.parent;
    /* a server that hangs takes no connections: its clients must not hang with it */
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, "make a socket");
    if (connect(fd, (struct sockaddr *)&address.address, address.size) < 0) {
        int saved = errno;
        if (saved == EAGAIN)
            return err_set(err, ERR_BUSY, "connect to %s: it takes no connections", name);
        err_sys(err, "connect to %s", name);
        if (err && saved == ENOENT)
            err->code = ERR_NOT_FOUND;
        return -1;
    }
    (void)fd_set_nonblock(fd, false); /* cannot fail on an open socket */
    if (!ipc_peer_is_trusted(fd))
        return err_set(err, ERR_DENIED, "socket %s belongs to another user", name);
    struct ipc_client *client = xmalloc(sizeof(*client));
    client->fd = take_fd(&fd);
    client->last_id = 0;
    *ret_client = client;
    return 0;
}

void ipc_client_free(struct ipc_client *client)
{
    if (!client)
        return;
    close_fdp(&client->fd);
    free(client);
}

int ipc_client_fd(const struct ipc_client *client)
{
    return client->fd;
}

struct jv *ipc_call_message(struct ipc_client *client, const char *call, struct jv *args, long *ret_id)
{
    struct jv *message = jv_object();
    *ret_id = ++client->last_id;
    jv_set_int(message, "v", IPC_VERSION);
    jv_set_int(message, "id", *ret_id);
    jv_set_str(message, "call", call);
    jv_set(message, "args", args ? args : jv_object());
    return message;
}

int ipc_send_call(struct ipc_client *client, const char *call, struct jv *args, const int *fds,
                  size_t fd_count, long *ret_id, struct err *err)
{
    long id;
    _cleanup_jv_ struct jv *message = ipc_call_message(client, call, args, &id);
    _cleanup_(ipc_packet_freep) struct ipc_packet *packet = NULL;
    if (ipc_packet_new(message, id, &packet, err) < 0)
        return err_wrap(err, "call %s", call);
    if (ipc_packet_send(packet, client->fd, fds, fd_count) < 0)
        return err_sys(err, "call %s", call);
    if (ret_id)
        *ret_id = id;
    return 0;
}

/* Splits {"id", "event"|"ok"|"error"} into its parts. */
static int take_apart(const struct jv *message, long *ret_id, enum ipc_kind *ret_kind, struct jv **ret_body,
                      struct err *err)
{
    static const char *const keys[] = {[IPC_EVENT] = "event", [IPC_OK] = "ok", [IPC_ERROR] = "error"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct jv *body = jv_find(message, keys[i]);
        if (!body)
            continue;
        if (i == IPC_ERROR && err)
            jv_to_err(body, err);
        *ret_id = (long)jv_get_int(message, "id", -1);
        *ret_kind = (enum ipc_kind)i;
        if (ret_body)
            *ret_body = jv_ref(body);
        return 0;
    }
    return err_set(err, ERR_PROTOCOL, "message that is neither event nor answer");
}

static enum ipc_read client_read(struct ipc_client *client, struct jv **ret_message, struct err *err)
{
    int fds[FD_PASS_MAX];
    size_t count = 0;
    enum ipc_read result = ipc_read(client->fd, client->buffer, ret_message, fds, &count, err);
    if (result == IPC_READ_MESSAGE)
        ipc_close_fds(fds, count); /* answers carry none */
    if (result == IPC_READ_END)
        err_set(err, ERR_PROTOCOL, "the connection was closed");
    return result;
}

int ipc_receive(struct ipc_client *client, long *ret_id, enum ipc_kind *ret_kind, struct jv **ret_body,
                struct err *err)
{
    _cleanup_jv_ struct jv *message = NULL;
    switch (client_read(client, &message, err)) {
    case IPC_READ_MESSAGE:
        return take_apart(message, ret_id, ret_kind, ret_body, err);
    case IPC_READ_AGAIN:
        return err_sysno(err, EAGAIN, "receive message");
    default:
        return -1;
    }
}

/* Waits for input until the deadline (< 0: for ever). */
static int wait_readable(int fd, int64_t deadline_us, struct err *err)
{
    for (;;) {
        struct pollfd watched = {.fd = fd, .events = POLLIN};
        int64_t left_ms = -1;
        if (deadline_us >= 0)
            left_ms = MAX((deadline_us - clock_monotonic_us() + 999) / 1000, (int64_t)0);
        int n = poll(&watched, 1, (int)MIN(left_ms, (int64_t)86400000));
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_sys(err, "wait for an answer");
        if (n == 0 && clock_monotonic_us() >= deadline_us)
            return err_set(err, ERR_TIMEOUT, "no answer in time");
    }
}

int ipc_call(struct ipc_client *client, const char *call, struct jv *args, const int *fds, size_t fd_count,
             int timeout_ms, ipc_event_fn *on_event, void *arg, struct jv **ret_ok, struct err *err)
{
    long id, got_id;
    int64_t deadline_us = timeout_ms < 0 ? -1 : clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    if (ipc_send_call(client, call, args, fds, fd_count, &id, err) < 0)
        return -1;
    for (;;) {
        _cleanup_jv_ struct jv *body = NULL;
        enum ipc_kind kind;
        struct err remote = {0};
        if (wait_readable(client->fd, deadline_us, err) < 0)
            return err_wrap(err, "call %s", call);
        if (ipc_receive(client, &got_id, &kind, &body, &remote) < 0) {
            err_copy(err, &remote);
            return err_wrap(err, "call %s", call);
        }
        if (got_id != id)
            continue; /* the late answer to a call that timed out */
        if (kind == IPC_ERROR)
            return err_copy(err, &remote); /* as the server said it */
        if (kind == IPC_OK) {
            if (ret_ok)
                *ret_ok = take_ptr(&body);
            return 0;
        }
        if (on_event)
            on_event(body, arg);
    }
}
