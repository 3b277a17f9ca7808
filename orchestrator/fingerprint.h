/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint.h - what forces a recreate, and its cause in words. Pure. */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "parser/model.h"

/* The canonical service as JSON, without the keys that do not count for config_hash. NULL when the model has none.
 * The caller's to free. */
struct jv *service_definition(const struct service *service);
/* The first key in which two definitions differ: "environment.DEBUG changed", "ports changed", "healthcheck.interval added",
 * "volumes removed"; "configuration changed" when nothing can be named. In the arena. */
const char *definition_cause(struct arena *arena, const struct jv *old, const struct jv *new_);
