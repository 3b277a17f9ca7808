/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h: peek, format many lines, write once, drop what was written. The buffers are static and
 * shared by all streams; their pages are given back after a burst, so that an idle monitor stays
 * small. libc only. */
#include "engine/monitor/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "engine/log/read.h"

#define PORTION    (64 * 1024)
#define OUT_SIZE   (256 * 1024)
#define ROUNDS     16 /* portions before other events get their turn */
#define PEEK_BYTES (256 * 1024)
#define KEEP_PAGES (16 * 1024) /* a burst below this is not worth giving pages back */
_Static_assert(OUT_SIZE > LOG_RECORD_ROOM(LOG_LINE_MAX), "the longest record fits");

static char in_buffer[PORTION] __attribute__((aligned(4096)));
static char out_buffer[OUT_SIZE] __attribute__((aligned(4096)));
static char tty_kept[RELAY_TTY_KEPT];
static size_t in_used, out_used; /* high-water marks since the last relay_idle */

int relay_open(struct relay *relay, int fd, bool is_tty, bool is_stderr, struct err *err)
{
    *relay = (struct relay){
        .fd = fd, .is_tty = is_tty, .is_stderr = is_stderr, .ready = true, .peek = {-1, -1}};
    if (is_tty)
        return 0;
    if (pipe2(relay->peek, O_CLOEXEC | O_NONBLOCK) < 0) {
        err_sys(err, "make a pipe");
        relay_done(relay);
        return -1;
    }
    (void)fcntl(relay->peek[1], F_SETPIPE_SZ, PEEK_BYTES); /* smaller works, in more portions */
    return 0;
}

void relay_done(struct relay *relay)
{
    close_fdp(&relay->fd);
    close_fdp(&relay->peek[0]);
    close_fdp(&relay->peek[1]);
}

struct batch {
    struct logfile *log;
    size_t size; /* in out_buffer */
    int64_t time_ns;
    char time[RFC3339_SIZE];
};

static void batch_flush(struct batch *batch)
{
    if (batch->size > out_used)
        out_used = batch->size;
    logfile_write(batch->log, out_buffer, batch->size);
    batch->size = 0;
}

static void batch_add(struct batch *batch, const char *text, size_t size, bool newline,
                      bool is_stderr)
{
    if (batch->size + LOG_RECORD_ROOM(size) > sizeof(out_buffer))
        batch_flush(batch);
    batch->size +=
        log_record_format(out_buffer + batch->size, text, size, newline, is_stderr, batch->time);
}

/* Formats the complete lines of data (and pieces of overlong ones); returns the bytes used. all:
 * the rest too. */
static size_t lines_add(struct batch *batch, const char *data, size_t size, bool is_stderr,
                        bool all)
{
    size_t at = 0;
    while (at < size) {
        size_t limit = MIN(size - at, (size_t)LOG_LINE_MAX);
        const char *end = memchr(data + at, '\n', limit);
        size_t length = end ? (size_t)(end - data) - at : limit;
        if (!end && limit < LOG_LINE_MAX && !all)
            break;
        batch_add(batch, data + at, length, end != NULL, is_stderr);
        at += length + (end ? 1 : 0);
    }
    return at;
}

static void batch_begin(struct batch *batch, struct logfile *log)
{
    *batch = (struct batch){.log = log, .time_ns = clock_wall_ns()};
    rfc3339_format_ns(batch->time_ns, batch->time, sizeof(batch->time));
}

static int null_open(void)
{
    static int null_fd = -1;
    if (null_fd < 0)
        null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return null_fd;
}

static void fifo_drop(struct relay *relay, size_t size)
{
    while (size > 0) {
        ssize_t gone = splice(relay->fd, NULL, null_open(), NULL, size, SPLICE_F_NONBLOCK);
        if (gone < 0 && errno == EINTR)
            continue;
        if (gone < 0) /* a null device that does not splice: read it away */
            gone = read(relay->fd, in_buffer, MIN(size, sizeof(in_buffer)));
        if (gone <= 0)
            return; /* somebody inside read his own output */
        size -= (size_t)gone;
    }
}

/* A copy of the FIFO's first bytes in in_buffer. 0: empty. */
static size_t fifo_peek(struct relay *relay)
{
    ssize_t copied = tee(relay->fd, relay->peek[1], PORTION, SPLICE_F_NONBLOCK);
    size_t have = 0;
    while (copied > 0 && have < (size_t)copied) {
        ssize_t got = read(relay->peek[0], in_buffer + have, (size_t)copied - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    if (have > in_used)
        in_used = have;
    return have;
}

/* One portion; false when nothing more can be done now. */
static bool fifo_pump(struct relay *relay, struct logfile *log, bool final)
{
    struct batch batch;
    int queued = 0;
    size_t have = fifo_peek(relay);
    if (have == 0)
        return false;
    batch_begin(&batch, log);
    size_t used = lines_add(&batch, in_buffer, have, relay->is_stderr, false);
    if (used == 0) {
        /* a line in crumbs that the copy cannot hold, or the very end: log what there is */
        bool more = ioctl(relay->fd, FIONREAD, &queued) == 0 && queued > (int)have;
        if (!more && !final)
            return false;
        used = lines_add(&batch, in_buffer, have, relay->is_stderr, true);
    }
    batch_flush(&batch);
    fifo_drop(relay, used);
    return true;
}

/* The master shares its file status flags with attached clients, so it stays blocking and is asked
 * first. */
static bool tty_has_data(int fd)
{
    struct pollfd probe = {.fd = fd, .events = POLLIN};
    return poll(&probe, 1, 0) > 0;
}

static bool tty_pump(struct relay *relay, struct logfile *log, bool final)
{
    struct batch batch;
    ssize_t got = 0;
    bool more = tty_has_data(relay->fd);
    if (!more && !final)
        return false;
    memcpy(in_buffer, tty_kept, relay->kept_size);
    if (more)
        got = read(relay->fd, in_buffer + relay->kept_size, PORTION - relay->kept_size);
    if (more && got <= 0) { /* EIO: every slave is closed */
        close_fdp(&relay->fd);
        more = false;
        got = 0;
    }
    size_t have = relay->kept_size + (size_t)got;
    batch_begin(&batch, log);
    size_t used = lines_add(&batch, in_buffer, have, relay->is_stderr, false);
    if (!more || have - used > RELAY_TTY_KEPT)
        used += lines_add(&batch, in_buffer + used, have - used, relay->is_stderr, true);
    batch_flush(&batch);
    relay->kept_size = have - used;
    memcpy(tty_kept, in_buffer + used, relay->kept_size);
    return more;
}

void relay_pump(struct relay *relay, struct logfile *log, bool final)
{
    bool more = relay->fd >= 0;
    for (int i = 0; more && i < ROUNDS; i++)
        more = relay->is_tty ? tty_pump(relay, log, final) : fifo_pump(relay, log, final);
    relay->ready = more;
}

void relay_idle(void)
{
    if (in_used > KEEP_PAGES)
        (void)madvise(in_buffer, sizeof(in_buffer), MADV_DONTNEED);
    if (out_used > KEEP_PAGES)
        (void)madvise(out_buffer, sizeof(out_buffer), MADV_DONTNEED);
    in_used = out_used = 0;
}
