/* SPDX-License-Identifier: Apache-2.0 */
/* ipc.h - JSON messages between our processes over SOCK_SEQPACKET (docs/ipc.md).
 *
 * {"v":1,"id":7,"call":"apply","args":{…}} → any number of {"id":7,"event":{…}} → {"id":7,"ok":{…}} or
 * {"id":7,"error":{…}}. One message is at most IPC_MESSAGE_MAX bytes; a larger body travels as a memfd
 * (transparent to callers). Sockets are mode 0600 and the peer's uid is checked (SO_PEERCRED) before parsing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/loop.h"

#define IPC_VERSION     1
#define IPC_MESSAGE_MAX (64 * 1024)
#define IPC_BODY_MAX    (32 * 1024 * 1024) /* a memfd body larger than this is refused */

/* ---- client: blocking, for commands and for calls inside a process that may wait ---- */
struct ipc_client;

/* Connects to dirfd/name (any path length). ERR_NOT_FOUND: no socket; ERR_SYSTEM with ECONNREFUSED: nobody
 * listens; ERR_BUSY: its queue of connections is full. Never waits. */
int ipc_connect(int dirfd, const char *name, struct ipc_client **ret_client, struct err *err);
void ipc_client_free(struct ipc_client *client);
DEFINE_CLEANUP(struct ipc_client *, ipc_client_free)
int ipc_client_fd(const struct ipc_client *client); /* for poll(2); borrowed */

typedef void ipc_event_fn(const struct jv *event, void *arg);

/* One call, waits for its end. args is taken (NULL: {}); fds are borrowed. Events arrive at on_event (may be
 * NULL). timeout_ms < 0 waits for ever, ERR_TIMEOUT otherwise. The remote error becomes *err with its code.
 * ret_ok may be NULL. */
int ipc_call(struct ipc_client *client, const char *call, struct jv *args, const int *fds, size_t fd_count,
             int timeout_ms, ipc_event_fn *on_event, void *arg, struct jv **ret_ok, struct err *err);
/* The same split in two, for a client that also watches other descriptors: send, then ipc_receive whenever
 * ipc_client_fd is readable. */
int ipc_send_call(struct ipc_client *client, const char *call, struct jv *args, const int *fds,
                  size_t fd_count, long *ret_id, struct err *err);
enum ipc_kind { IPC_EVENT, IPC_OK, IPC_ERROR };
/* One message. For IPC_ERROR *err holds the remote error and the function still returns 0. -1: connection
 * lost or broken. */
int ipc_receive(struct ipc_client *client, long *ret_id, enum ipc_kind *ret_kind, struct jv **ret_body,
                struct err *err);

/* ---- client on a loop: asynchronous calls (the supervisor calls netd this way) ---- */
/* ok is borrowed and NULL on failure, then error says why (also when the connection broke). */
typedef void ipc_reply_fn(const struct jv *ok, const struct err *error, void *arg);
typedef void ipc_closed_fn(void *arg);
/* Takes the client; closed is called once when the connection ends (may be NULL). */
struct ipc_async;
struct ipc_async *ipc_async_new(struct loop *loop, struct ipc_client *client, ipc_closed_fn *closed, void *arg);
void ipc_async_free(struct ipc_async *async); /* pending replies are not called */
/* Gives the connection up as if it had broken: every call out fails with *why, then closed is called. */
void ipc_async_fail(struct ipc_async *async, const struct err *why);
int ipc_async_call(struct ipc_async *async, const char *call, struct jv *args, ipc_reply_fn *reply, void *arg,
                   struct err *err);

/* ---- server ---- */
struct ipc_server;
struct ipc_request; /* one call in progress; lives until answered, also when the client is gone */

/* args is borrowed for the call; fds are borrowed (dup to keep). The handler answers now or later with
 * exactly one of ipc_answer_ok / ipc_answer_error. */
typedef void ipc_handler_fn(struct ipc_request *request, const struct jv *args, void *context);

struct ipc_method {
    const char *name;
    ipc_handler_fn *handler;
};

/* Binds dirfd/name, mode 0600 (an old socket file is replaced: hold your lock file first). methods ends
 * with {0} and is borrowed. Only uid 0 and our own uid may connect. name NULL: no socket of our own, only adopted
 * ones. */
int ipc_server_new(struct loop *loop, int dirfd, const char *name, const struct ipc_method *methods, void *context,
                   struct ipc_server **ret_server, struct err *err);
/* Serves one more listening socket (systemd socket activation); takes fd. */
int ipc_server_adopt(struct ipc_server *server, int listen_fd, struct err *err);
void ipc_server_free(struct ipc_server *server);
size_t ipc_server_clients(const struct ipc_server *server);

void ipc_send_event(struct ipc_request *request, struct jv *event); /* takes event; dropped when the client is gone */
void ipc_answer_ok(struct ipc_request *request, struct jv *ok);     /* takes ok (NULL: {}); frees the request */
void ipc_answer_error(struct ipc_request *request, const struct err *error); /* frees the request */
bool ipc_request_alive(const struct ipc_request *request); /* false: the client hung up */
bool ipc_request_same_client(const struct ipc_request *a, const struct ipc_request *b); /* came over one connection */
/* Called once when the client hangs up before the answer (cancel); may be NULL to unset. */
void ipc_request_on_gone(struct ipc_request *request, void (*gone)(struct ipc_request *, void *arg), void *arg);
size_t ipc_request_fds(const struct ipc_request *request, const int **ret_fds);
