/* SPDX-License-Identifier: Apache-2.0 */
/* restart.h - the restart policy as a function from values to values. Pure.
 *
 * Source: moby's restart manager (first wait 100 ms, doubling to one minute, reset after ten seconds of running), with one
 * difference: the first restart after a stable run does not wait at all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "parser/model.h"

#define RESTART_FIRST_US  (100 * 1000)
#define RESTART_CAP_US    (60 * INT64_C(1000000))
#define RESTART_STABLE_US (10 * INT64_C(1000000))

/* What is known of an ended (or failed to start) instance. */
struct restart_facts {
    int exit_code;     /* -1 unknown: counts as failure */
    bool user_stopped; /* stop or kill by a command */
    bool start_failed; /* it never ran */
    int64_t ran_us;
    int64_t attempts; /* automatic restarts since the last start by a command */
    int64_t streak;   /* restarts since the last stable run: drives the delay */
};

struct restart_verdict {
    bool restart;
    bool gave_up; /* the policy wanted to, but max_attempts is reached */
    int64_t delay_us;
    int64_t attempts, streak; /* the new counts, to be kept */
};

/* policy: max_attempts 0: no limit; delay_us set: a fixed delay instead of the doubling one; window_us: a run at least this long
 * makes attempts count from 0 again. */
struct restart_verdict restart_decide(const struct restart_policy *policy, const struct restart_facts *facts);
/* After a boot, /run being empty: shall a container that ran before be started? */
bool restart_after_boot(const struct restart_policy *policy, bool want_running, bool ever_ran);
