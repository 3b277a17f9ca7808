/* SPDX-License-Identifier: Apache-2.0 */
/* image_job.h - runs the image worker for a command and shows its progress. */
#pragma once

#include "cli/cli.h"
#include "cli/view_progress.h"

/* words: as for image_worker_start. Returns the exit code; on success *ret_last (may be NULL) is
 * the last progress line. */
int image_job_run(struct cli *cli, char *const *words, struct view_progress *view,
                  struct jv **ret_last);
