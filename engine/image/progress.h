/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - the worker's JSON lines on standard output (shape: engine/engine.h,
 * image_worker_start). */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* One line, one write. parent NULL: about the image itself. current, total < 0: left out. */
void progress_say(const char *id, const char *parent, const char *status, int64_t current,
                  int64_t total);
/* The last line of a success. digest may be NULL. */
void progress_done(const char *id, const char *status, const char *digest, const char *image);
/* A finding of verify. */
void progress_damage(const char *id, const char *what);
/* Something was left out. */
void progress_warning(const char *text);
/* The last line of a failure. */
void progress_error(const struct err *error);
