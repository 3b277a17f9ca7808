/* SPDX-License-Identifier: Apache-2.0 */
/* instance.h - life of one container as a table: state × event → state, action. Pure.
 *
 * The policy has been asked before (restart.h): an end arrives as one of three events. */
#pragma once

#define INSTANCE_STATES(X)                                                                         \
    X(IDLE, "idle")         /* created, or ended and not to be started again */                    \
    X(STARTING, "starting") /* network and monitor are being made */                               \
    X(RUNNING, "running")                                                                          \
    X(STOPPING, "stopping") /* a command asked; grace timer runs */                                \
    X(BACKOFF, "backoff")   /* ended, will be started when the timer fires */                      \
    X(GAVE_UP, "gave-up")   /* on-failure:N is used up */

enum instance_state {
#define X(id, text) INSTANCE_##id,
    INSTANCE_STATES(X)
#undef X
        INSTANCE_STATE_COUNT_,
};

enum instance_event {
    EV_START,         /* a command, a plan, or the boot wants it running */
    EV_STARTED,       /* the monitor said so, or a running one was found */
    EV_FAILED,        /* the start failed and is not tried again by itself */
    EV_FAILED_RETRY,  /* the start failed, the policy wants another try */
    EV_FAILED_GIVE_UP,
    EV_ENDED,         /* for good */
    EV_ENDED_RESTART, /* the policy wants it again */
    EV_ENDED_GIVE_UP,
    EV_STOP,          /* a command */
    EV_DEADLINE,      /* the grace is over, or a kill was asked for */
    EV_BACKOFF_OVER,
    EV_LOST,          /* the monitor died, the process lives */
    INSTANCE_EVENT_COUNT_,
};

enum instance_action {
    ACT_NONE,
    ACT_SPAWN,   /* network, files, monitor */
    ACT_ENTER,   /* now running: health, hooks, tell waiters */
    ACT_FAIL,    /* tell waiters that the start failed */
    ACT_SIGNAL,  /* stop signal and grace timer */
    ACT_KILL,    /* everything in the container, now */
    ACT_WAIT,    /* arm the backoff timer */
    ACT_RELEASE, /* at rest: stop timers, tell waiters */
    ACT_ADOPT,   /* a new monitor for the living process */
};

struct instance_step {
    enum instance_state next;
    enum instance_action action;
};

/* An event that means nothing in a state gives the same state and ACT_NONE. */
struct instance_step instance_step(enum instance_state state, enum instance_event event);
const char *instance_state_text(enum instance_state state);
