/* SPDX-License-Identifier: Apache-2.0 */
/* restore.h - after a boot: a supervisor for each project that was meant to be up. */
#pragma once

#include "base/err.h"
#include "base/layout.h"

/* Starts what is missing and waits until each one answers. A project that fails is logged and does not keep the others
 * down; -1 at the end then. */
int restore_projects(const struct layout *layout, struct err *err);
