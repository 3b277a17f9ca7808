/* SPDX-License-Identifier: Apache-2.0 */
/* host_config.h - the host's settings for images in winch.yaml:
 *
 *   registries:
 *     mirrors: { docker.io: ["127.0.0.1:5000"] }     # asked first, in this order
 *     insecure: ["127.0.0.1:5000"]                   # plain http, or https without verification
 *   images:                                          # bounds of one layer against bombs
 *     unpacked_max: 64g
 *     ratio_max: 100
 *     entries_max: 5000000
 *
 * Read by a deliberately small reader: these keys, block or one-line flow form, plain or quoted
 * words; or JSON of the same shape when the file begins with '{'. Anything else is an error with
 * file and line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct host_config {
    struct jv *mirrors;                           /* {registry: [host…]} */
    char **insecure;                              /* hosts[:port] */
    int64_t unpacked_max, ratio_max, entries_max; /* 0: not set */
};

/* path may name no file: then everything is empty. ERR_CONFIG. */
int host_config_load(const char *path, struct host_config *ret_config, struct err *err);
/* text as read from path (for messages). */
int host_config_parse(const char *path, const char *text, struct host_config *ret_config,
                      struct err *err);
void host_config_done(struct host_config *config);
bool host_config_is_insecure(const struct host_config *config, const char *host);
/* 127.0.0.0/8, [::1] or localhost, with or without a port. */
bool host_is_loopback(const char *host);
