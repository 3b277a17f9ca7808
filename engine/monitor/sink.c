/* SPDX-License-Identifier: Apache-2.0 */
/* The buffer and the connection of a sink (sink.h). One monitor has one sink, so what is large is static;
 * its pages are only touched when there is one. libc only. */
#include "engine/monitor/sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "engine/log/read.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define PAUSE_FIRST_US (100 * 1000)
#define PAUSE_LAST_US  (30 * 1000000)
#define KEEP_PAGES     (16 * 1024)

struct frame { /* in the ring, with its text behind it */
    uint32_t size;
    bool partial, is_stderr;
    bool mark; /* ours: no line of the container */
    int64_t time_ns;
};

static struct sink_text prefixes[2];
static char out_buffer[SINK_OUT_ROOM(LOG_LINE_MAX)];
static char hostname[256];

int sink_open(struct sink *sink, const struct spec_log *spec, struct err *err)
{
    *sink = (struct sink){.fd = -1, .pause_us = PAUSE_FIRST_US};
    if (spec->driver != LOG_DRIVER_JOURNALD && spec->driver != LOG_DRIVER_SYSLOG)
        return 0;
    sink->capacity = (size_t)(spec->buffer_bytes > 0 ? spec->buffer_bytes : LOG_BUFFER_DEFAULT);
    if (sink->capacity > LOG_BUFFER_MAX || sink->capacity < 2 * LOG_LINE_MAX)
        return err_set(err, ERR_LIMIT, "the buffer of the log has %zu bytes", sink->capacity);
    for (int i = 0; i < 2; i++)
        if (!sink_text_make(spec, i == 1, &prefixes[i]))
            return err_set(err, ERR_LIMIT, "the labels and variables for the log are too long");
    sink->ring = mmap(NULL, sink->capacity, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (sink->ring == MAP_FAILED)
        return err_sys(err, "map the log's buffer");
    if (gethostname(hostname, sizeof(hostname) - 1) < 0)
        hostname[0] = '\0';
    tzset();
    sink->spec = spec;
    return 0;
}

/* ---- the buffer ---- */

static bool frame_put(struct sink *sink, const struct frame *frame, const char *text)
{
    size_t need = (sizeof(*frame) + frame->size + 7) & ~(size_t)7;
    if (sink->tail + need > sink->capacity && sink->head > 0) {
        memmove(sink->ring, sink->ring + sink->head, sink->tail - sink->head);
        sink->tail -= sink->head;
        sink->head = 0;
    }
    if (sink->tail + need > sink->capacity)
        return false;
    memcpy(sink->ring + sink->tail, frame, sizeof(*frame));
    memcpy(sink->ring + sink->tail + sizeof(*frame), text, frame->size);
    sink->tail += need;
    sink->high_water = MAX(sink->high_water, sink->tail);
    return true;
}

void sink_add(struct sink *sink, const char *text, size_t size, bool partial, bool is_stderr, int64_t time_ns)
{
    struct frame frame = {(uint32_t)size, partial, is_stderr, false, time_ns};
    if (!sink->spec)
        return;
    if (sink->dropped > 0 && sink->capacity - (sink->tail - sink->head) > sink->capacity / 4) {
        char told[120];
        int told_size = snprintf(told, sizeof(told), "winch: %" PRIu64 " lines of output were lost: the log's peer was slow",
                                 sink->dropped);
        const struct frame mark = {(uint32_t)told_size, false, true, true, time_ns};
        if (frame_put(sink, &mark, told))
            sink->dropped = 0;
    }
    /* once lines are dropped, more are until there is room for many: few large holes rather than many small */
    if (sink->dropped == 0 && frame_put(sink, &frame, text))
        return;
    sink->dropped++;
    sink->dropped_total++;
}

static bool is_empty(const struct sink *sink)
{
    return sink->head == sink->tail && sink->out_sent == sink->out_size;
}

/* The next message into out_buffer. */
static void message_take(struct sink *sink)
{
    struct frame frame;
    memcpy(&frame, sink->ring + sink->head, sizeof(frame));
    const struct sink_message message = {.text = sink->ring + sink->head + sizeof(frame),
                                         .size = frame.size,
                                         .partial = frame.partial,
                                         .is_stderr = frame.is_stderr,
                                         .time_ns = frame.time_ns};
    sink->out_size = sink_format(out_buffer, sink->spec, &prefixes[frame.is_stderr], hostname, getpid(), &message);
    if (sink->stream)
        out_buffer[sink->out_size++] = '\n';
    sink->out_sent = 0;
    sink->out_mark = frame.mark;
    sink->head += (sizeof(frame) + frame.size + 7) & ~(size_t)7;
    if (sink->head == sink->tail)
        sink->head = sink->tail = 0;
}

/* ---- the connection ---- */

static void disconnect(struct sink *sink)
{
    close_fdp(&sink->fd);
    sink->blocked = sink->fresh = false;
    sink->retry_us = clock_monotonic_us() + sink->pause_us;
    sink->pause_us = MIN(sink->pause_us * 2, (int64_t)PAUSE_LAST_US);
    sink->out_sent = 0; /* the whole message again, to whom comes next */
}

static int socket_to(struct sink *sink, int type, const struct sockaddr *address, socklen_t size)
{
    _cleanup_close_ int fd = socket(address->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || (connect(fd, address, size) < 0 && errno != EINPROGRESS))
        return -1;
    sink->fd = take_fd(&fd);
    sink->stream = type == SOCK_STREAM;
    sink->fresh = true;
    return 0;
}

static int unix_connect(struct sink *sink, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (socket_to(sink, SOCK_DGRAM, (struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    return errno == EPROTOTYPE ? socket_to(sink, SOCK_STREAM, (struct sockaddr *)&address, sizeof(address)) : -1;
}

static int inet_connect(struct sink *sink)
{
    int type = sink->spec->transport == SYSLOG_TCP ? SOCK_STREAM : SOCK_DGRAM;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)sink->spec->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = v4.sin_port};
    if (inet_pton(AF_INET, sink->spec->host, &v4.sin_addr) == 1)
        return socket_to(sink, type, (struct sockaddr *)&v4, sizeof(v4));
    if (inet_pton(AF_INET6, sink->spec->host, &v6.sin6_addr) == 1)
        return socket_to(sink, type, (struct sockaddr *)&v6, sizeof(v6));
    errno = EINVAL;
    return -1;
}

static int peer_connect(struct sink *sink)
{
    static const char *const local[] = {"/dev/log", "/var/run/syslog", "/var/run/log"};
    if (sink->spec->driver == LOG_DRIVER_JOURNALD)
        return unix_connect(sink, JOURNAL_SOCKET);
    if (sink->spec->host)
        return sink->spec->transport == SYSLOG_UNIX ? unix_connect(sink, sink->spec->host) : inet_connect(sink);
    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        if (unix_connect(sink, local[i]) == 0)
            return 0;
    return -1;
}

/* False: not now. */
static bool message_send(struct sink *sink)
{
    ssize_t sent = send(sink->fd, out_buffer + sink->out_sent, sink->out_size - sink->out_sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
        return true;
    if (sent < 0 && (errno == EAGAIN || errno == ENOTCONN || errno == ENOBUFS)) {
        sink->blocked = true; /* a connection being made, too */
        return false;
    }
    if (sent < 0 && errno == EMSGSIZE) { /* this one never */
        sink->dropped++;
        sink->dropped_total++;
        sink->out_sent = sink->out_size;
        return true;
    }
    if (sent < 0) {
        disconnect(sink);
        return false;
    }
    sink->out_sent = sink->stream ? sink->out_sent + (size_t)sent : sink->out_size;
    sink->pause_us = PAUSE_FIRST_US;
    return true;
}

void sink_send(struct sink *sink)
{
    while (sink->spec && !is_empty(sink) && !sink->blocked) {
        if (sink->fd < 0) {
            if (clock_monotonic_us() < sink->retry_us)
                return;
            if (peer_connect(sink) < 0) {
                disconnect(sink);
                return;
            }
        }
        if (sink->out_sent == sink->out_size)
            message_take(sink);
        if (!message_send(sink))
            return;
    }
    if (sink->spec && is_empty(sink) && sink->high_water > KEEP_PAGES) {
        (void)madvise(sink->ring, sink->capacity, MADV_DONTNEED); /* memory that stays costs memory, no more */
        sink->high_water = 0;
    }
}

int sink_wait_ms(const struct sink *sink)
{
    if (!sink->spec || is_empty(sink) || sink->blocked)
        return -1;
    int64_t left = sink->retry_us - clock_monotonic_us();
    return sink->fd >= 0 || left <= 0 ? 0 : (int)(left / 1000) + 1;
}

void sink_finish(struct sink *sink, int wait_ms)
{
    if (!sink->spec)
        return;
    int64_t end = clock_monotonic_us() + wait_ms * 1000LL, left;
    for (sink_send(sink); !is_empty(sink) && (left = end - clock_monotonic_us()) > 0; sink_send(sink)) {
        struct pollfd wait = {.fd = sink->fd, .events = POLLOUT};
        int pause_ms = sink->fd >= 0 ? (int)(left / 1000) : MIN((int)(left / 1000), sink_wait_ms(sink));
        (void)poll(&wait, 1, MAX(pause_ms, 1)); /* without a descriptor: only the pause */
        sink->blocked = false;
    }
    while (!is_empty(sink)) {
        if (sink->out_sent == sink->out_size)
            message_take(sink);
        sink->dropped_total += !sink->out_mark;
        sink->out_sent = sink->out_size;
    }
    close_fdp(&sink->fd);
}
