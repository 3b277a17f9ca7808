/* SPDX-License-Identifier: Apache-2.0 */
/* instance.c - the transition table of one container. A missing cell keeps the state: events may be late (a timer that fired
 * together with an exit) and must then be harmless. */
#include "orchestrator/instance.h"

#include <stdbool.h>

#include "base/mem.h"

struct cell {
    bool set;
    struct instance_step step;
};
#define GO(state, action) { true, { INSTANCE_##state, ACT_##action } }

static const struct cell table[INSTANCE_STATE_COUNT_][INSTANCE_EVENT_COUNT_] = {
    [INSTANCE_IDLE] = {
        [EV_START]   = GO(STARTING, SPAWN),
        [EV_STARTED] = GO(RUNNING, ENTER), /* found running at our own start */
        [EV_ENDED_RESTART] = GO(BACKOFF, WAIT), /* ended while nobody looked */
        [EV_ENDED_GIVE_UP] = GO(GAVE_UP, RELEASE),
        [EV_LOST]    = GO(RUNNING, ADOPT),
    },
    [INSTANCE_STARTING] = {
        [EV_STARTED]        = GO(RUNNING, ENTER),
        [EV_FAILED]         = GO(IDLE, FAIL),
        [EV_FAILED_RETRY]   = GO(BACKOFF, WAIT),
        [EV_FAILED_GIVE_UP] = GO(GAVE_UP, FAIL),
        [EV_ENDED]          = GO(IDLE, RELEASE),
        [EV_ENDED_RESTART]  = GO(BACKOFF, WAIT),
        [EV_ENDED_GIVE_UP]  = GO(GAVE_UP, RELEASE),
        [EV_STOP]           = GO(STOPPING, SIGNAL), /* waits in the monitor's socket until it can be served */
        [EV_DEADLINE]       = GO(STOPPING, KILL),
    },
    [INSTANCE_RUNNING] = {
        [EV_ENDED]         = GO(IDLE, RELEASE),
        [EV_ENDED_RESTART] = GO(BACKOFF, WAIT),
        [EV_ENDED_GIVE_UP] = GO(GAVE_UP, RELEASE),
        [EV_STOP]          = GO(STOPPING, SIGNAL),
        [EV_DEADLINE]      = GO(STOPPING, KILL),
        [EV_LOST]          = GO(RUNNING, ADOPT),
    },
    [INSTANCE_STOPPING] = {
        [EV_STARTED]        = GO(STOPPING, SIGNAL), /* it came up after all: now the signal arrives */
        [EV_FAILED]         = GO(IDLE, RELEASE),
        [EV_FAILED_RETRY]   = GO(IDLE, RELEASE),
        [EV_FAILED_GIVE_UP] = GO(IDLE, RELEASE),
        [EV_ENDED]          = GO(IDLE, RELEASE),
        [EV_ENDED_RESTART]  = GO(IDLE, RELEASE),
        [EV_ENDED_GIVE_UP]  = GO(IDLE, RELEASE),
        [EV_DEADLINE]       = GO(STOPPING, KILL),
        [EV_LOST]           = GO(STOPPING, ADOPT),
    },
    [INSTANCE_BACKOFF] = {
        [EV_START]        = GO(STARTING, SPAWN),
        [EV_BACKOFF_OVER] = GO(STARTING, SPAWN),
        [EV_STOP]         = GO(IDLE, RELEASE),
        [EV_DEADLINE]     = GO(IDLE, RELEASE),
    },
    [INSTANCE_GAVE_UP] = {
        [EV_START] = GO(STARTING, SPAWN),
        [EV_STOP]  = GO(IDLE, RELEASE),
        [EV_STARTED] = GO(RUNNING, ENTER),
    },
};

struct instance_step instance_step(enum instance_state state, enum instance_event event)
{
    const struct cell *cell = &table[state][event];
    return cell->set ? cell->step : (struct instance_step){ state, ACT_NONE };
}

const char *instance_state_text(enum instance_state state)
{
    static const char *const texts[] = {
#define X(id, text) [INSTANCE_##id] = text,
        INSTANCE_STATES(X)
#undef X
    };
    return (size_t)state < ARRAY_LEN(texts) ? texts[state] : "?";
}
