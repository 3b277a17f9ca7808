/* SPDX-License-Identifier: Apache-2.0 */
/* view_logs.h - the logs of several containers as prefixed, coloured lines; following them with
 * inotify, without polling. */
#pragma once

#include "cli/cli.h"
#include "engine/log/read.h"

struct view_logs_options {
    bool no_color, no_prefix, timestamps,
        split_streams; /* split: stderr of containers goes to stderr */
    struct log_options log;
};
struct view_logs;
struct view_logs *view_logs_new(const struct cli *cli, const struct view_logs_options *options);
void view_logs_free(struct view_logs *view);
DEFINE_CLEANUP(struct view_logs *, view_logs_free)
/* prefix: name as shown ("web-1"). Adding an id again does nothing. */
int view_logs_add(struct view_logs *view, const char *id, const char *prefix, struct err *err);
/* Prints all that is written at the moment. 0, or -1 when output is closed. */
int view_logs_print(struct view_logs *view, struct err *err);
/* Descriptors to poll for more; at most max. Returns their number. */
size_t view_logs_fds(struct view_logs *view, int *ret_fds, size_t max);
void view_logs_wake(struct view_logs *view);
/* Container name without "PROJECT-". Borrowed. */
const char *log_prefix_of(const char *container_name, const char *project);
