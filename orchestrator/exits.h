/* SPDX-License-Identifier: Apache-2.0 */
/* exits.h - the history of a container's deaths: lib/containers/<id>/exits, a JSON object a line, the newest last. */
#pragma once

#include <stddef.h>

#include "base/layout.h"
#include "engine/container/status.h"

char *exits_path(const struct layout *layout, const char *id);
/* NULL and 0 without one. */
char *exits_read(const struct layout *layout, const char *id, size_t *ret_size);
/* Fills in how the last run ended, when /run has forgotten it (a boot); without a history *status stays. */
void exits_recall(const struct layout *layout, const char *id, struct container_status *status);
