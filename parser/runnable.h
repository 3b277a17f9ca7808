/* SPDX-License-Identifier: Apache-2.0 */
/* runnable.h - what the checks behind project_check_runnable share. */
#pragma once

#include "base/str.h"
#include "parser/limits.h"
#include "parser/node.h"

struct runnable {
    struct diags *diags;
    const char *service; /* NULL: top level */
};

/* Numbers of a service that cannot be had, each an error at its place. */
void runnable_check_ranges(struct runnable *runnable, const struct node *service);
