/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.h - a host that speaks the distribution API: its scheme, its security, its login. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "engine/registry/host_config.h"

/* Initialise with endpoint_init; strings owned. */
struct endpoint {
    char *host;       /* "registry-1.docker.io", "127.0.0.1:5000" */
    char *login_host; /* key of its login: "docker.io" for docker's hub */
    char *base;       /* "https://host"; a plain one only for loopback and hosts marked insecure */
    char *origin;     /* of base, as http_url_origin gives it */
    bool insecure, loopback, probed;
    char *authorization; /* "Bearer …" or "Basic …" once asked for; sent to this origin only */
};
void endpoint_init(struct endpoint *endpoint, const char *host, const char *login_host,
                   const struct host_config *config);
void endpoint_done(struct endpoint *endpoint);
/* Loopback and insecure hosts only: finds out which scheme they speak. Blocks; others are left at
 * https. ERR_NETWORK. */
int endpoint_probe(struct endpoint *endpoint, struct err *err);
/* Answers a 401: sets authorization from the header WWW-Authenticate. ERR_DENIED when there is no
 * login that fits or the demand is not safe to answer; ERR_NETWORK, ERR_PROTOCOL from the token
 * server. Blocks. */
int endpoint_authorize(struct endpoint *endpoint, const char *authenticate, const char *repository,
                       struct err *err);
