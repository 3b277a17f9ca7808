/* SPDX-License-Identifier: Apache-2.0 */
/* dns_forward.c - pending questions. Each has a socket and a deadline of its own; when one server
 * is silent, the next is asked. The host's resolv.conf is looked at for each question and read
 * again only when it changed.
 *
 * Bounds: a party has at most PARTY_MAX questions pending; when all together have TOTAL_MAX, the
 * party with the most loses its oldest, so that a flood from one container ends as failures in that
 * container. */
#include "netd/dns_forward.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"
#include "netd/resolv.h"

#define PARTY_MAX         1024
#define TOTAL_MAX         4096
#define SERVERS_MAX       8
#define ALONE_TIMEOUT_US  (3 * 1000 * 1000) /* one server; clients usually wait 5 s */
#define SHARED_TIMEOUT_US (1500 * 1000)
#define ROUNDS_MAX        3 /* servers asked for one question */
#define CONF_MAX          (256 * 1024)
#define DNS_PORT          53

struct server {
    struct sockaddr_storage address;
    socklen_t size;
};

struct servers {
    struct server list[SERVERS_MAX];
    size_t count;
};

struct pending {
    LIST_ENTRY(pending) link; /* newest first */
    struct forward_party *party;
    uint8_t *bytes; /* two bytes of length (for TCP), then the query under our id */
    struct dns_query query;
    uint16_t id;
    bool tcp;
    unsigned round;
    struct servers servers; /* as they were when the question came */
    int fd;
    size_t done; /* TCP: bytes written, then bytes read */
    bool reading;
    uint8_t *reply; /* TCP */
    size_t reply_size;
    struct loop_source *source, *timer;
    forward_reply_fn *fn;
    void *arg;
};

struct forward_party {
    LIST_ENTRY(forward_party) link;
    struct forwarder *forwarder;
    LIST_HEAD(, pending) pending;
    size_t count;
    bool own_servers;
    struct servers servers;
};

struct forwarder {
    struct loop *loop;
    char *conf;
    struct timespec conf_time;
    ino_t conf_inode;
    struct servers servers;
    size_t count;
    LIST_HEAD(, forward_party) parties;
};

static void ask(struct pending *pending);

/* ---- servers ---- */

static void add_server(struct servers *servers, const char *text)
{
    char plain[ADDR_TEXT_SIZE];
    struct addr addr;
    size_t size = strcspn(text, "%");

    if (servers->count == SERVERS_MAX || size >= sizeof(plain))
        return;
    memcpy(plain, text, size);
    plain[size] = '\0';
    if (!addr_parse(plain, &addr))
        return;
    struct server *server = &servers->list[servers->count++];
    *server = (struct server){0};
    if (addr.family == 4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)&server->address;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(DNS_PORT);
        memcpy(&v4->sin_addr, addr.bytes, 4);
        server->size = sizeof(*v4);
    } else {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&server->address;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(DNS_PORT);
        memcpy(&v6->sin6_addr, addr.bytes, 16);
        v6->sin6_scope_id = text[size] ? if_nametoindex(text + size + 1) : 0;
        server->size = sizeof(*v6);
    }
}

static void read_host_servers(struct forwarder *forwarder)
{
    _cleanup_free_ char *text = NULL;
    struct err ignored = {0};
    struct stat status;
    struct resolv_conf conf;

    if (stat(forwarder->conf, &status) < 0) {
        forwarder->servers.count = 0;
        return;
    }
    if (status.st_ino == forwarder->conf_inode &&
        status.st_mtim.tv_sec == forwarder->conf_time.tv_sec &&
        status.st_mtim.tv_nsec == forwarder->conf_time.tv_nsec)
        return;
    forwarder->conf_inode = status.st_ino;
    forwarder->conf_time = status.st_mtim;
    forwarder->servers.count = 0;
    /* often a symbolic link, therefore not fs_read */
    _cleanup_close_ int fd = open(forwarder->conf, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fd_read_all(fd, CONF_MAX, &text, NULL, &ignored) < 0)
        return;
    resolv_conf_parse(text, &conf);
    for (size_t i = 0; conf.servers && conf.servers[i]; i++)
        add_server(&forwarder->servers, conf.servers[i]);
    resolv_conf_done(&conf);
}

