/* SPDX-License-Identifier: Apache-2.0 */
/* Schedule and verdict of healthchecks. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "orchestrator/events.h"
#include "orchestrator/health.h"

#define S INT64_C(1000000)

static const struct runtime_health rule = { .set = true, .interval_us = 30 * S, .timeout_us = 5 * S, .retries = 3,
                                            .start_period_us = 10 * S, .start_interval_us = 2 * S };

Test(health, counts_failures_in_a_row)
{
    static const struct { bool success; enum health_state state; bool changed; } steps[] = {
        { true, HEALTH_HEALTHY, true },    { false, HEALTH_HEALTHY, false },  { false, HEALTH_HEALTHY, false },
        { true, HEALTH_HEALTHY, false },   { false, HEALTH_HEALTHY, false },  { false, HEALTH_HEALTHY, false },
        { false, HEALTH_UNHEALTHY, true }, { false, HEALTH_UNHEALTHY, false }, { true, HEALTH_HEALTHY, true },
    };
    struct health health;
    health_start(&health, &rule, 0);
    cr_expect_eq(health.state, HEALTH_STARTING);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        bool changed = health_result(&health, &rule, steps[i].success, 100 * S);
        cr_expect_eq(changed, steps[i].changed, "step %zu", i);
        cr_expect_eq(health.state, steps[i].state, "step %zu", i);
    }
}

Test(health, forgives_failures_in_the_start_period)
{
    struct health health;
    health_start(&health, &rule, 100 * S);
    for (int i = 0; i < 5; i++)
        health_result(&health, &rule, false, 109 * S);
    cr_expect_eq(health.state, HEALTH_STARTING);
    cr_expect_eq(health.streak, 0);
    for (int i = 0; i < 3; i++)
        health_result(&health, &rule, false, 110 * S);
    cr_expect_eq(health.state, HEALTH_UNHEALTHY);
    health_start(&health, &rule, 100 * S);
    health_result(&health, &rule, true, 101 * S);
    for (int i = 0; i < 3; i++) /* the first success ends the period */
        health_result(&health, &rule, false, 102 * S);
    cr_expect_eq(health.state, HEALTH_UNHEALTHY);
}

Test(health, is_asked_more_often_while_starting)
{
    struct health health;
    health_start(&health, &rule, 0);
    cr_expect_eq(health_next_us(&health, &rule, 9 * S), 2 * S);
    cr_expect_eq(health_next_us(&health, &rule, 10 * S), 30 * S);
    health_result(&health, &rule, true, 1 * S);
    cr_expect_eq(health_next_us(&health, &rule, 2 * S), 30 * S);
    struct runtime_health tight = { .set = true, .interval_us = 1 };
    health_start(&health, &tight, 0);
    cr_expect_geq(health_next_us(&health, &tight, 1), 1000);
}

Test(events, finds_the_last_whole_line)
{
    static const struct { const char *text; int64_t seq; } cases[] = {
        { "", 0 },
        { "{\"seq\":4}\n{\"seq\":5}\n", 5 },
        { "{\"seq\":4}\n{\"seq\":5}", 4 },
        { "q\":3}\n{\"seq\":4}\n{\"se", 4 },
        { "{\"seq\":4}\nrubbish\n", 4 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        cr_expect_eq(events_last_seq(cases[i].text, strlen(cases[i].text)), cases[i].seq, "case %zu", i);
}
