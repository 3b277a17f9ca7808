/* SPDX-License-Identifier: Apache-2.0 */
/* canonical.h - fingerprints and values that are computed from the long form. */
#pragma once

#include "parser/loading.h"

/* config_hash of services, networks and volumes. */
/* The canonical tree as it is printed: $ doubled, JSON's extra members. */
struct node *project_output_tree(struct arena *arena, const struct project *project, bool as_json);
void project_fingerprint(struct project *project);
