/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - one file of a log, plain or compressed, as a stream of bytes; and where its last lines
 * begin. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct log_file {
    uint64_t number;
    int fd; /* -1: closed */
    bool packed;
    off_t offset;       /* plain: of the next byte */
    int64_t skip_lines; /* packed: lines to be passed over */
    int pipe;           /* packed: output of the helper that unpacks; -1: not begun */
    pid_t helper;
};

/* -1 with errno; ENOENT: it expired. */
int log_file_open(int dirfd, uint64_t number, struct log_file *ret_file);
void log_file_close(struct log_file *file);
/* Bytes, 0 at the end of what is written, -1. */
ssize_t log_file_read(struct log_file *file, char *buffer, size_t size, struct err *err);
/* Makes reading begin with the last *left lines; *left is reduced by those that there are. before: the
 * file before this one, or NULL: a line may have begun there. */
int log_file_tail(struct log_file *file, const struct log_file *before, int64_t *left, struct err *err);

/* A record, without its newline, that ends a line of output. Pure. */
bool log_record_ends_line(const char *record, size_t size);