/* ---- one question ---- */

static void stop_asking(struct pending *pending)
{
    if (pending->source)
        loop_source_free(pending->source);
    pending->source = NULL;
    close_fdp(&pending->fd);
}

static void pending_free(struct pending *pending)
{
    stop_asking(pending);
    if (pending->timer)
        loop_source_free(pending->timer);
    LIST_REMOVE(pending, link);
    pending->party->count--;
    pending->party->forwarder->count--;
    free(pending->bytes);
    free(pending->reply);
    free(pending);
}

static void finish(struct pending *pending, const uint8_t *reply, size_t size)
{
    forward_reply_fn *fn = pending->fn;
    void *arg = pending->arg;
    _cleanup_free_ uint8_t *kept = reply ? xmemdup(reply, size) : NULL;
    pending_free(pending);
    fn(kept, size, arg);
}

/* This server failed: the next one, or none. */
static void next_server(struct pending *pending)
{
    stop_asking(pending);
    pending->round++;
    if (pending->round >= ROUNDS_MAX || pending->round >= pending->servers.count)
        finish(pending, NULL, 0);
    else
        ask(pending);
}

static void on_timeout(void *arg)
{
    next_server(arg);
}

static void on_udp(int fd, unsigned events, void *arg)
{
    struct pending *pending = arg;
    static uint8_t buffer[DNS_MESSAGE_MAX + 1];
    (void)events;

    ssize_t size = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (size < 0) {
        if (errno != EAGAIN && errno != EINTR)
            next_server(pending); /* refused */
        return;
    }
    /* anything else is somebody's attempt: the deadline goes on */
    if (dns_reply_matches(&pending->query, pending->id, buffer, (size_t)size))
        finish(pending, buffer, (size_t)size);
}

static void on_tcp_read(struct pending *pending)
{
    if (!pending->reply)
        pending->reply = xmalloc(2 + DNS_MESSAGE_MAX);
    size_t wanted = pending->done < 2 ? 2 : 2 + pending->reply_size;
    ssize_t size =
        recv(pending->fd, pending->reply + pending->done, wanted - pending->done, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        next_server(pending);
        return;
    }
    pending->done += (size_t)size;
    if (pending->done == 2)
        pending->reply_size = (size_t)(pending->reply[0] << 8 | pending->reply[1]);
    if (pending->done < 2 || pending->done < 2 + pending->reply_size)
        return;
    if (dns_reply_matches(&pending->query, pending->id, pending->reply + 2, pending->reply_size))
        finish(pending, pending->reply + 2, pending->reply_size);
    else
        next_server(pending);
}

static void on_tcp(int fd, unsigned events, void *arg)
{
    struct pending *pending = arg;
    size_t total = pending->query.size + 2;
    (void)events;

    if (pending->reading) {
        on_tcp_read(pending);
        return;
    }
    ssize_t size = send(fd, pending->bytes + pending->done, total - pending->done,
                        MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size < 0) {
        next_server(pending);
        return;
    }
    pending->done += (size_t)size;
    if (pending->done == total) {
        pending->reading = true;
        pending->done = 0;
        loop_fd_events(pending->source, LOOP_READ);
    }
}

/* A fresh id for each server: an answer to the former question must not fit. */
static void renew_id(struct pending *pending)
{
    if (getrandom(&pending->id, sizeof(pending->id), 0) != sizeof(pending->id))
        abort(); /* cannot happen: the pool is initialised long before us */
    pending->bytes[2] = (uint8_t)(pending->id >> 8);
    pending->bytes[3] = (uint8_t)pending->id;
}

