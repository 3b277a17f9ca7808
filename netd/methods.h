/* SPDX-License-Identifier: Apache-2.0 */
/* methods.h - the table of calls that winch-netd answers (docs/ipc.md; netd_client.h says what they
 * do). */
#pragma once

#include "base/ipc.h"

struct netd;

/* Ends with {0}; the context is a struct netd. */
extern const struct ipc_method netd_methods[];
/* Around the life of the server: calls that wait to be made together. */
void methods_init(struct netd *netd);
void methods_done(struct netd *netd);
