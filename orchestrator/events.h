/* SPDX-License-Identifier: Apache-2.0 */
/* events.h - the journal of a project (lib/projects/<p>/events: JSON lines, bounded) and its subscribers.
 *
 * Numbers grow by one for each event of the project, over restarts of the supervisor too, so a reader sees a gap. */
#pragma once

#include <stdint.h>

#include "base/ipc.h"
#include "base/layout.h"

#define EVENTS_BYTES_MAX (1024 * 1024) /* then the file becomes events.1 */

struct events;
/* Journal errors are logged, never fatal. */
struct events *events_open(const struct layout *layout, const char *project);
void events_free(struct events *events);
/* The project's directory is being removed: lets go of it; the next event after it exists again opens a new journal. */
void events_forget(struct events *events);
/* Takes event ({"action":…, …}), adds type, time and seq, writes it and tells subscribers. */
void events_add(struct events *events, struct jv *event);
/* Takes the request: it is never answered; it ends when its client hangs up. */
void events_subscribe(struct events *events, struct ipc_request *request);
size_t events_subscribers(const struct events *events);
/* seq of the last complete line of a journal's tail; 0 when there is none. Pure. */
int64_t events_last_seq(const char *tail, size_t size);