static bool start(struct pending *pending)
{
    const struct server *server = &pending->servers.list[pending->round];
    struct loop *loop = pending->party->forwarder->loop;
    int type = (pending->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;

    renew_id(pending);
    pending->reading = false;
    pending->done = 0;
    pending->fd = socket(server->address.ss_family, type, 0);
    if (pending->fd < 0)
        return false;
    if (connect(pending->fd, (const struct sockaddr *)&server->address, server->size) < 0 &&
        errno != EINPROGRESS)
        return false;
    if (!pending->tcp &&
        send(pending->fd, pending->bytes + 2, pending->query.size, MSG_DONTWAIT) < 0)
        return false;
    pending->source = loop_fd(loop, pending->fd, pending->tcp ? LOOP_WRITE : LOOP_READ,
                              pending->tcp ? on_tcp : on_udp, pending);
    int64_t delay_us = pending->servers.count > 1 ? SHARED_TIMEOUT_US : ALONE_TIMEOUT_US;
    loop_timer_arm(pending->timer, delay_us);
    return true;
}

/* Failures are told from the loop, never from inside forward_query. */
static void ask(struct pending *pending)
{
    if (start(pending))
        return;
    stop_asking(pending);
    loop_timer_arm(pending->timer, 0);
}

static void drop_oldest(struct forwarder *forwarder)
{
    struct forward_party *party, *worst = NULL;
    struct pending *pending, *oldest = NULL;

    LIST_FOREACH(party, &forwarder->parties, link)
    if (!worst || party->count > worst->count)
        worst = party;
    if (!worst)
        return;
    LIST_FOREACH(pending, &worst->pending, link)
    oldest = pending;
    if (oldest)
        finish(oldest, NULL, 0);
}

bool forward_query(struct forward_party *party, const struct dns_query *query, bool tcp,
                   forward_reply_fn *fn, void *arg)
{
    struct forwarder *forwarder = party->forwarder;

    if (!party->own_servers)
        read_host_servers(forwarder);
    const struct servers *servers = party->own_servers ? &party->servers : &forwarder->servers;
    if (party->count >= PARTY_MAX || servers->count == 0)
        return false;
    if (forwarder->count >= TOTAL_MAX)
        drop_oldest(forwarder);
    struct pending *pending = xcalloc(1, sizeof(*pending));
    pending->party = party;
    pending->bytes = xmalloc(query->size + 2);
    pending->bytes[0] = (uint8_t)(query->size >> 8);
    pending->bytes[1] = (uint8_t)query->size;
    memcpy(pending->bytes + 2, query->data, query->size);
    pending->query = *query;
    pending->query.data = pending->bytes + 2;
    pending->tcp = tcp;
    pending->servers = *servers;
    pending->fd = -1;
    pending->fn = fn;
    pending->arg = arg;
    pending->timer = loop_timer(forwarder->loop, ALONE_TIMEOUT_US, on_timeout, pending);
    LIST_INSERT_HEAD(&party->pending, pending, link);
    party->count++;
    forwarder->count++;
    ask(pending);
    return true;
}

/* ---- life cycle ---- */

struct forwarder *forwarder_new(struct loop *loop, const char *upstream_conf)
{
    struct forwarder *forwarder = xcalloc(1, sizeof(*forwarder));
    forwarder->loop = loop;
    forwarder->conf = xstrdup(upstream_conf);
    LIST_INIT(&forwarder->parties);
    return forwarder;
}

void forwarder_free(struct forwarder *forwarder)
{
    if (!forwarder)
        return;
    while (!LIST_EMPTY(&forwarder->parties))
        forward_party_free(LIST_FIRST(&forwarder->parties));
    free(forwarder->conf);
    free(forwarder);
}

struct forward_party *forward_party_new(struct forwarder *forwarder, char *const *upstreams)
{
    struct forward_party *party = xcalloc(1, sizeof(*party));
    party->forwarder = forwarder;
    LIST_INIT(&party->pending);
    party->own_servers = upstreams && upstreams[0];
    for (size_t i = 0; party->own_servers && upstreams[i]; i++)
        add_server(&party->servers, upstreams[i]);
    LIST_INSERT_HEAD(&forwarder->parties, party, link);
    return party;
}

void forward_party_free(struct forward_party *party)
{
    if (!party)
        return;
    while (!LIST_EMPTY(&party->pending))
        pending_free(LIST_FIRST(&party->pending));
    LIST_REMOVE(party, link);
    free(party);
}
