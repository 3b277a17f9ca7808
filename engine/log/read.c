/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of a container's log (read.h). All files are opened at once, so that none expires under the
 * reader. Following goes on in the newest to its end before it looks for a newer one. */
#include "engine/log/read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/vec.h"
#include "engine/log/decode.h"
#include "engine/log/file.h"
#include "engine/log/names.h"

#define BUFFER_SIZE (512 * 1024) /* several times the longest record */
#define FILES_MAX   2048         /* more than a writer keeps */
#define MISSED_SIZE 160

struct log_reader {
    int lib_fd, dirfd, watch; /* -1: none */
    char name[128];
    struct log_options options;
    VEC(struct log_file) files; /* oldest first */
    size_t index;               /* being read */
    char *buffer;
    size_t start, end; /* unread part of buffer */
    bool begins;       /* the next record begins a line */
    bool skipping;     /* the line is none of the last ones */
    bool locked;       /* the writer knows that it is followed */
    uint64_t missed;   /* files that expired unread */
    char missed_text[MISSED_SIZE];
    struct log_decoder decoder;
};

struct numbers {
    uint64_t after;
    VEC(uint64_t) found;
};

static void number_visit(struct log_name name, void *arg)
{
    struct numbers *numbers = arg;
    if (name.number > numbers->after)
        VEC_ADD(&numbers->found, name.number);
}

static int number_compare(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, two = *(const uint64_t *)b;
    return (one > two) - (one < two);
}

/* 1: opened, 0: it expired, -1: error. */
static int number_take(struct log_reader *reader, uint64_t number, struct err *err)
{
    struct log_file file;
    if (log_file_open(reader->dirfd, number, &file) < 0)
        return errno == ENOENT ? 0 : err_sys(err, "open log file %" PRIu64, number);
    VEC_ADD(&reader->files, file);
    return 1;
}

/* A folder that changes while it is listed may leave out a name that is there: what lies between two numbers is looked for by name
 * before it counts as expired. */
static int numbers_open(struct log_reader *reader, const uint64_t *numbers, size_t count, uint64_t after,
                        struct err *err)
{
    for (size_t i = count > FILES_MAX ? count - FILES_MAX : 0; i < count; i++) {
        uint64_t number = after > 0 && numbers[i] - after <= FILES_MAX ? after + 1 : numbers[i];
        if (i > 0 && numbers[i] == numbers[i - 1])
            continue; /* plain and compressed for a moment */
        if (after > 0)
            reader->missed += number - after - 1;
        for (; number <= numbers[i]; number++) {
            int taken = number_take(reader, number, err);
            if (taken < 0)
                return -1;
            reader->missed += after > 0 && taken == 0;
            after = after > 0 || taken ? number : 0;
        }
    }
    return 0;
}

/* Opens the files above number after (0: all). */
static int files_append(struct log_reader *reader, uint64_t after, struct err *err)
{
    struct numbers numbers = {.after = after};
    if (reader->options.follow && !reader->locked) /* the writer's own lock lasts an instant */
        reader->locked = flock(reader->dirfd, LOCK_SH | LOCK_NB) == 0;
    int result = log_names_each(reader->dirfd, number_visit, &numbers);
    if (result < 0)
        err_sys(err, "list log");
    else if (numbers.found.count > 0) {
        qsort(numbers.found.items, numbers.found.count, sizeof(uint64_t), number_compare);
        result = numbers_open(reader, numbers.found.items, numbers.found.count, after, err);
    }
    VEC_DONE(&numbers.found);
    return result;
}

static int directory_open(struct log_reader *reader, struct err *err)
{
    if (reader->dirfd >= 0)
        return 0;
    reader->dirfd =
        openat(reader->lib_fd, reader->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return reader->dirfd >= 0 || errno == ENOENT ? 0 : err_sys(err, "open the log");
}

static int tail_seek(struct log_reader *reader, struct err *err)
{
    int64_t left = reader->options.tail;
    size_t count = reader->files.count;
    reader->index = count;
    while (reader->index > 0 && left > 0) {
        reader->index--;
        const struct log_file *before = reader->index ? &reader->files.items[reader->index - 1] : NULL;
        if (log_file_tail(&reader->files.items[reader->index], before, &left, err) < 0)
            return -1;
    }
    if (reader->index == count && count > 0) { /* tail 0: only what comes */
        struct log_file *newest = &reader->files.items[--reader->index];
        newest->skip_lines = newest->packed ? INT64_MAX : 0;
        newest->offset = lseek(newest->fd, 0, SEEK_END);
    }
    return 0;
}

int log_reader_open(const struct layout *layout, const char *id, const struct log_options *options,
                    struct log_reader **ret_reader, struct err *err)
{
    _cleanup_(log_reader_freep) struct log_reader *reader = xcalloc(1, sizeof(*reader));
    reader->watch = reader->dirfd = -1;
    reader->options = *options;
    reader->begins = true;
    reader->buffer = xmalloc(BUFFER_SIZE);
    reader->decoder.text = xmalloc(BUFFER_SIZE);
    snprintf(reader->name, sizeof(reader->name), "containers/%s/log", id);
    reader->lib_fd = fcntl(layout->lib_fd, F_DUPFD_CLOEXEC, 3);
    if (reader->lib_fd < 0)
        return err_sys(err, "open the log of container %.12s", id);
    if (directory_open(reader, err) < 0 ||
        (reader->dirfd >= 0 && files_append(reader, 0, err) < 0) ||
        (options->tail >= 0 && tail_seek(reader, err) < 0))
        return err_wrap(err, "container %.12s", id);
    *ret_reader = take_ptr(&reader);
    return 0;
}

void log_reader_free(struct log_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < reader->files.count; i++)
        log_file_close(&reader->files.items[i]);
    VEC_DONE(&reader->files);
    close_fdp(&reader->lib_fd);
    close_fdp(&reader->dirfd);
    close_fdp(&reader->watch);
    free(reader->buffer);
    free(reader->decoder.text);
    free(reader);
}

