/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of a container's log files (read.h). All files are opened at once, newest first:
 * rotation only moves files to older names, so none is missed, and one seen twice is known by its
 * inode. Following goes on in the newest descriptor to its end before it looks for a newer file. */
#include "engine/log/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/log/decode.h"

#define BUFFER_SIZE (512 * 1024) /* several times the longest record */
#define FILES_MAX   1024
#define BACK_CHUNK  (64 * 1024)

struct log_file {
    int fd;
    ino_t inode;
};

struct log_reader {
    int dirfd, watch; /* -1: none */
    struct log_options options;
    struct log_file files[FILES_MAX]; /* oldest first */
    size_t count, index;              /* index: being read */
    off_t offset;                     /* of the next byte to read into buffer */
    char *buffer;
    size_t start, end; /* unread part of buffer */
    bool ended;        /* a record beyond until was seen */
    struct log_decoder decoder;
};

static int file_open(int dirfd, const char *name, struct log_file *ret_file)
{
    struct stat st;
    int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    *ret_file = (struct log_file){.fd = fd, .inode = st.st_ino};
    return 0;
}

/* Opens "current", "1", … back to the file `known` (0: all) and appends them oldest first. */
static int files_append(struct log_reader *reader, ino_t known, struct err *err)
{
    struct log_file *found = xcalloc(FILES_MAX, sizeof(*found));
    size_t count = 0, room = FILES_MAX - reader->count;
    for (unsigned number = 0, missing = 0; missing < 2 && count < room; number++) {
        char name[16];
        snprintf(name, sizeof(name), number ? "%u" : "current", number);
        struct log_file file;
        if (file_open(reader->dirfd, name, &file) < 0) {
            if (errno != ENOENT) {
                err_sys(err, "open log file '%s'", name);
                break;
            }
            missing++; /* one may be missing in the middle of a rotation */
            continue;
        }
        if ((known && file.inode == known) || (count > 0 && file.inode == found[count - 1].inode)) {
            close(file.fd);
            if (known && file.inode == known)
                break;
            continue;
        }
        found[count++] = file;
    }
    for (size_t i = count; i > 0; i--)
        reader->files[reader->count++] = found[i - 1];
    free(found);
    return err && err->code ? -1 : 0;
}

/* Offset in one file at which its last *count records begin; *count is reduced by those found. */
static off_t tail_offset(int fd, int64_t *count)
{
    _cleanup_free_ char *chunk = xmalloc(BACK_CHUNK);
    off_t end = lseek(fd, 0, SEEK_END);
    bool first = true;
    while (end > 0) {
        size_t size = (size_t)MIN(end, (off_t)BACK_CHUNK);
        ssize_t got = pread(fd, chunk, size, end - (off_t)size);
        if (got <= 0)
            return 0;
        for (size_t at = (size_t)got; at > 0; at--) {
            if (chunk[at - 1] != '\n')
                continue;
            if (first) { /* the end of the last record, not of one before it */
                first = false;
                continue;
            }
            if (--*count == 0)
                return end - (off_t)size + (off_t)at;
        }
        end -= (off_t)size;
    }
    if (!first)
        --*count; /* the record at the start of the file */
    return 0;
}

static void tail_seek(struct log_reader *reader)
{
    int64_t left = reader->options.tail;
    reader->index = reader->count;
    reader->offset = 0;
    while (reader->index > 0 && left > 0) {
        reader->index--;
        reader->offset = tail_offset(reader->files[reader->index].fd, &left);
    }
    if (reader->index == reader->count && reader->count > 0) { /* tail 0: only what comes */
        reader->index = reader->count - 1;
        reader->offset = lseek(reader->files[reader->index].fd, 0, SEEK_END);
    }
}

/* Files whose last write is before since hold nothing that is asked for. */
static void since_seek(struct log_reader *reader)
{
    struct stat st;
    while (reader->options.since_ns && reader->index + 1 < reader->count &&
           fstat(reader->files[reader->index].fd, &st) == 0 &&
           st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec < reader->options.since_ns) {
        reader->index++;
        reader->offset = 0;
    }
}

int log_reader_open(const struct layout *layout, const char *id, const struct log_options *options,
                    struct log_reader **ret_reader, struct err *err)
{
    char name[128];
    _cleanup_(log_reader_freep) struct log_reader *reader = xcalloc(1, sizeof(*reader));
    struct err reason = {0};
    reader->watch = -1;
    reader->options = *options;
    reader->buffer = xmalloc(BUFFER_SIZE);
    reader->decoder.text = xmalloc(BUFFER_SIZE);
    snprintf(name, sizeof(name), "containers/%s/log", id);
    reader->dirfd = openat(layout->lib_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (reader->dirfd < 0 && errno != ENOENT)
        return err_sys(err, "open the log of container %.12s", id);
    if (reader->dirfd >= 0 && files_append(reader, 0, &reason) < 0) {
        err_copy(err, &reason);
        return err_wrap(err, "container %.12s", id);
    }
    if (options->tail >= 0)
        tail_seek(reader);
    since_seek(reader);
    *ret_reader = take_ptr(&reader);
    return 0;
}

void log_reader_free(struct log_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < reader->count; i++)
        close_fdp(&reader->files[i].fd);
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
    ssize_t got = pread(reader->files[reader->index].fd, reader->buffer + reader->end,
                        BUFFER_SIZE - reader->end, reader->offset);
    if (got < 0)
        return err_sys(err, "read log");
    reader->offset += got;
    reader->end += (size_t)got;
    return got > 0;
}

/* 1: there is a newer file to go on with, 0: not, -1: error. */
static int file_advance(struct log_reader *reader, struct err *err)
{
    if (reader->index + 1 == reader->count) {
        struct stat st;
        if (fstatat(reader->dirfd, "current", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            st.st_ino == reader->files[reader->index].inode)
            return 0;
        /* the writer may have added to this file after we read it and before it was renamed */
        int more = buffer_fill(reader, err);
        if (more != 0)
            return more;
        struct err reason = {0};
        if (reader->count == FILES_MAX) { /* forget what is read */
            for (size_t i = 0; i + 1 < reader->count; i++)
                close_fdp(&reader->files[i].fd);
            reader->files[0] = reader->files[reader->count - 1];
            reader->count = 1;
            reader->index = 0;
        }
        if (files_append(reader, reader->files[reader->index].inode, &reason) < 0)
            return err_copy(err, &reason);
        if (reader->index + 1 == reader->count)
            return 0;
    }
    reader->index++;
    reader->offset = 0;
    reader->start = reader->end = 0; /* a torn end of the old file belongs to nothing */
    return 1;
}

static bool record_wanted(struct log_reader *reader, const struct log_record *record)
{
    const struct log_options *options = &reader->options;
    if (options->until_ns && record->time_ns > options->until_ns) {
        reader->ended = true;
        return false;
    }
    return !options->since_ns || record->time_ns >= options->since_ns;
}

int log_reader_next(struct log_reader *reader, struct log_record *ret_record, struct err *err)
{
    if (reader->count == 0 && reader->dirfd >= 0) {
        struct err reason = {0};
        if (files_append(reader, 0, &reason) < 0)
            return err_copy(err, &reason);
    }
    while (reader->count > 0 && !reader->ended) {
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
    if (watch >= 0 &&
        inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) >= 0)
        reader->watch = take_fd(&watch);
    return reader->watch;
}

void log_reader_wake(struct log_reader *reader)
{
    char events[4096];
    while (reader->watch >= 0 && read(reader->watch, events, sizeof(events)) > 0)
        ;
}
