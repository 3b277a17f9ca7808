/* SPDX-License-Identifier: Apache-2.0 */
/* methods.h - the table of calls that winch-netd answers (docs/ipc.md; netd_client.h says what they do). */
#pragma once

#include "base/ipc.h"

/* Ends with {0}; the context is a struct netd. */
extern const struct ipc_method netd_methods[];
