/* SPDX-License-Identifier: Apache-2.0 */
/* The restart policy: who is restarted, how often, after which delay. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "orchestrator/restart.h"

#define S INT64_C(1000000)

static const struct {
    enum restart_condition condition;
    int64_t max;
    int code;
    bool stopped, failed_start;
    int64_t attempts;
    bool restart, gave_up;
} policies[] = {
    { RESTART_NO, 0, 0, false, false, 0, false, false },
    { RESTART_NO, 0, 1, false, false, 0, false, false },
    { RESTART_NO, 0, 0, false, true, 0, false, false },
    { RESTART_ALWAYS, 0, 0, false, false, 7, true, false },
    { RESTART_ALWAYS, 0, 137, false, false, 0, true, false },
    { RESTART_ALWAYS, 0, 137, true, false, 0, false, false },
    { RESTART_ALWAYS, 0, 0, false, true, 0, true, false },
    { RESTART_UNLESS_STOPPED, 0, 1, false, false, 0, true, false },
    { RESTART_UNLESS_STOPPED, 0, 1, true, false, 0, false, false },
    { RESTART_ON_FAILURE, 0, 0, false, false, 0, false, false },
    { RESTART_ON_FAILURE, 0, 1, false, false, 100, true, false },
    { RESTART_ON_FAILURE, 0, -1, false, false, 0, true, false }, /* unknown counts as failure */
    { RESTART_ON_FAILURE, 3, 143, false, false, 2, true, false },
    { RESTART_ON_FAILURE, 3, 139, false, false, 3, false, true },
    { RESTART_ON_FAILURE, 3, 0, false, false, 3, false, false },
    { RESTART_ON_FAILURE, 3, 1, true, false, 3, false, false },
    { RESTART_ON_FAILURE, 3, 0, false, true, 3, false, true },
};

Test(restart, follows_the_policy)
{
    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        struct restart_policy policy = { .condition = policies[i].condition, .max_attempts = policies[i].max };
        struct restart_facts facts = { .exit_code = policies[i].code, .user_stopped = policies[i].stopped,
                                       .start_failed = policies[i].failed_start, .attempts = policies[i].attempts };
        struct restart_verdict verdict = restart_decide(&policy, &facts);
        cr_expect_eq(verdict.restart, policies[i].restart, "case %zu", i);
        cr_expect_eq(verdict.gave_up, policies[i].gave_up, "case %zu", i);
        cr_expect_eq(verdict.attempts, policies[i].attempts + (policies[i].restart ? 1 : 0), "case %zu", i);
    }
}

Test(restart, waits_longer_each_time_up_to_a_minute)
{
    static const int64_t delays_ms[] = { 0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000 };
    struct restart_policy policy = { .condition = RESTART_ALWAYS };
    struct restart_facts facts = { .exit_code = 1, .ran_us = S };
    for (size_t i = 0; i < ARRAY_LEN(delays_ms); i++) {
        struct restart_verdict verdict = restart_decide(&policy, &facts);
        cr_expect_eq(verdict.delay_us, delays_ms[i] * 1000, "restart %zu: %lld", i, (long long)verdict.delay_us);
        facts.streak = verdict.streak;
        facts.attempts = verdict.attempts;
    }
    facts.ran_us = 10 * S;
    cr_expect_eq(restart_decide(&policy, &facts).delay_us, 0, "a stable run begins anew");
    facts = (struct restart_facts){ .start_failed = true };
    cr_expect_eq(restart_decide(&policy, &facts).delay_us, 100000, "a failing start never spins");
}

Test(restart, takes_delay_and_window_of_deploy)
{
    struct restart_policy policy = { .condition = RESTART_ALWAYS, .max_attempts = 2, .delay_us = { true, 5 * S },
                                     .window_us = { true, 3 * S } };
    struct restart_facts facts = { .exit_code = 1, .attempts = 2, .ran_us = 2 * S };
    cr_expect(restart_decide(&policy, &facts).gave_up);
    facts.ran_us = 3 * S;
    struct restart_verdict verdict = restart_decide(&policy, &facts);
    cr_expect(verdict.restart);
    cr_expect_eq(verdict.attempts, 1);
    cr_expect_eq(verdict.delay_us, 5 * S);
}

Test(restart, after_a_boot_asks_policy_and_intent)
{
    static const struct { enum restart_condition condition; bool want, ran, start; } cases[] = {
        { RESTART_NO, true, true, false },
        { RESTART_ALWAYS, true, false, true },
        { RESTART_ALWAYS, false, true, true },
        { RESTART_ALWAYS, false, false, false },
        { RESTART_UNLESS_STOPPED, true, true, true },
        { RESTART_UNLESS_STOPPED, false, true, false },
        { RESTART_ON_FAILURE, true, true, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct restart_policy policy = { .condition = cases[i].condition };
        cr_expect_eq(restart_after_boot(&policy, cases[i].want, cases[i].ran), cases[i].start, "case %zu", i);
    }
}
