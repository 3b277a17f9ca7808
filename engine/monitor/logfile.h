/* SPDX-License-Identifier: Apache-2.0 */
/* logfile.h - the writing side of a container's log (format: engine/log/read.h, files:
 * engine/log/names.h). What is in a file is always whole: a batch that cannot be written is cut back,
 * counted, and marked when there is room again. Rotating is making the next number, so nothing is
 * renamed and a death at any instant leaves no half-done rotation. libc only.
 *
 * Followers hold a shared flock on the directory: only then are expired files kept a little longer
 * (LOG_SLACK_BYTES), so that a reader of tiny files can keep up. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "engine/runtime/spec.h"

#define LOG_SLACK_BYTES (4 * 1024 * 1024)
#define LOG_SLACK_FILES 512

struct logfile {
    int dirfd, fd; /* -1: no log is kept */
    int64_t size, max_bytes, max_files;
    uint64_t number, oldest; /* of the file being written; the lowest that may exist */
    bool whole;              /* the file's end is known to be the end of a record */
    bool rotated;            /* since somebody cleared it */
    const char *attributes;  /* at the end of each record */
    uint64_t lost;           /* lines since the last good write */
    uint64_t lost_told;      /* of them, told to the supervisor */
    uint64_t lost_total;     /* in this monitor's life */
    int last_errno;
};

int logfile_open(struct logfile *log, const struct container_spec *spec, struct err *err);
void logfile_done(struct logfile *log);
int logfile_reopen(struct logfile *log, struct err *err);

/* One batch: prepare, then append. Between them number and size say where the batch will begin. Never
 * fails: losses are counted. data: whole records, lines of them; one batch goes into one file. */
void logfile_prepare(struct logfile *log, size_t size);
void logfile_append(struct logfile *log, const char *data, size_t size, uint64_t lines);
/* Bytes that still go into the present file; may be negative. */
int64_t logfile_room(const struct logfile *log);
/* What a writer that was killed left of the batch of size bytes at offset of file number: true when it
 * is there, else the file ends at offset again. To be asked before the first prepare. */
bool logfile_has(struct logfile *log, uint64_t number, int64_t offset, int64_t size);

/* What all records of one stream and one instant end with. time: RFC 3339; attributes: JSON text of at
 * most LOG_ATTRIBUTES_MAX bytes that begins with a comma, or "". Pure. */
#define LOG_ATTRIBUTES_MAX 3900
struct log_ending {
    char text[4096];
    size_t size;
};
void log_ending_format(struct log_ending *ending, bool is_stderr, const char *time,
                       const char *attributes);
/* One record into out (room >= LOG_RECORD_ROOM(size)); returns its size. Pure. */
#define LOG_RECORD_ROOM(size) ((size)*6 + 4096 + 16)
size_t log_record_format(char *out, const char *text, size_t size, bool newline,
                         const struct log_ending *ending);
