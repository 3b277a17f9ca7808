/* SPDX-License-Identifier: Apache-2.0 */
/* fd.c - whole reads and writes, sealed memfds, descriptors passed over Unix sockets. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define PASS_ROOM 64 /* more than FD_PASS_MAX, so that surplus ones arrive and are closed by us */

void close_fdp(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    close(*fd);
    *fd = -1;
    errno = saved;
}

int fd_read_all(int fd, size_t max_bytes, char **ret_data, size_t *ret_size, struct err *err)
{
    struct stat st;
    size_t capacity = 4096, size = 0;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (size_t)st.st_size <= max_bytes)
        capacity = (size_t)st.st_size + 2; /* one read sees the data, the next the end */
    _cleanup_free_ char *data = xmalloc(capacity);
    for (;;) {
        if (size + 1 >= capacity)
            data = xreallocarray(data, capacity *= 2, 1);
        size_t room = MIN(capacity - 1 - size, max_bytes - size + 1);
        ssize_t n = read(fd, data + size, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, "read");
        if (n == 0)
            break;
        size += (size_t)n;
        if (size > max_bytes)
            return err_set(err, ERR_LIMIT, "more than %zu bytes", max_bytes);
    }
    data[size] = '\0';
    if (ret_size)
        *ret_size = size;
    *ret_data = take_ptr(&data);
    return 0;
}

int fd_write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

int fd_read_exact(int fd, void *data, size_t size)
{
    char *at = data;
    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0) {
            errno = EPIPE;
            return -1;
        }
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

int fd_memfd(const char *name, const void *data, size_t size, int *ret_fd, struct err *err)
{
    _cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_sys(err, "memfd_create %s", name);
    if (fd_write_all(fd, data, size) < 0)
        return err_sys(err, "write to memfd %s", name);
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return err_sys(err, "seal memfd %s", name);
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_sys(err, "rewind memfd %s", name);
    *ret_fd = take_fd(&fd);
    return 0;
}

int fd_set_cloexec(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0)
        return -1;
    return fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC);
}

int fd_set_nonblock(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -1;
    return fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

ssize_t fd_send(int sock, const void *data, size_t size, const int *fds, size_t fd_count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
    } control = {0};
    struct iovec part = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd_count > FD_PASS_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (fd_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
    }
    for (;;) {
        ssize_t n = sendmsg(sock, &message, MSG_NOSIGNAL);
        if (n >= 0 || errno != EINTR)
            return n;
    }
}

/* Takes the descriptors of a received message: the first max go to fds, the others are closed. */
static size_t take_passed(struct msghdr *message, int *fds, size_t max)
{
    size_t count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t passed = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < passed; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
            if (count < max)
                fds[count++] = fd;
            else
                close(fd);
        }
    }
    return count;
}

ssize_t fd_recv(int sock, void *data, size_t size, int *ret_fds, size_t fd_max, size_t *ret_fd_count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * PASS_ROOM)];
    } control;
    struct iovec part = {.iov_base = data, .iov_len = size};
    struct msghdr message;
    ssize_t n;

    do {
        message = (struct msghdr){.msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = control.bytes,
                                  .msg_controllen = sizeof(control.bytes)};
        n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -1;
    size_t count = take_passed(&message, ret_fds, ret_fds ? fd_max : 0);
    if (message.msg_flags & MSG_TRUNC) {
        for (size_t i = 0; i < count; i++)
            close(ret_fds[i]);
        errno = EMSGSIZE;
        return -1;
    }
    if (ret_fd_count)
        *ret_fd_count = count;
    return n;
}
