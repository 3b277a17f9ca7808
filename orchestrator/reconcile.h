/* SPDX-License-Identifier: Apache-2.0 */
/* reconcile.h - the working state of plan_make_up, shared by reconcile*.c. Inside orchestrator/ only. */
#pragma once

#include "orchestrator/plan_build.h"

enum fate { FATE_KEEP, FATE_START, FATE_CREATE, FATE_RECREATE, FATE_RESTART };

struct up_container {
    int64_t number;
    const char *name;
    const struct observed_container *observed; /* NULL: to be created */
    enum fate fate;
    const char *cause;
    size_t op_made;  /* create or recreate; OP_NONE */
    size_t op_ready; /* the last operation after which it runs (start, restart); OP_NONE: it does already */
};

struct up_service {
    const struct service *service;
    bool selected, named; /* taking part; asked for by name (or no names were given) */
    int64_t scale;
    struct up_container *containers; /* that shall be there, by number */
    size_t count;
    const struct observed_container **surplus;
    size_t surplus_count;
    bool replaced; /* a container is made anew: what shares with it has to follow */
    size_t op_image;
};

struct up_network {
    const struct network *network;
    bool wanted, changed;
    size_t op; /* create; OP_NONE: is there */
};
struct up_volume {
    const struct volume *volume;
    bool wanted;
    size_t op;
};

struct up {
    struct plan_builder *builder;
    struct graph *graph; /* nodes are desired->services */
    size_t *order;       /* dependencies first */
    struct up_service *services;
    struct up_network *networks;
    struct up_volume *volumes;
    size_t *removals; /* operations that free names and ports: orphans */
    size_t removal_count;
};

/* reconcile_resource.c */
int up_decide_networks(struct up *up, struct err *err);
int up_decide_volumes(struct up *up, struct err *err);
int up_emit_images(struct up *up, struct err *err);
/* Stops what is on a network that changed, removes and makes it. */
void up_emit_networks(struct up *up);
void up_emit_volumes(struct up *up);
/* reconcile_service.c */
int up_decide_services(struct up *up, struct err *err);
/* reconcile_emit.c */
void up_emit_removals(struct up *up);
void up_emit_makes(struct up *up);
void up_emit_starts(struct up *up);
