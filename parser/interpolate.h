/* SPDX-License-Identifier: Apache-2.0 */
/* interpolate.h - variables in every string value of a document (not in keys). */
#pragma once

#include "base/str.h"
#include "parser/loading.h"

/* In place; findings go to loading->diags. A variable that is unset and has no default is warned about once (an
 * error with options->strict). */
void interpolate(struct loading *loading, struct node *node, const struct path *path);
/* used: gets which variables were looked at ("A from environment; B not set"); NULL: not wanted.
 * One text outside of a document, as the project's name. NULL after a diagnostic. */
const char *interpolate_text(struct loading *loading, const char *text, struct pos pos, const struct path *path,
                             struct str *used);
/* A variable without a value and default: a warning, or an error with options->strict. path may be NULL. */
void interpolate_unset(struct loading *loading, struct pos pos, const struct path *path, const char *name);
