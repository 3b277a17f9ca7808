/* SPDX-License-Identifier: Apache-2.0 */
/* view_progress.h - shows the progress events of the supervisor (orchestrator/client.h) on stderr:
 * live lines on a terminal, one line an event in a pipe (" Container p-web-1 Started"), JSON lines,
 * or nothing. */
#pragma once

#include "base/json.h"
#include "cli/cli.h"

struct view_progress;
/* title: "up", "down" … for the header of the live form. */
struct view_progress *view_progress_new(const struct cli *cli, const char *title);
void view_progress_free(struct view_progress *view);
DEFINE_CLEANUP(struct view_progress *, view_progress_free)
void view_progress_event(struct view_progress *view, const struct jv *event);
/* Leaves the live area so that other output may follow. */
void view_progress_finish(struct view_progress *view);
