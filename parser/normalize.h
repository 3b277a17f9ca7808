/* SPDX-License-Identifier: Apache-2.0 */
/* normalize.h - the steps on the merged tree, in this order. All change it in place. */
#pragma once

#include "parser/loading.h"

/* Splits services into those that the active profiles select (stay) and others (moved to disabled, a mapping). */
void services_select(struct loading *loading, struct node *tree, struct node *disabled);
/* env_file, label_file and variables without value → environment and labels of each service. */
void environment_resolve(struct loading *loading, struct node *services);
/* What services have whatever the options say: a build context. */
void services_complete(struct loading *loading, struct node *tree);
/* Variables without a value in the form that --no-interpolate prints; those that are unset go unless keep. */
void variables_resolve_written(struct loading *loading, const struct node *variables, bool keep);
/* Implied dependencies, default network, defaults of build. */
void services_normalize(struct loading *loading, struct node *tree);
/* deploy.replicas of services that have a scale and a deploy. */
void services_copy_scale(struct loading *loading, struct node *tree);
/* Volumes that are bind mounts: their device is a path in the project directory (of an include: its own). */
void volumes_resolve_devices(struct loading *loading, struct node *volumes);
/* With options->only_services: moves what was not asked for to disabled. */
void services_narrow(struct loading *loading, struct node *tree, struct node *disabled);
/* Names of resources, unused ones dropped, keys in the order of `config`. Returns the canonical tree. */
struct node *project_normalize(struct loading *loading, struct node *tree, const char *project_name);

/* validate.c: references, conflicts, cycles (compose-reference b.10). */
void project_validate(struct loading *loading, const struct node *tree, const struct node *disabled);
