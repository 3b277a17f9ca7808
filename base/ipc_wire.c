/* SPDX-License-Identifier: Apache-2.0 */
/* ipc_wire.c - what client and server share: packing, reading, queueing, addresses. */
#include "base/ipc_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs_parent.h"
#include "base/ipc.h"

int ipc_packet_new(const struct jv *message, long id, struct ipc_packet **ret_packet, struct err *err)
{
    _cleanup_(ipc_packet_freep) struct ipc_packet *packet = xcalloc(1, sizeof(*packet));
    packet->body_fd = -1;
    packet->text = jv_dump(message);
    packet->size = packet->cost = strlen(packet->text);
    if (packet->size > IPC_BODY_MAX)
        return err_set(err, ERR_LIMIT, "message of %zu bytes is larger than %d", packet->size, IPC_BODY_MAX);
    if (packet->size > IPC_MESSAGE_MAX) {
        if (fd_memfd("winch-message", packet->text, packet->size, &packet->body_fd, err) < 0)
            return -1;
        free(packet->text);
        packet->text = xasprintf("{\"id\":%ld,\"memfd\":true}", id);
        packet->size = strlen(packet->text);
    }
    *ret_packet = take_ptr(&packet);
    return 0;
}

void ipc_packet_free(struct ipc_packet *packet)
{
    if (!packet)
        return;
    close_fdp(&packet->body_fd);
    free(packet->text);
    free(packet);
}

int ipc_packet_send(const struct ipc_packet *packet, int sock, const int *fds, size_t fd_count)
{
    int all[FD_PASS_MAX];
    size_t count = 0;
    if (packet->body_fd >= 0)
        all[count++] = packet->body_fd;
    if (count + fd_count > ARRAY_LEN(all)) {
        errno = EINVAL;
        return -1;
    }
    for (size_t i = 0; i < fd_count; i++)
        all[count++] = fds[i];
    return fd_send(sock, packet->text, packet->size, all, count) < 0 ? -1 : 0;
}

void ipc_queue_push(struct ipc_queue *queue, struct ipc_packet *packet)
{
    packet->next = NULL;
    if (queue->last)
        queue->last->next = packet;
    else
        queue->first = packet;
    queue->last = packet;
    queue->bytes += packet->cost;
}

static void drop_first(struct ipc_queue *queue)
{
    struct ipc_packet *packet = queue->first;
    queue->first = packet->next;
    if (!queue->first)
        queue->last = NULL;
    queue->bytes -= packet->cost;
    ipc_packet_free(packet);
}

void ipc_queue_done(struct ipc_queue *queue)
{
    while (queue->first)
        drop_first(queue);
}

enum ipc_flush ipc_queue_flush(struct ipc_queue *queue, int sock)
{
    while (queue->first) {
        if (ipc_packet_send(queue->first, sock, NULL, 0) < 0) {
            bool wait = errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS;
            return wait ? IPC_FLUSH_BLOCKED : IPC_FLUSH_BROKEN;
        }
        drop_first(queue);
    }
    return IPC_FLUSH_DONE;
}

void ipc_close_fds(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close_fdp(&fds[i]);
}

/* Parses the body that came as a memfd; its seals promise that it stays as it is. */
static int read_body(int fd, long id, struct jv **ret_message, struct err *err)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) != (F_SEAL_WRITE | F_SEAL_SHRINK))
        return err_set(err, ERR_PROTOCOL, "message body is not a sealed memfd");
    if (fstat(fd, &st) < 0)
        return err_sys(err, "stat message body");
    if (st.st_size <= 0 || st.st_size > IPC_BODY_MAX)
        return err_set(err, ERR_PROTOCOL, "message body of %lld bytes", (long long)st.st_size);
    size_t size = (size_t)st.st_size;
    _cleanup_free_ char *text = xmalloc(size);
    for (size_t done = 0; done < size;) { /* the sender's offset is not to be trusted */
        ssize_t n = pread(fd, text + done, size - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_sys(err, "read message body");
        done += (size_t)n;
    }
    _cleanup_jv_ struct jv *message = NULL;
    if (jv_parse(text, size, &message, err) < 0)
        return -1;
    if (jv_get_int(message, "id", -1) != id)
        return err_set(err, ERR_PROTOCOL, "message body belongs to another message");
    *ret_message = take_ptr(&message);
    return 0;
}

static int decode(const char *text, size_t size, int *fds, size_t *fd_count, struct jv **ret_message,
                  struct err *err)
{
    _cleanup_jv_ struct jv *message = NULL;
    if (jv_parse(text, size, &message, err) < 0)
        return -1;
    if (jv_get_bool(message, "memfd", false)) {
        struct jv *body = NULL;
        if (*fd_count == 0)
            return err_set(err, ERR_PROTOCOL, "message body is missing");
        if (read_body(fds[0], (long)jv_get_int(message, "id", -1), &body, err) < 0)
            return -1;
        close_fdp(&fds[0]);
        memmove(fds, fds + 1, --*fd_count * sizeof(*fds));
        jv_free(message);
        message = body;
    }
    if (jv_kind(message) != JV_OBJECT || jv_kind(jv_find(message, "id")) != JV_INT)
        return err_set(err, ERR_PROTOCOL, "message without an id");
    *ret_message = take_ptr(&message);
    return 0;
}

enum ipc_read ipc_read(int sock, char *buffer, struct jv **ret_message, int *ret_fds, size_t *ret_fd_count,
                       struct err *err)
{
    size_t count = 0;
    ssize_t n = fd_recv(sock, buffer, IPC_MESSAGE_MAX, ret_fds, FD_PASS_MAX, &count);
    if (n < 0 && errno == EAGAIN)
        return IPC_READ_AGAIN;
    if (n < 0 && errno == ECONNRESET)
        return IPC_READ_END;
    if (n < 0) {
        err_sys(err, "receive message");
        return IPC_READ_BROKEN;
    }
    if (n == 0) {
        ipc_close_fds(ret_fds, count);
        return IPC_READ_END;
    }
    if (decode(buffer, (size_t)n, ret_fds, &count, ret_message, err) < 0) {
        ipc_close_fds(ret_fds, count);
        if (err && err->code == ERR_CORRUPT)
            err->code = ERR_PROTOCOL;
        return IPC_READ_BROKEN;
    }
    *ret_fd_count = count;
    return IPC_READ_MESSAGE;
}

int ipc_address_init(struct ipc_address *address, int dirfd, const char *name)
{
    const char *base;
    _cleanup_close_ int parent = fs_open_parent(dirfd, name, &base);
    if (parent < 0)
        return -1;
    *address = (struct ipc_address){.address.sun_family = AF_UNIX, .parent = -1, .name = base};
    int size = snprintf(address->address.sun_path, sizeof(address->address.sun_path),
                        "/proc/self/fd/%d/%s", parent, base);
    if ((size_t)size >= sizeof(address->address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)size + 1);
    address->parent = take_fd(&parent);
    return 0;
}

bool ipc_peer_is_trusted(int sock)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || size != sizeof(peer))
        return false;
    return peer.uid == 0 || peer.uid == geteuid();
}
