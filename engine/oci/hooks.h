/* SPDX-License-Identifier: Apache-2.0 */
/* hooks.h - programs of somebody else's at points of a container's life; each reads the container's state as JSON from stdin. */
#pragma once

#include "engine/oci/bundle.h"

/* In order; ERR_FAILED at the first that fails or takes too long. */
int oci_hooks_run(const struct oci_bundle *bundle, enum oci_hook_kind kind, const struct jv *state, const char *cwd, struct err *err);
