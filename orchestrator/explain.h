/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h - facts about a container that ended → cause and advice in words. Pure. */
#pragma once

#include "orchestrator/observed.h"

struct explanation {
    char cause[512];  /* "killed: it used more memory than mem_limit (64 MiB)" */
    char advice[256]; /* "raise mem_limit, or …"; "" when there is none */
};

/* runtime-independent: reads record, status and supervise state. "running" has a cause, too: healthy, starting, unhealthy. */
void explain_container(const struct observed_container *container, struct explanation *ret_explanation);
