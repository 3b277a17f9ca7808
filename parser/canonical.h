/* SPDX-License-Identifier: Apache-2.0 */
/* canonical.h - fingerprints and values that are computed from the long form. */
#pragma once

#include "parser/loading.h"

/* config_hash of services, networks and volumes. */
void project_fingerprint(struct project *project);
