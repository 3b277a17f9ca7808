/* SPDX-License-Identifier: Apache-2.0 */
/* ipc_server.c - accepting clients, dispatching calls, queueing what they are slow to read.
 *
 * A peer is closed in one place only, when its socket says so: answering and sending merely mark it. A request
 * outlives its peer until the handler answers it. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/ipc.h"
#include "base/ipc_wire.h"
#include "base/log.h"

#define CLIENTS_MAX      256
#define REQUESTS_MAX     256           /* of one client at a time */
#define QUEUE_MAX        (1024 * 1024) /* bytes to one client: above, events are dropped and no call is read */
#define ACCEPT_RETRY_US  500000

struct peer {
    struct peer *next, *previous;
    struct ipc_server *server;
    struct loop_source *source;
    int fd;
    struct ipc_queue queue;
    struct ipc_request *requests;
    size_t request_count;
    bool is_broken; /* nothing more can be sent */
};

struct ipc_request {
    struct ipc_request *next, *previous;
    struct peer *peer; /* NULL: the client is gone */
    long id;
    int fds[FD_PASS_MAX];
    size_t fd_count;
    int64_t lost; /* events dropped since the last one that was sent */
    void (*gone)(struct ipc_request *, void *arg);
    void *gone_arg;
};

struct listener {
    struct listener *next;
    struct ipc_server *server;
    struct loop_source *source, *retry;
    int fd;
};

struct ipc_server {
    struct loop *loop;
    const struct ipc_method *methods;
    void *context;
    struct listener *listeners;
    struct peer *peers;
    size_t peer_count;
    int socket_dir; /* where our own socket file is, to remove it at the end */
    char *socket_name;
    char buffer[IPC_MESSAGE_MAX];
};

/* ---- sending ---- */

static void peer_update_events(struct peer *peer)
{
    unsigned events = 0;
    if (peer->queue.first)
        events |= LOOP_WRITE;
    if (peer->queue.bytes < QUEUE_MAX)
        events |= LOOP_READ;
    loop_fd_events(peer->source, events);
}

static void peer_flush(struct peer *peer)
{
    if (ipc_queue_flush(&peer->queue, peer->fd) == IPC_FLUSH_BROKEN) {
        peer->is_broken = true;
        ipc_queue_done(&peer->queue);
    }
    peer_update_events(peer);
}

/* Queues {"id":…, key: body}; takes body. */
static int peer_push(struct peer *peer, long id, const char *key, struct jv *body, struct err *err)
{
    struct ipc_packet *packet;
    _cleanup_jv_ struct jv *message = jv_object();
    jv_set_int(message, "id", id);
    jv_set(message, key, body);
    if (ipc_packet_new(message, id, &packet, err) < 0)
        return -1;
    ipc_queue_push(&peer->queue, packet);
    return 0;
}

/* Tells how many events were dropped; before anything else is sent for the request. */
static void push_lost(struct ipc_request *request)
{
    if (request->lost == 0)
        return;
    struct jv *event = jv_object();
    jv_set_int(event, "lost", request->lost);
    if (peer_push(request->peer, request->id, "event", event, NULL) == 0)
        request->lost = 0;
}

void ipc_send_event(struct ipc_request *request, struct jv *event)
{
    struct peer *peer = request->peer;
    struct err err = {0};
    if (!peer || peer->is_broken) {
        jv_free(event);
        return;
    }
    if (peer->queue.bytes >= QUEUE_MAX) {
        request->lost++;
        jv_free(event);
        return;
    }
    push_lost(request);
    if (peer_push(peer, request->id, "event", event, &err) < 0) {
        request->lost++;
        log_warning("ipc: event dropped: %s", err.message);
    }
    peer_flush(peer);
}

static void request_unlink(struct ipc_request *request)
{
    if (!request->peer)
        return;
    if (request->previous)
        request->previous->next = request->next;
    else
        request->peer->requests = request->next;
    if (request->next)
        request->next->previous = request->previous;
    request->peer->request_count--;
    request->peer = NULL;
}

static void request_free(struct ipc_request *request)
{
    request_unlink(request);
    ipc_close_fds(request->fds, request->fd_count);
    free(request);
}

static void answer(struct ipc_request *request, const char *key, struct jv *body)
{
    struct peer *peer = request->peer;
    struct err err = {0};
    if (peer && !peer->is_broken) {
        push_lost(request);
        if (peer_push(peer, request->id, key, body, &err) < 0) {
            /* too large, or no descriptor for a memfd: this one is small */
            (void)peer_push(peer, request->id, "error", jv_from_err(&err), NULL);
        }
        peer_flush(peer);
    } else {
        jv_free(body);
    }
    request_free(request);
}

