/* SPDX-License-Identifier: Apache-2.0 */
/* netd_client.c - calling winch-netd, and starting it. A netd that ends because nothing was left
 * can close the connection under a call; as all calls are idempotent, each is tried once more with
 * a new one. */
#include "netd/netd_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"

#define SOCKET_NAME     "netd.sock"
#define CALL_TIMEOUT_MS 30000
#define START_WAIT_US   (15 * 1000 * 1000)
#define RETRY_MS        5
#define FULL_RETRY_MS   100
#define NETD_SAID_MAX   8192

struct netd_client {
    struct ipc_client *ipc;
    const struct layout *layout;
    bool start;
};

int netd_begun(int ready, struct err *err)
{
    char text[NETD_SAID_MAX];
    struct pollfd poll_fd = {.fd = ready, .events = POLLIN};
    _cleanup_jv_ struct jv *said = NULL;

    while (poll(&poll_fd, 1, CALL_TIMEOUT_MS) < 0 && errno == EINTR)
        ;
    ssize_t size = poll_fd.revents ? read(ready, text, sizeof(text)) : 0; /* one write */
    close(ready);
    if (size <= 0 || jv_parse(text, (size_t)size, &said, NULL) < 0)
        return 0; /* its end is all that it tells */
    jv_to_err(said, err);
    return -1;
}

static bool nobody_there(const struct err *err)
{
    return err->code == ERR_NOT_FOUND ||
           (err->code == ERR_SYSTEM && err->sys_errno == ECONNREFUSED);
}

/* The descriptor reads its end when it serves, failed, or found that another one does. */
static int spawn_netd(const struct layout *layout, int *ret_ready, struct err *err)
{
    _cleanup_free_ char *path = NULL;
    _cleanup_close_ int ready = -1, ready_child = -1, log = -1;
    int pipe_fds[2];

    if (proc_libexec("winch-netd", &path, err) < 0)
        return -1;
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return err_sys(err, "make a pipe");
    ready = pipe_fds[0];
    ready_child = pipe_fds[1];
    log = openat(layout->run_fd, "netd.log", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
                 0600);
    const char *root = layout_root_arg(layout);
    char *argv[] = {path,
                    (char *)"--ready-fd",
                    (char *)"3",
                    root ? (char *)"--root" : NULL,
                    root ? (char *)(uintptr_t)root : NULL,
                    NULL};
    int fds[] = {-1, -1, log, ready_child};
    struct proc_spawn spawn = {
        .path = path, .argv = argv, .fds = fds, .fd_count = 4, .new_session = true};
    if (proc_spawn_detached(&spawn, err) < 0)
        return err_wrap(err, "start winch-netd");
    *ret_ready = take_fd(&ready);
    return 0;
}

static int start_netd(const struct layout *layout, struct err *err)
{
    int ready;

    if (spawn_netd(layout, &ready, err) < 0)
        return -1;
    return netd_begun(ready, err);
}

static int connect_once(const struct layout *layout, struct ipc_client **ret_client,
                        struct err *err)
{
    if (ipc_connect(layout->run_fd, SOCKET_NAME, ret_client, err) == 0)
        return 0;
    if (!nobody_there(err))
        return err_wrap(err, "winch-netd");
    return err_set(err, ERR_NOT_FOUND, "winch-netd is not running");
}

static int connect_or_start(const struct layout *layout, bool start, struct ipc_client **ret_client,
                            struct err *err)
{
    int64_t deadline_us = clock_monotonic_us() + START_WAIT_US;

    for (;;) {
        if (connect_once(layout, ret_client, err) == 0)
            return 0;
        bool is_full = err->code == ERR_BUSY && start;
        if (!is_full && (err->code != ERR_NOT_FOUND || !start))
            return -1;
        if (is_full && clock_monotonic_us() < deadline_us) {
            (void)poll(NULL, 0, FULL_RETRY_MS);
            continue;
        }
        if (is_full)
            return -1;
        if (clock_monotonic_us() > deadline_us) {
            _cleanup_free_ char *log = layout_run(layout, "netd.log");
            err_set(err, ERR_TIMEOUT, "winch-netd does not start");
            return err_hint(err, "%s may say why", log);
        }
        if (start_netd(layout, err) < 0)
            return -1;
        if (connect_once(layout, ret_client, err) == 0)
            return 0;
        (void)poll(NULL, 0, RETRY_MS); /* another netd is just starting or ending */
    }
}

