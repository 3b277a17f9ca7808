/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and rotating log files (logfile.h). Errors are transient: disks get space again. libc
 * only. */
#include "engine/monitor/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "engine/log/names.h"

#define OLDEST_BACK 4096

static int file_open(int dirfd, uint64_t number)
{
    char name[LOG_NAME_SIZE];
    return openat(dirfd, log_name_format((struct log_name){.number = number}, name),
                  O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static void expired_remove(struct logfile *log)
{
    int64_t keep = log->max_files;
    int64_t slack = MIN(LOG_SLACK_BYTES / log->max_bytes, LOG_SLACK_FILES);
    if ((int64_t)(log->number - log->oldest) < keep)
        return;
    if (slack > 0) {
        if (flock(log->dirfd, LOCK_EX | LOCK_NB) == 0)
            (void)flock(log->dirfd, LOCK_UN); /* ours: cannot fail */
        else
            keep += slack;
    }
    for (; (int64_t)(log->number - log->oldest) >= keep; log->oldest++) {
        char name[LOG_NAME_SIZE];
        for (int packed = 0; packed < 2; packed++) /* the packer may be at work; it cleans up */
            (void)unlinkat(log->dirfd,
                           log_name_format((struct log_name){log->oldest, packed}, name), 0);
    }
}

struct extent {
    uint64_t lowest, highest;
};

static void extent_visit(struct log_name name, void *arg)
{
    struct extent *extent = arg;
    extent->lowest = extent->lowest == 0 ? name.number : MIN(extent->lowest, name.number);
    extent->highest = MAX(extent->highest, name.packed ? name.number + 1 : name.number);
}

static int newest_open(struct logfile *log, struct err *err)
{
    struct extent extent = {0};
    struct stat st;
    if (log_names_each(log->dirfd, extent_visit, &extent) < 0)
        return err_sys(err, "list the log");
    uint64_t number = MAX(extent.highest, 1ull);
    _cleanup_close_ int fd = file_open(log->dirfd, number);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, "open log");
    close_fdp(&log->fd);
    log->fd = take_fd(&fd);
    log->size = st.st_size;
    log->whole = false;
    log->number = number;
    log->oldest = number > OLDEST_BACK ? number - OLDEST_BACK : 1; /* bounds what a stray file costs */
    log->oldest = MAX(extent.lowest, log->oldest);
    return 0;
}

int logfile_open(struct logfile *log, const struct container_spec *spec, struct err *err)
{
    *log = (struct logfile){
        .dirfd = -1,
        .fd = -1,
        .max_bytes = spec->log.max_bytes > 0   ? spec->log.max_bytes
                     : spec->log.max_bytes < 0 ? INT64_MAX / 2
                                               : LOG_MAX_BYTES_DEFAULT,
        .attributes = spec->log.attributes ? spec->log.attributes : "",
        .max_files = spec->log.max_files > 0 ? spec->log.max_files : LOG_MAX_FILES_DEFAULT,
    };
    if (strlen(log->attributes) > LOG_ATTRIBUTES_MAX)
        return err_set(err, ERR_LIMIT, "the log's attributes are too long");
    if (spec->log.driver == LOG_DRIVER_NONE || spec->log.no_file)
        return 0;
    char path[4096];
    snprintf(path, sizeof(path), "%s/log", spec->state_dir);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_sys(err, "make %s", path);
    log->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (log->dirfd < 0)
        return err_sys(err, "open %s", path);
    return newest_open(log, err);
}

void logfile_done(struct logfile *log)
{
    close_fdp(&log->fd);
    close_fdp(&log->dirfd);
}

int logfile_reopen(struct logfile *log, struct err *err)
{
    return log->dirfd < 0 ? 0 : newest_open(log, err);
}

bool logfile_has(struct logfile *log, uint64_t number, int64_t offset, int64_t size)
{
    if (log->dirfd < 0 || number != log->number || log->size >= offset + size)
        return number <= log->number;
    if (log->size > offset && ftruncate(log->fd, offset) == 0)
        log->size = offset;
    return false;
}

/* A record cut off by a death of the machine or of an earlier monitor must not swallow the next
 * one. */
static void torn_end_close(struct logfile *log)
{
    char last = '\n';
    if (log->size > 0 && pread(log->fd, &last, 1, log->size - 1) == 1 && last != '\n') {
        if (write(log->fd, "\n", 1) != 1)
            return; /* tried again before the next batch */
        log->size++;
    }
    log->whole = true;
}

/* 0, or -1 with errno: the old file goes on being used. */
static int rotate(struct logfile *log)
{
    _cleanup_close_ int fd = file_open(log->dirfd, log->number + 1);
    if (fd < 0)
        return -1;
    close_fdp(&log->fd); /* followers have their own descriptor and read it to its end */
    log->fd = take_fd(&fd);
    log->number++;
    log->size = 0;
    log->rotated = true;
    expired_remove(log);
    return 0;
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
    char text[160], time[RFC3339_SIZE];
    static char record[LOG_RECORD_ROOM(sizeof(text))]; /* large */
    int size = snprintf(text, sizeof(text), "winch: %" PRIu64 " lines of output were lost: %s",
                        log->lost, strerror(log->last_errno));
    static struct log_ending ending;
    log_ending_format(&ending, true, rfc3339_format_ns(clock_wall_ns(), time, sizeof(time)),
                      log->attributes);
    if (append(log, record, log_record_format(record, text, (size_t)size, true, &ending)) == 0)
        log->lost = 0;
}

int64_t logfile_room(const struct logfile *log)
{
    return log->dirfd < 0 ? INT64_MAX : log->max_bytes - log->size;
}

void logfile_prepare(struct logfile *log, size_t size)
{
    if (log->dirfd < 0)
        return;
    if (!log->whole)
        torn_end_close(log);
    if (log->size > 0 && log->size + (int64_t)size > log->max_bytes && rotate(log) < 0)
        log->last_errno = errno; /* an overlong file is better than a lost line */
    if (log->lost > 0)
        loss_mark(log);
}

void logfile_append(struct logfile *log, const char *data, size_t size, uint64_t lines)
{
    if (log->dirfd < 0)
        return;
    if (log->lost == 0 && append(log, data, size) == 0)
        return;
    if (log->lost == 0)
        log->last_errno = errno;
    log->lost += lines;
    log->lost_total += lines;
}
