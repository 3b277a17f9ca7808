/* SPDX-License-Identifier: Apache-2.0 */
/* ipc_async.c - calls from inside an event loop: nothing here blocks. Replies may start further calls and may
 * free the connection; the memory then goes when the callback has returned. */
#include <errno.h>

#include "base/fd.h"
#include "base/ipc.h"
#include "base/ipc_wire.h"

struct pending {
    struct pending *next;
    long id;
    ipc_reply_fn *reply;
    void *arg;
};

struct ipc_async {
    struct ipc_client *client;
    struct loop_source *source;
    struct ipc_queue queue;
    struct pending *pending;
    ipc_closed_fn *closed;
    void *arg;
    bool is_broken, in_call, is_freed;
};

static struct pending *take_pending(struct ipc_async *async, long id)
{
    for (struct pending **at = &async->pending; *at; at = &(*at)->next)
        if ((*at)->id == id) {
            struct pending *found = *at;
            *at = found->next;
            return found;
        }
    return NULL;
}

/* Returns false when the callback freed async: the caller must not touch it any more than finish() does. */
static bool reply(struct ipc_async *async, struct pending *pending, const struct jv *ok,
                  const struct err *error)
{
    pending->reply(ok, error, pending->arg);
    free(pending);
    return !async->is_freed;
}

/* The connection is lost: every call fails with *why, then the owner is told, once. */
static void fail_all(struct ipc_async *async, const struct err *why)
{
    async->is_broken = true;
    loop_source_free(async->source);
    async->source = NULL;
    ipc_queue_done(&async->queue);
    while (async->pending) {
        struct pending *first = async->pending;
        async->pending = first->next;
        if (!reply(async, first, NULL, why))
            return;
    }
    if (async->closed)
        async->closed(async->arg);
}

void ipc_async_fail(struct ipc_async *async, const struct err *why)
{
    if (async->is_broken)
        return;
    async->in_call = true;
    fail_all(async, why);
    async->in_call = false;
    if (async->is_freed)
        free(async);
}

static void update_events(struct ipc_async *async)
{
    loop_fd_events(async->source, LOOP_READ | (async->queue.first ? (unsigned)LOOP_WRITE : 0));
}

static void on_readable(struct ipc_async *async)
{
    long id;
    enum ipc_kind kind;
    struct err error = {0};
    _cleanup_jv_ struct jv *body = NULL;
    if (ipc_receive(async->client, &id, &kind, &body, &error) < 0) {
        if (error.code != ERR_SYSTEM || error.sys_errno != EAGAIN)
            fail_all(async, &error);
        return;
    }
    struct pending *pending = kind == IPC_EVENT ? NULL : take_pending(async, id);
    if (pending)
        reply(async, pending, kind == IPC_OK ? body : NULL, kind == IPC_OK ? NULL : &error);
}

static void on_socket(int fd, unsigned events, void *arg)
{
    struct ipc_async *async = arg;
    async->in_call = true;
    if (events & LOOP_WRITE) {
        /* a broken connection shows when reading, after what the server still said */
        if (ipc_queue_flush(&async->queue, fd) == IPC_FLUSH_BROKEN)
            ipc_queue_done(&async->queue);
        update_events(async);
    }
    if (events & LOOP_READ)
        on_readable(async);
    async->in_call = false;
    if (async->is_freed)
        free(async);
}

struct ipc_async *ipc_async_new(struct loop *loop, struct ipc_client *client, ipc_closed_fn *closed, void *arg)
{
    struct ipc_async *async = xcalloc(1, sizeof(*async));
    int fd = ipc_client_fd(client);
    async->client = client;
    async->closed = closed;
    async->arg = arg;
    (void)fd_set_nonblock(fd, true); /* cannot fail on an open socket */
    async->source = loop_fd(loop, fd, LOOP_READ, on_socket, async);
    return async;
}

void ipc_async_free(struct ipc_async *async)
{
    if (!async || async->is_freed)
        return;
    loop_source_free(async->source);
    ipc_queue_done(&async->queue);
    ipc_client_free(async->client);
    for (struct pending *pending = async->pending, *next; pending; pending = next) {
        next = pending->next;
        free(pending);
    }
    async->pending = NULL;
    async->is_freed = true;
    if (!async->in_call)
        free(async);
}

int ipc_async_call(struct ipc_async *async, const char *call, struct jv *args, ipc_reply_fn *reply_fn, void *arg,
                   struct err *err)
{
    long id;
    struct ipc_packet *packet;
    _cleanup_jv_ struct jv *message = ipc_call_message(async->client, call, args, &id);
    if (async->is_broken)
        return err_set(err, ERR_PROTOCOL, "call %s: the connection is closed", call);
    if (ipc_packet_new(message, id, &packet, err) < 0)
        return err_wrap(err, "call %s", call);
    ipc_queue_push(&async->queue, packet);
    if (ipc_queue_flush(&async->queue, ipc_client_fd(async->client)) == IPC_FLUSH_BROKEN)
        ipc_queue_done(&async->queue); /* the loop will see the end and fail this call with the others */
    update_events(async);
    struct pending *pending = xcalloc(1, sizeof(*pending));
    *pending = (struct pending){.next = async->pending, .id = id, .reply = reply_fn, .arg = arg};
    async->pending = pending;
    return 0;
}
