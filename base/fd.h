/* SPDX-License-Identifier: Apache-2.0 */
/* fd.h - descriptors: cleanup, whole reads and writes, passing over sockets. libc only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

/* Closes *fd when >= 0 and sets it to -1; errno is preserved. */
void close_fdp(int *fd);
#define _cleanup_close_ _cleanup_(close_fdp)

static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* Reads up to the end or max bytes (more is ERR_LIMIT). *ret_data is owned by the caller and has a
 * terminating zero byte that is not counted in *ret_size (may be NULL). */
int fd_read_all(int fd, size_t max_bytes, char **ret_data, size_t *ret_size, struct err *err);
/* Writes everything, going on after short writes and EINTR. 0, or -1 with errno. */
int fd_write_all(int fd, const void *data, size_t size);
/* Reads exactly size bytes; 0, or -1 with errno (EPIPE at a premature end). */
int fd_read_exact(int fd, void *data, size_t size);
/* A sealed, close-on-exec memfd that holds data, positioned at 0. */
int fd_memfd(const char *name, const void *data, size_t size, int *ret_fd, struct err *err);
int fd_set_cloexec(int fd, bool on);
int fd_set_nonblock(int fd, bool on);

#define FD_PASS_MAX 8
/* One datagram (SOCK_SEQPACKET) with up to FD_PASS_MAX descriptors. Returns bytes sent, or -1 with errno. */
ssize_t fd_send(int sock, const void *data, size_t size, const int *fds, size_t fd_count);
/* Received descriptors are close-on-exec and owned by the caller; surplus ones are closed. Returns bytes,
 * 0 at the peer's end, or -1 with errno; EMSGSIZE when the message was truncated. */
ssize_t fd_recv(int sock, void *data, size_t size, int *ret_fds, size_t fd_max, size_t *ret_fd_count);
