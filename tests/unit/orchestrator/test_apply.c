/* SPDX-License-Identifier: Apache-2.0 */
/* Which operation of a plan may run. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "orchestrator/apply.h"

enum { P = OP_STATE_PENDING, R = OP_STATE_RUNNING, D = OP_STATE_DONE, F = OP_STATE_FAILED, S = OP_STATE_SKIPPED };

Test(apply, runs_what_has_all_its_predecessors)
{
    static const size_t deps[] = { 0, 1 };
    struct op ops[] = { { .kind = OP_NETWORK_CREATE }, { .kind = OP_VOLUME_CREATE },
                        { .kind = OP_CONTAINER_CREATE, .deps = deps, .dep_count = 2 } };
    struct plan plan = { .ops = ops, .count = 3 };
    static const struct { int first, second; enum op_verdict verdict; } cases[] = {
        { P, P, OP_VERDICT_WAIT }, { D, R, OP_VERDICT_WAIT }, { D, D, OP_VERDICT_READY },
        { D, F, OP_VERDICT_SKIP }, { F, P, OP_VERDICT_SKIP }, { S, D, OP_VERDICT_SKIP },
        { R, F, OP_VERDICT_SKIP },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum op_state states[3] = { (enum op_state)cases[i].first, (enum op_state)cases[i].second, OP_STATE_PENDING };
        cr_expect_eq(apply_verdict(&plan, states, 2), cases[i].verdict, "case %zu", i);
        cr_expect_eq(apply_verdict(&plan, states, 0), OP_VERDICT_READY);
    }
}

static struct container_record record = { .name = "p-db-1", .service = "db" };

Test(apply, judges_conditions)
{
    static const struct {
        enum instance_state state; enum health_state health; bool check; int code; enum depends_condition condition; int met;
        const char *text;
    } cases[] = {
        { INSTANCE_RUNNING, HEALTH_NONE, false, -1, DEPENDS_STARTED, 1, NULL },
        { INSTANCE_STARTING, HEALTH_NONE, false, -1, DEPENDS_STARTED, 0, NULL },
        { INSTANCE_RUNNING, HEALTH_STARTING, true, -1, DEPENDS_HEALTHY, 0, NULL },
        { INSTANCE_RUNNING, HEALTH_HEALTHY, true, -1, DEPENDS_HEALTHY, 1, NULL },
        { INSTANCE_RUNNING, HEALTH_UNHEALTHY, true, -1, DEPENDS_HEALTHY, -1, "container p-db-1 is unhealthy" },
        { INSTANCE_BACKOFF, HEALTH_STARTING, true, 1, DEPENDS_HEALTHY, 0, NULL },
        { INSTANCE_IDLE, HEALTH_STARTING, true, 1, DEPENDS_HEALTHY, -1, "container p-db-1 exited (1)" },
        { INSTANCE_RUNNING, HEALTH_NONE, false, -1, DEPENDS_HEALTHY, -1, "no healthcheck" },
        { INSTANCE_RUNNING, HEALTH_NONE, false, -1, DEPENDS_COMPLETED, 0, NULL },
        { INSTANCE_BACKOFF, HEALTH_NONE, false, 1, DEPENDS_COMPLETED, 0, NULL },
        { INSTANCE_IDLE, HEALTH_NONE, false, 0, DEPENDS_COMPLETED, 1, NULL },
        { INSTANCE_GAVE_UP, HEALTH_NONE, false, 3, DEPENDS_COMPLETED, -1, "service \"db\" didn't complete successfully: exit 3" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct unit unit = { .record = &record, .state = cases[i].state };
        struct err err = { 0 };
        unit.health.state = cases[i].health;
        unit.runtime.health.set = cases[i].check;
        unit.last.exit_code = cases[i].code;
        unit.last.state = STATE_EXITED;
        cr_expect_eq(unit_condition(&unit, cases[i].condition, &err), cases[i].met, "case %zu", i);
        if (cases[i].text)
            cr_expect(strstr(err.message, cases[i].text), "case %zu: %s", i, err.message);
    }
}
