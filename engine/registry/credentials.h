/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.h - logins of registries from $DOCKER_CONFIG/config.json (else
 * ~/.docker/config.json). */
#pragma once

#include "base/err.h"
#include "base/json.h"

/* The value of "Authorization: Basic …" (without the word Basic: the base64 text) for exactly this
 * registry, or NULL when there is none. host: "ghcr.io", "127.0.0.1:5000"; "docker.io" also has its
 * historical key. Owned. Entries that only a credential helper program could answer are
 * ERR_UNSUPPORTED. */
int credentials_find(const char *host, char **ret_basic, struct err *err);
/* The same over a parsed file. Pure. */
int credentials_find_in(const struct jv *file, const char *host, char **ret_basic, struct err *err);
