/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - the files of a container's log, lib/containers/<id>/log/: "1", "2", … in the order in which
 * they were begun; the highest is written to, a lower one may be compressed ("7.gz"). A number is
 * never used twice, so it names the same lines for as long as they exist. libc only, allocates
 * nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LOG_NAME_SIZE   32
#define LOG_PACK_SUFFIX ".gz"

struct log_name {
    uint64_t number; /* from 1 */
    bool packed;
};

/* False for any other file. */
bool log_name_parse(const char *text, struct log_name *ret_name);
/* "7" or "7.gz". Returns buffer. */
const char *log_name_format(struct log_name name, char buffer[LOG_NAME_SIZE]);
/* Calls visit for every file of the log, in no order. -1 with errno when dirfd cannot be listed; moves its
 * position. */
int log_names_each(int dirfd, void (*visit)(struct log_name name, void *arg), void *arg);