void ipc_answer_ok(struct ipc_request *request, struct jv *ok)
{
    answer(request, "ok", ok ? ok : jv_object());
}

void ipc_answer_error(struct ipc_request *request, const struct err *error)
{
    answer(request, "error", jv_from_err(error));
}

bool ipc_request_alive(const struct ipc_request *request)
{
    return request->peer != NULL;
}

bool ipc_request_same_client(const struct ipc_request *a, const struct ipc_request *b)
{
    return a->peer && a->peer == b->peer;
}

void ipc_request_on_gone(struct ipc_request *request, void (*gone)(struct ipc_request *, void *arg), void *arg)
{
    request->gone = gone;
    request->gone_arg = arg;
}

size_t ipc_request_fds(const struct ipc_request *request, const int **ret_fds)
{
    *ret_fds = request->fds;
    return request->fd_count;
}

/* ---- receiving ---- */

static struct ipc_request *request_new(struct peer *peer, long id, const int *fds, size_t fd_count)
{
    struct ipc_request *request = xcalloc(1, sizeof(*request));
    request->peer = peer;
    request->id = id;
    if (fd_count > 0)
        memcpy(request->fds, fds, fd_count * sizeof(*fds));
    request->fd_count = fd_count;
    request->next = peer->requests;
    if (peer->requests)
        peer->requests->previous = request;
    peer->requests = request;
    peer->request_count++;
    return request;
}

static const struct ipc_method *find_method(const struct ipc_server *server, const char *name)
{
    for (const struct ipc_method *method = server->methods; method->name; method++)
        if (strcmp(method->name, name) == 0)
            return method;
    return NULL;
}

static const struct ipc_method *check_call(const struct peer *peer, const struct jv *message, struct err *err)
{
    const char *call = jv_get_str(message, "call", NULL);
    int64_t version = jv_get_int(message, "v", 0);
    const struct ipc_method *method = call ? find_method(peer->server, call) : NULL;
    if (version != IPC_VERSION)
        err_set(err, ERR_PROTOCOL, "the client speaks version %lld of the protocol, this process version %d",
                (long long)version, IPC_VERSION);
    else if (!call)
        err_set(err, ERR_PROTOCOL, "message that is no call");
    else if (!method)
        err_set(err, ERR_UNSUPPORTED, "unknown call '%s'", call);
    else if (peer->request_count > REQUESTS_MAX)
        err_set(err, ERR_LIMIT, "more than %d calls at a time", REQUESTS_MAX);
    else
        return method;
    return NULL;
}

static void dispatch(struct peer *peer, const struct jv *message, const int *fds, size_t fd_count)
{
    struct err err = {0};
    struct ipc_request *request = request_new(peer, (long)jv_get_int(message, "id", -1), fds, fd_count);
    const struct ipc_method *method = check_call(peer, message, &err);
    if (!method) {
        ipc_answer_error(request, &err);
        return;
    }
    _cleanup_jv_ struct jv *none = NULL;
    const struct jv *args = jv_find(message, "args");
    if (!args)
        args = none = jv_object();
    method->handler(request, args, peer->server->context);
}

static void peer_close(struct peer *peer, bool tell)
{
    struct ipc_server *server = peer->server;
    loop_source_free(peer->source);
    close_fdp(&peer->fd);
    ipc_queue_done(&peer->queue);
    while (peer->requests) {
        struct ipc_request *request = peer->requests;
        void (*gone)(struct ipc_request *, void *) = request->gone;
        request_unlink(request);
        request->gone = NULL;
        if (gone && tell)
            gone(request, request->gone_arg);
    }
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        server->peers = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    server->peer_count--;
    free(peer);
}

static void peer_read(struct peer *peer)
{
    struct err err = {0};
    int fds[FD_PASS_MAX];
    size_t fd_count = 0;
    _cleanup_jv_ struct jv *message = NULL;
    switch (ipc_read(peer->fd, peer->server->buffer, &message, fds, &fd_count, &err)) {
    case IPC_READ_MESSAGE:
        dispatch(peer, message, fds, fd_count);
        break;
    case IPC_READ_AGAIN:
        break;
    case IPC_READ_BROKEN:
        log_warning("ipc: client closed: %s", err.message);
        peer_close(peer, true);
        break;
    case IPC_READ_END:
        peer_close(peer, true);
        break;
    }
}

static void on_peer(int fd, unsigned events, void *arg)
{
    struct peer *peer = arg;
    (void)fd;
    if (events & LOOP_WRITE) {
        peer_flush(peer);
        for (struct ipc_request *request = peer->requests; request && !peer->queue.first;
             request = request->next)
            push_lost(request);
        peer_flush(peer);
    }
    if (events & LOOP_READ)
        peer_read(peer); /* last: may free the peer */
}

