/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.h - the legs of a container: planning them (pure but for the leases it takes) and making
 * them. */
#pragma once

#include "netd/daemon.h"

/* Fills sandbox->endpoints from the request in order of attachment, with addresses leased in their
 * networks (which become dirty), MACs and interface names. ERR_NOT_FOUND: no such network.
 * Otherwise as ipam_lease. */
int endpoints_plan(struct netd *netd, struct sandbox *sandbox,
                   const struct sandbox_request *request, struct err *err);
/* true when both have the same legs in the kernel: networks, addresses, MACs, interface names. */
bool endpoints_equal(const struct sandbox *a, const struct sandbox *b);

/* The outer half, in our namespace: pairs with one end on the bridge and one in the container. */
int endpoints_create(struct netd *netd, const struct sandbox *sandbox, int netns_fd,
                     struct err *err);
/* Puts outer halves that exist back on their bridges (net NULL: on all); where they are, nothing
 * happens. */
int endpoints_attach(struct netd *netd, const struct sandbox *sandbox, const struct net *net,
                     struct err *err);
/* The inner half: the caller has entered the container. Addresses, links up, default routes. */
int endpoints_configure(const struct sandbox *sandbox, struct err *err);
/* Inside: removes the legs that we made, whatever they are called. */
int endpoints_clear(struct err *err);
/* true when all outer halves are there. */
bool endpoints_exist(const struct sandbox *sandbox);

const char *mac_format(const uint8_t mac[6], char buffer[18]);
bool mac_parse(const char *text, uint8_t ret_mac[6]);
