/* SPDX-License-Identifier: Apache-2.0 */
/* restart.c - policy × how it ended × counts → restart or not, and after which delay. No clock, no state of its own: the
 * counts live in the unit and travel through the verdict. */
#include "orchestrator/restart.h"

#include "base/mem.h"

static int64_t delay_of(int64_t streak)
{
    if (streak <= 0)
        return 0;
    int64_t delay_us = RESTART_FIRST_US;
    for (int64_t i = 1; i < streak && delay_us < RESTART_CAP_US; i++)
        delay_us *= 2;
    return MIN(delay_us, RESTART_CAP_US);
}

static bool policy_wants(const struct restart_policy *policy, const struct restart_facts *facts)
{
    switch (policy->condition) {
    case RESTART_ALWAYS:
    case RESTART_UNLESS_STOPPED:
        return true;
    case RESTART_ON_FAILURE:
        return facts->start_failed || facts->exit_code != 0;
    case RESTART_NO:
        break;
    }
    return false;
}

struct restart_verdict restart_decide(const struct restart_policy *policy, const struct restart_facts *facts)
{
    int64_t attempts = facts->attempts, streak = facts->streak;
    if (!facts->start_failed && facts->ran_us >= RESTART_STABLE_US)
        streak = 0;
    if (!facts->start_failed && policy->window_us.set && policy->window_us.value > 0 &&
        facts->ran_us >= policy->window_us.value)
        attempts = 0;
    struct restart_verdict verdict = { .attempts = attempts, .streak = streak };

    if (facts->user_stopped || !policy_wants(policy, facts))
        return verdict;
    if (policy->max_attempts > 0 && attempts >= policy->max_attempts) {
        verdict.gave_up = true;
        return verdict;
    }
    /* a start that fails at once would spin: it never gets the free first restart */
    int64_t doubling_us = delay_of(MAX(streak, facts->start_failed ? 1 : 0));
    verdict.restart = true;
    verdict.delay_us = policy->delay_us.set ? policy->delay_us.value : doubling_us;
    verdict.attempts = attempts + 1;
    verdict.streak = streak + 1;
    return verdict;
}

bool restart_after_boot(const struct restart_policy *policy, bool want_running, bool ever_ran)
{
    switch (policy->condition) {
    case RESTART_ALWAYS: /* docker: a manual stop holds only until the daemon starts again */
        return want_running || ever_ran;
    case RESTART_UNLESS_STOPPED:
    case RESTART_ON_FAILURE:
        return want_running;
    case RESTART_NO:
        break;
    }
    return false;
}
