/* SPDX-License-Identifier: Apache-2.0 */
/* methods.h - the calls a supervisor answers (client.h lists them), and the queue of changes: one runs, the others wait. */
#pragma once

#include <stdbool.h>

#include "base/ipc.h"

struct supervisor;

extern const struct ipc_method supervisor_methods[];
/* Units changed: the running change and pending waits look again. */
/* Removes, beside everything else, the containers of `run --rm` that have ended. */
void methods_sweep(struct supervisor *sv);
void methods_changed(struct supervisor *sv);
/* A change or a wait is in progress. */
bool methods_busy(const struct supervisor *sv);
/* Begins a start of these services, as after a boot, for nobody. */
void methods_start_services(struct supervisor *sv, char **services);
/* Shows a warning to whoever asked for the running change. */
void methods_warn(struct supervisor *sv, const char *text);
void methods_free(struct supervisor *sv);
