/* SPDX-License-Identifier: Apache-2.0 */
/* read.h - reading a container's log (files: engine/log/names.h). No helper process but to unpack.
 *
 * A record is one line {"log":"text\n","stream":"stdout"|"stderr","time":"RFC 3339 ns"}; text
 * without a final newline is a partial line (no newline was written by the process, or a line
 * longer than LOG_LINE_MAX was cut in records). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/layout.h"
#include "base/mem.h"

#define LOG_LINE_MAX (16 * 1024)

struct log_options {
    int64_t tail;               /* last N lines; < 0: all */
    int64_t since_ns, until_ns; /* 0: no bound. Every record is judged by its own time: clocks jump */
    bool follow;                /* tells the writer to keep expired files a moment longer */
};

struct log_record {
    const char *text; /* decoded bytes, may hold zeros; borrowed until the next call */
    size_t size;
    bool is_stderr, partial;
    int64_t time_ns;
};

struct log_reader;
/* A container without log gives an empty reader. Keeps descriptors, so rotation while following
 * loses nothing that was opened in time; what expired unread is told by a record of its own. */
int log_reader_open(const struct layout *layout, const char *id, const struct log_options *options,
                    struct log_reader **ret_reader, struct err *err);
void log_reader_free(struct log_reader *reader);
DEFINE_CLEANUP(struct log_reader *, log_reader_free)
/* 1: a record; 0: nothing more at the moment (end of what is written); -1: error. Damaged lines are
 * skipped. */
int log_reader_next(struct log_reader *reader, struct log_record *ret_record, struct err *err);
/* inotify descriptor that becomes readable when there may be more (follow); drain it with
 * log_reader_wake. -1: none. */
int log_reader_watch_fd(struct log_reader *reader);
void log_reader_wake(struct log_reader *reader);
