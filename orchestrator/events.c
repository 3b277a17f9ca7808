/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - appends one JSON line for each event and hands the same object to subscribers. The file is bounded by keeping one
 * predecessor; it is not synced: it tells a story, no decision depends on it. */
#include "orchestrator/events.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/vec.h"

#define TAIL_BYTES (64 * 1024)

struct events {
    char *path;
    int dirfd, fd;
    int64_t seq, size;
    VEC(struct ipc_request *) subscribers;
};

int64_t events_last_seq(const char *tail, size_t size)
{
    while (size > 0 && tail[size - 1] != '\n') /* a torn last line does not count */
        size--;
    while (size > 0) {
        size_t end = size - 1, begin = end;
        while (begin > 0 && tail[begin - 1] != '\n')
            begin--;
        _cleanup_jv_ struct jv *line = NULL;
        struct err err = { 0 };
        if (jv_parse(tail + begin, end - begin, &line, &err) == 0) {
            int64_t seq = jv_get_int(line, "seq", 0);
            if (seq > 0)
                return seq;
        }
        size = begin;
    }
    return 0;
}

static int64_t read_last_seq(int dirfd, const char *name)
{
    _cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return 0;
    _cleanup_free_ char *tail = xmalloc(TAIL_BYTES);
    ssize_t size = pread(fd, tail, TAIL_BYTES, MAX(0, st.st_size - TAIL_BYTES));
    return size > 0 ? events_last_seq(tail, (size_t)size) : 0;
}

/* The directory is the project store's to make: without it nothing is kept. */
static void dir_open(struct events *events)
{
    events->dirfd = open(events->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (events->dirfd < 0 || events->seq > 0)
        return;
    events->seq = read_last_seq(events->dirfd, "events");
    if (events->seq == 0)
        events->seq = read_last_seq(events->dirfd, "events.1");
}

static void journal_open(struct events *events)
{
    struct stat st;
    events->fd = openat(events->dirfd, "events", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    events->size = events->fd >= 0 && fstat(events->fd, &st) == 0 ? st.st_size : 0;
}

struct events *events_open(const struct layout *layout, const char *project)
{
    struct events *events = xcalloc(1, sizeof(*events));
    events->path = layout_lib(layout, "projects/%s", project);
    events->dirfd = events->fd = -1;
    dir_open(events);
    return events;
}

void events_forget(struct events *events)
{
    close_fdp(&events->fd);
    close_fdp(&events->dirfd);
}

void events_free(struct events *events)
{
    if (!events)
        return;
    events_forget(events);
    free(events->path);
    VEC_DONE(&events->subscribers);
    free(events);
}

static void journal_write(struct events *events, const struct jv *event)
{
    if (events->dirfd < 0)
        return;
    if (events->fd < 0)
        journal_open(events);
    if (events->fd < 0)
        return;
    _cleanup_free_ char *text = jv_dump(event);
    size_t size = strlen(text);
    text[size] = '\n'; /* the terminator's place: the line is written without it */
    if (fd_write_all(events->fd, text, size + 1) < 0)
        log_debug("event journal: write failed");
    events->size += (int64_t)size + 1;
    if (events->size > EVENTS_BYTES_MAX) {
        (void)renameat(events->dirfd, "events", events->dirfd, "events.1"); /* tried again at the next event */
        close_fdp(&events->fd);
    }
}

void events_add(struct events *events, struct jv *event)
{
    char time[RFC3339_SIZE];
    if (events->dirfd < 0)
        dir_open(events); /* first: it knows the last number */
    jv_set_str(event, "type", "event");
    jv_set_str(event, "time", rfc3339_format_ns(clock_wall_ns(), time, sizeof(time)));
    jv_set_int(event, "seq", ++events->seq);
    journal_write(events, event);
    for (size_t i = 0; i < events->subscribers.count; i++)
        ipc_send_event(events->subscribers.items[i], jv_copy_deep(event));
    jv_free(event);
}

static void subscriber_gone(struct ipc_request *request, void *arg)
{
    struct events *events = arg;
    for (size_t i = 0; i < events->subscribers.count; i++)
        if (events->subscribers.items[i] == request)
            events->subscribers.items[i--] = events->subscribers.items[--events->subscribers.count];
    ipc_answer_ok(request, NULL); /* frees it; nobody hears it */
}

void events_subscribe(struct events *events, struct ipc_request *request)
{
    VEC_ADD(&events->subscribers, request);
    ipc_request_on_gone(request, subscriber_gone, events);
}

size_t events_subscribers(const struct events *events)
{
    return events->subscribers.count;
}