int netd_begin(const struct layout *layout, int *ret_ready, struct err *err)
{
    struct ipc_client *ipc = NULL;

    *ret_ready = -1;
    if (connect_once(layout, &ipc, err) == 0) {
        ipc_client_free(ipc);
        return 0;
    }
    return err->code == ERR_NOT_FOUND ? spawn_netd(layout, ret_ready, err) : -1;
}

int netd_connect(const struct layout *layout, bool start, struct netd_client **ret_client,
                 struct err *err)
{
    struct ipc_client *ipc = NULL;

    if (connect_or_start(layout, start, &ipc, err) < 0)
        return -1;
    struct netd_client *client = xcalloc(1, sizeof(*client));
    client->ipc = ipc;
    client->layout = layout;
    client->start = start;
    *ret_client = client;
    return 0;
}

void netd_client_free(struct netd_client *client)
{
    if (!client)
        return;
    ipc_client_free(client->ipc);
    free(client);
}

struct ipc_client *netd_client_take(struct netd_client *client)
{
    struct ipc_client *ipc = client->ipc;
    free(client);
    return ipc;
}

static bool connection_lost(const struct err *err)
{
    return err->code == ERR_PROTOCOL ||
           (err->code == ERR_SYSTEM && (err->sys_errno == EPIPE || err->sys_errno == ECONNRESET));
}

/* args is taken. */
static int call(struct netd_client *client, const char *method, struct jv *args, struct jv **ret_ok,
                struct err *err)
{
    _cleanup_jv_ struct jv *again = jv_ref(args);
    struct err first = {0};
    struct ipc_client *ipc = NULL;

    if (ipc_call(client->ipc, method, args, NULL, 0, CALL_TIMEOUT_MS, NULL, NULL, ret_ok, &first) ==
        0)
        return 0;
    if (!connection_lost(&first) || connect_or_start(client->layout, client->start, &ipc, err) < 0)
        return err_copy(err, &first);
    ipc_client_free(client->ipc);
    client->ipc = ipc;
    return ipc_call(client->ipc, method, take_ptr(&again), NULL, 0, CALL_TIMEOUT_MS, NULL, NULL,
                    ret_ok, err);
}

int netd_network_ensure(struct netd_client *client, const struct network_request *request,
                        struct network_info *ret_info, struct err *err)
{
    _cleanup_jv_ struct jv *ok = NULL;
    if (call(client, "network_ensure", network_request_to_json(request), &ok, err) < 0)
        return -1;
    return network_info_from_json(ok, ret_info, err);
}

static int call_with(struct netd_client *client, const char *method, const char *key,
                     const char *value, struct err *err)
{
    struct jv *args = jv_object();
    jv_set_str(args, key, value);
    return call(client, method, args, NULL, err);
}

int netd_network_remove(struct netd_client *client, const char *name, struct err *err)
{
    return call_with(client, "network_remove", "name", name, err);
}

int netd_network_list(struct netd_client *client, const char *project,
                      struct network_info **ret_infos, size_t *ret_count, struct err *err)
{
    _cleanup_jv_ struct jv *ok = NULL;
    struct jv *args = jv_object();

    jv_set_str(args, "project", project);
    if (call(client, "network_list", args, &ok, err) < 0)
        return -1;
    const struct jv *list = jv_find(ok, "networks");
    size_t count = jv_count(list);
    struct network_info *infos = xcalloc(count + 1, sizeof(*infos));
    for (size_t i = 0; i < count; i++)
        if (network_info_from_json(jv_at(list, i), &infos[i], err) < 0) {
            while (i-- > 0)
                network_info_done(&infos[i]);
            free(infos);
            return -1;
        }
    *ret_infos = infos;
    *ret_count = count;
    return 0;
}

int netd_sandbox_ensure(struct netd_client *client, const struct sandbox_request *request,
                        struct sandbox_info *ret_info, struct err *err)
{
    _cleanup_jv_ struct jv *ok = NULL;
    if (call(client, "sandbox_ensure", sandbox_request_to_json(request), &ok, err) < 0)
        return -1;
    return sandbox_info_from_json(ok, ret_info, err);
}

int netd_sandbox_remove(struct netd_client *client, const char *id, struct err *err)
{
    return call_with(client, "sandbox_remove", "id", id, err);
}

int netd_lease_release(struct netd_client *client, const char *key, struct err *err)
{
    return call_with(client, "lease_release", "key", key, err);
}
