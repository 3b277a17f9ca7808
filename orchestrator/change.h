/* SPDX-License-Identifier: Apache-2.0 */
/* change.h - one changing call (up, down, stop …) from its arguments to its answer: plan, apply, wait. */
#pragma once

#include "orchestrator/apply.h"
#include "orchestrator/plan.h"

enum verb_flags {
    VERB_STOPS = 1,    /* pushes a running change of the other sort aside: a stop never waits for a start */
    VERB_WANTS_UP = 2, /* sets the project's intent */
    VERB_WANTS_DOWN = 4, /* the same, when no services are named */
    VERB_AT_ONCE = 8,    /* runs beside the others: a kill must not wait for the grace of a stop */
};

struct verb {
    const char *name;
    unsigned flags;
    enum op_kind kind; /* for plan_make_verb; up and down have planners of their own */
    bool is_up, is_down, is_run, is_sweep;
};
const struct verb *verb_find(const char *name);

struct change {
    struct supervisor *sv;
    const struct verb *verb;
    struct ipc_request *request; /* NULL: nobody asked */
    struct jv *args;
    struct project *model; /* of args; NULL: the stored one is used */
    char **services, **scale;
    struct plan_options options;
    size_t parallel; /* at most so many operations at once; 0: no limit */
    struct oneoff oneoff; /* run */
    int direct[3];        /* descriptors for it, or -1 */
    bool attached;        /* run: the answer comes when it has ended */
    bool stop_first; /* rm --stop */
    bool pulling;    /* first pass of `up`: only the images, before anything is intended or made */
    bool wait;
    int64_t wait_timeout_us;
    struct apply *apply;
    struct loop_source *timer;
    bool awaiting; /* applied; services are to become healthy */
    bool cancelled, ended;
    struct err error;
    void (*done)(struct change *change); /* called once, from the loop; frees it */
};

/* ERR_PROTOCOL, ERR_CONFIG. request NULL: nobody; args borrowed. */
int change_new(struct supervisor *sv, const struct verb *verb, struct ipc_request *request, const struct jv *args,
               void (*done)(struct change *), struct change **ret_change, struct err *err);
void change_free(struct change *change);
void change_begin(struct change *change);
void change_cancel(struct change *change, const char *why);
void change_look(struct change *change); /* units changed */

/* oneoff.c: what is special about `run` */
int oneoff_read(struct change *change, const struct jv *options, struct err *err);
void oneoff_begun(struct change *change); /* its container was started: answers, or keeps the request until it has ended */
void oneoff_look(struct supervisor *sv);  /* units changed: answers, removes what is to be removed */
void oneoff_attend(struct supervisor *sv, struct ipc_request *request, const char *id);
bool oneoff_waits(const struct supervisor *sv);
void oneoff_free(struct supervisor *sv);
void change_tell_waiting(struct change *change, const struct change *behind);
