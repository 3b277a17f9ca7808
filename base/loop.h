/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - event loop: the only door to the event library. One loop a process, no threads. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_source; /* one watched thing; freed by loop_source_free, also from its own callback */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void loop_fd_fn(int fd, unsigned events, void *arg);
typedef void loop_timer_fn(void *arg);
typedef void loop_signal_fn(int signo, void *arg);
/* status as from waitpid(2) */
typedef void loop_child_fn(pid_t pid, int status, void *arg);

struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* Runs until loop_stop; returns the code given there. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int code);

/* fd is borrowed; persistent until freed. A regular file is always ready. Free the source before closing fd. */
struct loop_source *loop_fd(struct loop *loop, int fd, unsigned events, loop_fd_fn *fn, void *arg);
void loop_fd_events(struct loop_source *source, unsigned events); /* change what is watched; 0 pauses */
/* One shot after delay (CLOCK_MONOTONIC); the source stays until freed and can be armed again. */
struct loop_source *loop_timer(struct loop *loop, int64_t delay_us, loop_timer_fn *fn, void *arg);
void loop_timer_arm(struct loop_source *source, int64_t delay_us);
void loop_timer_disarm(struct loop_source *source);
struct loop_source *loop_signal(struct loop *loop, int signo, loop_signal_fn *fn, void *arg);
/* Calls fn once when the child ended (pidfd); it is reaped by the loop. The source frees itself after.
 * NULL with errno when the child cannot be watched (no descriptors left). */
struct loop_source *loop_child(struct loop *loop, pid_t pid, loop_child_fn *fn, void *arg);
/* Runs fn once from the loop, soon. */
void loop_soon(struct loop *loop, loop_timer_fn *fn, void *arg);
void loop_source_free(struct loop_source *source);
