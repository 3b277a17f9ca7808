/* SPDX-License-Identifier: Apache-2.0 */
/* health.c - when the next probe is due and what a result means. probe.c does the running. */
#include "orchestrator/health.h"

#include "base/mem.h"

/* closer probes than this would only measure themselves */
#define INTERVAL_MIN_US 1000

void health_start(struct health *health, const struct runtime_health *rule, int64_t now_us)
{
    *health = (struct health){ .state = rule->set ? HEALTH_STARTING : HEALTH_NONE,
                               .started_us = now_us };
}

static bool in_start_period(const struct health *health, const struct runtime_health *rule, int64_t now_us)
{
    return health->state == HEALTH_STARTING && now_us - health->started_us < rule->start_period_us;
}

int64_t health_next_us(const struct health *health, const struct runtime_health *rule, int64_t now_us)
{
    int64_t delay_us = in_start_period(health, rule, now_us) ? rule->start_interval_us : rule->interval_us;
    return MAX(delay_us, INTERVAL_MIN_US);
}

bool health_result(struct health *health, const struct runtime_health *rule, bool success, int64_t begun_us)
{
    enum health_state before = health->state;
    if (success) {
        health->streak = 0;
        health->state = HEALTH_HEALTHY;
    } else if (!in_start_period(health, rule, begun_us)) {
        health->streak++;
        if (health->streak >= rule->retries)
            health->state = HEALTH_UNHEALTHY;
    }
    return health->state != before;
}
