/* SPDX-License-Identifier: Apache-2.0 */
/* health.h - schedule and verdict of a healthcheck. Pure: time comes in as a parameter (CLOCK_MONOTONIC).
 *
 * Rules as moby's: probes come one interval after the last one ended; until the first success and within start_period the
 * interval is start_interval and failures do not count; `retries` failures in a row make it unhealthy; one success
 * makes it healthy. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "orchestrator/observed.h"
#include "orchestrator/translate.h"

struct health {
    enum health_state state;
    int64_t streak;     /* failures in a row that count */
    int64_t started_us; /* when the container started */
};

void health_start(struct health *health, const struct runtime_health *rule, int64_t now_us);
/* Delay until the next probe, counted from now: the end of the last probe, or the start. */
int64_t health_next_us(const struct health *health, const struct runtime_health *rule, int64_t now_us);
/* One probe has ended; begun_us: when it began. true when the state changed. */
bool health_result(struct health *health, const struct runtime_health *rule, bool success, int64_t begun_us);
