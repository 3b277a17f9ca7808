/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - winch-netd [--root DIR] [--ready-fd N]: one process a host (and root), started on demand
 * by the first client or by systemd's socket. It can be killed at any instruction: the kernel keeps
 * the traffic going, the next one compares and repairs. It ends by itself when no network, no
 * sandbox and no client is left. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/ipc.h"
#include "base/json.h"
#include "base/log.h"
#include "base/option.h"
#include "base/str.h"
#include "netd/daemon.h"
#include "netd/dns_server.h"
#include "netd/methods.h"
#include "netd/netns.h"

#define IDLE_US       (300 * 1000)
#define LISTEN_FD     3 /* systemd's first descriptor */
#define UPSTREAM_CONF "/etc/resolv.conf"

struct options {
    const char *root;
    long long ready_fd;
};

static const struct option_row option_rows[] = {
    {0, "root", OPTION_STRING, offsetof(struct options, root), "DIR", "state below DIR"},
    {0, "ready-fd", OPTION_INT, offsetof(struct options, ready_fd), "N",
     "closed when the socket is there"},
    {0},
};

struct process {
    struct netd netd;
    struct layout layout;
    struct ipc_server *server;
    struct loop_source *idle;
    int lock_fd;
    bool activated; /* the socket belongs to systemd */
};

bool netd_is_empty(const struct netd *netd)
{
    return map_count(netd->nets) == 0 && map_count(netd->sandboxes) == 0;
}

/* Armed only while nothing is there that keeps us; then it looks again until the last client has
 * gone. */
static void on_idle(void *arg)
{
    struct process *process = arg;
    if (!netd_is_empty(&process->netd))
        return;
    if (ipc_server_clients(process->server) == 0)
        loop_stop(process->netd.loop, 0);
    else
        loop_timer_arm(process->idle, IDLE_US);
}

static void on_changed(void *arg)
{
    struct process *process = arg;
    if (netd_is_empty(&process->netd))
        loop_timer_arm(process->idle, IDLE_US);
    else
        loop_timer_disarm(process->idle);
}

static void on_signal(int signo, void *arg)
{
    (void)signo;
    loop_stop(((struct process *)arg)->netd.loop, 0);
}

static void net_free_value(void *value)
{
    net_free(value);
}

static void sandbox_free_value(void *value)
{
    sandbox_free(value);
}

static int netd_open(struct process *process, struct err *err)
{
    struct netd *netd = &process->netd;

    netd->layout = &process->layout;
    layout_instance_name(&process->layout, netd->table, sizeof(netd->table));
    netd->nets = map_new(net_free_value);
    netd->sandboxes = map_new(sandbox_free_value);
    netd->loop = loop_new();
    netd->dns = dns_new(netd->loop, UPSTREAM_CONF);
    if (netns_open_self(&netd->home_fd, err) < 0 || rtnl_open(&netd->rtnl, err) < 0 ||
        nft_open(&netd->nft, err) < 0)
        return -1;
    netd->conntrack = conntrack_open();
    netd->watch = nft_watch_new(netd->loop, netd->table, rules_restore, netd);
    return repair_all(netd, err);
}

static void netd_close(struct process *process)
{
    struct netd *netd = &process->netd;

    methods_done(netd);
    ipc_server_free(process->server);
    map_free(netd->sandboxes); /* before the name server that they use */
    map_free(netd->nets);
    dns_free(netd->dns);
    nft_watch_free(netd->watch);
    nft_close(netd->nft);
    conntrack_close(netd->conntrack);
    rtnl_close(netd->rtnl);
    close_fdp(&netd->home_fd);
    strv_free(netd->damaged);
    if (netd->loop)
        loop_free(netd->loop);
}

static bool is_activated(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    long long number;
    return pid && count && parse_i64(pid, 1, INT32_MAX, &number) && number == getpid() &&
           parse_i64(count, 1, 1, &number);
}

/* Anything else would be served in silence to nobody. */
static int check_listener(int fd, struct err *err)
{
    int type = 0, listens = 0;
    socklen_t size = sizeof(int);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
        return err_sys(err, "descriptor %d, given as the socket", fd);
    if (type != SOCK_SEQPACKET || !listens)
        return err_set(err, ERR_CONFIG, "descriptor %d is not a listening SOCK_SEQPACKET socket",
                       fd);
    return 0;
}

static int serve(struct process *process, struct err *err)
{
    struct netd *netd = &process->netd;
    int run_fd = process->layout.run_fd;

    process->activated = is_activated();
    if (process->activated && check_listener(LISTEN_FD, err) < 0)
        return -1;
    if (ipc_server_new(netd->loop, run_fd, process->activated ? NULL : "netd.sock", netd_methods,
                       netd, &process->server, err) < 0)
        return -1;
    return process->activated ? ipc_server_adopt(process->server, LISTEN_FD, err) : 0;
}

/* Less likely than any container to be chosen when memory is out. */
static void protect(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "-900", 4) != 4)
        log_debug("oom_score_adj stays: %m");
    close_fdp(&fd);
}

static int run(struct process *process, long long ready_fd, struct err *err)
{
    struct netd *netd = &process->netd;

    if (netd_open(process, err) < 0)
        return -1;
    methods_init(netd);
    netd->changed = on_changed;
    netd->changed_arg = process;
    process->idle = loop_timer(netd->loop, IDLE_US, on_idle, process);
    if (serve(process, err) < 0)
        return -1;
    on_changed(process);
    loop_signal(netd->loop, SIGTERM, on_signal, process);
    loop_signal(netd->loop, SIGINT, on_signal, process);
    if (ready_fd >= 0)
        close((int)ready_fd);
    loop_run(netd->loop);
    return 0;
}

/* Who waits for the end of the pipe reads before it why nobody serves. */
static void tell_starter(long long ready_fd, const struct err *error)
{
    _cleanup_jv_ struct jv *value = jv_from_err(error);
    _cleanup_free_ char *text = jv_dump(value);

    if (ready_fd >= 0)
        (void)fd_write_all((int)ready_fd, text, strlen(text)); /* the starter may be gone */
}

int main(int argc, char **argv)
{
    struct options options = {.ready_fd = -1};
    struct process process = {.netd = {.home_fd = -1}, .lock_fd = -1};
    struct err err = {0};
    int first;

    log_set_level_from_env();
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    if (options_parse(option_rows, argc, argv, false, &options, &first, &err) < 0 ||
        first != argc) {
        fprintf(stderr, "winch-netd: %s\nusage: winch-netd [--root DIR]\n",
                err.message[0] ? err.message : "no arguments are expected");
        return 2;
    }
    protect();
    int result = layout_init(&process.layout, options.root, &err);
    if (result == 0)
        result = layout_open(&process.layout, &err);
    if (result == 0)
        result = fs_lock(process.layout.run_fd, "netd.lock", true, 0, &process.lock_fd, &err);
    if (result < 0 && err.code == ERR_BUSY)
        return 0; /* somebody was quicker: the client finds that one */
    if (result == 0)
        result = run(&process, options.ready_fd, &err);
    if (result < 0) {
        log_error("netd: %s", err.message);
        tell_starter(options.ready_fd, &err);
    }
    bool empty = result == 0 && netd_is_empty(&process.netd);
    if (process.netd.nets)
        netd_close(&process);
    if (empty) {
        (void)unlinkat(process.layout.run_fd, "netd.log", 0);
        (void)unlinkat(process.layout.run_fd, "netd.lock", 0); /* held by us: fs_lock copes */
    }
    close_fdp(&process.lock_fd);
    layout_done(&process.layout);
    return result < 0 ? 1 : 0;
}
