/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - desired × observed → plan: a printable graph of typed operations, each with its cause. Pure.
 *
 * plan_make_… never touch the system; applying is apply.h's dull work, inside the supervisor. Output is deterministic:
 * operations are ordered by kind of resource, then name, and dependencies always point to earlier operations. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "orchestrator/observed.h"
#include "parser/model.h"

/* id, word in text and JSON, kind of the resource as progress shows it, words while working and when done */
#define OP_KINDS(X)                                                                                \
    X(IMAGE_PULL, "pull-image", "Image", "Pulling", "Pulled")                                      \
    X(NETWORK_CREATE, "create-network", "Network", "Creating", "Created")                          \
    X(NETWORK_REMOVE, "remove-network", "Network", "Removing", "Removed")                          \
    X(VOLUME_CREATE, "create-volume", "Volume", "Creating", "Created")                             \
    X(VOLUME_REMOVE, "remove-volume", "Volume", "Removing", "Removed")                             \
    X(CONTAINER_KEEP, "keep", "Container", "Running", "Running")                                   \
    X(CONTAINER_CREATE, "create", "Container", "Creating", "Created")                              \
    X(CONTAINER_RECREATE, "recreate", "Container", "Recreate", "Recreated")                        \
    X(CONTAINER_START, "start", "Container", "Starting", "Started")                                \
    X(CONTAINER_WAIT, "wait", "Container", "Waiting", "Healthy") /* done word depends on condition */ \
    X(CONTAINER_STOP, "stop", "Container", "Stopping", "Stopped")                                  \
    X(CONTAINER_KILL, "kill", "Container", "Killing", "Killed")                                    \
    X(CONTAINER_PAUSE, "pause", "Container", "Pausing", "Paused")                                  \
    X(CONTAINER_UNPAUSE, "unpause", "Container", "Unpausing", "Unpaused")                          \
    X(CONTAINER_RESTART, "restart", "Container", "Restarting", "Started")                          \
    X(CONTAINER_REMOVE, "remove", "Container", "Removing", "Removed")                              \
    X(CONTAINER_HOOK, "hook", "Container", "Running hook", "Done")

enum op_kind {
#define X(id, text, resource, working, done) OP_##id,
    OP_KINDS(X)
#undef X
        OP_KIND_COUNT_,
};

struct op {
    enum op_kind kind;
    const char *target;    /* display name: "proj-web-1", "proj_default", image reference */
    const char *cause;     /* "new", "image changed", "environment.DEBUG changed", "dependency of web", "not in the file any more" … */
    const char *service;   /* for containers */
    int64_t number;        /* replica */
    const char *container; /* id of the existing container, NULL for create */
    const char *key;       /* key of network or volume in the model */
    enum depends_condition condition; /* CONTAINER_WAIT */
    const char *waiter;    /* CONTAINER_WAIT: who needs it (service), for the message naming the edge */
    bool oneoff;           /* of `run`: target is its name, no replica is meant */
    bool optional;         /* CONTAINER_WAIT: required: false, a failure is only a warning */
    int64_t grace_us;      /* stop, restart, recreate */
    int signo;             /* kill */
    struct pos pos;        /* what in the file caused it, file NULL when nothing */
    const size_t *deps;    /* indexes of operations that must have succeeded */
    size_t dep_count;
};

struct plan {
    struct arena *arena;
    struct op *ops;
    size_t count;
    const char **warnings; /* orphans … */
    size_t warning_count;
};
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)

struct plan_options {
    const char *const *services; /* selected, NULL-terminated; NULL: all */
    bool no_deps, force_recreate, no_recreate, always_recreate_deps, renew_anon_volumes, remove_orphans, no_start, strict;
    const char *pull;            /* --pull: always missing never, NULL: the service's policy */
    const char *const *scale;    /* "web=3", NULL-terminated, or NULL */
    int64_t timeout_us;          /* -t; < 0: the service's grace */
    bool volumes;                /* down -v */
    bool images_done;            /* second pass of `up`: images were taken care of, none is pulled, a missing one is an error */
    bool ignore_orphans;         /* COMPOSE_IGNORE_ORPHANS: no warning */
    int signo;                   /* kill */
    const char *oneoff;          /* `run`: name of the container to make of the one service named; its dependencies as in `up` */
    bool auto_removed;           /* rm: the ended containers of `run --rm` only */
};

/* `up` in two passes, since a pull may change what an image is: when the plan holds OP_IMAGE_PULL, apply these alone, observe
 * again and plan with images_done. (With --dry-run the first plan is what is printed.)
 * ERR_CONFIG: cycle, unknown service in options ("no such service: x"). ERR_NOT_FOUND: an image that is not here and must not
 * be pulled. */
int plan_make_up(const struct project *desired, const struct observed *observed, const struct plan_options *options,
                 struct plan **ret_plan, struct err *err);
int plan_make_down(const struct project *desired /* NULL: by labels alone */, const struct observed *observed,
                   const struct plan_options *options, struct plan **ret_plan, struct err *err);
/* verb: OP_CONTAINER_STOP, _START, _RESTART, _KILL, _PAUSE, _UNPAUSE, _REMOVE (stopped ones). */
int plan_make_verb(enum op_kind verb, const struct project *desired, const struct observed *observed,
                   const struct plan_options *options, struct plan **ret_plan, struct err *err);

char *plan_text(const struct plan *plan);      /* `up --dry-run`; golden-tested. Owned. */
struct jv *plan_to_json(const struct plan *plan);
const char *op_kind_text(enum op_kind kind);
const char *op_resource_text(enum op_kind kind);
const char *op_working_text(enum op_kind kind);
const char *op_done_text(enum op_kind kind);
