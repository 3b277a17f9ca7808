/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ipc.c - datagrams of any content read as messages; for an odd first byte the rest rides on a sealed memfd. */
#include <assert.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/ipc.h"
#include "base/ipc_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char buffer[IPC_MESSAGE_MAX];
    static const char envelope[] = "{\"id\":1,\"memfd\":true}";
    int ends[2], fds[FD_PASS_MAX], body = -1;
    size_t count = 0;
    struct err err = {0};
    struct jv *message = NULL;
    if (size < 2 || size > IPC_MESSAGE_MAX || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return 0;
    if (data[0] & 1) {
        if (fd_memfd("fuzz", data + 1, size - 1, &body, NULL) == 0)
            (void)fd_send(ends[0], envelope, sizeof(envelope) - 1, &body, 1);
    } else {
        (void)fd_send(ends[0], data + 1, size - 1, NULL, 0);
    }
    close(ends[0]);
    switch (ipc_read(ends[1], buffer, &message, fds, &count, &err)) {
    case IPC_READ_MESSAGE:
        assert(jv_kind(jv_find(message, "id")) == JV_INT && count == 0);
        break;
    case IPC_READ_BROKEN:
        assert(err.code != ERR_NONE);
        break;
    default:
        break;
    }
    jv_free(message);
    ipc_close_fds(fds, count);
    close_fdp(&body);
    close(ends[1]);
    return 0;
}
