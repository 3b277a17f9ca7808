/* SPDX-License-Identifier: Apache-2.0 */
/* changes.h - instructions of a Dockerfile that set a part of an image's config (import --change).
 * Pure. */
#pragma once

#include "base/err.h"
#include "base/json.h"

/* Applies "CMD …", "ENTRYPOINT …", "ENV …", "EXPOSE …", "LABEL …", "USER …", "VOLUME …", "WORKDIR
 * …", "STOPSIGNAL …" or "HEALTHCHECK …" to run, the object under "config". ERR_USAGE. */
int change_apply(struct jv *run, const char *instruction, struct err *err);
