/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h: receive, format many lines, write once. The buffer for formatted lines is static and shared
 * by all streams; its pages are given back after a burst, so that an idle monitor stays small. libc
 * only. */
#include "engine/monitor/relay.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "engine/log/read.h"

#define PORTION    (128 * 1024)
#define OUT_SIZE   (256 * 1024)
#define ROUNDS     16 /* portions before other events get their turn */
_Static_assert(OUT_SIZE > LOG_RECORD_ROOM(LOG_LINE_MAX), "the longest record fits");
_Static_assert(SPOOL_AREA >= 4 * LOG_LINE_MAX, "an incomplete line leaves room for its end");

static char out_buffer[OUT_SIZE] __attribute__((aligned(4096)));
static size_t out_used; /* high-water mark since the last relay_idle */

void relay_init(struct relay *relay, int fd, bool is_tty, bool is_stderr, struct sink *sink)
{
    *relay = (struct relay){
        .fd = fd, .stream = is_stderr, .is_tty = is_tty, .is_stderr = is_stderr, .sink = sink, .ready = true};
}

void relay_done(struct relay *relay)
{
    close_fdp(&relay->fd);
}

struct batch {
    const struct relay *relay;
    struct spool *spool;
    struct logfile *log;
    size_t size;         /* in out_buffer */
    size_t used, logged; /* bytes of the data that are in the batch, and of those before it */
    uint64_t lines;
    int64_t time_ns;
    int64_t room; /* for it in the present file */
    struct log_ending *ending;
};

static void batch_flush(struct batch *batch)
{
    if (batch->used == 0)
        return;
    if (batch->size > out_used)
        out_used = batch->size;
    spool_log(batch->spool, batch->relay->stream, batch->used, batch->log, out_buffer, batch->size,
              batch->lines);
    batch->logged += batch->used;
    batch->size = batch->used = 0;
    batch->lines = 0;
    batch->room = logfile_room(batch->log);
}

/* used: bytes of the stream that text stands for. */
static void batch_add(struct batch *batch, const char *text, size_t size, size_t used)
{
    if (batch->size + LOG_RECORD_ROOM(size) > sizeof(out_buffer))
        batch_flush(batch);
    char *record = out_buffer + batch->size;
    size_t length = log_record_format(record, text, size, used > size, batch->ending);
    if (batch->size > 0 && (int64_t)(batch->size + length) > batch->room) { /* the next file's */
        batch_flush(batch);
        memmove(out_buffer, record, length);
    }
    sink_add(batch->relay->sink, text, size, used == size, batch->relay->is_stderr, batch->time_ns);
    batch->size += length;
    batch->used += used;
    batch->lines++;
}

/* Formats the complete lines of data and pieces of overlong ones; all: the rest too. */
static void lines_add(struct batch *batch, const char *data, size_t size, bool all)
{
    for (size_t at = 0; at < size;) {
        size_t limit = MIN(size - at, (size_t)LOG_LINE_MAX);
        const char *end = memchr(data + at, '\n', limit);
        size_t length = end ? (size_t)(end - data) - at : limit;
        if (!end && limit < LOG_LINE_MAX && !all)
            break;
        batch_add(batch, data + at, length, length + (end ? 1 : 0));
        at += length + (end ? 1 : 0);
    }
}

/* Logs what the spool has of the stream. */
static void spooled_log(struct relay *relay, struct spool *spool, struct logfile *log, bool all)
{
    size_t size;
    const char *data = spool_data(spool, relay->stream, &size);
    if (size == 0)
        return;
    static struct log_ending ending; /* a page that the stack need not have */
    struct batch batch = {.relay = relay, .spool = spool, .log = log, .room = logfile_room(log), .ending = &ending};
    char time[RFC3339_SIZE];
    batch.time_ns = clock_wall_ns();
    log_ending_format(&ending, relay->is_stderr,
                      rfc3339_format_ns(batch.time_ns, time, sizeof(time)), log->attributes);
    lines_add(&batch, data, size, all);
    batch_flush(&batch);
}

/* The master shares its file status flags with attached clients, so it stays blocking and is asked
 * first. */
static bool tty_has_data(int fd)
{
    struct pollfd probe = {.fd = fd, .events = POLLIN};
    return poll(&probe, 1, 0) > 0;
}

/* One portion; false when nothing more can be done now. */
static bool portion_pump(struct relay *relay, struct spool *spool, struct logfile *log)
{
    if (relay->is_tty && !tty_has_data(relay->fd))
        return false;
    ssize_t got = spool_take(spool, relay->stream, relay->fd, relay->is_tty, PORTION);
    if (got <= 0) /* a terminal gives EIO while nobody inside has it open */
        return false;
    spooled_log(relay, spool, log, false);
    sink_send(relay->sink);
    return true;
}

bool relay_pump(struct relay *relay, struct spool *spool, struct logfile *log, bool final)
{
    bool more = relay->fd >= 0, any = false;
    spool_recover(spool, log);
    for (int i = 0; more && i < ROUNDS; i++) {
        more = portion_pump(relay, spool, log);
        any |= more;
    }
    if (!more && final)
        spooled_log(relay, spool, log, true);
    relay->ready = more;
    return any;
}

void relay_idle(struct spool *spool)
{
    spool_idle(spool);
    if (out_used > 0)
        (void)madvise(out_buffer, sizeof(out_buffer), MADV_DONTNEED);
    out_used = 0;
}
