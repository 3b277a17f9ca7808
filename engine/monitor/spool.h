/* SPDX-License-Identifier: Apache-2.0 */
/* spool.h - output between the container's pipe and the log, in a file that outlives the monitor
 * (<run_dir>/spool, mapped): with it every line is logged once, also when the monitor is killed at any
 * instant.
 *
 * A stream's bytes come in by splice(2), which moves them and the offset kept here in one step as seen
 * from a killed process. A batch on its way to the log is noted first, with the place it will have there;
 * the next monitor sees from the log's size whether it arrived. When the file has no room (a full
 * /run), anonymous memory takes its place: slower to explain, never lost while the monitor lives. libc
 * only, allocates nothing after spool_open. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/monitor/logfile.h"

#define SPOOL_AREA (256 * 1024) /* of one stream; several times the longest piece of a line */

struct spool_header;
struct spool {
    int fd; /* -1: not open */
    bool ready, recovered;
    struct spool_header *header; /* mapped with both areas behind it */
};

/* Maps <run_dir>/spool; what a killed monitor left is in it. */
int spool_open(struct spool *spool, int run_dir, struct err *err);
/* Removes the file when nothing is left in it. */
void spool_done(struct spool *spool, int run_dir);

/* Settles the batch that was on its way when the last monitor died. log is open and not yet written to. */
void spool_recover(struct spool *spool, struct logfile *log);
/* Bytes received and not yet logged. Valid until the next call for the stream. */
const char *spool_data(const struct spool *spool, unsigned stream, size_t *ret_size);
/* Takes at most size bytes out of a pipe or (is_tty) a terminal. Bytes, 0 when there are none, -1 with errno. */
ssize_t spool_take(struct spool *spool, unsigned stream, int fd, bool is_tty, size_t size);
/* Writes one batch, made of the first used bytes of the stream's data, to the log and forgets them. */
void spool_log(struct spool *spool, unsigned stream, size_t used, struct logfile *log, const char *batch,
               size_t size, uint64_t lines);
/* Gives the memory of a burst back if nothing waits. */
void spool_idle(struct spool *spool);
