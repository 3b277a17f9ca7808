/* SPDX-License-Identifier: Apache-2.0 */
/* Life of one container, walked without a process. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "orchestrator/instance.h"

struct walk {
    enum instance_event event;
    enum instance_state state;
    enum instance_action action;
};

static void walk(const char *name, enum instance_state state, const struct walk *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct instance_step step = instance_step(state, steps[i].event);
        cr_expect_eq(step.next, steps[i].state, "%s, step %zu: %s", name, i, instance_state_text(step.next));
        cr_expect_eq(step.action, steps[i].action, "%s, step %zu: action %d", name, i, (int)step.action);
        state = step.next;
    }
}
#define WALK(name, state, ...)                                                                     \
    do {                                                                                           \
        static const struct walk steps_[] = { __VA_ARGS__ };                                       \
        walk(name, state, steps_, ARRAY_LEN(steps_));                                              \
    } while (0)

Test(instance, runs_and_restarts)
{
    WALK("crash", INSTANCE_IDLE, { EV_START, INSTANCE_STARTING, ACT_SPAWN }, { EV_STARTED, INSTANCE_RUNNING, ACT_ENTER },
         { EV_ENDED_RESTART, INSTANCE_BACKOFF, ACT_WAIT }, { EV_BACKOFF_OVER, INSTANCE_STARTING, ACT_SPAWN },
         { EV_FAILED_RETRY, INSTANCE_BACKOFF, ACT_WAIT }, { EV_BACKOFF_OVER, INSTANCE_STARTING, ACT_SPAWN },
         { EV_FAILED_GIVE_UP, INSTANCE_GAVE_UP, ACT_FAIL }, { EV_START, INSTANCE_STARTING, ACT_SPAWN });
    WALK("job", INSTANCE_RUNNING, { EV_ENDED, INSTANCE_IDLE, ACT_RELEASE }, { EV_BACKOFF_OVER, INSTANCE_IDLE, ACT_NONE });
}

Test(instance, stops_from_every_state)
{
    WALK("running", INSTANCE_RUNNING, { EV_STOP, INSTANCE_STOPPING, ACT_SIGNAL }, { EV_DEADLINE, INSTANCE_STOPPING, ACT_KILL },
         { EV_ENDED, INSTANCE_IDLE, ACT_RELEASE }, { EV_DEADLINE, INSTANCE_IDLE, ACT_NONE });
    WALK("starting", INSTANCE_STARTING, { EV_STOP, INSTANCE_STOPPING, ACT_SIGNAL }, { EV_STARTED, INSTANCE_STOPPING, ACT_SIGNAL },
         { EV_ENDED, INSTANCE_IDLE, ACT_RELEASE });
    WALK("starting fails", INSTANCE_STARTING, { EV_STOP, INSTANCE_STOPPING, ACT_SIGNAL }, { EV_FAILED, INSTANCE_IDLE, ACT_RELEASE });
    WALK("backoff", INSTANCE_BACKOFF, { EV_STOP, INSTANCE_IDLE, ACT_RELEASE }, { EV_BACKOFF_OVER, INSTANCE_IDLE, ACT_NONE });
    WALK("gave up", INSTANCE_GAVE_UP, { EV_STOP, INSTANCE_IDLE, ACT_RELEASE });
}

Test(instance, never_restarts_while_stopping)
{
    WALK("policy", INSTANCE_STOPPING, { EV_ENDED_RESTART, INSTANCE_IDLE, ACT_RELEASE });
    WALK("start", INSTANCE_STOPPING, { EV_START, INSTANCE_STOPPING, ACT_NONE });
}

Test(instance, survives_its_monitor)
{
    WALK("running", INSTANCE_RUNNING, { EV_LOST, INSTANCE_RUNNING, ACT_ADOPT }, { EV_STARTED, INSTANCE_RUNNING, ACT_NONE });
    WALK("stopping", INSTANCE_STOPPING, { EV_LOST, INSTANCE_STOPPING, ACT_ADOPT }, { EV_STARTED, INSTANCE_STOPPING, ACT_SIGNAL });
}

Test(instance, ends_somewhere_for_every_event)
{
    for (int s = 0; s < INSTANCE_STATE_COUNT_; s++)
        for (int e = 0; e < INSTANCE_EVENT_COUNT_; e++)
            cr_expect_lt(instance_step((enum instance_state)s, (enum instance_event)e).next, INSTANCE_STATE_COUNT_);
}
