/* SPDX-License-Identifier: Apache-2.0 */
/* copy_job.h - workers that write and read tar archives, and what they say. */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "cli/cli.h"

struct copy_job {
    pid_t pid;
    int progress_fd; /* -1: not running */
};

/* words as copy_worker_start takes them; data_fd is borrowed. */
int copy_job_start(const struct cli *cli, char *const *words, int data_fd, struct copy_job *ret_job, struct err *err);
/* Waits for its end, prints its warnings. ERR_CANCELLED: the reader of its archive went away first. */
int copy_job_wait(struct copy_job *job, struct err *err);
