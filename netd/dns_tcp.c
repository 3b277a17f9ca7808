/* SPDX-License-Identifier: Apache-2.0 */
/* dns_tcp.c - queries over TCP. One query of a connection is worked on at a time; more than
 * CONNECTIONS_MAX connections or an idle one are closed, so that a container can only exhaust
 * itself. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "netd/dns_server_internal.h"

#define CONNECTIONS_MAX 64
#define IDLE_US         (10 * 1000 * 1000)

enum phase { READING, WAITING, WRITING };

struct connection {
    LIST_ENTRY(connection) link;
    struct resolver *resolver;
    int fd;
    enum phase phase;
    struct loop_source *source, *timer;
    uint8_t *in, *out; /* each begins with two bytes of length */
    size_t in_size, out_size, out_done;
    struct dns_query query; /* data is in `in` */
};

static void connection_free(struct connection *connection)
{
    LIST_REMOVE(connection, link);
    connection->resolver->connection_count--;
    loop_source_free(connection->source);
    loop_source_free(connection->timer);
    close_fdp(&connection->fd);
    free(connection->in);
    free(connection->out);
    free(connection);
}

void resolver_close_connections(struct resolver *resolver)
{
    while (!LIST_EMPTY(&resolver->connections))
        connection_free(LIST_FIRST(&resolver->connections));
}

static void on_idle(void *arg)
{
    struct connection *connection = arg;
    if (connection->phase == WAITING) /* for an upstream, which has a deadline of its own */
        loop_timer_arm(connection->timer, IDLE_US);
    else
        connection_free(connection);
}

/* The answer goes into out + 2; starts writing. */
static void begin_writing(struct connection *connection, size_t size)
{
    connection->out[0] = (uint8_t)(size >> 8);
    connection->out[1] = (uint8_t)size;
    connection->out_size = size + 2;
    connection->out_done = 0;
    connection->phase = WRITING;
    loop_fd_events(connection->source, LOOP_WRITE);
}

static void on_reply(const uint8_t *reply, size_t size, void *arg)
{
    struct connection *connection = arg;
    uint8_t *answer = connection->out + 2;

    if (reply) {
        memcpy(answer, reply, size);
        answer[0] = (uint8_t)(connection->query.id >> 8);
        answer[1] = (uint8_t)connection->query.id;
    } else {
        size = dns_answer_empty(&connection->query, DNS_SERVFAIL, answer, DNS_MESSAGE_MAX);
    }
    begin_writing(connection, size);
}

static void answer_query(struct connection *connection)
{
    struct resolver *resolver = connection->resolver;
    size_t size = connection->in_size - 2;
    bool forward;
    enum dns_verdict verdict = dns_query_parse(connection->in + 2, size, &connection->query);

    if (verdict == DNS_IGNORE) {
        connection_free(connection);
        return;
    }
    if (!connection->out)
        connection->out = xmalloc(2 + DNS_MESSAGE_MAX);
    size =
        resolver_answer(resolver, &connection->query, verdict, true, connection->out + 2, &forward);
    if (!forward) {
        begin_writing(connection, size);
        return;
    }
    connection->phase = WAITING;
    loop_fd_events(connection->source, 0);
    if (!forward_query(resolver->party, &connection->query, true, on_reply, connection))
        on_reply(NULL, 0, connection);
}

static void on_readable(struct connection *connection)
{
    size_t wanted = 2;
    if (connection->in_size >= 2)
        wanted += (size_t)(connection->in[0] << 8 | connection->in[1]);
    ssize_t size = recv(connection->fd, connection->in + connection->in_size,
                        wanted - connection->in_size, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        connection_free(connection);
        return;
    }
    connection->in_size += (size_t)size;
    if (connection->in_size < 2)
        return;
    wanted = 2 + (size_t)(connection->in[0] << 8 | connection->in[1]);
    if (wanted == 2) /* an empty message */
        connection_free(connection);
    else if (connection->in_size == wanted)
        answer_query(connection);
}

static void on_writable(struct connection *connection)
{
    ssize_t size = send(connection->fd, connection->out + connection->out_done,
                        connection->out_size - connection->out_done, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size < 0) {
        connection_free(connection);
        return;
    }
    connection->out_done += (size_t)size;
    if (connection->out_done < connection->out_size)
        return;
    connection->phase = READING;
    connection->in_size = 0;
    loop_fd_events(connection->source, LOOP_READ);
    loop_timer_arm(connection->timer, IDLE_US);
}

static void on_connection(int fd, unsigned events, void *arg)
{
    struct connection *connection = arg;
    (void)fd;
    (void)events;
    if (connection->phase == READING)
        on_readable(connection);
    else if (connection->phase == WRITING)
        on_writable(connection);
}

void resolver_on_accept(int fd, unsigned events, void *arg)
{
    struct resolver *resolver = arg;
    (void)events;

    _cleanup_close_ int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0 || resolver->connection_count >= CONNECTIONS_MAX)
        return;
    struct connection *connection = xcalloc(1, sizeof(*connection));
    connection->resolver = resolver;
    connection->fd = take_fd(&accepted);
    connection->in = xmalloc(2 + DNS_MESSAGE_MAX);
    connection->source =
        loop_fd(resolver->dns->loop, connection->fd, LOOP_READ, on_connection, connection);
    connection->timer = loop_timer(resolver->dns->loop, IDLE_US, on_idle, connection);
    LIST_INSERT_HEAD(&resolver->connections, connection, link);
    resolver->connection_count++;
}