/* ---- listening ---- */

static void peer_new(struct ipc_server *server, int fd)
{
    if (!ipc_peer_is_trusted(fd) || server->peer_count >= CLIENTS_MAX) {
        log_warning("ipc: client refused");
        close(fd);
        return;
    }
    struct peer *peer = xcalloc(1, sizeof(*peer));
    peer->server = server;
    peer->fd = fd;
    peer->next = server->peers;
    if (server->peers)
        server->peers->previous = peer;
    server->peers = peer;
    server->peer_count++;
    peer->source = loop_fd(server->loop, fd, LOOP_READ, on_peer, peer);
}

static void on_retry(void *arg)
{
    struct listener *listener = arg;
    loop_fd_events(listener->source, LOOP_READ);
}

static void on_listener(int listen_fd, unsigned events, void *arg)
{
    struct listener *listener = arg;
    (void)events;
    for (;;) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            peer_new(listener->server, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* the client stays in the queue and keeps us awake: look away for a while */
            log_error("ipc: accept: %m");
            loop_fd_events(listener->source, 0);
            loop_timer_arm(listener->retry, ACCEPT_RETRY_US);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return; /* EAGAIN: all accepted */
        }
    }
}

int ipc_server_adopt(struct ipc_server *server, int listen_fd, struct err *err)
{
    if (fd_set_nonblock(listen_fd, true) < 0 || fd_set_cloexec(listen_fd, true) < 0) {
        err_sys(err, "prepare listening socket");
        close(listen_fd);
        return -1;
    }
    struct listener *listener = xcalloc(1, sizeof(*listener));
    listener->server = server;
    listener->fd = listen_fd;
    listener->next = server->listeners;
    server->listeners = listener;
    listener->source = loop_fd(server->loop, listen_fd, LOOP_READ, on_listener, listener);
    listener->retry = loop_timer(server->loop, 0, on_retry, listener);
    loop_timer_disarm(listener->retry);
    return 0;
}

static int listen_at(const struct ipc_address *address, int *ret_fd, struct err *err)
{
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_sys(err, "make a socket");
    if (fchmod(fd, 0600) < 0) /* before bind: the file is never open to others */
        return err_sys(err, "set mode of socket");
    if (unlinkat(address->parent, address->name, 0) < 0 && errno != ENOENT)
        return err_sys(err, "remove old socket %s", address->name);
    if (bind(fd, (const struct sockaddr *)&address->address, address->size) < 0)
        return err_sys(err, "bind socket %s", address->name);
    if (listen(fd, 128) < 0)
        return err_sys(err, "listen at socket %s", address->name);
    *ret_fd = take_fd(&fd);
    return 0;
}

int ipc_server_new(struct loop *loop, int dirfd, const char *name, const struct ipc_method *methods, void *context,
                   struct ipc_server **ret_server, struct err *err)
{
    struct ipc_address address;
    int fd = -1;
    struct ipc_server *server = xcalloc(1, sizeof(*server));
    server->loop = loop;
    server->methods = methods;
    server->context = context;
    server->socket_dir = -1;
    if (!name) {
        *ret_server = server;
        return 0;
    }
    if (ipc_address_init(&address, dirfd, name) < 0) {
        ipc_server_free(server);
        return err_sys(err, "socket %s", name);
    }
    _cleanup_close_ int parent = address.parent;
    if (listen_at(&address, &fd, err) < 0) {
        ipc_server_free(server);
        return -1;
    }
    server->socket_dir = take_fd(&parent);
    server->socket_name = xstrdup(address.name);
    if (ipc_server_adopt(server, fd, err) < 0) {
        ipc_server_free(server);
        return -1;
    }
    *ret_server = server;
    return 0;
}

void ipc_server_free(struct ipc_server *server)
{
    if (!server)
        return;
    while (server->peers) {
        peer_flush(server->peers); /* a last answer may still be queued */
        peer_close(server->peers, false);
    }
    for (struct listener *listener = server->listeners, *next; listener; listener = next) {
        next = listener->next;
        loop_source_free(listener->source);
        loop_source_free(listener->retry);
        close(listener->fd);
        free(listener);
    }
    if (server->socket_name)
        (void)unlinkat(server->socket_dir, server->socket_name, 0); /* may be gone already */
    close_fdp(&server->socket_dir);
    free(server->socket_name);
    free(server);
}

size_t ipc_server_clients(const struct ipc_server *server)
{
    return server->peer_count;
}
