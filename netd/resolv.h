/* SPDX-License-Identifier: Apache-2.0 */
/* resolv.h - the three files in a container's /etc that winch makes, and the host's resolv.conf.
 * Pure. Text from users is checked, so that a name cannot become a second line. */
#pragma once

#include "base/err.h"
#include "netd/state.h"

struct resolv_conf {
    char **servers; /* strv of addresses; with "%zone" for link-local ones */
    char **search, **options;
};

void resolv_conf_parse(const char *text, struct resolv_conf *ret_conf);
void resolv_conf_done(struct resolv_conf *conf);

/* ERR_CONFIG naming the value: host and domain name, search domains, options, extra hosts, dns
 * servers. */
int resolv_check_request(const struct sandbox_request *request, struct err *err);

/* The container's resolv.conf: our resolver, the search list and options of the request, else the
 * host's. */
char *resolv_render(const struct sandbox_request *request, const struct resolv_conf *host);
char *hostname_render(const struct sandbox_request *request);
/* host_gateway is what "host-gateway" in extra_hosts stands for (family 0: there is none, the row
 * is left out). */
char *hosts_render(const struct sandbox_request *request, const struct sandbox *sandbox,
                   const struct addr *host_gateway);
