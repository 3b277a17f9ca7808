/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - a small model and what is observed of it, built by hand for tests of deciding code. Observed containers are made
 * by translate_record from the model as it is at that moment: change the model afterwards to make them outdated. */
#pragma once

#include "orchestrator/plan.h"
#include "orchestrator/translate.h"

#define WORLD_MAX 16

struct world {
    struct layout layout;
    struct project project;
    struct observed observed;
    struct plan_options options;
    struct image image; /* every service's */
};

void world_init(struct world *world); /* project "p", network "default" */
void world_done(struct world *world);
/* Added in the order of names; image "img", on "default". */
struct service *world_service(struct world *world, const char *name);
void world_depends(struct world *world, struct service *service, const char *on, enum depends_condition condition, bool restart,
                   bool required);
struct volume *world_volume(struct world *world, const char *key);
void world_mount(struct world *world, struct service *service, const char *key, const char *target);
void world_port(struct world *world, struct service *service, uint16_t published, uint16_t target);
/* A canonical form {environment: {KEY: value}, image: img} and a config_hash made of it. */
void world_define(struct world *world, struct service *service, const char *value);
void world_image(struct world *world, const char *id); /* "img" is here; NULL: not */
void world_networks(struct world *world); /* all networks of the model exist */
void world_volumes(struct world *world);
struct observed_container *world_container(struct world *world, struct service *service, int64_t number, enum container_state state);

/* Compares with tests/golden/orchestrator/<name>.txt; with WINCH_GOLDEN_WRITE=1 the file is written instead. */
void golden_expect(const char *name, const char *text);
