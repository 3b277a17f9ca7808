/* SPDX-License-Identifier: Apache-2.0 */
/* ipc_wire.h - packets, queues and addresses, for the ipc_*.c files only.
 *
 * A message of more than IPC_MESSAGE_MAX bytes is sent as {"id":…,"memfd":true}: its text is in a sealed memfd,
 * the first descriptor of the datagram. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

struct ipc_packet {
    struct ipc_packet *next; /* in a queue */
    char *text;              /* the datagram */
    size_t size;
    int body_fd; /* -1: the datagram is the message */
    size_t cost; /* bytes held, datagram and memfd */
};

/* message is borrowed. ERR_LIMIT above IPC_BODY_MAX, ERR_SYSTEM when no memfd can be had. */
int ipc_packet_new(const struct jv *message, long id, struct ipc_packet **ret_packet, struct err *err);
void ipc_packet_free(struct ipc_packet *packet);
DEFINE_CLEANUP(struct ipc_packet *, ipc_packet_free)
/* fds travel behind the packet's own. 0, or -1 with errno. */
int ipc_packet_send(const struct ipc_packet *packet, int sock, const int *fds, size_t fd_count);

struct ipc_queue {
    struct ipc_packet *first, *last;
    size_t bytes;
};

void ipc_queue_push(struct ipc_queue *queue, struct ipc_packet *packet); /* takes packet */
void ipc_queue_done(struct ipc_queue *queue);
enum ipc_flush { IPC_FLUSH_DONE, IPC_FLUSH_BLOCKED, IPC_FLUSH_BROKEN };
enum ipc_flush ipc_queue_flush(struct ipc_queue *queue, int sock);

enum ipc_read { IPC_READ_MESSAGE, IPC_READ_AGAIN, IPC_READ_END, IPC_READ_BROKEN };
/* One message; buffer has IPC_MESSAGE_MAX bytes; ret_fds has room for FD_PASS_MAX and is owned by the caller
 * on IPC_READ_MESSAGE. *err is set on IPC_READ_BROKEN only. */
enum ipc_read ipc_read(int sock, char *buffer, struct jv **ret_message, int *ret_fds, size_t *ret_fd_count,
                       struct err *err);
void ipc_close_fds(int *fds, size_t count);

struct ipc_address {
    struct sockaddr_un address;
    socklen_t size;
    int parent; /* the directory that the address names through /proc; close after bind or connect */
    const char *name; /* borrowed */
};
/* Works for paths of any length. -1 with errno. */
int ipc_address_init(struct ipc_address *address, int dirfd, const char *name);
bool ipc_peer_is_trusted(int sock); /* uid 0 or our own */

/* Of ipc_client.c, for ipc_async.c. args is taken. */
struct ipc_client;
struct jv *ipc_call_message(struct ipc_client *client, const char *call, struct jv *args, long *ret_id);
