/* SPDX-License-Identifier: Apache-2.0 */
/* cdi.h - inside of cdi*.c: devices that a vendor describes in a file ("vendor.com/class=name" → nodes, mounts, environment).
 * Source: Container Device Interface, SPEC.md 1.1.0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "engine/runtime/spec.h"

#define CDI_FILE_MAX  (4 * 1024 * 1024)
#define CDI_FILES_MAX 256

/* The device called name in a CDI document; NULL: it has none of that name. Borrowed. Pure. */
const struct jv *cdi_device(const struct jv *document, const char *name);
/* Adds what containerEdits say to the spec (arrays in the arena; idmap: mounts show unshifted ids). Hooks are not run: then
 * *ret_hooks becomes true. ERR_CONFIG, ERR_UNSUPPORTED with the key. Pure. */
int cdi_edit(struct arena *arena, const struct jv *edits, bool idmap, struct container_spec *spec, bool *ret_hooks,
             struct err *err);
