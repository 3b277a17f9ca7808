/* SPDX-License-Identifier: Apache-2.0 */
/* logfile.h - the writing side of a container's log (format: engine/log/read.h). A batch of whole
 * records goes out in one write; a batch that does not fit is cut back, counted and marked later:
 * what is in the file is always whole. libc only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/runtime/spec.h"

struct logfile {
    int dirfd, fd; /* -1 with LOG_DRIVER_NONE */
    int64_t size, max_bytes, max_files;
    uint64_t lost;      /* lines since the last good write */
    uint64_t lost_told; /* of them, told to the supervisor */
    int last_errno;
};

int logfile_open(struct logfile *log, const struct container_spec *spec, struct err *err);
void logfile_done(struct logfile *log);
/* data: whole lines. Never fails: losses are counted. */
void logfile_write(struct logfile *log, const char *data, size_t size);
int logfile_reopen(struct logfile *log, struct err *err);

/* One record into out (room >= LOG_RECORD_ROOM(size)); returns its size. Pure. */
#define LOG_RECORD_ROOM(size) ((size)*6 + 128)
size_t log_record_format(char *out, const char *text, size_t size, bool newline, bool is_stderr,
                         const char *time);