/* Fills the buffer from the present file. 1: got something, 0: its end, -1: error. */
static int buffer_fill(struct log_reader *reader, struct err *err)
{
    memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
    reader->end -= reader->start;
    reader->start = 0;
    if (reader->end == BUFFER_SIZE) /* no record is that long: damage; the next newline heals it */
        reader->end = 0;
    ssize_t got = log_file_read(&reader->files.items[reader->index], reader->buffer + reader->end,
                                BUFFER_SIZE - reader->end, err);
    if (got > 0)
        reader->end += (size_t)got;
    return got > 0 ? 1 : (int)got;
}

/* What is read is forgotten, or following would keep every expired file. */
static void files_forget(struct log_reader *reader)
{
    for (size_t i = 0; i < reader->index; i++)
        log_file_close(&reader->files.items[i]);
    memmove(reader->files.items, reader->files.items + reader->index,
            (reader->files.count - reader->index) * sizeof(*reader->files.items));
    reader->files.count -= reader->index;
    reader->index = 0;
}

/* 1: there is a newer file to go on with, or more in this one; 0: not; -1: error. */
static int file_advance(struct log_reader *reader, struct err *err)
{
    if (reader->index + 1 == reader->files.count) {
        if (files_append(reader, reader->files.items[reader->index].number, err) < 0)
            return -1;
        if (reader->index + 1 == reader->files.count)
            return 0;
        /* the writer may have added to this file after we read it and before it began the next */
        int more = buffer_fill(reader, err);
        if (more != 0)
            return more;
    }
    reader->index++;
    files_forget(reader);
    reader->start = reader->end = 0; /* a torn end of the old file belongs to nothing */
    return 1;
}

static bool record_wanted(struct log_reader *reader, const struct log_record *record)
{
    const struct log_options *options = &reader->options;
    int64_t *skip = &reader->files.items[reader->index].skip_lines;
    if (reader->begins) {
        reader->skipping = *skip > 0;
        *skip -= reader->skipping;
    }
    reader->begins = !record->partial;
    return !reader->skipping && (!options->until_ns || record->time_ns <= options->until_ns) &&
           (!options->since_ns || record->time_ns >= options->since_ns);
}

static void missed_tell(struct log_reader *reader, struct log_record *ret_record)
{
    int size = snprintf(reader->missed_text, sizeof(reader->missed_text),
                        "winch: %" PRIu64 " log files expired before they could be read\n", reader->missed);
    reader->missed = 0;
    *ret_record = (struct log_record){.text = reader->missed_text,
                                      .size = (size_t)size,
                                      .is_stderr = true,
                                      .time_ns = clock_wall_ns()};
}

int log_reader_next(struct log_reader *reader, struct log_record *ret_record, struct err *err)
{
    if (reader->files.count == 0) {
        if (directory_open(reader, err) < 0)
            return -1;
        if (reader->dirfd < 0 || files_append(reader, 0, err) < 0)
            return reader->dirfd < 0 ? 0 : -1;
    }
    while (reader->files.count > 0) {
        const char *line = reader->buffer + reader->start;
        const char *end = memchr(line, '\n', reader->end - reader->start);
        if (end) {
            struct log_record record;
            reader->start += (size_t)(end - line) + 1;
            if (log_line_decode(&reader->decoder, line, (size_t)(end - line), &record) &&
                record_wanted(reader, &record)) {
                *ret_record = record;
                return 1;
            }
            continue;
        }
        int more = buffer_fill(reader, err);
        if (more == 0)
            more = file_advance(reader, err);
        if (more > 0 && reader->missed > 0 && reader->start == reader->end) {
            missed_tell(reader, ret_record);
            return 1;
        }
        if (more <= 0)
            return more;
    }
    return 0;
}

int log_reader_watch_fd(struct log_reader *reader)
{
    if (reader->watch >= 0 || reader->dirfd < 0)
        return reader->watch;
    char path[40];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", reader->dirfd);
    _cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch >= 0 && inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE | IN_ONLYDIR) >= 0)
        reader->watch = take_fd(&watch);
    return reader->watch;
}

void log_reader_wake(struct log_reader *reader)
{
    char events[4096];
    while (reader->watch >= 0 && read(reader->watch, events, sizeof(events)) > 0)
        ;
}
