/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and rotating log files (logfile.h). Errors are transient: disks get space again. A
 * rotation opens the new file first and only renames; killed anywhere in between, the next opening
 * finds a state it understands. libc only. */
#include "engine/monitor/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

#define CURRENT "current"
#define NEXT    "next" /* exists only during a rotation */

static int file_open(int dirfd, const char *name)
{
    return openat(dirfd, name, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* A record cut off by a death of the machine or of an earlier monitor must not swallow the next
 * one. */
static int torn_end_close(int fd, int64_t *ret_size)
{
    struct stat st;
    char last = '\n';
    if (fstat(fd, &st) < 0)
        return -1;
    if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n' &&
        write(fd, "\n", 1) == 1)
        st.st_size++;
    *ret_size = st.st_size;
    return 0;
}

static int current_open(struct logfile *log, struct err *err)
{
    struct stat st;
    bool has_current = fstatat(log->dirfd, CURRENT, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (has_current)
        (void)unlinkat(log->dirfd, NEXT,
                       0); /* of a rotation that was cut off early; usually missing */
    else
        (void)renameat(log->dirfd, NEXT, log->dirfd, CURRENT); /* … or late */
    _cleanup_close_ int fd = file_open(log->dirfd, CURRENT);
    int64_t size;
    if (fd < 0 || torn_end_close(fd, &size) < 0)
        return err_sys(err, "open log");
    close_fdp(&log->fd);
    log->fd = take_fd(&fd);
    log->size = size;
    return 0;
}

int logfile_open(struct logfile *log, const struct container_spec *spec, struct err *err)
{
    *log = (struct logfile){
        .dirfd = -1,
        .fd = -1,
        .max_bytes = spec->log.max_bytes > 0 ? spec->log.max_bytes : LOG_MAX_BYTES_DEFAULT,
        .max_files = spec->log.max_files > 0 ? spec->log.max_files : LOG_MAX_FILES_DEFAULT,
    };
    if (spec->log.driver == LOG_DRIVER_NONE)
        return 0;
    char path[4096];
    snprintf(path, sizeof(path), "%s/log", spec->state_dir);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_sys(err, "make %s", path);
    log->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (log->dirfd < 0)
        return err_sys(err, "open %s", path);
    return current_open(log, err);
}

void logfile_done(struct logfile *log)
{
    close_fdp(&log->fd);
    close_fdp(&log->dirfd);
}

int logfile_reopen(struct logfile *log, struct err *err)
{
    return log->dirfd < 0 ? 0 : current_open(log, err);
}

/* 0, or -1 with errno: the old file goes on being used. */
static int rotate(struct logfile *log)
{
    char from[24], to[24];
    _cleanup_close_ int fd = file_open(log->dirfd, NEXT);
    if (fd < 0 || ftruncate(fd, 0) < 0)
        return -1;
    for (int64_t i = log->max_files - 2; i >= 1; i--) {
        snprintf(from, sizeof(from), "%" PRId64, i);
        snprintf(to, sizeof(to), "%" PRId64, i + 1);
        if (renameat(log->dirfd, from, log->dirfd, to) < 0 && errno != ENOENT)
            return -1;
    }
    if (log->max_files > 1 && renameat(log->dirfd, CURRENT, log->dirfd, "1") < 0 && errno != ENOENT)
        return -1;
    if (renameat(log->dirfd, NEXT, log->dirfd, CURRENT) < 0)
        return -1;
    close_fdp(&log->fd); /* followers have their own descriptor and read it to its end */
    log->fd = take_fd(&fd);
    log->size = 0;
    return 0;
}

static uint64_t lines_in(const char *data, size_t size)
{
    uint64_t lines = 0;
    for (const char *at = data, *end = data + size; (at = memchr(at, '\n', (size_t)(end - at)));
         at++)
        lines++;
    return lines;
}

/* All of it or, after cutting back, nothing. */
static int append(struct logfile *log, const char *data, size_t size)
{
    ssize_t wrote;
    do
        wrote = write(log->fd, data, size);
    while (wrote < 0 && errno == EINTR);
    if (wrote == (ssize_t)size) {
        log->size += wrote;
        return 0;
    }
    int number = wrote < 0 ? errno : ENOSPC;
    if (wrote > 0 && ftruncate(log->fd, log->size) < 0)
        log->size += wrote; /* cannot even cut: the reader skips the damaged line */
    errno = number;
    return -1;
}

static void loss_mark(struct logfile *log)
{
    char text[160], record[LOG_RECORD_ROOM(sizeof(text))], time[RFC3339_SIZE];
    int size = snprintf(text, sizeof(text), "winch: %" PRIu64 " lines of output were lost: %s",
                        log->lost, strerror(log->last_errno));
    rfc3339_format_ns(clock_wall_ns(), time, sizeof(time));
    if (append(log, record, log_record_format(record, text, (size_t)size, true, true, time)) == 0)
        log->lost = log->lost_told = 0;
}

/* What of data fits into the room, in whole lines; at least one line. */
static size_t part_fitting(const char *data, size_t size, int64_t room)
{
    if (room >= (int64_t)size)
        return size;
    const char *last = room > 0 ? memrchr(data, '\n', (size_t)room) : NULL;
    if (!last)
        last = memchr(data, '\n', size);
    return last ? (size_t)(last - data) + 1 : size;
}

void logfile_write(struct logfile *log, const char *data, size_t size)
{
    while (log->dirfd >= 0 && size > 0) {
        const char *line_end = memchr(data, '\n', size);
        size_t first = line_end ? (size_t)(line_end - data) + 1 : size;
        if (log->size > 0 && log->size + (int64_t)first > log->max_bytes && rotate(log) < 0)
            log->last_errno = errno; /* an overlong file is better than a lost line */
        if (log->lost > 0)
            loss_mark(log);
        size_t part = part_fitting(data, size, log->max_bytes - log->size);
        if (log->lost > 0 || append(log, data, part) < 0) {
            log->last_errno = errno ? errno : log->last_errno;
            log->lost += lines_in(data, part);
        }
        data += part;
        size -= part;
    }
}
