/* SPDX-License-Identifier: Apache-2.0 */
/* clients.c - who is connected to the monitor, and sending to them without ever waiting. libc only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/monitor/monitor.h"

#define BACKLOG 32

int monitor_listen(struct monitor *monitor, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    /* through the descriptor: run_dir may be longer than a socket address */
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/monitor.sock",
             monitor->run_dir);
    if (unlinkat(monitor->run_dir, "monitor.sock", 0) < 0 && errno != ENOENT)
        return err_sys(err, "remove old monitor.sock");
    monitor->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177); /* from its birth for us alone */
    int result = monitor->listener < 0
                     ? -1
                     : bind(monitor->listener, (struct sockaddr *)&address, sizeof(address));
    (void)umask(mask);
    if (result < 0 || listen(monitor->listener, BACKLOG) < 0)
        return err_sys(err, "listen on monitor.sock");
    if (monitor_watch(monitor, monitor->listener, EPOLLIN, SOURCE_LISTEN, 0) < 0)
        return err_sys(err, "watch monitor.sock");
    return 0;
}

void client_add(struct monitor *monitor, int fd, bool is_supervisor)
{
    unsigned index = 0;
    while (index < CLIENTS_MAX && monitor->clients[index].fd >= 0)
        index++;
    if (index == CLIENTS_MAX || fd_set_nonblock(fd, true) < 0 ||
        monitor_watch(monitor, fd, EPOLLIN, SOURCE_CLIENT, index) < 0) {
        close(fd); /* a client too many sees the end of the stream */
        return;
    }
    monitor->clients[index] = (struct client){.fd = fd, .is_supervisor = is_supervisor};
}

void client_accept(struct monitor *monitor)
{
    for (;;) {
        int fd = accept4(monitor->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        struct ucred peer;
        socklen_t size = sizeof(peer);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
            (peer.uid != 0 && peer.uid != geteuid()))
            close(fd);
        else
            client_add(monitor, fd, false);
    }
}

void client_drop(struct monitor *monitor, unsigned index)
{
    sessions_hang_up(monitor, index);
    close_fdp(&monitor->clients[index].fd); /* leaves the epoll set with its last descriptor */
}

static void message_send(int sock, struct monitor_message *message, int fd)
{
    message->magic = MONITOR_MAGIC;
    message->version = MONITOR_PROTOCOL_VERSION;
    /* the unused rest of text is not worth copying, but a message has one size for all versions to
     * check */
    (void)fd_send(sock, message, sizeof(*message), fd >= 0 ? &fd : NULL,
                  fd >= 0 ? 1 : 0); /* a reader that does not read loses it */
}

void client_send(struct monitor *monitor, int index, struct monitor_message *message, int fd)
{
    if (index >= 0 && monitor->clients[index].fd >= 0)
        message_send(monitor->clients[index].fd, message, fd);
}

void clients_tell(struct monitor *monitor, struct monitor_message *message)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        if (monitor->clients[i].fd >= 0)
            message_send(monitor->clients[i].fd, message, -1);
}
