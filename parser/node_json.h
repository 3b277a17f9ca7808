/* SPDX-License-Identifier: Apache-2.0 */
/* node_json.h - nodes ↔ JSON values. Positions are not kept. Pure. */
#pragma once

#include "base/json.h"
#include "parser/node.h"

struct jv *node_to_jv(const struct node *node); /* NULL gives null */
struct node *node_from_jv(struct arena *arena, const struct jv *value);
